"""One table of actions: no key twice, no key that a terminal eats, nothing that cannot be found."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from textual.keys import _character_to_key

from stackroom.tui.actions import ACTIONS, SCREENS, Screen, actions_of
from stackroom.tui.bindings import bindings_for, footer_hints, help_rows, key_text

EATEN = re.compile(r"ctrl\+[abchijmsz]|alt\+.*|shift\+enter|ctrl\+enter|f(?!1$)\d+")


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_does_two_things_on_a_screen(screen: Screen) -> None:
    keys = Counter(key for scope in (screen, "list") for action in actions_of(scope) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_ids_are_unique_and_words_are_whole() -> None:
    assert max(Counter(action.id for action in ACTIONS).values()) == 1
    for action in ACTIONS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", action.id)
        assert action.help.endswith("."), action.id
        assert action.screens, action.id


def test_no_key_is_eaten_by_terminals_or_tmux() -> None:
    # In the raw mode of a full-screen program ^z arrives as a key, and does here what it does everywhere.
    keys = [key for action in ACTIONS for key in action.keys if (action.id, key) != ("suspend", "ctrl+z")]
    assert [key for key in keys if EATEN.fullmatch(key)] == []
    assert all(len(key) == 1 or key == key.lower() for key in keys)
    assert all(action.keys[0] != "f1" for action in ACTIONS if action.keys)


def test_no_single_key_destroys() -> None:
    destroying = {"delete", "archive", "purge", "prune", "restore", "clear"}
    assert [action.id for action in ACTIONS if action.id in destroying and action.keys] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_can_be_left_and_explains_itself(screen: Screen) -> None:
    ids = {action.id for action in actions_of(screen)}
    assert {"escape", "quit", "command"} <= ids
    assert "help" in ids or screen == "text"
    assert ids & {"back", "quit_here"}


@pytest.mark.parametrize("screen", SCREENS)
def test_bindings_and_help_come_from_the_table(screen: Screen) -> None:
    actions = actions_of(screen)
    assert {binding.id for binding in bindings_for(screen)} == {action.id for action in actions}
    assert [row.id for row in help_rows(screen)] == [action.id for action in (*actions, *actions_of("list"))]
    for binding in bindings_for(screen):
        assert all(len(key) > 1 or _character_to_key(key) for key in binding.key.split(","))


def test_the_footer_has_the_order_of_the_table_and_greys_what_cannot_be_done() -> None:
    hints = footer_hints("versions", enabled=lambda action: not action.writes)
    assert [hint.id for hint in hints][:6] == ["open", "mark", "compare", "move", "filter", "editor"]
    assert {hint.id for hint in hints if not hint.enabled} <= {action.id for action in ACTIONS if action.writes}
    assert next(hint for hint in hints if hint.id == "move").enabled is False


def test_keys_are_written_as_people_write_them_and_in_ascii() -> None:
    assert [key_text(key) for key in ("ctrl+d", "escape", "G", "?", "pagedown")] == ["^d", "esc", "G", "?", "PgDn"]
    assert all(key_text(key).isascii() for action in ACTIONS for key in action.keys)
