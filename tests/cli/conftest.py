"""The registries that tests of the command line start from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.calling import Cli, quietly
from support.registries import artifacts, make

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = """\
[metrics.auc]
better = "higher"
[metrics.latency_ms]
better = "lower"
unit = "ms"
[stages.staging]
[stages.production]
guards = { from = ["staging"], metrics = ["auc >= 0.90"], verify = true }
monitor = { metrics = ["auc >= 0.88"], window_hours = 24 }
"""


def open_folders(path: Path) -> None:
    """Let pytest remove what was sealed."""
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)


@pytest.fixture
def registry_path(tmp_path: Path) -> Iterator[Path]:
    """An empty registry with two stages, two metrics with directions and three guards."""
    path = tmp_path / "registry"
    make(path, POLICY)
    yield path
    open_folders(path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], registry_path: Path) -> Cli:
    """The command line on an empty registry."""
    return Cli(capsys, registry_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of two artifacts."""
    return artifacts(tmp_path / "out")


@pytest.fixture(scope="session")
def _fraud_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that :func:`fraud` copies: a copy takes a tenth of the time that the disk needs for every fsync."""
    folder = tmp_path_factory.mktemp("fraud")
    make(folder / "registry", POLICY)
    data = "name=transactions,split=test,digest=xxh128:0f"
    artifacts(folder / "first", {"model.bin": b"one"})
    artifacts(folder / "second", {"model.bin": b"second", "extra.txt": b"more"})
    (folder / "card.md").write_text("# fraud\n\nScores payments.\n")
    quietly(
        *("-R", folder / "registry", "register", "fraud", folder / "first"),
        *("--metric", "auc=0.91", "--metric", "latency_ms=12", "--param", "lr=0.1"),
        *("--dataset", data, "--label", "1.0.0", "--description", "the first", "--tag", "tabular"),
    )
    quietly(
        *("-R", folder / "registry", "register", "fraud", folder / "second", "--card", folder / "card.md"),
        *("--metric", "auc=0.93", "--metric", "latency_ms=14", "--param", "lr=0.2"),
        *("--dataset", data, "--parent", "fraud:1.0.0"),
    )
    quietly("-R", folder / "registry", "promote", "fraud:1", "staging", "--reason", "the first one")
    return folder


@pytest.fixture
def fraud(_fraud_template: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Cli]:
    """The command line on a registry with two versions; the first one has a label and holds staging."""
    shutil.copytree(_fraud_template, tmp_path, symlinks=True, dirs_exist_ok=True)
    yield Cli(capsys, tmp_path / "registry")
    open_folders(tmp_path)
