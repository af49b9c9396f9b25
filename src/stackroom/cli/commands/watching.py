"""``watch`` and ``wait``: what happens, as it happens."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli import streams
from stackroom.cli.ending import SIGNALLED, ended_well
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import separated_row
from stackroom.cli.versions import moment
from stackroom.cli.waiting import from_thread
from stackroom.cli.words import MISSING
from stackroom.core.metadata import iso
from stackroom.core.show import json_line
from stackroom.errors import RegistryError, UsageError
from stackroom.registry.watching import news, timed_out, waits
from stackroom.store.usercommands import check_there, ending, hand, words_of

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.core.cursor import Cursor
    from stackroom.registry.watching import Told

_TITLES: Final = ("WHEN", "WHAT", "STAGE", "MODEL", "VERSION", "FROM", "BY", "REASON", "NOTES", "EXEC", "CURSOR")

_KEYS: Final = (
    *("kind", "when", "ref", "model", "version", "stage", "from", "by", "reason", "validity", "notes", "digest"),
    *("place", "exec", "cursor"),
)
"""Of the document, in their order."""

_NOT_RUN: Final = 127
"""What stands for the exit code of a command that could not be started, as a shell has it."""

_VARIABLE_LIMIT: Final = 100_000
"""Characters of a variable; the kernel takes 128 KiB. A cursor of thousands of models is in the document alone."""

_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def _watch_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--since",
        metavar="CURSOR",
        help="go on after what was dealt with; start: with every move that ever was; without it: from now on",
    )
    parser.add_argument("--stage", metavar="STAGE", help="only the moves of this stage; asks a file server least")
    parser.add_argument(
        "--exec", metavar="CMD", help="run this for each event, one at a time, with the event as JSON on stdin"
    )
    parser.add_argument(
        "--fail-fast",
        action="store_true",
        help="end with the exit code of the first CMD that fails; its event counts as not told",
    )


def _watch(context: Context, options: Namespace) -> int:
    words = words_of(options.exec) if options.exec is not None else []
    if words:
        check_there(words[0])
    elif options.fail_fast:
        raise UsageError("--fail-fast is about --exec, and there is none")
    teller = _Teller(context, words, fail_fast=options.fail_fast)
    with ended_well():
        for found in from_thread(context, lambda: news(context.reader, since=options.since, stage=options.stage)):
            teller.mind(found.trouble)
            if found.cursor is not None:
                teller.begin(found.cursor)
            for told in found.told:
                code = teller.tell(told)
                if code and options.fail_fast:
                    return code
    return 0


class _Teller:
    """Prints what it is told, a line each, at once; runs the command first, so that what is printed is done."""

    def __init__(self, context: Context, words: list[str], *, fail_fast: bool) -> None:
        self._context = context
        self._words = words
        self._fail_fast = fail_fast
        self._begun = False
        self._trouble = ""

    def mind(self, trouble: str) -> None:
        """Say what is wrong, once, and when it is over."""
        if trouble == self._trouble:
            return
        if trouble:
            self._context.warn(f"{trouble}; watching on")
        else:
            self._context.say("the registry can be looked at again")
        self._trouble = trouble

    def begin(self, cursor: Cursor) -> None:
        """Say, once, from where on everything is told."""
        if self._begun:
            return
        self._begun = True
        reader = self._context.reader
        if self._context.json:
            begun = {"kind": "watching", "when": iso(reader.clock()), "reason": "", "notes": [], "digest": ""}
            self._put(_line(begun | {"cursor": str(cursor)}))
        elif not self._context.terminal:
            self._put(separated_row(_TITLES) + "\n")
            row = [iso(reader.clock()), "watching", *[MISSING] * (len(_TITLES) - 3), str(cursor)]
            self._put(separated_row(row) + "\n")
        if self._context.watched:
            self._context.say(f"watching {reader.folder}; ctrl+c ends it")

    def tell(self, told: Told) -> int:
        """Run the command, print the event, and give the command's exit code."""
        document = told.document()
        code = self._run(told, document) if self._words else 0
        if code and self._fail_fast:
            return code
        if self._words:
            document["exec"] = code
        if self._context.json:
            self._put(_line(document))
        elif self._context.terminal:
            self._context.out(*_for_people(told))
            streams.flush()
        else:
            self._put(separated_row(_for_programs(document)) + "\n")
        return code

    def _run(self, told: Told, document: dict[str, Any]) -> int:
        """Hand the event to the command; a failure is said, and is no reason to stop."""
        registry = self._context.reader.folder
        happening = told.happening
        variables = {
            "STACKROOM_REGISTRY": registry,
            "STACKROOM_EVENT": happening.kind,
            "STACKROOM_MODEL": happening.model,
            "STACKROOM_STAGE": happening.stage or "",
            "STACKROOM_REF": str(told.ref or ""),
        }
        if len(document["cursor"]) <= _VARIABLE_LIMIT:
            variables["STACKROOM_CURSOR"] = document["cursor"]
        try:
            code = hand(self._words, _line(document), variables)
        except RegistryError as error:
            self._context.warn(f"--exec: {error}")
            return _NOT_RUN
        if code:
            self._context.warn(f"--exec: {self._words[0]} {ending(code)} for {happening.place}")
        return code if code >= 0 else SIGNALLED - code

    @staticmethod
    def _put(line: str) -> None:
        streams.put(line)
        streams.flush()


