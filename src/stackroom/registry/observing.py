"""Recording what was measured after release, reading it, and checking what holds a stage against its monitor."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import CLOCK_SLACK
from stackroom.core.metadata import as_utc, iso
from stackroom.core.monitor import Reading, State, readings, state_of
from stackroom.core.names import Ref, StageName, parse_ref, version_ref
from stackroom.core.numbers import plain_numbers
from stackroom.core.observations import checked_metrics, line_of
from stackroom.core.values import dataclass
from stackroom.errors import IntegrityError, InvalidInputError
from stackroom.store import layout
from stackroom.store.folder import explained
from stackroom.store.observations import (
    ObservationReading,
    access_to_observations,
    append_observation,
    read_observations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from stackroom.core.ledger import Event
    from stackroom.core.monitor import Monitor
    from stackroom.core.names import ModelName
    from stackroom.core.observations import FileName, Observation
    from stackroom.core.policy import Stage
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Model, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """An observation that was recorded, or with ``--dry-run`` would have been.

    Attributes:
        ref: of which version.
        at: when it was measured.
        metrics: what was measured.
        made: whether it was written.
        file: its file below the registry's root; empty where it was not written.
    """

    ref: Ref
    at: datetime
    metrics: Mapping[str, float]
    made: bool
    file: str

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``observe --json``."""
        metrics = dict(self.metrics)
        return {"ref": str(self.ref), "at": iso(self.at), "metrics": metrics, "made": self.made, "file": self.file}


def observe(
    reader: Reader, ref: str | Ref, metrics: Mapping[str, Any], *, at: datetime | None = None, dry_run: bool = False
) -> Observed:
    """Record what was measured of a version.

    Args:
        reader: the registry.
        ref: the version.
        metrics: name to number; numpy's and other numbers that Python knows are taken as they are.
        at: when it was measured; now without. One without an offset is taken to be UTC.
        dry_run: check, and write nothing.

    Raises:
        NotFoundError: no such version.
        InvalidInputError: a name or value is not allowed, or the time is still to come.
        PermissionDeniedError: the kernel refuses.
    """
    checked = checked_metrics(plain_numbers(metrics))
    now = reader.clock()
    when = as_utc(at) if at is not None else now
    if when > now + timedelta(seconds=CLOCK_SLACK):
        raise InvalidInputError(f"{iso(when)} is still to come: it is {iso(now)}", facts={"key": "at"})
    version = reader.version(parse_ref(ref) if isinstance(ref, str) else ref)
    access = access_to_observations(reader.folder)
    if not access.allowed:
        raise access.refusal(f"record an observation of {version.ref}", you=reader.who)
    line = line_of(when, checked)
    file = ""
    if not dry_run:
        with reader.root() as root:
            file = append_observation(root, version.model, version.number, line)
    return Observed(ref=version.ref, at=when, metrics=checked, made=not dry_run, file=file)


