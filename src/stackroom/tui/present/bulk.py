"""What is done to many: a line for each, with what would come of it or came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.show import count
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.tui.bulk import Bulk, Outcome
    from stackroom.tui.glyphs import Glyphs

COLUMNS: Final = (
    Column(key="ref", label="REF", max_width=44, min_width=16),
    Column(key="outcome", label="OUTCOME", max_width=12),
    Column(key="told", label="WHAT", min_width=16, max_width=400),
)
"""Of the list."""

_ROLES: Final = {"would": "dim", "done": "good", "same": "dim", "refused": "bad"}
_WORDS: Final = {"would": "can be done", "done": "done", "same": "unchanged", "refused": "refused"}


def rows(bulk: Bulk, outcomes: Sequence[Outcome | None], glyphs: Glyphs, *, working: bool) -> list[Row]:
    """A line for each; the first that has no outcome is the one at work."""
    found = []
    at_work = working
    for ref, outcome in zip(bulk.refs, outcomes, strict=True):
        if outcome is None:
            state = Cell(glyphs.pending if at_work else "", "dim")
            found.append(Row(ref, (Cell(ref), state, Cell(""))))
            at_work = False
            continue
        word = Cell(_WORDS[outcome.kind], _ROLES[outcome.kind])
        told = f"{outcome.told} ({outcome.hint})" if outcome.hint else outcome.told
        found.append(Row(ref, (Cell(ref, "strong"), word, Cell(told))))
    return found


def tally(bulk: Bulk, outcomes: Sequence[Outcome | None], *, written: bool) -> list[str]:
    """How many came out how; nothing is left out."""
    kinds = [outcome.kind for outcome in outcomes if outcome is not None]
    left = len(outcomes) - len(kinds)
    counts = (
        (kinds.count("done"), bulk.past),
        (kinds.count("would"), "can be done"),
        (kinds.count("refused"), "refused"),
        (kinds.count("same"), "unchanged"),
        (left if written else 0, "not begun"),
    )
    return [count(len(outcomes), "row"), *(f"{number} {word}" for number, word in counts if number)]
