"""``history``: who moved what when and why, and what held each stage at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.approvals import put_words
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.vanished import say_vanished
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING, instant_of
from stackroom.core import show
from stackroom.core.attested import Validity
from stackroom.core.metadata import iso
from stackroom.core.names import parse_ref
from stackroom.errors import UsageError
from stackroom.registry.approving import all_approvals
from stackroom.registry.remembering import forget, remember

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from datetime import datetime

    from stackroom.cli.context import Context
    from stackroom.core.ledger import Event

_NAMED: Final = 3
"""How many moves that overrode a guard are named below the table."""


def _history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="of one model; else of all")
    parser.add_argument("--stage", metavar="STAGE", help="of one stage; else of all")
    parser.add_argument("--approvals", action="store_true", help="what people said about versions instead of moves")
    parser.add_argument(
        "--acknowledge",
        action="store_true",
        help="take the events that you saw and that are gone for known: nobody warns you of them any more",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="what held each stage then: 2026-05-03 (the end of that day, UTC), 2026-05-03T14:00Z",
    )


def _history(context: Context, options: Namespace) -> int:
    if options.approvals:
        return _history_of_approvals(context, options)
    when = instant_of(options.at) if options.at else None
    reader = context.reader
    model = parse_ref(options.model).model if options.model else None
    events = reader.held_at(when, model, options.stage) if when else reader.history(model, options.stage)
    gone = [one for one in remember(context.reader, {model} if model else ()) if options.stage in {None, one.stage}]
    if options.acknowledge:
        forget(context.reader, gone)
    if context.json:
        rows = [event_document(event) for event in events]
        vanished = [one.document() for one in gone]
        at = iso(when) if when else None
        context.document({"at": at, "events": rows, "approvals": [], "vanished": vanished})
        return 0
    _put_events(context, events, when)
    _say_unattested(context, model, options.stage)
    if options.acknowledge:
        known = f"{show.count(len(gone), 'event')} that vanished: known from now on" if gone else "nothing vanished"
        context.say(known)
    else:
        say_vanished(context, gone)
    return 0


def _history_of_approvals(context: Context, options: Namespace) -> int:
    if options.at or options.acknowledge:
        raise UsageError("--at and --acknowledge are about moves, and --approvals about what people said: choose one")
    words = all_approvals(context.reader, options.model, options.stage)
    if context.json:
        context.document({"at": None, "events": [], "approvals": [word.document() for word in words], "vanished": []})
        return 0
    put_words(context, words, refs=True)
    if not words:
        context.say("nobody approved or rejected anything")
    return 0


def event_document(event: Event) -> dict[str, Any]:
    """An event in JSON's types; a row of ``history --json``."""
    move = event.move
    return {
        "stage": event.stage,
        "model": event.model,
        "number": event.number,
        "event": f"{event.stage}/{event.name}",
        "validity": event.validity.value,
        "counts": event.validity.counts,
        "to": f"{event.model}:{move.to}" if move and move.to is not None else None,
        "from": f"{event.model}:{move.origin}" if move and move.origin is not None else None,
        "by": str(move.by) if move else None,
        "owner": event.owner,
        "at": iso(move.at) if move else None,
        "when": iso(event.when),
        "reason": move.why if move else "",
        "override": list(move.override) if move else [],
        "digest": move.digest if move else "",
        "metadata": move.metadata if move else "",
        "card": move.card if move else "",
        "extra": dict(move.extra) if move else {},
        "alarms": list(event.notes),
        "text": event.text,
    }


