"""The help screen and the reference of keys, both from the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.tui.actions import ACTIONS, Scope, Screen, help_rows, key_text
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


def help_lines(screen: Screen, glyphs: Glyphs) -> list[Line]:
    """Every key of a screen, then the signs."""
    lines: list[Line] = [heading("Keys")]
    for row in help_rows(screen):
        note = " (changes the registry)" if row.writes else ""
        lines.append((Cell(f"  {row.keys:<14} ", "key"), Cell(row.help + note)))
    lines += [(), heading("Commands")]
    lines.append((Cell("  : and the name of an action, or one of these:"),))
    for text, told in COMMANDS:
        lines.append((Cell(f"  {':' + text:<26} ", "key"), Cell(told)))
    lines += [(), heading("Signs")]
    lines += [(Cell(f"  {getattr(glyphs, name):<12} ", "key"), Cell(told)) for name, told in _SIGNS]
    lines += [(Cell(f"  {sign:<12} ", "key"), Cell(told)) for sign, told in _MORE_SIGNS]
    return lines


COMMANDS: Final = (
    ("open REF", "Open a model or a version, such as fraud:7 or fraud@production."),
    ("compare REF REF…", "Compare versions."),
    ("move REF STAGE", "Judge a move, and make it."),
    ("filter TEXT", "Show only what matches."),
    ("sort COLUMN", "Sort by a column; a minus before it turns it around."),
    ("plot METRIC", "Plot a metric over the versions of the model that is shown."),
    ("export FORMAT FILE", "Write a comparison as markdown, csv or json."),
)
"""The commands that take words."""


def reference() -> str:
    """The page of the reference with every action: keys, name, where it works, what it does."""
    lines = [
        "# Keys of the terminal interface",
        "",
        "Generated from the table of actions, which also feeds the footer, `?` and the `:` commands.",
        "Every action is a `:` command by its name. No single key destroys anything.",
        "",
        "| keys | name | where | what it does |",
        "| --- | --- | --- | --- |",
    ]
    for action in ACTIONS:
        keys = " ".join(f"`{key_text(key)}`" for key in action.keys)
        where = ", ".join(_place(scope) for scope in sorted(action.screens))
        note = " Changes the registry." if action.writes else ""
        lines.append(f"| {keys} | {action.id} | {where} | {action.help}{note} |")
    lines += ["", "## Commands that take words", "", "| command | what it does |", "| --- | --- |"]
    lines += [f"| `:{text}` | {told} |" for text, told in COMMANDS]
    return "\n".join(lines) + "\n"


def _place(scope: Scope) -> str:
    return "every list" if scope == "list" else scope
