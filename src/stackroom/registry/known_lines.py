"""Lines of the models of which the caller's index tells all that a line says.

A model with anything to say beyond its line (a problem, a holder that is missing, a pointer that is behind) has none
here: it is read as every other reader has it, and its line is made of that, which is the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.registry.lines import ModelLine
from stackroom.store.index_rows import SHIFT
from stackroom.store.packing import shown_of_record
from stackroom.store.remembered import iso_of, numbers_in, span_of
from stackroom.store.selecting import ASK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.core.names import ModelName
    from stackroom.registry.holdings import Stages
    from stackroom.registry.lines import Chosen
    from stackroom.store.look import Look
    from stackroom.store.remembered import KnownModel

_DIGEST: Final = 5
_METRICS: Final = 9
"""Where the rows of :class:`~stackroom.store.remembered.Lines` have the digest, and the first metric."""

_NO_ROW: Final = (None,) * _METRICS


def lines_known(look: Look, stages: Stages, chosen: Chosen) -> tuple[dict[ModelName, ModelLine], list[ModelName]]:
    """The lines of the models of which the index tells all that a line shows, and models of which it lacks a holder.

    The latter hold a stage with a version that was never asked for before. Arguments as in :func:`line_of`.

    Raises:
        IndexLostError: the index is damaged.
    """
    if any(reading.error for reading in stages.readings.values()):
        return {}, []
    told = look.told()
    moved, held = _holders(stages)
    wanted = {name: {span_of(known.numbers)[1], *held.get(name, ())} - {0, None} for name, known in told.items()}
    found = look.lines_of(wanted, chosen)
    if not found.whole:
        return {}, []
    rows = {row[1]: row for row in found.rows}
    others, lacking = _without(moved, told, rows)
    metrics = {
        shape: [(name, found.metrics.index(name) + _METRICS) for name in chosen(names)]
        for shape, names in found.shapes.items()
    }
    nobody = (None,) * len(stages.readings)
    lines: dict[ModelName, ModelLine] = {}
    for name, known in told.items():
        newest = span_of(known.numbers)[1]
        row = rows.get(known.id << SHIFT | newest) if newest else _NO_ROW
        if name not in others and row and (line := _known_line(known, row, tuple(held.get(name, nobody)), metrics)):
            lines[name] = line
    return lines, lacking


def _without(
    moved: Sequence[tuple[ModelName, int | None, str]],
    told: Mapping[ModelName, KnownModel],
    rows: Mapping[int, Sequence[Any]],
) -> tuple[set[ModelName], list[ModelName]]:
    """The models whose rows are not enough for a line, and those of them that merely lack the row of a holder."""
    others: set[ModelName] = set()
    lacking: list[ModelName] = []
    for model, number, digest in moved:
        known = told.get(model)
        if known is None:
            continue
        row = rows.get(known.id << SHIFT | number) if number else None
        if row is None or row[_DIGEST] != digest:
            others.add(model)
        if number and row is None and number in numbers_in(known.numbers):
            lacking.append(model)
    return others, lacking


def _holders(
    stages: Stages,
) -> tuple[list[tuple[ModelName, int | None, str]], dict[ModelName, list[int | None]]]:
    """Who holds what: model, number and digest, without a number where more is to be told; and the numbers by model."""
    moved: list[tuple[ModelName, int | None, str]] = []
    held: dict[ModelName, list[int | None]] = {}
    for place, (stage, reading) in enumerate(stages.readings.items()):
        live = stages.live[stage]
        for model, (holder, digest, alarms) in reading.decided().items():
            if alarms or live.get(model) != holder:
                moved.append((model, None, ""))
            elif holder is not None:
                moved.append((model, holder, digest))
                held.setdefault(model, [None] * len(stages.readings))[place] = holder
    return moved, held


def _known_line(
    known: KnownModel,
    row: Sequence[Any],
    holders: tuple[int | None, ...],
    metrics: Mapping[int, list[tuple[str, int]]],
) -> ModelLine | None:
    """The line of a model with nothing wrong in it; None where its row is not enough."""
    count, newest = span_of(known.numbers)
    own, archived = shown_of_record(known.record)
    if not newest:
        return ModelLine(known.name, 0, None, holders, (), "", own, archived, ())
    _, _, shape, _, created, _, _, description, *_ = row
    if shape not in metrics:
        return None
    values = tuple([(name, row[at]) for name, at in metrics[shape]])
    if any(value is None or value == ASK for _, value in values):
        return None
    return ModelLine(known.name, count, newest, holders, values, iso_of(created), own or description, archived, ())
