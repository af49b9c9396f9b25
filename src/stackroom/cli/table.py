"""Rows of a table: aligned and cut for a terminal, or separated by tabs and whole for a program."""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final

from stackroom.cli.style import Piece, Styled, plain
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GAP: Final = 2
"""Spaces between two columns."""

_AT_ONCE: Final = 256
"""Rows of which one is likely harmless if all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: in the head line; may be the name of somebody's metric, and as untrusted as a value.
        right: numbers stand at the right.
        priority: where the terminal is too narrow, the highest leaves first; 0 stays.
        least: the width to which it may be cut before it leaves; 0: never cut.
    """

    title: str
    right: bool = False
    priority: int = 0
    least: int = 0


def width_of(text: str) -> int:
    """The cells that a text takes on a terminal: two for wide characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(char) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def cut(text: str, width: int, sign: str) -> str:
    """The text, or its start and a sign for the rest, in at most ``width`` cells."""
    if width_of(text) <= width:
        return text
    kept: list[str] = []
    left = width - width_of(sign)
    for char in text:
        left -= width_of(char)
        if left < 0:
            break
        kept.append(char)
    return "".join(kept) + sign if width >= width_of(sign) else ""


def separated(columns: Sequence[Column], rows: Iterable[Sequence[Piece]]) -> Iterator[str]:
    """Harmless lines of tab-separated values, the titles first; a tab that is part of a value becomes a picture.

    One line at a time, or some hundreds with line feeds between.
    """
    yield separated_row([column.title for column in columns])
    left = iter(rows)
    while some := [*islice(left, _AT_ONCE)]:
        whole = "\n".join(map(_joined, some))
        if _is_harmless(whole, sum(map(len, some))):
            yield whole
        else:
            yield from map(separated_row, some)


def separated_row(row: Sequence[Piece]) -> str:
    """One such line."""
    whole = _joined(row)
    return whole if _is_harmless(whole, len(row)) else "\t".join(map(plain, row))


def _joined(row: Sequence[Piece]) -> str:
    try:
        return "\t".join(row)  # type: ignore[arg-type]  # few rows have colours: asking each cell takes longer
    except TypeError:
        return "\t".join([cell if isinstance(cell, str) else cell.text for cell in row])


def _is_harmless(text: str, cells: int) -> bool:
    """Whether lines hold nothing but ASCII that prints, and no tab or line feed but those between so many cells.

    Nearly all lines are harmless, which is found out of many at once in a tenth of the time.
    """
    if not text.isascii() or text.count("\t") + text.count("\n") != cells - 1:
        return False
    return text.replace("\t", " ").replace("\n", " ").isprintable()


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[Piece]], width: int, sign: str) -> Iterator[list[Piece]]:
    """The lines of a table that fits a terminal.

    Args:
        columns: what they are, left to right.
        rows: a cell for each of them.
        width: of the terminal.
        sign: for what was cut.
    """
    texts = [[plain(cell) for cell in row] for row in rows]
    titles = [plain(column.title) for column in columns]
    widths = [max([width_of(titles[at]), *(width_of(row[at]) for row in texts)]) for at in range(len(columns))]
    shown = _fitting(columns, widths, width)
    yield _line([(Styled(titles[at], "bold"), at) for at in shown], columns, widths, sign)
    for row in rows:
        yield _line([(row[at], at) for at in shown], columns, widths, sign)


def _fitting(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """The indexes of the columns that stay; narrows ``widths`` where a column may be cut."""
    shown = list(range(len(columns)))
    for at in sorted(shown, key=lambda index: (-columns[index].priority, -index)):
        excess = sum(widths[one] for one in shown) + _GAP * (len(shown) - 1) - width
        if excess <= 0:
            break
        column = columns[at]
        spare = widths[at] - max(column.least, width_of(plain(column.title))) if column.least else 0
        if spare >= excess or not column.priority:
            widths[at] -= min(max(spare, 0), excess)
        else:
            shown.remove(at)
    return shown


def _line(cells: list[tuple[Piece, int]], columns: Sequence[Column], widths: list[int], sign: str) -> list[Piece]:
    pieces: list[Piece] = []
    for place, (cell, at) in enumerate(cells):
        text = cut(plain(cell), widths[at], sign)
        blank = " " * (widths[at] - width_of(text))
        last = place == len(cells) - 1
        shown: Piece = Styled(text, cell.colour) if isinstance(cell, Styled) else text
        gap = "" if last else " " * _GAP
        if columns[at].right:
            pieces += [blank, shown, gap]
        else:
            pieces += [shown, gap if last else blank + gap]
    return pieces
