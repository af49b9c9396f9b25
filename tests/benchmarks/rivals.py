"""MLflow beside us: installed into an environment of its own, filled with the same amount of data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.trees import Size

SCRIPT = Path(__file__).with_name("mlflow_side.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """MLflow with one of its stores.

    Attributes:
        name: for the table.
        python: of its environment.
        uri: of its store.
    """

    name: str
    python: Path
    uri: str

    def work(self, operation: str) -> Callable[[], float]:
        """One run of an operation in a fresh process."""
        argv = [str(self.python), str(SCRIPT), operation, self.uri]
        return timing.process(argv, MLFLOW_ALLOW_FILE_STORE="true")


def mlflow_rivals(size: Size, folder: Path) -> tuple[Rival, ...]:
    """MLflow with plain files and with SQLite, filled; installs it on the first call."""
    python = _environment(folder / "mlflow")
    data = folder / f"mlflow-{size.models}x{size.versions}"
    files, database = data / "files", data / "mlflow.db"
    rivals = (
        Rival(name="MLflow, files", python=python, uri=files.as_uri()),
        Rival(name="MLflow, SQLite", python=python, uri=f"sqlite:///{database}"),
    )
    if not (data / "made").exists():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        for rival in rivals:
            subprocess.run(
                [python, SCRIPT, "setup", rival.uri, str(size.models), str(size.versions)],
                check=True,
                capture_output=True,
                cwd=data,
                env={"MLFLOW_ALLOW_FILE_STORE": "true", "PATH": "/usr/bin:/bin"},
            )
        (data / "made").touch()
    return rivals


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "mlflow"], check=True)
        (folder / "made").touch()
    return python
