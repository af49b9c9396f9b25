"""Versions of all models, as rows of one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.show import age, size
from stackroom.tui.present.versions import author
from stackroom.tui.present.words import Line, arrow, facts, problem_lines, short
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stackroom.core.policy import Policy
    from stackroom.store.records import Version
    from stackroom.tui.glyphs import Glyphs

_METRICS: Final = 3
"""Metrics that have a column; of different models few are the same."""

_FIELDS: Final = {"ref": "model,-version", "size": "-size", "created": "-created", "by": "author,-created"}
"""Column -> how a search sorts by it, the wanted ones first."""


def metric_names(versions: Sequence[Version], policy: Policy, query: str) -> tuple[str, ...]:
    """The metrics that have a column: those that the query names, then those that are declared, then any."""
    present = {name: None for version in versions for name in version.metrics}
    asked = [name for name in present if name in query]
    declared = [name for name in policy.metrics if name in present]
    return tuple(dict.fromkeys([*asked, *declared, *([] if declared else sorted(present))]))[:_METRICS]


_REF: Final = Column(key="ref", label="VERSION", max_width=36)

BEFORE: Final = (_REF,)
"""The columns while nothing is found yet."""


def columns(metrics: Sequence[str], policy: Policy, glyphs: Glyphs) -> tuple[Column, ...]:
    """The columns; those with the largest priority leave first."""
    return (
        _REF,
        Column(key="stage", label="STAGE", max_width=20, priority=1),
        *(
            Column(
                key=f"metric:{name}",
                label=f"{name.upper()} {arrow(policy.better(name), glyphs)}",
                align="right",
                max_width=16,
                priority=2 + place,
            )
            for place, name in enumerate(metrics)
        ),
        Column(key="created", label="CREATED", priority=3),
        Column(key="by", label="BY", max_width=12, priority=7),
        Column(key="size", label="SIZE", align="right", priority=9),
        Column(key="description", label="DESCRIPTION", min_width=12, max_width=100, priority=8),
    )


def sort_field(column: str, policy: Policy, *, turned: bool) -> str:
    """How a search sorts by a column, its most wanted values first, or turned around."""
    if column.startswith("metric:"):
        name = column.removeprefix("metric:")
        field = f"metrics.{name}" if policy.better(name) == "lower" else f"-metrics.{name}"
    else:
        field = _FIELDS[column]
    return ",".join(_turned(part) for part in field.split(",")) if turned else field


def _turned(field: str) -> str:
    return field[1:] if field.startswith("-") else f"-{field}"


def sortable(table: Sequence[Column]) -> list[str]:
    """The keys of the columns that can be sorted by."""
    return [column.key for column in table if column.key in _FIELDS or column.key.startswith("metric:")]


def row(version: Version, metrics: Sequence[str], now: datetime, glyphs: Glyphs) -> Row:
    """One version."""
    problem = version.problems[0] if version.problems else None
    name = " ".join([str(version.ref), *version.labels])
    role = "dim" if version.archived else "strong"
    if problem:
        name, role = f"! {name}", "bad" if problem.severity == "error" else "warn"
    said = version.record.description.partition("\n")[0]
    values = [version.metrics.get(metric) for metric in metrics]
    return Row(
        str(version.ref),
        (
            Cell(name, role),
            Cell(", ".join(version.stages), "good") if version.stages else Cell("archived" * version.archived, "dim"),
            *(Cell(glyphs.missing, "dim") if value is None else Cell(short(value, glyphs)) for value in values),
            Cell(age(version.created, now), "dim"),
            Cell(author(version)),
            Cell(size(version.seal.bytes if version.seal else None), "dim"),
            Cell(problem.message if problem else said, role if problem else "dim"),
        ),
    )


def more(version: Version, now: datetime) -> list[Line]:
    """One version in a few lines."""
    record = version.record
    head = (Cell(str(version.ref), "strong"), Cell(f"  {version.state}", "dim"))
    said = record.description.partition("\n")[0]
    pairs = [
        ("created", f"{age(version.created, now)} by {author(version)}"),
        ("tags", ", ".join(record.tags)),
        ("framework", record.framework),
    ]
    return [head, *problem_lines(version.problems), *([(Cell(said),)] if said else []), *facts(pairs)]
