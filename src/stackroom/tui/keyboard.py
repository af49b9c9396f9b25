"""What the terminal sends, as keys: Textual's parser, for which Esc is a key of its own wherever it can be one.

Measured on Textual 8.2.8: Esc and a character that are read within a tenth of a second, as a slow link delivers them,
are Alt and that character, which is no key here; with more behind them, Esc is read as ``^``. What follows an Esc in a
text that is pasted is read as keys, so that a text from elsewhere could do something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.message import Message

_GOES_ON: Final = "[]OPX^_\\\x1b\x7f\tbf"
"""What may follow an Esc that is none: the beginnings and the end of a terminal's sequences; Esc itself, which the
parser takes for one; and the keys by which terminals go back a tab and correct a line word by word."""

_ALONE: Final = re.compile(f"\x1b(?=[^{re.escape(_GOES_ON)}])")

_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"
"""What a terminal sends before and after what is pasted: nothing in between is a key."""


class KeyParser(XTermParser):
    """A parser that does not wait for more after an Esc that begins nothing, and takes nothing pasted for keys."""

    def __init__(self) -> None:
        super().__init__()
        self._end = ""
        """Of what was typed before: it may be an Esc, or the beginning of a mark."""
        self._pasting = False
        self._held = ""
        """The end of what was pasted, where it may be the beginning of the mark after it."""

    def feed(self, data: str) -> Iterable[Message]:
        """The keys, and whatever else the terminal says, of what was read; nothing, where nothing can be read more."""
        if not data:
            yield from super().feed(data)
        while data:
            if self._pasting:
                pasted, mark, data = (self._held + data).partition(_PASTED)
                self._held = "" if mark else _begun(_PASTED, pasted)
                text = pasted.removesuffix(self._held).replace("\x1b", "") + mark
                if text:
                    yield from super().feed(text)
                self._pasting = not mark
            else:
                before, mark, _ = (self._end + data).partition(_PASTE)
                length = len(before) + len(mark) - len(self._end)
                yield from self._typed(data[:length])
                self._pasting, data = bool(mark), data[length:]

    def _typed(self, data: str) -> Iterable[Message]:
        text, before, fed = self._end + data, len(self._end), 0
        for found in _ALONE.finditer(text):
            end = found.end() - before
            if end < 0:
                continue
            if end:
                yield from super().feed(data[fed:end])
                fed = end
            if self._timeout_time is not None:
                self._timeout_time = 0.0
                yield from self.tick()
        yield from super().feed(data[fed:])
        self._end = "" if text.endswith(_PASTE) else text[1 - len(_PASTE) :]


def _begun(mark: str, text: str) -> str:
    """As much of a mark as a text ends with; empty where it does not end with the beginning of one."""
    return next((mark[:length] for length in range(len(mark) - 1, 0, -1) if text.endswith(mark[:length])), "")
