"""Colours and glyphs: the sixteen colours of the terminal's own theme, and never the only carrier of meaning.

Also where text becomes harmless: nothing reaches a stream but through :func:`render`, which shows control and bidi
characters as pictures, whoever wrote them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TextIO

from stackroom.core.text import visible
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Styled:
    """A text and the name of its colour: bold, dim, red, green, yellow or cyan."""

    text: str
    colour: str


Piece = str | Styled
"""What a line is put together from."""


def plain(piece: Piece) -> str:
    """The piece's text, harmless and without its colour."""
    return visible(piece.text if isinstance(piece, Styled) else piece)


def render(pieces: Iterable[Piece], *, colours: bool) -> str:
    """One line: every character that a terminal could obey made visible, then coloured."""
    return "".join(
        f"\x1b[{_CODES[piece.colour]}m{plain(piece)}\x1b[0m" if colours and isinstance(piece, Styled) else plain(piece)
        for piece in pieces
    )


def wants_colours(stream: TextIO, choice: str) -> bool:
    """Whether to colour what goes to a stream.

    Args:
        stream: where it goes.
        choice: what ``--color`` says. With ``auto``, ``NO_COLOR`` and then ``FORCE_COLOR`` decide, then the terminal.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The few signs that are not letters, as this stream can show them."""

    yes: str
    no: str
    better: str
    worse: str
    cut: str


def glyphs_for(stream: TextIO) -> Glyphs:
    """Signs where the stream's encoding has them, words where it does not."""
    if (stream.encoding or "").lower().replace("-", "").replace("_", "") in {"utf8", "utf8sig"}:
        return Glyphs(yes="✓", no="✗", better="▲", worse="▼", cut="…")
    return Glyphs(yes="ok", no="NO", better="+", worse="-", cut="~")
