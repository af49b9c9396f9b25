"""The help screen and the reference of keys, both from the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.tui.actions import ACTIONS, BY_ID, SCREENS, Action, Scope, Screen
from stackroom.tui.bindings import HelpRow, KeysOf, help_rows, key_text, own_keys
from stackroom.tui.present.words import Line, heading
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from stackroom.tui.glyphs import Glyphs


_HERE: Final = "Keys of this screen"
_WRITES: Final = "Keys that change the registry"
_ANYWHERE: Final = "Keys of every screen"
_LINES: Final = "Keys of every list"
_PARTS: Final = (_HERE, _WRITES, _ANYWHERE, _LINES)

_LAST: Final = 100
"""Stands for the order of what the footer never shows."""

_UNPRESSING: Final = frozenset({0, *range(50, _LAST)})
"""Orders of what the footer shows never, or only where there is little else to press."""

_SIGNS: Final = (
    ("mark", "this row is marked"),
    ("changed", "somebody else has just changed this row"),
    ("best", "the best value, on the newest test data"),
    ("up", "in a heading: the higher the better"),
    ("down", "in a heading: the lower the better"),
    ("ascending", "in a heading: sorted by it, the smallest first; in a comparison: better than the base"),
    ("descending", "in a heading: sorted by it, the largest first; in a comparison: worse than the base"),
)

_MORE_SIGNS: Final = (
    ("!", "something is wrong here; the preview (p) says what"),
    ("?", "beside a stage: unattested, the event's file is not of whom it names: a copy"),
)


def help_lines(
    screen: Screen, glyphs: Glyphs, *, keys: KeysOf = own_keys, lacking: Callable[[Action], str] = lambda _action: ""
) -> list[Line]:
    """Every key of a screen, the most wanted first, then the signs and the commands.

    Args:
        screen: which one.
        glyphs: to draw with.
        keys: which keys an action has.
        lacking: why the caller may not, or nothing; such keys are greyed.
    """
    rows = sorted(help_rows(screen, keys=keys), key=lambda row: BY_ID[row.id].order or _LAST)
    lines: list[Line] = []
    for part in _PARTS:
        found = [row for row in rows if _part(row.id) == part]
        lines += [*([()] if lines else []), heading(part)] if found else []
        lines += [_key_line(row, lacking(BY_ID[row.id])) for row in found]
    lines += [(), heading("Signs")]
    lines += [(Cell(f"  {getattr(glyphs, name):<14} ", "key"), Cell(told)) for name, told in _SIGNS]
    lines += [(Cell(f"  {sign:<14} ", "key"), Cell(told)) for sign, told in _MORE_SIGNS]
    lines += [(), heading("Commands")]
    lines.append((Cell("  : and the name of an action, or one of these:"),))
    for text, told in commands_with_words():
        lines.append((Cell(f"  {':' + text:<26} ", "key"), Cell(told)))
    return lines


def _key_line(row: HelpRow, why_not: str) -> Line:
    if why_not:
        return (Cell(f"  {row.keys:<14} {row.help} ({why_not})", "dim"),)
    return (Cell(f"  {row.keys:<14} ", "key"), Cell(row.help))


def _part(id_: str) -> str:
    """Under which heading an action stands."""
    action = BY_ID[id_]
    if "list" in action.screens:
        return _LINES
    if action.writes:
        return _WRITES
    return _ANYWHERE if len(action.screens) * 2 > len(SCREENS) and action.order in _UNPRESSING else _HERE


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
