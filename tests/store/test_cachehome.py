"""Where caches lie: only where nobody but the user could have put anything."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from stackroom.store import cachehome
from stackroom.store.cachehome import cache_folder
from stackroom.store.mounts import FileSystem
from support.registries import ALICE, BOB
from support.users import run_as

if TYPE_CHECKING:
    from pathlib import Path


def mode_of(path: str | Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_the_folder_is_made_and_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    before = os.umask(0)
    try:
        assert cache_folder() == str(tmp_path / "xdg" / "stackroom")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "xdg" / "stackroom") == 0o700


@pytest.mark.parametrize("off", ["", "off"])
def test_it_can_be_switched_off(off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKROOM_CACHE", off)
    assert cache_folder() is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o750, 0o755])
def test_a_folder_that_others_may_enter_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    monkeypatch.setenv("STACKROOM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    assert cache_folder() is None
    assert mode_of(tmp_path / "cache") == mode


def test_a_symlink_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to("elsewhere")
    monkeypatch.setenv("STACKROOM_CACHE", str(tmp_path / "cache"))
    assert cache_folder() is None


def remote(monkeypatch: pytest.MonkeyPatch, local: Path) -> None:
    """Homes lie on a file server; what stands for /var/tmp does not."""
    monkeypatch.setattr(cachehome, "_LOCAL_PARENT", str(local))
    monkeypatch.setattr(
        cachehome, "file_system_of", lambda path: FileSystem("any", "/", local=path.startswith(str(local)))
    )


def test_where_the_home_is_on_a_file_server_a_local_folder_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "var-tmp"
    local.mkdir()
    local.chmod(0o1777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nfs"))
    remote(monkeypatch, local)
    assert cache_folder() == str(local / f"stackroom-{os.geteuid()}")
    assert not (tmp_path / "nfs").exists()
    monkeypatch.setattr(cachehome, "file_system_of", lambda _: FileSystem("nfs", "/", local=False))
    assert cache_folder() is None


@pytest.mark.root
def test_a_local_folder_that_somebody_else_made_first_is_not_used(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = reachable_path / "var-tmp"
    local.mkdir()
    local.chmod(0o1777)
    remote(monkeypatch, local)
    squatted = local / f"stackroom-{ALICE.uid}"

    def as_folder() -> None:
        squatted.mkdir(mode=0o777)
        squatted.chmod(0o777)

    run_as(BOB, as_folder)
    assert run_as(ALICE, cache_folder) is None
    squatted.rmdir()
    run_as(BOB, lambda: squatted.symlink_to("/tmp"))  # noqa: S108 - where a squatter would have it lead
    assert run_as(ALICE, cache_folder) is None
    squatted.unlink()
    assert run_as(ALICE, cache_folder) == str(squatted)
    assert (squatted.stat().st_uid, mode_of(squatted)) == (ALICE.uid, 0o700)


@pytest.mark.root
def test_root_leaves_nothing_in_the_home_of_somebody_else(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = reachable_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, ALICE.uid, ALICE.gid)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(home))
    assert cache_folder() is None
    assert list(home.iterdir()) == []

    def hers() -> str | None:
        os.environ["HOME"] = str(home)
        return cache_folder()

    assert run_as(ALICE, hers) == str(home / ".cache" / "stackroom")
