"""Folders of attested symlinks, ledgers and approvals: reading what lies there, and appending one name.

An append is one ``symlink()``: exclusive, with content and owner, in one call. Whoever makes the name first has it; the
other is told. What the kernel then says about the owner is read back, because it is all that the text is worth.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from stackroom.core.attested import Entry
from stackroom.core.values import replace
from stackroom.errors import ConflictError, PermissionDeniedError
from stackroom.store import layout
from stackroom.store.access import Access, access_to, current_user, refused
from stackroom.store.folder import GONE, Folder, changed_at, explained
from stackroom.store.scan import os_problem
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from stackroom.store.records import Problem


def entries_of(folder: Folder, wanted: Callable[[str], bool], starts: tuple[str, ...] = ("",)) -> Iterable[Entry]:
    """What lies in a folder under the names that are wanted; the tool's own names are not.

    Args:
        folder: to list.
        wanted: whether somebody asks for a name.
        starts: how every name that is wanted begins: of thousands no other is looked at.

    Raises:
        OSError: it cannot be listed, or a name in it cannot be read.
    """
    for name in folder.names():
        if not name.startswith(starts) or name.startswith(".") or not wanted(name):
            continue
        try:
            status = folder.lstat(name)
            text = folder.read_link(name) if stat.S_ISLNK(status.st_mode) else None
        except OSError as error:
            if error.errno in GONE:
                continue
            raise
        # Whole microseconds, like the times in the texts.
        yield Entry(name=name, text=text, owner=status.st_uid, changed=changed_at(status))


def unread_problem(root: Folder, parent: str, stage: str, error: OSError) -> Problem:
    """Why a stage's folder below ``stages/`` or ``approvals/`` could not be read."""
    place = f"{parent}/{stage}"
    try:
        with root.child(parent) as folder:
            return os_problem(place, error, folder)
    except OSError:
        return os_problem(place, error)


def access_to_stage(root: str, parent: str, stage: str) -> Access:
    """Whether the caller may make names in a stage's folder.

    A missing folder is its parent's question in a registry of one person; where there are groups nobody may before the
    steward has made it and given it the right one.
    """
    found = access_to(f"{root}/{parent}/{stage}")
    if found.exists:
        return found
    above = access_to(f"{root}/{parent}")
    above = above if above.exists else access_to(root)
    may = "approve for it" if parent == layout.APPROVALS else "move into it"
    missing = access_to_missing(found.directory, above, may)
    if missing is above:
        return above
    from stackroom.store.tree import commands_for_stage  # noqa: PLC0415 - only for a stage without a folder

    commands = " && ".join(commands_for_stage(root, parent, stage))
    remedy = f"{above.owner.label} makes it, with the group that may {may} for GROUP: {commands}"
    return replace(missing, remedy=remedy)


def access_to_missing(directory: str, above: Access, may: str) -> Access:
    """Whether the caller may make names in a folder that is missing.

    Args:
        directory: the folder.
        above: the access to what it would lie in: all that is asked in a registry of one person.
        may: what the names are for, after ``may``. Where there are groups nobody may it before the steward has made
            the folder and given it the right one; how, the caller says as the ``remedy``.
    """
    if above.reason or not _has_groups_in(above.directory):
        return above
    reason = f"{directory} is missing, and which group may {may} is the steward's to say"
    return replace(above, allowed=False, group_may=False, directory=directory, reason=reason)


def _has_groups_in(directory: str) -> bool:
    try:
        with Folder.open(directory) as folder:
            return _has_groups(folder)
    except OSError:
        return False


def append(folder: Folder, name: str, text: str, *, doing: str, taken: ConflictError) -> None:
    """Make one attested symlink, durably.

    Args:
        folder: where.
        name: what it is called.
        text: what it says.
        doing: what the caller is doing, for a refusal: ``move fraud-detector in production``.
        taken: is raised where the name is somebody else's.

    Raises:
        ConflictError: the one that was given.
        PermissionDeniedError: the kernel refuses, or the file system recorded another owner.
    """
    try:
        folder.symlink(text, name)
    except FileExistsError:
        # After a lost reply NFS says EEXIST about our own success: the text, with its time, tells.
        if text_of(folder, name) != text:
            raise taken from None
    except OSError as error:
        raise refused(error, folder.path, doing) or explained(error, "make", f"{folder.path}/{name}") from error
    try:
        check_owner(folder, name, doing)
        folder.sync()
    except OSError as error:
        raise explained(error, "make sure of", f"{folder.path}/{name}") from error


def text_of(folder: Folder, name: str) -> str | None:
    """A symlink's text; None where there is none of that name that can be read."""
    try:
        return folder.read_link(name)
    except OSError:
        return None


def check_owner(folder: Folder, name: str, doing: str) -> None:
    """Take a symlink away again whose owner is not its author, and which attests nothing.

    Raises:
        PermissionDeniedError: the file system squashes or maps users.
    """
    owner = folder.lstat(name).st_uid
    if owner == os.geteuid():
        return
    with contextlib.suppress(OSError):
        folder.unlink(name)
    raise PermissionDeniedError(
        f"you cannot {doing}: the file system recorded uid {owner} as its owner, and you are {current_user()}",
        hint="root is squashed on NFS, or a user namespace maps you: act as an ordinary user of the file server",
        facts={"directory": folder.path, "owner": owner},
    )


def stage_folder(root: Folder, parent: str, stage: str, doing: str) -> Folder:
    """A stage's folder below ``stages/``, ``live/`` or ``approvals/``.

    It is made where it is missing and the registry has no groups.

    Raises:
        RegistryError: it cannot be opened or made.
    """
    path = f"{root.path}/{parent}/{stage}"
    try:
        return ensured(ensured(root, parent), stage, close=True)
    except OSError as error:
        raise refused(error, os.path.dirname(path), doing) or explained(error, "open", path) from error


def ensured(parent: Folder, name: str, *, close: bool = False) -> Folder:
    """A folder below another one, made where it is missing and the registry has no groups.

    Args:
        parent: where.
        name: which.
        close: close the parent afterwards.

    Raises:
        OSError: it cannot be opened or made.
    """
    try:
        return parent.child(name)
    except FileNotFoundError:
        if _has_groups(parent):
            raise
        with contextlib.suppress(FileExistsError):
            parent.make_folder(name, stat.S_IMODE(parent.status().st_mode))
        return parent.child(name)
    finally:
        if close:
            parent.close()


def _has_groups(parent: Folder) -> bool:
    """Whether a folder or what lies in it belongs to a group: then that of a missing folder is the steward's to say."""
    return bool(parent.status().st_mode & stat.S_ISGID) or any(
        entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mode & stat.S_ISGID
        for entry in parent.entries()
    )


def time_of_the_file_system(root: Folder, stage: str) -> datetime:
    """What time it is where events get theirs, by a name that is made in the stage's ledger and taken away again.

    The clock of this host is its user's; the one that stamps the names is not.

    Raises:
        RegistryError: the caller may not make names there.
    """
    doing = f"ask the file system for the time in {layout.STAGES}/{stage}"
    with stage_folder(root, layout.STAGES, stage, doing) as folder:
        name = layout.temporary_name(os.geteuid(), uuid4())
        try:
            folder.symlink("now", name)
            try:
                return changed_at(folder.lstat(name))
            finally:
                folder.unlink(name)
        except OSError as error:
            raise refused(error, folder.path, doing) or explained(error, "make", f"{folder.path}/{name}") from error
