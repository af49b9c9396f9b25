"""Putting right what the owner of a thing may put right: modes, the seal, and one's own left-overs.

Somebody may swap a folder for a symlink while this runs. So every step on the way is opened without following one, the
owner is read from the open descriptor, and the change is made through that descriptor. A mode of a file only ever
loses bits here: the file may be another name of something private.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from stackroom.errors import ConflictError, PermissionDeniedError
from stackroom.store import layout
from stackroom.store.sights import Sight, newest_time

if TYPE_CHECKING:
    from stackroom.store.folder import Folder


def _reached(root: Folder, place: str, stack: ExitStack) -> Folder:
    """The folder at a place, every step opened without following a symlink."""
    folder = root
    for part in place.split("/") if place else ():
        folder = stack.enter_context(folder.child(part))
    return folder


def _check(status: os.stat_result, owner: int, place: str) -> None:
    if status.st_uid != owner:
        raise ConflictError(
            f"{place} belongs to {status.st_uid} now, and to {owner} when it was looked at",
            hint="stackroom doctor looks again",
            facts={"place": place, "owner": status.st_uid},
        )


def set_folder(root: Folder, place: str, owner: int, *, mode: int, group: int | None = None) -> None:
    """Give a folder its mode and, where one is named, its group; both are read back.

    Args:
        root: the registry's folder.
        place: below it.
        owner: who must own the folder.
        mode: its permission bits.
        group: its gid; None leaves it.

    Raises:
        OSError: the kernel refuses, or the way there is no folder any more.
        ConflictError: somebody else owns it now.
        PermissionDeniedError: the kernel took a bit away without a word.
    """
    with ExitStack() as stack:
        folder = _reached(root, place, stack)
        _check(folder.status(), owner, place)
        if group is not None and folder.status().st_gid != group:
            os.fchown(folder.fd, -1, group)
        os.fchmod(folder.fd, mode)
        seen = stat.S_IMODE(folder.status().st_mode)
    if seen != mode:
        raise PermissionDeniedError(
            f"asked for mode {mode:04o}, and the file system made it {seen:04o}",
            hint="become a member of the folder's group, or ask an administrator",
            facts={"place": place, "wanted": f"{mode:04o}", "mode": f"{seen:04o}"},
        )


def make_folder(root: Folder, place: str, *, mode: int, group: int | None = None) -> None:
    """Make a folder of the tree that is missing, with its mode and group; errors as :func:`set_folder`.

    It is the steward's, whoever makes it, and of the group that the registry has where none is named. Where that
    cannot be, it is not made.
    """
    parent, _, name = place.rpartition("/")
    steward = root.status()
    with ExitStack() as stack:
        folder = _reached(root, parent, stack)
        os.mkdir(name, layout.BUILDING_MODE, dir_fd=folder.fd)
        try:
            with folder.child(name) as made:
                if made.status().st_uid != steward.st_uid:
                    os.fchown(made.fd, steward.st_uid, steward.st_gid if group is None else group)
            folder.sync()
            set_folder(root, place, steward.st_uid, mode=mode, group=group)
        except BaseException:
            with suppress(OSError):
                os.rmdir(name, dir_fd=folder.fd)
            raise


def close_file(root: Folder, place: str, owner: int, *, without: int) -> None:
    """Take permission bits from a file; errors as :func:`set_folder`."""
    parent, _, name = place.rpartition("/")
    with ExitStack() as stack:
        _close(_reached(root, parent, stack), name, place, owner, without)


def _close(folder: Folder, name: str, place: str, owner: int, without: int) -> None:
    fd = folder.open_file(name)
    try:
        status = os.fstat(fd)
        _check(status, owner, place)
        if status.st_nlink > 1:
            # Whoever may read a file can give it a name here, and its owner would close it elsewhere, too.
            raise ConflictError(
                f"{place} has {status.st_nlink} names, and the other may be something else of its owner's",
                hint=f"find / -xdev -inum {status.st_ino} finds it",
                facts={"place": place, "names": status.st_nlink},
            )
        if status.st_mode & without:
            os.fchmod(fd, stat.S_IMODE(status.st_mode) & ~without)
    finally:
        os.close(fd)


def seal(root: Folder, place: str, owner: int) -> None:
    """Take write permission from a version's folder and everything below it, from the bottom up.

    Raises:
        OSError: the kernel refuses.
        ConflictError: something in it belongs to somebody else.
    """
    with ExitStack() as stack:
        _seal(_reached(root, place, stack), place, owner)


def _seal(folder: Folder, place: str, owner: int) -> None:
    status = folder.status()
    _check(status, owner, place)
    for entry in sorted(folder.entries(), key=lambda found: found.name):
        below = f"{place}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            with folder.child(entry.name) as inside:
                _seal(inside, below, owner)
        elif entry.is_file(follow_symlinks=False):
            _close(folder, entry.name, below, owner, 0o7777 & ~layout.SEALED_FILE_MODE)
    os.fchmod(folder.fd, stat.S_IMODE(status.st_mode) & layout.SEALED_FOLDER_MODE)
    folder.sync()


def cannot_be_published(sight: Sight, folder: Folder, trusted: int) -> bool:
    """Whether an unfinished thing is surely none that was published and renamed by the owner of its folder.

    A folder with a ``version.toml`` may be a version, wherever it lies: whoever copies a registry owns all of the copy,
    with what others renamed before, and his umask closes it. Without one it goes where nobody but the caller and the
    steward could have renamed it, and where it is closed to others, as nothing is that was published.

    Args:
        sight: the thing.
        folder: the one that it lies in.
        trusted: the uid of the steward, who renames nothing away.
    """
    if sight.is_symlink:
        return True
    if sight.is_folder and _may_be_a_version(sight, folder):
        return False
    status = folder.status()
    mode = stat.S_IMODE(status.st_mode)
    kept = not mode & 0o022 or bool(mode & stat.S_ISVTX)
    if kept and status.st_uid in {os.geteuid(), trusted}:
        return True
    return sight.is_folder and not sight.mode & 0o077


def _may_be_a_version(sight: Sight, folder: Folder) -> bool:
    try:
        with folder.child(sight.name) as inside:
            return layout.VERSION_FILE in inside.names()
    except OSError:
        # Nobody else's is removed; and what is closed to its owner he opens and looks at.
        return sight.owner == os.geteuid()


def remove_left_over(root: Folder, place: str, *, trusted: int, before: float) -> None:
    """Remove an unfinished thing of the caller's own.

    A folder is emptied through the descriptor that was looked at, and then removed by name, which fails for anything
    else that has been put there and is not empty.

    Args:
        root: the registry's folder.
        place: of the thing.
        trusted: the uid of the steward.
        before: nothing in it may have changed after this time of the file system.

    Raises:
        OSError: the kernel refuses.
        ConflictError: it is not what was looked at, or somebody writes to it.
    """
    parent, _, name = place.rpartition("/")
    with ExitStack() as stack:
        folder = _reached(root, parent, stack)
        sight = Sight(place=place, name=name, status=folder.lstat(name))
        _check(folder.lstat(name), os.geteuid(), place)
        if (
            layout.parse_temporary_name(name) != os.geteuid()
            or newest_time(sight, folder) > before
            or not cannot_be_published(sight, folder, trusted)
        ):
            raise ConflictError(
                f"{place} changed while it was looked at", hint="stackroom doctor looks again", facts={"place": place}
            )
        if sight.is_folder:
            with folder.child(name) as doomed:
                if (doomed.status().st_dev, doomed.status().st_ino) != _identity(sight):
                    raise ConflictError(f"{place} was replaced while it was looked at", facts={"place": place})
                _empty(doomed, os.geteuid())
            os.rmdir(name, dir_fd=folder.fd)
        else:
            folder.unlink(name)
        folder.sync()


def _identity(sight: Sight) -> tuple[int, int]:
    return (sight.status.st_dev, sight.status.st_ino) if sight.status else (0, 0)


def _empty(folder: Folder, owner: int) -> None:
    if folder.status().st_uid != owner:
        raise OSError(errno.EPERM, "belongs to somebody else", folder.path)
    os.fchmod(folder.fd, 0o700)
    for entry in list(folder.entries()):
        if entry.is_dir(follow_symlinks=False):
            with folder.child(entry.name) as inside:
                _empty(inside, owner)
            os.rmdir(entry.name, dir_fd=folder.fd)
        else:
            folder.unlink(entry.name)
