"""Cleaning up a registry by rules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.errors import InvalidInputError, NotFoundError, UsageError
from stackroom.registry.facade import Registry
from support.registries import NOW, artifacts, make, tree

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.pruning import Prune

POLICY = '[metrics.auc]\nbetter = "higher"\n[stages.staging]\n[stages.production]\n'
DAY = timedelta(days=1)


@pytest.fixture
def fraud(tmp_path: Path) -> Registry:
    """Six versions a day apart, the first one NOW; 5 is a child of 2, and 4 held staging before 3."""
    make(tmp_path / "registry", POLICY)
    source = artifacts(tmp_path / "out")
    for day, auc in enumerate((0.1, 0.2, 0.9, 0.4, 0.5, 0.6)):
        registry = Registry(tmp_path / "registry", clock=lambda day=day: NOW + day * DAY)  # type: ignore[misc]  # mypy cannot infer it
        lineage = {"lineage": {"parents": ["fraud:2"]}} if day == 4 else {}
        registry.register("fraud", source, metrics={"auc": auc}, metadata=lineage)
    registry = Registry(tmp_path / "registry", clock=lambda: NOW + 6 * DAY)
    registry.promote("fraud:4", "staging")
    registry.promote("fraud:3", "staging")
    return registry


def told(prune: Prune) -> dict[int, tuple[bool, str]]:
    return {row.version.number: (row.goes, row.why) for row in prune.rows}


def test_a_clean_up_is_dry_and_says_of_every_version_why(fraud: Registry) -> None:
    before = tree(fraud.path)
    prune = fraud.prune("fraud", keep_last=2, older_than="1d")
    assert told(prune) == {
        1: (True, "5 versions newer, 6d old"),
        2: (False, "is a parent of fraud:5"),
        3: (False, "holds staging"),
        4: (False, "held staging before: a rollback goes back to it"),
        5: (False, "is among the newest 2"),
        6: (False, "is the newest"),
    }
    assert (prune.bytes, prune.made, prune.rules) == (12, False, "keep-last 2, older-than 1d")
    assert tree(fraud.path) == before


def test_a_clean_up_deletes_with_one_reason_and_can_be_restored(fraud: Registry) -> None:
    prune = fraud.prune(["fraud"], keep_last=1, keep_best=["auc:4"], dry_run=False)
    assert [str(row.version.ref) for row in prune.rows if row.made] == ["fraud:1"]
    (deletion,) = fraud.deleted().versions
    assert deletion.tombstone is not None
    assert deletion.tombstone.why == "pruned: keep-last 1, keep-best auc:4"
    assert fraud.restore("fraud:1").made
    fraud.prune(older_than="3d", reason="spring", dry_run=False)
    assert {deletion.tombstone.why for deletion in fraud.deleted().versions if deletion.tombstone} == {"spring"}


def test_what_is_archived_is_an_ordinary_candidate(fraud: Registry) -> None:
    fraud.archive("fraud:1")
    assert told(fraud.prune(keep_last=1))[1][0]


def test_a_version_that_cannot_be_read_or_has_a_tombstone_stays(fraud: Registry) -> None:
    version = fraud.path / "models/fraud/1"
    version.chmod(0o755)
    (version / "version.toml").chmod(0o644)
    (version / "version.toml").write_text("broken = ")
    (fraud.path / "models/fraud/5@deleted").symlink_to("op=delete")
    rows = told(fraud.prune(keep_last=1))
    assert rows[1] == (False, "cannot be read as it was registered")
    assert rows[5] == (False, "has a tombstone already: delete or restore it")


def test_one_that_fails_stops_no_other(fraud: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fraud.register("other", artifacts(tmp_path / "out"))
    fraud.register("other", artifacts(tmp_path / "out"))
    from stackroom.registry import pruning  # noqa: PLC0415 - the original of what is patched

    plain = pruning._rows

    def promoted_meanwhile(*args: object) -> list[object]:
        rows = list(plain(*args))  # type: ignore[arg-type]  # passed on as it came
        if args[1] == "other":
            Registry(fraud.path).promote("fraud:1", "production")
        return rows  # type: ignore[return-value]  # the same

    monkeypatch.setattr(pruning, "_rows", promoted_meanwhile)
    prune = fraud.prune(keep_last=1, dry_run=False)
    made = {str(row.version.ref): (row.made, str(row.error or "")) for row in prune.rows if row.goes}
    assert made["other:1"] == (True, "")
    assert made["fraud:1"] == (False, "fraud:1 holds production, and what holds a stage is not deleted")
    assert [error.exit_code for error in prune.errors] == [6]


def test_rules_that_make_no_sense_are_refused(fraud: Registry) -> None:
    with pytest.raises(UsageError, match="needs a rule"):
        fraud.prune()
    with pytest.raises(InvalidInputError, match="nobody said whether more or less of it is better"):
        fraud.prune(keep_best=["latency"])
    with pytest.raises(UsageError, match="'30' is not an age"):
        fraud.prune(older_than="30")
    with pytest.raises(UsageError, match="fraud:1 is a version"):
        fraud.prune("fraud:1", keep_last=1)
    with pytest.raises(NotFoundError, match="no model nobody"):
        fraud.prune("nobody", keep_last=1)
