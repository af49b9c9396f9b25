"""``approve`` and ``reject``: one person's word for a version and a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command, dry_run_option, reason_option
from stackroom.cli.style import Styled
from stackroom.core.names import parse_ref

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.registry.approving import Spoken


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    parser.add_argument("stage", metavar="STAGE", help="the stage that it may, or may not, hold")
    reason_option(parser)
    dry_run_option(parser)


def _approve(context: Context, options: Namespace) -> int:
    _before(context, options)
    spoken = context.registry.approve(options.ref, options.stage, reason=options.reason, dry_run=options.dry_run)
    return _tell(context, spoken)


def _reject(context: Context, options: Namespace) -> int:
    _before(context, options)
    spoken = context.registry.reject(options.ref, options.stage, reason=options.reason, dry_run=options.dry_run)
    return _tell(context, spoken)


def _before(context: Context, options: Namespace) -> None:
    if not options.dry_run:
        context.commits(f"stackroom history {parse_ref(options.ref).model} --approvals")


def _tell(context: Context, spoken: Spoken) -> int:
    if context.json:
        context.document(spoken.document())
        return 0
    what = f"{spoken.ref} for {spoken.stage}"
    if spoken.made:
        context.out(spoken.approval)
        context.say(Styled(spoken.op.done, "green"), f" {what}, as it is now")
    elif spoken.already:
        context.say(f"you {spoken.op.done} {what} already, and that stands; nothing was changed")
    else:
        context.say(f"{what} can be {spoken.op.done}; nothing was")
        context.say(f"  would write {spoken.approval}")
    for remark in spoken.remarks:
        context.warn(remark)
    return 0


COMMANDS: Final = {
    "approve": Command(
        arguments=_arguments,
        run=_approve,
        examples=("stackroom approve fraud-detector:7 production --reason 'read the card, ran the bias audit'",),
        about="It is about the artifacts, metadata and card as they are now: once one of them changes, it is void.\n"
        "The later of one person's words stands. An author's own approval does not count.",
    ),
    "reject": Command(
        arguments=_arguments,
        run=_reject,
        examples=("stackroom reject fraud-detector:7 production --reason 'trained on leaked labels'",),
        about="Where the stage has the guard 'approvals', a rejection that stands refuses the move.",
    ),
}
