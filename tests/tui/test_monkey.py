"""Two thousand random keys over every screen, while another process changes the registry and plants what is foreign.

The first thousand are pressed on each screen in turn, the others wherever they lead. To hunt for longer:
``STACKROOM_MONKEY_SEED=17 STACKROOM_MONKEY_KEYS=50000 STACKROOM_MONKEY_SIZE=200x50 pytest tests/tui/test_monkey.py``.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.registry.facade import Registry
from stackroom.tui.actions import SCREENS, Screen
from support.registries import EVE
from support.users import run_as
from tui import monkey
from tui.conftest import copied

if TYPE_CHECKING:
    from pathlib import Path

KEYS = int(os.environ.get("STACKROOM_MONKEY_KEYS", "2000"))
"""For each seed; read, like the seed, when the tests are loaded, for their environment is cleaned."""


READ: tuple[Screen, ...] = (
    *("models", "versions", "version", "compare", "plot", "metrics", "activity", "search", "review", "doctor", "text"),
)
"""The screens that change nothing."""

SEEDS = [int(text) for text in os.environ.get("STACKROOM_MONKEY_SEED", "1").split()]

GROWTH_BYTES = 20_000_000
"""What half of the keys may add: the registry grows, too, and what is remembered of it."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where somebody works who writes exports and has artifacts to register."""
    folder = tmp_path / "desk"
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "model.bin").write_bytes(b"weights")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("TMUX", raising=False)
    return folder


Run = Callable[[monkey.Other], monkey.Outcome]


def by_myself(registry: Path, desk: Path, *, seed: int, again: Sequence[str] = ()) -> Run:
    """The keys of a seed, pressed by whoever runs the tests."""
    now = datetime.now(UTC)
    looked = Registry(registry, clock=lambda: now)
    return lambda other: monkey.run(looked, other, desk / "out", seed=seed, keys=KEYS, again=again)


def pressed(registry: Path, desk: Path, press: Run) -> monkey.Outcome:
    """Press the keys, with somebody else at work; what is not as it has to be afterwards is wrong, too."""
    known = {(finding.kind, finding.place) for finding in Registry(registry).examine()}
    other = monkey.Other(registry, desk / "answers")
    outcome = press(other)
    *answers, last = other.close()
    outcome.wrong += [f"another could not {each['deed']}: {each['wrong']}" for each in answers if "wrong" in each]
    outcome.wrong += unsound(Registry(registry), known, last["planted"])
    return outcome


def unsound(registry: Registry, known: set[tuple[str, str]], planted: list[str]) -> list[str]:
    """What ``doctor`` and ``verify`` tell that was not there before and that nobody has planted."""
    names = {place.rpartition("/")[2] for place in planted}

    def is_planted(place: str, message: str) -> bool:
        return any(f"{place}/".startswith(f"{each}/") for each in planted) or any(name in message for name in names)

    told = [
        f"doctor: {finding.kind} {finding.place}: {finding.message}"
        for finding in registry.examine()
        # Whoever deletes leaves something to be purged.
        if (finding.kind, finding.place) not in known and finding.kind != "trash-kept"
        if not is_planted(finding.place, finding.message)
    ]
    return told + [
        f"verify: {check.ref}: {check.damage}"
        for check in registry.verify()
        if check.damage and not is_planted(f"models/{check.ref.model}/{check.ref.number}", str(check.damage))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_keys_while_another_process_meddles_leave_a_sound_registry_and_a_true_screen(
    sample: Path, desk: Path, seed: int
) -> None:
    outcome = pressed(sample, desk, by_myself(sample, desk, seed=seed))
    if outcome.wrong:
        kept = desk / "keys.json"
        kept.write_text(json.dumps(shortened(outcome.pressed, desk)))
        pytest.fail(f"seed {seed}, {KEYS} keys, these lead to it: {kept.read_text()}\n" + "\n".join(outcome.wrong))
    assert set(outcome.visits) == set(SCREENS)
    assert outcome.grown < GROWTH_BYTES


@pytest.mark.skipif(
    "STACKROOM_MONKEY_SEED" not in os.environ or os.geteuid() != 0,
    reason="part of a hunt: STACKROOM_MONKEY_SEED=1, as root",
)
def test_random_keys_of_a_reader_leave_a_sound_registry_and_a_true_screen(sample: Path, desk: Path) -> None:
    now = datetime.now(UTC)

    def press(other: monkey.Other) -> monkey.Outcome:
        # So that everything is imported: whoever reads has no way to the folder that Python lies in.
        monkey.run(Registry(sample), other, desk / "out", seed=0, keys=1, screens=READ, tour=False)

        def child() -> dict[str, Any]:
            run = monkey.run(
                Registry(sample, clock=lambda: now),
                other,
                desk / "out",
                seed=SEEDS[0],
                keys=KEYS // 2,
                screens=READ,
                tour=False,
            )
            return {"wrong": run.wrong, "visits": run.visits, "pressed": run.pressed}

        told = run_as(EVE, child)
        return monkey.Outcome(wrong=told["wrong"], visits=Counter(told["visits"]), pressed=told["pressed"])

    outcome = pressed(sample, desk, press)
    assert not outcome.wrong, f"{outcome.pressed}\n" + "\n".join(outcome.wrong)
    assert set(outcome.visits) >= set(READ), f"{outcome.pressed}\n{outcome.visits}"


def shortened(keys: list[str], desk: Path) -> list[str]:
    """The shortest end of the list that still goes wrong on a fresh copy; all of it where no short one does."""
    for length in (10, 20, 40, 80, 160, 320):
        with copied() as registry:
            if pressed(registry, desk, by_myself(registry, desk, seed=0, again=keys[-length:])).wrong:
                return keys[-length:]
    return keys
