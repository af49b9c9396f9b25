"""``list``, ``search`` and ``path``: what there is, and where."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from stackroom.cli import streams
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.versions import (
    check_sort,
    flag,
    in_order,
    is_metric,
    iso_moment,
    metric_columns,
    metric_names,
    put_lines,
    put_versions,
    refuse_absent,
    shown,
    value_of,
)
from stackroom.cli.words import MISSING, metric_text
from stackroom.core.names import parse_ref
from stackroom.core.text import visible
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from stackroom.cli.context import Context
    from stackroom.core.policy import Policy
    from stackroom.core.query import Query
    from stackroom.registry.lines import ModelLine
    from stackroom.store.records import Holding, Model, Problem, Version

_FIELDS_ASKED: Final = 3
"""Of a query that found nothing: each may cost a look at the whole registry."""

_SHOWN_METRICS: Final = 3
"""Metrics of the newest version in the list of models: more push the description off 120 columns."""


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="list its versions, the newest first; else all models"
    )
    parser.add_argument(
        "--where", default="", metavar="QUERY", help="only versions, or models whose newest version, that it asks for"
    )
    parser.add_argument(
        "--sort", default="", metavar="FIELD", help="such as -metrics.auc,created; a minus is descending"
    )
    parser.add_argument("--columns", metavar="FIELD,…", help="which columns: any field, such as version,auc,tags.team")
    parser.add_argument("--stage", metavar="STAGE", help="only what holds this stage")
    parser.add_argument("--archived", action="store_true", help="also what is archived")
    parser.add_argument("--deleted", action="store_true", help="what was deleted, by whom and why, and nothing else")


def _list(context: Context, options: Namespace) -> int:
    if options.deleted:
        return _list_deleted(context, options)
    if options.stage:
        context.reader.check_stage(options.stage)
    return _list_versions(context, options) if options.model else _list_models(context, options)


def _list_deleted(context: Context, options: Namespace) -> int:
    if options.where or options.sort or options.columns or options.stage or options.archived:
        raise UsageError("--deleted goes with no other option", hint="stackroom list --deleted, or with a MODEL")
    if options.model and (ref := parse_ref(options.model)).kind != "model":
        raise UsageError(f"{ref} is a version; a model is listed", hint=f"stackroom list {ref.model} --deleted")
    from stackroom.cli.deletions import put_deletions  # noqa: PLC0415 - only here

    put_deletions(context, context.reader.deleted(options.model))
    return 0


def _list_versions(context: Context, options: Namespace) -> int:
    ref = parse_ref(options.model)
    if ref.kind != "model":
        raise UsageError(f"{ref} is a version; a model is listed", hint=f"stackroom show {ref}")
    model = context.reader.model(options.model)
    found = _chosen(tuple(reversed(model.versions)), options)
    versions = in_order(found, options.sort)
    if context.json:
        rows = [version.document() for version in versions]
        problems = [problem.document() for problem in model.problems]
        context.document({"model": model.name, "versions": rows, "problems": problems})
        return 0
    metrics = metric_columns(context.reader.policy, versions, options.where + options.sort)
    names = _names(options.columns) or [
        *("version", "state", *metrics, "size", "created", "by"),
        *(("labels",) if any(version.labels for version in versions) else ()),
        "description",
    ]
    put_versions(context, versions, names)
    context.warn_of(model.problems)
    hidden = len(model.versions) - len(versions)
    if context.terminal and hidden:
        context.say(f"{hidden} more: archived, or not asked for")
    return 0


def _names(columns: str | None) -> list[str]:
    return [name.strip() for name in (columns or "").split(",") if name.strip()]


def _chosen(versions: Sequence[Version], options: Namespace) -> list[Version]:
    asked = _query(options.where)
    archived = options.archived or "archived" in options.where
    return [
        version
        for version in versions
        if (archived or not version.archived)
        and (asked is None or asked.matches(version.fields()))
        and (not options.stage or options.stage in version.stages)
    ]


def _list_models(context: Context, options: Namespace) -> int:
    from stackroom.registry.remembering import glance  # noqa: PLC0415 - only here

    reader = context.reader
    if not (context.json or options.where or options.sort or options.columns):
        from stackroom.registry.listing import overview  # noqa: PLC0415 - as Reader.models itself

        found = overview(reader, _metrics_of(reader.policy))
        glance(reader, found.stages.heads(), found.stages.stamps())
        lines = [line for line in found.lines if _is_shown(line, reader.stages, options)]
        _put_models(context, lines)
        _say_of_models(context, [one for line in lines for one in line.problems], found.problems)
        _say_hidden(context, len(found.lines), len(lines))
        return 0
    listing = reader.models()
    glance(reader, (holding.event for model in listing.models for holding in model.holdings if holding.event))
    models = [model for model in listing.models if _is_wanted(model, options)]
    if options.sort:
        check_sort(options.sort, [_fields(model) for model in models])
        from stackroom.core.query import sorted_by  # noqa: PLC0415 - as in a query

        models = sorted_by(models, options.sort, _fields)
    if context.json:
        problems = [problem.document() for problem in listing.problems]
        context.document({"models": [model.document() for model in models], "problems": problems})
        return 0
    chosen = _names(options.columns)
    if chosen:
        context.table(*_chosen_columns(models, chosen))
    else:
        from stackroom.registry.lines import line_of  # noqa: PLC0415 - as above

        _put_models(context, [line_of(model, reader.stages, _metrics_of(reader.policy)) for model in models])
    _say_of_models(context, [problem for model in models for problem in model.all_problems], listing.problems)
    _say_hidden(context, len(listing.models), len(models))
    return 0


def _say_of_models(context: Context, problems: Sequence[Problem], outside: Sequence[Problem]) -> None:
    context.warn_of(problems)
    # What is wrong with registry.toml was said when it was opened.
    context.warn_of(problem for problem in outside if problem.place != "registry.toml")


def _say_hidden(context: Context, models: int, shown: int) -> None:
    if context.terminal and models > shown:
        context.say(f"{models - shown} more: archived, or not asked for")
    if not models:
        context.say("there are no models yet; make one with: " + context.runnable("stackroom register MODEL FOLDER"))


def _is_shown(line: ModelLine, stages: Sequence[str], options: Namespace) -> bool:
    """As :func:`_is_wanted`, where nothing is asked of the fields."""
    if options.stage:
        holder = line.holders[stages.index(options.stage)]
        if holder is None or (not isinstance(holder, int) and holder.number is None):
            return False
    return options.archived or not line.archived


def _is_wanted(model: Model, options: Namespace) -> bool:
    if options.stage:
        holding = model.holding(options.stage)
        if holding is None or holding.number is None:
            return False
    if model.record.archived and not (options.archived or "archived" in options.where):
        return False
    asked = _query(options.where)
    return asked is None or asked.matches(_fields(model))


def _query(text: str) -> Query | None:
    if not text.strip():
        return None
    from stackroom.core.query import Query  # noqa: PLC0415 - most lists are not asked anything

    return Query(text)


def _fields(model: Model) -> dict[str, object]:
    """What a query about models sees: the fields of the newest version, and those of the model itself over them."""
    latest = model.latest
    held = tuple(holding.stage for holding in model.holdings if holding.number is not None)
    found: dict[str, object] = {**(latest.fields() if latest else {}), "model": model.name, "versions": model.count}
    found |= {"stage": held, "owner": model.owner.label, "archived": model.record.archived}
    for name in ("description", "team"):
        if getattr(model.record, name):
            found[name] = getattr(model.record, name)
    return found


def _chosen_columns(models: Sequence[Model], names: Sequence[str]) -> tuple[list[Column], list[list[Piece]]]:
    fields = [_fields(model) for model in models]
    for name in names:
        if models and all(value_of(one, name) is None for one in fields):
            raise UsageError(f"no model here has a field {name!r}", facts={"key": name})
    columns = [Column(title=name.upper(), least=10) for name in names]
    return columns, [[shown(value_of(one, name)) for name in names] for one in fields]


def _put_models(context: Context, lines: Sequence[ModelLine]) -> None:
    flagged = any(line.problems for line in lines)
    columns = [
        *((Column(title=""),) if flagged else ()),
        Column(title="MODEL", least=12),
        Column(title="VERSIONS", right=True, priority=3),
        Column(title="LATEST", right=True, priority=1),
        *(Column(title=stage.upper(), right=True, priority=2, least=4) for stage in context.reader.stages),
        Column(title="METRICS", priority=4, least=16),
        Column(title="CREATED", priority=8),
        Column(title="DESCRIPTION", priority=7, least=14),
    ]
    exact = not context.terminal
    rows: list[list[Piece]] = [
        [
            *((flag(bool(line.problems)),) if flagged else ()),
            line.name,
            str(line.versions),
            MISSING if line.latest is None else str(line.latest),
            *map(_holder, line.holders),
            " ".join([f"{name}={metric_text(value)}" for name, value in line.metrics]) or MISSING,
            iso_moment(line.created, exact=exact),
            line.description or MISSING,
        ]
        for line in lines
    ]
    context.table(columns, rows)


def _holder(held: int | Holding | None) -> Piece:
    if held is None:
        return MISSING
    if isinstance(held, int):
        return _green(held)
    return Styled("unread" if held.unread else f"{held.number} missing", "red")


@lru_cache(maxsize=1024)
def _green(number: int) -> Styled:
    return Styled(str(number), "green")


def _metrics_of(policy: Policy) -> Callable[[Sequence[str]], Sequence[str]]:
    """What chooses the metrics of a model's newest version that the list has room for."""
    declared = policy.metrics
    return lambda names: ([name for name in declared if name in names] or list(names))[:_SHOWN_METRICS]


