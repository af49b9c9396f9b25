"""The ledgers of the stages: reading them, appending to them, and keeping ``live/`` in step.

An append is one ``symlink()``: exclusive, with content and owner, in one call. Whoever makes the name first has moved;
the other is told. The pointers below ``live/`` are a projection for programs that follow symlinks: written after the
event, mended by the next mover, and never believed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from uuid import uuid4

from stackroom.core.attested import Entry
from stackroom.core.ledger import Ledger, Move, StageFolder, event_name, format_move, parse_event_name, replay
from stackroom.core.names import NUMBER_DIGITS
from stackroom.errors import ConflictError, IntegrityError, PermissionDeniedError
from stackroom.store import layout
from stackroom.store.access import current_user, refused
from stackroom.store.folder import GONE, Folder, explained
from stackroom.store.records import Problem
from stackroom.store.scan import os_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.core.names import ModelName, StageName

_LIVE_TRIES: Final = 100
"""Rounds of "replace the pointer, list again" before giving up; each extra round means another mover was faster."""


class StageReading(NamedTuple):
    """A stage's folder, judged.

    Attributes:
        ledgers: by model; a model that was never moved has none.
        problems: what has no place there.
        error: why the folder could not be read, or None; it is then not known who holds the stage.
    """

    ledgers: dict[ModelName, Ledger]
    problems: tuple[Problem, ...]
    error: OSError | None = None


def read_stage(root: Folder, registry_id: str, stage: StageName, model: ModelName | None = None) -> StageReading:
    """Read a stage's folder, all of it or one model's events. A missing folder is an empty one."""
    place = f"{layout.STAGES}/{stage}"
    try:
        ledgers, foreign = _judged(root, registry_id, stage, model)
    except OSError as error:
        return StageReading({}, (_stage_problem(root, place, error),), error)
    problems = tuple(
        Problem(place=f"{place}/{entry.name}", message="foreign: not the name of an event", severity="warning")
        for entry in foreign
    )
    return StageReading(ledgers, problems)


def _judged(
    root: Folder, registry_id: str, stage: StageName, model: ModelName | None
) -> tuple[dict[ModelName, Ledger], tuple[Entry, ...]]:
    try:
        with root.child(layout.STAGES) as stages, stages.child(stage) as folder:
            owner = folder.status().st_uid
            entries = list(_entries(folder, model))
    except FileNotFoundError:
        return {}, ()
    return replay(StageFolder(registry_id=registry_id, stage=stage, owner=owner), entries)


def _stage_problem(root: Folder, place: str, error: OSError) -> Problem:
    try:
        with root.child(layout.STAGES) as stages:
            return os_problem(place, error, stages)
    except OSError:
        return os_problem(place, error)


def read_ledger(root: Folder, registry_id: str, stage: StageName, model: ModelName) -> Ledger:
    """One model's moves in a stage, for whoever decides upon them: what cannot be read is no empty ledger here.

    Raises:
        RegistryError: the stage's folder cannot be read.
    """
    try:
        ledgers, _ = _judged(root, registry_id, stage, model)
    except OSError as error:
        raise explained(error, "read", f"{root.path}/{layout.STAGES}/{stage}") from error
    return ledgers.get(model) or Ledger(stage=stage, model=model)


def _entries(folder: Folder, model: ModelName | None) -> Iterable[Entry]:
    for found in folder.entries():
        name = found.name
        if name.startswith("."):
            continue
        if model is not None:
            parsed = parse_event_name(name)
            if parsed is None or parsed[0] != model:
                continue
        try:
            status = folder.lstat(name)
            text = folder.read_link(name) if stat.S_ISLNK(status.st_mode) else None
        except OSError as error:
            if error.errno in GONE:
                continue
            raise
        # Whole microseconds, like the times in the texts.
        changed = datetime.fromtimestamp(status.st_ctime_ns // 1000 / 1_000_000, UTC)
        yield Entry(name=name, text=text, owner=status.st_uid, changed=changed)


def read_live(root: Folder, stage: StageName) -> dict[str, int]:
    """The pointers of a stage, as model to number; what is no pointer is left out."""
    found: dict[str, int] = {}
    try:
        with root.child(layout.LIVE) as live, live.child(stage) as folder:
            for entry in folder.entries():
                if entry.is_symlink():
                    number = _pointer(folder, entry.name)
                    if number is not None:
                        found[entry.name] = number
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
    if parse_event_name(name) is None:
        # A longer number would be a foreign name, and the move would be made and never count.
        raise IntegrityError(
            f"{name} has more than {NUMBER_DIGITS} digits, and the format has no such event",
            hint="somebody used the last number up; ask the steward to remove that name",
            facts={"event": name, "stage": stage},
        )
    text = format_move(move)
    directory = f"{root.path}/{layout.STAGES}/{stage}"
    doing = f"move {model} in {stage}"
    with _stage_folder(root, layout.STAGES, stage, doing) as folder:
        try:
            folder.symlink(text, name)
        except FileExistsError:
            # After a lost reply NFS says EEXIST about our own success: the text, with its time, tells.
            if _text_of(folder, name) != text:
                raise ConflictError(
                    f"somebody moved {model} in {stage} while you did: {name} is taken",
                    hint=f"look at it with: stackroom history {model} --stage {stage}",
                    facts={"event": name, "stage": stage},
                ) from None
        except OSError as error:
            raise refused(error, directory, doing) or explained(error, "make", f"{directory}/{name}") from error
        try:
            _check_owner(folder, name, directory)
            folder.sync()
        except OSError as error:
            raise explained(error, "make sure of", f"{directory}/{name}") from error


def _text_of(folder: Folder, name: str) -> str | None:
    try:
        return folder.read_link(name)
    except OSError:
        return None


def _check_owner(folder: Folder, name: str, directory: str) -> None:
    """An event whose owner is not its author attests nothing: the file system squashes or maps users."""
    owner = folder.lstat(name).st_uid
    if owner == os.geteuid():
        return
    with contextlib.suppress(OSError):
        folder.unlink(name)
    raise PermissionDeniedError(
        f"the file system recorded uid {owner} as the owner of your move, and you are {current_user()}",
        hint="root is squashed on NFS, or a user namespace maps you: move as an ordinary user of the file server",
        facts={"directory": directory, "owner": owner},
    )


def _stage_folder(root: Folder, parent: str, stage: StageName, doing: str) -> Folder:
    """A stage's folder below ``stages/`` or ``live/``, made where it is missing and the registry has no groups."""
    path = f"{root.path}/{parent}/{stage}"
    try:
        return _ensured(_ensured(root, parent), stage, close=True)
    except OSError as error:
        raise refused(error, os.path.dirname(path), doing) or explained(error, "open", path) from error


