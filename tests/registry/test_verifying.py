"""Verification: a flipped byte, a rewritten revision, a holder that is not what was promoted."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.editing import Edit
from stackroom.registry.verifying import VersionCheck
from support.registries import artifacts, unseal

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


@pytest.fixture
def model(registry: Registry, tmp_path: Path) -> Path:
    """Two versions, both with a card; the first is in production."""
    for auc in (0.9, 0.91):
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": auc}, card="# card\n")
    registry.promote("fraud:1", "production")
    return registry.path / "models" / "fraud"


def damage(registry: Registry, *refs: str) -> dict[str, tuple[str, ...]]:
    return {str(check.ref): check.damage for check in registry.verify(refs) if check.damage}


@pytest.mark.usefixtures("model")
def test_what_was_registered_and_promoted_is_clean(registry: Registry) -> None:
    assert damage(registry) == {}
    assert [str(check.ref) for check in registry.verify()] == ["fraud:1", "fraud:2"]
    assert [str(check.ref) for check in registry.verify(["fraud:2", "fraud:2"])] == ["fraud:2"]
    assert [str(check.ref) for check in registry.verify(["fraud"])] == ["fraud:1", "fraud:2"]
    (check,) = registry.verify(["fraud@production"])
    assert check.document()["ok"] is True


def test_one_flipped_byte_is_reported_with_its_file_and_hides_no_other(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    (model / "1" / "model.bin").write_bytes(b"Weights")
    assert [line.partition(":")[0] for line in damage(registry)["fraud:1"]] == ["model.bin"]
    assert list(damage(registry)) == ["fraud:1"]


def test_a_version_faked_from_end_to_end_is_not_what_was_promoted(
    registry: Registry, model: Path, tmp_path: Path
) -> None:
    unseal(model / "1")
    shutil.rmtree(model / "1")
    registry.register("other", artifacts(tmp_path / "evil", {"model.bin": b"evil"}), card="# card\n")
    shutil.copytree(registry.path / "models/other/1", model / "1")
    (model / "1").chmod(0o755)
    seal = model / "1" / "version.toml"
    seal.chmod(0o644)
    seal.write_text(seal.read_text().replace('"other"', '"fraud"'))
    assert any("production" in line and "promoted" in line for line in damage(registry)["fraud:1"])


def test_metadata_rewritten_after_the_promotion_is_reported(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    seal = model / "1" / "version.toml"
    seal.write_text(seal.read_text().replace("0.9", "0.99"))
    assert any(
        "no metadata revision is the one that production/fraud@1 promoted" in line
        for line in damage(registry)["fraud:1"]
    )


@pytest.mark.usefixtures("model")
def test_an_edit_after_the_promotion_is_no_damage(registry: Registry) -> None:
    registry.edit("fraud:1", Edit(put={"metrics.auc": 0.1}, card="# another\n"))
    assert damage(registry) == {}


def test_a_card_rewritten_after_the_promotion_is_reported(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    (model / "1" / "README.md").write_text("# trust me\n")
    assert any("no card is the one that production/fraud@1 promoted" in line for line in damage(registry)["fraud:1"])


def test_a_revision_rewritten_by_its_owner_is_reported(registry: Registry, model: Path) -> None:
    registry.edit("fraud:2", Edit(put={"team": "risk"}))
    registry.edit("fraud:2", Edit(put={"team": "other"}))
    assert damage(registry) == {}
    first = model / "2@1.toml"
    first.chmod(0o644)
    first.write_text(first.read_text().replace("0.91", "0.99"))
    assert damage(registry) == {"fraud:2": ("2@1.toml: its text is not the one that 2@2.toml replaced",)}


def test_a_holder_that_is_gone_is_reported(registry: Registry, model: Path) -> None:
    (model / "1").rename(model / ".gone")
    assert damage(registry) == {"fraud:1": ("holds production, and its folder is missing",)}


def test_a_card_with_a_number_that_somebody_made_up_takes_no_longer(registry: Registry, model: Path) -> None:
    (model / "1@999999999.md").write_text("# another\n")
    before = time.process_time()
    assert damage(registry) == {}
    assert time.process_time() - before < 2


def test_a_broken_version_is_damage_and_no_crash(registry: Registry, model: Path) -> None:
    unseal(model / "2")
    (model / "2" / "version.toml").write_text("garbage [")
    (model / "7").mkdir()
    (model / "8").mkdir(mode=0o000)
    found = damage(registry)
    assert set(found) == {"fraud:2", "fraud:7", "fraud:8"}
    assert all(isinstance(check, VersionCheck) for check in registry.verify())
