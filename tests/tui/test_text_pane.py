"""Text that is read: it scrolls, wraps between words, and can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stackroom.tui.glyphs import ASCII, UNICODE
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.text_pane import TextPane, wrapped
from tui.screen import Bench, run, screen_rows, screen_styles, screen_text

if TYPE_CHECKING:
    from textual.pilot import Pilot


def test_a_card_is_wrapped_between_words_and_again_when_the_width_changes() -> None:
    app = Bench(TextPane())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.set_text("# Card\n\n  - trained on October data, evaluated on the frozen test set")
        await pilot.pause()
        assert screen_text(app) == "# Card\n\n  - trained on October data, evaluated on the frozen test set"
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert screen_text(app) == "# Card\n\n  - trained on October data,\n  evaluated on the frozen\n  test set"

    run(app, steps)


def test_pieces_of_a_line_have_their_roles_and_a_long_line_scrolls_sideways() -> None:
    app = Bench(TextPane())
    pane = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        pane.set_lines([(Cell("+", "good"), Cell("0123456789" * 12)), (Cell("-", "bad"), Cell("short"))])
        await pilot.pause()
        assert screen_rows(app)[0] == "+" + ("0123456789" * 8)[:77] + "… "
        assert len(screen_styles(app, 1)) == 2
        pane.scroll_sideways(1)
        await pilot.pause()
        assert screen_rows(app)[0].startswith("789012")
        pane.scroll_sideways(99)
        await pilot.pause()
        assert screen_rows(app)[0].endswith("789 ")
        pane.scroll_sideways(-99)
        await pilot.pause()
        assert screen_rows(app)[0].startswith("+0123")

    run(app, steps)


def test_keys_scroll_the_text() -> None:
    app = Bench(TextPane())

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.set_text("\n".join(f"line {number}" for number in range(200)))
        for key, wanted in (("j", 1), ("k", 0), ("k", 0), ("pagedown", 23), ("ctrl+d", 35), ("G", 176), ("g", 0)):
            await pilot.press(key)
            await pilot.pause()
            assert screen_rows(app)[0].split()[:2] == ["line", str(wanted)], key

    run(app, steps)


def test_text_is_found_in_both_directions_whatever_its_case() -> None:
    app = Bench(TextPane())
    pane = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        pane.set_text("\n".join(f"{'Needle' if number in {30, 60} else 'hay'} {number}" for number in range(200)))
        assert [pane.find("needle"), pane.find("needle"), pane.find("needle")] == [30, 60, None]
        assert pane.find("NEEDLE", backwards=True) == 30
        await pilot.pause()
        assert screen_rows(app)[0].startswith("Needle 30")

    run(app, steps)


def test_new_text_starts_at_the_top_unless_the_place_is_kept() -> None:
    app = Bench(TextPane(empty="no card"))
    pane = app.widget

    async def steps(pilot: Pilot[None]) -> None:
        assert screen_text(app) == "no card"
        lines = [(Cell(f"line {number}"),) for number in range(100)]
        pane.set_lines(lines)
        pane.go_to(50)
        pane.set_lines([*lines, (Cell("more"),)], keep_place=True)
        await pilot.pause()
        assert screen_rows(app)[0].startswith("line 50")
        pane.set_lines(lines)
        await pilot.pause()
        assert screen_rows(app)[0].startswith("line 0")
        assert pane.line_count == 100

    run(app, steps)


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    app = Bench(TextPane(), glyphs=ASCII)

    async def steps(pilot: Pilot[None]) -> None:
        app.widget.set_text("a\x1b]52;c;eA==\x07\tb\r\n[/x]\u202e", wrap=False)
        await pilot.pause()
        assert screen_text(app) == "a\\u241b]52;c;eA==\\u2407    b\n[/x]\\u202e"

    run(app, steps)


@given(st.text(), st.integers(1, 40))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        lines = wrapped(text, width, glyphs)
        assert all(cell_len(line) <= max(2, width) for line in lines)
    letters = "".join(wrapped(text, width, ASCII)).replace(" ", "")
    whole = "".join(wrapped(text, 10**6, ASCII)).replace(" ", "")
    assert letters == whole
