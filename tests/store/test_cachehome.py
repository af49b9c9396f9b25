"""Where caches lie: with the user, on this host, and never where somebody else has a say."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from stackroom.store import cachehome, mounts
from stackroom.store.cachehome import cache_folder
from support.users import User, run_as

if TYPE_CHECKING:
    from pathlib import Path

ANA = User(uid=70_001, gid=70_001)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What stands for /var/tmp."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(cachehome, "_SHARED", str(folder))
    return folder


def test_caches_lie_where_the_variables_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_folder() == str(tmp_path / "caches" / "stackroom")
    assert stat.S_IMODE((tmp_path / "caches" / "stackroom").stat().st_mode) == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / ".cache" / "stackroom")
    monkeypatch.setenv("STACKROOM_CACHE", "~/mine")
    assert cache_folder() == str(tmp_path / "mine")
    assert os.listdir(shared) == []


@pytest.mark.parametrize("word", ["", "off"])
def test_who_wants_no_cache_has_none(monkeypatch: pytest.MonkeyPatch, shared: Path, word: str) -> None:
    monkeypatch.setenv("STACKROOM_CACHE", word)
    assert cache_folder() is None
    assert os.listdir(shared) == []


@pytest.mark.parametrize("named", [True, False])
def test_a_home_on_a_network_file_system_keeps_its_caches_on_this_host(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shared: Path,
    named: bool,  # noqa: FBT001 - two cases
) -> None:
    monkeypatch.setenv("STACKROOM_CACHE" if named else "XDG_CACHE_HOME", str(tmp_path / "caches"))
    remote = {str(tmp_path / "caches"), str(tmp_path / "caches" / "stackroom")}
    monkeypatch.setattr(
        cachehome, "file_system_of", lambda path: mounts.FileSystem("nfs4", "/home", local=path not in remote)
    )
    assert cache_folder() == str(shared / f"stackroom-{os.geteuid()}")
    assert not (tmp_path / "caches").exists()
    assert cache_folder() == str(shared / f"stackroom-{os.geteuid()}")
    remote.add(str(shared))
    assert cache_folder() is None


def test_a_folder_that_was_named_and_cannot_be_used_is_replaced_by_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("STACKROOM_CACHE", str(tmp_path / "file"))
    assert cache_folder() is None
    monkeypatch.delenv("STACKROOM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() == str(shared / f"stackroom-{os.geteuid()}")


@pytest.mark.parametrize("below", ["", "models", "models/fraud/new/cache"])
def test_no_cache_is_kept_in_a_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path, below: str
) -> None:
    root = tmp_path / "registry"
    (root / "models" / "fraud").mkdir(parents=True)
    (root / "registry.toml").write_text("")
    (tmp_path / "aside").symlink_to(root / below)
    for named in (root / below, tmp_path / "aside"):
        monkeypatch.setenv("STACKROOM_CACHE", str(named))
        assert cache_folder() is None
    monkeypatch.delenv("STACKROOM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / below))
    assert cache_folder() == str(shared / f"stackroom-{os.geteuid()}")
    assert sorted(os.listdir(root)) == ["models", "registry.toml"]
    assert os.listdir(root / "models") == ["fraud"]
    assert os.listdir(root / "models" / "fraud") == []


def test_a_relative_folder_that_is_named_lies_below_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STACKROOM_CACHE", "caches/mine")
    assert cache_folder() == str(tmp_path / "caches" / "mine")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cache_folder() is None


def test_a_folder_that_others_may_write_to_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    monkeypatch.setenv("STACKROOM_CACHE", str(folder))
    for mode, usable in ((0o755, True), (0o775, False), (0o777, False)):
        folder.chmod(mode)
        assert (cache_folder() == str(folder)) is usable
    (folder / "below").mkdir(mode=0o700)
    monkeypatch.setenv("STACKROOM_CACHE", str(folder / "below"))
    assert cache_folder() is None


@pytest.mark.root
def test_nobody_chooses_where_another_has_his_caches(monkeypatch: pytest.MonkeyPatch, reachable_path: Path) -> None:
    monkeypatch.setattr(cachehome, "_SHARED", str(reachable_path))
    monkeypatch.setenv("STACKROOM_CACHE", str(reachable_path / "x"))
    monkeypatch.setattr(cachehome, "file_system_of", lambda _path: mounts.FileSystem("nfs4", "/", local=False))
    reachable_path.chmod(0o1777)
    mine = reachable_path / f"stackroom-{os.geteuid()}"
    theirs = reachable_path / "theirs"

    def plants_a_folder() -> None:
        mine.mkdir(mode=0o777)

    def plants_a_symlink() -> None:
        theirs.mkdir()
        mine.symlink_to(theirs)

    run_as(ANA, plants_a_folder)
    assert cache_folder() is None
    mine.rmdir()
    run_as(ANA, plants_a_symlink)
    assert cache_folder() is None
    # Not even into a folder of the victim's own.
    mine.unlink()
    (reachable_path / "victims").mkdir(mode=0o700)
    run_as(ANA, lambda: mine.symlink_to(reachable_path / "victims"))
    assert cache_folder() is None


@pytest.mark.root
def test_root_leaves_no_cache_in_the_home_of_another(
    monkeypatch: pytest.MonkeyPatch, reachable_path: Path, shared: Path
) -> None:
    home = reachable_path / "ana"
    home.mkdir()
    os.chown(home, ANA.uid, ANA.gid)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    assert cache_folder() == str(shared / f"stackroom-{os.geteuid()}")
    assert os.listdir(home) == []
