"""The folders of a registry: whose group each belongs to, with which mode, and by which commands it gets there.

Said here once: ``init`` makes what :func:`expected` lists, and ``survey`` compares a tree that is there with it.
Nothing here changes anything.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.values import dataclass, field
from stackroom.store import layout
from stackroom.store.access import group_name, user_name
from stackroom.store.folder import GONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.names import StageName
    from stackroom.store.folder import Folder

PLAIN_MODE: Final = 0o755
"""Of a folder in which only its steward makes names."""

_PRIVATE: Final = 0o2750
_STRICT: Final = 0o2755
POINTERS_MODE: Final = 0o2775
"""``live/<stage>`` is not sticky: any releaser replaces another's pointer, and nothing is decided by it."""

_FILE: Final = 0o644
STAGE_PARENTS: Final = (layout.STAGES, layout.LIVE, layout.APPROVALS)
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
        gid: its group; None for the steward's own.
        mode: its permission bits.
        file: whether it is ``registry.toml``.
    """

    path: str
    gid: int | None = None
    mode: int = PLAIN_MODE
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


def expected(plan: Plan) -> tuple[Row, ...]:
    """Every place of the tree that a plan asks for, parents first, ``registry.toml`` last."""
    # A private registry is closed at its root, once: below it modes are the same, so that readers can read what authors
    # make, and a file moved in by hand needs no other mode than elsewhere.
    rows = [Row(path="", gid=plan.readers, mode=PLAIN_MODE if plan.readers is None else _PRIVATE)]
    shared = layout.SHARED_FOLDER_MODE
    rows.append(_row(layout.MODELS, plan.authors, _STRICT if plan.strict else shared))
    for parent, mode in ((layout.STAGES, shared), (layout.LIVE, POINTERS_MODE), (layout.APPROVALS, shared)):
        rows.append(Row(path=parent))
        for stage, gid in plan.stages.items():
            rows.append(_row(f"{parent}/{stage}", plan.reviewers if parent == layout.APPROVALS else gid, mode))
    rows.append(_row(layout.OBSERVATIONS, plan.monitors, shared))
    rows.append(_row(layout.FEED, plan.authors, shared))
    rows.append(Row(path=layout.REGISTRY_FILE, mode=_FILE, file=True))
    return tuple(rows)


def _row(path: str, gid: int | None, mode: int) -> Row:
    return Row(path=path, gid=gid, mode=PLAIN_MODE if gid is None else mode)


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


def commands_for(
    root: str, row: Row, found: Found | None, steward: int, *, by_steward: bool = False
) -> tuple[str, ...]:
    """What makes one place of the tree, or puts it right; ``chmod`` comes last because ``chgrp`` may clear setgid."""
    where = place(root, row.path)
    # Whatever lies there by then, an administrator gives nothing away that a symlink points at.
    itself = "-h " if row.path else ""
    commands = []
    if found is None:
        commands.append(f"mkdir {where}")
    if not by_steward and (found is None or found.uid != steward):
        commands.append(f"chown {itself}{shlex.quote(user_name(steward) or str(steward))} {where}")
    if row.gid is not None and (found is None or found.gid != row.gid):
        commands.append(f"chgrp {itself}{shlex.quote(group_name(row.gid))} {where}")
    if commands or (found is not None and found.mode != row.mode):
        commands.append(f"chmod {mode_text(row)} {where}")
    return tuple(commands)


def commands_for_stage(root: str, parent: str, stage: str) -> tuple[str, ...]:
    """What makes a stage's folder in a registry with groups, for the steward, who puts a group for ``GROUP``."""
    where = place(root, f"{parent}/{stage}")
    mode = POINTERS_MODE if parent == layout.LIVE else layout.SHARED_FOLDER_MODE
    return f"mkdir {where}", f"chgrp -h GROUP {where}", f"chmod {mode:04o} {where}"
