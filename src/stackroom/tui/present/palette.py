"""What the palette offers for what is typed: actions, models, versions, registries, views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stackroom.store.records import Model

SHOWN: Final = 200
"""Entries at most: whoever wants another one types on."""

COLUMNS: Final = (
    Column(key="name", label="NAME", max_width=44),
    Column(key="keys", label="KEYS", max_width=16, priority=2),
    Column(key="told", label="WHAT", min_width=12, max_width=160),
)


class Entry(NamedTuple):
    """One line of the palette.

    Attributes:
        command: what is done, as the ``:`` line takes it; also the key of the row.
        name: what is looked for and shown.
        told: a sentence.
        keys: as they are shown.
        why_not: why it cannot be done now, or empty.
    """

    command: str
    name: str
    told: str = ""
    keys: str = ""
    why_not: str = ""


def refs(models: Iterable[Model], text: str) -> list[Entry]:
    """Models whose name holds what is typed, and the versions of one whose whole name stands before a colon."""
    found: list[Entry] = []
    name, colon, number = text.strip().partition(":")
    for model in models:
        if len(found) >= SHOWN:
            break
        if colon and model.name == name:
            found += [
                Entry(f"open {version.ref}", str(version.ref), version.record.description.partition("\n")[0])
                for version in reversed(model.versions)
                if str(version.number).startswith(number) or any(number in label for label in version.labels)
            ]
        elif not colon and name.casefold() in model.name:
            found.append(Entry(f"open {model.name}", model.name, model.record.description.partition("\n")[0]))
    return found[:SHOWN]


def matching(entries: Iterable[Entry], text: str) -> list[Entry]:
    """The entries that hold every word; first those whose name begins with the first one."""
    words = text.casefold().replace("_", " ").split()
    if not words:
        return list(entries)[:SHOWN]
    ranked: list[tuple[int, Entry]] = []
    for entry in entries:
        name = entry.name.casefold().replace("_", " ")
        if all(word in name or word in entry.told.casefold() for word in words):
            ranked.append((0 if name.startswith(words[0]) else 1 if words[0] in name else 2, entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])][:SHOWN]


def rows(entries: Sequence[Entry]) -> list[Row]:
    """The lines; what cannot be done is greyed and says why."""
    return [
        Row(
            entry.command,
            (
                Cell(entry.name, "dim" if entry.why_not else "strong"),
                Cell(entry.keys, "dim" if entry.why_not else "key"),
                Cell(entry.why_not or entry.told, "warn" if entry.why_not else "dim"),
            ),
        )
        for entry in entries
    ]
