"""What was said about versions: approvals that count for nothing, and those that were taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.approvals import approval_name, parse_approval_name
from stackroom.core.findings import Finding
from stackroom.registry.examination.models import FAR, LAST_NUMBER
from stackroom.registry.examination.tour import foreign, who
from stackroom.store import layout
from stackroom.store.approvals import read_approvals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.core.approvals import Word
    from stackroom.core.names import StageName
    from stackroom.registry.examination.tour import Tour


def examine_approvals(tour: Tour) -> Iterator[Finding]:
    """All folders of approvals; without the registry's id none can be judged."""
    for stage in tour.reader.stages if tour.reader.id else ():
        yield from _stage(tour, stage)


def _stage(tour: Tour, stage: StageName) -> Iterator[Finding]:
    place = f"{layout.APPROVALS}/{stage}"
    reading = read_approvals(tour.root, tour.reader.id, stage)
    if reading.error:
        yield Finding(kind="unreadable", place=place, message=reading.problems[0].message)
        return
    try:
        with tour.root.child(layout.APPROVALS) as parent, parent.child(stage) as folder:
            sights = tour.seen(folder, place)
    except FileNotFoundError:
        return
    except OSError as error:
        yield tour.unreadable(place, error)
        return
    for sight in sights:
        if parse_approval_name(sight.name) is None and not sight.name.startswith("."):
            yield foreign(sight)
    for pile in reading.piles.values():
        for word in pile.words:
            yield from _word(tour, word, last=word is pile.words[-1])


def _word(tour: Tour, word: Word, *, last: bool) -> Iterator[Finding]:
    place = f"{layout.APPROVALS}/{word.stage}/{approval_name(word.model, word.version, word.number)}"
    owner = who(word.owner)
    wrong = [alarm for alarm in word.alarms if not alarm.startswith("gap:")]
    if not word.validity.counts:
        # What is followed by another one would be a gap for ever.
        command = f"rm {tour.path(place)}" if last else ""
        yield Finding(kind="approval-forged", place=place, message="; ".join(wrong), owner=owner, command=command)
    for alarm in word.alarms:
        if alarm.startswith("gap:"):
            yield Finding(kind="event-gap", place=place, message=alarm, owner=owner)
    if word.remark:
        yield Finding(kind="clock-differs", place=place, message=word.remark, owner=owner)
    if word.number > LAST_NUMBER - FAR:
        message = f"uses up the number {word.number}: there are {LAST_NUMBER - word.number} left for another approval"
        yield Finding(kind="numbers-running-out", place=place, message=message, owner=owner)
