"""What every test can rely on: an environment without surprises, and markers that say what a test needs.

A test whose marker asks for something that this machine lacks is skipped with one line that says what. Where that
must not happen, ``STACKROOM_REQUIRE=root,nfs,tmux`` names the markers whose tests have to run: their skips fail.
"""

from __future__ import annotations

import gc
import importlib.util
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from support.lab import why_no_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_REQUIRED = frozenset(filter(None, os.environ.get("STACKROOM_REQUIRE", "").split(",")))
_SAMPLE_LIBRARIES = ("onnxruntime", "safetensors", "sklearn", "skl2onnx", "skops")
_MOST_WORKERS = 4
"""Processes that the whole suite takes where it finds as many processors: it may run on a login node."""

_IDS_NEEDED = 65_536
"""Tests make ids up to this one; a container with a narrower user namespace cannot have them."""


def _why_no_root() -> str:
    if os.geteuid() != 0:
        return "acts as several users, so it needs root"
    uid_map = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return "" if int(uid_map[2]) >= _IDS_NEEDED else "the user namespace has too few ids"


def _why_no_nfs() -> str:
    wanted = os.environ.get("STACKROOM_NFS") == "1" or os.environ.get("CI") == "true" or "nfs" in _REQUIRED
    return why_no_lab() if wanted else "boots a kernel; set STACKROOM_NFS=1 to run it"


def _why_no_tmux() -> str:
    return "" if shutil.which("tmux") else "tmux is not installed"


def _why_no_sample() -> str:
    missing = [name for name in _SAMPLE_LIBRARIES if importlib.util.find_spec(name) is None]
    return f"needs the extra `sample`: {', '.join(missing)}" if missing else ""


_OBSTACLES: dict[str, Callable[[], str]] = {
    "root": _why_no_root,
    "nfs": _why_no_nfs,
    "tmux": _why_no_tmux,
    "sample": _why_no_sample,
}


def pytest_configure() -> None:
    unknown = _REQUIRED - _OBSTACLES.keys()
    if unknown:
        raise pytest.UsageError(f"STACKROOM_REQUIRE names no marker of ours: {', '.join(sorted(unknown))}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process for each processor for whole folders; a few tests are done before other processes have started."""
    chosen = config.option
    few = any(not os.path.isdir(argument) for argument in config.args)
    few = few or any((chosen.keyword, chosen.markexpr, chosen.collectonly, config.getoption("lf", default=False)))
    # What is to be seen while it runs, and snapshots that are taken anew, need the one process.
    alone = chosen.capture == "no" or chosen.usepdb or config.getoption("update_snapshots", default=False)
    wanted = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return 0 if few or alone else int(wanted or min(len(os.sched_getaffinity(0)) + 1, _MOST_WORKERS))


def pytest_collection_finish() -> None:
    """What was collected lives as long as the process: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {marker: find() for marker, find in _OBSTACLES.items()}
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{marker}: {reason}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        markers = [marker for marker in sorted(_REQUIRED) if item.get_closest_marker(marker)]
        if markers:
            report.outcome = "failed"
            report.longrepr = f"skipped, but STACKROOM_REQUIRE asks for {', '.join(markers)}: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet. Numbered here: to number one, pytest lists all those that it has numbered."""
    parent = tmp_path_factory.mktemp("homes")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path]) -> None:
    """No colour switch, no setting of Textual's or ours; caches, settings and state start empty and are thrown away."""
    for name in list(os.environ):
        if name in {"NO_COLOR", "FORCE_COLOR"} or name.startswith(("TEXTUAL_", "STACKROOM_", "XDG_")):
            monkeypatch.delenv(name)
    home = next(_homes)
    home.mkdir()
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A folder that every user can enter; pytest's ``tmp_path`` lies below one that only its maker can."""
    folder = Path(tempfile.mkdtemp(prefix="stackroom-"))
    folder.chmod(0o755)
    yield folder
    for parent, _, _ in os.walk(folder):
        if os.access(parent, os.W_OK):
            continue
        Path(parent).chmod(0o700)
    shutil.rmtree(folder)
