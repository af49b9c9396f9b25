"""A copy of the sample registry for each test, with people who are the same on every machine."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.facade import Registry
from stackroom.store import access
from tui.browsing import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = Path(__file__).resolve().parents[2] / "sample_registry"


def copy_of_sample(target: Path) -> None:
    shutil.copytree(SAMPLE, target, symlinks=True)
    for folder, _, names in os.walk(target):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o644)


@contextmanager
def copied() -> Iterator[Path]:
    """A copy to change, below a path that has the same length everywhere."""
    folder = Path(
        tempfile.mkdtemp(prefix="stackroom-", dir="/tmp")
    )  # pictures show the path: it must not be longer elsewhere
    folder.rmdir()
    copy_of_sample(folder)
    yield folder
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o755)  # what a test registered is sealed, also against its own user
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of all colours, from whichever the tests are started: with sixteen, pictures have other ones."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def sample() -> Iterator[Path]:
    """A copy to change."""
    with copied() as folder:
        yield folder


@pytest.fixture
def ana(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever runs the tests is called ana, and her group ml, which bo is in, too."""
    uid, gid = os.geteuid(), os.getegid()
    person = pwd.struct_passwd(("ana", "x", uid, gid, "", "/", "/bin/sh"))
    group = grp.struct_group(("ml", "x", gid, ["ana", "bo"]))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: person)
    monkeypatch.setattr(pwd, "getpwall", lambda: [person])
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: group)
    caches = [found for found in vars(access).values() if hasattr(found, "cache_clear")]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def registry(sample: Path, ana: None) -> Registry:  # noqa: ARG001  # her name has to be known before it is opened
    """The copy, opened at a time that stands still."""
    return Registry(sample, clock=lambda: NOW)