def _put_events(context: Context, events: Sequence[Event], when: datetime | None) -> None:
    alarmed = any(event.notes for event in events)
    overriding = [event for event in events if event.move and event.move.override]
    # A terminal has no room for a column of its own: there it stands in REASON.
    apart = bool(overriding) and not context.terminal
    narrow = context.width < 80
    columns = [
        Column(title="SINCE" if when else "WHEN"),
        Column(title="STAGE", priority=1, least=8),
        Column(title="MODEL", least=10),
        *(() if when else (Column(title="FROM", right=True),)),
        Column(title="HOLDER" if when else "TO", right=True),
        # Who, and what it is worth, stay on an ordinary terminal, whatever else there is to say.
        Column(title="BY", priority=2 if narrow else 0, least=6 if narrow else 12),
        Column(title="EVENT", priority=2 if narrow else 0),
        Column(title="REASON", priority=3, least=10),
        *((Column(title="OVERRIDDEN", priority=4),) if apart else ()),
        *((Column(title="ALARMS", priority=2, least=12),) if alarmed else ()),
    ]
    rows = []
    for event in events:
        skipped = event.move.override if event.move else ()
        more: list[Piece] = [", ".join(skipped) or MISSING] if apart else []
        more += ["; ".join(event.notes) or MISSING] if alarmed else []
        rows.append([*_row(context, event, at=when is not None), *more])
    context.table(columns, rows)
    if overriding and not apart:
        _say_overriding(context, overriding)
    if when:
        context.say(f"as it was at {iso(when)}")
    elif not events:
        context.say("nothing was ever moved")


def _say_overriding(context: Context, events: Sequence[Event]) -> None:
    """Which moves overrode what, for whom REASON was too narrow."""
    for event in events[-_NAMED:]:
        names = ", ".join(event.move.override) if event.move else ""
        context.say(Styled("note:", "yellow"), f" {event.stage}/{event.name} overrode {names}")
    if len(events) > _NAMED:
        context.say(f"  and {len(events) - _NAMED} before them; a wider terminal, or --json, shows all")


def _row(context: Context, event: Event, *, at: bool) -> list[Piece]:
    move = event.move
    numbers = [(move.to if move else None)] if at else [move.origin if move else None, move.to if move else None]
    validity = event.validity.value
    reason: Piece = move.why if move and move.why else MISSING
    if move and move.override and context.terminal:
        reason = Styled(f"overrode {', '.join(move.override)}" + (f": {move.why}" if move.why else ""), "yellow")
    return [
        moment(event.when, exact=not context.terminal),
        event.stage,
        event.model,
        *(MISSING if number is None else str(number) for number in numbers),
        move.by.label if move else str(event.owner),
        validity if event.validity is Validity.ATTESTED else Styled(validity, "yellow"),
        reason,
    ]


def _say_unattested(context: Context, model: str | None, stage: str | None) -> None:
    """How to attest what is not: only for events that decide now, because older ones decide nothing any more."""
    reader = context.reader
    if model:
        # By the ledgers alone: the model's folder may be gone.
        heads = [reader.ledger(model, one).head for one in ([stage] if stage else reader.stages)]
    else:
        holdings = [holding for found in reader.models().models for holding in found.holdings]
        heads = [holding.event for holding in holdings if stage is None or holding.stage == stage]
    open_heads = [head for head in heads if head and head.validity is Validity.UNATTESTED and head.move]
    if not open_heads:
        return
    what = show.count(len(open_heads), "present holder")
    context.say(
        Styled("note:", "yellow"),
        f" {what} unattested: the kernel's owner of the event is not who its text names (a copied tree); it counts",
    )
    for head in open_heads[:3]:
        if head.move and head.move.to is not None:
            asked = reader.policy.stage(head.stage)
            why = " --reason '…'" if asked and asked.guards.reason else ""
            command = context.runnable(f"stackroom promote {head.model}:{head.move.to} {head.stage}{why}")
            context.say(f"  to attest it, promote the holder again: {command}")


COMMANDS: Final = {
    "history": Command(
        arguments=_history_arguments,
        run=_history,
        examples=(
            "stackroom history fraud-detector --stage production",
            "stackroom history --at 2026-05-03",
            "stackroom history --at 2026-05-03T14:00+02:00",
            "stackroom history fraud-detector --approvals",
        ),
        about="EVENT says what an event is worth: attested and unattested ones count, forged and foreign ones never\n"
        "do. Times are UTC; a day alone means its end.",
    ),
}
