from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.metadata import record_of, seal_of
from stackroom.core.names import ModelName
from stackroom.core.toml import parse_toml
from stackroom.errors import InvalidInputError, PermissionDeniedError
from stackroom.store import copying, hashing
from stackroom.store.digest import verify_version
from stackroom.store.folder import Folder
from stackroom.store.hashing import chunks
from stackroom.store.mounts import FileSystem
from stackroom.store.publish import Draft, make_model, publish
from stackroom.store.scan import list_model
from stackroom.store.sources import gather
from stackroom.store.uuids import uuid7
from support.crashes import killed_at_every_step
from support.registries import NOW, artifacts, left_over, tree, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAUD = ModelName("fraud")


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "fraud").mkdir()
    with Folder.open(str(tmp_path / "fraud")) as folder:
        yield folder


def put(model: Folder, source: Path, **changes: Any) -> int:  # noqa: ANN401 - fields of Draft
    record = record_of(changes.pop("record", {}))
    draft = Draft(model=FRAUD, record=record, created=NOW, files=gather([str(source)]), **changes)
    return publish(model, draft).number


def damage_of(model: Folder, number: int) -> tuple[str, ...]:
    path = Path(model.path) / str(number)
    seal = seal_of(parse_toml((path / "version.toml").read_bytes(), where="x"))
    with Folder.open(str(path)) as version:
        found = verify_version(version, seal.digest)
    return found.damage + found.warnings


@pytest.mark.parametrize("umask", [0o077, 0o000, 0o022])
def test_a_version_is_sealed_whatever_the_umask(tmp_path: Path, model: Folder, umask: int) -> None:
    source = artifacts(tmp_path / "out")
    before = os.umask(umask)
    try:
        number = put(model, source, card=b"# card\n")
    finally:
        os.umask(before)
    root = tmp_path / "fraud" / str(number)
    for path in [root, *root.rglob("*")]:
        assert stat.S_IMODE(path.lstat().st_mode) == (0o555 if path.is_dir() else 0o444), path
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) == [
        "README.md",
        "SHA256SUMS",
        "XXH128SUMS",
        "model.bin",
        "sub/vocab.txt",
        "version.toml",
    ]
    assert damage_of(model, number) == ()


