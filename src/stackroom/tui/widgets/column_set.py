"""The columns of one table over its life: their widths follow what is in sight, calmly.

A width that was once needed is kept while everything fits: columns that jump whenever the list is scrolled are hard to
read, and each jump redraws the whole screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.tui.widgets.columns import (
    Column,
    Layout,
    Overflow,
    drop_layout,
    furthest_offset,
    natural_width,
    scroll_layout,
)
from stackroom.tui.widgets.drawing import width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stackroom.tui.glyphs import Glyphs
    from stackroom.tui.widgets.drawing import Cell


class ColumnSet:
    """Columns, what they need, and the layout that follows.

    Attributes:
        columns: all of them.
        layout: what is shown, after :meth:`lay_out`.
        labels: the headers of the shown columns, with the arrow of the sort.
        offset: how many columns a scrolling table has scrolled away.

    Args:
        columns: all of them.
        overflow: what happens when there is too little room.
        frozen: how many columns never scroll.
        header: whether labels are shown and need room.
    """

    def __init__(self, columns: Sequence[Column], *, overflow: Overflow, frozen: int, header: bool) -> None:
        self.columns = tuple(columns)
        self.layout = Layout()
        self.labels: tuple[str, ...] = ()
        self.offset = 0
        self._overflow = overflow
        self._frozen = frozen
        self._header = header
        self._needed: list[int] = []
        self._sort: tuple[str, bool] | None = None

    @property
    def scrolls(self) -> bool:
        """Whether columns are scrolled and not dropped."""
        return self._overflow == "scroll"

    def replace(self, columns: Sequence[Column]) -> None:
        """Other columns; widths start anew."""
        self.columns = tuple(columns)
        self._needed = []

    def sort_by(self, column: str | None, *, descending: bool) -> None:
        """Put the arrow at a column's label."""
        self._sort = None if column is None else (column, descending)

    def lay_out(self, rows: Iterable[Sequence[Cell]], room: int, glyphs: Glyphs) -> bool:
        """Bring the layout up to date; True when it, or a label, has changed.

        Args:
            rows: the cells of the rows in sight.
            room: in cells.
            glyphs: the set to measure with.
        """
        needed = self._measure(rows, glyphs)
        layout = self._layout_for(needed, room)
        if len(self._needed) == len(needed):
            kept = [max(pair) for pair in zip(needed, self._needed, strict=True)]
            steady = self._layout_for(kept, room)
            if _is_as_wide(steady, layout):
                needed, layout = kept, steady
        self._needed = needed
        labels = tuple(self._label(place.column, glyphs) for place in layout.placed)
        if layout == self.layout and labels == self.labels:
            return False
        self.layout, self.labels = layout, labels
        return True

    def _label(self, column: Column, glyphs: Glyphs) -> str:
        if self._sort is None or self._sort[0] != column.key:
            return column.label
        return f"{column.label} {glyphs.descending if self._sort[1] else glyphs.ascending}"

    def _layout_for(self, needed: Sequence[int], room: int) -> Layout:
        naturals = [natural_width(column, width) for column, width in zip(self.columns, needed, strict=True)]
        if not self.scrolls:
            return drop_layout(self.columns, naturals, room)
        furthest = furthest_offset(self.columns, naturals, room, frozen=self._frozen)
        self.offset = max(0, min(self.offset, furthest))
        return scroll_layout(self.columns, naturals, room, frozen=self._frozen, offset=self.offset)

    def _measure(self, rows: Iterable[Sequence[Cell]], glyphs: Glyphs) -> list[int]:
        limits = [column.width or column.max_width for column in self.columns]
        needed = [
            width_of(self._label(column, glyphs), limit=limit, glyphs=glyphs) if self._header else 1
            for column, limit in zip(self.columns, limits, strict=True)
        ]
        measured = [place for place, column in enumerate(self.columns) if column.width is None]
        for cells in rows:
            for place in measured:
                if place < len(cells) and needed[place] < limits[place]:
                    width = width_of(cells[place].text, limit=limits[place], glyphs=glyphs)
                    needed[place] = max(needed[place], width)
        return needed


def _is_as_wide(steady: Layout, layout: Layout) -> bool:
    """Whether a layout shows the same columns as another, each at least as wide."""
    if [place.index for place in steady.placed] != [place.index for place in layout.placed]:
        return False
    return all(one.width >= other.width for one, other in zip(steady.placed, layout.placed, strict=True))
