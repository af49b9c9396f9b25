"""Which version held a stage from when to when: a ledger read as lengths of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from stackroom.core.attested import Who
    from stackroom.core.ledger import Event
    from stackroom.core.names import StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One version's time in a stage.

    Attributes:
        stage: which.
        number: the version.
        start: when it was moved there.
        end: when another took its place or the stage was cleared; None while it holds it.
        by: who moved it there.
        attested: whether the event's file is of whom it names.
    """

    stage: StageName
    number: int
    start: datetime
    end: datetime | None
    by: Who
    attested: bool = True


def tenures(events: Iterable[Event]) -> tuple[Tenure, ...]:
    """The tenures of one model's stages, each stage's in their order; events that do not count change nothing.

    A version that was moved where it already was goes on holding the stage. A time before that of the event before, of
    a clock that was wrong, counts as the same instant: the order of the numbers decides.
    """
    found: list[Tenure] = []
    stages: dict[StageName, list[Event]] = {}
    for event in events:
        if event.validity.counts and event.move is not None:
            stages.setdefault(event.stage, []).append(event)
    for ledger in stages.values():
        present: Tenure | None = None
        for event in sorted(ledger, key=lambda one: one.number):
            move = event.move
            if move is None or (present is not None and move.to == present.number):
                continue
            when = event.when if present is None else max(event.when, present.start)
            if present is not None:
                found.append(replace(present, end=when))
            present = None if move.to is None else _begun(event, move.to, move.by, when)
        if present is not None:
            found.append(present)
    return tuple(found)


def _begun(event: Event, number: int, by: Who, when: datetime) -> Tenure:
    attested = event.validity is Validity.ATTESTED
    return Tenure(stage=event.stage, number=number, start=when, end=None, by=by, attested=attested)
