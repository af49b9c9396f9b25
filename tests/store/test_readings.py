"""What was read before: believed only while nothing that a file system tells is different, and never a truth."""

from __future__ import annotations

import mmap
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.store import readings
from stackroom.store.cachehome import cache_folder
from stackroom.store.hashing import FileDigest, digested
from stackroom.store.mounts import FileSystem
from stackroom.store.readings import Readings, now

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 1024 * 1024


class Artifact:
    """A file of a mebibyte that somebody reads now and then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"w" * SIZE)
        self.fd = os.open(path, os.O_RDWR)

    def read(self, *, started: float | None = None) -> FileDigest:
        """Read it, and remember what was read."""
        before = os.fstat(self.fd)
        os.lseek(self.fd, 0, os.SEEK_SET)
        digest = digested(self.fd, len, expected=SIZE).of("model.bin")
        with self.remembered() as cache:
            cache.remember(digest, before, os.fstat(self.fd), now() if started is None else started)
        return digest

    def remembered(self) -> Readings:
        return Readings(str(self.path.parent), believed=True)

    def before(self) -> FileDigest | None:
        """What is known of it without reading."""
        with self.remembered() as cache:
            return cache.before("model.bin", os.fstat(self.fd))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written just now count as files of long ago."""
    monkeypatch.setattr(readings, "_SETTLED_SECONDS", -1e9)


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return Artifact(tmp_path / "model.bin")


@pytest.mark.usefixtures("settled")
def test_what_was_read_and_looks_the_same_need_not_be_read_again(artifact: Artifact) -> None:
    assert artifact.before() is None
    digest = artifact.read()
    assert artifact.before() == digest
    with Readings(str(artifact.path.parent), believed=False) as cache:
        assert cache.before("model.bin", os.fstat(artifact.fd)) is None
    folder = Path(cache_folder() or "")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def _written_and_set_back(path: Path) -> None:
    """As an author does it who knows that times are looked at: every time that can be set is as it was."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"t")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replaced(path: Path) -> None:
    status = path.stat()
    path.rename(path.with_name("old"))
    path.write_bytes(b"t" * SIZE)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "change",
    [
        _written_and_set_back,
        _replaced,
        lambda path: os.truncate(path, SIZE + 1),
        lambda path: path.chmod(0o444),
        lambda path: path.with_name("other").hardlink_to(path),
    ],
)
def test_whatever_happens_to_a_file_it_is_read_again(artifact: Artifact, change: Callable[[Path], None]) -> None:
    artifact.read()
    time_passes(artifact.path.parent)
    change(artifact.path)
    artifact.fd = os.open(artifact.path, os.O_RDONLY)
    assert artifact.before() is None


def time_passes(folder: Path) -> None:
    """Wait for the next tick of the file system's clock."""
    watch = folder / "watch"
    watch.write_bytes(b"")
    first = watch.stat().st_ctime_ns
    while watch.stat().st_ctime_ns == first:
        watch.chmod(0o600)


def test_a_file_that_changed_a_moment_ago_is_read_again(artifact: Artifact) -> None:
    artifact.read()
    assert artifact.before() is None


def test_on_a_server_whose_clock_nobody_knows_a_file_is_read_twice_some_time_apart(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "file_system_of", lambda _path: FileSystem("nfs4", "/", local=False))
    os.utime(artifact.path, (0, 0))
    artifact.read(started=100.0)
    artifact.read(started=101.0)
    assert artifact.before() is None
    digest = artifact.read(started=102.1)
    assert artifact.before() == digest
    # The numbers of its devices are another server's after a restart of this host.
    monkeypatch.setattr(readings, "boot_id", lambda: "another")
    assert artifact.before() is None


@pytest.mark.usefixtures("settled")
def test_what_changes_while_it_is_read_is_not_remembered(artifact: Artifact) -> None:
    before = os.fstat(artifact.fd)
    digest = artifact.read()
    time_passes(artifact.path.parent)
    os.pwrite(artifact.fd, b"t", 0)
    with artifact.remembered() as cache:
        cache.remember(digest, before, os.fstat(artifact.fd), now())
    assert artifact.before() is None


def test_why_nothing_that_decides_believes_it(artifact: Artifact) -> None:
    """A page that is not written back yet can be stored to, and the file looks as it did."""
    with mmap.mmap(artifact.fd, SIZE) as mapped:
        mapped[0] = 1
        before = os.fstat(artifact.fd)
        time_passes(artifact.path.parent)
        mapped[1] = 1
        after = os.fstat(artifact.fd)
        assert os.pread(artifact.fd, 2, 0) == b"\1\1"
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
    )


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_a_cache_that_is_broken_is_made_anew(artifact: Artifact, content: bytes) -> None:
    artifact.read()
    path = Path(cache_folder() or "") / "readings.sqlite"
    path.write_bytes(content)
    assert artifact.before() is None
    digest = artifact.read()
    assert artifact.before() == digest


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("lay", [os.symlink, os.link])
def test_a_cache_that_has_another_name_is_left_to_that_and_made_anew_for_one_reader(
    artifact: Artifact, tmp_path: Path, lay: Callable[[Path, Path], None]
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    file = Path(cache_folder() or "") / "readings.sqlite"
    lay(other, file)
    digest = artifact.read()
    assert artifact.before() == digest
    assert other.read_bytes() == b""
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600


@pytest.mark.usefixtures("settled")
def test_without_a_place_for_a_cache_everything_is_read(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKROOM_CACHE", "off")
    artifact.read()
    assert artifact.before() is None
    monkeypatch.setenv("STACKROOM_CACHE", str(artifact.path.parent / "cache"))
    (artifact.path.parent / "cache").mkdir(mode=0o700)
    (artifact.path.parent / "cache" / "readings.sqlite").mkdir()
    artifact.read()
    assert artifact.before() is None


@pytest.mark.usefixtures("settled")
def test_only_so_many_files_are_remembered_those_read_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_MOST", 2)
    every = [Artifact(tmp_path / f"{number}.bin") for number in range(5)]
    for one in every:
        one.read()
    assert [one.before() is not None for one in every] == [False, False, True, True, True]


@pytest.mark.usefixtures("settled")
def test_several_threads_ask_and_remember_at_once(tmp_path: Path) -> None:
    every = [Artifact(tmp_path / f"{number}.bin") for number in range(8)]
    threads = [threading.Thread(target=one.read) for one in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one.before() for one in every)
