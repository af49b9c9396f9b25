"""Stages that are held by what is not there, and the command that moves them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.findings import Finding
from stackroom.registry.examination.tour import who
from stackroom.store import layout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from stackroom.core.names import ModelName, StageName
    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.scan import ModelListing


def missing_holders(tour: Tour, stages: Stages, model: ModelName, listing: ModelListing) -> Iterator[Finding]:
    """The stages of a model whose holder has no folder."""
    for holding in stages.holdings(model, listing.numbers):
        if holding.missing and holding.number is not None and holding.event is not None:
            yield Finding(
                kind="holder-missing",
                place=f"{layout.STAGES}/{holding.stage}/{holding.event.name}",
                message=f"version {holding.number} of {model} holds {holding.stage}, and its folder is missing",
                owner=who(holding.event.owner),
                command=move_away(tour, stages, holding.stage, model, listing.numbers),
            )


def missing_models(stages: Stages, present: Collection[str]) -> Iterator[Finding]:
    """The stages that are held by versions of models whose whole folder is missing."""
    for stage, reading in stages.readings.items():
        for model, ledger in reading.ledgers.items():
            if ledger.head is None or ledger.holder is None or model in present:
                continue
            yield Finding(
                kind="holder-missing",
                place=f"{layout.STAGES}/{stage}/{ledger.head.name}",
                message=f"version {ledger.holder} of {model} holds {stage}, and the whole model is missing",
                owner=who(ledger.head.owner),
            )


def move_away(tour: Tour, stages: Stages, stage: StageName, model: ModelName, numbers: Collection[int]) -> str:
    """The command that makes what held the stage before hold it again or, where that is gone too, clears it."""
    ledger = stages.readings[stage].ledgers.get(model)
    before = ledger.previous_holder() if ledger else None
    if before and before.move and before.move.to in numbers:
        return tour.command("rollback", model, stage)
    return tour.command("clear", model, stage)
