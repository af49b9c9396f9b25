"""Glyphs and sparklines."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stackroom.tui.glyphs import ASCII, LIMITED, UNICODE, Glyphs, glyphs_for, glyphs_of, spark, terminal_glyphs

NUMBERS = st.lists(st.none() | st.floats() | st.integers(-(10**300), 10**300), max_size=60)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII, LIMITED])
def test_every_glyph_is_one_cell_wide(glyphs: Glyphs) -> None:
    singles = [name for name in Glyphs.__slots__ if name not in {"blocks", "ascii_only", "braille"}]
    assert {name: cell_len(getattr(glyphs, name)) for name in singles} == dict.fromkeys(singles, 1)
    assert len(glyphs.blocks) == cell_len(glyphs.blocks) == 8


def test_ascii_glyphs_are_ascii() -> None:
    assert all(str(getattr(ASCII, name)).isascii() for name in Glyphs.__slots__)


@pytest.mark.parametrize(
    ("encoding", "term", "wanted"),
    [
        ("utf-8", "xterm-256color", UNICODE),
        ("UTF8", None, UNICODE),
        ("utf-8", "linux", LIMITED),
        ("utf-8", "vt220", LIMITED),
        ("iso8859-1", "xterm", ASCII),
        ("ascii", "xterm", ASCII),
        (None, "xterm", ASCII),
    ],
)
def test_the_terminal_decides_the_set(encoding: str | None, term: str | None, wanted: Glyphs) -> None:
    assert glyphs_for(encoding=encoding, term=term) == wanted


def test_a_person_can_ask_for_ascii() -> None:
    assert terminal_glyphs({"STACKROOM_ASCII": "1", "TERM": "xterm"}, "utf-8") is ASCII
    assert terminal_glyphs({"STACKROOM_ASCII": "0", "TERM": "xterm"}, "utf-8") is UNICODE


def test_an_app_without_a_choice_gets_unicode() -> None:
    assert glyphs_of(object()) is UNICODE


@given(st.text())
def test_drawable_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    shown = UNICODE.drawable(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xFE00 <= ord(char) <= 0xFE0F for char in shown)
    assert shown == UNICODE.drawable(shown)
    assert ASCII.drawable(text).isascii()


def test_an_ellipsis_of_our_own_is_three_dots_in_ascii() -> None:
    assert ASCII.drawable("reading …") == "reading ..."
    assert ASCII.drawable("Gefühl") == "Gef\\xfchl"


@given(NUMBERS, st.integers(0, 40))
def test_a_sparkline_has_one_cell_per_value_and_gaps_where_there_is_none(
    values: list[float | None], width: int
) -> None:
    for glyphs in (UNICODE, ASCII):
        line = spark(values, width, glyphs)
        shown = values[-width:] if width else []
        assert len(line) == len(shown)
        for char, value in zip(line, shown, strict=True):
            missing = value is None or not math.isfinite(value)
            assert (char == glyphs.gap) if missing else (char in glyphs.blocks)


def test_a_sparkline_reaches_from_the_lowest_to_the_highest() -> None:
    assert spark([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert spark([0.5, None, math.nan, 1.5, math.inf], 9) == "▁  █ "
    assert spark([-1.7e308, 1.7e308], 4) == "▁█"


def test_a_sparkline_without_a_trend_stands_in_the_middle() -> None:
    assert spark([3], 5) == "▄"
    assert spark([2, 2, 2], 5) == "▄▄▄"
    assert spark([], 5) == ""
