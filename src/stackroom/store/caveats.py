"""What makes a prediction of permission unsure: where mode bits and groups do not say what kernel or server will do.

Nothing is tried out. Each caveat is told with what to do about it; where something cannot be found out, nothing is
said of it.
"""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.values import dataclass
from stackroom.store.access import group_name
from stackroom.store.mounts import FileSystem, file_system_of
from stackroom.store.trust import open_policy

if TYPE_CHECKING:
    from stackroom.store.folder import Folder

AUTH_SYS_GROUPS: Final = 16
"""Supplementary groups that a call of AUTH_SYS carries (RFC 5531, appendix A); the client sends the lowest numbers."""

ID_MAP: Final = "/proc/self/uid_map"
_WHOLE_MAP: Final = ("0", "0", "4294967295")
_NFS: Final = frozenset({"nfs", "nfs4"})
_POSIX_ACLS: Final = ("system.posix_acl_access", "system.posix_acl_default")
_NFS_ACL: Final = "system.nfs4_acl"
_ORDINARY: Final = frozenset({b"OWNER@", b"GROUP@", b"EVERYONE@"})
"""Whom an NFSv4 ACL names that says no more than mode bits; a server shows one for every file."""

Kind = Literal[
    "many-groups", "root-squash", "acl", "read-only", "user-namespace", "not-sticky", "written-since", "policy-open"
]

