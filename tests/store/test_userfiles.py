"""Files that are written where somebody says: whole, and never over something without being asked."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Self

import pytest

from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, RegistryError, UsageError
from stackroom.store.userfiles import write_user_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_is_written_and_the_home_is_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_user_file("~/out.md", b"text") == f"{tmp_path}/out.md"
    assert (tmp_path / "out.md").read_bytes() == b"text"


def test_what_is_there_stays_until_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    path.write_bytes(b"mine")
    path.chmod(0o640)
    with pytest.raises(ConflictError, match="there already"):
        write_user_file(str(path), b"other")
    assert path.read_bytes() == b"mine"
    write_user_file(str(path), b"other", replace=True)
    assert path.read_bytes() == b"other"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["out.md"]


def test_a_link_is_followed_when_it_is_replaced_and_a_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_user_file(f"{tmp_path}/link", b"new", replace=True)
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConflictError):
        write_user_file(f"{tmp_path}/folder", b"new", replace=True)


@pytest.mark.parametrize(
    ("name", "error"),
    [("", UsageError), ("x/", UsageError), ("nosuch/x", NotFoundError), ("a\0b", InvalidInputError)],
)
def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path, name: str, error: type[RegistryError]) -> None:
    with pytest.raises(error):
        write_user_file(f"{tmp_path}/{name}" if name else "", b"x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("replace", [False, True])
def test_a_full_disk_leaves_no_half_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    path = tmp_path / "out.md"
    if replace:
        path.write_bytes(b"mine")
    real = os.fdopen

    def full(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - os.fdopen's own
        file = real(*arguments, **more)

        class Full:
            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, _content: bytes) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full()

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(InvalidInputError, match="no space left"):
        write_user_file(str(path), b"other", replace=replace)
    assert os.listdir(tmp_path) == (["out.md"] if replace else [])
    assert not replace or path.read_bytes() == b"mine"
