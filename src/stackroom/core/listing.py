"""A list as a text that leaves the registry: what is on a screen, with whole numbers and times and without ages.

Everything in it comes from other people; the texts are made as harmless as those of :mod:`stackroom.core.export`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from stackroom.core.export import csv_cell, csv_line, escaped, markdown_table
from stackroom.core.metadata import iso
from stackroom.core.show import field_text, json_text, number
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.core.export import Format

Value = str | float | datetime | None
"""Of a cell: a text, a number, true or false, a time, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list, ready to be written.

    Attributes:
        columns: their names.
        rows: one value for each column.
        document: the same, and more, for JSON.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    document: Mapping[str, object]


def listed(listing: Listing, form: Format) -> str:
    """A list as a text that ends with a line feed."""
    match form:
        case "markdown":
            rows = ([_shown(value) for value in row] for row in listing.rows)
            return "".join(f"{line}\n" for line in markdown_table([escaped(name) for name in listing.columns], rows))
        case "csv":
            lines = [[csv_cell(name) for name in listing.columns]]
            lines += [[_whole(value) for value in row] for row in listing.rows]
            return "".join(f"{csv_line(line)}\n" for line in lines)
        case "json":
            return json_text(dict(listing.document))


def _shown(value: Value) -> str:
    match value:
        case None | "":
            return "-"
        case bool() | str():
            return field_text(value)
        case datetime():
            return iso(value)
        case _:
            return number(value)


def _whole(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            return csv_cell(value)
        case bool():
            return field_text(value)
        case datetime():
            return iso(value)
        case _:
            return repr(value)