def _search_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("query", metavar="QUERY", nargs="?", default="", help="what to look for; all versions without")
    parser.add_argument(
        "--sort", default="", metavar="FIELD", help="such as -metrics.auc,created; a minus is descending"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="the first N only")
    parser.add_argument("--columns", metavar="FIELD,…", help="which columns: any field, such as ref,auc,tags.team")
    parser.add_argument("--archived", action="store_true", help="also what is archived")


def _search(context: Context, options: Namespace) -> int:
    if options.limit is not None and options.limit < 0:
        raise UsageError("--limit counts versions, and there are none below zero")
    if options.limit is None and not (context.json or options.columns) and _put_table(context, options):
        return 0
    from stackroom.registry.listing import find  # noqa: PLC0415 - as search itself

    reader, limit = context.reader, options.limit
    if limit is None:
        versions: Sequence[Version] = in_order(reader.search(options.query, archived=options.archived), options.sort)
        total = len(versions)
    else:
        found = find(reader, options.query, sort=options.sort, archived=options.archived, limit=limit)
        refuse_absent(found.absent, [version.fields() for version in found.versions])
        versions, total = found.versions, found.total
    if context.json:
        context.document({"total": total, "versions": [version.document() for version in versions]})
        return 0
    metrics = metric_columns(reader.policy, versions, f"{options.query} {options.sort}")
    names = _names(options.columns) or ["ref", "state", *metrics, "created", "by", "description"]
    put_versions(context, versions, names)
    _say_found(context, len(versions), total, options.query)
    return 0


