"""The one list: what stays when rows move, what hostile text may do (nothing), and what a key costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.events import MouseScrollDown

from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable, Row
from tui.screen import Bench, run, screen_rows, screen_styles, screen_text, until
from tui.tables import COLUMNS, rows, table_of

if TYPE_CHECKING:
    from textual.pilot import Pilot


def line_of(app: Bench[LineTable], key: str) -> int:
    """The line of the screen on which a row stands."""
    first = f" {key.removeprefix('v')} "
    return next(y for y, text in enumerate(screen_rows(app)) if text[2:].startswith(first))


def test_a_list_looks_like_this() -> None:
    app = Bench(LineTable(COLUMNS))

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.set_rows(rows(14, 13, 12))
        app.widget.set_sort("created", descending=True)
        app.widget.move_to("v13")
        app.widget.action_mark()
        app.widget.move_to("v14")
        await pilot.pause()
        assert screen_text(app).splitlines() == [
            "   VERSION  STAGE          AUC  LOGLOSS  SIZE  CREATED ▼  BY    TREND(AUC)",
            ">  14       production  0.9014   0.1014   14M  14d ago    chen  ▁▂▃▄▅▆",
            " ● 13       staging     0.9013   0.1013   13M  13d ago    bo    ▁▂▃▄▅",
            "   12                   0.9012   0.1012   12M  12d ago    ana   ▁▂▃▄",
        ]

    run(app, steps)


def test_columns_leave_by_priority_and_nothing_wraps() -> None:
    app = table_of(3)

    async def steps(pilot: Pilot[None]) -> None:
        for width, wanted in (
            (80, "VERSION STAGE AUC LOGLOSS SIZE CREATED BY TREND(AUC)"),
            (66, "VERSION STAGE AUC LOGLOSS SIZE CREATED BY"),
            (60, "VERSION STAGE AUC LOGLOSS CREATED BY"),
            (40, "VERSION STAGE AUC"),
            (20, "VERSION"),
        ):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            assert screen_rows(app)[0].split() == wanted.split()
            assert all(len(text) == width for text in screen_rows(app))

    run(app, steps)


def test_the_cursor_and_its_line_stay_when_rows_appear_above_and_below() -> None:
    app = table_of(100)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.move_to("v50")
        await pilot.pause()
        before = line_of(app, "v50")
        table.set_rows(rows(*range(200, 207), *range(100), *range(300, 310)))
        await pilot.pause()
        assert (table.cursor_key, line_of(app, "v50")) == ("v50", before)
        assert table.new_above == 7
        assert [message.count for message in app.got(LineTable.NewAboveChanged)] == [7]
        await pilot.press("g")
        await pilot.pause()
        assert table.new_above == 0

    run(app, steps)


def test_a_vanished_row_hands_the_cursor_to_its_nearest_neighbour() -> None:
    app = table_of(10)
    table = app.widget

    async def steps(_pilot: Pilot[None]) -> None:
        table.move_to("v5")
        table.set_rows(rows(0, 1, 2, 3, 4, 6, 7))
        assert table.cursor_key == "v6"
        table.set_rows(rows(0, 1, 2))
        keys = [table.cursor_key]
        table.set_rows([])
        keys.append(table.cursor_key)
        table.set_rows(rows(8, 9))
        keys.append(table.cursor_key)
        assert keys == ["v2", None, "v8"]

    run(app, steps)


def test_a_row_that_is_gone_stays_struck_until_the_cursor_leaves_it() -> None:
    app = table_of(5)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.move_to("v2")
        table.set_rows(rows(0, 1, 3, 4), keep_gone=True)
        await pilot.pause()
        assert (table.cursor_key, table.cursor_is_gone) == ("v2", True)
        assert line_of(app, "v2") == 3
        assert any("strike" in style for style in screen_styles(app, 3))
        table.set_rows(rows(0, 1, 3, 4, 9), keep_gone=True)
        await pilot.pause()
        assert line_of(app, "v2") == 3
        await pilot.press("down")
        await pilot.pause()
        assert (table.cursor_key, table.cursor_is_gone, table.row_count) == ("v3", False, 5)

    run(app, steps)


def test_a_list_that_was_scrolled_by_the_wheel_stays_where_it_is() -> None:
    app = table_of(100)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        for _ in range(10):
            table.action_row_down()
        for _ in range(20):
            await pilot._post_mouse_events([MouseScrollDown], widget=LineTable)
        await pilot.pause()
        top = screen_rows(app)[1]
        table.set_rows(rows(200, 201, *range(5, 100)))
        await pilot.pause()
        assert screen_rows(app)[1][3:-1] == top[3:-1]
        assert table.cursor_key == "v10"
        await pilot.press("down")
        await pilot.pause()
        assert (table.cursor_key, line_of(app, "v11") > 0) == ("v11", True)

    run(app, steps)


def test_marks_stay_with_their_keys_and_keep_their_order() -> None:
    app = table_of(6)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.move_to("v3")
        table.action_mark()
        table.move_to("v1")
        table.action_mark()
        assert (table.marks, table.cursor_key) == (("v3", "v1"), "v2")
        table.set_rows(rows(5, 1, 0))
        assert table.marks == ("v3", "v1")
        table.set_rows(rows(3, 2, 1))
        await pilot.pause()
        assert [text[1] for text in screen_rows(app)[1:4]] == ["●", " ", "●"]
        table.action_unmark_all()
        await pilot.pause()
        assert [message.keys for message in app.got(LineTable.MarksChanged)] == [("v3",), ("v3", "v1"), ()]

    run(app, steps)


def test_a_range_marks_what_the_cursor_passes_and_can_be_given_up() -> None:
    app = table_of(9)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.move_to("v2")
        table.action_mark_range()
        await pilot.press("down", "down", "down", "up")
        assert (table.marks, table.in_range) == (("v2", "v3", "v4"), True)
        assert table.cancel_range()
        assert not table.marks
        table.action_mark_range()
        await pilot.press("up", "up")
        table.action_mark_range()
        assert not table.cancel_range()
        assert list(table.marks) == ["v4", "v3", "v2"]

    run(app, steps)


def test_a_flag_shows_and_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineTable, "FLAG_SECONDS", 0.05)
    app = table_of(4)

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.flag(["v2", "unknown"])
        await pilot.pause()
        assert screen_rows(app)[3].startswith(" ~ 2")
        await until(lambda: screen_rows(app)[3].startswith("   2"), "the flag goes")

    run(app, steps)


def test_keys_move_the_cursor_and_stop_at_the_ends() -> None:
    app = table_of(100)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        for key, wanted in (
            ("k", 0), ("j", 1), ("down", 2), ("up", 1), ("pagedown", 23), ("ctrl+d", 34), ("ctrl+u", 23),
            ("pageup", 1), ("pageup", 0), ("G", 99), ("j", 99), ("end", 99), ("g", 0), ("home", 0),
        ):  # fmt: skip
            await pilot.press(key)
            assert table.cursor_key == f"v{wanted}", key

    run(app, steps)


def test_a_click_moves_two_open_the_gutter_marks_and_a_label_asks_for_a_sort() -> None:
    app = table_of(9)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.click(LineTable, offset=(10, 4))
        assert (table.cursor_key, app.got(LineTable.Opened)) == ("v3", [])
        await pilot.click(LineTable, offset=(10, 6), times=2)
        assert [message.key for message in app.got(LineTable.Opened)] == ["v5"]
        await pilot.click(LineTable, offset=(1, 2))
        assert (table.cursor_key, table.marks) == ("v1", ("v1",))
        await pilot.click(LineTable, offset=(14, 0))
        assert [message.column for message in app.got(LineTable.HeaderClicked)] == ["stage"]
        await pilot.click(LineTable, offset=(30, 20))
        assert table.cursor_key == "v1"

    run(app, steps)


def test_the_cursor_is_announced_once_per_key() -> None:
    app = table_of(5)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "up")
        app.widget.set_rows(rows(*range(5)))
        app.widget.action_open()
        await pilot.pause()
        assert [message.key for message in app.got(LineTable.CursorMoved)] == ["v0", "v1", "v2", "v1"]
        assert [message.key for message in app.got(LineTable.Opened)] == ["v1"]
        assert app.got(LineTable.Opened)[0].control is app.widget

    run(app, steps)


def test_two_rows_with_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        LineTable(COLUMNS).set_rows(rows(1, 2, 1))


def test_an_empty_list_says_why() -> None:
    app = Bench(LineTable(COLUMNS, empty="no model matches [/x]"))

    async def steps(pilot: Pilot[None]) -> None:
        assert screen_text(app).splitlines()[1] == "   no model matches [/x]"
        app.widget.set_empty("nothing here")
        await pilot.press("down", "G", "ctrl+d")
        app.widget.action_mark()
        app.widget.action_open()
        await pilot.pause()
        assert screen_text(app).splitlines()[1] == "   nothing here"

    run(app, steps)


def test_a_wide_table_scrolls_its_columns_beside_the_frozen_one() -> None:
    columns = [Column(key="m", label="METRIC"), *(Column(key=f"c{n}", label=f"v{n}", width=14) for n in range(9))]
    app = Bench(LineTable(columns, overflow="scroll", frozen=1))
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.set_rows([Row("auc", (Cell("auc"), *(Cell(f"0.9{n}") for n in range(9))))])
        await pilot.pause()
        assert screen_rows(app)[0].split() == ["METRIC", "v0", "v1", "v2", "v3", "v4"]
        shown = table.layout_shown
        assert (shown.first, shown.last, shown.total) == (1, 4, 9)
        table.scroll_sideways(2)
        await pilot.pause()
        assert screen_rows(app)[0].split()[:3] == ["METRIC", "v2", "v3"]
        table.scroll_sideways(99)
        await pilot.pause()
        assert screen_rows(app)[0].split() == ["METRIC", "v5", "v6", "v7", "v8"]
        table.scroll_sideways(-99)
        await pilot.pause()
        assert screen_rows(app)[0].split()[:2] == ["METRIC", "v0"]

    run(app, steps)


@pytest.mark.parametrize("size", [(40, 10), (60, 16), (200, 50), (3, 2), (1, 1)])
def test_any_size_is_survived(size: tuple[int, int]) -> None:
    app = table_of(100)

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.move_to("v60")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press("j", "pagedown", "k", "g", "G")
        app.widget.move_to("v60")
        await pilot.pause()
        assert all(len(text) == size[0] for text in screen_rows(app))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert line_of(app, "v60") > 0

    run(app, steps)


def test_the_look_follows_the_theme_and_the_focus() -> None:
    app = table_of(5)

    async def steps(pilot: Pilot[None]) -> None:
        dark = screen_styles(app, 1)
        app.theme = "textual-light"
        await pilot.pause()
        light = screen_styles(app, 1)
        assert dark != light
        app.set_focus(None)
        await pilot.pause()
        assert screen_styles(app, 1) != light
        assert screen_rows(app)[1].startswith("   0")

    run(app, steps)
