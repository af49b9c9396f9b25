"""One open directory: the only door through which names below a registry are read and made.

What is not promised: that a name is still what it was a moment ago. Every method works on a directory descriptor and
never follows a symlink in the last step, so that a name swapped for a symlink leads to an error and not elsewhere.
Plain :class:`OSError` leaves this module; :func:`explained` turns it into a sentence where a person is waiting.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from stackroom.core.text import visible
from stackroom.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RegistryError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WAY: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""O_NONBLOCK: opening a FIFO that somebody left must not wait for a writer."""

_NEW_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

GONE: Final = (errno.ENOENT, errno.ESTALE, errno.ENOTDIR)
"""What reading says when somebody else changed things meanwhile; ESTALE is how NFS says it."""

_FIRST: Final = 8 * 1024
"""Bytes that are asked for first: most metadata files are smaller, and a larger buffer costs as much as reading one."""

_AT_ONCE: Final = 64 * 1024
"""Bytes that are asked for at once after that: no buffer of megabytes for a small card."""

REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the kernel says when the caller may not."""


class Folder:
    """An open directory, closed on leaving the ``with`` block.

    Attributes:
        path: how it was reached, for messages.
        fd: its descriptor.
    """

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a directory by its path; the last step may be a symlink that the user gave."""
        return cls(os.open(path, _DIRECTORY & ~os.O_NOFOLLOW), path)

    def child(self, name: str) -> Folder:
        """Open a directory in this one, which must not be a symlink.

        On NFS this asks the server: ``open`` refreshes what ``stat`` would answer from a cache for a minute.
        """
        return Folder(os.open(name, _DIRECTORY, dir_fd=self.fd), f"{self.path}/{name}")

    def child_status(self, name: str) -> os.stat_result:
        """Owner, mode and times of a directory in this one, which must be one that the caller may read."""
        fd = os.open(name, _DIRECTORY, dir_fd=self.fd)
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    @classmethod
    def way(cls, path: str) -> Self:
        """Open a directory only to go through it, as :meth:`way_to`; the last step may be a symlink."""
        return cls(os.open(path, _WAY & ~os.O_NOFOLLOW), path)

    def way_to(self, name: str) -> Folder:
        """Open a directory in this one only to go through it, for :meth:`child` and :meth:`status`.

        It cannot be listed. On NFS this asks nobody as long as the kernel remembers the name, for up to a minute.
        """
        return Folder(os.open(name, _WAY, dir_fd=self.fd), f"{self.path}/{name}")

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def names(self) -> list[str]:
        """Every name, in no order."""
        return os.listdir(self.fd)

    def entries(self) -> Iterator[os.DirEntry[str]]:
        """Every name with its kind, which costs no ``stat`` on the usual file systems."""
        with os.scandir(self.fd) as found:
            yield from found

    def status(self) -> os.stat_result:
        """The directory's own owner, mode and times."""
        return os.fstat(self.fd)

    def lstat(self, name: str) -> os.stat_result:
        """A name's owner, mode and times, not following a symlink."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether the name is there, by listing: NFS remembers for half a minute that a name was missing."""
        return name in self.names()

    def lacks(self, name: str) -> bool:
        """Whether a folder in this one is missing, or has no names; what cannot be listed is not called empty."""
        try:
            with self.child(name) as folder:
                return not folder.names()
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def read_link(self, name: str) -> str:
        """A symlink's text."""
        return os.readlink(name, dir_fd=self.fd)

    def open_file(self, name: str) -> int:
        """A descriptor on a regular file.

        Raises:
            OSError: ELOOP for a symlink, EINVAL for anything else that is not a regular file.
        """
        fd = os.open(name, _READ, dir_fd=self.fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", name)
        return fd

    def read(self, name: str, limit: int) -> bytes:
        """A regular file's content.

        Raises:
            OSError: EFBIG where there are more than ``limit`` bytes.
        """
        fd = self.open_file(name)
        try:
            parts = [os.read(fd, min(limit + 1, _FIRST))]
            left = limit + 1 - len(parts[0])
            at_once = _AT_ONCE if len(parts[0]) == _FIRST else _FIRST
            while chunk := os.read(fd, min(left, at_once)):
                parts.append(chunk)
                left -= len(chunk)
        finally:
            os.close(fd)
        if left == 0:
            raise OSError(errno.EFBIG, f"more than {limit:,} bytes", name)
        return b"".join(parts)

    def create(self, name: str, content: bytes, mode: int, *, sync: bool = True) -> None:
        """Make a file that is on disk when this returns, unless the caller syncs it later; exclusive.

        The mode is set explicitly, whatever the umask, and close is checked: NFS reports a full disk there.
        """
        fd = os.open(name, _NEW_FILE, 0o600, dir_fd=self.fd)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            os.fchmod(fd, mode)
            if sync:
                os.fsync(fd)
            os.close(fd)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(fd)
            with contextlib.suppress(OSError):
                self.unlink(name)
            raise

    def create_empty(self, name: str) -> int:
        """A descriptor on a new file, open for writing and reading back; exclusive, and private until it is sealed."""
        return os.open(name, _NEW_FILE, 0o600, dir_fd=self.fd)

    def make_folder(self, name: str, mode: int) -> None:
        """Make a directory with exactly this mode, whatever the umask; exclusive.

        Raises:
            PermissionDeniedError: the kernel cleared setgid, because the caller is not in the directory's group.
        """
        os.mkdir(name, 0o700, dir_fd=self.fd)
        self.set_mode(name, mode)

    def set_mode(self, name: str, mode: int) -> None:
        """Set a directory's mode and read it back: the kernel clears setgid for outsiders without a word."""
        with self.child(name) as made:
            os.fchmod(made.fd, mode)
            seen = stat.S_IMODE(made.status().st_mode)
        if seen != mode:
            raise PermissionDeniedError(
                f"{self.path}/{name}: asked for mode {mode:o}, and the file system made it {seen:o}",
                hint="become a member of the folder's group, or ask its owner to make this",
                facts={"directory": f"{self.path}/{name}", "wanted": f"{mode:o}", "mode": f"{seen:o}"},
            )

    def symlink(self, text: str, name: str) -> None:
        """Make a symlink: exclusive, with content and owner, in one call."""
        os.symlink(text, name, dir_fd=self.fd)

    def link(self, source: str, name: str) -> None:
        """Give a file of this directory a second name; exclusive."""
        os.link(source, name, src_dir_fd=self.fd, dst_dir_fd=self.fd, follow_symlinks=False)

    def rename(self, source: str, name: str) -> None:
        """Rename within this directory; replaces a file or symlink, and fails on a directory that is not empty."""
        os.rename(source, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        """Take a name that is not a directory away."""
        os.unlink(name, dir_fd=self.fd)

    def sync(self) -> None:
        """Wait until the names made here would survive a power cut."""
        os.fsync(self.fd)


def changed_at(status: os.stat_result) -> datetime:
    """When the file system says that something changed, in whole microseconds; its owner cannot set that."""
    return datetime.fromtimestamp(status.st_ctime_ns // 1000 / 1_000_000, UTC)


def explained(error: OSError, doing: str, path: str) -> RegistryError:
    """An operating system's error as a sentence of ours: ``cannot make …: no space left on device``."""
    where = visible(path)
    what = f"cannot {doing} {where}: {(error.strerror or str(error)).lower()}"
    facts = {"path": path, "errno": errno.errorcode.get(error.errno or 0, "")}
    if error.errno in REFUSED:
        return PermissionDeniedError(what, facts=facts)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return InvalidInputError(what, hint="free some space, or ask for a larger quota, and try again", facts=facts)
    if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
        return ConflictError(what, facts=facts)
    if error.errno in GONE:
        return NotFoundError(what, facts=facts)
    if error.errno in {errno.ELOOP, errno.EINVAL, errno.EFBIG}:
        return InvalidInputError(what, facts=facts)
    return IntegrityError(what, facts=facts)