def _ensured(parent: Folder, name: str, *, close: bool = False) -> Folder:
    try:
        return parent.child(name)
    except FileNotFoundError:
        if parent.status().st_mode & stat.S_ISGID or _has_groups(parent):
            raise
        with contextlib.suppress(FileExistsError):
            parent.make_folder(name, stat.S_IMODE(parent.status().st_mode))
        return parent.child(name)
    finally:
        if close:
            parent.close()


def _has_groups(parent: Folder) -> bool:
    """Whether a neighbour belongs to a group: then the missing folder's group is the steward's to choose."""
    return any(
        entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mode & stat.S_ISGID
        for entry in parent.entries()
    )


def project(root: Folder, registry_id: str, stage: StageName, model: ModelName) -> None:
    """Make ``live/<stage>/<model>`` show who holds the stage, whoever moved last.

    A slower mover must not put the pointer back to his own: so list the ledger again after every replacement, until it
    says what was written. The pointer itself is not read for that: an NFS client answers ``readlink`` of a replaced
    symlink from its cache for three seconds.

    Raises:
        PermissionDeniedError: the kernel refuses; the move itself stands.
    """
    doing = f"replace {layout.LIVE}/{stage}/{model}"
    with _stage_folder(root, layout.LIVE, stage, doing) as folder:
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
        temporary = layout.temporary_name(os.geteuid(), uuid4().hex)
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
