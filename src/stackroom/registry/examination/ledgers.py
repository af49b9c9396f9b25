"""The ledgers of the stages and the pointers below ``live/``: what counts, what does not, and what is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.findings import Finding
from stackroom.core.ledger import Event, event_name, event_place, parse_event_name
from stackroom.core.names import ModelName, is_model_name
from stackroom.registry.examination.models import FAR, LAST_NUMBER
from stackroom.registry.examination.tour import foreign, who
from stackroom.registry.remembering import vanished
from stackroom.store import layout
from stackroom.store.access import access_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.core.ledger import Ledger
    from stackroom.core.names import StageName
    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.sights import Sight


def examine_ledgers(tour: Tour, stages: Stages) -> Iterator[Finding]:
    """All events, and all pointers.

    Without the registry's id no event can be judged; that ``registry.toml`` is wrong is told already.
    """
    for stage in stages.readings if tour.reader.id else ():
        yield from _stage(tour, stages, stage)
        yield from _live(tour, stages, stage)


def _stage(tour: Tour, stages: Stages, stage: StageName) -> Iterator[Finding]:
    reading = stages.readings[stage]
    if reading.error:
        yield Finding(kind="unreadable", place=f"{layout.STAGES}/{stage}", message=reading.problems[0].message)
        return
    try:
        with tour.root.child(layout.STAGES) as parent, parent.child(stage) as folder:
            sights = tour.seen(folder, f"{layout.STAGES}/{stage}")
    except FileNotFoundError:
        return
    except OSError as error:
        yield tour.unreadable(f"{layout.STAGES}/{stage}", error)
        return
    for sight in sights:
        if parse_event_name(sight.name) is not None:
            if sight.status:
                tour.moved[stage, sight.name] = sight.status.st_ctime_ns
        elif not sight.name.startswith("."):
            yield foreign(sight)
    for ledger in reading.ledgers.values():
        yield from _ledger(tour, ledger)


def _ledger(tour: Tour, ledger: Ledger) -> Iterator[Finding]:
    for event in ledger.events:
        place = f"{layout.STAGES}/{ledger.stage}/{event.name}"
        worth = _worth(tour, event)
        if worth:
            kind, message = worth
            # What follows names the digest of its text, and its number: taken away, it would be a gap for ever.
            goes = not event.validity.counts and event is ledger.events[-1]
            command = f"rm {tour.path(place)}" if goes else ""
            yield Finding(kind=kind, place=place, message=message, owner=who(event.owner), command=command)
        for alarm in event.alarms:
            if alarm.startswith(("gap:", "broken chain:")):
                kind = "event-gap" if alarm.startswith("gap:") else "chain-broken"
                yield Finding(kind=kind, place=place, message=alarm, owner=who(event.owner))
        if event.remark:
            yield Finding(kind="clock-differs", place=place, message=event.remark, owner=who(event.owner))
        if event.number > LAST_NUMBER - FAR:
            message = f"uses up the number {event.number}: there are {LAST_NUMBER - event.number} left for another move"
            yield Finding(kind="numbers-running-out", place=place, message=message, owner=who(event.owner))


def _worth(tour: Tour, event: Event) -> tuple[str, str] | None:
    """The kind of finding for an event that is not attested, and what is wrong; None for one that is."""
    match event.validity:
        case Validity.ATTESTED:
            return None
        case Validity.UNATTESTED:
            said = event.move.by if event.move else ""
            return "event-unattested", f"says {said}, and belongs to the owner of the stage: copied"
    wrong = next((one for one in event.alarms if not one.startswith(("gap:", "broken chain:"))), "")
    if event.move is None:
        return "event-unreadable", wrong
    place = event_place(tour.reader.id, event.stage, event.model, event.number)
    return ("event-forged" if event.move.event == place else "event-borrowed"), wrong


def examine_memory(tour: Tour) -> Iterator[Finding]:
    """What the caller saw at the head of a ledger and is gone; what he remembers is only read."""
    for one in vanished(tour.reader):
        place = f"{layout.STAGES}/{one.stage}/{event_name(one.model, one.number)}"
        command = tour.command("history", "--acknowledge")
        yield Finding(kind="head-vanished", place=place, message=one.message, command=command)


def _live(tour: Tour, stages: Stages, stage: StageName) -> Iterator[Finding]:
    place = f"{layout.LIVE}/{stage}"
    sights: list[Sight] = []
    try:
        with tour.root.child(layout.LIVE) as parent, parent.child(stage) as folder:
            sights = tour.seen(folder, place)
    except FileNotFoundError:
        pass
    except OSError as error:
        yield tour.unreadable(place, error)
        return
    may = access_to(f"{tour.reader.path}/{place}").allowed
    shown = {sight.name: sight for sight in sights if sight.is_symlink and is_model_name(sight.name)}
    for sight in sights:
        if sight.name not in shown and not sight.name.startswith("."):
            yield foreign(sight)
    reading = stages.readings[stage]
    if reading.error:
        return
    for name in sorted({*shown, *reading.ledgers}):
        model = ModelName(name)
        ledger = reading.ledgers.get(model)
        holder, points = ledger.holder if ledger else None, stages.live[stage].get(model)
        if holder == points and not (holder is None and name in shown):
            continue
        behind = "nothing" if name not in shown else f"version {points}" if points else "no version of this model"
        yield Finding(
            kind="live-behind",
            place=f"{place}/{name}",
            message=f"points at {behind}, and the ledger says {f'version {holder}' if holder else 'empty'}",
            owner=who(shown[name].owner) if name in shown else None,
            command=tour.command("doctor", "--fix"),
            fixable=may,
        )
