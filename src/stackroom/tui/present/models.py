"""The list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from stackroom.core.query import sort_value
from stackroom.core.show import age, count
from stackroom.tui.present.words import (
    Line,
    facts,
    heading,
    holder_role,
    holder_sign,
    problem_lines,
    short,
)
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from stackroom.core.names import StageName
    from stackroom.core.policy import Policy
    from stackroom.store.records import Model, Problem, Version
    from stackroom.tui.glyphs import Glyphs


T = TypeVar("T")


def columns(stages: Sequence[StageName]) -> tuple[Column, ...]:
    """The columns, one for each stage; those with the largest priority leave first."""
    return (
        Column(key="model", label="MODEL", min_width=16),
        Column(key="latest", label="LATEST", align="right", priority=2),
        *(Column(key=f"stage:{stage}", label=stage.upper(), align="right", priority=1) for stage in stages),
        Column(key="metric", label="METRIC", priority=5),
        Column(key="updated", label="UPDATED", priority=4),
        Column(key="versions", label="VERSIONS", align="right", priority=6),
        Column(key="description", label="DESCRIPTION", min_width=12, max_width=100, priority=9),
    )


def key_metric(model: Model, policy: Policy) -> tuple[str, float] | None:
    """The first declared metric of the newest version that has metrics, as far as they were read; else its first one.

    One version without any does not hide what is known of the model.
    """
    version = _measured(model)
    metrics = version.metrics if version else {}
    name = next((name for name in policy.metrics if name in metrics), min(metrics, default=None))
    return None if name is None else (name, metrics[name])


def _measured(model: Model) -> Version | None:
    return next((version for version in reversed(model.versions) if version.registered and version.metrics), None)


def updated(model: Model) -> datetime | None:
    """When the model last changed, as far as its newest version and its stages tell."""
    times = [holding.event.when for holding in model.holdings if holding.event]
    if model.latest:
        times += [when for when in (model.latest.created, _revised(model)) if when]
    return max(times, default=None)


def _revised(model: Model) -> datetime | None:
    return model.latest.note.revised if model.latest and model.latest.note else None


def row(model: Model, stages: Sequence[StageName], policy: Policy, now: datetime, glyphs: Glyphs) -> Row:
    """One model."""
    problems = model.all_problems
    name = Cell(model.name, "dim" if model.record.archived else "strong")
    if problems:
        worst = "bad" if any(problem.severity == "error" for problem in problems) else "warn"
        name = Cell(f"! {model.name}", worst)
    metric = key_metric(model, policy)
    latest = model.latest
    return Row(
        model.name,
        (
            name,
            Cell(str(latest.number) if latest else glyphs.missing, "" if latest else "dim"),
            *(_holder(model, stage, glyphs) for stage in stages),
            Cell(
                f"{metric[0]} {short(metric[1], glyphs)}" if metric else "",
                "" if _measured(model) is latest else "dim",
            ),
            Cell(age(updated(model), now), "dim"),
            Cell(str(model.count), "dim"),
            Cell(description(model), "dim"),
        ),
    )


def description(model: Model) -> str:
    """The model's own words, else those of its newest version."""
    own = model.record.description or (model.latest.record.description if model.latest else "")
    return own.partition("\n")[0]


def _holder(model: Model, stage: StageName, glyphs: Glyphs) -> Cell:
    holding = model.holding(stage)
    if holding is not None and holding.unread:
        return Cell("unread", "bad")
    if holding is None or holding.number is None:
        return Cell(glyphs.missing, "dim")
    return Cell(f"{holding.number}{holder_sign(holding)}", holder_role(holding))


def fields(model: Model) -> dict[str, Any]:
    """What a filter sees: the newest version, and the model's own name, tags and stages on top."""
    latest = model.latest
    found = latest.fields() if latest else {}
    record = model.record
    tags = (*record.tags, *(latest.record.tags if latest else ()))
    held = tuple(holding.stage for holding in model.holdings if holding.number is not None)
    return found | {
        "model": model.name,
        "team": record.team or found.get("team", ""),
        "description": description(model),
        "tag": tags,
        "tags": tags,
        "stage": held or ("archived" if record.archived else "development",),
        "problems": len(model.all_problems),
        "archived": record.archived,
    }


def sorted_models(models: Iterable[Model], column: str, policy: Policy, *, descending: bool) -> list[Model]:
    """The models by a column; what says nothing comes last, equals stay in the order of their names."""

    def value(model: Model) -> object:
        if column.startswith("stage:"):
            holding = model.holding(column.removeprefix("stage:"))
            return holding.number if holding else None
        match column:
            case "latest":
                return model.latest.number if model.latest else None
            case "versions":
                return model.count
            case "updated":
                return updated(model)
            case "metric":
                metric = key_metric(model, policy)
                return metric[1] if metric else None
            case "description":
                return description(model)
            case _:
                return model.name

    return by_value(sorted(models, key=lambda model: model.name), value, descending=descending)


def by_value(items: Sequence[T], value: Callable[[T], object], *, descending: bool) -> list[T]:
    """Items by a function of them, what has no value last in either direction."""
    present: list[tuple[tuple[int, Any], T]] = []
    missing: list[T] = []
    for item in items:
        key = sort_value((value(item),))
        if key is None:
            missing.append(item)
        else:
            present.append((key, item))
    present.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _, item in present] + missing


def beside_fact(problems: Sequence[Problem]) -> str:
    """The same in a few words."""
    if not problems:
        return ""
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"! {problems[0].place}{more}"


def beside(problems: Sequence[Problem]) -> list[Line]:
    """What is wrong outside of every model, such as names that are none."""
    return [heading("Beside the models"), *problem_lines(problems)] if problems else []


def preview(model: Model, now: datetime) -> list[Line]:
    """A model in a few lines: what it is, who holds what, what is wrong."""
    record = model.record
    lines: list[Line] = [(Cell(model.name, "strong"), Cell(f"  {count(model.count, 'version')}", "dim"))]
    lines.extend(problem_lines(model.all_problems))
    if description(model):
        lines.append((Cell(description(model)),))
    lines.extend(facts([("team", record.team), ("tags", ", ".join(record.tags)), ("owner", model.owner.label)]))
    held = [holding for holding in model.holdings if holding.event is not None or holding.unread]
    if held:
        lines.append(heading("Stages"))
    for holding in held:
        move = holding.event.move if holding.event else None
        holds = f"version {holding.number}" if holding.number is not None else holding.unread or "nobody"
        said = f"{holds}, moved by {move.by.label} {age(move.at, now)}" if move else holds
        lines.append((Cell(f"  {holding.stage:<14}", "dim"), Cell(said, holder_role(holding))))
        if move and move.why:
            lines.append((Cell(" " * 16), Cell(move.why, "dim")))
    return lines
