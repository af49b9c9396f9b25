"""What this user has read before: the digests of files that look as they did then.

A cache of the user's own, and no truth: whether a file is what it was, only reading it tells. Device, inode, size and
both times say that nobody wrote to it in any way that a file system notices. They say nothing of a disk that forgets,
nor of an author who keeps a file mapped into memory: what she stores into a page that is not written back yet changes
no time. So nothing that decides believes what lies here; it is for whoever would otherwise not look at all.

Small files are read every time: that takes no longer than asking.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

from stackroom.core.patterns import pattern
from stackroom.store.cachehome import PATIENCE, cache_folder, own_file
from stackroom.store.hashing import FileDigest
from stackroom.store.mounts import file_system_of
from stackroom.store.stamps import boot_id

if TYPE_CHECKING:
    import sqlite3

_FILE: Final = "readings.sqlite"
_FORMAT: Final = 1
_WORTH_ASKING: Final = 1024 * 1024
"""Bytes of a file that is remembered: reading these takes about as long as asking for them."""

_SETTLED_SECONDS: Final = 2.0
"""A file that changes again within one tick of its clock looks as it did. No clock of a file system ticks slower."""

_MOST: Final = 200_000
"""Files that are remembered, those read last; 30 MB."""

_DIGEST: Final = pattern("[0-9a-f]{32}|[0-9a-f]{64}")


class Readings:
    """The files below one folder that this user has read; a context manager, for several threads.

    Whatever goes wrong with the cache, nobody is told, and files are read.

    Attributes:
        believed: whether what was read before is taken for what would be read now; else it is only written down.
    """

    def __init__(self, folder: str, *, believed: bool) -> None:
        self.believed = believed
        self._local = file_system_of(folder).local
        self._lock = Lock()
        self._database: sqlite3.Connection | None = None
        self._opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._lock, contextlib.suppress(Exception):
            if self._database is not None:
                self._database.close()
            self._database, self._opened = None, True

    def before(self, path: str, status: os.stat_result) -> FileDigest | None:
        """What a file's digests were when it looked as it does now; None where it has to be read.

        Args:
            path: what the artifact is called in its version.
            status: of an open descriptor: on NFS ``open`` asks the server, and ``stat`` a cache.
        """
        if not self.believed or status.st_size < _WORTH_ASKING:
            return None
        found = self._ask("SELECT sha256, xxh128 FROM readings WHERE file = ? AND sha256 != ''", (self._key(status),))
        if found is None or not (_DIGEST.fullmatch(str(found[0])) and _DIGEST.fullmatch(str(found[1]))):
            return None
        return FileDigest(path=path, size=status.st_size, sha256=found[0], xxh128=found[1])

    def remember(self, digest: FileDigest, before: os.stat_result, after: os.stat_result, started: float) -> None:
        """Write down what was read.

        Args:
            digest: of the file.
            before: its status when it was opened.
            after: its status when all of it had been read.
            started: when that began, by :func:`now`.
        """
        key = self._key(before)
        if before.st_size < _WORTH_ASKING or digest.size != before.st_size or key != self._key(after):
            return
        seen = self._ask("SELECT seen FROM readings WHERE file = ?", (key,))
        settled = self._is_settled(before) or (seen is not None and 0 <= seen[0] <= started - _SETTLED_SECONDS)
        row = (key, seen[0] if seen else started, *((digest.sha256, digest.xxh128) if settled else ("", "")))
        self._ask("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", row)

    def _is_settled(self, status: os.stat_result) -> bool:
        """Whether a change of now would give it another time; a server's clock is not known: it is seen twice."""
        return self._local and max(status.st_ctime, status.st_mtime) < time.time() - _SETTLED_SECONDS

    def _key(self, status: os.stat_result) -> bytes:
        """What a file looks like. The device of a network file system is a number for as long as this host is up."""
        seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return struct.pack("<QQQqq", *seen) + (b"" if self._local else boot_id().encode() or os.urandom(16))

    def _ask(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The first row of an answer; None where there is none, and where there is no cache."""
        import sqlite3  # noqa: PLC0415 - 12 ms, which whoever reads small files does not wait for

        with self._lock:
            try:
                if not self._opened:
                    self._opened = True
                    self._database = _opened()
                if self._database is None:
                    return None
                found: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
            except (sqlite3.Error, OSError, ValueError) as error:
                self._database = None
                if _is_broken(error):
                    _discard()
                return None
            return found


def now() -> float:
    """Seconds since this host was started, asleep or not: what no clock that is set can turn back."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _opened() -> sqlite3.Connection | None:
    """The database, made anew where it is none of ours or broken; None where there is no place for it."""
    import sqlite3  # noqa: PLC0415 - as above

    folder = cache_folder()
    if folder is None:
        return None
    path = os.path.join(folder, _FILE)
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if not _is_broken(error):
            raise
    _discard()
    return _prepared(path)


def _is_broken(error: Exception) -> bool:
    """Whether the file is no database, and not merely locked, or its disk full."""
    import sqlite3  # noqa: PLC0415 - as above

    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _discard() -> None:
    folder = cache_folder()
    for name in (_FILE, f"{_FILE}-journal"):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder or "/nonexistent", name))


def _prepared(path: str) -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415 - as above

    if not own_file(path):
        raise sqlite3.DatabaseError(path)
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    # What is lost with the power is read again.
    database.execute("PRAGMA synchronous = OFF")
    if database.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
        database.execute("DROP TABLE IF EXISTS readings")
        database.execute(f"PRAGMA user_version = {_FORMAT}")
    database.execute("CREATE TABLE IF NOT EXISTS readings (file BLOB PRIMARY KEY, seen REAL, sha256 TEXT, xxh128 TEXT)")
    last = database.execute("SELECT max(rowid) FROM readings").fetchone()[0] or 0
    database.execute("DELETE FROM readings WHERE rowid < ?", (last - _MOST,))
    return database
