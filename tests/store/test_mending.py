"""Putting right what one owns: what is refused when somebody swaps things meanwhile."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.errors import ConflictError
from stackroom.store.folder import Folder
from stackroom.store.mending import (
    cannot_be_published,
    close_file,
    make_folder,
    remove_left_over,
    seal,
    set_folder,
)
from stackroom.store.sights import Sight, look, look_below, newest_time
from support.crashes import killed_at_every_step
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = os.geteuid()
SOON = 2.0**40
"""After everything."""

AUTHOR = User(uid=61_001, gid=61_001, name="alice")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "r").mkdir(mode=0o755)
    with Folder.open(str(tmp_path / "r")) as folder:
        yield folder


def _mode(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_modes_are_set_through_folders_and_never_through_symlinks(root: Folder, tmp_path: Path) -> None:
    (tmp_path / "r/a/b").mkdir(parents=True)
    (tmp_path / "away").mkdir(mode=0o700)
    set_folder(root, "a/b", ME, mode=0o3775)
    assert _mode(f"{root.path}/a/b") == 0o3775
    (tmp_path / "r/a/link").symlink_to(tmp_path / "away")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        set_folder(root, "a/link", ME, mode=0o777)
    assert _mode(str(tmp_path / "away")) == 0o700


@pytest.mark.root
def test_what_belongs_to_somebody_else_by_now_is_left_alone(root: Folder, tmp_path: Path) -> None:
    (tmp_path / "r/a").mkdir(mode=0o700)
    (tmp_path / "r/f").write_text("x")
    os.chown(tmp_path / "r/a", AUTHOR.uid, AUTHOR.gid)
    os.chown(tmp_path / "r/f", AUTHOR.uid, AUTHOR.gid)
    before = _mode(f"{root.path}/f")
    with pytest.raises(ConflictError, match="belongs to 61001 now"):
        set_folder(root, "a", ME, mode=0o755)
    with pytest.raises(ConflictError):
        close_file(root, "f", ME, without=0o777)
    with pytest.raises(ConflictError):
        seal(root, "a", ME)
    assert (_mode(f"{root.path}/a"), _mode(f"{root.path}/f")) == (0o700, before)


def test_sealing_takes_permissions_away_and_never_gives_any(root: Folder, tmp_path: Path) -> None:
    version = tmp_path / "r/1"
    (version / "sub").mkdir(parents=True, mode=0o775)
    (version / "private").write_text("x")
    (version / "private").chmod(0o600)
    (version / "sub/tool").write_text("x")
    (version / "sub/tool").chmod(0o4775)
    (version / "link").symlink_to("/etc/passwd")
    version.chmod(0o770)
    seal(root, "1", ME)
    modes = {name: _mode(str(version / name)) for name in (".", "sub", "private", "sub/tool")}
    assert modes == {".": 0o550, "sub": 0o555, "private": 0o400, "sub/tool": 0o444}


def test_a_folder_that_is_missing_is_made_with_its_mode(root: Folder) -> None:
    make_folder(root, "stages", mode=0o755)
    make_folder(root, "stages/canary", mode=0o3775, group=os.getegid())
    assert _mode(f"{root.path}/stages/canary") == 0o3775
    with pytest.raises(FileExistsError):
        make_folder(root, "stages/canary", mode=0o755)


def _left_over(root: Folder) -> str:
    name = f".tmp-{ME}-ab"
    root.make_folder(name, 0o700)
    os.makedirs(f"{root.path}/{name}/sub/deeper")
    for place in ("one", "sub/two", "sub/deeper/three"):
        with open(f"{root.path}/{name}/{place}", "w", encoding="ascii") as file:
            file.write("x")
    return name


def test_a_left_over_is_removed_also_where_it_is_sealed_in_part(root: Folder) -> None:
    name = _left_over(root)
    Path(root.path, name, "sub").chmod(0o555)
    remove_left_over(root, name, trusted=ME, before=SOON)
    assert root.names() == []


def test_a_kill_while_a_left_over_is_removed_leaves_a_left_over(root: Folder) -> None:
    name = _left_over(root)
    for _, done in killed_at_every_step(lambda: remove_left_over(root, name, trusted=ME, before=SOON)):
        assert root.names() == ([] if done else [name])


def test_a_left_over_that_changed_since_is_left_alone(root: Folder) -> None:
    name = _left_over(root)
    with pytest.raises(ConflictError, match="changed while it was looked at"):
        remove_left_over(root, name, trusted=ME, before=0.0)
    assert root.names() == [name]


@pytest.mark.root
def test_nobody_removes_the_left_over_of_another_or_what_only_looks_like_one(reachable_path: Path) -> None:
    os.chown(reachable_path, 61_009, 61_009)
    reachable_path.chmod(0o3777)
    theirs, published = reachable_path / ".tmp-61002-aa", reachable_path / ".tmp-61001-bb"
    run_as(User(uid=61_002, gid=61_002), lambda: os.mkdir(theirs))

    def publish() -> None:
        published.mkdir()
        (published / "version.toml").write_text("x")
        published.chmod(0o555)

    run_as(AUTHOR, publish)

    def remove(name: str) -> None:
        with Folder.open(str(reachable_path)) as folder:
            remove_left_over(folder, name, trusted=61_000, before=SOON)

    for name in (theirs.name, published.name):
        with pytest.raises(ChildFailed) as failure:
            run_as(AUTHOR, lambda name=name: remove(name))  # type: ignore[misc]  # mypy sees no type in a default
        assert failure.value.type_name == "ConflictError"
    assert (published / "version.toml").exists()
    assert theirs.exists()


def test_only_what_is_no_version_and_that_nobody_else_could_rename_is_surely_a_left_over(
    root: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _left_over(root)

    def surely(mode: int, owner: int, *, trusted: int = ME) -> bool:
        status = os.stat_result((0o40000 | mode, 0, 0, 0, owner, 0, 0, 0, 0, 0))
        monkeypatch.setattr(Folder, "status", lambda _folder: status)
        return cannot_be_published(Sight(place=name, name=name, status=root.lstat(name)), root, trusted)

    assert surely(0o3775, ME)
    assert surely(0o3775, ME + 1, trusted=ME + 2)
    Path(root.path, name).chmod(0o755)
    assert not surely(0o3775, ME + 1, trusted=ME + 2)
    assert surely(0o3775, ME + 1, trusted=ME + 1)
    assert not surely(0o2775, ME)
    Path(root.path, name, "version.toml").touch()
    Path(root.path, name).chmod(0o700)
    assert not surely(0o3775, ME)


def test_looking_follows_nothing_and_tells_what_cannot_be_looked_into(root: Folder, tmp_path: Path) -> None:
    (tmp_path / "away/secret").mkdir(parents=True)
    (tmp_path / "r/link").symlink_to(tmp_path / "away")
    (tmp_path / "r/sub").mkdir()
    (tmp_path / "r/sub/file").write_text("x")
    os.mkfifo(tmp_path / "r/pipe")
    assert [(sight.place, sight.what) for sight in look(root, "")] == [
        ("link", "symlink"),
        ("pipe", "special file"),
        ("sub", "folder"),
    ]
    assert [sight.place for sight in look_below(root, "models")] == [
        "models/link",
        "models/pipe",
        "models/sub",
        "models/sub/file",
    ]
    sub = next(sight for sight in look(root, "") if sight.name == "sub")
    assert newest_time(sub, root) >= os.lstat(tmp_path / "r/sub/file").st_ctime


def test_a_file_with_another_name_is_not_closed(root: Folder, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("x")
    (tmp_path / "run.sh").chmod(0o775)
    (tmp_path / "r/1@1.toml").hardlink_to(tmp_path / "run.sh")
    with pytest.raises(ConflictError, match=r"1@1\.toml has 2 names"):
        close_file(root, "1@1.toml", ME, without=0o222)
    assert _mode(str(tmp_path / "run.sh")) == 0o775


@pytest.mark.root
def test_a_folder_that_root_makes_is_the_stewards(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    os.chown(tmp_path / "r", AUTHOR.uid, 61_005)
    with Folder.open(str(tmp_path / "r")) as folder:
        make_folder(folder, "feed", mode=0o755)
        make_folder(folder, "stages", mode=0o3775, group=61_006)
    owners = {
        name: ((tmp_path / "r" / name).stat().st_uid, (tmp_path / "r" / name).stat().st_gid)
        for name in ("feed", "stages")
    }
    assert owners == {"feed": (AUTHOR.uid, 61_005), "stages": (AUTHOR.uid, 61_006)}
    assert _mode(str(tmp_path / "r/stages")) == 0o3775


@pytest.mark.root
def test_a_folder_that_cannot_be_the_stewards_is_not_made(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)

    def make() -> None:
        with Folder.open(str(reachable_path)) as folder:
            make_folder(folder, "feed", mode=0o755)

    with pytest.raises(ChildFailed, match="Operation not permitted"):
        run_as(AUTHOR, make)
    assert os.listdir(reachable_path) == []
