"""Text from a registry is untrusted: this module makes it harmless and readable.

Anybody who may add a version may put an escape sequence into a description, and a terminal obeys it (it can write the
clipboard of whoever looks). :func:`visible` turns every character that a terminal could obey, or that hides or reorders
its neighbours, into a picture of itself. It is applied where text is shown, not where it is stored.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from stackroom.core.patterns import pattern

_PICTURES: Final = 0x2400
"""Where Unicode keeps its pictures of control characters: U+001B is shown as U+241B."""

_COMBINING_LIMIT: Final = 4
"""Marks on one letter beyond this many are dropped: nobody writes more, and a tower of them covers other lines."""

_HARMLESS: Final = pattern(r"[\x20-\x7e]*")
_NOT_IN_A_NAME: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The same for file names, without what is merely private or newer than this Python: another host may know it."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that are obeyed, invisible or undefined: control, format, surrogate, private, unassigned, separators."""


def visible(text: str, *, multiline: bool = False) -> str:
    """The text with every control, format, surrogate and bidi character made visible.

    Args:
        text: anything, of any length.
        multiline: keep line feeds (and show a tab as four spaces); otherwise both become pictures.
    """
    if _HARMLESS.fullmatch(text):
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in {"Mn", "Me"}:
            marks += 1
            if marks > _COMBINING_LIMIT:
                continue
        else:
            marks = 0
        if multiline and char == "\n":
            shown.append(char)
        elif multiline and char == "\t":
            shown.append("    ")
        elif category in _HIDDEN:
            shown.append(_picture(char))
        else:
            shown.append(char)
    return "".join(shown)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "\u2421"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def is_plain_name(name: str) -> bool:
    """Whether a file name can stand in a SUMS file, on every terminal and in every shell script.

    No control, format or surrogate characters (so: valid UTF-8) and no backslash, which GNU's SUMS format escapes.
    """
    if name.isascii() and name.isprintable():
        return "\\" not in name
    return "\\" not in name and not any(unicodedata.category(char) in _NOT_IN_A_NAME for char in name)
