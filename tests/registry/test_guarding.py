"""Guards about people and time, and overriding: by people whom the kernel tells apart."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import stackroom
from stackroom.core.attested import Who
from stackroom.core.ledger import Move, event_place, format_move
from stackroom.errors import GuardRefusedError, UsageError
from stackroom.registry.facade import Registry
from stackroom.registry.reading import utc_now
from support.registries import (
    ALICE,
    AUTHORS,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    ID,
    RELEASERS,
    REVIEWERS,
    STEWARD,
    artifacts,
    make,
    set_policy,
    shared,
    tree,
    unseal,
)
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from pathlib import Path

FRANK = User(uid=61007, gid=61007, groups=CAROL.groups, name="frank")
BOTH = User(uid=61008, gid=61008, groups=(AUTHORS, REVIEWERS, RELEASERS), name="grace")
"""Somebody who may do everything but what is the steward's."""

EVERY_METRIC = '[metrics.auc]\nbetter = "higher"\n'


def guarded(path: Path, guards: str) -> None:
    set_policy(path, f"{EVERY_METRIC}[stages.staging]\n[stages.production.guards]\n{guards}\n")


def team(reachable_path: Path, guards: str, *authors: User) -> Path:
    """A team's registry with a version of each author."""
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    guarded(path, guards)
    for author in authors or (ALICE,):
        run_as(author, lambda: Registry(path).register("fraud", source, metrics={"auc": 0.9}, card="# card").number)
    return path


def approve(path: Path, *people: User, ref: str = "fraud:1") -> None:
    for one in people:
        run_as(one, lambda: Registry(path).approve(ref, "production").made)


def promote(path: Path, user: User = DAVE, ref: str = "fraud:1", **options: Any) -> str:  # noqa: ANN401 - of promote
    return run_as(user, lambda: Registry(path).promote(ref, "production", **options).event)


def refusal(path: Path, user: User = DAVE, ref: str = "fraud:1") -> str:
    before = tree(path)
    with pytest.raises(ChildFailed) as failed:
        promote(path, user, ref)
    assert failed.value.type_name == "GuardRefusedError", failed.value
    assert tree(path) == before
    return failed.value.message


# --- approvals


