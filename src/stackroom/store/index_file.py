"""The file of an index: where it lies, what tells that it is ours, and the tables in it.

A cache for one user, so that it is theirs alone, and made anew where it is anything else than what it should be.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from stackroom import __version__
from stackroom.core.sha256 import sha256
from stackroom.store.cachehome import PATIENCE, cache_folder, own_file, remove_unused

if TYPE_CHECKING:
    import sqlite3

_APPLICATION: Final = 0x53746B72
"""``Stkr``: how ``file`` and we know our own databases."""

_SCHEMA: Final = 7
"""Raised whenever a table, or what is kept of a version, changes: another number is another file."""

_SUFFIX: Final = ".index"

_PAGE: Final = 16 * 1024
"""Bytes. A search reads whole tables: a quarter of the calls that SQLite's own 4 KiB take."""

_TABLES: Final = """
CREATE TABLE models(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, settled INTEGER NOT NULL,
    "full" INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL, owner INTEGER NOT NULL, numbers TEXT NOT NULL,
    trash TEXT NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE versions(
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL, owner INTEGER NOT NULL, created TEXT NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL, labels TEXT NOT NULL,
    archived INTEGER NOT NULL, author TEXT NOT NULL, team TEXT NOT NULL, description TEXT NOT NULL,
    license TEXT NOT NULL, framework TEXT NOT NULL, tags TEXT NOT NULL);
CREATE TABLE records(
    id INTEGER PRIMARY KEY, checked INTEGER NOT NULL, revision INTEGER NOT NULL, card INTEGER NOT NULL,
    text BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE metrics(id INTEGER PRIMARY KEY, shape INTEGER);
CREATE TABLE hyperparameters(id INTEGER PRIMARY KEY);
CREATE TABLE shown(
    id INTEGER PRIMARY KEY, shape INTEGER, owner INTEGER NOT NULL, created TEXT NOT NULL, digest TEXT NOT NULL,
    author TEXT NOT NULL, description TEXT NOT NULL, archived INTEGER NOT NULL);
CREATE TABLE folders(
    place TEXT PRIMARY KEY, stamp TEXT NOT NULL, settled INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL,
    content TEXT NOT NULL, more BLOB NOT NULL);
CREATE TABLE names(kind TEXT NOT NULL, name TEXT NOT NULL, place TEXT, PRIMARY KEY(kind, name)) WITHOUT ROWID;
"""


class IndexLostError(Exception):
    """The index cannot be used: locked for too long, the disk is full; or it is damaged, or somebody else's.

    Attributes:
        damaged: whether another had better be made.
    """

    def __init__(self, message: str, *, damaged: bool = True) -> None:
        super().__init__(message)
        self.damaged = damaged


def index_path(registry: str, registry_id: str) -> str | None:
    """Where the index of a registry lies; None where there is no place, or nobody knows which registry it is.

    Another registry at the same place, the same at another, and another version of this program have others.
    """
    folder = cache_folder() if registry_id else None
    if folder is None:
        return None
    known = "\0".join((str(_SCHEMA), __version__, registry_id, os.path.realpath(registry)))
    return f"{folder}/{sha256(known.encode(errors='surrogateescape')).hexdigest()[:32]}{_SUFFIX}"


def connected(path: str) -> sqlite3.Connection:
    """The database, with our tables.

    Raises:
        IndexLostError: it is not one of ours, or cannot be opened or made.
    """
    import sqlite3  # noqa: PLC0415 - 3 ms, which whoever asks for one version does without

    if not os.path.lexists(path):
        remove_unused(os.path.dirname(path), _SUFFIX)
    if not own_file(path):
        raise IndexLostError(path)
    try:
        # Threads: each has an index of its own, which is opened and closed in it; a generator may end in another.
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            _prepare(database)
        except BaseException:
            database.close()
            raise
    except sqlite3.Error as error:
        raise lost(error) from error
    return database


def lost(error: Exception) -> IndexLostError:
    """What an error of the database means for the index."""
    # The primary code is the lowest byte. Busy, locked, out of memory, read-only, interrupted, I/O, full, cannot open:
    # of none of these a new file would make an end.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return IndexLostError(str(error), damaged=code not in {5, 6, 7, 8, 9, 10, 13, 14})


def _prepare(database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (schema,) = database.execute("PRAGMA user_version").fetchone()
    # Damage costs a new scan and no data, so nobody waits for the disk.
    database.execute("PRAGMA synchronous=OFF")
    if (application, schema) == (_APPLICATION, _SCHEMA):
        return
    if (application, schema) != (0, 0):
        raise IndexLostError("another program's")
    database.execute(f"PRAGMA page_size={_PAGE}")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("BEGIN EXCLUSIVE")
    # Somebody else may have been faster.
    if not database.execute("PRAGMA user_version").fetchone()[0]:
        for statement in _TABLES.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id={_APPLICATION}")
        database.execute(f"PRAGMA user_version={_SCHEMA}")
    database.execute("COMMIT")


def throw_away(path: str) -> None:
    """Take the file away."""
    # What the log holds belongs to the file: it goes first.
    for name in (f"{path}-wal", f"{path}-shm", path):
        with contextlib.suppress(OSError):
            os.unlink(name)
