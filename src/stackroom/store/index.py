"""The index: what scans of a registry have found, in a database of the user's own, outside of the registry.

A cache and never a truth. It holds for every model folder the stamp that it had when it was listed, and for every
version the record that was read; whoever asks it compares the stamps with the directories first
(:mod:`stackroom.store.look`). What was read with a problem is not in it, nor who holds a stage, nor a name that this
host has for a user.

Whatever is wrong with the file is one exception, :class:`IndexLostError`: the answer is then read from the registry,
and the file is thrown away. Several processes may read and write it at once; nobody waits for long.
"""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from stackroom import __version__
from stackroom.core.attested import Who
from stackroom.core.values import dataclass, folded
from stackroom.store.access import user_name
from stackroom.store.cachehome import cache_folder
from stackroom.store.packing import Packed, packed, remaining, unpacked, unpacked_record
from stackroom.store.records import Version

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.core.names import ModelName

_APPLICATION: Final = 0x53746B72
"""``Stkr``: how ``file`` and we know our own databases."""

_SCHEMA: Final = 1
"""Raised whenever a table, or what is kept of a version, changes: another number is another file."""

_PAGE: Final = 16 * 1024
"""Bytes. A search reads whole tables: a quarter of the calls that SQLite's own 4 KiB take."""

_PATIENCE: Final = 10.0
"""Seconds for which a writer waits for another, who commits many times a second."""

_TABLES: Final = """
CREATE TABLE models(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, settled INTEGER NOT NULL,
    "full" INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL, owner INTEGER NOT NULL, numbers TEXT NOT NULL,
    trash TEXT NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE versions(
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL, owner INTEGER NOT NULL, created TEXT NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL, digest TEXT NOT NULL, labels TEXT NOT NULL, checked INTEGER NOT NULL, head BLOB NOT NULL);
CREATE TABLE records(id INTEGER PRIMARY KEY, rest BLOB NOT NULL);
"""

_SHIFT: Final = 30
"""A version's row is its model's number and its own, which has at most nine digits: no row has to be looked for."""


