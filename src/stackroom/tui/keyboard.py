"""What the terminal sends, as keys: Textual's parser, for which Esc is a key of its own wherever it can be one.

Measured on Textual 8.2.8: Esc and a character that are read within a tenth of a second, as a slow link delivers them,
are Alt and that character, which is no key here; with more behind them, Esc is read as ``^``.
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
    """A parser that does not wait for more after an Esc that begins nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._end = ""
        """Of what was read before: it may be an Esc, or the beginning of a mark."""
        self._was_pasting = False
        """Whether something was being pasted before that mark."""

    def feed(self, data: str) -> Iterable[Message]:
        """The keys, and whatever else the terminal says, of what was read; nothing, where nothing can be read more."""
        text, before, fed = self._end + data, len(self._end), 0
        for found in _ALONE.finditer(text):
            end = found.end() - before
            if end < 0 or self._is_pasting(text, found.start()):
                continue
            if end:
                yield from super().feed(data[fed:end])
                fed = end
            if self._timeout_time is not None:
                self._timeout_time = 0.0
                yield from self.tick()
        if fed < len(data) or not data:
            yield from super().feed(data[fed:])
        self._was_pasting = self._is_pasting(text, len(text))
        self._end = text[1 - len(_PASTE) :]

    def _is_pasting(self, text: str, place: int) -> bool:
        """Whether what comes at a place of what was read is pasted."""
        begun, ended = text.rfind(_PASTE, 0, place), text.rfind(_PASTED, 0, place)
        return begun > ended if begun != ended else self._was_pasting
