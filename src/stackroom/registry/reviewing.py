"""``review``: what needs attention in all models. Reads what a listing reads, writes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from stackroom.core.attention import HUGE, OLDER_THAN, Remark, worst_first
from stackroom.core.attested import Validity
from stackroom.core.metadata import as_utc, has_field
from stackroom.core.names import Ref, version_ref
from stackroom.core.show import count, duration, long_size
from stackroom.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from stackroom.core.policy import Policy, Stage
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Holding, Model, Version


def review(reader: Reader, names: Sequence[str] = (), *, older_than: timedelta = OLDER_THAN) -> tuple[Remark, ...]:
    """What needs attention, the worst first: of the newest versions and of those that hold a stage.

    Args:
        reader: the registry.
        names: of the models; all without.
        older_than: age from which on what waits is stale.

    Raises:
        NotFoundError: no such model.
    """
    models = [reader.model(name) for name in names] if names else reader.models(afresh=True).models
    now = reader.clock()
    found = [one for model in models for one in remarks(model, reader.policy, now, older_than)]
    return tuple(worst_first([*found, *_monitored(reader, models, now)]))


def _monitored(reader: Reader, models: Sequence[Model], now: datetime) -> Iterator[Remark]:
    """What production measured of those that hold a stage with a monitor."""
    unread = {held.stage for model in models for held in model.holdings if held.unread}
    stages = [one for one in reader.policy.stages if one.monitor is not None and one.name not in unread]
    if not stages:
        return
    from stackroom.registry.observing import monitoring_of  # noqa: PLC0415 - few registries have a monitor

    try:
        rows = monitoring_of(reader, models, stages).rows
    except RegistryError as error:
        # What cannot be read is no silence: every holder says why nothing is known of it.
        names = {stage.name for stage in stages}
        for model in models:
            for held in model.holdings:
                if held.stage in names and held.number is not None:
                    ref = version_ref(model.name, held.number)
                    yield Remark(
                        kind="unobserved", model=model.name, ref=ref, why=str(error), command="stackroom doctor"
                    )
        return
    for row in rows:
        long = now - row.since >= timedelta(hours=row.window_hours)
        kind = "degraded" if row.state == "degraded" else "unobserved" if row.state == "silent" and long else ""
        command = row.command if row.state == "degraded" else f"stackroom monitor {row.ref.model}"
        why = f"{row.stage}: {row.why()}"
        if kind:
            yield Remark(kind=kind, model=row.ref.model, ref=row.ref, why=why, command=command)


def remarks(model: Model, policy: Policy, now: datetime, older_than: timedelta = OLDER_THAN) -> Iterator[Remark]:
    """What needs attention about one model, as far as it was read."""
    yield from _problems(model)
    lifecycle = [stage for stage in policy.stages if not stage.alias]
    holders = {held.number for held in model.holdings if held.number is not None}
    latest = model.latest
    for version in model.versions:
        if version.archived or (version is not latest and version.number not in holders):
            continue
        yield from _about(version, lifecycle)
    for held in model.holdings:
        yield from _held(model, held, policy, now, older_than)
    if latest is not None and not any(held.event for held in model.holdings) and not model.record.archived:
        yield from _never_promoted(latest, lifecycle, now, older_than)


def _problems(model: Model) -> Iterator[Remark]:
    alarms = {alarm for held in model.holdings for alarm in held.alarms}
    for problem in model.problems:
        kind = "forged" if problem.message in alarms else "damaged" if problem.severity == "error" else "flawed"
        command = problem.hint if problem.hint.startswith("stackroom ") else f"stackroom show {model.name}"
        why = f"{problem.place}: {problem.message}"
        yield Remark(kind=kind, model=model.name, ref=Ref(model.name), why=why, command=command)
    for version in model.versions:
        for problem in version.problems:
            kind = "damaged" if problem.severity == "error" else "flawed"
            command = problem.hint if problem.hint.startswith("stackroom ") else f"stackroom show {version.ref}"
            yield Remark(kind=kind, model=model.name, ref=version.ref, why=problem.message, command=command)


def _about(version: Version, lifecycle: Sequence[Stage]) -> Iterator[Remark]:
    """What is missing in a version, and whether it is huge."""
    if version.seal is None:
        return
    wanted = [name for name in (lifecycle[0].guards.require if lifecycle else ()) if name != "card"]
    missing = [name for name in wanted or ["description"] if not has_field(version.record, name)]
    ref, model = version.ref, version.model
    if missing:
        options = " ".join(f"--set {name}=…" for name in missing)
        why = f"{', '.join(missing)} missing"
        yield Remark(kind="no-metadata", model=model, ref=ref, why=why, command=f"stackroom edit {ref} {options}")
    if not version.has_card:
        command = f"stackroom edit {ref} --card README.md"
        yield Remark(kind="no-card", model=model, ref=ref, why="it has no model card", command=command)
    if version.seal.bytes >= HUGE:
        why = f"{long_size(version.seal.bytes)} in {count(version.seal.files, 'file')}"
        yield Remark(kind="huge", model=model, ref=ref, why=why, command=f"stackroom show {ref}")


def _held(model: Model, held: Holding, policy: Policy, now: datetime, older_than: timedelta) -> Iterator[Remark]:
    """What is to be said of whoever holds a stage."""
    version = model.version(held.number) if held.number is not None else None
    event = held.event
    if version is None or event is None or event.move is None:
        return
    lifecycle = [stage for stage in policy.stages if not stage.alias]
    ref, places = version.ref, [stage.name for stage in lifecycle]
    if event.validity is Validity.UNATTESTED:
        why = f"{held.stage}: {event.name} names {event.move.by.label}, and is the file of uid {event.owner}"
        asked = policy.stage(held.stage)
        reason = " --reason '…'" if asked and asked.guards.reason else ""
        command = f"stackroom promote {ref} {held.stage}{reason}"
        yield Remark(kind="unattested", model=model.name, ref=ref, why=why, command=command)
    if held.stage not in places:
        return
    place = places.index(held.stage)
    if place == len(places) - 1:
        if not lifecycle[place].guards.verify:
            why = f"no guard of {held.stage} reads its bytes again"
            command = f"stackroom verify {ref}"
            yield Remark(kind="unverified", model=model.name, ref=ref, why=why, command=command)
        return
    waits = now - event.when
    later = any(stage in places[place + 1 :] for stage in version.stages)
    if waits >= older_than and not later:
        why = f"in {held.stage} for {duration(waits.total_seconds())}"
        command = f"stackroom can {ref} {places[place + 1]}"
        yield Remark(kind="stale", model=model.name, ref=ref, why=why, command=command)


def _never_promoted(
    latest: Version, lifecycle: Sequence[Stage], now: datetime, older_than: timedelta
) -> Iterator[Remark]:
    if latest.created is None or not lifecycle:
        return
    since = now - as_utc(latest.created)
    if since >= older_than:
        why = f"never held a stage; the newest version is {duration(since.total_seconds())} old"
        command = f"stackroom can {latest.ref} {lifecycle[0].name}"
        yield Remark(kind="never-promoted", model=latest.model, ref=latest.ref, why=why, command=command)
