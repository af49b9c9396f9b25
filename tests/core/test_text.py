from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.text import is_plain_name, visible

ANY = st.text(alphabet=st.characters(exclude_categories=()))
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@given(ANY, st.booleans())
def test_nothing_that_a_terminal_obeys_or_hides_is_left(text: str, multiline: bool) -> None:  # noqa: FBT001 - hypothesis draws it by its name
    shown = visible(text, multiline=multiline)
    allowed = {"\n"} if multiline else set()
    assert not [char for char in shown if char not in allowed and unicodedata.category(char) in {"Cc", "Cf", "Cs"}]
    assert not set(shown) & set(BIDI)
    shown.encode()


@given(ANY)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    once = visible(text)
    assert visible(once) == once


def test_an_escape_sequence_becomes_a_picture() -> None:
    assert visible("a\x1b]52;c;AAAA\x07b") == "a␛]52;c;AAAA␇b"
    assert visible("\x9b31m") == "\\x9b31m"
    assert visible("\udcff") == "\\xff"
    assert visible("a\nb\tc\r") == "a␊b␉c␍"
    assert visible("a\nb\tc\r", multiline=True) == "a\nb    c␍"


def test_a_tower_of_marks_is_cut() -> None:
    assert len(visible("e" + "\u0301" * 500)) == 5


def test_a_plain_name_has_no_control_character_and_no_backslash() -> None:
    assert is_plain_name("größe 1 日本.bin")
    for bad in ("a\nb", "a\\b", "a\x7fb", "\udcff", "a\u202eb", "a\u2028b"):
        assert not is_plain_name(bad)


def test_a_character_newer_than_this_python_can_stand_in_a_name() -> None:
    assert is_plain_name("\U000e0fff.bin"), "unassigned today, and in use on a host with a newer Python"
    assert is_plain_name("\ue0b0.bin"), "a private character is no control character"
