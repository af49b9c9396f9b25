"""Who holds what: ledgers and pointers of all stages joined, and what is wrong about them."""

from __future__ import annotations

import errno
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from stackroom.core.values import dataclass, replace
from stackroom.errors import IntegrityError
from stackroom.store import layout
from stackroom.store.ledgers import StageReading, read_ledger, read_live, read_stage
from stackroom.store.records import Holding, Problem, Version
from stackroom.store.sums import SUMS_LIMIT, artifacts_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping, Sequence

    from stackroom.core.ledger import Event, Ledger
    from stackroom.core.names import ModelName, Ref, StageName
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.index import Index

_POINTER_SLACK: Final = timedelta(minutes=1)
"""An NFS client answers ``readlink`` from its cache for some seconds; a mover needs less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """All stages of a registry, read at once."""

    readings: dict[StageName, StageReading]
    live: dict[StageName, Mapping[str, int]]

    @classmethod
    def read(
        cls, root: Folder, registry_id: str, stages: Sequence[StageName], models: Collection[ModelName] | None = None
    ) -> Self:
        """Read every stage, for all models or for some; without the registry's id no event can be judged."""
        if not registry_id:
            reason = f"{layout.REGISTRY_FILE} does not say which registry this is"
            problem = (Problem(place=layout.REGISTRY_FILE, message=reason),)
            unjudged = StageReading({}, problem, OSError(errno.EINVAL, reason))
            return cls(readings=dict.fromkeys(stages, unjudged), live={stage: {} for stage in stages})
        return cls(
            readings={stage: read_stage(root, registry_id, stage, models) for stage in stages},
            live={stage: read_live(root, stage, models) for stage in stages},
        )

    @classmethod
    def kept(cls, root: Folder, registry_id: str, stages: Sequence[StageName], index: Index, *, local: bool) -> Self:
        """The same for all models, with the caller's index.

        Raises:
            IndexLostError: it cannot be used.
        """
        from stackroom.store.kept import kept_live, kept_stage  # noqa: PLC0415 - who asks for one model does without
        from stackroom.store.stamps import Moment  # noqa: PLC0415 - the same

        moment = Moment.present(local=local)
        return cls(
            readings={stage: kept_stage(root, registry_id, stage, index, moment) for stage in stages},
            live={stage: kept_live(root, stage, index, moment) for stage in stages},
        )

    def stamps(self) -> str:
        """What tells that all stages are as they were; empty where nothing does."""
        found = [f"{stage} {reading.stamp}" for stage, reading in self.readings.items() if reading.stamp]
        return " ".join(found) if len(found) == len(self.readings) else ""

    def heads(self) -> Iterator[Event]:
        """Of each ledger the event that decides, where there is one."""
        for reading in self.readings.values():
            for ledger in reading.ledgers.values():
                if ledger.head is not None:
                    yield ledger.head

    def held_without(self, names: Sequence[ModelName]) -> list[ModelName]:
        """The models that hold a stage and have no folder among these: a holder does not go with its folder."""
        present = set(names)
        return sorted(
            {
                model
                for reading in self.readings.values()
                for model, (holder, *_) in reading.decided().items()
                if holder is not None and model not in present
            }
        )

    def held(self) -> dict[tuple[ModelName, int], tuple[StageName, ...]]:
        """The stages that each holder holds, in the order of the stages."""
        found: dict[tuple[ModelName, int], tuple[StageName, ...]] = {}
        for stage, reading in self.readings.items():
            for model, (number, *_) in reading.decided().items():
                if reading.error is None and number is not None:
                    found[model, number] = (*found.get((model, number), ()), stage)
        return found

    def as_promoted(self, model: ModelName, number: int, digest: str) -> bool:
        """Whether every event by which a version holds a stage names these artifacts."""
        decided = (reading.decided().get(model) for reading in self.readings.values() if reading.error is None)
        return all(one is None or one[0] != number or one[1] == digest for one in decided)

    def holdings(self, model: ModelName, numbers: Sequence[int]) -> tuple[Holding, ...]:
        """Who holds which stage of a model that has these versions."""
        found: list[Holding] = []
        for stage, reading in self.readings.items():
            if reading.error is not None:
                found.append(Holding(stage=stage, unread=reading.problems[0].message))
                continue
            ledger = reading.ledgers.get(model)
            if ledger is None:
                continue
            holder = ledger.holder
            found.append(
                Holding(
                    stage=stage,
                    event=ledger.head,
                    number=holder,
                    missing=holder is not None and holder not in numbers,
                    live=self.live[stage].get(model),
                    alarms=ledger.alarms,
                )
            )
        return tuple(found)


def ledgers_to_decide_on(reader: Reader, root: Folder, model: ModelName) -> dict[StageName, Ledger]:
    """A model's ledgers in all stages, for whoever does what a holder must not suffer.

    Raises:
        RegistryError: one of them cannot be read, or cannot be judged for want of an id: that is not an empty one.
    """
    if reader.policy_error and not (reader.id and reader.stages):
        raise reader.policy_error
    return {stage: read_ledger(root, reader.id, stage, model) for stage in reader.stages}


