"""``observe`` and ``monitor``: what production measures, and whether what holds a stage still does as asked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command, dry_run_option
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING, instant_of, metric_text, metrics_of
from stackroom.core import show
from stackroom.core.metadata import iso

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.core.monitor import State
    from stackroom.registry.observing import Monitoring

DEGRADED: Final = 9
"""The exit code where what holds a stage is not as its monitor asks."""

_COLOURS: Final[dict[State, str]] = {"ok": "green", "degraded": "red", "silent": "yellow"}


def _observe_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    parser.add_argument("values", nargs="+", metavar="METRIC=VALUE", help="what was measured")
    parser.add_argument("--at", metavar="TIME", help="when it was measured (ISO 8601, UTC); now for today, and without")
    dry_run_option(parser)


def _observe(context: Context, options: Namespace) -> int:
    metrics = metrics_of(options.values, "observe")
    at = _measured_at(options.at, context.registry.clock()) if options.at else None
    if not options.dry_run:
        context.commits("stackroom show " + options.ref)
    made = context.registry.observe(options.ref, metrics, at=at, dry_run=options.dry_run)
    if context.json:
        context.document(made.document())
        return 0
    said = ", ".join(f"{name} {metric_text(value)}" for name, value in made.metrics.items())
    if made.made:
        context.out(made.file)
        context.say(Styled("recorded", "green"), f" of {made.ref}: {said}, at {iso(made.at)}")
    else:
        context.say(f"would record of {made.ref}: {said}, at {iso(made.at)}; nothing was written")
    return 0


def _measured_at(text: str, now: datetime) -> datetime:
    """A time as typed; a day that is not over yet, as a whole, means now."""
    at = instant_of(text)
    return now if at == datetime.combine(now.date(), time.max, UTC) else at


def _monitor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="only this one; all without")
    parser.add_argument("--stage", metavar="STAGE", help="only this stage; all that have a monitor without")


def _monitor(context: Context, options: Namespace) -> int:
    found = context.registry.monitor(options.model, options.stage)
    counts = Counter(row.state for row in found.rows)
    code = DEGRADED if any(row.state == "degraded" for row in found.rows) else 0
    if context.json:
        numbers = {state: counts[state] for state in _COLOURS}
        rows = [row.document() for row in found.rows]
        problems = [problem.document() for problem in found.problems]
        context.document(
            {"counts": numbers, "stages": list(found.stages), "holders": rows, "broken": found.broken}
            | {"problems": problems}
        )
        return code
    _put(context, found)
    for row in found.rows:
        if row.missing:
            context.warn(f"{row.ref} holds {row.stage}, and its folder is missing")
        if row.state != "degraded":
            continue
        context.say(
            Styled("degraded:", "red"),
            f" {row.ref} in {row.stage}; {_back(row.back)}: {context.runnable(row.command)}",
        )
    context.warn_of(found.problems)
    if found.broken:
        context.warn(
            f"{show.count(found.broken, 'line')} could not be understood; stackroom doctor says in which files"
        )
    said = ", ".join(f"{counts[state]} {state}" for state in _COLOURS if counts[state])
    none = "nothing holds a stage that has a monitor" if found.stages else "no stage has a monitor in registry.toml"
    context.say(said or none)
    return code


def _back(ref: object) -> str:
    return f"{ref} held it before" if ref is not None else "nothing held it before"


def _put(context: Context, found: Monitoring) -> None:
    columns = [
        Column(title="STATE"),
        Column(title="VERSION", least=10),
        Column(title="STAGE"),
        Column(title="SINCE", priority=4),
        Column(title="ASKED", least=8),
        Column(title="MEAN", right=True),
        Column(title="COUNT", right=True, priority=1),
        Column(title="LEAST", right=True, priority=2),
        Column(title="MOST", right=True, priority=3),
    ]
    rows: list[list[Piece]] = [
        [
            Styled(one.state, _COLOURS[one.state]),
            str(row.ref),
            row.stage,
            moment(row.since, exact=not context.terminal),
            str(one.rule),
            MISSING if one.mean is None else show.number(one.mean, one.rule.bound),
            str(one.count),
            metric_text(one.least),
            metric_text(one.most),
        ]
        for row in found.rows
        for one in row.readings
    ]
    context.table(columns, rows)


COMMANDS: Final = {
    "observe": Command(
        arguments=_observe_arguments,
        run=_observe,
        examples=(
            "stackroom observe fraud-detector@production auc=0.91 latency_ms=14",
            "stackroom observe fraud-detector:7 auc=0.89 --at 2026-05-03T14:00",
        ),
        about="Each call makes a file of its own below observations/; a program that measures often holds a Registry\n"
        "and calls observe(), which appends to one file. Nothing is decided on observations but warnings.",
    ),
    "monitor": Command(
        arguments=_monitor_arguments,
        run=_monitor,
        examples=("stackroom monitor", "stackroom monitor fraud-detector --stage production --json"),
        about="Compares the mean of what was observed within the window with the bounds of [stages.X.monitor].\n"
        "Ends with 9 where a holder is degraded, and names the rollback; with 0 where nothing was observed (silent).",
    ),
}
