"""What one person may write must not decide for others: rollbacks, edits, approvals and guards against squatters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.registry.facade import Registry
from support.registries import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    EVE,
    REVIEWERS,
    STEWARD,
    artifacts,
    make,
    set_policy,
    shared,
)
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METRIC = '[metrics.auc]\nbetter = "higher"\n'
FRANK = User(uid=61007, gid=61007, groups=(REVIEWERS,), name="frank")


def team(reachable_path: Path, guards: str = "", *aucs: float) -> Path:
    """A team's registry: bob makes the model, alice registers a version for each auc."""
    path = shared(reachable_path)
    for at, auc in enumerate(aucs or (0.9,), start=1):
        source = artifacts(reachable_path / f"out{at}", {"model.bin": b"weights" * at})
        source.chmod(0o755)
        (source / "model.bin").chmod(0o644)
        if at == 1:
            run_as(BOB, lambda: str(Registry(path).new("fraud")))
        run_as(ALICE, lambda: Registry(path).register("fraud", source, metrics={"auc": auc}, card="# card").number)  # noqa: B023 - run at once
    guard(path, guards)
    return path


def guard(path: Path, guards: str) -> None:
    set_policy(path, f"{METRIC}[stages.staging]\n[stages.production.guards]\n{guards}\n")


def promote(path: Path, ref: str, user: User = DAVE, stage: str = "production") -> list[str]:
    return run_as(user, lambda: [str(one) for one in Registry(path).promote(ref, stage, reason="r").warnings])


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(ChildFailed) as failed:
        action()
    return f"{failed.value.type_name}: {failed.value.message}"


# --- rollbacks


def _broken(place: Path) -> None:
    place.write_text("[[[")


def _closed(place: Path) -> None:
    place.write_text("tags = []\n")
    place.chmod(0o600)


def _archiving(place: Path) -> None:
    place.write_text("archived = true\n")


@pytest.mark.root
@pytest.mark.parametrize("name", ["1@1.toml", "1@999999999.toml", "1@1.md"])
@pytest.mark.parametrize("plant", [_broken, _closed, _archiving, os.mkfifo])
def test_no_authors_file_keeps_a_rollback_from_what_was_promoted(
    reachable_path: Path, name: str, plant: Callable[[Path], None]
) -> None:
    path = team(reachable_path, "", 0.9, 0.8)
    promoted = run_as(ALICE, lambda: Registry(path).version("fraud:1").metadata_digest)
    promote(path, "fraud:1")
    promote(path, "fraud:2")
    run_as(BOB, lambda: plant(path / "models/fraud" / name))

    def back() -> tuple[str, str, list[str]]:
        result = Registry(path).rollback("fraud", "production", reason="alerts")
        (event,) = [one for one in Registry(path).history("fraud", "production") if one.number == 3]
        assert event.move
        return str(result.judgement.ref), event.move.metadata, [str(one) for one in result.warnings]

    ref, metadata, warnings = run_as(DAVE, back)
    assert (ref, metadata) == ("fraud:1", promoted)
    # A FIFO is no revision and says nothing.
    assert bool(warnings) == (plant is not os.mkfifo)
    assert all("log fraud:1" in one for one in warnings)


