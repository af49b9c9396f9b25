"""What doctor may mend: a line for each, with what would be done, and then what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.show import count
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.registry.mending import Repair
    from stackroom.tui.present.words import Line

COLUMNS: Final = (
    Column(key="place", label="WHERE", max_width=46, min_width=16),
    Column(key="outcome", label="OUTCOME", max_width=12),
    Column(key="told", label="WHAT", min_width=36, max_width=400),
    Column(key="kind", label="FINDING", max_width=26, priority=1),
)
"""Of the list."""


def rows(repairs: Sequence[Repair], *, written: int) -> list[Row]:
    """A line for each; those before ``written`` are what became of it, the others what would."""
    found = []
    for place, one in enumerate(repairs):
        happened = place < written
        word = ("done" if happened else "can be done") if one.done else "failed"
        role = ("good" if happened else "dim") if one.done else "bad"
        cells = (Cell(one.finding.place or ".", "strong"), Cell(word, role), Cell(one.message), Cell(one.finding.kind))
        found.append(Row(str(place), cells))
    return found


def tally(repairs: Sequence[Repair], *, written: int) -> list[str]:
    """How many came out how; nothing is left out."""
    done = sum(one.done for one in repairs[:written])
    counts = ((done, "done"), (written - done, "failed"), (len(repairs) - written, "to do"))
    return [count(len(repairs), "finding"), *(f"{number} {word}" for number, word in counts if number)]


def full(one: Repair) -> list[Line]:
    """One of them in full."""
    return [
        (Cell(one.finding.place or ".", "strong"),),
        (Cell(one.finding.message),),
        (Cell(one.message, "" if one.done else "bad"),),
    ]
