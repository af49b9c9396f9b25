"""Rows of the index: how they are numbered, how they are put in and taken out, and which columns tell what."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from stackroom.store.remembered import KnownModel, Lines
from stackroom.store.selecting import MORE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stackroom.store.remembered import KnownVersion
    from stackroom.store.selecting import Columns

_COLUMNS_LIMIT: Final = 200
"""Metrics, hyperparameters and unknown keys, of each so many, that have columns; of rarer ones the record is asked."""

SHIFT: Final = 30
"""A version's row is its model's number and its own, which has at most nine digits: no row has to be looked for."""

MASK: Final = (1 << SHIFT) - 1
COLUMNS: Final = ",".join(f'"{name}"' for name in KnownModel._fields)
_LINE: Final = ("id", "shape", "owner", "created", "digest", "author", "description", "archived")
"""Of a version what a table shows of it, but for its metrics."""

AT_ONCE: Final = 4096
"""Rows that one question names: SQLite takes questions of a megabyte at most."""

_PER_VERSION: Final = ("versions", "records", "metrics", "hyperparameters", "shown")

_WITH_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "shape": (),
    "extra": (),
    "metrics": ("metrics", "shown"),
    "hyperparameters": ("hyperparameters",),
}
"""For a kind of names, the tables that have a column for each."""


def rows_of(model: int) -> tuple[int, int]:
    """The numbers of the first row that a version of a model may have, and of the last."""
    return model << SHIFT, (model << SHIFT) | MASK


def forget_model(database: sqlite3.Connection, model: int) -> None:
    """Take a model and its versions out, by its number."""
    for table in _PER_VERSION:
        database.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", rows_of(model))  # noqa: S608 - our own names
    database.execute("DELETE FROM models WHERE id = ?", (model,))


def remember_model(database: sqlite3.Connection, model: KnownModel, kept: Sequence[int]) -> int:
    """Keep a model, and of its versions those that stay; returns its number."""
    found = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    values = [found and found[0], *(getattr(model, name) for name in KnownModel._fields[1:])]
    database.execute(f"INSERT OR REPLACE INTO models({COLUMNS}) VALUES({','.join('?' * len(values))})", values)
    (row,) = database.execute("SELECT id FROM models WHERE name = ?", (model.name,)).fetchone()
    base = row << SHIFT
    stays = {base | number for number in kept}
    present = database.execute("SELECT id FROM versions WHERE id BETWEEN ? AND ?", rows_of(row)).fetchall()
    gone = [found for found in present if found[0] not in stays]
    for table in _PER_VERSION:
        database.executemany(f"DELETE FROM {table} WHERE id = ?", gone)  # noqa: S608 - our own names
    return int(row)


def insert_versions(
    database: sqlite3.Connection,
    names: dict[str, dict[str, str | None]],
    base: int,
    fresh: Sequence[KnownVersion],
) -> None:
    """Keep versions whose rows begin after a number."""
    for shape, alike in groupby(fresh, lambda one: one.names):
        versions = [(base | one.number, one.numbers) for one in alike]
        count = len(shape.metrics)
        metrics = [(row, *numbers[:count]) for row, numbers in versions]
        order = _placed(database, names, "shape", [json.dumps(shape.metrics)])
        _insert(database, "metrics", _placed(database, names, "metrics", shape.metrics), metrics, order)
        others = [(row, *numbers[count:]) for row, numbers in versions]
        _insert(database, "hyperparameters", _placed(database, names, "hyperparameters", shape.hyperparameters), others)
        _placed(database, names, "extra", shape.extra)
    if not fresh:
        return
    width = len(fresh[0].facts) + 1
    database.executemany(
        f"INSERT INTO versions VALUES({','.join('?' * width)})",
        [(base | one.number, *one.facts) for one in fresh],
    )
    database.executemany(
        "INSERT INTO records VALUES(?,?,?,?,?,?)", [(base | one.number, *one.content) for one in fresh]
    )


def _insert(
    database: sqlite3.Connection,
    kind: str,
    places: Sequence[str | None],
    rows: Sequence[tuple[Any, ...]],
    order: Sequence[str | None] = (),
) -> None:
    """Keep numbers of versions: each row is its own number and those that have these columns, or have none."""
    columns = ["id", *(place for place in places if place)]
    if None in places:
        kept = [0, *(at for at, place in enumerate(places, 1) if place)]
        rows = [tuple(row[at] for at in kept) for row in rows]
    signs = ["?"] * len(columns)
    for place in order:
        columns.append("shape")
        signs.append(place or "NULL")
    database.executemany(f"INSERT INTO {kind}({','.join(columns)}) VALUES({','.join(signs)})", rows)


def _place_for(kind: str, count: int) -> str | None:
    """A column, the number of an order of names, or nothing for what only has to be known."""
    return None if kind == "extra" else str(count) if kind == "shape" else f"c{count}"


def _placed(
    database: sqlite3.Connection, names: dict[str, dict[str, str | None]], kind: str, wanted: Iterable[str]
) -> list[str | None]:
    """The columns of some names, made where they are new and there is room for more; None where there is not."""
    known = names.setdefault(kind, {})
    found: list[str | None] = []
    for name in wanted:
        if name not in known:
            room = len(known) < _COLUMNS_LIMIT
            place = _place_for(kind, len(known)) if room else None
            if room or MORE not in known:
                # A name beyond the limit is not noted, but that there are some.
                noted = name if room else MORE
                known[noted] = place
                database.execute("INSERT OR IGNORE INTO names VALUES(?,?,?)", (kind, noted, place))
            for table in _WITH_COLUMNS[kind] if place else ():
                database.execute(f"ALTER TABLE {table} ADD COLUMN {place}")
        found.append(known.get(name))
    return found


def line_columns(
    names: Columns, chosen: Callable[[Sequence[str]], Sequence[str]]
) -> tuple[str, Callable[[list[tuple[Any, ...]]], Lines]]:
    """The columns of a line, and what makes the lines of the rows."""
    known = names.names.get("metrics", {})
    shapes = {int(place): json.loads(name) for name, place in names.names.get("shape", {}).items() if place}
    wanted = dict.fromkeys(name for shape in shapes.values() for name in chosen(shape))
    shown = {name: known[name] for name in wanted if known.get(name)}
    whole = len(shown) == len(wanted)
    columns = ", ".join((*_LINE, *(f"metrics.{place}" for place in shown.values())))
    return columns, lambda rows: Lines(metrics=tuple(shown), rows=rows, shapes=shapes, whole=whole)


def lines_beside(database: sqlite3.Connection, columns: str, which: Sequence[int]) -> tuple[list[Any], list[int]]:
    """The columns of some rows, after a one, of those of them that there are; and which had to be looked for.

    The others were gathered beside each other by :func:`gather`: reading one here and one there of a hundred thousand
    takes two to three times as long.
    """
    found = {row[1]: row for row in database.execute(f"SELECT 1, {columns} FROM shown AS metrics")}  # noqa: S608 - our own names
    strewn = [row for row in which if row not in found]
    for start in range(0, len(strewn), AT_ONCE):
        some = ",".join(map(str, strewn[start : start + AT_ONCE]))
        rows = f"SELECT 1, {columns} FROM versions JOIN metrics USING (id) WHERE id IN ({some})"  # noqa: S608 - our own names, and numbers
        found |= {row[1]: row for row in database.execute(rows)}
    return [found[row] for row in which if row in found], [row for row in strewn if row in found]


def gather(database: sqlite3.Connection, names: Columns, which: Sequence[int], strewn: Sequence[int]) -> None:
    """Put some rows beside those that are there, of which those go that nobody asks for any more.

    Args:
        database: in which to.
        names: of the columns.
        which: the rows that are asked for.
        strewn: those of them that are not there yet.
    """
    asked = {*which}
    present = database.execute("SELECT id FROM shown").fetchall()
    database.executemany("DELETE FROM shown WHERE id = ?", [row for row in present if row[0] not in asked])
    columns = ",".join((*_LINE, *(place for place in names.names.get("metrics", {}).values() if place)))
    copied = f"SELECT {columns} FROM versions JOIN metrics USING (id) WHERE id = ?"  # noqa: S608 - our own names
    database.executemany(f"INSERT OR REPLACE INTO shown({columns}) {copied}", [(row,) for row in strewn])


def orders_of(names: Columns) -> dict[int | None, list[tuple[str, int]]]:
    """For the number of each order of metrics their names, each with its place in a row of the table."""
    # A row begins with its own number and that of its order.
    places = {name: int(place[1:]) + 2 for name, place in names.names.get("metrics", {}).items() if place}
    orders = {int(place): json.loads(order) for order, place in names.names.get("shape", {}).items() if place}
    return {
        place: [(name, places[name]) for name in order]
        for place, order in orders.items()
        if all(name in places for name in order)
    }
