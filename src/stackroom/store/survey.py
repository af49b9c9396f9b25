"""Where the tree of a registry departs from what it shall be, and what would put it right.

By :func:`differences` from a plan; by :func:`survey` from itself and the format, where nobody says what was wanted.
Nothing here changes anything: remedies are commands for whoever may run them.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.names import StageName, is_stage_name
from stackroom.core.values import dataclass, replace
from stackroom.store import layout
from stackroom.store.access import group_members, group_name, primary_group, user_name
from stackroom.store.tree import (
    PLAIN_MODE,
    STAGE_PARENTS,
    Found,
    Plan,
    Row,
    commands_for,
    commands_for_stage,
    expected,
    look,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stackroom.store.folder import Folder

_WRITERS: Final = stat.S_IWGRP | stat.S_IWOTH

Kind = Literal[
    "missing",
    "not-a-folder",
    "unreadable",
    "owner",
    "group",
    "world-writable",
    "not-sticky",
    "group-writable",
    "no-setgid",
    "mode",
    "policy",
    "shut-out",
    "stage-undeclared",
    "stage-not-asked",
    "stage-stray",
]
"""What can be wrong with a place of the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place that is not as it shall be.

    Attributes:
        kind: in which way.
        path: below the root; empty for the root itself.
        message: what is wrong, and what comes of it.
        wanted: an owner, a group or a mode; empty where it is none of them.
        seen: likewise.
        commands: what would put it right, for a shell, in this order.
        by: who can run them: whoever owns the registry, or only root.
    """

    kind: Kind
    path: str
    message: str
    wanted: str = ""
    seen: str = ""
    commands: tuple[str, ...] = ()
    by: Literal["steward", "administrator"] = "steward"

    def document(self) -> dict[str, str | list[str]]:
        """In JSON's types."""
        return {
            "kind": self.kind,
            "path": self.path or ".",
            "message": self.message,
            "wanted": self.wanted,
            "seen": self.seen,
            "commands": list(self.commands),
            "by": self.by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A tree, understood without being told what was wanted.

    Attributes:
        plan: what it was probably made by: ``groups()`` is empty for a registry of one person.
        steward: the uid that owns the root.
        rows: how its places should be by that plan.
        found: how those are that are there.
        differences: where it contradicts itself, or the format.
    """

    plan: Plan
    steward: int
    rows: tuple[Row, ...]
    found: tuple[Found, ...]
    differences: tuple[Difference, ...]

    @property
    def team(self) -> bool:
        """Whether more people than the steward may change anything."""
        return bool(self.plan.groups())


# --- what is wrong


def differences(root: Folder, plan: Plan, declared: Sequence[StageName]) -> tuple[Difference, ...]:
    """Where a registry is not as the plan says; what the plan leaves open is held against the tree itself.

    The steward is whoever owns the root.

    Args:
        root: the registry.
        plan: what it shall be like; what is None, empty or False in it was not asked for.
        declared: the stages that its ``registry.toml`` declares.
    """
    itself = survey(root, declared)
    merged = _merged(plan, itself.plan)
    asked = {row.path for row in expected(plan) if row.gid is not None} | ({layout.MODELS} if plan.strict else set())
    asked |= {f"{parent}/{stage}" for parent in STAGE_PARENTS for stage in plan.stages if stage not in declared}
    as_it_is = {row.path: row for row in itself.rows}
    wanted = [row if row.path in asked else as_it_is.get(row.path, row) for row in expected(merged)]
    troubles = _place_differences(root, [row for row in wanted if row.path in asked])
    rest = [one for one in itself.differences if one.path not in asked and one.kind not in {"stage-stray", "shut-out"}]
    order = {row.path: at for at, row in enumerate(wanted)}
    return (
        *_stage_differences(root.path, plan.stages, declared),
        *sorted((*troubles, *rest), key=lambda one: order.get(one.path, len(order))),
        *_shut_out(merged),
        *_strays(root, {*plan.stages, *declared}),
    )


def _merged(plan: Plan, itself: Plan) -> Plan:
    """What was asked for, and for all else what the tree says."""
    stages = dict(itself.stages) | {
        stage: gid if gid is not None else itself.stages.get(stage) for stage, gid in plan.stages.items()
    }
    return replace(
        plan,
        authors=plan.authors if plan.authors is not None else itself.authors,
        reviewers=plan.reviewers if plan.reviewers is not None else itself.reviewers,
        monitors=plan.monitors if plan.monitors is not None else itself.monitors,
        readers=plan.readers if plan.readers is not None else itself.readers,
        strict=plan.strict or itself.strict,
        stages=stages,
    )


def _stage_differences(path: str, asked: Iterable[StageName], declared: Sequence[StageName]) -> Iterator[Difference]:
    file = place(path, layout.REGISTRY_FILE)
    asked = tuple(asked)
    for stage in asked:
        if stage not in declared:
            yield Difference(
                kind="stage-undeclared",
                path=layout.REGISTRY_FILE,
                message=f"{layout.REGISTRY_FILE} does not declare the stage {stage}",
                commands=(f"printf '\\n[stages.\"{stage}\"]\\n' >> {file}",),
            )
    for stage in declared if asked else ():
        if stage not in asked:
            yield Difference(
                kind="stage-not-asked",
                path=layout.REGISTRY_FILE,
                message=f"{layout.REGISTRY_FILE} declares the stage {stage}, which was not asked for: ask for it with "
                f"--stage {stage}=GROUP, or take it out of the file",
            )


def _place_differences(root: Folder, rows: Iterable[Row]) -> Iterator[Difference]:
    steward = root.status().st_uid
    for row in rows:
        try:
            found = look(root, row.path)
        except OSError as error:
            message = f"cannot be looked at: {(error.strerror or str(error)).lower()}"
            yield Difference(kind="unreadable", path=row.path, message=message)
            continue
        yield from compared(root.path, row, found, steward)


def compared(root: str, row: Row, found: Found | None, steward: int) -> Iterator[Difference]:
    """In which ways one place is not as its row says."""
    by = _by(row, steward) if found is None or found.uid == steward else "administrator"
    fixed = Difference(
        kind="missing",
        path=row.path,
        message="",
        wanted=_wanted(row),
        commands=commands_for(root, row, found, steward, by_steward=by == "steward"),
        by=by,
    )
    if found is None:
        if not row.file:
            yield replace(fixed, message="is missing: nobody but the steward can make it")
        return
    if found.folder is row.file:
        message = f"is no {'file' if row.file else 'folder'}: look at what lies there, and move it away"
        yield replace(fixed, kind="not-a-folder", message=message, commands=())
        return
    if found.uid != steward:
        owner, wanted = (user_name(uid) or str(uid) for uid in (found.uid, steward))
        message = f"belongs to {owner} and not to the steward: neither mode nor sticky bit binds an owner"
        yield replace(fixed, kind="owner", message=message, wanted=wanted, seen=owner)
    if row.gid is not None and found.gid != row.gid:
        seen, wanted = group_name(found.gid), group_name(row.gid)
        message = f"is of group {seen} and not of {wanted}"
        yield replace(fixed, kind="group", message=message, wanted=wanted, seen=seen)
    if found.mode != row.mode:
        kind, message = _mode_trouble(row, found)
        yield replace(fixed, kind=kind, message=message, wanted=f"{row.mode:04o}", seen=f"{found.mode:04o}")


def _wanted(row: Row) -> str:
    return f"{group_name(row.gid)} {row.mode:04o}" if row.gid is not None else f"{row.mode:04o}"


def _by(row: Row, steward: int) -> Literal["steward", "administrator"]:
    """Who can give a place to its group with setgid: the steward, if he is in that group as far as is known here."""
    if row.gid is None:
        return "steward"
    if os.geteuid() == steward:
        known = row.gid in {os.getegid(), *os.getgroups()} or steward == 0
    else:
        known = user_name(steward) in group_members(row.gid)
    return "steward" if known else "administrator"


def _mode_trouble(row: Row, found: Found) -> tuple[Kind, str]:
    """What comes of a mode that is not the one it shall be, the worst first."""
    group = group_name(found.gid)
    seen, wanted = found.mode, row.mode
    extra = seen & ~wanted
    if extra & stat.S_IWOTH:
        return "world-writable", f"everybody on this host may {'write it' if row.file else 'make and take away names'}"
    if wanted & ~seen & stat.S_ISVTX and seen & stat.S_IWGRP:
        return "not-sticky", f"every member of {group} can take away and replace what another one made"
    if extra & stat.S_IWGRP and not row.file and seen & stat.S_ISVTX:
        return "group-writable", f"is shared with {group}, which was not asked for: its members can make names in it"
    if extra & stat.S_IWGRP:
        what = "rewrite the rules" if row.file else "rename what lies in it away, and put something else in its place"
        return "group-writable", f"every member of {group} can {what}"
    if wanted & ~seen & stat.S_IWGRP:
        return "mode", f"is {seen:04o} and not {wanted:04o}: the group {group} cannot make names in it"
    if wanted & ~seen & stat.S_ISGID:
        return "no-setgid", f"what is made in it does not belong to the group {group}, and others of it cannot write it"
    return "mode", f"is {seen:04o} and not {wanted:04o}"


def shut_out(plan: Plan) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The groups of a private registry with members who could not read it, and who, as far as is known here."""
    readers = set(group_members(plan.readers)) if plan.readers is not None else set()
    for gid in plan.groups() if plan.readers is not None else ():
        if gid != plan.readers and (outside := sorted(set(group_members(gid)) - readers)):
            yield gid, tuple(outside)


def _shut_out(plan: Plan) -> Iterator[Difference]:
    for gid, people in shut_out(plan):
        readers = group_name(plan.readers or 0)
        yield Difference(
            kind="shut-out",
            path="",
            message=f"{', '.join(people)} of group {group_name(gid)} cannot read the registry: not in {readers}",
            wanted=readers,
            commands=tuple(f"usermod -aG {shlex.quote(readers)} {shlex.quote(name)}" for name in people),
            by="administrator",
        )


def _strays(root: Folder, known: Iterable[StageName]) -> Iterator[Difference]:
    """Folders of stages that nobody declares."""
    for parent in STAGE_PARENTS:
        try:
            with root.child(parent) as folder:
                names = sorted(name for name in folder.names() if is_stage_name(name))
        except OSError:
            # Missing or closed: told about the folder itself.
            continue
        for name in sorted(set(names) - set(known)):
            yield Difference(
                kind="stage-stray",
                path=f"{parent}/{name}",
                message=f"is of no stage that {layout.REGISTRY_FILE} declares: declare [stages.{name}] there, or "
                "keep it as the record that it is",
            )


# --- without being told


def survey(root: Folder, declared: Sequence[StageName]) -> Survey:
    """What a registry's tree is like, and where it contradicts itself or the format.

    Groups are recorded nowhere but in the tree: a folder is taken to be shared with its group where that may write or
    where it passes the group on. That it merely is of another group says nothing of who should write there.

    Args:
        root: the registry.
        declared: the stages that its ``registry.toml`` declares.
    """
    stages = dict.fromkeys(declared)
    found = {row.path: _look_quietly(root, row.path) for row in expected(Plan(path=root.path, stages=stages))}
    plan = _probable(root.path, found, declared)
    alone = _alone(found)
    rows = tuple(_as_it_may_be(row, found[row.path], alone) for row in expected(plan))
    troubles = [*_place_differences(root, rows), *_without_a_say(plan, rows, found)]
    troubles += [*_shut_out(plan), *_strays(root, declared)]
    if not plan.groups():
        # The steward's own next move makes it.
        troubles = [one for one in troubles if one.kind != "missing"]
    return Survey(
        plan=plan,
        steward=root.status().st_uid,
        rows=rows,
        found=tuple(one for one in found.values() if one is not None),
        differences=tuple(_with_group_to_name(one, plan) for one in troubles),
    )


def _look_quietly(root: Folder, path: str) -> Found | None:
    try:
        return look(root, path)
    except OSError:
        return None


def _probable(path: str, found: Mapping[str, Found | None], declared: Sequence[StageName]) -> Plan:
    root, alone = found[""], _alone(found)

    def group(*places: str) -> int | None:
        shared = (found.get(one) for one in places)
        return next((one.gid for one in shared if one and _is_shared(one, alone)), None)

    models, authors = found[layout.MODELS], group(layout.MODELS, layout.FEED)
    closed = root is not None and not root.mode & 0o007 and bool(root.mode & 0o050)
    return Plan(
        path=path,
        authors=authors,
        stages={stage: group(*(f"{parent}/{stage}" for parent in STAGE_PARENTS[:2])) for stage in declared},
        reviewers=group(*(f"{layout.APPROVALS}/{stage}" for stage in declared)),
        monitors=group(layout.OBSERVATIONS),
        readers=root.gid if closed and root else None,
        strict=authors is not None
        and models is not None
        and bool(models.mode & stat.S_ISGID)
        and not models.mode & stat.S_IWGRP,
    )


def _alone(found: Mapping[str, Found | None]) -> frozenset[int | None]:
    """The groups of what is the steward's alone: that a folder is of one of them says nothing."""
    places = [found[place] for place in ("", layout.REGISTRY_FILE, *STAGE_PARENTS)]
    return frozenset(gid for one in places if one for gid in (one.gid, primary_group(one.uid)))


def _without_a_say(plan: Plan, rows: Iterable[Row], found: Mapping[str, Found | None]) -> Iterator[Difference]:
    """Folders of a group that may not write there: after a copy without modes, or because the steward wants it so."""
    alone = _alone(found)
    for row in rows:
        one = found[row.path]
        if row.gid is not None or one is None or not one.folder or one.gid in alone:
            continue
        yield Difference(
            kind="mode",
            path=row.path,
            message=f"is of group {group_name(one.gid)}, which may not make names in it: where it shall, as before a "
            f"copy without modes, `stackroom init {place(plan.path, '')}` with the options of then tells the commands",
            seen=f"{one.mode:04o}",
        )


def _is_alone(gid: int, steward: int) -> bool:
    """Whether a group is its steward's own, as many hosts give one to everybody, together with the umask 002."""
    return group_members(gid) == (user_name(steward),)


def _is_shared(found: Found, alone: frozenset[int | None]) -> bool:
    # What everybody may write says little about a group, and what one's own group may write is shared with nobody.
    only = found.mode & _WRITERS == stat.S_IWGRP and not _is_alone(found.gid, found.uid)
    other = bool(found.mode & stat.S_IWGRP) and found.gid not in alone
    return found.folder and (only or other or bool(found.mode & stat.S_ISGID))


def _as_it_may_be(row: Row, found: Found | None, alone: frozenset[int | None]) -> Row:
    """The row, with what a steward may choose: who reads the root, who approves for a stage, what his own group may."""
    if found is None:
        return row
    forbidden = stat.S_IWOTH if _is_alone(found.gid, found.uid) else _WRITERS
    if row.path == "" or row.file:
        return replace(row, gid=None, mode=found.mode & ~forbidden)
    if row.parent == layout.APPROVALS and found.folder:
        # Each stage has approvers of its own, or none.
        shared = _is_shared(found, alone)
        row = replace(row, gid=found.gid if shared else None, mode=layout.SHARED_FOLDER_MODE if shared else PLAIN_MODE)
    if row.gid is None and found.mode & ~forbidden == row.mode | stat.S_IWGRP:
        return replace(row, mode=found.mode & ~forbidden)
    return row


def _with_group_to_name(difference: Difference, plan: Plan) -> Difference:
    """A missing folder of a stage whose group nobody can know: the steward names it."""
    parent, _, stage = difference.path.partition("/")
    if difference.kind != "missing" or not stage or parent not in STAGE_PARENTS:
        return difference
    gid = plan.reviewers if parent == layout.APPROVALS else plan.stages.get(StageName(stage))
    if gid is not None:
        return difference
    approve = parent == layout.APPROVALS
    lacking, who = (f"approve for {stage}", "may") if approve else (f"move into {stage}", "may move into it")
    return replace(
        difference,
        message=f"is missing: nobody but the steward can {lacking}; GROUP is the one that {who}",
        commands=commands_for_stage(plan.path, parent, stage),
    )