@pytest.mark.parametrize(("tool", "sums"), [("sha256sum", "SHA256SUMS"), ("xxh128sum", "XXH128SUMS")])
def test_the_ordinary_tools_accept_the_sums(tmp_path: Path, model: Folder, tool: str, sums: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    files = {"a b.bin": b"1", "größe/日本 2.bin": b"2", "-dash": b"3", " leading": b"", "*star": b"5", "#hash": b"6"}
    number = put(model, artifacts(tmp_path / "out", files))
    done = subprocess.run(
        [tool, "-c", sums], cwd=tmp_path / "fraud" / str(number), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(files)


def test_the_metadata_says_what_was_sealed(tmp_path: Path, model: Folder) -> None:
    number = put(model, artifacts(tmp_path / "out"), record={"metrics": {"auc": 0.9}})
    document = parse_toml((tmp_path / "fraud" / str(number) / "version.toml").read_bytes(), where="x")
    seal = seal_of(document)
    assert (seal.model, seal.files, seal.bytes, seal.created) == ("fraud", 2, 12, NOW)
    assert record_of(document).metrics == {"auc": 0.9}
    assert list(document) == ["format", "model", "uid", "created", "metrics", "artifacts"]


@pytest.mark.parametrize(
    "used",
    [
        "7/",
        ".trash-7-0a/",
        "7@deleted",
        "7@1.toml",
        "7@2.md",
        "7",
        "1.0.0 -> 7",
        "6/",
        "model@9.toml",
        "0008/",
        "1234567890/",
    ],
)
def test_a_number_is_never_used_again(tmp_path: Path, model: Folder, used: str) -> None:
    root = tmp_path / "fraud"
    (root / "6").mkdir()
    (root / "6" / "x").write_text("")
    name, arrow, text = used.partition(" -> ")
    if arrow or "deleted" in name:
        (root / name).symlink_to(text or "op=delete")
    elif name.endswith("/"):
        (root / name).mkdir(exist_ok=True)
    else:
        (root / name).write_text("")
    expected = 8 if "7" in used.replace("1234567890", "") else 7
    assert put(model, artifacts(tmp_path / "out")) == expected


def test_the_last_number_of_the_format_is_the_end(tmp_path: Path, model: Folder) -> None:
    (tmp_path / "fraud" / "999999998").mkdir()
    source = artifacts(tmp_path / "out")
    assert put(model, source) == 999_999_999
    with pytest.raises(InvalidInputError, match="999999999 is the last"):
        put(model, source)
    assert left_over(tmp_path / "fraud") == []


def test_a_number_that_somebody_takes_meanwhile_is_stepped_over(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Folder.rename
    taken = ["1", "2"]

    def slow(self: Folder, source: str, name: str) -> None:
        if taken:
            other = tmp_path / "fraud" / taken.pop(0)
            other.mkdir()
            (other / "x").write_text("")
        plain(self, source, name)

    monkeypatch.setattr(Folder, "rename", slow)
    assert put(model, artifacts(tmp_path / "out")) == 3


def test_a_number_that_came_and_went_meanwhile_is_stepped_over(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Folder.rename

    def slow(self: Folder, source: str, name: str) -> None:
        if name == "1":
            (tmp_path / "fraud" / "1@deleted").symlink_to("op=delete")
        plain(self, source, name)

    monkeypatch.setattr(Folder, "rename", slow)
    assert put(model, artifacts(tmp_path / "out")) == 2
    assert not (tmp_path / "fraud" / "1").exists()


def test_a_rename_whose_reply_was_lost_is_recognised(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Folder.rename

    def retransmitted(self: Folder, source: str, name: str) -> None:
        plain(self, source, name)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Folder, "rename", retransmitted)
    assert put(model, artifacts(tmp_path / "out")) == 1


@pytest.mark.parametrize("move", [False, True])
def test_a_source_that_changes_while_it_is_read_is_refused(
    tmp_path: Path,
    model: Folder,
    monkeypatch: pytest.MonkeyPatch,
    move: bool,  # noqa: FBT001 - two cases
) -> None:
    source = artifacts(tmp_path / "out", {"model.bin": b"x" * 100})
    plain = chunks

    def growing(fd: int, expected: int) -> Iterator[memoryview]:
        yield from plain(fd, expected)
        with (source / "model.bin").open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(hashing, "chunks", growing)
    with pytest.raises(InvalidInputError, match="changed while it was read") as caught:
        put(model, source, move=move)
    assert caught.value.facts["path"] == str(source / "model.bin")
    assert os.listdir(tmp_path / "fraud") == []
    assert (source / "model.bin").read_bytes() == b"x" * 100 + b"more"
    assert os.access(source / "model.bin", os.W_OK)


def test_a_source_that_turned_into_a_fifo_is_refused(tmp_path: Path, model: Folder) -> None:
    source = artifacts(tmp_path / "out", {"model.bin": b""})
    files = gather([str(source)])
    (source / "model.bin").unlink()
    os.mkfifo(source / "model.bin")
    with pytest.raises(InvalidInputError, match="not a file any more"):
        publish(model, Draft(model=FRAUD, record=record_of({}), created=NOW, files=files))


def test_moving_takes_the_sources_away_and_leaves_one_name(tmp_path: Path, model: Folder) -> None:
    source = artifacts(tmp_path / "out")
    inode = (source / "model.bin").stat().st_ino
    number = put(model, source, move=True)
    assert [path for path in source.rglob("*") if path.is_file()] == []
    made = (tmp_path / "fraud" / str(number) / "model.bin").stat()
    assert (made.st_ino, made.st_nlink) == (inode, 1)
    assert damage_of(model, number) == ()


def test_moving_copies_what_has_another_name(tmp_path: Path, model: Folder) -> None:
    source = artifacts(tmp_path / "out", {"model.bin": b"weights"})
    (tmp_path / "other").hardlink_to(source / "model.bin")
    number = put(model, source, move=True)
    assert (tmp_path / "fraud" / str(number) / "model.bin").stat().st_nlink == 1
    (tmp_path / "other").write_bytes(b"overwritten")
    assert damage_of(model, number) == ()


def test_moving_keeps_a_source_that_was_written_to_after_it_was_copied(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = artifacts(tmp_path / "out", {"model.bin": b"weights"})
    (tmp_path / "other").hardlink_to(source / "model.bin")
    plain = Folder.rename

    def late(self: Folder, old: str, name: str) -> None:
        plain(self, old, name)
        (source / "model.bin").write_bytes(b"newer weights")

    monkeypatch.setattr(Folder, "rename", late)
    put(model, source, move=True)
    assert (source / "model.bin").read_bytes() == b"newer weights"


def test_an_error_after_the_rename_does_not_open_the_seal_again(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = artifacts(tmp_path / "out", {"model.bin": b"weights"})
    plain = Folder.sync

    def failing(self: Folder) -> None:
        if self.path.endswith("fraud"):
            raise OSError(5, "Input/output error")
        plain(self)

    monkeypatch.setattr(Folder, "sync", failing)
    with pytest.raises(Exception, match="input/output error"):
        put(model, source, move=True)
    monkeypatch.undo()
    assert stat.S_IMODE((tmp_path / "fraud" / "1" / "model.bin").stat().st_mode) == 0o444


def test_metadata_that_is_too_long_is_refused_before_anything_is_copied(tmp_path: Path, model: Folder) -> None:
    told: list[int] = []
    draft = Draft(
        model=FRAUD,
        record=record_of({"description": "x" * 70_000}),
        created=NOW,
        files=gather([str(artifacts(tmp_path / "out"))]),
    )
    with pytest.raises(InvalidInputError, match="the metadata takes"):
        publish(model, draft, told.append)
    assert told == []
    assert os.listdir(tmp_path / "fraud") == []


def test_whoever_watches_may_cancel_and_nothing_is_left(tmp_path: Path, model: Folder) -> None:
    def cancel(_amount: int) -> None:
        raise KeyboardInterrupt

    source = artifacts(tmp_path / "out")
    before = tree(source)
    for move in (False, True):
        draft = Draft(model=FRAUD, record=record_of({}), created=NOW, files=gather([str(source)]), move=move)
        with pytest.raises(KeyboardInterrupt):
            publish(model, draft, cancel)
        assert os.listdir(tmp_path / "fraud") == []
    assert {name: facts[0] for name, facts in tree(source).items()} == {
        name: facts[0] for name, facts in before.items()
    }


@pytest.mark.parametrize("move", [False, True])
def test_a_register_killed_at_any_step_leaves_no_version_or_a_complete_one(
    tmp_path: Path,
    model: Folder,
    move: bool,  # noqa: FBT001 - two cases
) -> None:
    contents = {"model.bin": b"weights", "sub/vocab.txt": b"words"}
    source = artifacts(tmp_path / "out")
    known = 0
    for step, acknowledged in killed_at_every_step(
        lambda: put(model, artifacts(tmp_path / "out"), card=b"c", move=move)
    ):
        listing = list_model(model, FRAUD)
        assert listing.numbers == tuple(range(1, len(listing.numbers) + 1)), step
        assert listing.problems == ()
        assert len(listing.numbers) - known in {0, 1}
        assert not acknowledged or len(listing.numbers) == known + 1
        published = len(listing.numbers) > known
        for number in listing.numbers[known:]:
            damage = damage_of(model, number)
            # A move that dies before the old name is gone leaves two; the next line is what must not happen.
            assert [line for line in damage if "has 2 names" not in line] == [], step
        known = len(listing.numbers)
        for name, content in contents.items():
            if not published:
                assert (source / name).read_bytes() == content, f"step {step} lost {name}"
            elif (source / name).exists():
                (source / name).unlink()
        assert set(os.listdir(model.path)) == {*map(str, listing.numbers), *listing.temporary}
    assert step > 20
    assert known >= 1


def test_a_model_made_by_a_killed_process_is_whole_or_not_there(tmp_path: Path) -> None:
    with Folder.open(str(tmp_path)) as models:
        for _, acknowledged in killed_at_every_step(lambda: make_model(models, FRAUD, 'revised_by = "x"\n')):
            there = (tmp_path / "fraud").exists()
            assert there or not acknowledged
            if there:
                assert os.listdir(tmp_path / "fraud") == ["model@1.toml"]
                break
            assert [name for name in os.listdir(tmp_path) if not name.startswith(".tmp-")] == []


def test_a_model_is_made_once(tmp_path: Path) -> None:
    with Folder.open(str(tmp_path)) as models:
        assert make_model(models, FRAUD, "")
        assert not make_model(models, FRAUD, "")
    assert os.listdir(tmp_path) == ["fraud"]


@contextlib.contextmanager
def small_disk(where: Path, size: str) -> Iterator[Path]:
    where.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"root: mounting is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


@pytest.mark.root
def test_register_leaves_no_version_when_the_disk_fills(tmp_path: Path) -> None:
    source = artifacts(tmp_path / "out", {"a.bin": b"a", "big.bin": bytes(4 * 1024 * 1024)})
    with small_disk(tmp_path / "disk", "2m") as disk:
        (disk / "fraud").mkdir()
        with Folder.open(str(disk / "fraud")) as folder:
            with pytest.raises(InvalidInputError, match="no space left on device") as caught:
                put(folder, source)
            assert "free some space" in caught.value.hint
            assert os.listdir(disk / "fraud") == []
            assert put(folder, artifacts(tmp_path / "small")) == 1


def test_a_folder_that_may_not_be_written_is_a_refusal_with_its_group(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    source = artifacts(tmp_path / "out")
    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(PermissionDeniedError, match="you may not register a version of fraud"):
        put(model, source)


def test_a_version_can_be_copied_without_its_modes_and_says_so(tmp_path: Path, model: Folder) -> None:
    number = put(model, artifacts(tmp_path / "out"))
    unseal(tmp_path / "fraud" / str(number))
    assert any("writable" in line for line in damage_of(model, number))


def test_uuids_sort_by_time_and_differ() -> None:
    made = [uuid7(NOW) for _ in range(100)]
    assert len(set(made)) == 100
    assert all(one[14] == "7" and one[19] in "89ab" for one in made)
    assert {one[:13] for one in made} == {made[0][:13]}


def many(folder: Path, count: int = 40) -> Path:
    return artifacts(folder, {f"part-{number % 3}/{number:03}.bin": b"%d" % number for number in range(count)})


@pytest.mark.parametrize("remote", [False, True])
def test_many_files_are_published_side_by_side_and_all_of_them(
    tmp_path: Path,
    model: Folder,
    monkeypatch: pytest.MonkeyPatch,
    remote: bool,  # noqa: FBT001 - two cases
) -> None:
    monkeypatch.setattr(copying, "file_system_of", lambda _path: FileSystem("x", "/", local=not remote))
    synced: list[int] = []
    plain = os.fsync

    def fsync(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        plain(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    told: list[int] = []
    source = many(tmp_path / "out")
    draft = Draft(model=FRAUD, record=record_of({}), created=NOW, files=gather([str(source)]))
    made = publish(model, draft, told.append)
    root = tmp_path / "fraud" / str(made.number)
    assert (made.seal.files, sum(told)) == (40, made.seal.bytes)
    assert damage_of(model, made.number) == ()
    # Every file and folder once, and the model's folder after the rename.
    everything = [path.stat().st_ino for path in [root.parent, root, *root.rglob("*")]]
    assert sorted(synced) == sorted(everything)


def test_many_files_of_which_one_cannot_be_synced_are_no_version(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode) and os.pread(fd, 2, 0) == b"17":
            raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(InvalidInputError, match="quota exceeded"):
        put(model, many(tmp_path / "out"))
    assert os.listdir(tmp_path / "fraud") == []


def test_whoever_cancels_while_many_files_are_copied_leaves_nothing(
    tmp_path: Path, model: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "file_system_of", lambda _path: FileSystem("nfs4", "/", local=False))
    told: list[int] = []

    def cancel(amount: int) -> None:
        told.append(amount)
        if len(told) == 5:
            raise KeyboardInterrupt

    draft = Draft(model=FRAUD, record=record_of({}), created=NOW, files=gather([str(many(tmp_path / "out"))]))
    with pytest.raises(KeyboardInterrupt):
        publish(model, draft, cancel)
    assert os.listdir(tmp_path / "fraud") == []
