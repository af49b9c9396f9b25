"""Deleting with real users: what the kernel refuses, who else may, and several people at the same moment."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.registry.facade import Registry
from support.registries import ALICE, BOB, CAROL, DAVE, EVE, STEWARD, artifacts, shared
from support.users import ChildFailed, User, run_as, start_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.root


@pytest.fixture
def source(reachable_path: Path) -> Path:
    folder = artifacts(reachable_path / "out")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@pytest.fixture
def root(reachable_path: Path, source: Path) -> Path:
    """A team's registry: the model fraud is alice's, its versions 1 and 3 are hers, 2 and 4 bob's."""
    path = shared(reachable_path)
    for user in (ALICE, BOB, ALICE, BOB):
        run_as(user, lambda: Registry(path).register("fraud", source).number)
    return path


def _listing(root: Path) -> str:
    return subprocess.run(["ls", "-lR", "--full-time", root], capture_output=True, text=True, check=True).stdout


def _refused(user: User, action: Callable[[], Any]) -> ChildFailed:
    with pytest.raises(ChildFailed) as failure:
        run_as(user, action)
    assert failure.value.type_name == "PermissionDeniedError", failure.value
    return failure.value


def _states(root: Path) -> dict[int, str]:
    return {deletion.number: deletion.state for deletion in Registry(root).deleted("fraud").versions}


@pytest.mark.parametrize("user", [BOB, CAROL, STEWARD, EVE], ids=lambda user: user.name)
def test_who_owns_neither_the_version_nor_its_model_cannot_delete_it_and_is_told_who_can(
    root: Path, user: User
) -> None:
    before = _listing(root)
    for action in (
        lambda: Registry(root).delete("fraud:3", dry_run=True).made,
        lambda: Registry(root).delete("fraud:3").made,
    ):
        message = _refused(user, action).message
        assert "you may not delete fraud:3" in message
        assert str(ALICE.uid) in message
    assert _listing(root) == before


def test_an_author_deletes_and_restores_her_own_and_everybody_sees_it(root: Path) -> None:
    assert run_as(BOB, lambda: Registry(root).delete("fraud:4", reason="mine").made)

    def seen() -> list[str]:
        registry = Registry(root)
        assert [version.number for version in registry.model("fraud").versions] == [1, 2, 3]
        return [deletion.sentence() for deletion in registry.deleted().versions]

    (sentence,) = run_as(EVE, seen)
    assert f"deleted by {BOB.uid}" in sentence
    assert sentence.endswith(": mine")
    assert run_as(BOB, lambda: Registry(root).restore("fraud:4").made)
    assert _states(root) == {}


def test_the_owner_of_the_models_folder_deletes_anybodys_and_the_author_brings_it_back(root: Path) -> None:
    assert run_as(ALICE, lambda: Registry(root).delete("fraud:4").made)
    warnings = run_as(BOB, lambda: list(Registry(root).restore("fraud:4").warnings))
    assert "the tombstone stays" in warnings[0]
    assert str(ALICE.uid) in warnings[0]
    version = Registry(root).version("fraud:4")
    assert [problem.severity for problem in version.problems] == ["warning"]
    _refused(BOB, lambda: Registry(root).restore("fraud:4").made)
    assert run_as(ALICE, lambda: Registry(root).restore("fraud:4").made)
    assert _states(root) == {}


def test_a_tombstone_that_an_outsider_plants_neither_deletes_nor_may_stand_for_a_delete(root: Path) -> None:
    def plant() -> None:
        registry = Registry(root)
        text = (
            f"op=delete by={BOB.uid}:bob at=2026-01-01T00:00:00Z why=ha digest=sha256:00 "
            f"event={registry.id}/models/fraud/3@deleted"
        )
        os.symlink(text, root / "models/fraud/3@deleted")

    run_as(BOB, plant)
    assert Registry(root).version("fraud:3").number == 3
    with pytest.raises(ChildFailed, match="may not delete the version") as failure:
        run_as(ALICE, lambda: Registry(root).delete("fraud:3").made)
    assert failure.value.type_name == "ConflictError"
    assert run_as(ALICE, lambda: Registry(root).restore("fraud:3").made)
    assert run_as(ALICE, lambda: Registry(root).delete("fraud:3").made)


