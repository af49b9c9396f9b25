"""The promise of the viewport, for any rows and any changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stackroom.tui.widgets.viewport import Viewport

KEYS = st.lists(st.integers(0, 40).map(str), unique=True, max_size=40)
MOVES = st.lists(st.tuples(st.sampled_from(("move_to", "page", "scroll", "resize")), st.integers(-45, 45)), max_size=8)


def viewport(keys: list[str], moves: list[tuple[str, int]]) -> Viewport:
    view = Viewport()
    view.resize(7)
    view.replace(keys)
    for name, number in moves:
        getattr(view, name)(number)
    return view


@given(KEYS, MOVES)
def test_no_line_is_left_empty_and_the_cursor_exists(keys: list[str], moves: list[tuple[str, int]]) -> None:
    view = viewport(keys, moves)
    assert 0 <= view.top <= view.last_top
    assert (view.cursor == -1) == (not keys)
    assert view.cursor < len(keys)
    if moves and moves[-1][0] in {"move_to", "page"} and keys:
        assert view.cursor in view.visible


@given(KEYS, MOVES, KEYS)
def test_the_cursor_keeps_its_key_and_its_line_or_the_list_is_at_an_end(
    keys: list[str], moves: list[tuple[str, int]], later: list[str]
) -> None:
    view = viewport(keys, moves)
    key, line, seen = view.cursor_key, view.cursor - view.top, view.cursor in view.visible
    view.replace(later)
    if key in later:
        assert view.cursor_key == key
        if seen:
            assert view.cursor in view.visible
            assert view.cursor - view.top == line or view.top in {0, view.last_top}


@given(KEYS, MOVES)
def test_the_same_rows_again_change_nothing(keys: list[str], moves: list[tuple[str, int]]) -> None:
    view = viewport(keys, moves)
    before = (view.top, view.cursor, view.height)
    assert view.replace(list(keys)) == set()
    assert (view.top, view.cursor, view.height) == before


@given(KEYS.filter(bool), MOVES, st.integers(1, 20))
def test_another_height_keeps_a_visible_cursor_visible(
    keys: list[str], moves: list[tuple[str, int]], height: int
) -> None:
    view = viewport(keys, moves)
    seen = view.cursor in view.visible
    view.resize(height)
    assert not seen or view.cursor in view.visible
