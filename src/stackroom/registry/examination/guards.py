"""Holders that today's guards would not have let in: what can be seen afterwards of a move that was made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.approvals import Op
from stackroom.core.attested import Pins, Validity
from stackroom.core.findings import Finding
from stackroom.core.names import version_ref
from stackroom.core.soak import made_it_hold
from stackroom.registry.examination.tour import who
from stackroom.store import layout
from stackroom.store.approvals import read_approvals
from stackroom.store.evidence import author_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.core.ledger import Event, Ledger, Move
    from stackroom.core.names import ModelName
    from stackroom.core.policy import Stage
    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.folder import Folder


def past_the_guards(tour: Tour, stages: Stages, folder: Folder, model: ModelName) -> Iterator[Finding]:
    """The stages of a model that are held against what ``registry.toml`` asks now, as far as traces of that stay."""
    if tour.reader.policy_error:
        return
    for stage in tour.reader.policy.stages:
        reading = stages.readings.get(stage.name)
        ledger = reading.ledgers.get(model) if reading and reading.error is None else None
        head = ledger.head if ledger else None
        # In a copied tree nobody can tell who moved. What held the stage before came back, and is not judged again.
        if ledger is None or head is None or head.validity is not Validity.ATTESTED or _again(ledger, head):
            continue
        if head.move is None or head.move.to is None:
            continue
        wrong = [
            why
            for guard, why in _wrong(tour, stages, (folder, stage), head, head.move)
            if guard not in head.move.override
        ]
        if wrong:
            yield Finding(
                kind="past-the-guards",
                place=f"{layout.STAGES}/{stage.name}/{head.name}",
                message=f"{version_ref(model, head.move.to)} holds {stage.name}, and {'; '.join(wrong)}; "
                "no guard was overridden. registry.toml may have said something else then",
                owner=who(head.owner),
            )


def _again(ledger: Ledger, head: Event) -> bool:
    move = head.move
    return move is not None and any(
        event is not head and move.to is not None and made_it_hold(event, move.to, move.digest)
        for event in ledger.counting()
    )


def _wrong(
    tour: Tour, stages: Stages, where: tuple[Folder, Stage], head: Event, move: Move
) -> Iterator[tuple[str, str]]:
    """The guards that are not met, by what there is to see, each with why."""
    folder, stage = where
    guards, number = stage.guards, move.to or 0
    author = author_of(folder, number)
    if guards.reason and not move.why.strip():
        yield "reason", "no reason was given"
    if guards.four_eyes and author.uid == head.owner:
        yield "four_eyes", f"its author, {author.label}, moved it"
    readings = [stages.readings[one] for one in guards.origin if one in stages.readings]
    ledgers = [found for one in readings if one.error is None and (found := one.ledgers.get(head.model))]
    held = any(made_it_hold(event, number, move.digest) for one in ledgers for event in one.counting())
    if guards.origin and not held and all(one.error is None for one in readings):
        yield "from", f"it never held {' or '.join(guards.origin)}"
    if guards.approvals:
        reading = read_approvals(tour.root, tour.reader.id, stage.name, head.model)
        pile = reading.piles.get((head.model, number))
        pins = Pins(move.digest, move.metadata, move.card)
        people = {
            word.by.uid
            for word in (pile.words if pile else ())
            if word.approval and word.validity.counts and word.approval.op is Op.APPROVE and word.approval.pins == pins
        } - {author.uid}
        if reading.error is None and len(people) < guards.approvals:
            yield "approvals", f"{len(people)} of {guards.approvals} people approve what was moved"
