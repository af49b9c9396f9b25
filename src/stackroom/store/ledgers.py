"""The ledgers of the stages: reading them, appending to them, and keeping ``live/`` in step.

Whoever makes the next name of a ledger has moved; the other is told. The pointers below ``live/`` are a projection for
programs that follow symlinks: written after the event, mended by the next mover, and never believed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.attested import Entry, StageFolder
from stackroom.core.ledger import Ledger, Move, event_name, format_move, parse_event_name, replay
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, IntegrityError
from stackroom.store import layout
from stackroom.store.access import refused
from stackroom.store.attested import append, entries_of, stage_folder, unread_problem
from stackroom.store.folder import Folder, explained
from stackroom.store.records import Problem
from stackroom.store.used_up import used_up
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stackroom.core.names import ModelName, StageName

    Decided = tuple[int | None, str, Sequence[str]]
    """What a ledger comes to, for whoever asks no more of thousands: the version that holds the stage, or None; the
    digest of its artifacts, as the event says it that decides; and what is wrong with the events."""

_FEW: Final = 64
"""Models whose names each event's name may begin with; of more than these it is quicker to take that name apart."""

_LIVE_TRIES: Final = 100
"""Rounds of "replace the pointer, list again" before giving up; each extra round means another mover was faster."""


@dataclass(frozen=True, slots=True)
class StageReading:
    """A stage's folder, judged.

    Attributes:
        ledgers: by model; a model that was never moved has none.
        problems: what has no place there.
        error: why the folder could not be read, or None; it is then not known who holds the stage.
        known: what the ledgers come to, where that was known before they were read.
        stamp: of the folder, where all of this is so for as long as it has that stamp; else empty.
    """

    ledgers: Mapping[ModelName, Ledger]
    problems: tuple[Problem, ...]
    error: OSError | None = None
    known: Mapping[ModelName, Decided] | None = None
    stamp: str = ""

    def decided(self) -> Mapping[ModelName, Decided]:
        """What each ledger comes to; nothing where the folder could not be read."""
        if self.known is not None:
            return self.known
        found: dict[ModelName, Decided] = {}
        for model, ledger in self.ledgers.items():
            move = ledger.head.move if ledger.head else None
            found[model] = (ledger.holder, move.digest if move else "", ledger.alarms)
        return found


def read_stage(
    root: Folder, registry_id: str, stage: StageName, models: Collection[ModelName] | None = None
) -> StageReading:
    """Read a stage's folder, all of it or some models' events. A missing folder is an empty one."""
    place = f"{layout.STAGES}/{stage}"
    try:
        ledgers, foreign = _judged(root, registry_id, stage, models) or ({}, ())
    except OSError as error:
        return StageReading({}, (unread_problem(root, layout.STAGES, stage, error),), error)
    problems = tuple(
        Problem(place=f"{place}/{entry.name}", message="foreign: not the name of an event", severity="warning")
        for entry in foreign
    )
    return StageReading(ledgers, problems)


def _judged(
    root: Folder, registry_id: str, stage: StageName, models: Collection[ModelName] | None
) -> tuple[dict[ModelName, Ledger], tuple[Entry, ...]] | None:
    """The ledgers, and what has no place among them; None where the stage has no folder."""
    starts = ("",) if models is None or len(models) > _FEW else tuple(f"{model}@" for model in models)
    try:
        with root.child(layout.STAGES) as stages, stages.child(stage) as folder:
            owner = folder.status().st_uid
            entries = list(entries_of(folder, lambda name: models is None or _model_of(name) in models, starts))
    except FileNotFoundError:
        return None
    return replay(StageFolder(registry_id=registry_id, stage=stage, owner=owner), entries)


def read_ledger(root: Folder, registry_id: str, stage: StageName, model: ModelName) -> Ledger:
    """One model's moves in a stage, for whoever decides upon them: what cannot be read is no empty ledger here.

    Raises:
        RegistryError: the stage's folder cannot be read.
    """
    ledgers = read_ledgers(root, registry_id, stage, (model,)) or {}
    return ledgers.get(model) or Ledger(stage=stage, model=model)


