"""Who the caller is, and who may make names in a directory.

Predictions only: the kernel decides when the name is made, and on NFS the server's view of a user's groups may differ.
A message about a refusal is built here, so that it always names the directory, its group and the group's members.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Who
from stackroom.core.values import dataclass, replace
from stackroom.errors import PermissionDeniedError
from stackroom.store import layout

if TYPE_CHECKING:
    from stackroom.store.folder import Folder

_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)


@lru_cache(maxsize=1024)
def user_name(uid: int) -> str:
    """The login of a uid, or an empty text."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""


@lru_cache(maxsize=1024)
def owner_label(uid: int) -> str:
    """The login of a uid, or the number as text."""
    return Who(uid, user_name(uid)).label


@lru_cache(maxsize=1024)
def primary_group(uid: int) -> int | None:
    """The gid that a user's processes have at first, or None where this host does not know the user."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except (KeyError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def group_name(gid: int) -> str:
    """The name of a gid, or the number as text."""
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return str(gid)


def current_user() -> Who:
    """The caller, as the kernel will record it."""
    uid = os.geteuid()
    return Who(uid, user_name(uid))


def owner_of(folder: Folder) -> Who:
    """Whom an open folder belongs to; a registry's is its steward."""
    uid = folder.status().st_uid
    return Who(uid, user_name(uid))


@lru_cache(maxsize=64)
def group_members(gid: int) -> tuple[str, ...]:
    """The logins of a group's members, as far as this host knows them, sorted."""
    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except (KeyError, OverflowError):
        members = set()
    members |= {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == gid}
    return tuple(sorted(members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whether the caller may make names in a directory, and who may.

    Attributes:
        allowed: as far as this host can tell.
        directory: which one.
        owner: its owner.
        group: its group's name or number.
        mode: its permission bits.
        members: the group's members that this host knows.
        group_may: whether the group may make names.
        reason: why not, where it is not the mode: missing, or a read-only file system.
        exists: whether the directory is there.
        joined_since: the caller is in the group, but was not yet when this session began.
        remedy: what would have to be done first, and by whom, where it is not for the caller to ask to be let in.
    """

    allowed: bool
    directory: str
    owner: Who
    group: str
    mode: int
    members: tuple[str, ...]
    group_may: bool
    reason: str = ""
    exists: bool = True
    joined_since: bool = False
    remedy: str = ""

    def seen(self) -> str:
        """What there is to see, as half a sentence: why not, or the directory with its owner, group and mode."""
        return self.reason or f"{self.directory} is {self.owner.label}:{self.group} {self.mode:04o}"

    def who_may(self) -> str:
        """Who may, as half a sentence."""
        owner = self.owner.label
        if self.remedy and not self.group_may:
            return "nobody may yet"
        if not self.group_may:
            return f"only {owner} may"
        # Many directory services answer for a name and list nobody; a number without a name is answered for by no one.
        members = ", ".join(self.members) if self.members else "this host lists none of its members"
        return f"group {self.group} may ({members})"

    def advice(self) -> str:
        """What to ask for, and of whom, for somebody who may not."""
        if self.owner.uid < 0:
            # Nothing is known about it; the reason says why.
            return ""
        if self.remedy:
            return self.remedy
        owner = self.owner.label
        if self.joined_since:
            return f"you are in {self.group} now, but were not when you logged in: log in again"
        if self.reason:
            return "use a host where it can be written"
        if not self.group_may:
            return f"{self.who_may()}; ask {owner}"
        # The owner of a model's folder is any author: groups are not his to give.
        one_of_them = "one of them, or " if self.members else ""
        return f"{self.who_may()}; ask {one_of_them}the steward, to be added to {self.group}"

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "allowed": self.allowed,
            "directory": self.directory,
            "owner": str(self.owner),
            "group": self.group,
            "mode": f"{self.mode:04o}",
            "members": list(self.members),
            "reason": self.reason,
        }

    def refusal(self, doing: str, *, you: Who) -> PermissionDeniedError:
        """The error that says so: what cannot be done, by whom, where, and whom to ask."""
        what = self.reason or f"{self.seen()}, and you are {you.label}"
        return PermissionDeniedError(
            f"you may not {doing}: {what}",
            hint=self.advice(),
            facts=self.document(),
        )


def access_to(directory: str) -> Access:
    """Whether the caller may make names in the directory.

    ``os.access`` with effective ids: it asks the server on NFS, and sees read-only mounts.
    """
    try:
        status = os.stat(directory)
    except OSError as error:
        return Access(
            allowed=False,
            directory=directory,
            owner=Who(-1, "nobody"),
            group="",
            mode=0,
            members=(),
            group_may=False,
            reason=f"{directory}: {(error.strerror or str(error)).lower()}",
            exists=error.errno not in _MISSING,
        )
    mode = stat.S_IMODE(status.st_mode)
    reason = ""
    allowed = os.access(directory, os.W_OK | os.X_OK, effective_ids=True)
    if not allowed and _is_read_only(directory):
        reason = f"{directory} is on a file system that is mounted read-only"
    return Access(
        allowed=allowed,
        directory=directory,
        owner=Who(status.st_uid, user_name(status.st_uid)),
        group=group_name(status.st_gid),
        mode=mode,
        members=group_members(status.st_gid),
        group_may=bool(mode & stat.S_IWGRP),
        reason=reason,
        joined_since=not allowed and bool(mode & stat.S_IWGRP) and _joined_since(status.st_gid),
    )


def _is_read_only(directory: str) -> bool:
    try:
        return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
    except OSError:
        # It vanished since it was looked at: what was seen of it is told.
        return False


def access_to_models(root: str) -> Access:
    """Whether the caller may make models.

    Their folders pass on the group of ``models/``, and the kernel keeps that bit for members of the group alone: who
    merely owns ``models/`` can make names there and no model.
    """
    access = access_to(f"{root}/{layout.MODELS}")
    if not access.allowed or os.geteuid() == 0:
        return access
    try:
        status = os.stat(access.directory)
    except OSError:
        return access
    if not status.st_mode & stat.S_ISGID or status.st_gid in {os.getegid(), *os.getgroups()}:
        return access
    group, you = access.group, current_user().label
    since = _joined_since(status.st_gid)
    import shlex  # noqa: PLC0415 - only for advice

    add = f"an administrator runs: usermod -aG {shlex.quote(group)} {shlex.quote(you)}; then log in again"
    return replace(
        access,
        allowed=False,
        reason=f"you are {you} and not in {group}, the group of {access.directory}, so the authors could not write it",
        remedy=f"you are in {group} now, but were not when you logged in: log in again" if since else add,
    )


def _joined_since(gid: int) -> bool:
    """Whether the caller is in a group by the books, and this session does not know it yet."""
    return current_user().name in group_members(gid) and gid not in {os.getegid(), *os.getgroups()}


def refused(error: OSError, directory: str, doing: str) -> PermissionDeniedError | None:
    """The sentence for an error of the kernel that means "you may not", or None for any other error."""
    if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return None
    return access_to(directory).refusal(doing, you=current_user())
