"""For how long a version has held a stage without interruption, as nobody alone can make it look longer.

An event's text has the time of its writer's clock, which he sets as he likes; its symlink has that of the file system,
which a copy sets. A span begins with the later of the two and ends with the earlier one, whoever the event's owner is.
What breaks a ledger's chain breaks the span: an event that was removed may have been the interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from stackroom.core.ledger import Event, Ledger
    from stackroom.core.names import StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Soaked:
    """The longest span for which a version held one of several stages.

    Attributes:
        seconds: how long it is; 0 where it held none.
        stage: which stage, or None.
        since: when the span began, where it goes on.
    """

    seconds: float = 0
    stage: StageName | None = None
    since: datetime | None = None


def soaked(
    ledgers: Iterable[Ledger], number: int, digest: str, now: datetime, *, since: datetime | None = None
) -> Soaked:
    """For how long a version has held one of the stages: the longest span, of those that go on and those that ended.

    Args:
        ledgers: of the stages.
        number: of the version.
        digest: of its artifacts: another version under its number is not it.
        now: what time it is.
        since: when the version came to be, by the file system: an event may have been there before it, planted.
    """
    longest = Soaked()
    for ledger in ledgers:
        for began, end in _spans(ledger, number, digest):
            start = max(began, since) if since else began
            seconds = max(0.0, ((end or now) - start).total_seconds())
            if longest.stage is None or seconds > longest.seconds:
                longest = Soaked(seconds=seconds, stage=ledger.stage, since=None if end else start)
    return longest


def _spans(ledger: Ledger, number: int, digest: str) -> Iterator[tuple[datetime, datetime | None]]:
    """When each span began, and when it ended; None for one that goes on."""
    start: datetime | None = None
    before = 0
    for event in ledger.events:
        gap, before = event.number != before + 1, event.number
        if gap:
            start = None
        if event.move is None or not event.validity.counts:
            continue
        if made_it_hold(event, number, digest):
            if start is None or event.alarms:
                start = max(event.move.at, event.changed)
        elif start is not None:
            yield start, min(event.move.at, event.changed)
            start = None
    if start is not None:
        yield start, None


def made_it_hold(event: Event, number: int, digest: str) -> bool:
    """Whether an event made this very version hold its stage: a number alone could be a folder put there later."""
    return event.move is not None and event.move.to == number and event.move.digest == digest