def read_ledgers(
    root: Folder, registry_id: str, stage: StageName, models: Collection[ModelName] | None = None
) -> dict[ModelName, Ledger] | None:
    """The ledgers of a stage, all or those of some models; None where the stage has no folder.

    Raises:
        RegistryError: the folder cannot be read.
    """
    try:
        found = _judged(root, registry_id, stage, models)
    except OSError as error:
        raise explained(error, "read", f"{root.path}/{layout.STAGES}/{stage}") from error
    return None if found is None else found[0]


def _model_of(name: str) -> ModelName | None:
    parsed = parse_event_name(name)
    return parsed[0] if parsed else None


def read_live(root: Folder, stage: StageName, models: Collection[ModelName] | None = None) -> dict[str, int]:
    """The pointers of a stage, or those of some models, as model to number; what is no pointer is left out."""
    found: dict[str, int] = {}
    try:
        with root.child(layout.LIVE) as live, live.child(stage) as folder:
            for name in models if models is not None else folder.names():
                number = _pointer(folder, name)
                if number is not None:
                    found[name] = number
    except OSError:
        # Only a projection: who cannot read it loses nothing but the remark that it is behind.
        return found
    return found


def _pointer(folder: Folder, model: str) -> int | None:
    with contextlib.suppress(OSError):
        parsed = layout.parse_live_text(folder.read_link(model))
        if parsed and parsed[0] == model:
            return parsed[1]
    return None


def append_move(root: Folder, stage: StageName, model: ModelName, number: int, move: Move) -> None:
    """Make an event, durably.

    Args:
        root: the registry.
        stage: whose ledger.
        model: whose move.
        number: the next number, as the ledger that the move was judged by says.
        move: what the event says.

    Raises:
        ConflictError: that number is taken: somebody was faster.
        PermissionDeniedError: the kernel refuses, or the file system recorded another owner.
    """
    name = event_name(model, number)
    doing = f"move {model} in {stage}"
    if parse_event_name(name) is None:
        # A longer number would be a foreign name, and the move would be made and never count.
        with stage_folder(root, layout.STAGES, stage, doing) as folder:
            raise used_up(folder, event_name(model, number - 1), what="an event")
    taken = ConflictError(
        f"somebody moved {model} in {stage} while you did: {name} is taken",
        hint=f"look at it with: stackroom history {model} --stage {stage}",
        facts={"event": name, "stage": stage},
    )
    text = format_move(move)
    with stage_folder(root, layout.STAGES, stage, doing) as folder:
        append(folder, name, text, doing=doing, taken=taken)


def project(root: Folder, registry_id: str, stage: StageName, model: ModelName) -> None:
    """Make ``live/<stage>/<model>`` show who holds the stage, whoever moved last.

    A slower mover must not put the pointer back to his own: so list the ledger again after every replacement, until it
    says what was written. The pointer itself is not read for that: an NFS client answers ``readlink`` of a replaced
    symlink from its cache for three seconds.

    Raises:
        PermissionDeniedError: the kernel refuses; the move itself stands.
    """
    doing = f"replace {layout.LIVE}/{stage}/{model}"
    with stage_folder(root, layout.LIVE, stage, doing) as folder:
        written: int | Literal["nothing"] | None = "nothing"
        for _ in range(_LIVE_TRIES):
            wanted = read_ledger(root, registry_id, stage, model).holder
            if written == wanted:
                return
            written = wanted
            try:
                _point(folder, model, wanted)
            except OSError as error:
                raise refused(error, folder.path, doing) or explained(
                    error, "replace", f"{folder.path}/{model}"
                ) from error
        raise IntegrityError(
            f"{folder.path}/{model} did not come to rest: somebody keeps replacing it",
            hint=f"look at it with: stackroom history {model} --stage {stage}",
        )


def _point(folder: Folder, model: ModelName, number: int | None) -> None:
    if number is None:
        with contextlib.suppress(FileNotFoundError):
            folder.unlink(model)
    else:
        temporary = layout.temporary_name(os.geteuid(), uuid4())
        folder.symlink(layout.live_text(model, number), temporary)
        try:
            folder.rename(temporary, model)
        except OSError as error:
            with contextlib.suppress(OSError):
                folder.unlink(temporary)
            # ENOENT after a lost reply of NFS: the pointer says whether it was our own success.
            if error.errno != errno.ENOENT:
                raise
    folder.sync()
