"""Rows of the index: how they are numbered, and how a model and its versions are put in and taken out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from stackroom.store.remembered import KnownModel
from stackroom.store.selecting import MORE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from stackroom.store.remembered import KnownVersion

_COLUMNS_LIMIT: Final = 200
"""Metrics, hyperparameters and unknown keys, of each so many, that have columns; of rarer ones the record is asked."""

SHIFT: Final = 30
"""A version's row is its model's number and its own, which has at most nine digits: no row has to be looked for."""

MASK: Final = (1 << SHIFT) - 1
COLUMNS: Final = ",".join(f'"{name}"' for name in KnownModel._fields)
_PER_VERSION: Final = ("versions", "records", "metrics", "hyperparameters")


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
    for one in fresh:
        row = base | one.number
        for kind, values in (("metrics", one.metrics), ("hyperparameters", one.hyperparameters)):
            places = _placed(database, names, kind, values)
            columns = [place for place in places if place]
            kept = [value for place, value in zip(places, values.values(), strict=True) if place]
            if kind == "metrics":
                columns.append("shape")
                kept += _placed(database, names, "shape", [json.dumps([*values])])
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
            if place and kind != "shape":
                database.execute(f"ALTER TABLE {kind} ADD COLUMN {place}")
        found.append(known.get(name))
    return found
