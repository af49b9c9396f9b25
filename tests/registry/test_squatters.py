"""What one person may write must not decide for others: rollbacks, edits, approvals and guards against squatters."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.registry.facade import Registry
from stackroom.registry.reading import utc_now
from stackroom.registry.remembering import remember
from support.registries import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    EVE,
    ID,
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

    def told(action: Callable[[Registry], object]) -> str:
        try:
            action(Registry(path))
        except stackroom.RegistryError as error:
            return f"{error}: {error.hint}"
        raise AssertionError

    attempts: list[tuple[User, User, User, Callable[[Registry], object]]] = [
        (ALICE, CAROL, BOB, lambda registry: registry.edit("fraud", stackroom.Edit(put={"description": "x"}))),
        (DAVE, ERIN, STEWARD, lambda registry: registry.promote("fraud:1", "production")),
        (FRANK, CAROL, STEWARD, lambda registry: registry.reject("fraud:1", "production")),
    ]
    for user, owner, above, action in attempts:
        message = run_as(user, lambda: told(action))  # noqa: B023 - run at once
        assert "9 digits" in message
        assert f"{owner.uid}" in message
        assert f"{above.uid}, who" in message or f"as can {above.uid}, whose folder" in message


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


# --- how long, and about what


@pytest.mark.root
def test_an_event_planted_before_the_version_was_there_soaks_nothing(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = team(reachable_path, 'from = ["staging"]\nsoak_hours = 1')
    digest = run_as(ALICE, lambda: Registry(path).version("fraud:1").fields()["digest"])
    number, at = 1, (utc_now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"to={number} from=- by={CAROL.uid} at={at} digest={digest} event={ID}/staging/fraud@1"
    run_as(CAROL, lambda: (path / "stages/staging/fraud@1").symlink_to(text))
    # As if the event had been there for two hours, and the version were new.
    monkeypatch.setattr("stackroom.store.attested.changed_at", lambda _: utc_now() - timedelta(hours=2))
    verdicts = run_as(DAVE, lambda: Registry(path).can("fraud:1", "production").document()["verdicts"])
    (soak,) = [one for one in verdicts if one["guard"] == "soak_hours"]
    assert soak["passed"] is False
    assert "has held staging for 0 min" in soak["seen"]


def test_an_interruption_that_the_mover_saw_and_that_is_gone_ends_a_soak(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry", "[stages.staging]\n[stages.production.guards]\nsoak_hours = 1\n")
    for _ in range(2):
        registry.register("fraud", artifacts(tmp_path / "out"))
    registry.promote("fraud:1", "staging")
    registry.promote("fraud:2", "staging")
    remember(registry)
    (registry.path / "stages/staging/fraud@2").unlink()
    later = Registry(registry.path, clock=lambda: utc_now() + timedelta(hours=2))
    (soak,) = later.can("fraud:1", "production").verdicts
    assert not soak.passed
    assert "event 2" in soak.seen
    assert "is gone" in soak.seen
    registry.acknowledge()
    assert later.can("fraud:1", "production").allowed


@pytest.mark.root
def test_a_revision_of_another_version_is_not_taken_for_this_ones(reachable_path: Path) -> None:
    path = team(reachable_path, 'metrics = ["auc >= 0.9"]', 0.95, 0.1)
    model = path / "models/fraud"
    run_as(ALICE, lambda: Registry(path).edit("fraud:1", stackroom.Edit(put={"description": "good"})).revision)
    run_as(BOB, lambda: os.rename(model / "1@1.toml", model / "2@1.toml"))
    told = f"2@1.toml, the file of {ALICE.uid}, replaces another text than 2/version.toml"
    assert told in refusal(lambda: promote(path, "fraud:2"))
    assert told in refusal(lambda: run_as(CAROL, lambda: Registry(path).approve("fraud:2", "production").made))
    run_as(ALICE, lambda: Registry(path).edit("fraud:2", stackroom.Edit(put={"metrics.auc": 0.1})).revision)
    assert "auc is 0.1" in refusal(lambda: promote(path, "fraud:2"))


@pytest.mark.root
def test_a_revision_in_anothers_name_moves_nothing_but_that_of_a_copied_tree_does(reachable_path: Path) -> None:
    path = team(reachable_path)
    model = path / "models/fraud"
    run_as(
        CAROL, lambda: (model / "1@1.toml").write_text(f'revised = 2026-11-23T04:22:00Z\nrevised_by = "{ALICE.uid}"\n')
    )
    (model / "1@1.toml").chmod(0o444)
    assert f"the file of {CAROL.uid}, says that {ALICE.uid} wrote it" in refusal(lambda: promote(path, "fraud:1"))
    os.chown(model / "1@1.toml", BOB.uid, -1)
    promote(path, "fraud:1")


@pytest.mark.root
def test_with_four_eyes_who_wrote_the_metadata_as_they_are_does_not_approve_them(reachable_path: Path) -> None:
    path = team(reachable_path, 'four_eyes = true\napprovals = 1\nmetrics = ["auc >= 0.9"]', 0.5)
    run_as(CAROL, lambda: Registry(path).edit("fraud:1", stackroom.Edit(put={"metrics.auc": 0.99})).revision)
    run_as(CAROL, lambda: Registry(path).approve("fraud:1", "production").made)
    assert "is who wrote its metadata or card as they are: does not count" in refusal(lambda: promote(path, "fraud:1"))
    run_as(FRANK, lambda: Registry(path).approve("fraud:1", "production").made)
    promote(path, "fraud:1")


@pytest.mark.root
def test_a_move_past_the_guards_is_told_by_what_it_leaves(reachable_path: Path) -> None:
    path = team(reachable_path, 'from = ["staging"]\nfour_eyes = true\napprovals = 1\nreason = true', 0.9, 0.8)

    def found() -> list[str]:
        return run_as(EVE, lambda: [one.message for one in Registry(path).examine() if one.kind == "past-the-guards"])

    for ref in ("fraud:1", "fraud:2"):
        promote(path, ref, CAROL, "staging")
    run_as(CAROL, lambda: Registry(path).approve("fraud:1", "production").made)
    promote(path, "fraud:1")
    assert found() == []
    guard(path, "")
    run_as(DAVE, lambda: Registry(path).promote("fraud:2", "production").event)
    guard(path, 'from = ["staging"]\nfour_eyes = true\napprovals = 1\nreason = true')
    (told,) = found()
    assert "no reason was given; 0 of 1 people approve what was moved; no guard was overridden" in told
    run_as(DAVE, lambda: Registry(path).rollback("fraud", "production", reason="by hand").event)
    assert found() == []


# --- a stage that names artifacts


def _resealed(version: Path) -> None:
    """What the author of a version can do alone: other artifacts, and SUMS files that agree with them."""
    for place in (version, version / "model.bin", version / "SHA256SUMS"):
        place.chmod(0o755 if place.is_dir() else 0o644)
    (version / "model.bin").write_bytes(b"evil")
    lines = (version / "SHA256SUMS").read_text().splitlines()
    evil = f"{hashlib.sha256(b'evil').hexdigest()}  model.bin"
    lines = [evil if line.endswith("  model.bin") else line for line in lines]
    (version / "SHA256SUMS").write_text("\n".join([*lines, ""]))


def _without_sums(version: Path) -> None:
    version.chmod(0o755)
    (version / "SHA256SUMS").unlink()


@pytest.mark.parametrize("change", [_resealed, _without_sums])
def test_a_stage_names_only_a_version_whose_sums_are_those_that_were_promoted(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    registry = make(tmp_path / "registry")
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.promote("fraud:1", "production")
    change(registry.path / "models/fraud/1")
    for ask in (registry.version, registry.wait, registry.files, registry.card):
        with pytest.raises(stackroom.IntegrityError, match="not what was promoted to production: SHA256SUMS") as error:
            ask("fraud@production")
        assert error.value.exit_code == 7
    shown = (
        registry.version("fraud:1"),
        registry.model("fraud").versions[0],
        registry.models(afresh=True).models[0].versions[0],
    )
    assert all("not what was promoted to production" in one.problems[0].message for one in shown)


def test_who_waits_for_a_stage_hears_that_its_holder_is_missing(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.promote("fraud:1", "production")
    os.rename(registry.path / "models/fraud/1", registry.path / "models/fraud/.aside")
    with pytest.raises(stackroom.IntegrityError, match="its folder is missing"):
        registry.wait("fraud@production", timeout=0)
