"""The folders of approvals: reading what was said about versions, and adding a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.approvals import (
    Approval,
    Approvals,
    approval_name,
    format_approval,
    gather,
    parse_approval_name,
)
from stackroom.core.attested import StageFolder
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError
from stackroom.store import layout
from stackroom.store.attested import append, entries_of, stage_folder, unread_problem
from stackroom.store.folder import Folder, explained
from stackroom.store.records import Problem
from stackroom.store.used_up import used_up

if TYPE_CHECKING:
    from stackroom.core.attested import Entry
    from stackroom.core.names import ModelName, StageName


@dataclass(frozen=True, slots=True)
class ApprovalReading:
    """A stage's folder of approvals, judged.

    Attributes:
        piles: what was said, by model and version; a version that nobody spoke of has none.
        problems: what has no place there.
        error: why the folder could not be read, or None; it is then not known what was said.
    """

    piles: dict[tuple[ModelName, int], Approvals]
    problems: tuple[Problem, ...]
    error: OSError | None = None


def read_approvals(root: Folder, registry_id: str, stage: StageName, model: ModelName | None = None) -> ApprovalReading:
    """Read a stage's folder, all of it or what concerns one model. A missing folder is an empty one."""
    try:
        piles, foreign = _gathered(root, registry_id, stage, model)
    except OSError as error:
        return ApprovalReading({}, (unread_problem(root, layout.APPROVALS, stage, error),), error)
    place = f"{layout.APPROVALS}/{stage}"
    problems = tuple(
        Problem(place=f"{place}/{entry.name}", message="foreign: not the name of an approval", severity="warning")
        for entry in foreign
    )
    return ApprovalReading(piles, problems)


def _gathered(
    root: Folder, registry_id: str, stage: StageName, model: ModelName | None
) -> tuple[dict[tuple[ModelName, int], Approvals], tuple[Entry, ...]]:
    try:
        with root.child(layout.APPROVALS) as approvals, approvals.child(stage) as folder:
            owner = folder.status().st_uid
            starts = ("",) if model is None else (f"{model}:",)
            entries = list(entries_of(folder, lambda name: model is None or _model_of(name) == model, starts))
    except FileNotFoundError:
        return {}, ()
    return gather(StageFolder(registry_id=registry_id, stage=stage, owner=owner), entries)


def _model_of(name: str) -> ModelName | None:
    parsed = parse_approval_name(name)
    return parsed[0] if parsed else None


def read_words(root: Folder, registry_id: str, stage: StageName, model: ModelName, version: int) -> Approvals:
    """What was said about one version, for whoever decides upon it: what cannot be read is not silence.

    Raises:
        RegistryError: the stage's folder cannot be read.
    """
    reading = read_approvals(root, registry_id, stage, model)
    if reading.error is not None:
        where = f"{root.path}/{layout.APPROVALS}/{stage}"
        raise explained(reading.error, "read", where) from reading.error
    return reading.piles.get((model, version)) or Approvals()


def append_approval(root: Folder, stage: StageName, name: str, approval: Approval) -> None:
    """Add a word, durably.

    Args:
        root: the registry.
        stage: for which.
        name: the next name, as :func:`read_words` says.
        approval: what it says.

    Raises:
        ConflictError: that name is taken: somebody spoke at the same moment.
        PermissionDeniedError: the kernel refuses, or the file system recorded another owner.
    """
    parsed = parse_approval_name(name)
    if parsed is None or approval_name(*parsed) != name:
        # The name itself has no place in the format, which is why it is taken apart here and not parsed.
        subject, _, digits = name.rpartition("@")
        with stage_folder(root, layout.APPROVALS, stage, f"{approval.op} {subject} for {stage}") as folder:
            raise used_up(folder, f"{subject}@{int(digits) - 1}", what="an approval")
    doing = f"{approval.op} {parsed[0]}:{parsed[1]} for {stage}"
    taken = ConflictError(
        f"somebody spoke of {parsed[0]}:{parsed[1]} while you did: {name} is taken",
        hint="try again",
        facts={"approval": name, "stage": stage},
    )
    text = format_approval(approval)
    with stage_folder(root, layout.APPROVALS, stage, doing) as folder:
        append(folder, name, text, doing=doing, taken=taken)