@pytest.mark.root
def test_as_many_people_as_the_guard_says_have_to_approve(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 2")
    assert "0 of 2" in refusal(path)
    approve(path, CAROL, CAROL)
    assert f"1 of 2; {CAROL.uid} approved it" in refusal(path)
    approve(path, FRANK)
    assert promote(path) == "production/fraud@1"


@pytest.mark.root
def test_who_can_do_what_about_it_is_said(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    judgement = run_as(ALICE, lambda: Registry(path).can("fraud:1", "production").document())
    (verdict,) = judgement["verdicts"]
    assert verdict["wanted"] == "1 person to approve it as it is now, and nobody to reject it"
    assert verdict["advice"].startswith(f"stackroom approve fraud:1 production (group {REVIEWERS} may")
    assert judgement["approvals"] == []


@pytest.mark.root
def test_the_authors_own_approval_does_not_count_whatever_the_metadata_say(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1", CAROL)
    run_as(CAROL, lambda: Registry(path).edit("fraud:1", stackroom.Edit(put={"author": "alice"})).made)
    approve(path, CAROL)
    assert f"0 of 1; {CAROL.uid} approved it, and is the author: does not count" in refusal(path)
    approve(path, FRANK)
    promote(path)


@pytest.mark.root
def test_a_rejection_refuses_with_who_and_why_until_it_is_taken_back(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    approve(path, FRANK)
    run_as(CAROL, lambda: Registry(path).reject("fraud:1", "production", reason="leaked labels").made)
    message = refusal(path)
    assert f"{CAROL.uid} rejected it: leaked labels" in message
    approve(path, CAROL)
    promote(path)


@pytest.mark.root
def test_a_later_rejection_takes_ones_own_approval_back(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    approve(path, CAROL)
    run_as(CAROL, lambda: Registry(path).reject("fraud:1", "production").made)
    assert "0 of 1" in refusal(path)


@pytest.mark.root
@pytest.mark.parametrize("what", ["metadata", "card", "artifacts", "artifacts and their list"])
def test_approvals_are_void_as_soon_as_what_they_name_changes(reachable_path: Path, what: str) -> None:
    path = team(reachable_path, "approvals = 1")
    approve(path, CAROL)
    version = path / "models/fraud/1"

    def alter() -> None:
        if what == "metadata":
            Registry(path).edit("fraud:1", stackroom.Edit(put={"metrics.auc": 0.99}))
        elif what == "card":
            Registry(path).edit("fraud:1", stackroom.Edit(card="# other"))
        else:
            unseal(version)
            (version / "model.bin").write_bytes(b"weightz")

    run_as(ALICE, alter)
    if what != "artifacts and their list":
        assert "void" in refusal(path)
        return

    def fake() -> None:
        """Alice makes everything fit again but the approval: the lists and the seal."""
        import hashlib  # noqa: PLC0415 - only here

        from stackroom.store.sums import artifacts_digest  # noqa: PLC0415 - only here

        old = hashlib.sha256(b"weights").hexdigest()
        sums = (version / "SHA256SUMS").read_bytes()
        new = sums.replace(old.encode(), hashlib.sha256(b"weightz").hexdigest().encode())
        (version / "SHA256SUMS").write_bytes(new)
        toml = (version / "version.toml").read_text()
        (version / "version.toml").write_text(toml.replace(artifacts_digest(sums), artifacts_digest(new)))

    run_as(ALICE, fake)
    assert "approved other artifacts" in refusal(path)


@pytest.mark.root
def test_forged_approvals_never_count_and_are_reported(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1", ALICE, ALICE)
    folder = path / "approvals/production"
    approve(path, CAROL, ref="fraud:2")
    genuine = os.readlink(folder / "fraud:2@1")
    run_as(CAROL, lambda: Registry(path).promote("fraud:1", "staging").made)
    event = os.readlink(path / "stages/staging/fraud@1")
    in_her_name = genuine.replace("fraud:2@1", "fraud:1@1")
    run_as(FRANK, lambda: os.symlink(in_her_name, folder / "fraud:1@1"))
    run_as(CAROL, lambda: os.symlink(genuine, folder / "fraud:1@2"))
    run_as(CAROL, lambda: os.symlink(event, folder / "fraud:1@3"))
    message = refusal(path)
    assert "0 of 1" in message
    for number in (1, 2, 3):
        assert f"fraud:1@{number} is forged and does not count" in message


@pytest.mark.root
def test_approvals_that_cannot_be_read_are_not_taken_for_none(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    approve(path, CAROL)
    (path / "approvals/production").chmod(0o3770)
    assert "approvals/production: permission denied" in refusal(path)


@pytest.mark.root
def test_what_was_approved_is_what_the_event_pins(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = 1")
    approve(path, CAROL)
    promote(path)
    event = Registry(path).ledger("fraud", "production").head
    (word,) = Registry(path).approvals("fraud:1", "production")
    assert event
    assert event.move
    assert word.approval
    pins = word.approval.pins
    assert (event.move.digest, event.move.metadata, event.move.card) == (pins.digest, pins.metadata, pins.card)


# --- four eyes, and whose the model is


@pytest.mark.root
def test_with_four_eyes_the_author_does_not_move_and_the_movers_approval_does_not_count(reachable_path: Path) -> None:
    path = team(reachable_path, "four_eyes = true\napprovals = 1", BOTH)
    approve(path, CAROL)
    assert f"{BOTH.uid} registered it and {BOTH.uid} moves it" in refusal(path, BOTH)
    promote(path, DAVE)
    guarded(path, "four_eyes = true\napprovals = 1")
    run_as(ALICE, lambda: Registry(path).register("other", path / "registry.toml").number)
    approve(path, BOTH, ref="other:1")
    assert f"{BOTH.uid} approved it, and is the mover: does not count" in refusal(path, BOTH, "other:1")
    promote(path, DAVE, "other:1")


@pytest.mark.root
def test_who_only_asks_is_not_taken_for_the_mover(reachable_path: Path) -> None:
    path = team(reachable_path, "four_eyes = true\napprovals = 1")
    approve(path, CAROL)
    verdicts = run_as(CAROL, lambda: Registry(path).can("fraud:1", "production").document())["verdicts"]
    assert [verdict["passed"] for verdict in verdicts] == [True, True]


@pytest.mark.root
def test_steward_owned_wants_the_models_folder_to_be_the_stewards(reachable_path: Path) -> None:
    path = team(reachable_path, "steward_owned = true")
    assert f"the folder of fraud belongs to {ALICE.uid}" in refusal(path)
    run_as(STEWARD, lambda: Registry(path).new("ours"))
    run_as(BOB, lambda: Registry(path).register("ours", path / "registry.toml").number)
    promote(path, ref="ours:1")


# --- soak


def soaking(tmp_path: Path, hours: str = "24", clock: Any = utc_now) -> Registry:  # noqa: ANN401 - a clock
    path = tmp_path / "registry"
    registry = make(path)
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.promote("fraud:1", "staging")
    guarded(path, f"soak_hours = {hours}")
    return Registry(path, clock=clock)


def test_soak_says_how_long_it_was_and_how_long_it_shall_be(tmp_path: Path) -> None:
    registry = soaking(tmp_path)
    with pytest.raises(GuardRefusedError, match=r"has held staging for 0 min, since .* wants: 24 h in staging without"):
        registry.promote("fraud:1", "production")


def test_soak_is_met_after_the_hours(tmp_path: Path) -> None:
    registry = soaking(tmp_path, "0.0000001")
    assert registry.promote("fraud:1", "production").made
    assert os.listdir(registry.path / "stages/production") == ["fraud@1"]


def test_the_movers_own_clock_does_not_shorten_the_soak(tmp_path: Path) -> None:
    registry = soaking(tmp_path, clock=lambda: utc_now() + timedelta(days=30))
    assert registry.can("fraud:1", "production").allowed  # a reader cannot ask the file system
    with pytest.raises(GuardRefusedError, match="has held staging for 0 min"):
        registry.promote("fraud:1", "production")
    assert os.listdir(registry.path / "stages/production") == []


@pytest.mark.root
@pytest.mark.parametrize("planter", [CAROL, STEWARD], ids=["attested", "unattested"])
def test_a_backdated_event_does_not_shorten_the_soak(reachable_path: Path, planter: User) -> None:
    path = team(reachable_path, "soak_hours = 24")
    version = Registry(path).version("fraud:1")
    assert version.seal
    move = Move(
        to=1,
        origin=None,
        by=Who(CAROL.uid),
        at=utc_now() - timedelta(days=30),
        digest=version.seal.digest,
        event=event_place(ID, "staging", "fraud", 1),
    )
    run_as(planter, lambda: os.symlink(format_move(move), path / "stages/staging/fraud@1"))
    assert Registry(path).ledger("fraud", "staging").holder == 1
    assert "has held staging for 0 min" in refusal(path)


# --- overriding


def overridable(tmp_path: Path, guards: str) -> Registry:
    registry = make(tmp_path / "registry", EVERY_METRIC + "[stages.staging]\n[stages.production]\n")
    for auc in (0.9, 0.8):
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": auc})
    registry.promote("fraud:1", "production")
    guarded(registry.path, guards)
    return Registry(registry.path)


def test_an_overridden_guard_stays_in_the_history_for_ever(tmp_path: Path) -> None:
    registry = overridable(
        tmp_path,
        "not_worse = { value = { auc = 0.01 }, overridable = true }\nverify = { value = true, overridable = true }\n"
        'metrics = { value = ["auc > 0.85", "auc > 0.82"], overridable = true }',
    )
    result = registry.promote(
        "fraud:2", "production", override=["verify", "not_worse", "metrics"], reason="fixes the outage"
    )
    assert result.document()["override"] == ["metrics", "not_worse"]
    text = os.readlink(registry.path / "stages/production/fraud@2")
    assert " why=fixes%20the%20outage override=metrics,not_worse digest=" in text
    registry.promote("fraud:1", "production")
    event = registry.history("fraud", "production")[1]
    assert event.move
    assert event.move.override == ("metrics", "not_worse")
    assert registry.ledger("fraud", "production").alarms == ()


def test_what_registry_toml_does_not_say_may_be_overridden_is_not(tmp_path: Path) -> None:
    registry = overridable(tmp_path, 'metrics = ["auc > 0.85"]\nverify = { value = true, overridable = true }')
    before = tree(registry.path)
    with pytest.raises(GuardRefusedError, match="the guard 'metrics' of production cannot be overridden") as refused:
        registry.promote("fraud:2", "production", override=["metrics"], reason="now")
    assert refused.value.hint == "what may be overridden there: verify"
    with pytest.raises(GuardRefusedError, match=r"auc is 0\.8"):
        registry.promote("fraud:2", "production", override=["verify"], reason="now")
    assert tree(registry.path) == before


def test_overriding_needs_a_reason_and_a_guard(tmp_path: Path) -> None:
    registry = overridable(tmp_path, "verify = { value = true, overridable = true }")
    with pytest.raises(UsageError, match="says why"):
        registry.promote("fraud:2", "production", override=["verify"], reason=" ")
    with pytest.raises(UsageError, match="no guard 'archived'"):
        registry.promote("fraud:2", "production", override=["archived"], reason="now")


def test_an_archived_version_does_not_move_whatever_is_overridden(tmp_path: Path) -> None:
    registry = overridable(tmp_path, 'metrics = { value = ["auc > 0.85"], overridable = true }')
    registry.archive("fraud:2")
    with pytest.raises(GuardRefusedError, match="is archived"):
        registry.promote("fraud:2", "production", override=["metrics"], reason="now")


@pytest.mark.root
def test_the_kernel_is_not_overridden(reachable_path: Path) -> None:
    path = team(reachable_path, "approvals = { value = 1, overridable = true }")
    with pytest.raises(ChildFailed) as failed:
        promote(path, ALICE, override=["approvals"], reason="now")
    assert failed.value.type_name == "PermissionDeniedError"
    promote(path, ERIN, override=["approvals"], reason="now")
    verdict = Registry(path).can("fraud:1", "staging")
    assert verdict.allowed


def test_a_rollback_may_override_what_it_is_asked(tmp_path: Path) -> None:
    registry = overridable(tmp_path, "verify = { value = true, overridable = true }")
    registry.promote("fraud:2", "production")
    victim = registry.path / "models/fraud/1"
    unseal(victim)
    (victim / "model.bin").write_bytes(b"weightz")
    with pytest.raises(GuardRefusedError):
        registry.rollback("fraud", "production")
    result = registry.rollback("fraud", "production", override=["verify"], reason="better than nothing")
    assert result.judgement.overridden == ("verify",)


def test_can_says_which_guards_may_be_overridden(tmp_path: Path) -> None:
    registry = overridable(tmp_path, 'metrics = { value = ["auc > 0.85"], overridable = true }\nverify = true')
    verdicts = registry.can("fraud:2", "production").document()["verdicts"]
    found = [(one["guard"], one["overridable"], one["overridden"]) for one in verdicts]
    assert found == [("verify", False, False), ("metrics auc", True, False)]


# --- require: a card that says something


def test_an_empty_card_is_no_card_for_a_stage_that_requires_one(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    guarded(registry.path, 'require = ["card"]')
    registry = Registry(registry.path)
    registry.register("fraud", artifacts(tmp_path / "out", {"README.md": b" \n\t\n", "model.bin": b"w"}))
    (verdict,) = registry.can("fraud:1", "production").failed
    assert (verdict.guard, verdict.seen) == ("require card", "card is missing or empty")
    with pytest.raises(GuardRefusedError):
        registry.promote("fraud:1", "production")
    registry.edit("fraud:1", stackroom.Edit(card="# what it is for\n"))
    assert registry.promote("fraud:1", "production").made
