"""Who the caller is, and what doctor found: rows in the order of their severity, and one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.findings import KINDS
from stackroom.tui.present.review import ROLES
from stackroom.tui.present.words import Line, facts, heading
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.findings import Finding
    from stackroom.registry.whoami import Caller

COLUMNS: Final = (
    Column(key="severity", label="SEVERITY"),
    Column(key="kind", label="WHAT", max_width=26),
    Column(key="place", label="WHERE", max_width=46, min_width=12),
    Column(key="message", label="SEEN", max_width=100, min_width=12, priority=1),
)
"""Of the list."""

YOU: Final = "you"
"""The key of the first row: who the caller is."""


def rows(caller: Caller, findings: Sequence[Finding]) -> list[Row]:
    """Who you are, then what was found, the worst first."""
    who = f"{caller.who.label}, {'the steward' if caller.steward else 'not the steward'}"
    allowed = [one.doing for one in caller.may if one.allowed]
    may = Cell("may " + (", ".join(allowed) or "read"))
    found = [Row(YOU, (Cell("you", "key"), Cell(who, "strong"), Cell(""), may))]
    for place, one in enumerate(findings):
        cells = (Cell(one.severity, ROLES[one.severity]), Cell(one.kind), Cell(one.place or "."), Cell(one.message))
        found.append(Row(str(place), cells))
    return found


def short(one: Finding) -> list[Line]:
    """What was seen, and what to do."""
    lines: list[Line] = [(Cell(f"{one.place or '.'}: ", "strong"), Cell(one.message))]
    lines.append((Cell("  do  ", "dim"), Cell(KINDS[one.kind].remedy)))
    return [*lines, (Cell("  $   ", "dim"), Cell(one.command, "key"))] if one.command else lines


def full(one: Finding) -> list[Line]:
    """A finding with why it matters, what to do and the command."""
    about = KINDS[one.kind]
    owner = str(one.owner) if one.owner else ""
    lines: list[Line] = [
        (Cell(one.kind, "strong"), Cell(f"  {one.severity}", ROLES[one.severity])),
        *facts((("where", one.place or "."), ("owner", owner), ("seen", one.message))),
        heading("Why it matters"),
        (Cell("  "), Cell(about.explanation)),
        heading("What to do"),
        (Cell("  "), Cell(about.remedy)),
    ]
    if one.command:
        lines.append((Cell("  $ ", "dim"), Cell(one.command, "key")))
    if one.fixable:
        lines.append((Cell("  "), Cell("You may have it mended: f, or stackroom doctor --fix", "good")))
    return lines


def about_you(caller: Caller) -> list[Line]:
    """Who the caller is, and what he may and may not do."""
    groups = ", ".join(name if name == str(gid) else f"{name} ({gid})" for gid, name in caller.groups)
    steward = "you" if caller.steward else caller.owner.label
    writable, models = caller.models
    lines: list[Line] = [
        (Cell(f"{caller.who.label} ", "strong"), Cell(f"uid {caller.who.uid}")),
        *facts(
            (
                ("groups", groups),
                ("steward", steward),
                ("file system", f"{caller.system.type} at {caller.system.mount_point or '?'}"),
                ("models", f"you may add versions to {writable} of {models}"),
            )
        ),
        heading("You may"),
        *((Cell("  "), Cell(one.doing)) for one in caller.may if one.allowed),
        heading("You may not"),
    ]
    if caller.read_only:
        # One reason for all: a line for each would bury it.
        return [*lines, (Cell("  change anything from here: "), Cell(caller.read_only, "dim"))]
    lines += [
        (Cell(f"  {one.doing}: "), Cell(one.access.reason or one.access.who_may(), "dim"))
        for one in caller.may
        if not one.allowed
    ]
    return lines
