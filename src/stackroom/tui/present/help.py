"""The help screen and the reference of keys, both from the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.tui.actions import ACTIONS, Scope, Screen
from stackroom.tui.bindings import KeysOf, help_rows, key_text, own_keys
from stackroom.tui.present.words import Line, heading
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from stackroom.tui.glyphs import Glyphs

_SIGNS: Final = (
    ("mark", "this row is marked"),
    ("changed", "somebody else has just changed this row"),
    ("best", "the best value, on the newest test data"),
)

_MORE_SIGNS: Final = (
    ("!", "something is wrong here; the preview (p) says what"),
    ("?", "beside a stage: unattested, the event's file is not of whom it names: a copy"),
)


def help_lines(screen: Screen, glyphs: Glyphs, *, keys: KeysOf = own_keys) -> list[Line]:
    """Every key of a screen, then the signs.

    Args:
        screen: which one.
        glyphs: to draw with.
        keys: which keys an action has.
    """
    lines: list[Line] = [heading("Keys")]
    for row in help_rows(screen, keys=keys):
        note = " (changes the registry)" if row.writes else ""
        lines.append((Cell(f"  {row.keys:<14} ", "key"), Cell(row.help + note)))
    lines += [(), heading("Commands")]
    lines.append((Cell("  : and the name of an action, or one of these:"),))
    for text, told in commands_with_words():
        lines.append((Cell(f"  {':' + text:<26} ", "key"), Cell(told)))
    lines += [(), heading("Signs")]
    lines += [(Cell(f"  {getattr(glyphs, name):<12} ", "key"), Cell(told)) for name, told in _SIGNS]
    lines += [(Cell(f"  {sign:<12} ", "key"), Cell(told)) for sign, told in _MORE_SIGNS]
    return lines


def commands_with_words() -> list[tuple[str, str]]:
    """The commands after whose name something may be typed, with what they do."""
    return [(f"{action.id} {action.words}", action.told) for action in ACTIONS if action.words]


def reference() -> str:
    """The page of the reference with every action: keys, name, where it works, what it does."""
    lines = [
        "# Keys of the terminal interface",
        "",
        "Generated from the table of actions, which also feeds the footer, `?` and the `:` commands.",
        "Every action is a `:` command by its name. No single key destroys anything. The part `[keys]` of the",
        "[settings](configuration.md) gives an action other keys, by its name.",
        "",
        "| keys | name | where | what it does |",
        "| --- | --- | --- | --- |",
    ]
    for action in ACTIONS:
        keys = " ".join(f"`{key_text(key)}`" for key in action.keys) or "none"
        where = ", ".join(_place(scope) for scope in sorted(action.screens))
        note = " Changes the registry." if action.writes else ""
        lines.append(f"| {keys} | {action.id} | {where} | {action.help}{note} |")
    lines += ["", "## Commands that take words", "", "| command | what it does |", "| --- | --- |"]
    lines += [f"| `:{text}` | {told} |" for text, told in commands_with_words()]
    return "\n".join(lines) + "\n"


def _place(scope: Scope) -> str:
    return "every list" if scope == "list" else scope
