"""Which columns fit: for any columns and any room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stackroom.tui.widgets.columns import GAP, Column, drop_layout, furthest_offset, scroll_layout

WIDTHS = st.lists(st.integers(1, 30), min_size=1, max_size=9)


def columns_of(widths: list[int]) -> list[Column]:
    return [Column(key=str(place), label="x", priority=place, max_width=30) for place, _ in enumerate(widths)]


@given(WIDTHS, st.integers(0, 120))
def test_dropping_keeps_the_most_important_columns_inside_the_room(widths: list[int], room: int) -> None:
    placed = drop_layout(columns_of(widths), widths, room).placed
    assert [place.index for place in placed] == list(range(len(placed)))
    assert all(place.x + place.width <= room for place in placed)
    kept = len(placed)
    if kept < len(widths) and room > 0:
        assert sum(widths[: kept + 1]) + GAP * kept > room


@given(WIDTHS, st.integers(1, 120), st.integers(0, 3))
def test_the_last_column_can_always_be_scrolled_to(widths: list[int], room: int, frozen: int) -> None:
    columns = columns_of(widths)
    offset = furthest_offset(columns, widths, room, frozen=frozen)
    layout = scroll_layout(columns, widths, room, frozen=frozen, offset=offset)
    assert all(place.x + place.width <= room for place in layout.placed)
    if frozen < len(widths) and sum(widths[:frozen]) + GAP * frozen < room:
        assert layout.placed[-1].index == len(widths) - 1
        assert layout.last == layout.total


def test_a_column_shrinks_before_another_has_to_leave() -> None:
    columns = (
        Column(key="name", label="NAME", min_width=8),
        Column(key="note", label="NOTE", min_width=4, priority=2),
        Column(key="by", label="BY", priority=1),
    )
    placed = drop_layout(columns, (20, 12, 3), 24).placed
    assert [(place.column.key, place.width) for place in placed] == [("name", 10), ("note", 7), ("by", 3)]
    assert [place.column.key for place in drop_layout(columns, (20, 12, 3), 15).placed] == ["name", "by"]


def test_a_click_on_a_gap_belongs_to_the_column_before_it() -> None:
    layout = drop_layout(columns_of([4, 4]), (4, 4), 40)
    assert [layout.column_at(x) and layout.column_at(x).key for x in (-1, 0, 5, 6)] == [None, "0", "0", "1"]  # type: ignore[union-attr]  # None is left of "and"
