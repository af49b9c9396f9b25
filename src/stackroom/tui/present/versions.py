"""The list of a model's versions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stackroom.core.guards import evaluation_data
from stackroom.core.show import age, size
from stackroom.tui.glyphs import spark
from stackroom.tui.present.models import by_value
from stackroom.tui.present.words import Line, arrow, facts, holder_role, holder_sign, problem_lines, short
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stackroom.core.policy import Policy
    from stackroom.store.records import Holding, Model, Version
    from stackroom.tui.glyphs import Glyphs

_TREND_WIDTH = 8
"""Cells of a sparkline: the last eight versions."""

_TREND_LABEL = 11
"""Cells of the words above them at most."""

_METRIC_PRIORITIES = (2, 3, 5)
"""Of the first metrics; all others leave before anything else does."""


def metric_names(model: Model, policy: Policy) -> tuple[str, ...]:
    """The metrics that any version has: those that are declared first, then by name."""
    present = {name for version in model.versions for name in version.metrics}
    declared = [name for name in policy.metrics if name in present]
    return (*declared, *sorted(present - set(declared)))


def trend_metric(names: Sequence[str], sort: str) -> str:
    """The metric of the sparklines: what the list is sorted by, else the first; empty where there is none."""
    sorted_by = sort.removeprefix("metric:") if sort.startswith("metric:") else ""
    return sorted_by if sorted_by in names else next(iter(names), "")


def _trend_label(metric: str) -> str:
    """``TREND(AUC)``; a long name alone, so that the column is there at 80 columns, too."""
    whole = f"TREND({metric.upper()})"
    return whole if len(whole) <= _TREND_LABEL else metric.upper()[:_TREND_LABEL]


def shown_metrics(model: Model, policy: Policy, chosen: Sequence[str] = ()) -> tuple[str, ...]:
    """The metrics that have a column: those that somebody chose, or all where nobody did or none of them is left."""
    names = metric_names(model, policy)
    return tuple(name for name in names if name in set(chosen)) or names


def columns(
    model: Model, policy: Policy, glyphs: Glyphs, sort: str = "", *, chosen: Sequence[str] = ()
) -> tuple[Column, ...]:
    """The columns; a note only where there is something to say, and trends of what the list is sorted by.

    Args:
        model: with all its versions.
        policy: of the registry.
        glyphs: to draw with.
        sort: the column that the list is sorted by.
        chosen: the metrics that are shown; none for all.
    """
    names = shown_metrics(model, policy, chosen)
    trend = _trend_label(trend_metric(names, sort))
    width = max(_TREND_WIDTH, len(trend))
    broken = any(version.problems for version in model.versions) or any(held.missing for held in model.holdings)
    metrics = [
        Column(
            key=f"metric:{name}",
            label=f"{name.upper()} {arrow(policy.better(name), glyphs)}",
            align="right",
            max_width=16,
            priority=_METRIC_PRIORITIES[place] if place < len(_METRIC_PRIORITIES) else 10 + place,
        )
        for place, name in enumerate(names)
    ]
    return (
        Column(key="version", label="VERSION", max_width=20),
        Column(key="stage", label="STAGE", max_width=24, priority=1),
        *metrics,
        Column(key="size", label="SIZE", align="right", priority=9),
        Column(key="created", label="CREATED", priority=4),
        Column(key="by", label="BY", max_width=12, priority=8),
        *([Column(key="trend", label=trend, width=width, priority=6)] if names else []),
        *([Column(key="note", label="NOTE", min_width=12, max_width=80, priority=3)] if broken else []),
    )


def best_of(model: Model, policy: Policy, names: Sequence[str] | None = None) -> dict[str, int]:
    """For each metric with a direction, the one version that is best on the newest test data that was recorded."""
    found: dict[str, int] = {}
    for name in metric_names(model, policy) if names is None else names:
        better = policy.better(name)
        measured = [version for version in model.versions if not math.isnan(version.metrics.get(name, math.nan))]
        if better is None or len(measured) < 2:
            continue
        data = [evaluation_data(version.record, "test") for version in measured]
        newest = next((one for one in reversed(data) if one), frozenset())
        comparable = [version for version, one in zip(measured, data, strict=True) if not one or one == newest]
        values = [version.metrics[name] for version in comparable]
        top = max(values) if better == "higher" else min(values)
        if len(values) > 1 and values.count(top) == 1:
            found[name] = comparable[values.index(top)].number
    return found


class Rows:
    """Makes the rows of one model's versions; what all rows share is worked out once.

    Args:
        model: with all its versions.
        policy: of the registry.
        now: what ages are counted to.
        glyphs: to draw with.
        sort: the column that the list is sorted by.
        chosen: the metrics that are shown; none for all.
    """

    def __init__(
        self,
        model: Model,
        policy: Policy,
        now: datetime,
        glyphs: Glyphs,
        sort: str = "",
        *,
        chosen: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._now = now
        self._glyphs = glyphs
        self._names = shown_metrics(model, policy, chosen)
        self._best = best_of(model, policy, self._names)
        self._by_key = {str(version.number): version for version in model.versions}
        self._place = {version.number: place for place, version in enumerate(model.versions)}
        self._missing = {f"missing:{held.stage}": held for held in model.holdings if held.missing}
        trend = trend_metric(self._names, sort)
        self._values = [version.metrics.get(trend) for version in model.versions] if trend else []

    def row(self, key: str) -> Row:
        """The row of a version's number, or of a stage's holder that is not there."""
        if key in self._missing:
            return self._missing_row(key, self._missing[key])
        version = self._by_key[key]
        problem = version.problems[0] if version.problems else None
        name = " ".join([str(version.number), *version.labels])
        role = "dim" if version.archived else "strong"
        if problem:
            name, role = f"! {name}", "bad" if problem.severity == "error" else "warn"
        return Row(
            key,
            (
                Cell(name, role),
                self._stage(version),
                *(self._metric(version, metric) for metric in self._names),
                Cell(size(version.seal.bytes if version.seal else None), "dim"),
                Cell(age(version.created, self._now), "dim"),
                Cell(author(version)),
                *([Cell(self._trend(version), "accent")] if self._names else []),
                Cell(problem.message if problem else "", role),
            ),
            "dim" if version.archived else "",
        )

    def _trend(self, version: Version) -> str:
        """The values of the last versions up to this one; worked out when the row comes into sight."""
        end = self._place[version.number] + 1
        return spark(self._values[max(0, end - _TREND_WIDTH) : end], _TREND_WIDTH, self._glyphs)

    def _stage(self, version: Version) -> Cell:
        held = [one for one in self._model.holdings if one.number == version.number]
        if held:
            return Cell(", ".join(f"{one.stage}{holder_sign(one)}" for one in held), holder_role(held[0]))
        return Cell(version.state if version.archived else "", "dim")

    def _metric(self, version: Version, metric: str) -> Cell:
        value = version.metrics.get(metric)
        if value is None:
            return Cell(f"{self._glyphs.missing} ", "dim")
        best = self._best.get(metric) == version.number
        return Cell(f"{short(value, self._glyphs)}{self._glyphs.best if best else ' '}", "strong" if best else "")

    def _missing_row(self, key: str, held: Holding) -> Row:
        blank = [Cell("")] * (len(self._names) + 3 + bool(self._names))
        note = f"holds {held.stage}, and its folder is missing"
        return Row(key, (Cell(f"! {held.number}", "bad"), Cell(f"{held.stage}!", "bad"), *blank, Cell(note, "bad")))


def author(version: Version) -> str:
    """Who made a version: what its metadata says, else who owns its folder."""
    return version.record.author or version.owner.label


def missing_keys(model: Model) -> list[str]:
    """The keys of holders that are missing: they come first and pass every filter, for nobody should overlook them."""
    return [f"missing:{held.stage}" for held in model.holdings if held.missing]


def sorted_versions(model: Model, shown: Sequence[Version], column: str, *, descending: bool) -> list[Version]:
    """The versions by a column; what says nothing comes last."""
    order = {held.stage: place for place, held in enumerate(model.holdings, 1)}

    def value(version: Version) -> object:
        if column.startswith("metric:"):
            return version.metrics.get(column.removeprefix("metric:"))
        match column:
            case "stage":
                return max((order.get(stage, 0) for stage in version.stages), default=None)
            case "size":
                return version.seal.bytes if version.seal else None
            case "created":
                return version.created
            case "by":
                return author(version)
            case _:
                return version.number

    newest_first = sorted(shown, key=lambda version: -version.number)
    return by_value(newest_first, value, descending=descending)


def preview(model: Model, version: Version, now: datetime) -> list[Line]:
    """A version in a few lines."""
    record = version.record
    lines: list[Line] = [
        (
            Cell(str(version.ref), "strong"),
            Cell(f"  {version.state}", "dim"),
            Cell(f"  {', '.join(version.labels)}", "accent"),
        )
    ]
    lines.extend(problem_lines(version.problems))
    lines.extend((Cell(line),) for line in record.description.splitlines())
    for held in model.holdings:
        move = held.event.move if held.event else None
        if held.number == version.number and move:
            said = f"since {age(move.at, now)}, by {move.by.label}"
            lines.append((Cell(f"  {held.stage:<14}", "dim"), Cell(said, holder_role(held))))
            lines.extend([(Cell(" " * 16), Cell(move.why, "dim"))] if move.why else [])
    trained = ", ".join(f"{dataset.name} {dataset.split}".strip() for dataset in record.datasets)
    lines.extend(
        facts(
            [
                ("created", f"{age(version.created, now)} by {author(version)}"),
                ("tags", ", ".join(record.tags)),
                ("framework", record.framework),
                ("datasets", trained),
                ("parents", ", ".join(record.parents)),
                ("license", record.license),
                ("card", "" if version.has_card else "none"),
            ]
        )
    )
    return lines
