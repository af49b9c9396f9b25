"""``demo``, ``init`` and ``new``: making registries and models."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.parsing import Command, dry_run_option
from stackroom.cli.style import Styled
from stackroom.cli.table import Column
from stackroom.cli.words import pair
from stackroom.core.names import StageName, parse_stage_name
from stackroom.core.values import replace
from stackroom.errors import ConflictError, UsageError
from stackroom.store.access import group_name
from stackroom.store.demo import unpack_demo
from stackroom.store.setup import DEFAULT_STAGES, Comparison, check_plan, compare, make_registry, parse_group, unchecked
from stackroom.store.tree import Found, Plan

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from stackroom.cli.context import Context


def _demo_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", metavar="DIR", help="a new folder; else one below the temporary folder")
    parser.add_argument("--no-open", action="store_true", help="unpack, print the folder, and do not browse")
    dry_run_option(parser)


def _demo(context: Context, options: Namespace) -> int:
    if options.dry_run:
        return _demo_dry_run(context, options.directory)
    context.interrupted = "a part of the copy may be there"
    directory = unpack_demo(options.directory)
    if context.json:
        context.document({"path": directory, "made": True})
        return 0
    context.out(directory)
    if options.no_open or not (context.terminal and context.watched):
        context.say(f"look around with: stackroom {shlex.quote(directory)}")
        return 0
    code = context.browse([directory])
    context.say(f"your copy stays; go on with: stackroom {shlex.quote(directory)}")
    return code


def _demo_dry_run(context: Context, directory: str | None) -> int:
    if directory is not None:
        # What a registry asks of its folder, the sample asks too: that it is new or empty, in one that can be written.
        check_plan(Plan(path=directory, name="", stages={parse_stage_name(name): None for name in DEFAULT_STAGES}))
    if context.json:
        context.document({"path": directory, "made": False})
        return 0
    where = directory or "a new folder below the temporary one"
    context.say(f"would unpack the sample registry into {where}; nothing was made")
    return 0


def _init_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a new or empty folder")
    parser.add_argument("--name", default="", help="for people; else the folder's name")
    parser.add_argument(
        "--stage",
        action="append",
        default=[],
        metavar="NAME[=GROUP]",
        help="a stage, with the group that may move into it; again for each, in the order of the lifecycle "
        f"(else {', '.join(DEFAULT_STAGES)})",
    )
    parser.add_argument("--authors", metavar="GROUP", help="who may add models and versions; else only you")
    parser.add_argument("--reviewers", metavar="GROUP", help="who may approve")
    parser.add_argument("--monitors", metavar="GROUP", help="who may record what production measures")
    parser.add_argument("--private", action="store_true", help="closed to everybody outside --readers")
    parser.add_argument("--readers", metavar="GROUP", help="with --private: who may read")
    parser.add_argument("--strict", action="store_true", help="only you make models; authors add versions")
    dry_run_option(parser)


def _init(context: Context, options: Namespace) -> int:
    plan = _plan(options)
    asked = bool(options.stage or options.strict or plan.groups())
    # The usual stages are for a new registry: nobody asked for them here.
    if there := compare(plan if options.stage else replace(plan, stages={}), asked=asked):
        return _compared(context, plan, there)
    if options.dry_run:
        check_plan(plan)
        made: tuple[Found, ...] = ()
    else:
        context.interrupted = "what was made so far is no registry yet: run it again to go on"
        made = make_registry(plan, datetime.now(UTC))
    if unknown := unchecked(plan):
        context.warn(
            f"this host knows no members of {', '.join(unknown)}: see to it that {group_name(plan.readers or 0)} holds "
            "everybody who shall read or write"
        )
    if context.json:
        context.document(_init_document(plan, list(plan.stages), made, made=bool(made)))
        return 0
    if not made:
        context.say(f"{plan.path} can become a registry with the stages {', '.join(plan.stages)}; nothing was made")
        return 0
    _put_tree(context, made)
    context.say(Styled("made", "green"), f" the registry {plan.path}; its rules stand in registry.toml")
    context.say(f"next: stackroom -R {shlex.quote(plan.path)} register MODEL FOLDER --metric auc=0.93")
    return 0


def _compared(context: Context, plan: Plan, there: Comparison) -> int:
    """What differs in a registry that is there already; the exit code tells whether anything does."""
    if context.json:
        document = _init_document(plan, list(there.stages), there.tree, made=False)
        found = [one.document() for one in there.differences]
        context.document(document | {"differences": found, "commands": list(there.commands())})
    elif there.differences:
        columns = [Column(title="PLACE"), Column(title="WANTED"), Column(title="SEEN"), Column(title="WHAT")]
        rows = [[one.path or "./", one.wanted or "-", one.seen or "-", one.message] for one in there.differences]
        context.table(columns, rows)
        _say_commands(context, there)
    else:
        _put_tree(context, there.tree)
    count = len(there.differences)
    if not context.json:
        word = f"{count} difference{'' if count == 1 else 's'}" if count else "as it should be"
        context.say(f"{plan.path} is a registry already, {there.steward}'s: {word}; nothing was changed")
    return ConflictError.exit_code if count else 0


def _say_commands(context: Context, there: Comparison) -> None:
    for by, who in (("administrator", "an administrator"), ("steward", there.steward)):
        own = [command for one in there.differences if one.by == by for command in one.commands]
        if own:
            context.say(f"{who} puts it right with:")
        for command in dict.fromkeys(own):
            context.say(f"  {command}")


def _init_document(plan: Plan, stages: Sequence[StageName], tree: Sequence[Found], *, made: bool) -> dict[str, Any]:
    rows = [one.document() for one in tree]
    return {"path": plan.path, "made": made, "stages": stages, "tree": rows, "differences": [], "commands": []}


def _put_tree(context: Context, tree: Sequence[Found]) -> None:
    columns = [Column(title="MODE"), Column(title="OWNER"), Column(title="GROUP"), Column(title="PATH")]
    rows = [one.document() for one in tree]
    context.table(columns, [[row[key] for key in ("mode", "owner", "group", "path")] for row in rows])


def _plan(options: Namespace) -> Plan:
    if options.private and not options.readers:
        raise UsageError("--private needs --readers GROUP: somebody has to be able to read it")
    if options.readers and not options.private:
        raise UsageError("--readers goes with --private: without it everybody may read")
    groups = {
        name: parse_group(getattr(options, name)) if getattr(options, name) else None
        for name in ("authors", "reviewers", "monitors", "readers")
    }
    stages: dict[StageName, int | None] = {}
    for text in options.stage or DEFAULT_STAGES:
        name, group = pair(text, "--stage") if "=" in text else (text, "")
        stages[parse_stage_name(name)] = parse_group(group) if group else None
    return Plan(path=options.path, name=options.name, stages=stages, strict=options.strict, **groups)


def _new_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name: a-z, 0-9, '.', '_' and '-'")
    parser.add_argument("--description", default="", help="one or a few lines")
    parser.add_argument("--team", default="", help="who answers for it")
    parser.add_argument(
        "--tag", action="append", default=[], metavar="TAG", help="a word, or key=value; again for more"
    )
    parser.add_argument(
        "--steward-owned", action="store_true", help="its folder belongs to the steward, who alone can make it so"
    )
    dry_run_option(parser)


def _new(context: Context, options: Namespace) -> int:
    registry = context.registry
    given = {"description": options.description, "team": options.team, "tags": options.tag}
    metadata: dict[str, Any] = {key: value for key, value in given.items() if value}
    if not options.dry_run:
        context.commits(f"stackroom list {options.model}")
    name = registry.new(options.model, metadata=metadata, steward_owned=options.steward_owned, dry_run=options.dry_run)
    if context.json:
        context.document({"model": name, "made": not options.dry_run, "path": str(registry.path / "models" / name)})
    elif options.dry_run:
        context.say(f"the model {name} can be made; nothing was made")
    else:
        context.out(name)
        context.say(f"next: {context.runnable(f'stackroom register {name} FOLDER')}")
    return 0


COMMANDS: Final = {
    "demo": Command(
        arguments=_demo_arguments,
        run=_demo,
        examples=("stackroom demo", "stackroom demo ~/stackroom-demo --no-open"),
    ),
    "init": Command(
        arguments=_init_arguments,
        run=_init,
        examples=(
            "stackroom init ~/models",
            "stackroom init /nfs/models --authors ml --stage staging=ml --stage production=ml-release",
        ),
        about="A GROUP is a name or a number. Without groups it is one person's registry: permissions then guard it\n"
        "against everybody else.",
    ),
    "new": Command(
        arguments=_new_arguments,
        run=_new,
        examples=(
            "stackroom new fraud-detector --description 'Scores card payments' --team risk --tag tabular",
            "stackroom new fraud-detector --steward-owned",
        ),
        about="`stackroom register` makes a model by itself; this is for one that has no version yet, and for one\n"
        "in which no author can rename another's versions away: the owner of a folder is not bound by its sticky bit.",
    ),
}
