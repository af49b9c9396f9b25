from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.metadata import record_of
from stackroom.core.names import ModelName
from stackroom.core.text import is_plain_name
from stackroom.errors import InvalidInputError
from stackroom.store import digest, layout
from stackroom.store.digest import Verification, verify_version
from stackroom.store.erasing import remove_tree
from stackroom.store.folder import Folder
from stackroom.store.publish import Draft, publish
from stackroom.store.sources import gather
from stackroom.store.sums import is_safe_path, parse_sums, sums_text
from support.registries import NOW, artifacts, unseal

if TYPE_CHECKING:
    from pathlib import Path

PATHS = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(is_safe_path)


@given(st.dictionaries(PATHS, st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=5))
def test_a_sums_file_is_read_back_and_sorted_by_the_bytes_of_the_path(sums: dict[str, str]) -> None:
    text = sums_text(sums.items())
    assert parse_sums(text, where="x") == sums
    assert [line[66:] for line in text.split(b"\n") if line] == sorted(path.encode() for path in sums)


@given(st.one_of(st.binary(max_size=100), st.text(alphabet="0a /.*\n\\", max_size=80).map(str.encode)))
def test_a_sums_file_is_read_or_refused(text: bytes) -> None:
    try:
        found = parse_sums(text, where="x")
    except InvalidInputError as error:
        refused = error
    else:
        assert all(is_plain_name(path) and not path.startswith("/") for path in found)
        return
    assert refused.facts["line"] >= 1


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", "a//b", ".", "a\\b", "a/", ""])
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    assert not is_safe_path(path)
    with pytest.raises(InvalidInputError):
        parse_sums(b"0" * 64 + b"  " + path.encode() + b"\n", where="x")


@pytest.fixture
def sealed(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "fraud").mkdir()
    with Folder.open(str(tmp_path / "fraud")) as folder:
        files = gather([str(artifacts(tmp_path / "out"))])
        made = publish(folder, Draft(model=ModelName("fraud"), record=record_of({}), created=NOW, files=files))
    path = tmp_path / "fraud" / "1"
    unseal(path)
    return path, made.seal.digest


def check(sealed: tuple[Path, str]) -> Verification:
    with Folder.open(str(sealed[0])) as version:
        return verify_version(version, sealed[1])


def test_what_is_as_sealed_is_clean(sealed: tuple[Path, str]) -> None:
    found = check(sealed)
    assert (found.damage, found.files, found.bytes, found.digest) == ((), 2, 12, sealed[1])


@pytest.mark.parametrize("name", ["model.bin", "sub/vocab.txt"])
def test_one_flipped_bit_is_reported_with_its_file(sealed: tuple[Path, str], name: str) -> None:
    path = sealed[0] / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert [line.partition(":")[0] for line in check(sealed).damage] == [name]


def test_everything_that_does_not_belong_is_reported_with_its_name(sealed: tuple[Path, str]) -> None:
    root = sealed[0]
    (root / "extra.bin").write_bytes(b"")
    (root / "sub" / "link").symlink_to("../model.bin")
    os.mkfifo(root / "fifo")
    (root / "model.bin").unlink()
    assert sorted(line.split(":")[0] for line in check(sealed).damage) == ["extra.bin", "fifo", "model.bin", "sub/link"]


def test_an_artifact_behind_a_symlink_is_damage(sealed: tuple[Path, str]) -> None:
    root = sealed[0]
    (root / "model.bin").rename(root.parent / "elsewhere")
    (root / "model.bin").symlink_to("../elsewhere")
    assert any(line.startswith("model.bin: a symlink") for line in check(sealed).damage)


def test_a_second_name_is_a_warning(sealed: tuple[Path, str]) -> None:
    (sealed[0].parent / "other").hardlink_to(sealed[0] / "model.bin")
    assert any("has 2 names" in line for line in check(sealed).warnings)


def test_edited_sums_are_noticed_by_the_seal(sealed: tuple[Path, str]) -> None:
    root = sealed[0]
    (root / "model.bin").write_bytes(b"trojan")
    digests = {"model.bin": "56", "sub/vocab.txt": "77"}
    import hashlib  # noqa: PLC0415 - only here

    import xxhash  # noqa: PLC0415 - the same

    (root / "SHA256SUMS").write_bytes(
        sums_text((name, hashlib.sha256((root / name).read_bytes()).hexdigest()) for name in digests)
    )
    (root / "XXH128SUMS").write_bytes(
        sums_text((name, xxhash.xxh3_128((root / name).read_bytes()).hexdigest()) for name in digests)
    )
    (damage,) = check(sealed).damage
    assert damage.startswith("SHA256SUMS: ")


@pytest.mark.parametrize("content", [b"", b"garbage", b"0" * 64 + b"  ../../etc/passwd\n", None])
@pytest.mark.parametrize("name", ["SHA256SUMS", "XXH128SUMS"])
def test_broken_sums_are_damage_and_no_crash(sealed: tuple[Path, str], name: str, content: bytes | None) -> None:
    (sealed[0] / name).unlink()
    if content is not None:
        (sealed[0] / name).write_bytes(content)
    assert check(sealed).damage


