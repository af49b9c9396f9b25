"""``promote``, ``rollback``, ``clear`` and ``can``: moves of a stage, and whether one would be allowed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command, dry_run_option, reason_option
from stackroom.cli.style import Styled
from stackroom.cli.verdicts import say_verdicts, verdict_lines
from stackroom.core.names import parse_ref
from stackroom.errors import GuardRefusedError, PermissionDeniedError, RegistryError
from stackroom.registry.remembering import remember

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from stackroom.cli.context import Context
    from stackroom.cli.progress import Bar
    from stackroom.registry.judging import Judgement
    from stackroom.registry.moving import MoveResult


def _promote_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    parser.add_argument("stage", metavar="STAGE", help="the stage that it shall hold")
    reason_option(parser)
    parser.add_argument("--expect", metavar="REF", help="refuse unless this version holds the stage now")
    _override_option(parser)
    dry_run_option(parser)


def _override_option(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="GUARD",
        help="make the move although this guard refuses, if registry.toml allows it; needs --reason; again for more",
    )


def _promote(context: Context, options: Namespace) -> int:
    def action(bar: Bar) -> MoveResult:
        return context.registry.promote(
            options.ref,
            options.stage,
            reason=options.reason,
            expect=options.expect,
            dry_run=options.dry_run,
            progress=bar,
            override=options.override,
        )

    with _bar(context, options.ref, options.stage) as bar:
        return _moved(context, options, bar, action)


def _rollback_arguments(parser: ArgumentParser) -> None:
    _clear_arguments(parser)
    _override_option(parser)


def _clear_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the model")
    parser.add_argument("stage", metavar="STAGE", help="the stage")
    reason_option(parser)
    dry_run_option(parser)


def _rollback(context: Context, options: Namespace) -> int:
    def action(bar: Bar) -> MoveResult:
        return context.registry.rollback(
            options.model,
            options.stage,
            reason=options.reason,
            dry_run=options.dry_run,
            progress=bar,
            override=options.override,
        )

    with context.bar(0, "verifying") as bar:
        return _moved(context, options, bar, action)


def _clear(context: Context, options: Namespace) -> int:
    def action(_bar: Bar) -> MoveResult:
        return context.registry.clear(options.model, options.stage, reason=options.reason, dry_run=options.dry_run)

    with context.bar(0, "") as bar:
        return _moved(context, options, bar, action)


def _bar(context: Context, ref: str, stage: str) -> Bar:
    """A bar for the bytes that the guards ``verify`` and ``approvals`` read, where somebody looks."""
    asked = context.registry.policy.stage(stage)
    total = 0
    if context.watched and asked and (asked.guards.verify or asked.guards.approvals):
        seal = context.registry.version(ref).seal
        total = seal.bytes if seal else 0
    return context.bar(total, f"verifying {ref}")


def _moved(context: Context, options: Namespace, bar: Bar, action: Callable[[Bar], MoveResult]) -> int:
    model = parse_ref(options.ref if "ref" in options else options.model).model
    try:
        result = action(bar)
    except KeyboardInterrupt:
        if not options.dry_run and not bar.reading:
            context.commits(f"stackroom history {model} --stage {options.stage}")
        raise
    if result.made:
        # Who moved is the first who would miss it.
        remember(context.registry, {model})
    if context.json:
        context.document(result.document())
        return 0
    _tell(context, result, dry_run=options.dry_run)
    return 0


def _tell(context: Context, result: MoveResult, *, dry_run: bool) -> None:
    judgement = result.judgement
    model, stage = judgement.ref.model, judgement.stage
    before = str(result.origin) if result.origin else "nothing"
    after = "nothing" if judgement.ref.kind == "model" else str(judgement.ref)
    if result.made:
        context.out(result.event)
    if result.made and result.origin == judgement.ref:
        context.say(Styled("attested", "green"), f" {stage} of {model}: {after}")
    elif result.made:
        context.say(Styled("moved", "green"), f" {stage} of {model}: {before} -> {after}")
    elif judgement.already:
        context.say(f"{after} holds {stage} already; nothing was changed")
    elif dry_run:
        say_verdicts(context, [verdict.document() for verdict in judgement.verdicts])
        context.say(f"{stage} of {model} can be moved: {before} -> {after}; nothing was")
        for change in judgement.changes:
            context.say(f"  would write {change}")
    if result.made and judgement.overridden:
        context.warn(f"overridden, and the event says so for ever: {', '.join(judgement.overridden)}")
    for warning in result.warnings:
        context.warn(str(warning))
    if result.live_trouble:
        context.warn(f"the move stands, but live/{stage}/{model} could not be brought in step: {result.live_trouble}")


# --- can


def _can_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    parser.add_argument("stage", metavar="STAGE", help="the stage")
    reason_option(parser)


def _can(context: Context, options: Namespace) -> int:
    with _bar(context, options.ref, options.stage) as bar:
        judgement = context.registry.can(options.ref, options.stage, reason=options.reason, progress=bar)
    if context.json:
        context.document(judgement.document())
    else:
        _put_judgement(context, judgement, options.reason)
    refusal = _refusal(judgement)
    return refusal.exit_code if refusal else 0


def _refusal(judgement: Judgement) -> type[RegistryError] | None:
    """The error that the move would end in, for its exit code: the kernel speaks before the guards."""
    if not judgement.access.allowed:
        return PermissionDeniedError
    return GuardRefusedError if judgement.failed else None


def _put_judgement(context: Context, judgement: Judgement, reason: str) -> None:
    glyphs, access = context.glyphs, judgement.access
    held = f"{judgement.stage} is held by {judgement.holder or 'nothing'}"
    context.out(Styled(f"{judgement.ref} -> {judgement.stage}", "bold"), f"  ({held})")
    sign = Styled(glyphs.yes, "green") if access.allowed else Styled(glyphs.no, "red")
    context.out("  ", sign, " ", Styled("permission", "bold"), f": {access.seen()}; {access.who_may()}")
    if judgement.already:
        context.out(f"  {judgement.ref} holds {judgement.stage} already; there is nothing to do")
    for warning in judgement.warnings:
        context.warn(str(warning))
    for line in verdict_lines(context, [verdict.document() for verdict in judgement.verdicts], glyphs):
        context.out(*line)
    if judgement.allowed and not judgement.already:
        why = f" --reason {shlex.quote(reason)}" if reason else ""
        command = context.runnable(f"stackroom promote {judgement.ref} {judgement.stage}")
        context.out(Styled("yes", "green"), f": {command}{why}")
    elif not access.allowed:
        context.out(Styled("no", "red"), f": {access.advice() or access.seen()}")
    elif judgement.failed:
        waiting = len(judgement.pending)
        refuse = f": {len(judgement.failed) - waiting} of {len(judgement.verdicts)} guards refuse"
        context.out(Styled("no", "red"), refuse + (f", {waiting} not asked yet" if waiting else ""))


COMMANDS: Final = {
    "promote": Command(
        arguments=_promote_arguments,
        run=_promote,
        examples=(
            "stackroom promote fraud-detector:7 staging --reason 'beats 6 on October'",
            "stackroom promote fraud-detector:7 production --expect fraud-detector:6",
            "stackroom promote fraud-detector:7 production --override soak_hours --reason 'fixes the outage'",
        ),
        about="The kernel's permission is asked first, then the guards that registry.toml declares. A refusal shows\n"
        "what every guard saw and wanted.",
    ),
    "rollback": Command(
        arguments=_rollback_arguments,
        run=_rollback,
        examples=("stackroom rollback fraud-detector production --reason 'alerts since noon'",),
        about="It is not asked again whether the older version is good enough, only whether it is still the same.",
    ),
    "clear": Command(
        arguments=_clear_arguments,
        run=_clear,
        examples=("stackroom clear fraud-detector staging --reason 'withdrawn'",),
    ),
    "can": Command(
        arguments=_can_arguments,
        run=_can,
        examples=("stackroom can fraud-detector:7 production",),
        about="Ends with 0 where the move would be made, with 4 where the kernel refuses, with 5 where a guard does.",
    ),
}
