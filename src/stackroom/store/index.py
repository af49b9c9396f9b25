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
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Who
from stackroom.core.values import folded
from stackroom.store.access import user_name
from stackroom.store.index_file import IndexLostError, connected, index_path, lost, throw_away
from stackroom.store.index_rows import (
    COLUMNS,
    MASK,
    SHIFT,
    forget_model,
    gather,
    insert_versions,
    line_columns,
    lines_beside,
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


class Index:
    """An open index; for one thread, and to be closed.

    Attributes:
        path: of the file.
    """

    def __init__(self, database: sqlite3.Connection, path: str) -> None:
        self.path = path
        self._database = database
        self._strewn: tuple[Sequence[int], Sequence[int]] = ((), ())

    @classmethod
    def opened(cls, registry: str, registry_id: str) -> Index | None:
        """The index of a registry at a place, made where there is none; None where there can be none."""
        path = index_path(registry, registry_id)
        if path is None:
            return None
        for _ in range(2):
            try:
                return cls(connected(path), path)
            except IndexLostError as error:
                if not error.damaged:
                    return None
                throw_away(path)
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def throw_away(self) -> None:
        """Close it and take the file away: the next one begins anew."""
        self.close()
        throw_away(self.path)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        import sqlite3  # noqa: PLC0415 - it is loaded by now

        try:
            yield self._database
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise lost(error) from error

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
        with self._guarded() as database:
            columns, lines = line_columns(self._names(), chosen)
            found, strewn = lines_beside(database, columns, which)
        self._strewn = (which, strewn)
        return lines(found)

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

    def gather(self) -> None:
        """Put the rows that :meth:`lines_at` was asked for beside each other, for the next one who asks.

        It is the end of what :meth:`begin` began; whether it can be done makes no difference to anybody.
        """
        which, strewn = self._strewn
        if strewn:
            with contextlib.suppress(IndexLostError):
                self.end()
                with self._writing() as database:
                    gather(database, self._names(), which, strewn)

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
            return _understood(lambda: {"tags": tuple(json.loads(tags))})
        if name != "metrics" or metrics[1] not in orders:
            return {}
        found = {each: metrics[at] for each, at in orders[metrics[1]]}
        return {} if ASK in found.values() else {"metrics": found}

    def unfold(name: str) -> Mapping[str, Any]:
        if name in {"seal", "record", "revision", "card_revision"}:
            when = _understood(lambda: {"created": datetime.fromisoformat(created)})
            known = {**when, "files": files, "bytes": size, "digest": digest}
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


def _understood(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a column tells of a version; nothing where it is damaged, and the text is asked."""
    try:
        return read()
    except (ValueError, TypeError):
        return {}