def test_a_rollback_says_when_what_was_promoted_is_gone_and_names_it_still(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    for number in (1, 2):
        registry.register("fraud", artifacts(tmp_path / "out"))
        registry.edit(f"fraud:{number}", stackroom.Edit(put={"description": "as promoted"}))
        registry.promote(f"fraud:{number}", "production")
    revision = registry.path / "models/fraud/1@1.toml"
    revision.chmod(0o644)
    revision.write_text(revision.read_text().replace("as promoted", "rewritten"))
    result = registry.rollback("fraud", "production")
    assert "is not there any more" in str(result.warnings[0])
    first, last = (registry.history("fraud")[at].move for at in (0, -1))
    assert first
    assert last
    assert last.metadata == first.metadata


def test_a_rollback_pins_the_card_that_was_promoted(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    for number in (1, 2):
        registry.register("fraud", artifacts(tmp_path / "out"), card="# as promoted")
        registry.promote(f"fraud:{number}", "production")
    registry.edit("fraud:1", stackroom.Edit(card="# since"))
    result = registry.rollback("fraud", "production")
    assert "the card of fraud:1 is another one" in str(result.warnings[0])
    first, last = (registry.history("fraud")[at].move for at in (0, -1))
    assert first
    assert last
    assert last.card == first.card != ""


# --- numbers


@pytest.mark.root
@pytest.mark.parametrize("plant", [os.mkfifo, os.mkdir, lambda place: os.symlink("x", place)])
def test_a_name_that_is_no_file_does_not_keep_anybody_from_editing(
    reachable_path: Path, plant: Callable[[Path], None]
) -> None:
    path = team(reachable_path)
    for name in ("1@1.toml", "1@999999999.toml", "1@1.md"):
        run_as(BOB, lambda: plant(path / "models/fraud" / name))  # noqa: B023 - run at once

    def edit() -> list[object]:
        registry = Registry(path)
        change = stackroom.Edit(put={"description": "mine"}, card="# mine")
        revision = registry.edit("fraud:1", change).revision
        return [revision, registry.version("fraud:1").card_revision, registry.card("fraud:1")]

    assert run_as(ALICE, edit) == [2, 2, "# mine"]
    assert run_as(ALICE, lambda: Registry(path).version("fraud:1").record.description) == "mine"


@pytest.mark.root
def test_whose_the_last_number_is_and_who_can_take_it_away_is_said(reachable_path: Path) -> None:
    path = team(reachable_path)
    run_as(CAROL, lambda: (path / "models/fraud/model@999999999.toml").write_text("[[["))
    run_as(ERIN, lambda: (path / "stages/production/fraud@999999999").symlink_to("x"))
    run_as(CAROL, lambda: (path / "approvals/production/fraud:1@999999999").symlink_to("x"))

    def facts(action: Callable[[Registry], object]) -> tuple[str, str, str]:
        try:
            action(Registry(path))
        except stackroom.IntegrityError as error:
            return str(error), error.hint, error.facts["owner"]
        raise AssertionError

    attempts: list[tuple[User, User, User, Callable[[Registry], object]]] = [
        (ALICE, CAROL, BOB, lambda registry: registry.edit("fraud", stackroom.Edit(put={"description": "x"}))),
        (DAVE, ERIN, STEWARD, lambda registry: registry.promote("fraud:1", "production")),
        (FRANK, CAROL, STEWARD, lambda registry: registry.reject("fraud:1", "production")),
    ]
    for user, owner, above, action in attempts:
        message, hint, who = run_as(user, lambda: facts(action))  # noqa: B023 - run at once
        assert who == str(owner.uid)
        assert f"it belongs to {owner.uid}" in message
        assert f"{owner.uid}, or {above.uid}, who owns" in hint


@pytest.mark.root
def test_who_uses_up_the_last_word_does_not_silence_those_who_would_reject(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    run_as(CAROL, lambda: Registry(path).approve("fraud:1", "production").made)
    run_as(CAROL, lambda: (path / "approvals/production/fraud:1@999999999").symlink_to("x"))
    message = refusal(lambda: promote(path, "fraud:1"))
    assert message.startswith("GuardRefusedError")
    assert f"fraud:1@999999999, which belongs to {CAROL.uid}, has the last number" in message
    (verdict,) = run_as(EVE, lambda: Registry(path).can("fraud:1", "production").document()["verdicts"])
    assert f"ask {CAROL.uid}, or {STEWARD.uid}, who owns approvals/production" in verdict["advice"]
    run_as(STEWARD, (path / "approvals/production/fraud:1@999999999").unlink)
    promote(path, "fraud:1")


# --- what the next one is compared with


def test_clearing_a_stage_does_not_lower_the_bar(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry", f"{METRIC}[stages.staging]\n[stages.production]\n")
    for auc, digest in ((0.95, "xxh128:aa"), (0.5, "xxh128:bb"), (0.95, "xxh128:aa")):
        data = [{"name": "t", "split": "test", "digest": digest}]
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": auc}, datasets=data)
    registry.promote("fraud:1", "production")
    guard(registry.path, 'not_worse = { auc = 0 }\nsame_datasets = "test"')
    registry = Registry(registry.path)
    registry.clear("fraud", "production")
    worse, other = registry.can("fraud:2", "production").verdicts
    assert not worse.passed
    assert not other.passed
    assert "(fraud:1 held it until 2" in worse.wanted
    assert "(as fraud:1 held it until 2" in other.wanted
    assert registry.can("fraud:1", "production").allowed
    assert registry.promote("fraud:3", "production").made


def test_a_last_holder_that_is_gone_is_not_nobody(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry", f"{METRIC}[stages.production.guards]\nnot_worse = {{ auc = 0 }}\n")
    for _ in range(2):
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": 0.9})
    registry.promote("fraud:1", "production")
    registry.clear("fraud", "production")
    registry.delete("fraud:1", reason="old")
    (verdict,) = registry.can("fraud:2", "production").verdicts
    assert not verdict.passed
    assert "fraud:1 held the stage last, and its folder is missing" in verdict.seen


# --- whose the guards are


@pytest.mark.root
@pytest.mark.parametrize("whose", ["the file's owner", "the file's mode", "the folder's mode"])
def test_a_move_warns_where_the_guards_may_be_somebody_elses(reachable_path: Path, whose: str) -> None:
    path = team(reachable_path)
    assert promote(path, "fraud:1") == []
    match whose:
        case "the file's owner":
            os.chown(path / "registry.toml", BOB.uid, BOB.gid)
            told = f"registry.toml belongs to {BOB.uid}"
        case "the file's mode":
            (path / "registry.toml").chmod(0o664)
            told = "registry.toml can be written by group"
        case _:
            path.chmod(0o2775)
            told = "registry can be written by group"
    warnings = run_as(EVE, lambda: [str(one) for one in Registry(path).can("fraud:1", "staging").warnings])
    assert any(told in one for one in warnings)
    assert any(told in one for one in promote(path, "fraud:1", CAROL, "staging"))
    assert any(
        told in str(one)
        for one in run_as(DAVE, lambda: [*map(str, Registry(path).clear("fraud", "production").warnings)])
    )
