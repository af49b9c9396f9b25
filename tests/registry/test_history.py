"""What history says of any instant, against a model of it that shares nothing with the code."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.ledger import event_place
from support.registries import ID, make

if TYPE_CHECKING:
    import pytest

    from stackroom.registry.facade import Registry

T0 = datetime(2020, 1, 1, tzinfo=UTC)
"""Long before the files are made, so that only the texts' own times can be meant: those of a copied tree."""

STAGES = ("staging", "production")
MODELS = ("fraud", "churn")
OTHER_UID = 61_999


@dataclass(frozen=True)
class Planted:
    """An event as it is planted: where, what it says, and whether it counts."""

    stage: str
    model: str
    number: int
    to: int | None
    minute: int
    kind: str

    @property
    def counts(self) -> bool:
        return self.kind == "copied"


PILES = st.lists(
    st.builds(
        Planted,
        stage=st.sampled_from(STAGES),
        model=st.sampled_from(MODELS),
        number=st.integers(1, 9),
        to=st.one_of(st.none(), st.integers(1, 4)),
        minute=st.integers(0, 30),
        kind=st.sampled_from(["copied", "copied", "copied", "elsewhere", "garbage", "file"]),
    ),
    unique_by=lambda one: (one.stage, one.model, one.number),
    max_size=24,
)


def plant(registry: Registry, pile: list[Planted]) -> None:
    for one in pile:
        path = registry.path / "stages" / one.stage / f"{one.model}@{one.number}"
        number = one.number + 1 if one.kind == "elsewhere" else one.number
        at = (T0 + timedelta(minutes=one.minute)).isoformat()
        text = (
            f"to={one.to or '-'} from=- by={OTHER_UID}:x at={at} event={event_place(ID, one.stage, one.model, number)}"
        )
        if one.kind == "file":
            path.write_text(text)
        else:
            path.symlink_to("garbage" if one.kind == "garbage" else text)


def made(factory: pytest.TempPathFactory, pile: list[Planted]) -> Registry:
    registry = make(factory.mktemp("history") / "r")
    for model in MODELS:
        (registry.path / "models" / model).mkdir()
    for stage in STAGES:
        # The owner of the folder owns the events: a copied tree, in which the texts' own times count.
        (registry.path / "stages" / stage).mkdir(exist_ok=True)
        os.chown(registry.path / "stages" / stage, os.geteuid(), os.getegid())
    plant(registry, pile)
    return registry


@given(pile=PILES, asked=st.integers(-1, 31))
def test_what_held_a_stage_at_any_instant_is_what_a_plain_model_says(
    tmp_path_factory: pytest.TempPathFactory, pile: list[Planted], asked: int
) -> None:
    registry = made(tmp_path_factory, pile)
    when = T0 + timedelta(minutes=asked)
    # An event has decided by then if it, and everything that counts before it, had been made by then.
    expected = {}
    for stage in STAGES:
        for model in MODELS:
            own = [one for one in pile if (one.stage, one.model) == (stage, model) and one.counts]
            done = [one for one in own if all(other.minute <= asked for other in own if other.number <= one.number)]
            if done:
                last = max(done, key=lambda one: one.number)
                expected[stage, model] = (last.number, last.to)
    found = {
        (event.stage, event.model): (event.number, event.move.to if event.move else None)
        for event in registry.held_at(when)
    }
    assert found == expected
    for stage in STAGES:
        for model in MODELS:
            (one,) = registry.held_at(when, model, stage) or (None,)
            assert ((stage, model) in expected) == (one is not None)


@given(pile=PILES)
def test_history_shows_every_event_once_and_the_previous_holder_is_what_a_plain_model_says(
    tmp_path_factory: pytest.TempPathFactory, pile: list[Planted]
) -> None:
    registry = made(tmp_path_factory, pile)
    shown = [(event.stage, event.model, event.number, event.validity.counts) for event in registry.history()]
    assert sorted(shown) == sorted((one.stage, one.model, one.number, one.counts) for one in pile)
    for stage in STAGES:
        for model in MODELS:
            own = [one for one in pile if (one.stage, one.model) == (stage, model)]
            held = [one.to for one in sorted(own, key=lambda one: one.number) if one.counts]
            now = held[-1] if held else None
            before = [to for to in held[:-1] if to is not None and to != now]
            ledger = registry.ledger(model, stage)
            previous = ledger.previous_holder()
            assert ledger.holder == now
            assert (previous.move.to if previous and previous.move else None) == (before[-1] if before else None)
            numbers = sorted(one.number for one in own)
            gaps = any(after - number > 1 for number, after in zip([0, *numbers], numbers, strict=False))
            assert any("gap" in alarm for alarm in ledger.alarms) == gaps
