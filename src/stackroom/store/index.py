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
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from stackroom import __version__
from stackroom.core.attested import Who
from stackroom.core.values import folded
from stackroom.store.access import user_name
from stackroom.store.cachehome import cache_folder
from stackroom.store.packing import Packed, remaining, unpacked
from stackroom.store.records import Version
from stackroom.store.remembered import KeptFolder, KnownModel
from stackroom.store.selecting import MORE, Columns, Condition, condition_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stackroom.core.names import ModelName, StageName
    from stackroom.core.query import Node
    from stackroom.store.remembered import KnownVersion

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
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL, labels TEXT NOT NULL,
    archived INTEGER NOT NULL, author TEXT NOT NULL, team TEXT NOT NULL, description TEXT NOT NULL,
    license TEXT NOT NULL, framework TEXT NOT NULL, tags TEXT NOT NULL);
CREATE TABLE records(id INTEGER PRIMARY KEY, checked INTEGER NOT NULL, head BLOB NOT NULL, rest BLOB NOT NULL);
CREATE TABLE metrics(id INTEGER PRIMARY KEY);
CREATE TABLE hyperparameters(id INTEGER PRIMARY KEY);
CREATE TABLE folders(
    place TEXT PRIMARY KEY, stamp TEXT NOT NULL, settled INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL,
    content TEXT NOT NULL, more TEXT NOT NULL);
CREATE TABLE names(kind TEXT NOT NULL, name TEXT NOT NULL, place TEXT, PRIMARY KEY(kind, name)) WITHOUT ROWID;
"""

_COLUMNS_LIMIT: Final = 200
"""Metrics, hyperparameters and unknown keys, of each so many, that have columns; of rarer ones the record is asked."""

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
        with self._guarded() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM models").fetchall()  # noqa: S608 - our own names
            return {row[1]: KnownModel._make(row) for row in rows}

    def kept(self, place: str) -> KeptFolder | None:
        """What is remembered of a stage's folder."""
        names = KeptFolder.__slots__
        with self._guarded() as database:
            row = database.execute(f"SELECT {','.join(names)} FROM folders WHERE place = ?", (place,)).fetchone()  # noqa: S608 - our own names
            return KeptFolder(**dict(zip(names, row, strict=True))) if row else None

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
        self,
        folders: Mapping[int, tuple[ModelName, str]],
        which: Iterable[int],
        stages: Mapping[int, tuple[StageName, ...]],
    ) -> Iterator[Version]:
        """Versions, each understood as far as somebody looks at it; those of other models are left out.

        Args:
            folders: for the number of a model its name and folder.
            which: the numbers of their rows.
            stages: that a version holds, by the number of its row.
        """
        with self._guarded() as database:
            rows = database.execute(
                f"SELECT {_SHOWN} FROM versions JOIN records USING (id) "  # noqa: S608 - our own names, and numbers
                f"WHERE versions.id IN ({','.join(map(str, which))})"
            ).fetchall()
        for row in rows:
            folder = folders.get(row[0] >> _SHIFT)
            if folder is not None:
                yield _version_of(row, *folder, stages.get(row[0], ()))

    def select(
        self,
        folders: Mapping[int, tuple[ModelName, str]],
        node: Node | None,
        stages: Mapping[int, tuple[StageName, ...]],
        *,
        archived: bool,
    ) -> Iterator[tuple[Version, bool]]:
        """The versions that a query may ask for, in no order, each with whether it does: else the record decides.

        Args:
            folders: as in :meth:`versions`.
            node: the query, or None for all.
            stages: the stages that a version holds, by the number of its row.
            archived: also those that are archived.
        """
        with self._guarded() as database:
            condition = condition_of(node, self._names(), stages) if node else Condition()
            for name, function in condition.functions.items():
                database.create_function(name, -1, function)
            decided = " AND ".join(f"({part})" for part in condition.parts) or "1"
            possible = "".join(f" AND ({part}) IS NOT 0" for part in condition.parts)
            numbers = [number for part in condition.numbers for number in part]
            # In this order: what is asked of metrics, which is most, is decided before another table is looked at.
            rows = database.execute(
                f"SELECT {_SHOWN}, {decided} FROM metrics CROSS JOIN versions USING (id) "  # noqa: S608 - our own names
                "CROSS JOIN hyperparameters USING (id) CROSS JOIN records USING (id) "
                f"WHERE ({1 if archived else 0} OR NOT archived){possible}",
                [*numbers, *numbers],
            ).fetchall()
        for *row, asked in rows:
            folder = folders.get(row[0] >> _SHIFT)
            if folder is not None:
                yield _version_of(row, *folder, stages.get(row[0], ())), bool(asked)

    def _names(self) -> Columns:
        found: dict[str, dict[str, str | None]] = {}
        for kind, name, place in self._database.execute("SELECT kind, name, place FROM names"):
            found.setdefault(kind, {})[name] = place
        return Columns(names=found)

    # --- writing

    def keep(self, folder: KeptFolder) -> None:
        """Remember a stage's folder."""
        values = [getattr(folder, name) for name in KeptFolder.__slots__]
        with self._writing() as database:
            database.execute(f"INSERT OR REPLACE INTO folders VALUES({','.join('?' * len(values))})", values)

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
            names = {kind: dict(found) for kind, found in self._names().names.items()}
            for model, kept, fresh in models:
                row = _remember(database, model, kept)
                _insert(database, names, row << _SHIFT, fresh)

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


