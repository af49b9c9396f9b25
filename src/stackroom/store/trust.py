"""Who else could have written something: the policy, a guard's program, and the folders on the way to a registry.

By owner, mode and POSIX ACL of what was opened. Whoever may write a folder puts what he likes under the names in it; a
sticky one keeps the names of others from him, and is therefore harmless above the registry, where every next step
belongs to somebody who is trusted.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.values import dataclass
from stackroom.store import layout
from stackroom.store.access import group_name, user_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.store.folder import Folder

ROOT: Final = 0
_WRITE: Final = 0o2
_ACL: Final = "system.posix_acl_access"
_OTHERS: Final = frozenset({0x02, 0x04, 0x08, 0x20})
"""Tags in an ACL: a named user, the group, a named group, everybody else; the owner and the mask are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Something that others than the trusted could have written.

    Attributes:
        path: what.
        why: in words, after the path.
        advice: what to do, or empty.
    """

    path: str
    why: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.why}"


def stewards(root: Folder) -> frozenset[int]:
    """Whose things are the registry's own: those of the owner of its folder, and root's."""
    return frozenset({ROOT, root.status().st_uid})


def open_to_others(at: int | str, path: str, trusted: frozenset[int]) -> Open | None:
    """Who else could write this; None where nobody can.

    Args:
        at: a descriptor of it, or its path.
        path: what it is called when it is told.
        trusted: the uids that may own it.

    Raises:
        OSError: it cannot be looked at.
    """
    status = os.stat(at)
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in trusted:
        owner = user_name(status.st_uid) or status.st_uid
        whose = "root, as you are" if trusted == {ROOT} else "the steward"
        return Open(path=path, why=f"belongs to {owner}, and not to {whose}")
    advice = f"ask the steward: chmod go-w {shlex.quote(path)}"
    if mode & (_WRITE << 3):
        why = f"can be written by group {group_name(status.st_gid)} (mode {mode:04o})"
        return Open(path=path, why=why, advice=advice)
    if mode & _WRITE:
        return Open(path=path, why=f"can be written by everybody (mode {mode:04o})", advice=advice)
    if any(permissions & _WRITE for permissions in _granted_by_acl(at)):
        advice = f"ask the steward: setfacl -b {shlex.quote(path)}"
        return Open(path=path, why="has an ACL that lets others write it", advice=advice)
    return None


def _granted_by_acl(at: int | str) -> Iterator[int]:
    """The permissions that a POSIX ACL gives to others than the owner, whatever its mask says now."""
    try:
        acl = os.getxattr(at, _ACL)
    except OSError:
        return  # none, or a file system without them
    # The kernel's form: a version of four bytes, then a tag, permissions and an id for each entry (2 + 2 + 4 bytes).
    for start in range(4, len(acl) - 7, 8):
        if int.from_bytes(acl[start : start + 2], "little") in _OTHERS:
            yield int.from_bytes(acl[start + 2 : start + 4], "little")


def open_policy(root: Folder) -> Iterator[Open]:
    """Why the guards may be somebody else's: the registry's folder, then ``registry.toml``."""
    trusted = stewards(root)
    found = open_to_others(root.fd, root.path, trusted)
    if found:
        yield found
    try:
        file = root.open_file(layout.REGISTRY_FILE)
    except OSError:
        return  # who reads the policy is told
    try:
        found = open_to_others(file, f"{root.path}/{layout.REGISTRY_FILE}", trusted)
    finally:
        os.close(file)
    if found:
        yield found


def open_ways(path: str, trusted: frozenset[int]) -> Iterator[Open]:
    """The folders above a registry in which others could put another one in its place, from the top.

    Both the way by which it was opened and the one without symlinks.
    """
    for above in _above(path):
        try:
            found = open_to_others(above, above, trusted)
            status = os.stat(above)
        except OSError as error:
            yield Open(path=above, why=f"cannot be looked at: {(error.strerror or str(error)).lower()}")
            continue
        if found and not (status.st_mode & stat.S_ISVTX and status.st_uid in trusted):
            advice = f"ask {user_name(status.st_uid) or status.st_uid}, who owns it, or an administrator: chmod go-w"
            yield Open(path=above, why=found.why, advice=f"{advice} {shlex.quote(above)}")


def _above(path: str) -> list[str]:
    found: dict[str, None] = {}
    for way in (os.path.realpath(path), os.path.abspath(path)):
        parts = way.split("/")[1:-1]
        found |= dict.fromkeys(["/", *("/" + "/".join(parts[: at + 1]) for at in range(len(parts)))])
    return list(found)
