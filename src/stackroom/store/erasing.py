"""Removing a directory of one's own with everything in it, whatever somebody does to the names meanwhile.

Every step goes through a descriptor and follows no symlink. What is nested deeper than descriptors reach is first
moved up, within the directory that goes.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from stackroom.store.folder import GONE, Folder
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH_LIMIT: Final = 100
"""Directories within each other that are open at once; each holds a descriptor."""

Identity = tuple[int, int]
"""Device and inode of a directory: what it is, whatever it is called by now."""


def identity_of(status: os.stat_result) -> Identity:
    """The identity of what was looked at."""
    return status.st_dev, status.st_ino


def _unheard(_amount: int, /) -> None:
    """What is told how many bytes were freed, where nobody asks."""


def remove_tree(
    folder: Folder,
    name: str,
    freed: Callable[[int], object] = _unheard,
    *,
    identity: Identity | None = None,
    last: str = "",
) -> tuple[str, ...]:
    """Remove a directory of one's own with all that is in it, also where it is sealed already.

    Never follows a symlink, goes on after what cannot be removed, and enters no directory of another owner.

    Args:
        folder: where it lies.
        name: of the directory.
        freed: is told the bytes of every file whose last name goes.
        identity: the directory that is meant; another one under its name is left as it is.
        last: a file in it that goes only when everything else has gone, because it says what the directory is.

    Returns:
        What is left, each with the reason: ``sub/model.bin: permission denied``; nothing where all is gone.
    """
    try:
        with folder.child(name) as doomed:
            status = doomed.status()
            if identity is not None and identity_of(status) != identity:
                return (f"{name}: somebody put another folder in its place",)
            erasing = _Erasing(top=doomed, name=name, owner=status.st_uid, freed=freed)
            erasing.empty(last)
        if not erasing.left:
            os.rmdir(name, dir_fd=folder.fd)
    except OSError as error:
        return () if error.errno in GONE else (f"{name}: {_reason(error)}",)
    return tuple(erasing.left)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


class _Erasing:
    """One directory that goes.

    Attributes:
        top: it, open.
        name: of it, for messages.
        owner: of it; what belongs to others within it stays.
        freed: is told the bytes.
        left: what could not be removed, each with the reason.
        moved: names at the top of what was nested too deep.
    """

    def __init__(self, top: Folder, name: str, owner: int, freed: Callable[[int], object]) -> None:
        self.top = top
        self.name = name
        self.owner = owner
        self.freed = freed
        self.left: list[str] = []
        self.moved: list[str] = []

    def empty(self, last: str) -> None:
        """Everything in it."""
        self._empty(self.top, self.name, DEPTH_LIMIT, last)
        while self.moved:
            name = self.moved.pop()
            self._remove(self.top, name, f"{self.name}/{name}", DEPTH_LIMIT)
        if last and not self.left:
            self.top.sync()
            self._unlink(self.top, last, f"{self.name}/{last}")

    def _empty(self, folder: Folder, place: str, depth: int, last: str = "") -> None:
        with contextlib.suppress(OSError):
            os.fchmod(folder.fd, 0o700)
        for entry in list(folder.entries()):
            below = f"{place}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                self._remove(folder, entry.name, below, depth)
            elif entry.name != last:
                self._unlink(folder, entry.name, below)

    def _remove(self, parent: Folder, name: str, place: str, depth: int) -> None:
        before = len(self.left)
        try:
            with parent.child(name) as folder:
                if folder.status().st_uid != self.owner:
                    self.left.append(f"{place}: belongs to somebody else")
                elif depth > 0:
                    self._empty(folder, place, depth - 1)
                else:
                    self._move_up(parent, folder, name)
                    return
            if len(self.left) == before:
                os.rmdir(name, dir_fd=parent.fd)
        except OSError as error:
            if error.errno not in GONE:
                self.left.append(f"{place}: {_reason(error)}")

    def _move_up(self, parent: Folder, folder: Folder, name: str) -> None:
        # A directory that moves to another one is written to: its entry "..".
        with contextlib.suppress(OSError):
            os.fchmod(folder.fd, 0o700)
        above = f".deep-{uuid4()}"
        os.rename(name, above, src_dir_fd=parent.fd, dst_dir_fd=self.top.fd)
        self.moved.append(above)

    def _unlink(self, folder: Folder, name: str, place: str) -> None:
        try:
            status = folder.lstat(name)
            folder.unlink(name)
        except OSError as error:
            if error.errno not in GONE:
                self.left.append(f"{place}: {_reason(error)}")
        else:
            self.freed(status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0)
