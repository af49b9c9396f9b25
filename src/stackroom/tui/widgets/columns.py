"""Which columns of a table fit, and how wide each of them is. Pure: numbers in, numbers out.

Two ways to be too wide. A list *drops* columns: those with the largest ``priority`` number leave until the rest fits.
A comparison *scrolls*: its first columns stay, and a window moves over the others. Nothing ever wraps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP: Final = 2
"""Blank cells between two columns."""

Overflow = Literal["drop", "scroll"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        key: unique within the table.
        label: the header; untrusted like every other text.
        width: in cells, fixed; when it is None, the header and the visible rows decide.
        min_width: never narrower, in cells; when there is too little room, a column shrinks down to it before one has
            to leave. None: this column does not shrink.
        max_width: never wider, in cells.
        align: where a shorter text stands.
        priority: the column with the largest number leaves first; 0 never leaves.
    """

    key: str
    label: str
    width: int | None = None
    min_width: int | None = None
    max_width: int = 40
    align: Literal["left", "right"] = "left"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A column that is shown.

    Attributes:
        index: of the column, and of its cell in a row.
        column: what it is.
        x: of its first cell, counted from the start of the row's text.
        width: in cells.
    """

    index: int
    column: Column
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is shown of a table.

    Attributes:
        placed: the columns that are shown, from left to right.
        first: in a scrolling table, the number of the first column after the frozen ones, from 1; else 0.
        last: likewise, the last one that is shown.
        total: likewise, how many there are beside the frozen ones.
    """

    placed: tuple[Placed, ...] = ()
    first: int = 0
    last: int = 0
    total: int = 0

    def column_at(self, x: int) -> Column | None:
        """The column that covers the cell ``x`` of a row's text, with the gap after it."""
        for place in reversed(self.placed):
            if x >= place.x:
                return place.column
        return None


def natural_width(column: Column, needed: int) -> int:
    """The width a column gets when there is room.

    Args:
        column: the column.
        needed: by its header and the widest visible cell.
    """
    if column.width is not None:
        return column.width
    return max(column.min_width or 1, min(column.max_width, needed))


def drop_layout(columns: Sequence[Column], naturals: Sequence[int], room: int) -> Layout:
    """The columns that fit when those with the largest priority number leave.

    Args:
        columns: all of them.
        naturals: what :func:`natural_width` says of each.
        room: in cells.
    """
    least = [_least(column, natural) for column, natural in zip(columns, naturals, strict=True)]
    kept = list(range(len(columns)))
    while sum(least[index] + GAP for index in kept) - GAP > room:
        leaving = max(kept, key=lambda index: (columns[index].priority, index), default=None)
        if leaving is None or columns[leaving].priority == 0:
            break
        kept.remove(leaving)
    widths = {index: naturals[index] for index in kept}
    excess = sum(widths.values()) + GAP * (len(kept) - 1) - room
    while excess > 0:
        widest = max(kept, key=lambda index: widths[index] - least[index], default=None)
        if widest is None or widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
        excess -= 1
    return Layout(placed=_place([(index, columns[index], widths[index]) for index in kept], room))


def scroll_layout(columns: Sequence[Column], naturals: Sequence[int], room: int, *, frozen: int, offset: int) -> Layout:
    """The frozen columns and those from ``offset`` on that fit.

    Args:
        columns: all of them.
        naturals: what :func:`natural_width` says of each.
        room: in cells.
        frozen: how many columns at the left stay.
        offset: how many columns after the frozen ones are scrolled away.
    """
    frozen = min(frozen, len(columns))
    order = [*range(frozen), *range(frozen + offset, len(columns))]
    placed = _place([(index, columns[index], naturals[index]) for index in order], room)
    whole = [place.index for place in placed if place.width == naturals[place.index] and place.index >= frozen]
    shown = whole or [place.index for place in placed if place.index >= frozen]
    total = len(columns) - frozen
    if not shown:
        return Layout(placed=placed, total=total)
    return Layout(placed=placed, first=shown[0] - frozen + 1, last=shown[-1] - frozen + 1, total=total)


def furthest_offset(columns: Sequence[Column], naturals: Sequence[int], room: int, *, frozen: int) -> int:
    """The smallest offset of :func:`scroll_layout` that shows the last column whole."""
    frozen = min(frozen, len(columns))
    left = room - sum(width + GAP for width in naturals[:frozen])
    offset = len(columns) - frozen
    while offset > 0 and naturals[frozen + offset - 1] <= left:
        left -= naturals[frozen + offset - 1] + GAP
        offset -= 1
    return min(offset, max(0, len(columns) - frozen - 1))


def _least(column: Column, natural: int) -> int:
    if column.width is not None or column.min_width is None:
        return natural
    return min(natural, column.min_width)


def _place(wanted: Sequence[tuple[int, Column, int]], room: int) -> tuple[Placed, ...]:
    """From left to right as long as there is room; the last one may be cut."""
    placed = []
    x = 0
    for index, column, width in wanted:
        cut = min(width, room - x)
        if cut <= 0:
            break
        placed.append(Placed(index=index, column=column, x=x, width=cut))
        x += width + GAP
    return tuple(placed)