def test_sums_that_are_a_fifo_or_a_symlink_are_damage_and_nobody_waits(sealed: tuple[Path, str]) -> None:
    (sealed[0] / "SHA256SUMS").unlink()
    os.mkfifo(sealed[0] / "SHA256SUMS")
    (sealed[0] / "XXH128SUMS").rename(sealed[0] / "x")
    (sealed[0] / "XXH128SUMS").symlink_to("x")
    assert any(line.startswith("SHA256SUMS") for line in check(sealed).damage)
    assert any(line.startswith("XXH128SUMS: a symlink") for line in check(sealed).damage)


def test_a_file_that_is_larger_than_everything_that_was_sealed_is_damage_and_not_read(sealed: tuple[Path, str]) -> None:
    path, digest = sealed
    size = _bytes(path)
    os.truncate(path / "model.bin", 4 * 1024**4)
    read: list[int] = []
    with Folder.open(str(path)) as folder:
        found = verify_version(folder, digest, read.append, sealed_bytes=size)
    (damage,) = found.damage
    assert damage.startswith("model.bin: 4,398,046,511,104 bytes; the artifacts have ")
    assert f"and {size:,} were sealed" in damage
    assert (read, found.bytes) == ([], 0)


def test_a_file_that_grows_while_it_is_read_is_read_no_further_than_what_was_sealed(sealed: tuple[Path, str]) -> None:
    path, digest = sealed
    size = _bytes(path)

    def grow(amount: int, /) -> None:
        read.append(amount)
        os.truncate(path / "model.bin", sum(read) + 8 * 1024**2)

    read: list[int] = []
    with Folder.open(str(path)) as folder:
        found = verify_version(folder, digest, grow, sealed_bytes=size)
    assert "model.bin: it grows while it is read, beyond what was sealed" in found.damage
    assert sum(read) < 4 * 1024**2


def test_a_file_that_is_nearly_all_hole_is_not_read_where_nothing_says_what_was_sealed(
    sealed: tuple[Path, str],
) -> None:
    path, _ = sealed
    os.truncate(path / "model.bin", 4 * 1024**4)
    with Folder.open(str(path)) as folder:
        found = verify_version(folder, "")
    (damage,) = found.damage
    assert damage.startswith("model.bin: ")
    assert damage.endswith(" on disk: not read")


def _dig(path: Path) -> None:
    home = os.getcwd()
    os.chdir(path)
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(home)


def _bytes(version: Path) -> int:
    files = (file for file in version.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if str(file.relative_to(version)) not in layout.UNLISTED_FILES)


def test_a_folder_nested_too_deep_is_damage_and_the_rest_is_read(sealed: tuple[Path, str]) -> None:
    path, _ = sealed
    _dig(path)
    size = sum((path / name).stat().st_size for name in ("model.bin", "sub/vocab.txt"))
    try:
        found = check(sealed)
        (damage,) = found.damage
        assert damage.startswith("d/d/d/")
        assert damage.endswith("/d: a folder nested too deep to look into")
        assert len(damage) < 200
        assert found.bytes == size
    finally:
        with Folder.open(str(path)) as folder:
            remove_tree(folder, "d")


def hollow(path: Path, size: int) -> Verification:
    """A version whose author made her artifact mostly of holes, and says so in every file of the format."""
    (path / "model.bin").unlink()
    (path / "model.bin").write_bytes(b"x")
    os.truncate(path / "model.bin", size)
    for name, digits in (("SHA256SUMS", 64), ("XXH128SUMS", 32)):
        (path / name).unlink()
        (path / name).write_bytes(sums_text([("model.bin", "0" * digits), ("sub/vocab.txt", "0" * digits)]))
    with Folder.open(str(path)) as version:
        return verify_version(version, "", sealed_bytes=size + 5)


def test_a_version_of_holes_is_damage_and_keeps_nobody_waiting(sealed: tuple[Path, str]) -> None:
    (damage,) = hollow(sealed[0], 2**42).damage
    assert damage.startswith("model.bin: the artifacts have 4,398,046,511,109 bytes, and all but ")
    assert damage.endswith(" of them are holes: not read")


def test_a_file_with_holes_is_read_while_that_takes_no_time(sealed: tuple[Path, str]) -> None:
    assert hollow(sealed[0], 2**21).bytes == 2**21 + 5


def test_where_a_file_system_knows_no_holes_everything_is_read(
    sealed: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_of_it(fd: int, position: int, how: int) -> int:
        return os.fstat(fd).st_size if how == os.SEEK_HOLE else position

    monkeypatch.setattr(digest, "_GIBIBYTE", 2**20)
    monkeypatch.setattr(os, "lseek", all_of_it)
    assert hollow(sealed[0], 2**24).bytes == 2**24 + 5
