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
import json
import os
import stat
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom import __version__
from stackroom.core.attested import Who
from stackroom.core.sha256 import sha256
from stackroom.core.values import folded
from stackroom.store.access import user_name
from stackroom.store.cachehome import cache_folder, mark_used, remove_unused
from stackroom.store.index_rows import (
    AT_ONCE,
    COLUMNS,
    MASK,
    SHIFT,
    forget_model,
    insert_versions,
    line_columns,
    orders_of,
    remember_model,
    rows_of,
)
from stackroom.store.records import Version
from stackroom.store.remembered import KeptFolder, KnownModel, Lines
from stackroom.store.selecting import ASK, Columns, Condition, condition_of, sort_columns
from stackroom.store.verbatim import Verbatim, fields_in, remaining

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stackroom.core.names import ModelName, StageName
    from stackroom.core.query import Node
    from stackroom.store.remembered import KnownVersion

_APPLICATION: Final = 0x53746B72
"""``Stkr``: how ``file`` and we know our own databases."""

_SCHEMA: Final = 4
"""Raised whenever a table, or what is kept of a version, changes: another number is another file."""

_SUFFIX: Final = ".index"

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
CREATE TABLE records(
    id INTEGER PRIMARY KEY, checked INTEGER NOT NULL, revision INTEGER NOT NULL, card INTEGER NOT NULL,
    text BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE metrics(id INTEGER PRIMARY KEY, shape INTEGER);
CREATE TABLE hyperparameters(id INTEGER PRIMARY KEY);
CREATE TABLE folders(
    place TEXT PRIMARY KEY, stamp TEXT NOT NULL, settled INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT NOT NULL,
    content TEXT NOT NULL, more TEXT NOT NULL);
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
            rows = database.execute(f"SELECT {COLUMNS} FROM models").fetchall()  # noqa: S608 - our own names
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
                "SELECT id & ?, identity FROM versions WHERE id BETWEEN ? AND ?", (MASK, *rows_of(model))
            )
            return dict(rows.fetchall())

    @staticmethod
    def row(model: int, number: int) -> int:
        """The number of a version's row."""
        return model << SHIFT | number

    @staticmethod
    def split(row: int) -> tuple[int, int]:
        """The numbers of a row's model and version."""
        return row >> SHIFT, row & MASK

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
            names = self._names()
            rows = database.execute(
                f"SELECT {_SHOWN} FROM versions JOIN records USING (id) JOIN metrics USING (id) "  # noqa: S608 - our own names, and numbers
                f"WHERE versions.id IN ({','.join(map(str, which))})"
            ).fetchall()
        orders = orders_of(names)
        for row in rows:
            folder = folders.get(row[0] >> SHIFT)
            if folder is not None:
                yield _version_of(row, orders, *folder, stages.get(row[0], ()))

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
        with self._guarded():
            names = self._names()
            rows = self._selected(_SHOWN, names, node, stages, archived=archived)
        orders = orders_of(names)
        for asked, *row in rows:
            folder = folders.get(row[0] >> SHIFT)
            if folder is not None:
                yield _version_of(row, orders, *folder, stages.get(row[0], ())), bool(asked)

    def ranked(
        self,
        node: Node | None,
        stages: Mapping[int, tuple[StageName, ...]],
        fields: Sequence[str],
        *,
        archived: bool,
    ) -> list[tuple[int, dict[str, Any]]] | None:
        """The rows of the versions that a query asks for, in no order, each with what it is sorted by.

        None where the record has to be asked for one of them. Arguments as in :meth:`select`, and the names of the
        fields to sort by.
        """
        with self._guarded():
            names = self._names()
            kept = sort_columns(fields, names)
            if kept is None:
                return None
            wanted = ", ".join(["versions.id", *(column for column, _ in kept)])
            rows = self._selected(wanted, names, node, stages, archived=archived)
        found: list[tuple[int, dict[str, Any]]] = []
        for asked, row, *values in rows:
            if asked is None or ASK in values:
                return None
            told = zip(fields, kept, values, strict=True)
            found.append((row, {name: value_of(value) for name, (_, value_of), value in told if value is not None}))
        return found

    def _selected(
        self,
        wanted: str,
        names: Columns,
        node: Node | None,
        stages: Mapping[int, tuple[StageName, ...]],
        *,
        archived: bool,
    ) -> list[tuple[Any, ...]]:
        """Some columns of what a query may ask for, after whether it does; None where only the record tells."""
        condition = condition_of(node, names, stages) if node else Condition()
        for name, function in condition.functions.items():
            self._database.create_function(name, -1, function)
        decided = " AND ".join(f"({part})" for part in condition.parts) or "1"
        possible = "".join(f" AND ({part}) IS NOT 0" for part in condition.parts)
        numbers = [number for part in condition.numbers for number in part]
        others = " CROSS JOIN hyperparameters USING (id)" if "hyperparameters." in decided + wanted else ""
        others += " CROSS JOIN records USING (id)" if wanted == _SHOWN else ""
        # In this order: what is asked of metrics, which is most, is decided before another table is looked at.
        return self._database.execute(
            f"SELECT {decided}, {wanted} FROM metrics CROSS JOIN versions USING (id)"  # noqa: S608 - our own names
            f"{others} WHERE ({1 if archived else 0} OR NOT archived){possible}",
            [*numbers, *numbers],
        ).fetchall()

    def lines(
        self,
        node: Node | None,
        stages: Mapping[int, tuple[StageName, ...]],
        chosen: Callable[[Sequence[str]], Sequence[str]],
        *,
        archived: bool,
    ) -> Lines:
        """What a table shows of the versions that a query may ask for, in no order.

        Args:
            node: as in :meth:`select`.
            stages: likewise.
            chosen: of the names of a version's metrics those to show.
            archived: as in :meth:`select`.
        """
        with self._guarded():
            names = self._names()
            shown, lines = line_columns(names, chosen)
            rows = self._selected(shown, names, node, stages, archived=archived)
        return lines(rows)

    def lines_at(self, which: Sequence[int], chosen: Callable[[Sequence[str]], Sequence[str]]) -> Lines:
        """The same of the versions in some rows, those of them that there are.

        Args:
            which: the numbers of the rows.
            chosen: as in :meth:`lines`.
        """
        rows: list[tuple[Any, ...]] = []
        with self._guarded() as database:
            shown, lines = line_columns(self._names(), chosen)
            for start in range(0, len(which), AT_ONCE):
                some = ",".join(map(str, which[start : start + AT_ONCE]))
                rows += database.execute(
                    f"SELECT 1, {shown} FROM versions JOIN metrics USING (id) WHERE versions.id IN ({some})"  # noqa: S608 - our own names, and numbers
                )
        return lines(rows)

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
                forget_model(database, model.id)

    def remember(self, models: Iterable[tuple[KnownModel, Sequence[int], Sequence[KnownVersion]]]) -> list[int]:
        """Keep what was read of some models, all of it or nothing; returns the numbers of their rows.

        Args:
            models: each with the numbers of all its versions that stay as they are remembered, and the new ones.
        """
        with self._writing() as database:
            names = {kind: dict(found) for kind, found in self._names().names.items()}
            rows: list[int] = []
            for model, kept, fresh in models:
                rows.append(remember_model(database, model, kept))
                insert_versions(database, names, rows[-1] << SHIFT, fresh)
        return rows

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
    return f"{folder}/{sha256(known.encode(errors='surrogateescape')).hexdigest()[:32]}{_SUFFIX}"


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
        mark_used(path, status)
    except FileNotFoundError:
        remove_unused(os.path.dirname(path), _SUFFIX)
        # Others may be allowed to look into the folder; what a private registry says is not for them.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
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


