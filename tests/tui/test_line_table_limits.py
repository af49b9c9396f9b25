"""What hostile text may do to the list (nothing), and what a key may cost."""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING

import pytest
from textual.events import Key

from stackroom.tui.glyphs import ASCII
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable, Row
from support.fair import pace
from tui.screen import Bench, run, screen_rows, screen_text, until
from tui.tables import COLUMNS, HOSTILE, row, rows, table_of

if TYPE_CHECKING:
    from textual.pilot import Pilot


def test_live_changes_that_are_not_in_sight_send_nothing() -> None:
    app = table_of(100)
    table = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        table.move_to("v50")
        await pilot.pause()
        app.drawn()
        table.set_rows(rows(*range(99), *range(300, 302)))
        table.set_rows(rows(*range(99), 301))
        await pilot.pause()
        assert app.drawn() == ""

    run(app, steps)


def test_one_changed_row_sends_one_line() -> None:
    app = table_of(100)

    async def steps(pilot: Pilot[None]) -> None:
        app.drawn()
        changed = rows(*range(100))
        changed[7] = Row("v7", (Cell("7"), Cell("production", "good")))
        app.widget.set_rows(changed)
        await pilot.pause()
        assert "production" in screen_rows(app)[8]
        assert 0 < len(app.drawn()) < 300

    run(app, steps)


def test_holding_a_key_over_ten_thousand_rows_drops_none() -> None:
    app = table_of(10_000)

    async def steps(pilot: Pilot[None]) -> None:
        started = time.process_time()
        for _ in range(200):
            app.post_message(Key("j", "j"))
        await until(lambda: app.widget.cursor_key == "v200", "the cursor is on row 200")
        await pilot.pause()
        assert app.widget.cursor_key == "v200"
        assert time.process_time() - started < 200 * 0.02 * pace()

    run(app, steps)


def test_rows_that_are_made_on_sight_are_made_only_on_sight() -> None:
    made: list[str] = []

    def make(key: str) -> Row:
        made.append(key)
        return row(int(key[1:]))

    app = Bench(LineTable(COLUMNS))

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.set_lazy_rows([f"v{number}" for number in range(100_000)], make)
        await pilot.pause()
        assert set(made) == {f"v{number}" for number in range(23)}

    run(app, steps)


def test_hostile_text_reaches_the_terminal_as_pictures_and_keeps_the_columns() -> None:
    columns = (Column(key="name", label=HOSTILE[1], max_width=20), Column(key="next", label="NEXT"))
    app = Bench(LineTable(columns))

    async def steps(pilot: Pilot[None]) -> None:
        app.drawn()
        app.widget.set_rows([Row(text, (Cell(text), Cell("|"))) for text in HOSTILE])
        for _ in HOSTILE:
            await pilot.press("down")
        await pilot.pause()
        drawn = re.sub(r"\x1b\[[0-9;]*[mH]|\x1b\[\?2026[hl]", "", app.drawn())
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f]", drawn)
        assert "[@click=app.quit]go" in screen_text(app)
        assert "[/x]" in screen_text(app)
        from rich.cells import cell_len  # noqa: PLC0415  # only here

        for text in screen_rows(app)[1 : len(HOSTILE) + 1]:
            assert cell_len(text) == 80
            assert cell_len(text[: text.index("|")]) == 25

    run(app, steps)


def test_a_terminal_without_utf8_gets_ascii_only() -> None:
    app = Bench(LineTable(COLUMNS), glyphs=ASCII)

    async def steps(pilot: Pilot[None]) -> None:
        texts = [Row(text, (Cell(text), Cell("b", "good"))) for text in HOSTILE]
        app.widget.set_rows(texts + rows(*range(90)))
        app.widget.set_sort("version")
        app.widget.action_mark()
        await pilot.pause()
        assert screen_text(app).isascii()
        assert screen_rows(app)[1].startswith(" * \\u241b[31mred")
        assert "VERSION ^" in screen_rows(app)[0]

    run(app, steps)


def test_without_colour_the_cursor_is_reversed_and_no_colour_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    table = LineTable(COLUMNS)
    app = Bench(table, no_colour=True)

    async def steps(pilot: Pilot[None]) -> None:
        table.set_rows(rows(*range(30)))
        table.flag(["v3"])
        await pilot.press("down", "down", "G", "k")
        await pilot.pause()
        codes = {code for group in re.findall(r"\x1b\[([0-9;]*)m", app.drawn()) for code in group.split(";")}
        assert codes <= {"", "0", "1", "2", "4", "7", "22", "23", "24", "27", "39", "49"}
        assert "7" in codes

    run(app, steps)


@pytest.mark.parametrize("seed", range(2))
def test_random_keys_rows_and_sizes_are_survived(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a monkey, not a secret
    app = table_of(50, overflow=chance.choice(("drop", "scroll")))
    table = app.widget
    keys = ("j", "k", "g", "G", "pageup", "pagedown", "ctrl+d", "ctrl+u")
    deeds = (table.action_mark, table.action_mark_range, table.cancel_range, table.action_open, table.action_unmark_all)

    async def steps(pilot: Pilot[None]) -> None:
        for _ in range(150):
            app.post_message(Key(chance.choice(keys), None))
            chance.choice(deeds)()
            table.scroll_sideways(chance.randrange(-2, 3))
            if chance.random() < 0.3:
                table.set_rows(rows(*chance.sample(range(90), chance.randrange(60))), keep_gone=chance.random() < 0.5)
                table.flag(["v3", "v4"])
            if chance.random() < 0.2:
                await pilot.resize_terminal(chance.randrange(1, 130), chance.randrange(1, 50))
        await pilot.pause()
        assert all(len(text) == app.size.width for text in screen_rows(app))

    run(app, steps)


def test_a_hundred_thousand_rows_are_set_in_the_time_of_a_few_looks_at_each() -> None:
    many = rows(*range(100_000))
    app = Bench(LineTable(COLUMNS))

    async def steps(_pilot: Pilot[None]) -> None:
        taken, looks = [], []
        for _ in range(3):
            app.widget.set_rows([])
            started = time.process_time()
            app.widget.set_rows(many)
            taken.append(time.process_time() - started)
            started = time.process_time()
            assert len({each.key: each.cells for each in many}) == 100_000
            looks.append(time.process_time() - started)
        assert min(taken) < 5 * min(looks)

    run(app, steps)


def test_a_key_costs_little_and_scrolling_costs_little_on_average() -> None:
    app = table_of(1000)

    async def steps(pilot: Pilot[None]) -> None:
        sent, spent = [], []
        app.drawn()
        for _ in range(60):
            started = time.process_time()
            app.post_message(Key("down", None))
            await until(lambda: bool(app.taken), "the key has been answered")
            await pilot.pause()
            spent.append(time.process_time() - started)
            sent.append(len(app.drawn().encode()))
        assert max(sent[:20]) < 700
        assert sum(sent) / len(sent) < 1500
        assert sorted(spent)[30] < 0.010 * pace()

    run(app, steps)


def test_an_idle_list_sends_nothing() -> None:
    app = table_of(50)

    async def steps(pilot: Pilot[None]) -> None:
        app.drawn()
        for _ in range(20):
            app.widget.set_rows(rows(*range(50)))
            await pilot.pause()
        assert app.drawn() == ""

    run(app, steps)
