"""What happened, as rows, and one thing of it in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Validity
from stackroom.core.metadata import iso
from stackroom.core.show import age
from stackroom.tui.present.words import Line, facts
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stackroom.core.activity import Happening
    from stackroom.tui.glyphs import Glyphs

COLUMNS: Final = (
    Column(key="when", label="WHEN", align="right"),
    Column(key="what", label="WHAT", max_width=24),
    Column(key="ref", label="VERSION", max_width=36, min_width=15),
    Column(key="by", label="BY", max_width=14, min_width=6),
    Column(key="worth", label="EVENT", priority=2),
    Column(key="why", label="WHY", max_width=100, min_width=8, priority=1),
)
"""Of the list."""

_ROLES: Final = {"moved": "good", "cleared": "warn", "approved": "good", "rejected": "bad", "deleted": "warn"}


def row(one: Happening, now: datetime, glyphs: Glyphs) -> Row:
    """One thing that happened."""
    attested = one.validity in {None, Validity.ATTESTED}
    role = _ROLES.get(one.kind, "") if one.validity is None or one.validity.counts else "bad"
    why = "; ".join(filter(None, (one.why, *one.notes)))
    return Row(
        one.place,
        (
            Cell(age(one.when, now), "dim"),
            Cell(one.what, role),
            Cell(str(one.ref or one.model), "strong"),
            Cell(one.by),
            Cell(one.validity.value if one.validity else glyphs.missing, "dim" if attested else "warn"),
            Cell(why, "dim"),
        ),
    )


def more(one: Happening) -> list[Line]:
    """All that is known of it."""
    worth = f"{one.validity.value}{'' if one.validity.counts else ': it does not count'}" if one.validity else ""
    head = (Cell(f"{one.ref or one.model} ", "strong"), Cell(f"{one.what} by {one.by}, {iso(one.when)}"))
    pairs = (("why", one.why), ("event", worth), ("notes", "; ".join(one.notes)), ("place", one.place))
    return [head, *facts(pairs)]


def newest_first(happenings: Sequence[Happening]) -> list[Happening]:
    """In the order of the screen."""
    return sorted(happenings, key=lambda one: (one.when, one.place), reverse=True)