def test_a_purge_frees_ones_own_and_names_the_command_for_the_others(root: Path) -> None:
    run_as(ALICE, lambda: Registry(root).delete("fraud:3").made)
    run_as(BOB, lambda: Registry(root).delete("fraud:4").made)
    document = run_as(ALICE, lambda: Registry(root).purge(dry_run=False).document())
    assert [(row["ref"], row["goes"]) for row in document["versions"]] == [("fraud:3", True), ("fraud:4", False)]
    assert document["freed"] > 0
    assert _states(root) == {3: "purged", 4: "deleted"}
    (others,) = document["others"]
    assert (others["owner"]["uid"], others["versions"]) == (BOB.uid, ["fraud:4"])
    program, *words = shlex.split(others["command"])
    subprocess.run([sys.executable, "-m", program, *words], check=True, env={"HOME": "/nonexistent"})
    assert _states(root) == {3: "purged", 4: "purged"}
    assert run_as(CAROL, lambda: Registry(root).register("fraud", root / "registry.toml").number) == 5


def test_what_lies_under_another_ones_tombstone_is_not_purged(root: Path) -> None:
    def plant() -> None:
        place = f"{Registry(root).id}/models/fraud/3@deleted"
        os.symlink(f"op=delete by={BOB.uid} at=2026-01-01T00:00:00Z event={place}", root / "models/fraud/3@deleted")

    run_as(BOB, plant)
    run_as(ALICE, lambda: os.rename(root / "models/fraud/3", root / "models/fraud/.trash-3-0a"))
    (row,) = run_as(ALICE, lambda: Registry(root).purge(dry_run=False).document())["versions"]
    assert row["why"] == "has a tombstone of somebody who could not delete it, and can take it away"
    assert run_as(ALICE, lambda: Registry(root).restore("fraud:3").made)


def test_a_sealed_version_in_the_trash_cannot_be_emptied_by_another(root: Path) -> None:
    run_as(ALICE, lambda: Registry(root).delete("fraud:4").made)
    (trash,) = (root / "models/fraud").glob(".trash-4-*")
    before = sorted(path.name for path in trash.rglob("*"))
    assert not run_as(ALICE, lambda: Registry(root).purge(dry_run=False).rows[0].goes)
    for attempt in (lambda: os.unlink(trash / "model.bin"), lambda: os.rename(trash, root / "models/mine")):
        with pytest.raises(ChildFailed):
            run_as(ALICE, attempt)
    assert sorted(path.name for path in trash.rglob("*")) == before


def test_a_clean_up_deletes_what_the_caller_may_and_names_the_owners_of_the_rest(root: Path) -> None:
    document = run_as(BOB, lambda: Registry(root).prune("fraud", keep_last=1, dry_run=False).document())
    rows = {row["ref"]: (row["goes"], row["others"], row["made"]) for row in document["versions"]}
    assert rows == {
        "fraud:1": (False, True, False),
        "fraud:2": (True, False, True),
        "fraud:3": (False, True, False),
        "fraud:4": (False, False, False),
    }
    assert str(ALICE.uid) in document["versions"][0]["why"]
    assert _states(root) == {2: "deleted"}


# --- at the same moment


def _delete(root: Path, number: int) -> bool:
    return Registry(root).delete(f"fraud:{number}").made


def _quietly(action: Callable[[], Any]) -> Callable[[], str]:
    def act() -> str:
        try:
            action()
        except Exception as error:
            if type(error).__name__ != "ConflictError":
                raise
            return str(error)
        return ""

    return act


