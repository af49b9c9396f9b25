"""The folders of a registry: whose group each belongs to, with which mode, and where a tree departs from that.

Said here once. ``init`` makes what :func:`expected` lists, and compares a tree that is there already by
:func:`differences`; :func:`survey` does so where nobody says what was wanted, going by the tree itself. Nothing here
changes anything: what would put it right is told as commands.
"""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.names import StageName, is_stage_name
from stackroom.store import layout
from stackroom.store.access import group_members, group_name, user_name
from stackroom.store.folder import GONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stackroom.store.folder import Folder

_PLAIN: Final = 0o755
_PRIVATE: Final = 0o2750
_STRICT: Final = 0o2755
_POINTERS: Final = 0o2775
"""``live/<stage>`` is not sticky: any releaser replaces another's pointer, and nothing is decided by it."""

_FILE: Final = 0o644
_WRITERS: Final = stat.S_IWGRP | stat.S_IWOTH
_PARENTS: Final = (layout.STAGES, layout.LIVE, layout.APPROVALS)
"""The folders that hold one folder for every stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a registry shall be like.

    Attributes:
        path: where.
        name: for people; empty for the folder's name.
        authors: the gid that may add models and versions; None: only the steward.
        stages: every stage in the order of the lifecycle, with the gid that may move into it.
        reviewers: the gid that may approve.
        monitors: the gid that may record observations.
        readers: the gid that may read a private registry; None: everybody may.
        strict: only the steward makes models.
    """

    path: str
    name: str = ""
    authors: int | None = None
    stages: Mapping[StageName, int | None] = field(default_factory=dict)
    reviewers: int | None = None
    monitors: int | None = None
    readers: int | None = None
    strict: bool = False

    def groups(self) -> tuple[int, ...]:
        """Every group that is named."""
        named = (self.authors, self.reviewers, self.monitors, self.readers, *self.stages.values())
        return tuple(sorted({gid for gid in named if gid is not None}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A folder of the tree, or ``registry.toml``, as it shall be.

    Attributes:
        path: below the root; empty for the root itself.
        gid: its group; None for whichever its steward has.
        mode: its permission bits.
        file: whether it is ``registry.toml``.
    """

    path: str
    gid: int | None = None
    mode: int = _PLAIN
    file: bool = False

    @property
    def parent(self) -> str:
        """The folder that it lies in, below the root."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder of the tree, or ``registry.toml``, as the file system has it."""

    path: str
    uid: int
    gid: int
    mode: int
    folder: bool

    def document(self) -> dict[str, str]:
        """In JSON's types; folders end with a slash."""
        return {
            "path": f"{self.path or '.'}{'/' if self.folder else ''}",
            "owner": user_name(self.uid) or str(self.uid),
            "group": group_name(self.gid),
            "mode": f"{self.mode:04o}",
        }


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


def expected(plan: Plan) -> tuple[Row, ...]:
    """Every place of the tree that a plan asks for, parents first, ``registry.toml`` last."""
    # A private registry is closed at its root, once: below it modes are the same, so that readers can read what authors
    # make, and a file moved in by hand needs no other mode than elsewhere.
    rows = [Row(path="", gid=plan.readers, mode=_PLAIN if plan.readers is None else _PRIVATE)]
    shared = layout.SHARED_FOLDER_MODE
    rows.append(_row(layout.MODELS, plan.authors, _STRICT if plan.strict else shared))
    for parent, mode in ((layout.STAGES, shared), (layout.LIVE, _POINTERS), (layout.APPROVALS, shared)):
        rows.append(Row(path=parent))
        for stage, gid in plan.stages.items():
            rows.append(_row(f"{parent}/{stage}", plan.reviewers if parent == layout.APPROVALS else gid, mode))
    rows.append(_row(layout.OBSERVATIONS, plan.monitors, shared))
    rows.append(_row(layout.FEED, plan.authors, shared))
    rows.append(Row(path=layout.REGISTRY_FILE, mode=_FILE, file=True))
    return tuple(rows)


def _row(path: str, gid: int | None, mode: int) -> Row:
    return Row(path=path, gid=gid, mode=_PLAIN if gid is None else mode)


def look(root: Folder, path: str) -> Found | None:
    """A place of the tree as it is now; None where it is missing.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        parent, _, name = path.rpartition("/")
        if parent:
            with root.child(parent) as folder:
                status = folder.lstat(name)
        else:
            status = root.lstat(name) if name else root.status()
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    return Found(
        path=path,
        uid=status.st_uid,
        gid=status.st_gid,
        mode=stat.S_IMODE(status.st_mode),
        folder=stat.S_ISDIR(status.st_mode),
    )


# --- what would put it right


def place(root: str, path: str) -> str:
    """A place of the tree as a word for a shell."""
    return shlex.quote(os.path.join(os.path.abspath(root), path) if path else os.path.abspath(root))


def mode_text(row: Row) -> str:
    """A mode as ``chmod`` takes it."""
    # With fewer than five digits GNU chmod leaves the setgid bit of a folder as it is.
    return f"{row.mode:05o}" if not row.file and not row.mode & stat.S_ISGID else f"{row.mode:04o}"


def commands_for(root: str, row: Row, found: Found | None, steward: int) -> tuple[str, ...]:
    """What makes one place of the tree, or puts it right; ``chmod`` comes last because ``chgrp`` may clear setgid."""
    where = place(root, row.path)
    commands = []
    if found is None:
        commands.append(f"mkdir {where}")
    elif found.uid != steward:
        commands.append(f"chown {shlex.quote(user_name(steward) or str(steward))} {where}")
    if row.gid is not None and (found is None or found.gid != row.gid):
        commands.append(f"chgrp {shlex.quote(group_name(row.gid))} {where}")
    if commands or (found is not None and found.mode != row.mode):
        commands.append(f"chmod {mode_text(row)} {where}")
    return tuple(commands)


# --- what is wrong


def differences(root: Folder, plan: Plan, declared: Sequence[StageName]) -> tuple[Difference, ...]:
    """Where a registry is not as the plan says.

    The steward is whoever owns the root.

    Args:
        root: the registry.
        plan: what it shall be like.
        declared: the stages that its ``registry.toml`` declares.
    """
    return (
        *_stage_differences(root.path, plan.stages, declared),
        *_place_differences(root, expected(plan)),
        *_strays(root, {*plan.stages, *declared}),
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
    for stage in declared:
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
    commands = commands_for(root, row, found, steward)
    if found is None:
        if not row.file:
            message = "is missing: nobody but the steward can make it"
            by = _by(row, steward)
            yield Difference(
                kind="missing", path=row.path, message=message, wanted=_wanted(row), commands=commands, by=by
            )
        return
    if found.folder is row.file:
        message = f"is no {'file' if row.file else 'folder'}: look at what lies there, and move it away"
        yield Difference(kind="not-a-folder", path=row.path, message=message, wanted=_wanted(row))
        return
    if found.uid != steward:
        owner = user_name(found.uid) or str(found.uid)
        yield Difference(
            kind="owner",
            path=row.path,
            message=f"belongs to {owner} and not to the steward: an owner is bound neither by the mode nor by the "
            "sticky bit",
            wanted=user_name(steward) or str(steward),
            seen=owner,
            commands=commands,
            by="administrator",
        )
    if row.gid is not None and found.gid != row.gid:
        yield Difference(
            kind="group",
            path=row.path,
            message=f"is of group {group_name(found.gid)} and not of {group_name(row.gid)}",
            wanted=group_name(row.gid),
            seen=group_name(found.gid),
            commands=commands,
            by=_by(row, steward) if found.uid == steward else "administrator",
        )
    if found.mode != row.mode:
        kind, message = _mode_trouble(row, found)
        yield Difference(
            kind=kind,
            path=row.path,
            message=message,
            wanted=f"{row.mode:04o}",
            seen=f"{found.mode:04o}",
            commands=commands,
            by=_by(row, steward) if found.uid == steward else "administrator",
        )


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
    if extra & stat.S_IWGRP:
        what = "rewrite the rules" if row.file else "rename what lies in it away, and put something else in its place"
        return "group-writable", f"every member of {group} can {what}"
    if wanted & ~seen & stat.S_IWGRP:
        return "mode", f"is {seen:04o} and not {wanted:04o}: the group {group} cannot make names in it"
    if wanted & ~seen & stat.S_ISGID:
        return "no-setgid", f"what is made in it does not belong to the group {group}, and others of it cannot write it"
    return "mode", f"is {seen:04o} and not {wanted:04o}"


def _strays(root: Folder, known: Iterable[StageName]) -> Iterator[Difference]:
    """Folders of stages that nobody declares."""
    for parent in _PARENTS:
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

    Groups are recorded nowhere but in the tree: a folder is taken to be shared with its group where that may write,
    where it passes the group on, or where it is another group than that of the folders which are the steward's alone.

    Args:
        root: the registry.
        declared: the stages that its ``registry.toml`` declares.
    """
    stages = dict.fromkeys(declared)
    found = {row.path: _look_quietly(root, row.path) for row in expected(Plan(path=root.path, stages=stages))}
    plan = _probable(root.path, found, declared)
    rows = tuple(_as_it_may_be(row, found[row.path]) for row in expected(plan))
    troubles = [*_place_differences(root, rows), *_strays(root, declared)]
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
    root = found[""]
    own = next((one.gid for one in (found[parent] for parent in _PARENTS) if one), root.gid if root else -1)

    def group(*places: str) -> int | None:
        shared = (found.get(one) for one in places)
        return next((one.gid for one in shared if one and _is_shared(one, own)), None)

    models, authors = found[layout.MODELS], group(layout.MODELS, layout.FEED)
    closed = root is not None and not root.mode & 0o007 and bool(root.mode & 0o050)
    return Plan(
        path=path,
        authors=authors,
        stages={stage: group(*(f"{parent}/{stage}" for parent in _PARENTS[:2])) for stage in declared},
        reviewers=group(*(f"{layout.APPROVALS}/{stage}" for stage in declared)),
        monitors=group(layout.OBSERVATIONS),
        readers=root.gid if closed and root else None,
        strict=authors is not None and models is not None and not models.mode & stat.S_IWGRP,
    )


def _is_shared(found: Found, own: int) -> bool:
    # What everybody may write says nothing about a group.
    by_mode = found.mode & stat.S_ISGID or found.mode & _WRITERS == stat.S_IWGRP
    return found.folder and (bool(by_mode) or found.gid != own)


def _as_it_may_be(row: Row, found: Found | None) -> Row:
    """The row, with what a steward may choose as he likes: who reads the root, and who approves for one stage."""
    if found is None:
        return row
    if row.path == "":
        return replace(row, gid=None, mode=found.mode & ~_WRITERS)
    if row.file:
        return replace(row, mode=found.mode & ~_WRITERS)
    if row.parent == layout.APPROVALS and row.gid is not None and found.mode & stat.S_IWGRP:
        return replace(row, gid=found.gid)
    return row


def _with_group_to_name(difference: Difference, plan: Plan) -> Difference:
    """A missing folder of a stage whose group nobody can know: the steward names it."""
    parent, _, stage = difference.path.partition("/")
    if difference.kind != "missing" or not stage or parent not in _PARENTS:
        return difference
    gid = plan.reviewers if parent == layout.APPROVALS else plan.stages.get(StageName(stage))
    if gid is not None:
        return difference
    where = place(plan.path, difference.path)
    mode = _POINTERS if parent == layout.LIVE else layout.SHARED_FOLDER_MODE
    who = "may approve" if parent == layout.APPROVALS else "may move into it"
    return replace(
        difference,
        message=f"is missing: nobody can move into {stage}; GROUP is the one that {who}",
        commands=(f"mkdir {where}", f"chgrp GROUP {where}", f"chmod {mode:04o} {where}"),
    )