def _put_table(context: Context, options: Namespace) -> bool:
    """Print what was found as the index alone has it, which looks no different; False where it cannot."""
    from stackroom.registry.listing import table  # noqa: PLC0415 - as search itself

    policy, query = context.reader.policy, options.query

    def chosen(names: Sequence[str]) -> list[str]:
        return metric_names(policy, names, f"{query} {options.sort}")

    found = table(context.reader, query, chosen=chosen, sort=options.sort, archived=options.archived)
    if found is None:
        return False
    if found.absent:
        first = context.reader.version(f"{found.lines[0].model}:{found.lines[0].number}")
        refuse_absent(found.absent, [first.fields()])
    names = chosen(found.present)
    if not all(is_metric(name) for name in names):
        return False
    put_lines(context, found.lines, names, [found.names.index(name) for name in names])
    _say_found(context, len(found.lines), len(found.lines), query)
    return True


def _say_found(context: Context, shown: int, found: int, query: str) -> None:
    if not found:
        context.say("no version is like that")
        _say_unknown(context, query)
    elif shown < found:
        context.say(f"{shown} of {found}")


def _say_unknown(context: Context, query: str) -> None:
    """Name the fields of a query that found nothing which no version says: most are slips of the hand."""
    asked = _query(query)
    if asked is None:
        return
    from stackroom.core.query import fields_in  # noqa: PLC0415 - only after nothing was found
    from stackroom.registry.listing import find  # noqa: PLC0415 - the same

    for name in fields_in(asked.node)[:_FIELDS_ASKED]:
        # Whatever a field says contains the empty text.
        if not find(context.reader, f"{name} ~ ''", sort="", archived=True, limit=0).total:
            context.say(f"no version says anything of {name}")


def _path_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version, or the model")


def _path(context: Context, options: Namespace) -> int:
    ref = parse_ref(options.ref)
    reader = context.reader
    path = str(reader.model(ref.model).path if ref.kind == "model" else reader.version(ref).path)
    if context.json:
        context.document({"ref": str(ref), "path": path})
    elif context.terminal:
        context.out(visible(path))
    else:
        # A script needs the name as the file system has it, whatever its bytes are.
        streams.flush()
        with streams.writing():
            sys.stdout.buffer.write(os.fsencode(path) + b"\n")
    return 0


COMMANDS: Final = {
    "list": Command(
        arguments=_list_arguments,
        run=_list,
        examples=(
            "stackroom list",
            "stackroom list fraud-detector --sort -auc --columns version,state,auc,created",
            "stackroom list --stage production --json",
            "stackroom list fraud-detector --deleted",
        ),
        about="A row that starts with ! has a problem, which stderr tells.",
    ),
    "search": Command(
        arguments=_search_arguments,
        run=_search,
        examples=(
            'stackroom search "metrics.auc > 0.9 and stage = production and created > 2026-10-01"',
            'stackroom search "tags.team = nlp and not (author = alice)" --sort -auc --limit 5',
        ),
        about="A query compares fields (=, !=, <, <=, >, >=, ~ for contains) and joins them with and, or, not and\n"
        "parentheses. A field alone asks whether it says anything; a text in quotes alone is looked for in all words.",
    ),
    "path": Command(
        arguments=_path_arguments,
        run=_path,
        examples=('cp -r "$(stackroom path fraud-detector@production)" .',),
    ),
}
