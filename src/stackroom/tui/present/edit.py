"""A record that is being edited: its fields with what they said and shall say; and words that others use already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stackroom.core.fields import LISTS
from stackroom.core.onelines import FIELDS, kind_of
from stackroom.core.show import field_text
from stackroom.core.threeway import leaves
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.core.threeway import Path
    from stackroom.store.records import Model
    from stackroom.tui.glyphs import Glyphs

COLUMNS: Final = (
    Column(key="field", label="FIELD", max_width=34, min_width=22),
    Column(key="base", label="SAYS", min_width=12, max_width=200),
    Column(key="mine", label="SHALL SAY", min_width=12, max_width=200),
    Column(key="kind", label="KIND", max_width=12, priority=1),
)
"""Of the fields of a form."""

CONFLICT_COLUMNS: Final = (
    Column(key="field", label="FIELD", max_width=34, min_width=16),
    Column(key="base", label="BASE", min_width=8, max_width=120),
    Column(key="theirs", label="THEIRS", min_width=10, max_width=120),
    Column(key="mine", label="MINE", min_width=10, max_width=120),
)
"""Of the fields that differ between two edits."""

_SEPARATOR: Final = "\x1f"
"""Between the parts of a path in the key of a row: a dot may stand in the name of a metric."""


class Entry(NamedTuple):
    """One line of a form.

    Attributes:
        key: of its row.
        name: of the field.
        base: what it said; None for nothing.
        mine: what it shall say.
        kind: of value, in words.
    """

    key: str
    name: str
    base: str | None
    mine: str | None
    kind: str = ""


def key_of(path: Path) -> str:
    """The key of a field's row."""
    return _SEPARATOR.join(path)


def path_of(key: str) -> Path:
    """The field of a row."""
    return tuple(key.split(_SEPARATOR))


def fields_of(start: Record, mine: Record, added: Sequence[Path] = ()) -> list[Entry]:
    """The fields that every record may have, then all others that either record has."""
    before, after = leaves(start), leaves(mine)
    paths = dict.fromkeys([*FIELDS, *before, *after, *added])
    return [
        Entry(key_of(path), ".".join(path), _text(before, path), _text(after, path), kind_of(after.get(path)))
        for path in paths
    ]


def changed(entries: Iterable[Entry]) -> list[Entry]:
    """Those that shall say something else."""
    return [entry for entry in entries if entry.base != entry.mine]


def _text(fields: Mapping[Path, Any], path: Path) -> str | None:
    value = fields.get(path)
    return None if value is None else field_text(value)


def rows(entries: Iterable[Entry], glyphs: Glyphs) -> list[Row]:
    """The lines of a form; what was changed shows what was there, and what shall be."""
    return [_row(entry, glyphs) for entry in entries]


def _row(entry: Entry, glyphs: Glyphs) -> Row:
    nothing = Cell(glyphs.missing, "dim")
    before = nothing if entry.base is None else Cell(_line(entry.base))
    kind = Cell(entry.kind, "dim")
    if entry.base == entry.mine:
        return Row(entry.key, (Cell(entry.name), before, Cell(""), kind))
    after = nothing if entry.mine is None else Cell(_line(entry.mine), "strong")
    return Row(entry.key, (Cell(f"{glyphs.changed} {entry.name}", "warn"), before, after, kind))


def _line(text: str) -> str:
    return " ".join(text.split())


def said(entry: Entry, glyphs: Glyphs) -> str:
    """A change in a sentence, for the line above the keys."""
    if entry.base == entry.mine:
        return "" if entry.mine is None else f"{entry.name}: as it was"
    before, after = (glyphs.missing if text is None else _line(text) for text in (entry.base, entry.mine))
    return f"{entry.name}: {before} {glyphs.arrow} {after}"


def conflict_rows(facts: Mapping[str, Any], glyphs: Glyphs) -> list[Row]:
    """The fields that differ; an exclamation mark where both changed one."""
    found = []
    for field in facts.get("fields", ()):
        clash = bool(field["clash"])
        name = Cell(f"! {field['field']}" if clash else field["field"], "bad" if clash else "")
        sides = [_side(field, side, glyphs) for side in ("base", "theirs", "mine")]
        found.append(Row(field["field"], (name, *sides)))
    return found


def _side(field: Mapping[str, Any], side: str, glyphs: Glyphs) -> Cell:
    text = field[side]
    role = "dim" if side == "base" else "strong" if text != field["base"] else ""
    return Cell(glyphs.missing, "dim") if text is None else Cell(_line(text), role)


def whose(side: Mapping[str, Any]) -> str:
    """Who wrote a revision, when and why."""
    owner = side.get("owner") or {}
    if not side.get("at"):
        return f"revision {side['revision']}, as registered"
    who = owner.get("name") or owner.get("uid", "somebody")
    at = f" at {side['at']}"
    why = f": {side['reason']}" if side.get("reason") else ""
    return f"revision {side['revision']} by {who}{at}{why}"


def values_in_use(models: Iterable[Model], path: Path) -> list[str]:
    """What the models and versions say for a field already; for a list, its items. In order."""
    found: set[str] = set()
    for model in models:
        for record in (model.record, *(version.record for version in model.versions)):
            value = leaves(record).get(path)
            if ".".join(path) in LISTS and isinstance(value, list):
                found.update(value)
            elif isinstance(value, str):
                found.add(value)
    return sorted(found)


def names_in_use(models: Iterable[Model]) -> list[str]:
    """The names of all fields that some model or version has."""
    found = {".".join(path) for path in FIELDS}
    for model in models:
        for record in (model.record, *(version.record for version in model.versions)):
            found.update(".".join(path) for path in leaves(record))
    return sorted(found)


def completed(text: str, known: Sequence[str], *, items: bool) -> list[str]:
    """The whole lines that a beginning may become; of a list, the last item is completed."""
    head, comma, last = text.rpartition(",") if items else ("", "", text)
    blank = " " if comma else ""
    sign = "-" if items and last.strip().startswith("-") else ""
    word = last.strip().removeprefix(sign)
    return [f"{head}{comma}{blank}{sign}{one}" for one in known if one.startswith(word) and one != word]
