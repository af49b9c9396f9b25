from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from stackroom.errors import InvalidInputError, NotFoundError
from stackroom.store.sources import gather, prospective_digest
from support.registries import artifacts

if TYPE_CHECKING:
    from pathlib import Path


def refused(*sources: Path | str, follow: bool = False) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        gather([str(source) for source in sources], follow=follow)
    return caught.value


def test_the_contents_of_a_folder_land_in_the_version_itself(tmp_path: Path) -> None:
    artifacts(tmp_path / "out", {"b": b"1", "a/c": b"22"})
    (tmp_path / "single.bin").write_bytes(b"333")
    found = gather([str(tmp_path / "out"), str(tmp_path / "single.bin")])
    assert [(file.target, file.size) for file in found] == [("a/c", 2), ("b", 1), ("single.bin", 3)]


def test_a_symlink_is_refused_with_its_path(tmp_path: Path) -> None:
    artifacts(tmp_path / "out", {"a": b"1"})
    (tmp_path / "out" / "link").symlink_to("a")
    error = refused(tmp_path / "out")
    assert error.facts["path"] == str(tmp_path / "out" / "link")
    assert "--follow" in error.hint


def test_following_copies_files_that_links_point_at_and_nothing_else(tmp_path: Path) -> None:
    artifacts(tmp_path / "blobs", {"x": b"12345"})
    out = artifacts(tmp_path / "out", {"a": b"1"})
    (out / "link").symlink_to("../blobs/x")
    assert [(file.target, file.size) for file in gather([str(out)], follow=True)] == [("a", 1), ("link", 5)]
    (out / "folder").symlink_to("../blobs")
    assert refused(out, follow=True).facts["path"] == str(out / "folder")
    (out / "folder").unlink()
    (out / "dangling").symlink_to("nothing")
    assert refused(out, follow=True).facts["path"] == str(out / "dangling")


def test_a_fifo_a_socket_and_a_device_are_refused_with_their_path(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert "a FIFO" in str(refused(tmp_path / "fifo"))
        assert "a socket" in str(refused(tmp_path / "socket"))
    assert "a device" in str(refused("/dev/null"))
    assert refused(tmp_path).facts["path"] == str(tmp_path / "fifo")


@pytest.mark.parametrize("name", [b"\xff.bin", b"a\\b", b"a\nb", b"a\x1bb", "a\u202eb".encode(), b"a\x7f"])
def test_a_name_that_cannot_stand_in_a_sums_file_is_refused(tmp_path: Path, name: bytes) -> None:
    with open(os.fsencode(tmp_path) + b"/" + name, "wb"):
        pass
    assert "file name" in str(refused(tmp_path))
    folder = tmp_path / "deep"
    folder.mkdir()
    os.rename(os.fsencode(tmp_path) + b"/" + name, os.fsencode(folder) + b"/" + name)
    assert "file name" in str(refused(tmp_path))


@pytest.mark.parametrize("name", ["version.toml", "SHA256SUMS", "XXH128SUMS", "MD5SUMS"])
def test_a_name_that_belongs_to_the_format_is_refused(tmp_path: Path, name: str) -> None:
    artifacts(tmp_path / "out", {name: b""})
    assert "belongs to the format" in str(refused(tmp_path / "out"))


def test_such_a_name_is_free_in_a_folder_below(tmp_path: Path) -> None:
    artifacts(tmp_path / "out", {"sub/version.toml": b"", "sub/SHA256SUMS": b""})
    assert len(gather([str(tmp_path / "out")])) == 2


def test_two_sources_with_one_name_are_refused_with_both_paths(tmp_path: Path) -> None:
    one, two = artifacts(tmp_path / "one", {"m": b"1"}), artifacts(tmp_path / "two", {"m": b"2"})
    error = refused(one, two)
    assert {error.facts["path"], error.facts["other"]} == {str(one / "m"), str(two / "m")}


def test_a_file_and_a_folder_with_one_name_are_refused(tmp_path: Path) -> None:
    one, two = artifacts(tmp_path / "one", {"m": b"1"}), artifacts(tmp_path / "two", {"m/x": b"2"})
    assert "a file in one source and a folder in another" in str(refused(one, two))


def test_nothing_is_nothing_to_register(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert "nothing to register" in str(refused(tmp_path / "empty"))
    with pytest.raises(NotFoundError):
        gather([str(tmp_path / "missing")])


def test_the_digest_is_known_before_registering(tmp_path: Path) -> None:
    files = gather([str(artifacts(tmp_path / "out"))])
    assert prospective_digest(files, None) == prospective_digest(files, None)
    assert prospective_digest(files, b"card") != prospective_digest(files, None)
