"""``log``: how a record and a card came to say what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.cli.conflicts import change_lines
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.versions import moment
from stackroom.registry.saying import Said, said

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context


def _log_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")


def _log(context: Context, options: Namespace) -> int:
    ref, metadata, cards = said(context.reader, options.ref)
    if context.json:
        rows, card_rows = ([one.document() for one in part] for part in (metadata, cards))
        context.document({"ref": str(ref), "revisions": rows, "cards": card_rows})
        return 0
    for one in (*reversed(metadata), *reversed(cards)):
        _put(context, one)
    if not metadata and not cards:
        context.say(f"nobody has said anything about {ref} yet")
    return 0


def _put(context: Context, one: Said) -> None:
    title = f"revision {one.number}" if one.what == "metadata" else f"card {one.number}"
    reason = f": {one.reason}" if one.reason else ""
    context.out(Styled(title, "bold"), f"  {_when_and_who(context, one)}{reason}")
    if one.what == "card" and one.changes:
        removed, added = one.changes["lines"]
        context.out("  lines: ", Styled(removed or "", "red"), " ", Styled(added or "", "green"))
    else:
        for line in change_lines(one.changes):
            context.out(*line)
    for flag in one.flags:
        marked: list[Piece] = [Styled("  flagged: ", "yellow"), flag]
        context.out(*marked)
    if one.problem:
        context.out(Styled(f"  broken: {one.problem.message}", "red"))


def _when_and_who(context: Context, one: Said) -> str:
    """By the text, where it says something; a card says nothing of itself, and the file system has to."""
    exact = not context.terminal
    if one.number == 0:
        return "as registered"
    if one.at is None:
        return f"{moment(one.changed, exact=exact)} by {one.owner}"
    # The name in the text is a label; the file's owner is the evidence.
    evidence = "" if one.by == str(one.owner) else f" (the file's owner: {one.owner})"
    return f"{moment(one.at, exact=exact)} by {one.by}{evidence}"


COMMANDS: Final = {
    "log": Command(
        arguments=_log_arguments,
        run=_log,
        examples=("stackroom log fraud-detector:7", "stackroom log fraud-detector"),
        about="First the revisions of the metadata, then those of the card, each the newest first. Flagged is what is\n"
        "not the file of who its text names, and a text that is not the one that the next revision replaced.",
    )
}
