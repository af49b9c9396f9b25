"""The public interface: what ``import stackroom`` gives, and that it gives nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import stackroom
from support.registries import artifacts, make

if TYPE_CHECKING:
    from pathlib import Path


def test_every_public_name_is_there_and_documented() -> None:
    for name in stackroom.__all__:
        assert getattr(stackroom, name).__doc__, name
    assert set(stackroom.__all__) <= set(dir(stackroom))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        stackroom.nothing  # noqa: B018 - looking it up is the test


def test_the_example_of_the_readme_works(tmp_path: Path) -> None:
    make(tmp_path / "r")
    registry = stackroom.open(tmp_path / "r")
    out = artifacts(tmp_path / "out")
    version = registry.register(
        "fraud-detector",
        out,
        metrics={"auc": 0.934},
        hyperparameters={"lr": 0.05},
        datasets=[{"name": "transactions", "split": "test"}],
        card="# card\n",
    )
    registry.promote(version.ref, "staging", reason="beats 6 on October")
    best = registry.search("metrics.auc > 0.9", sort="-metrics.auc")[0]
    assert best.ref == version.ref
    path = registry.version("fraud-detector@staging").path
    assert (path / "model.bin").read_bytes() == b"weights"
    assert os.path.samefile(path, tmp_path / "r/live/staging/fraud-detector")
    assert [event.move.why for event in registry.history("fraud-detector") if event.move] == ["beats 6 on October"]


def test_the_registry_is_found_by_variable_and_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "one")
    make(tmp_path / "two")
    monkeypatch.chdir(tmp_path / "one" / "models")
    assert stackroom.open().path == tmp_path / "one"
    monkeypatch.setenv("STACKROOM_REGISTRY", str(tmp_path / "two"))
    assert stackroom.open().path == tmp_path / "two"
    monkeypatch.delenv("STACKROOM_REGISTRY")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(stackroom.NotFoundError, match="no registry here"):
        stackroom.open()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (stackroom.RegistryError, 1),
        (stackroom.UsageError, 2),
        (stackroom.NotFoundError, 3),
        (stackroom.PermissionDeniedError, 4),
        (stackroom.GuardRefusedError, 5),
        (stackroom.ConflictError, 6),
        (stackroom.IntegrityError, 7),
        (stackroom.InvalidInputError, 8),
    ],
)
def test_exit_codes_are_stable(error: type[stackroom.RegistryError], code: int) -> None:
    assert error.exit_code == code
    assert error("x", hint="y", facts={"z": 1}).facts == {"z": 1}