class IndexLostError(Exception):
    """The index cannot be used: locked for too long, the disk is full; or it is damaged, or somebody else's.

    Attributes:
        damaged: whether another had better be made.
    """

    def __init__(self, message: str, *, damaged: bool = True) -> None:
        super().__init__(message)
        self.damaged = damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """What the index remembers of a model's folder.

    Attributes:
        id: of its row.
        name: of the model.
        stamp: of the folder when it was listed.
        settled: whether the stamp may be believed.
        full: whether all its versions are remembered, and not only those that somebody asked for.
        since: ticks at which this stamp was seen first.
        boot: in which start of the host.
        owner: of the folder (uid).
        numbers: of its versions, as :func:`ranges_text` writes them.
        trash: the folders that deletes left.
        revision: of the model's own metadata.
        record: that metadata, packed.
    """

    id: int
    name: ModelName
    stamp: str
    settled: bool
    full: bool
    since: int
    boot: str
    owner: int
    numbers: str
    trash: str
    revision: int
    record: str

    @property
    def metadata(self) -> Record:
        """The model's own metadata."""
        return unpacked_record(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVersion:
    """A version as the index keeps it: the number, what tells that it is the same, its record and its seal's facts."""

    number: int
    identity: str
    owner: int
    created: str
    files: int
    bytes: int
    digest: str
    labels: str
    content: Packed


def known_version(version: Version, identity: str) -> KnownVersion:
    """A version that was read without a problem, as the index keeps it.

    Raises:
        ValueError: it has no seal.
    """
    content = packed(version)
    seal = version.seal
    if seal is None:
        raise ValueError(str(version.ref))
    return KnownVersion(
        number=version.number,
        identity=identity,
        owner=version.owner.uid,
        created=seal.created.isoformat(timespec="microseconds"),
        files=seal.files,
        bytes=seal.bytes,
        digest=seal.digest,
        labels=" ".join(version.labels),
        content=content,
    )


def ranges_text(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: ``1-6,8``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def numbers_in(text: str) -> tuple[int, ...]:
    """The inverse of :func:`ranges_text`."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


class Index:
    """An open index; for one thread, and to be closed.

    Attributes:
        path: of the file.
    """

    def __init__(self, database: sqlite3.Connection, path: str) -> None:
        self.path = path
        self._database = database

    @classmethod
    def opened(cls, registry: str, registry_id: str) -> Index | None:
        """The index of a registry at a place, made where there is none; None where there can be none."""
        path = index_path(registry, registry_id)
        if path is None:
            return None
        for _ in range(2):
            try:
                return cls(_connected(path), path)
            except IndexLostError as error:
                if not error.damaged:
                    return None
                _throw_away(path)
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def throw_away(self) -> None:
        """Close it and take the file away: the next one begins anew."""
        self.close()
        _throw_away(self.path)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        import sqlite3  # noqa: PLC0415 - it is loaded by now

        try:
            yield self._database
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _lost(error) from error

    # --- reading

    def begin(self) -> None:
        """From here to :meth:`end` everything that is read is of one moment, whoever writes meanwhile."""
        with self._guarded() as database:
            database.execute("BEGIN")

    def end(self) -> None:
        """The end of what :meth:`begin` began, if it was."""
        with self._guarded() as database:
            if database.in_transaction:
                database.execute("COMMIT")

    def models(self) -> dict[str, KnownModel]:
        """Every model that is remembered, by name."""
        names = KnownModel.__slots__
        with self._guarded() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM models").fetchall()  # noqa: S608 - our own names
            return {row[1]: KnownModel(**dict(zip(names, row, strict=True))) for row in rows}

    def identities(self, model: int) -> dict[int, str]:
        """The versions of a model that are remembered: number to identity."""
        with self._guarded() as database:
            rows = database.execute(
                "SELECT id & ?, identity FROM versions WHERE id BETWEEN ? AND ?", (_MASK, *_rows_of(model))
            )
            return dict(rows.fetchall())

    @staticmethod
    def row(model: int, number: int) -> int:
        """The number of a version's row."""
        return model << _SHIFT | number

    def versions(
        self, folders: Mapping[int, tuple[ModelName, str]], which: Iterable[int] | None = None
    ) -> Iterator[Version]:
        """Versions, each understood as far as somebody looks at it; those of other models are left out.

        Args:
            folders: for the number of a model its name and folder.
            which: the numbers of their rows; all without.
        """
        condition = "1" if which is None else f"versions.id IN ({','.join(map(str, which))})"
        with self._guarded() as database:
            rows = database.execute(
                "SELECT versions.id, owner, created, files, bytes, digest, labels, checked, head, rest "  # noqa: S608 - conditions are ours
                f"FROM versions JOIN records USING (id) WHERE {condition} ORDER BY versions.id"
            ).fetchall()
        for row in rows:
            folder = folders.get(row[0] >> _SHIFT)
            if folder is not None:
                yield _version_of(row, *folder)

    # --- writing

    def forget(self, models: Iterable[KnownModel]) -> None:
        """Remember models no longer."""
        with self._writing() as database:
            for model in models:
                _forget(database, model.id)

    def remember(self, models: Iterable[tuple[KnownModel, Sequence[int], Sequence[KnownVersion]]]) -> None:
        """Keep what was read of some models, all of it or nothing.

        Args:
            models: each with the numbers of all its versions that stay as they are remembered, and the new ones.
        """
        with self._writing() as database:
            for model, kept, fresh in models:
                _remember(database, model, kept, fresh)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._guarded() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise


def index_path(registry: str, registry_id: str) -> str | None:
    """Where the index of a registry lies; None where there is no place, or nobody knows which registry it is.

    Another registry at the same place, the same at another, and another version of this program have others.
    """
    folder = cache_folder() if registry_id else None
    if folder is None:
        return None
    known = "\0".join((str(_SCHEMA), __version__, registry_id, os.path.realpath(registry)))
    return f"{folder}/{sha256(known.encode(errors='surrogateescape')).hexdigest()[:32]}.index"


def _connected(path: str) -> sqlite3.Connection:
    """The database, with our tables.

    Raises:
        IndexLostError: it is not one of ours, or cannot be opened or made.
    """
    import sqlite3  # noqa: PLC0415 - 3 ms, which whoever asks for one version does without

    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
            raise IndexLostError(path)
    except FileNotFoundError:
        pass
    try:
        # Threads: each has an index of its own, which is opened and closed in it; a generator may end in another.
        database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            _prepare(database)
        except BaseException:
            database.close()
            raise
    except sqlite3.Error as error:
        raise _lost(error) from error
    return database


def _lost(error: Exception) -> IndexLostError:
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


def _throw_away(path: str) -> None:
    # What the log holds belongs to the file: it goes first.
    for name in (f"{path}-wal", f"{path}-shm", path):
        with contextlib.suppress(OSError):
            os.unlink(name)


_COLUMNS: Final = ",".join(f'"{name}"' for name in KnownModel.__slots__)
_FACTS: Final = ("identity", "owner", "created", "files", "bytes", "digest", "labels")
_MASK: Final = (1 << _SHIFT) - 1


def _rows_of(model: int) -> tuple[int, int]:
    return model << _SHIFT, (model << _SHIFT) | _MASK


def _version_of(row: tuple[Any, ...], model: ModelName, folder: str) -> Version:
    place, owner, created, files, size, digest, labels, checked, head, rest = row
    if not Packed(head, rest, checked).whole:
        raise IndexLostError("damaged")
    number = place & _MASK
    return folded(
        Version,
        lambda _: remaining(rest),
        model=model,
        number=number,
        folder=f"{folder}/{number}",
        owner=Who(owner, user_name(owner)),
        labels=tuple(labels.split()),
        stages=(),
        problems=(),
        registered=True,
        **unpacked(head, rest, created=datetime.fromisoformat(created), files=files, bytes=size, digest=digest),
    )


def _forget(database: sqlite3.Connection, model: int) -> None:
    for table in ("versions", "records"):
        database.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", _rows_of(model))  # noqa: S608 - our own names
    database.execute("DELETE FROM models WHERE id = ?", (model,))


def _remember(
    database: sqlite3.Connection, model: KnownModel, kept: Sequence[int], fresh: Sequence[KnownVersion]
) -> None:
    found = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    values = [found and found[0], *(getattr(model, name) for name in KnownModel.__slots__[1:])]
    database.execute(f"INSERT OR REPLACE INTO models({_COLUMNS}) VALUES({','.join('?' * len(values))})", values)
    (row,) = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    base = row << _SHIFT
    stays = {base | number for number in kept}
    present = database.execute("SELECT id FROM versions WHERE id BETWEEN ? AND ?", _rows_of(row)).fetchall()
    gone = [found for found in present if found[0] not in stays]
    for table in ("versions", "records"):
        database.executemany(f"DELETE FROM {table} WHERE id = ?", gone)  # noqa: S608 - our own names
    database.executemany(
        "INSERT INTO versions VALUES(?,?,?,?,?,?,?,?,?,?)",
        [
            (base | one.number, *(getattr(one, name) for name in _FACTS), one.content.check, one.content.head)
            for one in fresh
        ],
    )
    database.executemany("INSERT INTO records VALUES(?,?)", [(base | one.number, one.content.rest) for one in fresh])
