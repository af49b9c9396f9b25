"""The lines around a list: the path, the facts, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stackroom.tui.bindings import Hint, footer_hints
from stackroom.tui.glyphs import ASCII
from stackroom.tui.widgets.crumbs import Crumbs, Live
from stackroom.tui.widgets.footer import KeyHints
from stackroom.tui.widgets.status import StatusLine
from tui.screen import Bench, run, screen_rows, screen_text

if TYPE_CHECKING:
    from textual.pilot import Pilot

HINTS = [Hint(name, name[0], name) for name in ("open", "mark", "compare", "stage", "filter", "edit", "yank", "undo")]


@pytest.mark.parametrize("width", range(7, 90))
def test_the_footer_shows_whole_entries_and_always_says_that_there_is_more(width: int) -> None:
    cells = KeyHints()
    cells._hints = tuple(HINTS)
    text = "".join(cell.text for cell in cells.compose_line(width))
    assert len(text) <= width
    assert text.endswith("? more")
    shown = text.removesuffix("? more").split()
    assert shown == [word for hint in HINTS for word in (hint.key, hint.label)][: len(shown)]


def test_the_footer_of_a_list_at_eighty_columns() -> None:
    app = Bench(KeyHints())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show(footer_hints("versions"))
        await pilot.pause()
        wanted = " enter open  space mark  c compare  s stage  / filter  e edit  y copy  ? more"
        assert screen_text(app) == wanted
        await pilot.click(KeyHints, offset=(14, 0))
        await pilot.click(KeyHints, offset=(12, 0))
        await pilot.click(KeyHints, offset=(74, 0))
        assert [message.id for message in app.got(KeyHints.Pressed)] == ["mark", "help"]

    run(app, steps, size=(82, 3))


def test_a_disabled_entry_stays_in_its_place() -> None:
    app = Bench(KeyHints())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show(footer_hints("versions"))
        await pilot.pause()
        before = screen_text(app)
        app.drawn()
        app.widget.show(footer_hints("versions", enabled=lambda action: not action.writes))
        await pilot.pause()
        assert screen_text(app) == before
        assert app.drawn()
        app.widget.show(footer_hints("versions", enabled=lambda action: not action.writes))
        await pilot.pause()
        assert app.drawn() == ""

    run(app, steps)


def test_the_path_stands_left_and_the_state_right() -> None:
    app = Bench(Crumbs())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show_path(["registry", "fraud-detector"], badge="read-only: ml-release")
        app.widget.show_live("live", "2s")
        await pilot.pause()
        assert screen_rows(app)[0] == (
            " registry › fraud-detector                     [read-only: ml-release]  ● live 2s "  # noqa: RUF001  # a glyph
        )

    run(app, steps, size=(82, 3))


@pytest.mark.parametrize("width", range(1, 120, 9))
def test_a_narrow_path_gives_up_its_first_steps_then_the_badge_and_keeps_the_last(width: int) -> None:
    app = Bench(Crumbs())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show_path(["models of the risk team", "fraud-detector", "v14 \u6a21\u578b"], badge="read-only: x")
        app.widget.show_live("stale", "2m, ESTALE")
        await pilot.pause()
        text = screen_rows(app)[0]
        if width >= 40:
            assert "v14" in text
            assert text.rstrip().endswith("stale 2m, ESTALE")
        if width >= 100:
            assert "models of the risk team › fraud-detector › v14" in text  # noqa: RUF001  # a glyph

    run(app, steps, size=(width, 3))


def test_the_path_and_the_state_in_ascii() -> None:
    app = Bench(Crumbs(), glyphs=ASCII)

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show_path(["\u6a21", "\x1b[31m"])
        states: tuple[Live, ...] = ("live", "slow", "stale", "")
        for state in states:
            app.widget.show_live(state)
            await pilot.pause()
            assert screen_text(app).isascii()
            assert screen_text(app).startswith(" \\u6a21 / \\u241b[31m")

    run(app, steps)


def test_the_message_has_the_right_of_way_over_the_facts() -> None:
    app = Bench(StatusLine())
    line = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        line.show_facts(["3 versions", "", "2 marked", "filter: tag:eu"])
        await pilot.pause()
        assert screen_text(app) == " 3 versions · 2 marked · filter: tag:eu"
        line.say("13 moved to production by bo", tone="good")
        await pilot.pause()
        assert screen_text(app) == " 3 versions · 2 marked · 13 moved to production by bo"
        line.say("x" * 90)
        await pilot.pause()
        assert screen_text(app) == " " + "x" * 58 + "…"
        line.say("")
        assert line.message == ""

    run(app, steps, size=(60, 3))


def test_a_complaint_is_read_to_its_end_and_the_next_message_takes_one_line_again() -> None:
    app = Bench(StatusLine())
    told = "cannot register a version of digit-reader /srv/models/.new-7: no space left on device"

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.show_facts(["12 versions"])
        app.widget.say(told, tone="bad")
        await pilot.pause()
        assert " ".join(screen_text(app).split()) == told
        assert app.widget.size.height == 3
        app.widget.say(told * 9, tone="bad")
        await pilot.pause()
        assert (app.widget.size.height, screen_text(app)[-1]) == (4, "…")
        app.widget.say("read")
        await pilot.pause()
        assert screen_text(app).strip() == "12 versions · read"
        assert app.widget.size.height == 1

    run(app, steps, size=(40, 6))