def _line(document: dict[str, Any]) -> str:
    return json_line({key: document.get(key) for key in _KEYS})


def _for_people(told: Told) -> list[Piece]:
    one = told.happening
    pieces: list[Piece] = [
        moment(one.when, exact=False),
        "  ",
        Styled(str(told.ref or one.model), "bold"),
        f" {one.what}" + (f" by {one.by}" if one.by else ""),
    ]
    if one.why:
        pieces.append(f": {one.why}")
    if one.notes:
        pieces.append(Styled(f" ({'; '.join(one.notes)})", "yellow"))
    return pieces


def _for_programs(document: dict[str, Any]) -> list[str]:
    keys = ("when", "kind", "stage", "model", "ref", "from", "by", "reason")
    values = [document[key] for key in keys] + ["; ".join(document["notes"]), document.get("exec"), document["cursor"]]
    return [MISSING if value is None or value == "" else str(value) for value in values]


def _wait_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="MODEL@STAGE", help="the stage of a model; the model need not be there yet")
    parser.add_argument("--changed", action="store_true", help="until another version holds it than now")
    parser.add_argument("--timeout", metavar="TIME", help="give up after so long: 90, 90s, 5m, 1h")


def _wait(context: Context, options: Namespace) -> int:
    seconds = _seconds_of(options.timeout) if options.timeout is not None else None
    trouble = ""
    # SIGTERM kills: to end with 0 would say that something holds the stage.
    for found in from_thread(
        context,
        lambda: waits(context.reader, options.ref, changed=options.changed, seconds=seconds),
        seconds=seconds,
    ):
        if found.trouble and found.trouble != trouble:
            context.warn(f"{found.trouble}; waiting on")
        trouble = found.trouble
        if found.ref is None:
            continue
        if context.json:
            _, _, stage = options.ref.rpartition("@")
            document = {"ref": str(found.ref), "model": found.ref.model, "version": found.ref.number}
            context.document({**document, "stage": stage})
        else:
            context.out(str(found.ref))
        return 0
    raise timed_out(options.ref, seconds or 0.0, changed=options.changed)


def _seconds_of(text: str) -> float:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else math.inf
    if seconds > _LONGEST:
        raise UsageError(f"{text!r} is not a time to wait", hint="such as 90, 90s, 5m or 1h")
    return seconds


_LONGEST: Final = 366 * 86400.0
"""Seconds; more than a year is a slip of the hand."""

COMMANDS: Final = {
    "watch": Command(
        arguments=_watch_arguments,
        run=_watch,
        examples=(
            "stackroom watch",
            "stackroom watch --stage production --exec ./deploy.sh",
            "stackroom watch --since start --json",
        ),
        about="Moves that count are told exactly once: go on with the CURSOR of the last line that you dealt with.\n"
        "All else (versions, edits, labels, approvals, deletions) is told only as it happens. CMD is run without a\n"
        "shell, its output goes to stderr, and its line is printed once it has ended. SIGTERM ends this\n"
        "with 0, ctrl+c with 130.",
    ),
    "wait": Command(
        arguments=_wait_arguments,
        run=_wait,
        examples=(
            "stackroom wait fraud-detector@production",
            "stackroom wait fraud-detector@production --changed --timeout 5m",
        ),
        about="Ends with 6 where time is up.",
    ),
}