_COLUMNS: Final = ",".join(f'"{name}"' for name in KnownModel._fields)
_PER_VERSION: Final = ("versions", "records", "metrics", "hyperparameters")
_SHOWN: Final = "versions.id, owner, created, files, bytes, digest, labels, checked, head, rest"
_MASK: Final = (1 << _SHIFT) - 1


def _rows_of(model: int) -> tuple[int, int]:
    return model << _SHIFT, (model << _SHIFT) | _MASK


def _version_of(row: Sequence[Any], model: ModelName, folder: str, stages: tuple[StageName, ...]) -> Version:
    place, owner, created, files, size, digest, labels, checked, head, rest = row
    if not Packed(head, rest, checked).whole:
        raise IndexLostError("damaged")
    number = place & _MASK

    def unfold(name: str) -> Mapping[str, Any]:
        if name in {"seal", "record"}:
            known = {"created": datetime.fromisoformat(created), "files": files, "bytes": size, "digest": digest}
            return unpacked(head, rest, known)
        return remaining(rest)

    return folded(
        Version,
        unfold,
        model=model,
        number=number,
        folder=f"{folder}/{number}",
        owner=_who(owner),
        labels=tuple(labels.split()) if labels else (),
        stages=stages,
        problems=(),
        registered=True,
    )


@lru_cache(maxsize=1024)
def _who(uid: int) -> Who:
    return Who(uid, user_name(uid))


def _forget(database: sqlite3.Connection, model: int) -> None:
    for table in _PER_VERSION:
        database.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", _rows_of(model))  # noqa: S608 - our own names
    database.execute("DELETE FROM models WHERE id = ?", (model,))


def _remember(database: sqlite3.Connection, model: KnownModel, kept: Sequence[int]) -> int:
    """Keep a model, and of its versions those that stay; returns its number."""
    found = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    values = [found and found[0], *(getattr(model, name) for name in KnownModel._fields[1:])]
    database.execute(f"INSERT OR REPLACE INTO models({_COLUMNS}) VALUES({','.join('?' * len(values))})", values)
    (row,) = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    base = row << _SHIFT
    stays = {base | number for number in kept}
    present = database.execute("SELECT id FROM versions WHERE id BETWEEN ? AND ?", _rows_of(row)).fetchall()
    gone = [found for found in present if found[0] not in stays]
    for table in _PER_VERSION:
        database.executemany(f"DELETE FROM {table} WHERE id = ?", gone)  # noqa: S608 - our own names
    return int(row)


def _insert(
    database: sqlite3.Connection,
    names: dict[str, dict[str, str | None]],
    base: int,
    fresh: Sequence[KnownVersion],
) -> None:
    """Keep versions whose rows begin after a number."""
    for one in fresh:
        row = base | one.number
        for kind, values in (("metrics", one.metrics), ("hyperparameters", one.hyperparameters)):
            places = _placed(database, names, kind, values)
            columns = [place for place in places if place]
            kept = [value for place, value in zip(places, values.values(), strict=True) if place]
            database.execute(
                f"INSERT INTO {kind}({','.join(['id', *columns])}) VALUES({','.join('?' * (len(columns) + 1))})",
                [row, *kept],
            )
        _placed(database, names, "extra", one.extra)
    if not fresh:
        return
    width = len(fresh[0].facts) + 1
    database.executemany(
        f"INSERT INTO versions VALUES({','.join('?' * width)})",
        [(base | one.number, *one.facts) for one in fresh],
    )
    database.executemany(
        "INSERT INTO records VALUES(?,?,?,?)",
        [(base | one.number, one.content.check, one.content.head, one.content.rest) for one in fresh],
    )


def _placed(
    database: sqlite3.Connection, names: dict[str, dict[str, str | None]], kind: str, wanted: Iterable[str]
) -> list[str | None]:
    """The columns of some names, made where they are new and there is room for more; None where there is not."""
    known = names.setdefault(kind, {})
    found: list[str | None] = []
    for name in wanted:
        if name not in known:
            room = len(known) < _COLUMNS_LIMIT
            place = f"c{len(known)}" if room and kind != "extra" else None
            if room or MORE not in known:
                # A name beyond the limit is not noted, but that there are some.
                noted = name if room else MORE
                known[noted] = place
                database.execute("INSERT OR IGNORE INTO names VALUES(?,?,?)", (kind, noted, place))
            if place:
                database.execute(f"ALTER TABLE {kind} ADD COLUMN {place}")
        found.append(known.get(name))
    return found