def observed(reader: Reader, ref: str | Ref | None = None) -> ObservationReading:
    """What was observed of a version, of all versions of a model, or of everything.

    A version or model that is gone keeps its observations; one that never was has none.

    Raises:
        NotFoundError: the reference names a stage's holder or a label that there is not.
        RegistryError: the folder cannot be read: that is not silence.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    number: int | None = None
    if parsed is not None and parsed.kind != "model":
        number = int(parsed.value) if parsed.kind == "number" else reader.version(parsed).number

    def wanted(name: FileName) -> bool:
        return parsed is None or (name.model == parsed.model and number in {None, name.version})

    with reader.root() as root:
        try:
            return read_observations(root, wanted)
        except OSError as error:
            raise explained(error, "read", f"{reader.folder}/{layout.OBSERVATIONS}") from error


# --- monitors


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What holds a monitored stage, and how it does.

    Attributes:
        stage: which.
        ref: the version that holds it.
        window_hours: how far back observations were looked at.
        since: when it came to hold the stage.
        readings: every bound of the monitor, with what was observed.
        missing: its folder is gone.
        back: the version that a rollback would give the stage to, or None where there is none.
    """

    stage: StageName
    ref: Ref
    window_hours: float
    since: datetime
    readings: tuple[Reading, ...]
    missing: bool = False
    back: Ref | None = None

    @property
    def state(self) -> State:
        """What the readings come to."""
        return state_of(self.readings)

    @property
    def command(self) -> str:
        """What puts a degraded holder right: a rollback, and where there is nothing to go back to, clearing."""
        verb = "rollback" if self.back is not None else "clear"
        return f"stackroom {verb} {self.ref.model} {self.stage}"

    def why(self) -> str:
        """The bounds that are not kept, or not known to be, in words."""
        told = [one for one in self.readings if one.state == self.state] if self.state != "ok" else self.readings
        return "; ".join(f"{one.rule}: {one.seen()}" for one in told)

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``monitor --json``."""
        return {
            "stage": self.stage,
            "ref": str(self.ref),
            "state": self.state,
            "window_hours": self.window_hours,
            "since": iso(self.since),
            "missing": self.missing,
            "readings": [one.document() for one in self.readings],
            "back": str(self.back) if self.back is not None else None,
            "command": self.command if self.state == "degraded" else "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """All that hold a monitored stage.

    Attributes:
        rows: those that are not well first.
        stages: that have a monitor.
        problems: what could not be read, or is not as it should be; what they hide is not known.
        broken: how many lines could not be understood.
    """

    rows: tuple[Monitored, ...]
    stages: tuple[StageName, ...]
    problems: tuple[Problem, ...]
    broken: int


_ORDER: Final[dict[State, int]] = {"degraded": 0, "silent": 1, "ok": 2}


def monitor(reader: Reader, model: str | None = None, stage: str | None = None) -> Monitoring:
    """Check all that hold a stage against the stage's monitor.

    Args:
        reader: the registry.
        model: only this one; all without.
        stage: only this one; all that have a monitor without.

    Raises:
        NotFoundError: no such model or stage.
        InvalidInputError: ``registry.toml`` is wrong.
        RegistryError: a ledger or the observations cannot be read: that is not health.
    """
    if reader.policy_error:
        raise reader.policy_error
    asked = reader.check_stage(stage) if stage else None
    stages = [one for one in reader.policy.stages if one.monitor is not None and asked in {None, one.name}]
    models = (reader.model(model),) if model else reader.models().models if stages else ()
    return monitoring_of(reader, models, stages)


def monitoring_of(reader: Reader, models: Sequence[Model], stages: Sequence[Stage]) -> Monitoring:
    """The holders of some stages of some models against the monitors; raises as :func:`monitor`."""
    held = list(_held(models, stages))
    reading = observed(reader, models[0].name if len(models) == 1 else None) if held else ObservationReading()
    of: dict[tuple[ModelName, int], list[Observation]] = {}
    for one in reading.observations:
        of.setdefault((one.model, one.version), []).append(one)
    now = reader.clock()
    rows = [_monitored(reader, one, readings(one.monitor, of.get((one.model, one.number), ()), now)) for one in held]
    return Monitoring(
        rows=tuple(sorted(rows, key=lambda row: _ORDER[row.state])),
        stages=tuple(one.name for one in stages),
        problems=reading.problems,
        broken=sum(file.broken for file in reading.files),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One holder of a monitored stage."""

    model: ModelName
    number: int
    stage: StageName
    monitor: Monitor
    event: Event
    missing: bool


def _held(models: Sequence[Model], stages: Sequence[Stage]) -> Iterator[_Held]:
    monitors = {stage.name: stage.monitor for stage in stages if stage.monitor is not None}
    for model in models:
        for one in model.holdings:
            monitor = monitors.get(one.stage)
            if monitor is not None and one.unread:
                raise IntegrityError(f"who holds {one.stage} is not known: {one.unread}", hint="stackroom doctor")
            if monitor is not None and one.number is not None and one.event is not None:
                yield _Held(
                    model=model.name,
                    number=one.number,
                    stage=one.stage,
                    monitor=monitor,
                    event=one.event,
                    missing=one.missing,
                )


def _monitored(reader: Reader, held: _Held, found: tuple[Reading, ...]) -> Monitored:
    back = reader.ledger(held.model, held.stage).previous_holder() if state_of(found) == "degraded" else None
    before = back.move.to if back is not None and back.move is not None else None
    return Monitored(
        stage=held.stage,
        ref=version_ref(held.model, held.number),
        window_hours=held.monitor.window_hours,
        since=held.event.when,
        readings=found,
        missing=held.missing,
        back=version_ref(held.model, before) if before is not None else None,
    )
