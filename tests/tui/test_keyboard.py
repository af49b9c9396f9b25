"""What is read of a terminal, as keys: however the bytes arrive."""

from __future__ import annotations

import pytest
from textual import events

from stackroom.tui.keyboard import KeyParser


def keys_of(*parts: str) -> list[str]:
    """The keys of what is read in these parts, and what is pasted in quotes."""
    parser, found = KeyParser(), []
    for part in parts:
        for event in parser.feed(part):
            if isinstance(event, events.Key):
                found.append(event.key)
            elif isinstance(event, events.Paste):
                found.append(repr(event.text))
    return found


@pytest.mark.parametrize("parts", [["\x1bj"], ["\x1b", "j"], ["\x1bj", ""]])
def test_escape_and_what_is_typed_after_it_are_two_keys(parts: list[str]) -> None:
    assert keys_of(*parts) == ["escape", "j"]


def test_escape_is_read_wherever_it_is_typed() -> None:
    assert keys_of("a\x1b1\x1b:x\x1b[B\x1b", "\x1bq\x1b ") == [
        *("a", "escape", "1", "escape", "colon", "x", "down", "escape", "escape", "q", "escape", "space")
    ]
    assert keys_of("\x1b" + "j" * 40) == ["escape", *("j" * 40)]


def test_the_sequences_of_terminals_are_what_they_were_also_in_pieces() -> None:
    assert keys_of("\x1b[A\x1bOP\x1b\x7f\x1bb\x1b[1;5C") == ["up", "f1", "ctrl+w", "ctrl+left", "ctrl+right"]
    assert keys_of("\x1b", "[", "A", "j\x1b", "[", "1;5C") == ["up", "j", "ctrl+right"]
    assert keys_of("\x1bj\x1b[1;", "5C") == ["escape", "j", "ctrl+right"]


def test_nothing_that_is_pasted_is_a_key() -> None:
    assert keys_of("\x1b[200~one two\x1b[201~\x1bj") == ["'one two'", "escape", "j"]
    assert keys_of("\x1b[20", "0~one", " two\x1b[2", "01~", "\x1bj") == ["'one two'", "escape", "j"]
    hostile = "\x1b[200~one\x1bD\x1b[A\x1b[200~two\x1b[201~q"
    assert keys_of(hostile) == keys_of(*hostile) == ["'oneD[A[200~two'", "q"]
    for cut in range(1, len(hostile)):
        assert keys_of(hostile[:cut], hostile[cut:]) == keys_of(hostile)