ABOUT_THE_MOVE: Final[frozenset[Kind]] = frozenset({"written-since", "policy-open"})
"""What concerns a move that is made as much as one that is asked about; the others make a prediction unsure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """Why a prediction may be wrong, or a permission is worth less than it seems.

    Attributes:
        kind: a word for machines.
        message: what is the case, and what may come of it.
        advice: what to do.
    """

    kind: Kind
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.message}: {self.advice}"

    def document(self) -> dict[str, str]:
        """In JSON's types."""
        return {"kind": self.kind, "message": self.message, "advice": self.advice}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Who asks about which directory, and what it lies on.

    Attributes:
        path: the directory.
        uid: the caller's, effective.
        gid: likewise.
        groups: the supplementary ones.
        file_system: that holds the directory.
        id_map: the first line of the user namespace's map of uids; empty where it is not known.
        directory_gid: the directory's group; None where it cannot be looked at.
        mode: its permission bits.
        acl: whether it has an access control list that says more than they do.
    """

    path: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    file_system: FileSystem
    id_map: tuple[str, ...] = ()
    directory_gid: int | None = None
    mode: int = 0
    acl: bool = False


def caveats(path: str) -> tuple[Caveat, ...]:
    """What the caller should know before believing what is predicted about a directory."""
    return caveats_of(surroundings(path))


def caveats_of(seen: Surroundings) -> tuple[Caveat, ...]:
    """The same, of what was seen."""
    found = (_read_only(seen), _many_groups(seen), _root_squash(seen), _acl(seen), _namespace(seen), _not_sticky(seen))
    return tuple(one for one in found if one)


def surroundings(path: str) -> Surroundings:
    """What there is to see; what cannot be seen is left out."""
    gid, mode = None, 0
    try:
        status = os.stat(path)
        gid, mode = status.st_gid, stat.S_IMODE(status.st_mode)
    except OSError:
        pass
    return Surroundings(
        path=path,
        uid=os.geteuid(),
        gid=os.getegid(),
        groups=tuple(os.getgroups()),
        file_system=file_system_of(path),
        id_map=_id_map(),
        directory_gid=gid,
        mode=mode,
        acl=_has_acl(path),
    )


def _id_map() -> tuple[str, ...]:
    try:
        with open(ID_MAP, encoding="ascii") as file:
            return tuple(file.readline().split())
    except (OSError, ValueError):
        return ()


def _has_acl(path: str) -> bool:
    if any(_attribute(path, name) for name in _POSIX_ACLS):
        return True
    return any(who not in _ORDINARY for who in named_by(_attribute(path, _NFS_ACL)))


def _attribute(path: str, name: str) -> bytes:
    try:
        return os.getxattr(path, name)
    except OSError:
        return b""


def named_by(acl: bytes) -> tuple[bytes, ...]:
    """Whom an NFSv4 ACL names, from its XDR; as far as it can be understood."""
    names = []
    offset = 4
    while len(acl) >= offset + 16:
        (length,) = struct.unpack_from(">I", acl, offset + 12)
        names.append(acl[offset + 16 : offset + 16 + length])
        offset += 16 + -(-length // 4) * 4
    return tuple(names)


def policy_caveats(root: Folder) -> tuple[Caveat, ...]:
    """Why the guards of a registry may be another's than the steward's."""
    return tuple(
        Caveat(
            kind="policy-open",
            message=f"the guards may be somebody else's: {found}",
            advice=found.advice or "ask an administrator to give it to the steward",
        )
        for found in open_policy(root)
    )


# --- one each


def _read_only(seen: Surroundings) -> Caveat | None:
    if "ro" not in seen.file_system.options:
        return None
    return Caveat(
        kind="read-only",
        message=f"{seen.file_system.mount_point} is mounted read-only here, whatever the modes say",
        advice="make the change on a host that mounts it read-write",
    )


def _many_groups(seen: Surroundings) -> Caveat | None:
    groups = sorted(set(seen.groups))
    if not _by_auth_sys(seen.file_system) or len(groups) <= AUTH_SYS_GROUPS:
        return None
    message = f"you are in {len(groups)} groups, and NFS with sec=sys tells the server of {AUTH_SYS_GROUPS}"
    needed = seen.directory_gid
    if needed is not None and needed != seen.gid and needed in groups[AUTH_SYS_GROUPS:]:
        place = groups.index(needed) + 1
        message += f"; {group_name(needed)} is number {place} of them, and the server may not know that you are in it"
    return Caveat(
        kind="many-groups",
        message=message,
        advice="use newgrp for the group that is needed, leave some groups, or have the server look them up itself "
        "(manage-gids) or use sec=krb5",
    )


def _by_auth_sys(file_system: FileSystem) -> bool:
    security = {option for option in file_system.options if option.startswith("sec=")}
    return file_system.type in _NFS and security <= {"sec=sys"}


def _root_squash(seen: Surroundings) -> Caveat | None:
    if seen.uid != 0 or seen.file_system.type not in _NFS:
        return None
    return Caveat(
        kind="root-squash",
        message="you are root on NFS, and most servers take root for nobody: what you make belongs to nobody, and does "
        "not count",
        advice="work as an ordinary account",
    )


def _acl(seen: Surroundings) -> Caveat | None:
    if not seen.acl:
        return None
    return Caveat(
        kind="acl",
        message=f"{seen.path} has an access control list: its mode does not tell who may",
        advice="look with getfacl or nfs4_getfacl; take it away with setfacl -b where it is not wanted",
    )


def _namespace(seen: Surroundings) -> Caveat | None:
    if seen.id_map in {(), _WHOLE_MAP}:
        return None
    return Caveat(
        kind="user-namespace",
        message="the numbers of users and groups are mapped here, as in a container: what you make may belong to "
        "somebody else outside",
        advice="compare `ls -ln` inside and outside, or work outside",
    )


def _not_sticky(seen: Surroundings) -> Caveat | None:
    writable, sticky = seen.mode & (stat.S_IWGRP | stat.S_IWOTH), seen.mode & stat.S_ISVTX
    if not writable or sticky:
        return None
    whose = "everybody" if seen.mode & stat.S_IWOTH else f"every member of {group_name(seen.directory_gid or 0)}"
    return Caveat(
        kind="not-sticky",
        message=f"{seen.path} is {seen.mode:04o}, without the sticky bit: {whose} can take away what you make in it",
        advice="have its owner set the mode 3775",
    )
