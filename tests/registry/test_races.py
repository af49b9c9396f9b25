"""Several processes, of one user and of several, that change one registry at the same moment."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.names import StageName
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from support.registries import artifacts, left_over, make
from support.users import ChildFailed, User, run_as, start_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.root

AUTHORS, RELEASERS = 62_001, 62_002
STEWARD = User(uid=61_000, gid=61_000, groups=(AUTHORS, RELEASERS), name="steward")
ALICE = User(uid=61_001, gid=61_001, groups=(AUTHORS, RELEASERS), name="alice")
BOB = User(uid=61_002, gid=61_002, groups=(AUTHORS, RELEASERS), name="bob")

EACH = 50


@pytest.fixture
def root(reachable_path: Path) -> Path:
    """A team's registry: alice and bob may both add versions and move them."""
    home = reachable_path / "steward"
    home.mkdir()
    os.chown(home, STEWARD.uid, STEWARD.gid)
    path = home / "registry"
    stages = {StageName("staging"): RELEASERS, StageName("production"): RELEASERS}
    run_as(STEWARD, lambda: make(path, authors=AUTHORS, stages=stages).id)
    home.chmod(0o755)
    (path / "registry.toml").chmod(0o644)
    return path


@pytest.fixture
def source(reachable_path: Path) -> Path:
    folder = artifacts(reachable_path / "out")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _all(outcomes: list[Any | ChildFailed]) -> list[Any]:
    assert not [outcome for outcome in outcomes if isinstance(outcome, ChildFailed)], outcomes
    return outcomes


def _register(root: Path, source: Path, count: int, tag: str) -> Callable[[], list[int]]:
    def act() -> list[int]:
        registry = Registry(root)
        metadata = {"tags": [tag]}
        return [registry.register("fraud", source, metadata=metadata).number for _ in range(count)]

    return act


@pytest.mark.parametrize("second", [ALICE, BOB], ids=["two processes of one user", "two users"])
def test_a_hundred_registers_at_once_get_a_hundred_numbers(root: Path, source: Path, second: User) -> None:
    # The model's folder is alice's, so that a loser of another user hears EPERM from the sticky bit.
    run_as(ALICE, lambda: Registry(root).new("fraud"))
    writers = [(ALICE, _register(root, source, EACH, "first")), (second, _register(root, source, EACH, "second"))]
    numbers = _all(start_as(writers))
    assert sorted(numbers[0] + numbers[1]) == list(range(1, 2 * EACH + 1))
    registry = Registry(root)
    model = registry.model("fraud")
    assert [version.number for version in model.versions] == list(range(1, 2 * EACH + 1))
    for whose, user, tag in zip(numbers, (ALICE, second), ("first", "second"), strict=True):
        for number in whose:
            version = model.version(number)
            assert version is not None
            assert version.owner.uid == user.uid
            assert version.record.tags == (tag,)
    checks = list(registry.verify(["fraud"]))
    assert len(checks) == 2 * EACH
    assert not [check for check in checks if check.damage or check.warnings]
    assert not left_over(root / "models" / "fraud")
    assert not model.all_problems


def test_a_version_published_in_a_race_passes_sha256sum(root: Path, source: Path) -> None:
    _all(start_as([(user, _register(root, source, 3, "x")) for user in (ALICE, BOB, ALICE, BOB)]))
    for number in range(1, 13):
        folder = root / "models" / "fraud" / str(number)
        done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
        assert done.returncode == 0


def test_two_who_make_the_same_model_both_register_in_it(root: Path, source: Path) -> None:
    numbers = _all(start_as([(ALICE, _register(root, source, 2, "a")), (BOB, _register(root, source, 2, "b"))]))
    assert sorted(numbers[0] + numbers[1]) == [1, 2, 3, 4]
    assert os.listdir(root / "models") == ["fraud"]


