"""Copying a file into a version that is being built, and the digests of what was written.

The digests are never those of something else than the copy. Where bytes go through this process, the very buffer that
is written is hashed. Where they do not, because the file system shares blocks or a server copies by itself, the copy is
read back. A source that changes meanwhile is noticed by the caller, from its times and size; should it change in a way
that leaves those alone, the digests are still those of the copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Final

from stackroom.store.hashing import TwoDigests, WriteBack, digested
from stackroom.store.mounts import file_system_of

if TYPE_CHECKING:
    from stackroom.store.digest import Progress

_FICLONE: Final = 0x40049409
"""ioctl of Linux: share the blocks of another file, where the file system can (XFS, btrfs, NFS 4.2 on these)."""

_STRIPE: Final = 64 * 1024 * 1024
"""Bytes that a server copies before they are read back: whoever watches sees something move."""

_WORTH_A_REQUEST: Final = 1024 * 1024
"""Bytes of a file that a server is asked to copy; a smaller one has arrived before it has answered."""


class Copier:
    """Copies files into one folder, each in the cheapest way that the two file systems have.

    Attributes:
        remote: whether the folder is on another host, as far as this one knows.
    """

    def __init__(self, folder: str, fd: int) -> None:
        self.remote = not file_system_of(folder).local
        self._device = os.fstat(fd).st_dev
        self._unshared: set[int] = set()

    def copy(self, source: int, target: int, status: os.stat_result, progress: Progress) -> TwoDigests:
        """Copy and hash.

        Args:
            source: a descriptor at its beginning.
            target: that of an empty file, open for writing and reading.
            status: of the source, when it was opened.
            progress: is told about the bytes.

        Raises:
            OSError: something could not be read or written.
        """
        if self._shared(source, target, status.st_dev):
            return digested(target, lambda chunk: progress(len(chunk)), expected=status.st_size)
        copied = self._begun_by_the_server(source, target, status)
        if copied:
            return _read_back(source, target, copied, status.st_size, progress)
        return _by_hand(source, target, status.st_size, progress)

    def _begun_by_the_server(self, source: int, target: int, status: os.stat_result) -> int:
        """How many bytes the server has copied by itself; what it cannot do for the first it does for none."""
        if not self.remote or status.st_dev != self._device or status.st_size < _WORTH_A_REQUEST:
            return 0
        try:
            return os.copy_file_range(source, target, min(_STRIPE, status.st_size), 0, 0)
        except OSError:
            return 0

    def _shared(self, source: int, target: int, device: int) -> bool:
        """Whether the two files have the same blocks now; what a device refused once it is not asked again."""
        if device in self._unshared:
            return False
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            self._unshared.add(device)
            return False
        return True


def _read_back(source: int, target: int, copied: int, size: int, progress: Progress) -> TwoDigests:
    """Have the rest copied, stripe by stripe, each once the one before has been read."""
    read = 0

    def each(chunk: memoryview) -> None:
        nonlocal copied, read
        progress(len(chunk))
        read += len(chunk)
        if read == copied < size:
            copied += os.copy_file_range(source, target, min(_STRIPE, size - copied), copied, copied)

    return digested(target, each, expected=size)


def _by_hand(source: int, target: int, size: int, progress: Progress) -> TwoDigests:
    written = WriteBack(target)

    def write(chunk: memoryview) -> None:
        view = chunk
        while view:
            view = view[os.write(target, view) :]
        written.wrote(len(chunk))
        progress(len(chunk))

    try:
        digests = digested(source, write, expected=size)
    except BaseException:
        with contextlib.suppress(OSError):
            written.close()
        raise
    written.close()
    return digests
