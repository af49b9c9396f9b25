"""What needs attention, as rows, and one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.attention import KINDS
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from stackroom.core.attention import Remark
    from stackroom.core.findings import Severity
    from stackroom.tui.present.words import Line

COLUMNS: Final = (
    Column(key="kind", label="WHAT"),
    Column(key="ref", label="VERSION", max_width=36, min_width=20),
    Column(key="why", label="WHY", max_width=90, min_width=22),
    Column(key="command", label="COMMAND", max_width=70, min_width=36, priority=1),
)
"""Of the list."""

ROLES: Final[dict[Severity, str]] = {"error": "bad", "warning": "warn", "note": "dim"}
"""How bad things look."""


def key(one: Remark) -> str:
    """What names a row."""
    return f"{one.kind} {one.ref} {one.why}"


def row(one: Remark) -> Row:
    """One thing that needs attention."""
    return Row(
        key(one),
        (
            Cell(one.kind, ROLES[one.severity]),
            Cell(str(one.ref), "strong"),
            Cell(one.why),
            Cell(one.command, "dim"),
        ),
    )


def more(one: Remark) -> list[Line]:
    """One of them in full."""
    return [
        (Cell(f"{one.ref} ", "strong"), Cell(one.why)),
        (Cell(f"  {one.severity}: {KINDS[one.kind].meaning}", ROLES[one.severity]),),
        (Cell("  $ ", "dim"), Cell(one.command, "key")),
    ]
