"""Making a registry: the tree, its owners and modes, and a ``registry.toml`` to start from.

Modes are set explicitly, whatever the umask, and read back: the kernel clears setgid without a word for somebody who is
not in the group. ``registry.toml`` is written last, so that an interrupted init has made no registry.
"""

from __future__ import annotations

import grp
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from stackroom.core.toml import format_toml
from stackroom.errors import ConflictError, InvalidInputError, PermissionDeniedError
from stackroom.store import layout
from stackroom.store.access import current_user, group_members, group_name, user_name
from stackroom.store.folder import Folder, explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from stackroom.core.names import StageName

_PLAIN: Final = 0o755
_PRIVATE: Final = 0o2750
_STRICT: Final = 0o2755
_POINTERS: Final = 0o2775
"""``live/<stage>`` is not sticky: any releaser replaces another's pointer, and nothing is decided by it."""

DEFAULT_STAGES: Final = ("staging", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to make.

    Attributes:
        path: where.
        name: for people; empty for the folder's name.
        authors: the gid that may add models and versions; None: only the caller.
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
class MadeFolder:
    """A line of the tree that init made, as read back from the file system."""

    path: str
    owner: str
    group: str
    mode: str

    def document(self) -> dict[str, str]:
        """In JSON's types."""
        return {"path": self.path, "owner": self.owner, "group": self.group, "mode": self.mode}


def parse_group(text: str) -> int:
    """A group's number from its name or number.

    Raises:
        InvalidInputError: this host knows no such group.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise InvalidInputError(f"there is no group {text!r} on this host", hint="getent group lists them") from None


def make_registry(plan: Plan, now: datetime) -> tuple[MadeFolder, ...]:
    """Make the tree and ``registry.toml``.

    Raises:
        ConflictError: it is a registry already.
        InvalidInputError: something else lies there.
        PermissionDeniedError: the caller is not in a group that it should give folders to.
    """
    check_plan(plan)
    try:
        os.makedirs(plan.path, exist_ok=True)
        with Folder.open(plan.path) as root:
            _check_empty(root)
            made = _make_tree(root, plan)
            root.create(layout.REGISTRY_FILE, _registry_text(plan, now).encode(), 0o644)
            root.sync()
            return (*made, _made(root, layout.REGISTRY_FILE))
    except OSError as error:
        raise explained(error, "make a registry in", plan.path) from error


def check_plan(plan: Plan) -> None:
    """Whether the plan can be carried out, as far as can be told without making anything; errors as above."""
    _check_groups(plan)
    _check_readers(plan)
    try:
        with Folder.open(plan.path) as root:
            _check_empty(root)
    except FileNotFoundError:
        return
    except OSError as error:
        raise explained(error, "make a registry in", plan.path) from error


def _check_empty(root: Folder) -> None:
    present = root.names()
    if layout.REGISTRY_FILE in present:
        raise ConflictError(
            f"{root.path} is a registry already",
            hint=f"open it with: stackroom {root.path}",
            facts={"path": root.path},
        )
    if present:
        raise InvalidInputError(
            f"{root.path} is not empty, and a registry needs a folder of its own",
            hint="name a new folder",
            facts={"path": root.path, "found": sorted(present)[:5]},
        )


def _check_groups(plan: Plan) -> None:
    mine = {os.getegid(), *os.getgroups()}
    lacking = [group_name(gid) for gid in plan.groups() if gid not in mine]
    if lacking and os.geteuid() != 0:
        login = current_user().label
        raise PermissionDeniedError(
            f"you are not in {', '.join(lacking)}, and only a member can give folders to a group",
            hint=f"as an administrator: usermod -aG {','.join(lacking)} {login}; then log in again",
            facts={"groups": lacking},
        )


def _check_readers(plan: Plan) -> None:
    if plan.readers is None:
        return
    readers = set(group_members(plan.readers))
    for gid in plan.groups():
        outside = sorted(set(group_members(gid)) - readers)
        if outside and gid != plan.readers:
            raise InvalidInputError(
                f"{', '.join(outside)} of group {group_name(gid)} could not read the registry: "
                f"not in {group_name(plan.readers)}",
                hint="the readers' group must hold every author, reviewer, releaser and monitor",
                facts={"group": group_name(gid), "outside": outside},
            )


def _make_tree(root: Folder, plan: Plan) -> tuple[MadeFolder, ...]:
    # A private registry is closed at its root, once: below it modes are the same, so that readers can read what authors
    # make, and a file moved in by hand needs no other mode than elsewhere.
    _set(root, plan.readers, _PLAIN if plan.readers is None else _PRIVATE)
    made = [_made(root, "")]
    shared = layout.SHARED_FOLDER_MODE
    made.append(_make(root, layout.MODELS, plan.authors, _STRICT if plan.strict else shared))
    for parent, mode in ((layout.STAGES, shared), (layout.LIVE, _POINTERS), (layout.APPROVALS, shared)):
        made.append(_make(root, parent, None, _PLAIN))
        with root.child(parent) as folder:
            for stage, gid in plan.stages.items():
                group = plan.reviewers if parent == layout.APPROVALS else gid
                made.append(_make(folder, stage, group, mode, prefix=f"{parent}/"))
    made.append(_make(root, layout.OBSERVATIONS, plan.monitors, shared))
    made.append(_make(root, layout.FEED, plan.authors, shared))
    return tuple(made)


def _make(parent: Folder, name: str, gid: int | None, mode: int, prefix: str = "") -> MadeFolder:
    os.mkdir(name, 0o700, dir_fd=parent.fd)
    with parent.child(name) as folder:
        _set(folder, gid, mode if gid is not None else _PLAIN)
    return _made(parent, name, prefix)


def _set(folder: Folder, gid: int | None, mode: int) -> None:
    if gid is not None:
        os.fchown(folder.fd, -1, gid)
    os.fchmod(folder.fd, mode)
    status = folder.status()
    if stat.S_IMODE(status.st_mode) != mode or (gid is not None and status.st_gid != gid):
        raise PermissionDeniedError(
            f"{folder.path}: asked for group {gid} and mode {mode:o}, and the file system made it "
            f"{status.st_gid} and {stat.S_IMODE(status.st_mode):o}",
            hint="this file system does not keep groups or setgid as asked; choose another, or leave the groups out",
        )
    folder.sync()


def _made(parent: Folder, name: str, prefix: str = "") -> MadeFolder:
    status = parent.lstat(name) if name else parent.status()
    folder = "/" if stat.S_ISDIR(status.st_mode) else ""
    return MadeFolder(
        path=f"{prefix}{name}{folder}" if name else "./",
        owner=user_name(status.st_uid) or str(status.st_uid),
        group=group_name(status.st_gid),
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
    )


def _registry_text(plan: Plan, now: datetime) -> str:
    """A registry.toml to start from: what was asked for, one guard, and examples to uncomment."""
    # A folder's name may be bytes that are no text.
    name = (plan.name or os.path.basename(os.path.abspath(plan.path))).encode(errors="replace").decode()
    head = format_toml({"format": 1, "id": str(uuid4()), "name": name, "created": now.replace(microsecond=0)})
    lines = [head, _EXAMPLES]
    before: StageName | None = None
    for stage in plan.stages:
        lines.append(f'[stages."{stage}"]' if "." in stage else f"[stages.{stage}]")
        if before and stage == list(plan.stages)[-1]:
            lines.append(f'guards = {{ from = ["{before}"] }}  # only what holds or has held {before}')
        lines.append("")
        before = stage
    return "\n".join(lines)


_EXAMPLES: Final = """\
# Say which way a metric is better, and comparisons know who wins:
# [metrics.auc]
# better = "higher"
# [metrics.latency_ms]
# better = "lower"
# unit = "ms"

# A move into a stage must meet its guards:
# [stages.production.guards]
# from = ["staging"]                              # holds or has held one of these
# require = ["description", "card", "license"]    # must be there
# verify = true                                   # re-read every byte
# metrics = ["auc >= 0.90", "latency_ms <= 20"]
# not_worse = { auc = 0.005, latency_ms = "5%" }  # than the present holder
# same_datasets = "test"                          # measured on the same data as the holder
# four_eyes = true                                # the author does not move it
# approvals = 1                                   # `stackroom approve`, by somebody else than the author
# soak_hours = 24                                 # has held staging for a day
# reason = true                                   # asks for --reason
# command = ["checks/audit", "{path}"]            # a program of yours, here in the registry, ends with 0
"""
