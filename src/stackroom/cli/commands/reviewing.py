"""``review``: what needs attention over all models, each with why and the command that helps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.core import show
from stackroom.core.findings import SEVERITIES
from stackroom.core.pruning import age_of
from stackroom.registry.reviewing import review

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.core.findings import Severity

_COLOURS: Final[dict[Severity, str]] = {"error": "red", "warning": "yellow", "note": "cyan"}
_OLDER_THAN: Final = "30d"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="only these; all without")
    parser.add_argument(
        "--older-than",
        default=_OLDER_THAN,
        metavar="AGE",
        help=f"what waits for so long is stale: 12h, 30d or 8w (hours, days, weeks); {_OLDER_THAN} without",
    )


def _review(context: Context, options: Namespace) -> int:
    found = review(context.reader, options.models, older_than=age_of(options.older_than))
    counts = Counter(one.severity for one in found)
    if context.json:
        numbers = {severity: counts[severity] for severity in SEVERITIES}
        context.document({"counts": numbers, "remarks": [one.document() for one in found]})
        return 0
    columns = [
        Column(title="WHAT"),
        Column(title="VERSION", least=10),
        Column(title="WHY", priority=1, least=20),
        Column(title="COMMAND"),
    ]
    rows: list[list[Piece]] = [
        [Styled(one.kind, _COLOURS[one.severity]), str(one.ref), one.why, context.runnable(one.command)]
        for one in found
    ]
    context.table(columns, rows)
    said = ", ".join(show.count(counts[one], one) for one in SEVERITIES if counts[one])
    context.say(said or "nothing needs attention")
    return 0


COMMANDS: Final = {
    "review": Command(
        arguments=_arguments,
        run=_review,
        examples=("stackroom review", "stackroom review fraud-detector --older-than 8w", "stackroom review --json"),
        about="Looks at the newest version of every model and at those that hold a stage. Ends with 0 also where\n"
        "something needs attention; whether the registry itself is sound asks stackroom doctor.",
    ),
}
