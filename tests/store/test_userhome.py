"""Where settings lie, and what is remembered: for one user alone, whole, bounded, whatever lies there."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from stackroom.errors import InvalidInputError, NotFoundError
from stackroom.registry.settings import load_settings, path_of
from stackroom.store import userhome


def test_settings_lie_where_the_variables_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert userhome.config_path() == tmp_path / "stackroom" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert userhome.config_path() == tmp_path / ".config" / "stackroom" / "config.toml"
    monkeypatch.setenv("STACKROOM_CONFIG", "~/mine.toml")
    assert userhome.config_path() == tmp_path / "mine.toml"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert userhome.state_path() == tmp_path / ".local" / "state" / "stackroom"


def test_no_settings_are_no_trouble_but_a_file_that_was_named_has_to_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert userhome.read_config(userhome.config_path(), 100) is None
    assert load_settings().problems == ()
    monkeypatch.setenv("STACKROOM_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(NotFoundError, match=r"none\.toml"):
        userhome.read_config(userhome.config_path(), 100)
    assert "none.toml" in load_settings().problems[0]
    monkeypatch.setenv("STACKROOM_CONFIG", str(tmp_path))
    with pytest.raises(InvalidInputError, match="is a directory"):
        userhome.read_config(userhome.config_path(), 100)


def test_a_registry_is_found_by_the_name_in_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[registries]\nlab = "~/models"\n')
    monkeypatch.setenv("STACKROOM_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("HOME", "/home/ana")
    assert path_of("lab", load_settings()) == Path("/home/ana/models")
    assert path_of("nobody", load_settings()) is None


def test_what_is_remembered_is_whole_and_for_its_user_alone() -> None:
    assert userhome.read_state("registries", "a.json") is None
    userhome.write_state(b"one", "registries", "a.json")
    userhome.write_state(b"two", "registries", "a.json")
    assert userhome.read_state("registries", "a.json") == b"two"
    path = userhome.state_path() / "registries" / "a.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["a.json"]
    assert userhome.state_names("registries") == ["a.json"]
    assert userhome.forget_state("registries", "a.json")
    assert not userhome.forget_state("registries", "a.json")
    assert userhome.state_names("nothing") == []


def test_what_is_no_regular_file_of_a_sane_size_is_nothing(tmp_path: Path) -> None:
    folder = userhome.state_path()
    folder.mkdir(parents=True)
    (folder / "large").write_bytes(b"x" * (userhome.STATE_LIMIT + 1))
    os.mkfifo(folder / "fifo")
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "folder").mkdir()
    for name in ("large", "fifo", "link", "folder", "none", "nul\0"):
        assert userhome.read_state(name) is None, name


def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Not a directory"):
        userhome.write_state(b"x", "a")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state" / "stackroom" / "a").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        userhome.write_state(b"x", "a")
    assert os.listdir(tmp_path / "state" / "stackroom") == ["a"]


@pytest.mark.root
def test_root_leaves_nothing_in_the_home_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 4711, 4711)
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    with pytest.raises(PermissionError, match="another user's home"):
        userhome.write_state(b"x", "a")
    assert os.listdir(home) == []


def test_many_at_once_leave_one_whole_file() -> None:
    def write(letter: int) -> None:
        for _ in range(20):
            userhome.write_state(bytes([letter]) * 5000, "a")

    threads = [threading.Thread(target=write, args=(letter,)) for letter in b"abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = userhome.read_state("a") or b""
    assert len(left) == 5000
    assert len(set(left)) == 1
    assert os.listdir(userhome.state_path()) == ["a"]
