from __future__ import annotations

import errno
import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
import xxhash

from stackroom.store.hashing import CHUNK, WriteBack, digested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = [0, 1, CHUNK, 4 * CHUNK, 9 * CHUNK + 17]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_has_the_digests_of_the_tools_whatever_its_size(file: int, size: int) -> None:
    content = os.urandom(size)
    os.pwrite(file, content, 0)
    seen = bytearray()
    found = digested(file, seen.extend, expected=size).of("model.bin")
    assert bytes(seen) == content
    assert (found.path, found.size) == ("model.bin", size)
    assert found.sha256 == sha256(content).hexdigest()
    assert found.xxh128 == xxhash.xxh3_128(content).hexdigest()


@pytest.mark.parametrize("size", [CHUNK, 9 * CHUNK])
def test_whoever_is_given_the_chunks_can_end_the_reading(file: int, size: int) -> None:
    os.pwrite(file, bytes(size), 0)

    def cancel(_chunk: memoryview) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digested(file, cancel, expected=size)


def test_a_disk_that_fails_behind_the_back_is_told_when_the_file_is_closed(
    file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", failing)
    written = WriteBack(file)
    for _ in range(3):
        written.wrote(64 * CHUNK)
    with pytest.raises(OSError, match="No space left"):
        written.close()


def test_a_small_file_is_left_to_its_fsync(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    written = WriteBack(file)
    written.wrote(CHUNK)
    written.close()
    assert synced == []
