"""Other keys for an action: what works, what is refused, and that nothing is lost by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.core.settings import settings_of
from stackroom.tui.actions import ACTIONS, BY_ID, SCREENS, actions_of
from stackroom.tui.bindings import NO_KEY, footer_hints, help_rows
from stackroom.tui.keymap import _REASONS, Keymap, key_named
from stackroom.tui.places import Personal
from tui.browsing import Walk, walk

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"


def keymap(lines: str) -> Keymap:
    return Keymap(settings_of(f"[keys]\n{lines}".encode(), file="config.toml"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x", "x"),
        ("G", "G"),
        ("?", "?"),
        (",", "comma"),
        ("[", "left_square_bracket"),
        ("^d", "ctrl+d"),
        ("CTRL+D", "ctrl+d"),
        (" ", "space"),
        ("PgDn", "pagedown"),
        ("esc", "escape"),
        ("full_stop", "."),
        ("f12", "f12"),
    ],
)
def test_keys_are_understood_as_people_write_them(text: str, name: str) -> None:
    assert key_named(text) == (name, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ctrl+h", "backspace"),
        ("^m", "enter"),
        ("^i", "tab"),
        ("ctrl+j", "enter"),
        ("alt+x", "tmux"),
        ("spcae", "did you mean space?"),
        ("é", "not on every keyboard"),
        ("", "there is no key ''"),
        ("ctrl+f99", "there is no key"),
    ],
)
def test_keys_that_do_not_arrive_are_refused_with_the_reason(text: str, why: str) -> None:
    assert why in key_named(text)[1]


def test_the_reference_names_every_key_that_is_refused() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [key for key in _REASONS if f"`{key}`" not in text] == []


def test_every_action_can_have_another_key() -> None:
    for action in ACTIONS:
        made = keymap(f'{action.id} = "f20"')
        assert made.problems == ()
        assert made.keys(action) == ("f20",)
        for screen in SCREENS:
            if action in actions_of(screen):
                assert "F20" in next(row.keys for row in help_rows(screen, keys=made.keys) if row.id == action.id)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ('mrak = "x"', "config.toml:2: keys.mrak: there is no such action; did you mean mark?"),
        ('mark = "ctrl+h"', "config.toml:2: keys.mark: ctrl+h cannot be used: terminals send it for backspace"),
        ('mark = "c"', "config.toml:2: keys.mark: c is the key of compare on the screen versions; mark keeps space"),
        ('mark = "j"', "config.toml:2: keys.mark: j is the key of row_down on the screen models"),
        ('quit = ""', "config.toml:2: keys.quit: this action needs a key"),
        ('mark = "f9"\ncompare = "f9"', "config.toml:3: keys.compare: F9 is the key of mark"),
    ],
)
def test_what_cannot_be_is_named_and_the_action_keeps_its_keys(lines: str, wanted: str) -> None:
    made = keymap(lines)
    assert len(made.problems) == 1
    assert made.problems[0].startswith(wanted.replace("on the screen models", "on the screen"))
    name = wanted.split("keys.")[1].split(":", maxsplit=1)[0]
    if name in BY_ID:
        assert made.keys(BY_ID[name]) == BY_ID[name].keys


def test_two_actions_may_change_places_and_one_may_have_no_key() -> None:
    made = keymap('mark = "c"\ncompare = "space"\nrollback = ""')
    assert made.problems == ()
    assert made.changed() == {"mark": "c", "compare": "space", "rollback": NO_KEY}
    assert "rollback" not in {hint.id for hint in footer_hints("versions", keys=made.keys)}
    assert next(row.keys for row in help_rows("versions", keys=made.keys) if row.id == "rollback") == ":rollback"


def test_changed_keys_work_and_are_shown_where_the_old_ones_were(registry: Registry) -> None:
    settings = settings_of(
        b'[keys]\nmark = "c"\ncompare = "space"\nrow_down = ["J", "down"]\nrollback = ""\nhelp = "f2"\n', file="c"
    )

    async def steps(somebody: Walk) -> None:
        await somebody.press("j")
        assert somebody.text.splitlines()[2].startswith(">")
        assert "F2 more" in somebody.text
        await somebody.press("J", "c")
        assert "open a model first" in somebody.status
        await somebody.type(":open tumor-screening")
        await somebody.press("enter")
        await somebody.press("c", "c")
        assert "2 marked" in somebody.status
        assert "c mark  space compare" in somebody.text
        await somebody.press("U")
        assert somebody.where() == "versions"
        await somebody.press("space")
        assert somebody.where() == "compare"
        await somebody.press("f2")
        assert somebody.where() == "text"

    walk(registry, steps, personal=Personal(settings=settings))


def test_wrong_settings_are_told_and_the_rest_is_followed(registry: Registry) -> None:
    settings = settings_of(b'[keys]\nmrak = "x"\nmark = "X"\n[ui]\ntheme = "nrod"\n', file="/home/ana/config.toml")

    async def steps(somebody: Walk) -> None:
        assert "config.toml:2: keys.mrak: there is no such action" in somebody.status
        assert "/home/ana" not in somebody.status
        await somebody.type(":settings")
        await somebody.press("enter")
        assert "/home/ana/config.toml:5: ui.theme: there is no such theme; did you mean nord?" in " ".join(
            somebody.text.split()
        )
        await somebody.press("q", "l")
        await somebody.press("X")
        assert "1 marked" in somebody.status

    walk(registry, steps, personal=Personal(settings=settings))