def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told_who(root: Path, source: Path) -> None:
    run_as(ALICE, _register(root, source, 4, "x"))
    # Both decide upon the same picture; whoever makes the name first has moved.
    seen = ""
    conflicts = 0
    for turn in range(10):

        def promote(number: int, seen: str = seen, turn: int = turn) -> str:
            reason = f"turn {turn}"
            return Registry(root).promote(f"fraud:{number}", "staging", reason=reason, seen=seen).event

        hers, his = (1, 2) if turn % 2 else (3, 4)
        outcomes = start_as([(ALICE, partial(promote, hers)), (BOB, partial(promote, his))])
        ledger = Registry(root).ledger("fraud", "staging")
        won = [outcome for outcome in outcomes if not isinstance(outcome, ChildFailed)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, ChildFailed)]
        assert ledger.head is not None
        made = [event for event in won if event]
        assert len(made) == 1, outcomes
        for failure in lost:
            conflicts += 1
            assert failure.type_name == "ConflictError"
            assert str(ledger.head.owner) in failure.message
            assert "was faster" in failure.message
        assert not ledger.alarms
        assert os.readlink(root / "live" / "staging" / "fraud") == f"../../models/fraud/{ledger.holder}"
        seen = ledger.head.text
    assert conflicts == 10
    assert [event.number for event in Registry(root).ledger("fraud", "staging").events] == list(range(1, 11))


def test_eight_movers_leave_a_sound_ledger_and_a_pointer_at_its_head(root: Path, source: Path) -> None:
    run_as(ALICE, _register(root, source, 4, "x"))

    def move(number: int) -> Callable[[], int]:
        def act() -> int:
            moved = 0
            for _ in range(12):
                try:
                    moved += Registry(root).promote(f"fraud:{number}", "staging").made
                except Exception as error:
                    if type(error).__name__ != "ConflictError":
                        raise
            return moved

        return act

    moved = _all(start_as([(user, move(number)) for number in (1, 2, 3, 4) for user in (ALICE, BOB)]))
    ledger = Registry(root).ledger("fraud", "staging")
    assert len(ledger.events) == sum(moved)
    assert {event.validity.value for event in ledger.events} == {"attested"}
    assert not ledger.alarms
    assert os.readlink(root / "live" / "staging" / "fraud") == f"../../models/fraud/{ledger.holder}"
    assert os.listdir(root / "live" / "staging") == ["fraud"]


def test_two_who_edit_one_version_lose_nothing(root: Path, source: Path) -> None:
    run_as(ALICE, _register(root, source, 1, "x"))

    def edit(who: str) -> Callable[[], int]:
        def act() -> int:
            done = 0
            for index in range(10):
                try:
                    Registry(root).edit("fraud:1", Edit(put={f"hyperparameters.{who}{index}": index}))
                    done += 1
                except Exception as error:
                    if type(error).__name__ != "ConflictError":
                        raise
            return done

        return act

    done = _all(start_as([(ALICE, edit("a")), (BOB, edit("b"))]))
    revisions = Registry(root).revisions("fraud:1")
    assert [revision.number for revision in revisions] == list(range(sum(done) + 1))
    digests = [revision.digest for revision in revisions]
    assert [revision.note.previous for revision in revisions[1:] if revision.note] == digests[:-1]
    newest = revisions[-1].record
    assert newest is not None
    assert len(newest.hyperparameters) == sum(done)


def test_two_who_edit_different_fields_and_say_that_both_stand_both_get_in(root: Path, source: Path) -> None:
    run_as(ALICE, _register(root, source, 1, "x"))

    def edit(who: str) -> Callable[[], int]:
        change = [Edit(put={f"hyperparameters.{who}{index}": index}, merge=True) for index in range(8)]
        return lambda: sum(Registry(root).edit("fraud:1", one).made for one in change)

    assert _all(start_as([(ALICE, edit("a")), (BOB, edit("b"))])) == [8, 8]
    newest = Registry(root).revisions("fraud:1")[-1].record
    assert newest is not None
    assert len(newest.hyperparameters) == 16


def test_of_two_who_label_at_once_one_has_it(root: Path, source: Path) -> None:
    run_as(ALICE, _register(root, source, 2, "x"))

    def label(number: int) -> Callable[[], bool]:
        return lambda: Registry(root).label(f"fraud:{number}", "1.0.0")[1]

    outcomes = start_as([(ALICE, label(1)), (BOB, label(2))])
    lost = [outcome for outcome in outcomes if isinstance(outcome, ChildFailed)]
    assert [failure.type_name for failure in lost] == ["ConflictError"]
    assert "the label 1.0.0 belongs to version" in lost[0].message
    held = [version.labels for version in Registry(root).model("fraud").versions]
    assert sorted(held) == [(), ("1.0.0",)]