def test_a_version_is_never_deleted_and_promoted_at_once(root: Path) -> None:
    run_as(CAROL, lambda: Registry(root).promote("fraud:1", "staging").event)
    for _ in range(12):
        outcomes = start_as(
            [
                (ALICE, _quietly(lambda: Registry(root).delete("fraud:3"))),
                (CAROL, _quietly(lambda: Registry(root).promote("fraud:3", "staging"))),
            ]
        )
        late = {outcome.type_name for outcome in outcomes if isinstance(outcome, ChildFailed)}
        # Whoever reads the version while it goes finds nothing, or half of it, to judge.
        assert late <= {"NotFoundError", "IntegrityError"}, outcomes
        registry = Registry(root)
        holder = registry.ledger("fraud", "staging").holder
        if _states(root):
            assert _states(root) == {3: "deleted"}
            assert holder == 1
            run_as(ALICE, lambda: Registry(root).restore("fraud:3").made)
        else:
            assert registry.version("fraud:3").number == 3
            assert holder in {1, 3}
        assert not [problem for problem in registry.model("fraud").problems if problem.severity == "error"]
        assert not registry.ledger("fraud", "staging").alarms
        run_as(CAROL, lambda: Registry(root).promote("fraud:1", "staging").event)


def test_of_two_who_delete_one_does_it_and_the_other_finds_it_done(root: Path) -> None:
    for _ in range(8):
        outcomes = start_as([(user, lambda: Registry(root).delete("fraud:4").made) for user in (ALICE, BOB)])
        failures = [outcome for outcome in outcomes if isinstance(outcome, ChildFailed)]
        assert {failure.type_name for failure in failures} <= {"ConflictError"}, outcomes
        assert True in outcomes
        assert _states(root) == {4: "deleted"}
        assert len(list((root / "models/fraud").glob(".trash-4-*"))) == 1
        run_as(ALICE, lambda: Registry(root).restore("fraud:4").made)
        assert _states(root) == {}


def test_a_delete_and_a_restore_at_once_never_leave_the_trash_without_a_word(root: Path) -> None:
    for _ in range(8):
        run_as(ALICE, lambda: Registry(root).delete("fraud:3").made)
        start_as(
            [
                (ALICE, _quietly(lambda: Registry(root).restore("fraud:3"))),
                (ALICE, _quietly(lambda: Registry(root).delete("fraud:3"))),
            ]
        )
        assert _states(root).get(3, "here") in {"here", "deleted"}
        run_as(ALICE, lambda: Registry(root).restore("fraud:3").made)


def test_a_restore_and_a_purge_at_once_leave_a_whole_version_or_none(root: Path, source: Path) -> None:
    for turn in range(6):
        number = 5 + turn
        run_as(ALICE, lambda: Registry(root).register("fraud", source).number)
        run_as(ALICE, partial(_delete, root, number))

        def restore(number: int = number) -> str:
            try:
                return str(Registry(root).restore(f"fraud:{number}").made)
            except Exception as error:
                if type(error).__name__ not in {"ConflictError", "NotFoundError"}:
                    raise
                return str(error)

        start_as([(ALICE, restore), (ALICE, lambda: str(Registry(root).purge(dry_run=False).freed))])
        registry = Registry(root)
        if number in [version.number for version in registry.model("fraud").versions]:
            assert not [check for check in registry.verify([f"fraud:{number}"]) if check.damage]
        else:
            assert _states(root)[number] == "purged"


def test_numbers_stay_unique_while_others_delete_and_purge(root: Path, source: Path) -> None:
    def churn() -> list[int]:
        numbers = []
        for _ in range(5):
            registry = Registry(root)
            number = registry.register("fraud", source).number
            numbers.append(number)
            registry.delete(f"fraud:{number}")
            registry.purge([f"fraud:{number}"], dry_run=False)
        return numbers

    outcomes = start_as([(user, churn) for user in (ALICE, BOB, DAVE)])
    assert not [outcome for outcome in outcomes if isinstance(outcome, ChildFailed)], outcomes
    numbers = [number for outcome in outcomes if not isinstance(outcome, ChildFailed) for number in outcome]
    assert sorted(numbers) == list(range(5, 20))
    assert _states(root) == dict.fromkeys(range(5, 20), "purged")