_PLAIN: Final = ("author", "team", "description", "license", "framework")
_SHOWN: Final = f"""versions.id, owner, created, files, bytes, digest, labels, archived, tags, {", ".join(_PLAIN)},
    checked, revision, card, text, sealed, metrics.*"""


def _version_of(
    row: Sequence[Any],
    orders: Mapping[int | None, list[tuple[str, int]]],
    model: ModelName,
    folder: str,
    stages: tuple[StageName, ...],
) -> Version:
    place, owner, created, files, size, digest, labels, archived, tags, *plain = row
    metrics = plain[len(_PLAIN) + len(Verbatim._fields) :]
    kept = Verbatim._make(plain[len(_PLAIN) : -len(metrics)])
    if not kept.whole:
        raise IndexLostError("damaged")
    number = place & MASK
    said = dict(zip(_PLAIN, plain, strict=False))

    def some(name: str) -> Mapping[str, Any]:
        if name == "tags":
            return {"tags": tuple(json.loads(tags))}
        if name != "metrics" or metrics[1] not in orders:
            return {}
        found = {each: metrics[at] for each, at in orders[metrics[1]]}
        return {} if ASK in found.values() else {"metrics": found}

    def unfold(name: str) -> Mapping[str, Any]:
        if name in {"seal", "record", "revision", "card_revision"}:
            known = {"created": datetime.fromisoformat(created), "files": files, "bytes": size, "digest": digest}
            return fields_in(kept, known, {**said, "archived": bool(archived)}, some)
        return remaining(kept)

    return folded(
        Version,
        unfold,
        model=model,
        number=number,
        folder=f"{folder}/{number}",
        owner=Who(owner, user_name(owner)),
        labels=tuple(labels.split()) if labels else (),
        stages=stages,
        problems=(),
        registered=True,
    )
