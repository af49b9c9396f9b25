"""Ways to copy a file: whichever the file systems have, what is hashed is what is there."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from stackroom.store import copying
from stackroom.store.copying import Copier
from stackroom.store.digest import silent
from stackroom.store.mounts import FileSystem

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.store.hashing import TwoDigests

SIZE = 5 * 1024 * 1024 + 3


class Copying:
    """A file and its copy."""

    def __init__(self, folder: Path) -> None:
        self.content = os.urandom(SIZE)
        (folder / "source").write_bytes(self.content)
        self.source = os.open(folder / "source", os.O_RDONLY)
        self.target = os.open(folder / "target", os.O_RDWR | os.O_CREAT)
        self.folder = folder
        self.told: list[int] = []

    def close(self) -> None:
        os.close(self.source)
        os.close(self.target)

    def copy(self) -> TwoDigests:
        folder = os.open(self.folder, os.O_RDONLY)
        copier = Copier(str(self.folder), folder)
        os.close(folder)
        return copier.copy(self.source, self.target, os.fstat(self.source), self.told.append)

    def check(self, digests: TwoDigests) -> None:
        assert (self.folder / "target").read_bytes() == self.content
        assert digests.of("x").sha256 == sha256(self.content).hexdigest()
        assert sum(self.told) == SIZE


@pytest.fixture
def on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies as if the folder lay on another host, in stripes that are soon over."""
    monkeypatch.setattr(copying, "file_system_of", lambda _path: FileSystem("nfs4", "/", local=False))
    monkeypatch.setattr(copying, "_STRIPE", 2 * 1024 * 1024)


def test_a_copy_is_the_source(tmp_path: Path) -> None:
    with closing(Copying(tmp_path)) as one:
        one.check(one.copy())


@pytest.mark.usefixtures("on_a_server")
def test_what_a_server_copies_is_read_back_and_written_by_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", None)
    with closing(Copying(tmp_path)) as one:
        one.check(one.copy())


@pytest.mark.usefixtures("on_a_server")
def test_what_a_server_cannot_copy_is_copied_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_args: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "copy_file_range", refuses)
    with closing(Copying(tmp_path)) as one:
        one.check(one.copy())


@pytest.mark.usefixtures("on_a_server")
def test_a_server_that_fails_half_way_fails_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.copy_file_range

    def full(source: int, target: int, count: int, from_: int, to: int) -> int:
        if to:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return plain(source, target, count, from_, to)

    monkeypatch.setattr(os, "copy_file_range", full)
    with closing(Copying(tmp_path)) as one, pytest.raises(OSError, match="No space left"):
        one.copy()


@pytest.mark.usefixtures("on_a_server")
def test_the_digests_are_the_copys_where_the_server_copies_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a source changes after it was copied and before it is looked at again."""

    def copies_zeros(_source: int, target: int, count: int, _from: int, to: int) -> int:
        return os.pwrite(target, bytes(count), to)

    monkeypatch.setattr(os, "copy_file_range", copies_zeros)
    with closing(Copying(tmp_path)) as one:
        assert one.copy().of("x").sha256 == sha256(bytes(SIZE)).hexdigest()


def test_blocks_that_can_be_shared_are_neither_written_nor_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def shares(target: int, _request: int, source: int) -> int:
        asked.append(target)
        os.sendfile(target, source, 0, SIZE)
        os.lseek(target, 0, os.SEEK_SET)
        return 0

    def refuses(target: int, _request: int, _source: int) -> int:
        asked.append(target)
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    plain = os.write
    with monkeypatch.context() as patch, closing(Copying(tmp_path)) as one:
        patch.setattr(fcntl, "ioctl", shares)
        patch.setattr(os, "write", None)
        one.check(one.copy())
    assert os.write is plain
    asked.clear()
    monkeypatch.setattr(fcntl, "ioctl", refuses)
    with closing(Copying(tmp_path)) as one:
        folder = os.open(tmp_path, os.O_RDONLY)
        copier = Copier(str(tmp_path), folder)
        os.close(folder)
        for _ in range(3):
            copier.copy(one.source, one.target, os.fstat(one.source), silent)
    assert len(asked) == 1
