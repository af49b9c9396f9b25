"""The page about deploying, run as it is printed: its script, its loop, and a host that is killed and comes back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.calling import environment
from support.registries import artifacts, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stackroom.registry.facade import Registry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "deploy-what-is-promoted.md"
SECONDS = 30.0
"""Until a test gives up."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Host:
    """A serving host in a folder."""

    def __init__(self, root: Path, registry: Registry) -> None:
        self.serving = root / "srv"
        self.serving.mkdir()
        self._registry = registry
        programs = root / "bin"
        programs.mkdir()
        stackroom = programs / "stackroom"
        stackroom.write_text(f'#!/bin/sh\nexec {sys.executable} -m stackroom "$@"\n')
        stackroom.chmod(0o755)
        self.environment = environment({"PATH": f"{programs}:{os.environ['PATH']}"})
        self.wait, script, self._loop = (self.here(text) for text in blocks("sh"))
        (self.serving / "deploy.sh").write_text(script)
        (self.serving / "deploy.sh").chmod(0o755)

    def here(self, text: str) -> str:
        text = text.replace("/srv/serving", str(self.serving)).replace("/nfs/models", self._registry.folder)
        return text.replace("sleep 10", "sleep 0.1")

    @contextmanager
    def up(self) -> Iterator[None]:
        """The loop, from boot to power cut."""
        running = subprocess.Popen(["sh", "-c", self._loop], env=self.environment, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()

    def serves(self, name: str | None) -> bool:
        current = self.serving / "current"
        found = os.readlink(current) if current.is_symlink() else None
        return found == name and (name is None or (current / "model.bin").exists())


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = make(tmp_path / "registry")
    for number in (1, 2):
        registry.register("fraud-detector", artifacts(tmp_path / f"{number}", {"model.bin": b"%d" % number}))
    return registry


def test_a_host_serves_what_holds_production_through_crashes_and_failures(registry: Registry, tmp_path: Path) -> None:
    registry.promote("fraud-detector:1", "production")
    host = Host(tmp_path, registry)
    done = subprocess.run(["sh", "-c", host.wait], env=host.environment, capture_output=True, text=True, check=True)
    assert done.stdout == "fraud-detector:1\n"
    with host.up():
        until(lambda: host.serves("fraud-detector-1"), "the first one")
        registry.promote("fraud-detector:2", "production")
        until(lambda: host.serves("fraud-detector-2"), "the promotion")
    registry.rollback("fraud-detector", "production")
    (host.serving / "fraud-detector-1").rename(host.serving / "next")
    # As a power cut may leave it.
    (host.serving / "cursor").write_text("")
    with host.up():
        until(lambda: host.serves("fraud-detector-1"), "the rollback while the host was down")
        (host.serving / "deploy.sh").chmod(0o644)
        registry.clear("fraud-detector", "production")
        (host.serving / "deploy.sh").chmod(0o755)
        until(lambda: host.serves(None), "nothing, after a failure")
    assert "watching" in (host.serving / "watched.tsv").read_text()


def test_the_python_of_the_page_runs(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    registry.promote("fraud-detector:1", "production")
    (text,) = blocks("python")
    text = text.replace('"/nfs/models"', repr(registry.folder)).replace('since="start"', 'since="start", seconds=0')
    exec(text, {})  # noqa: S102 - the page's own example
    assert capsys.readouterr().out.startswith("moved to production fraud-detector:1 1-")
