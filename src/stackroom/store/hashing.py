"""Both digests of a stream of bytes, in one pass over it, and in two threads where that is worth a thread.

sha256 takes longer than everything else that is done to a large file together. It therefore gets a thread of its own,
and what is read, copied and hashed with xxh3-128 meanwhile costs no time. ``hashlib`` and ``xxhash`` let other threads
run while they are at work.
"""

from __future__ import annotations

import os
from hashlib import sha256
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

import xxhash

from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK: Final = 1024 * 1024
"""Bytes read at once; more does not hash faster, less costs system calls."""

_BUFFERS: Final = 4
"""Chunks between the two threads: enough that neither waits for the other's hiccups."""

_WORTH_A_THREAD: Final = 4 * CHUNK
"""Bytes of a file that is hashed in two threads; what is smaller is done before the second one has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """One artifact, as it was read: path below the version's folder, bytes, and both digests in hex."""

    path: str
    size: int
    sha256: str
    xxh128: str


class TwoDigests:
    """Both digests of one stream of bytes.

    Attributes:
        size: how many bytes there were.
    """

    def __init__(self) -> None:
        self.strong = sha256()
        self.quick = xxhash.xxh3_128()
        self.size = 0

    def update(self, chunk: memoryview) -> None:
        """Take the next bytes."""
        self.strong.update(chunk)
        self.quick.update(chunk)
        self.size += len(chunk)

    def of(self, path: str) -> FileDigest:
        """The result, under the artifact's path."""
        return FileDigest(path=path, size=self.size, sha256=self.strong.hexdigest(), xxh128=self.quick.hexdigest())


def digested(fd: int, each: Callable[[memoryview], object], *, expected: int) -> TwoDigests:
    """Read a descriptor to its end.

    With ``readv``, not mmap: a file that shrinks under mmap kills the process.

    Args:
        fd: from where it stands.
        each: is given every chunk, in this thread; what it raises ends the reading.
        expected: bytes there will probably be.
    """
    digests = TwoDigests()
    if expected < _WORTH_A_THREAD:
        for chunk in chunks(fd, expected):
            digests.update(chunk)
            each(chunk)
    else:
        _in_two_threads(fd, each, digests)
    return digests


def chunks(fd: int, expected: int = CHUNK) -> Iterator[memoryview]:
    """The bytes of a descriptor from where it stands, in one reused buffer that what is expected fits into."""
    buffer = memoryview(bytearray(min(CHUNK, max(expected, 1))))
    while count := os.readv(fd, [buffer]):
        yield buffer[:count]


def _in_two_threads(fd: int, each: Callable[[memoryview], object], digests: TwoDigests) -> None:
    free: SimpleQueue[memoryview] = SimpleQueue()
    filled: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()

    def hash_strongly() -> None:
        while (taken := filled.get()) is not None:
            buffer, count = taken
            digests.strong.update(buffer[:count])
            free.put(buffer)

    for _ in range(_BUFFERS):
        free.put(memoryview(bytearray(CHUNK)))
    beside = Thread(target=hash_strongly, name="sha256", daemon=True)
    beside.start()
    try:
        while True:
            # A buffer is free once it is hashed, and what is done with it here is done before the next is asked for.
            buffer = free.get()
            count = os.readv(fd, [buffer])
            if not count:
                break
            filled.put((buffer, count))
            digests.quick.update(buffer[:count])
            digests.size += count
            each(buffer[:count])
    finally:
        filled.put(None)
        beside.join()


class WriteBack:
    """Has the kernel write a file while there is more of it to come, so that the fsync at the end waits for little.

    Otherwise Linux leaves gigabytes in memory until then, and the disk idles meanwhile.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._since = 0
        self._asked: SimpleQueue[int | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._error: OSError | None = None

    def wrote(self, amount: int) -> None:
        """Count bytes; the first many of them start a thread."""
        self._since += amount
        if self._since < _WRITTEN_AT_ONCE:
            return
        self._since = 0
        if self._thread is None:
            self._thread = Thread(target=self._work, name="write-back", daemon=True)
            self._thread.start()
        if self._asked.empty():
            self._asked.put(amount)

    def _work(self) -> None:
        while self._asked.get() is not None:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                # Told once and by no later fsync: whoever closes this raises it.
                self._error = error
                return

    def close(self) -> None:
        """Wait for what was begun; of a file that was too small for that, have the kernel begin to write all of it.

        Then it does not wait for the fsync that comes when all files are there. (The advice means more, but takes from
        memory only what is on the disk already.)

        Raises:
            OSError: something could not be written.
        """
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join()
            self._thread = None
        else:
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if self._error is not None:
            raise self._error


_WRITTEN_AT_ONCE: Final = 64 * CHUNK
"""Bytes after which the kernel is told to write; of a smaller file it is told once, at its end."""
