"""Moves through the whole program: every guard, rollback, clear, and what an event pins."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.registry.facade import Registry
from support.registries import artifacts, make, set_policy, tree, unseal

if TYPE_CHECKING:
    from pathlib import Path

METRICS = '[metrics.auc]\nbetter = "higher"\n[metrics.latency_ms]\nbetter = "lower"\n'


def _guarded(tmp_path: Path, guards: str) -> Registry:
    """A registry whose production has these guards, with fraud:1 in it and fraud:2 that wants to be."""
    registry = make(tmp_path / "registry", f"{METRICS}[stages.staging]\n[stages.production]\n")
    source = artifacts(tmp_path / "out")
    data = [{"name": "transactions", "split": "test", "digest": "xxh128:aa"}]
    for auc, latency in ((0.90, 10.0), (0.91, 11.0)):
        registry.register("fraud", source, metrics={"auc": auc, "latency_ms": latency}, datasets=data)
    registry.promote("fraud:1", "production")
    set_policy(registry.path, f"{METRICS}[stages.staging]\n[stages.production.guards]\n{guards}\n")
    return Registry(registry.path)


def _refusal(registry: Registry, reason: str = "") -> str:
    before = tree(registry.path)
    with pytest.raises(stackroom.GuardRefusedError) as refusal:
        registry.promote("fraud:2", "production", reason=reason)
    assert tree(registry.path) == before
    assert refusal.value.exit_code == 5
    return str(refusal.value)


def test_from_wants_a_version_that_held_the_stage_before(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, 'from = ["staging"]')
    assert "has held no stage; the guard 'from' wants: holds or has held staging" in _refusal(registry)
    registry.promote("fraud:2", "staging")
    registry.clear("fraud", "staging")
    assert registry.promote("fraud:2", "production").made


def test_from_wants_the_very_same_artifacts_and_not_only_the_number(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, 'from = ["staging"]')
    registry.promote("fraud:2", "staging")
    model = registry.path / "models" / "fraud"
    os.rename(model / "2", model / ".aside")
    assert registry.register("fraud", artifacts(tmp_path / "other", {"model.bin": b"evil"})).number == 2
    with pytest.raises(stackroom.IntegrityError, match="not what was promoted to staging"):
        registry.version("fraud@staging")
    assert "not what was promoted to staging" in registry.version("fraud:2").problems[0].message
    with pytest.raises(stackroom.IntegrityError, match="not what was promoted"):
        registry.promote("fraud:2", "production")
    registry.clear("fraud", "staging")
    assert "has held no stage" in _refusal(registry)


@pytest.mark.parametrize("field", ["description", "license", "card", "metrics.f1", "hyperparameters.lr"])
def test_require_names_what_is_missing_and_how_to_add_it(tmp_path: Path, field: str) -> None:
    registry = _guarded(tmp_path, f'require = ["{field}"]')
    assert f"{field} is missing" in _refusal(registry)
    change = (
        stackroom.Edit(card="# card") if field == "card" else stackroom.Edit(put={field: 1 if "." in field else "x"})
    )
    registry.edit("fraud:2", change)
    assert registry.promote("fraud:2", "production").made


def test_verify_reads_every_byte_again(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "verify = true")
    victim = registry.path / "models" / "fraud" / "2"
    unseal(victim)
    (victim / "model.bin").write_bytes(b"weightz")
    assert "model.bin: sha256 is" in _refusal(registry)
    (victim / "model.bin").write_bytes(b"weights")
    assert registry.promote("fraud:2", "production").made


@pytest.mark.parametrize(
    ("rule", "passes"),
    [("auc >= 0.91", True), ("auc > 0.91", False), ("latency_ms <= 10", False), ("f1 >= 0", False), ("auc != 2", True)],
)
def test_metrics_are_bounds(tmp_path: Path, rule: str, *, passes: bool) -> None:
    registry = _guarded(tmp_path, f'metrics = ["{rule}"]')
    if passes:
        assert registry.promote("fraud:2", "production").made
    else:
        assert rule.split(" ", maxsplit=1)[0] in _refusal(registry)


def test_not_worse_names_both_values_and_the_tolerance(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, 'not_worse = { latency_ms = "5%" }')
    message = _refusal(registry)
    assert "latency_ms is 11" in message
    assert "wants: <= 10.5 (fraud:1 has 10, tolerance 5%)" in message
    set_policy(registry.path, f"{METRICS}[stages.production.guards]\nnot_worse = {{ latency_ms = 1 }}\n")
    assert Registry(registry.path).promote("fraud:2", "production").made


def test_not_worse_compares_with_the_holder_as_it_was_promoted(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "not_worse = { latency_ms = 0 }")
    registry.edit("fraud:1", stackroom.Edit(put={"metrics.latency_ms": 99.0}))
    assert "fraud:1 has 10" in _refusal(registry)


def test_a_holder_whose_promoted_metadata_is_gone_cannot_be_compared_with(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "not_worse = { auc = 0 }")
    victim = registry.path / "models" / "fraud" / "1"
    unseal(victim)
    text = (victim / "version.toml").read_text(encoding="utf-8")
    (victim / "version.toml").write_text(text.replace("auc = 0.9", "auc = 0.1"), encoding="utf-8")
    assert "fraud:1 has no metadata any more as it was promoted with" in _refusal(registry)
    (check,) = registry.verify(["fraud:1"])
    assert [line.partition(",")[0] for line in check.damage] == [
        "no metadata revision is the one that production/fraud@1 promoted"
    ]


def test_same_datasets_goes_by_digest(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, 'same_datasets = "test"')
    registry.edit("fraud:2", stackroom.Edit(put={"datasets": [{"name": "t", "split": "test", "digest": "xxh128:bb"}]}))
    assert "xxh128:bb; the guard 'same_datasets test' wants: xxh128:aa (as fraud:1)" in _refusal(registry)
    registry.revert("fraud:2", 0)
    assert registry.promote("fraud:2", "production").made


def test_a_reason_is_asked_for_and_kept(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "reason = true")
    assert "none given" in _refusal(registry, reason="  ")
    registry.promote("fraud:2", "production", reason="beats 1 — 5 % \u202e faster\n")
    head = registry.ledger("fraud", "production").head
    assert head is not None
    assert head.move is not None
    assert head.move.why == "beats 1 — 5 % \u202e faster"
    assert "\u202e" not in head.text


def test_a_reason_too_long_is_refused_with_its_length(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "reason = true")
    before = tree(registry.path)
    with pytest.raises(stackroom.InvalidInputError, match="a symlink holds 900") as error:
        registry.promote("fraud:2", "production", reason="because " * 200)
    assert "shorten the reason to about" in error.value.hint
    assert tree(registry.path) == before


def test_what_is_archived_does_not_move_and_what_holds_a_stage_is_not_archived(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    registry.archive("fraud:2", reason="leaks the label")
    assert "fraud:2 is archived" in _refusal(registry)
    with pytest.raises(stackroom.ConflictError, match="fraud:1 holds production"):
        registry.archive("fraud:1")
    registry.archive("fraud:2", undo=True)
    assert registry.promote("fraud:2", "production").made


def test_a_move_names_what_it_replaces_and_the_pointer_follows(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    result = registry.promote("fraud:2", "production")
    assert (result.event, str(result.origin)) == ("production/fraud@2", "fraud:1")
    assert result.judgement.changes == ("stages/production/fraud@2", "live/production/fraud")
    assert os.readlink(registry.path / "live" / "production" / "fraud") == "../../models/fraud/2"
    assert (registry.path / "live" / "production" / "fraud" / "model.bin").read_bytes() == b"weights"


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    before = tree(registry.path)
    result = registry.promote("fraud:2", "production", dry_run=True)
    assert not result.made
    assert result.judgement.changes == ("stages/production/fraud@2", "live/production/fraud")
    assert tree(registry.path) == before


def test_rollback_returns_to_the_previous_holder_whatever_the_guards_say(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "not_worse = { auc = 0 }")
    registry.promote("fraud:2", "production")
    result = registry.rollback("fraud", "production", reason="customers complain")
    assert (str(result.judgement.ref), str(result.origin)) == ("fraud:1", "fraud:2")
    assert registry.version("fraud@production").number == 1
    again = registry.rollback("fraud", "production")
    assert str(again.judgement.ref) == "fraud:2"


def test_rollback_refuses_what_is_not_what_was_promoted(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    registry.promote("fraud:2", "production")
    model = registry.path / "models" / "fraud"
    os.rename(model / "1", model / ".aside")
    with pytest.raises(stackroom.IntegrityError, match="its folder is missing"):
        registry.rollback("fraud", "production")
    assert registry.register("fraud", artifacts(tmp_path / "other", {"model.bin": b"evil"})).number == 3
    os.rename(model / "3", model / "1")
    with pytest.raises(stackroom.IntegrityError, match="another digest"):
        registry.rollback("fraud", "production")


def test_rollback_without_a_past_is_not_found(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    with pytest.raises(stackroom.NotFoundError, match="nothing held production of fraud before fraud:1"):
        registry.rollback("fraud", "production")


def test_a_rollback_over_a_missing_event_says_what_is_missing_and_what_was_replaced(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.promote("fraud:2", "production")
    (registry.path / "stages/production/fraud@1").unlink()
    with pytest.raises(stackroom.NotFoundError) as error:
        registry.rollback("fraud", "production")
    assert str(error.value) == (
        "what held production of fraud before fraud:2 is not known: production/fraud@2 replaced fraud:1,"
        " and the event that made that hold it is missing"
    )
    assert error.value.hint == "if fraud:1 is what you want back: stackroom promote fraud:1 production"


def test_clear_leaves_the_stage_empty_and_its_past_readable(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    registry.clear("fraud", "production", reason="retired")
    with pytest.raises(stackroom.NotFoundError, match="nothing of fraud holds production"):
        registry.version("fraud@production")
    assert not os.path.lexists(registry.path / "live" / "production" / "fraud")
    assert [event.move.to for event in registry.history("fraud") if event.move] == [1, None]
    with pytest.raises(stackroom.NotFoundError):
        registry.clear("fraud", "production")
    assert str(registry.rollback("fraud", "production").judgement.ref) == "fraud:1"


def test_promoting_the_holder_again_is_no_event_but_mends_the_pointer(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    pointer = registry.path / "live" / "production" / "fraud"
    pointer.unlink()
    result = registry.promote("fraud:1", "production")
    assert (result.made, result.judgement.already) == (False, True)
    assert os.readlink(pointer) == "../../models/fraud/1"
    assert len(registry.ledger("fraud", "production").events) == 1


def test_who_decided_upon_an_older_picture_is_told(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    judgement = registry.can("fraud:2", "production")
    registry.clear("fraud", "production", reason="meanwhile")
    with pytest.raises(
        stackroom.ConflictError, match=r"was faster: cleared production \(fraud@2\), saying 'meanwhile'"
    ):
        registry.promote("fraud:2", "production", seen=judgement.head)


def test_an_unexpected_holder_is_a_conflict(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    with pytest.raises(stackroom.ConflictError, match="held by fraud:1, and fraud:2 was expected"):
        registry.promote("fraud:2", "production", expect="fraud:2")
    assert registry.promote("fraud:2", "production", expect="fraud:1").made


def test_unknown_stages_and_versions_are_not_found(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    with pytest.raises(stackroom.NotFoundError, match="there is no stage 'prod'"):
        registry.promote("fraud:2", "prod")
    with pytest.raises(stackroom.NotFoundError, match="there is no version fraud:9"):
        registry.promote("fraud:9", "production")
    with pytest.raises(stackroom.NotFoundError, match="there is no model fraux") as error:
        registry.promote("fraux:1", "production")
    assert error.value.hint == "did you mean fraud?"


def test_folders_that_git_dropped_are_made_by_the_first_move(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    for parent in ("stages", "live"):
        os.rmdir(registry.path / parent / "staging")
    shutil.rmtree(registry.path / "feed")
    assert registry.promote("fraud:2", "staging").made
    assert registry.version("fraud@staging").number == 2


def test_what_was_in_production_then_is_remembered(tmp_path: Path) -> None:
    registry = _guarded(tmp_path, "")
    registry.promote("fraud:2", "production")
    first, second = registry.history("fraud", "production")
    assert [event.move.to for event in registry.held_at(first.when) if event.move] == [1]
    assert [event.move.to for event in registry.held_at(second.when) if event.move] == [2]
    assert registry.held_at(first.when.replace(year=2000)) == ()