def stages_held(reader: Reader, root: Folder, model: ModelName, number: int | None) -> tuple[StageName, ...]:
    """The stages that a version, or with None any version, of a model holds now, read for a decision.

    Raises:
        RegistryError: as :func:`ledgers_to_decide_on`.
    """
    holders = {stage: ledger.holder for stage, ledger in ledgers_to_decide_on(reader, root, model).items()}
    return tuple(
        stage for stage, holder in holders.items() if holder is not None and (number is None or holder == number)
    )


def with_stages(version: Version, holdings: Sequence[Holding], folder: Folder | None = None) -> Version:
    """The version with the stages it holds, flagged where it cannot be what was promoted.

    Args:
        version: as it stands.
        holdings: who holds which stage of its model.
        folder: the model's. A holder's SHA256SUMS is read in it, which costs three system calls and a hash of it;
            without one its seal is believed.
    """
    held = [holding for holding in holdings if holding.number == version.number]
    if not held:
        return version
    listed = _listed_artifacts(version, folder) if folder is not None else None
    problems = tuple(problem for holding in held if (problem := not_as_promoted(version, holding, listed)))
    stages = tuple(holding.stage for holding in held)
    if not problems and stages == version.stages:
        return version
    return replace(version, stages=stages, problems=(*version.problems, *problems))


def _listed_artifacts(version: Version, folder: Folder) -> tuple[str, str]:
    """The digest of a version's SHA256SUMS; or an empty text, and why it cannot be had."""
    try:
        with folder.child(str(version.number)) as inside:
            return artifacts_digest(inside.read(layout.SHA256_FILE, SUMS_LIMIT)), ""
    except OSError as error:
        return "", (error.strerror or str(error)).lower()


def not_as_promoted(version: Version, holding: Holding, listed: tuple[str, str] | None = None) -> Problem | None:
    """Why a version under the holder's number is another one: its seal or SHA256SUMS and the event differ.

    Compares texts and reads no artifact: whether the artifacts are those of SHA256SUMS is found by verification.

    Args:
        version: as it stands.
        holding: a stage that it holds.
        listed: the digest of its SHA256SUMS, and why there is none; None where nobody has read that.
    """
    move = holding.event.move if holding.event else None
    if move is None:
        return None
    digest, trouble = listed or (move.digest, "")
    if version.seal is not None and move.digest != version.seal.digest:
        why = "the event names other artifacts"
    elif trouble:
        why = f"{layout.SHA256_FILE} cannot be read: {trouble}"
    elif digest != move.digest:
        why = f"{layout.SHA256_FILE} was rewritten: the event names other artifacts"
    else:
        return None
    return Problem(
        place=f"{layout.MODELS}/{version.model}/{version.number}",
        message=f"not what was promoted to {holding.stage}: {why}",
        hint=f"stackroom verify {version.ref}",
    )


def check_as_promoted(ref: Ref, version: Version, holdings: Sequence[Holding], folder: Folder) -> None:
    """Say no where the holder of the stage that a reference names is another version under its number.

    Args:
        ref: by stage.
        version: the holder.
        holdings: who holds which stage of its model.
        folder: the model's, open.

    Raises:
        IntegrityError: its seal or its SHA256SUMS is not what the event names.
    """
    for holding in holdings:
        if holding.stage != ref.value:
            continue
        problem = not_as_promoted(version, holding, _listed_artifacts(version, folder))
        if problem:
            raise IntegrityError(
                f"{ref} is version {version.number}, and {problem.message}",
                hint=problem.hint,
                facts={"ref": str(ref), "version": version.number},
            )


def missing_model(ref: Ref, number: int) -> IntegrityError:
    """What is said where a stage's holder is gone with its whole model: that is not nobody."""
    return IntegrityError(
        f"{ref} is version {number}, and the whole model is missing",
        hint=f"stackroom history {ref.model} --stage {ref.value} shows who moved it",
        facts={"ref": str(ref), "version": number},
    )


def _just_moved(holding: Holding, now: datetime) -> bool:
    """Whether a pointer that is behind means nothing yet: its mover may be at work, or NFS shows the one before."""
    return holding.event is not None and now - holding.event.when < _POINTER_SLACK


def holding_problems(
    model: ModelName, holdings: Sequence[Holding], now: datetime, trash: Container[int] = ()
) -> Iterator[Problem]:
    """What is wrong with the holders of a model's stages; ``trash`` has the numbers that can be restored."""
    for holding in holdings:
        place = f"{layout.STAGES}/{holding.stage}/{model}"
        if holding.unread:
            message = f"who holds it is not known: {holding.unread}"
            yield Problem(place=f"{layout.STAGES}/{holding.stage}", message=message)
        elif holding.missing:
            yield Problem(
                place=place,
                message=f"version {holding.number} holds {holding.stage}, and its folder is missing",
                hint=f"it was deleted: stackroom restore {model}:{holding.number}" if holding.number in trash else "",
            )
        elif holding.behind and not _just_moved(holding, now):
            shown = "nothing" if holding.live is None else f"version {holding.live}"
            yield Problem(
                place=f"{layout.LIVE}/{holding.stage}/{model}",
                message=f"points at {shown}, and the ledger says {holding.number or 'empty'}",
                severity="warning",
                hint=f"the next move mends it: stackroom promote {model}:{holding.number} {holding.stage}"
                if holding.number
                else "",
            )
        for alarm in holding.alarms:
            yield Problem(place=place, message=alarm, severity="warning", hint=f"stackroom history {model}")
