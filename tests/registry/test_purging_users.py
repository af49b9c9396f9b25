"""A purge among people: the owner of a model can rename what others put there, and nobody destroys it for him."""

from __future__ import annotations

import os
import shlex
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.registry.facade import Registry
from support.registries import ALICE, BOB, CAROL, DAVE, EVE, artifacts, shared
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.root

ROOT = User(uid=0, gid=0, name="root")


@pytest.fixture
def root(reachable_path: Path) -> Path:
    """The model fraud is bob's, its four versions are alice's, and 4 holds production."""
    path = shared(reachable_path)
    run_as(BOB, lambda: Registry(path).new("fraud"))
    for number in range(1, 5):
        _register(path, f"weights {number}")
    run_as(CAROL, lambda: Registry(path).promote("fraud:4", "staging").event)
    run_as(DAVE, lambda: Registry(path).promote("fraud:4", "production").event)
    return path


def _register(path: Path, weights: str) -> None:
    source = artifacts(path.parent / weights, {"model.bin": weights.encode()})
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(ALICE, lambda: Registry(path).register("fraud", source).number)


def _delete(user: User, path: Path, ref: str) -> Path:
    """Delete a version; returns its folder in the trash."""
    run_as(user, lambda: Registry(path).delete(ref).made)
    (trash,) = (path / "models/fraud").glob(f".trash-{ref.partition(':')[2]}-*")
    return trash


def _rename(path: Path, *names: str) -> None:
    """As bob, who owns the model's folder: each name becomes the next one."""
    model = path / "models/fraud"
    for source, target in zip(names[::2], names[1::2], strict=True):
        run_as(BOB, partial(os.rename, model / source, model / target))


def _plant(user: User, path: Path, number: int, *, trash: str = "", digest: str = "") -> None:
    place = f"{Registry(path).id}/models/fraud/{number}@deleted"
    pairs = f"{f' digest={digest}' if digest else ''}{f' trash={trash}' if trash else ''}"
    text = f"op=delete by={user.uid} at=2026-11-23T04:22:00Z{pairs} event={place}"
    run_as(user, lambda: os.symlink(text, path / f"models/fraud/{number}@deleted"))


def _purged(user: User, path: Path, *refs: str) -> list[dict[str, Any]]:
    return list(run_as(user, lambda: Registry(path).purge(refs, dry_run=False).document())["versions"])


def _doctor(user: User, path: Path) -> list[dict[str, Any]]:
    found = run_as(user, lambda: [finding.document() for finding in Registry(path).examine()])
    return [finding for finding in found if "/.trash-" in finding["place"] or "/.purge-" in finding["place"]]


def _swapped(path: Path) -> str:
    trash = _delete(ALICE, path, "fraud:1").name
    _rename(path, trash, "777", "4", trash)
    return trash


def _begun(path: Path) -> str:
    _plant(BOB, path, 4)
    _rename(path, "4", ".purge-4-abc")
    return ".purge-4-abc"


def _never_existed(path: Path) -> str:
    _plant(BOB, path, 9, trash="abc")
    _rename(path, "4", ".trash-9-abc")
    return ".trash-9-abc"


def _never_existed_with_the_digest(path: Path) -> str:
    seal = Registry(path).version("fraud:4").seal
    assert seal is not None
    _plant(BOB, path, 9, trash="abc", digest=seal.digest)
    _rename(path, "4", ".purge-9-abc")
    return ".purge-9-abc"


@pytest.mark.parametrize("user", [ALICE, ROOT], ids=lambda user: user.name)
@pytest.mark.parametrize("attack", [_swapped, _begun, _never_existed, _never_existed_with_the_digest])
def test_what_holds_a_stage_is_purged_under_no_name(root: Path, attack: Callable[[Path], str], user: User) -> None:
    before = (root / "models/fraud/4/model.bin").read_bytes()
    name = attack(root)
    for refs in ([], ["fraud"], [f"fraud:{name.split('-')[1]}"]):
        (row,) = _purged(user, root, *refs)
        assert not row["goes"]
        assert "production" in row["why"] or "staging" in row["why"]
    assert (root / "models/fraud" / name / "model.bin").read_bytes() == before
    (finding,) = _doctor(user, root)
    assert finding["kind"] == "trash-renamed"
    assert "purge" not in shlex.split(finding["command"])
    subprocess.run(["sh", "-c", finding["command"]], check=True)
    assert (root / "models/fraud/4/model.bin").read_bytes() == before
    assert run_as(EVE, lambda: str(Registry(root).version("fraud@production").ref)) == "fraud:4"


def test_another_version_than_the_tombstone_names_is_not_purged(root: Path) -> None:
    trash = _delete(ALICE, root, "fraud:1").name
    _rename(root, trash, "777", "2", trash)
    (row,) = _purged(ALICE, root, "fraud:1")
    assert row["why"] == f"is not in {trash}: other artifacts are there than the tombstone names"
    (finding,) = _doctor(EVE, root)
    assert (finding["kind"], finding["place"]) == ("trash-renamed", f"models/fraud/{trash}")


def test_a_tombstone_without_a_digest_never_counts_for_a_sealed_version(root: Path) -> None:
    _plant(BOB, root, 2, trash="0a")
    _rename(root, "2", ".trash-2-0a")
    for refs in ([], ["fraud:2"]):
        (row,) = _purged(ALICE, root, *refs)
        assert not row["goes"]
        assert "names no artifacts" in row["why"]


def test_nothing_is_purged_of_which_nothing_tells_what_it_is_and_that_its_owner_did_not_delete(root: Path) -> None:
    run_as(ALICE, lambda: _break(root / "models/fraud/2"))
    _delete(BOB, root, "fraud:2")
    (row,) = _purged(ALICE, root, "fraud:2")
    assert "nothing tells what" in row["why"]
    assert run_as(ALICE, lambda: Registry(root).restore("fraud:2").made)
    run_as(BOB, lambda: Registry(root).restore("fraud:2").made)
    _delete(ALICE, root, "fraud:2")
    (row,) = _purged(ALICE, root)
    assert row["goes"]


def _break(version: Path) -> None:
    version.chmod(0o755)
    for name in ("version.toml", "SHA256SUMS"):
        (version / name).unlink()


def test_what_somebody_else_deleted_is_purged_only_where_it_is_named(root: Path) -> None:
    _delete(BOB, root, "fraud:2")
    _delete(ALICE, root, "fraud:3")
    for refs in ([], ["fraud"]):
        two, *_ = _purged(ALICE, root, *refs)
        assert not two["goes"]
        assert two["why"].startswith(f"was deleted by {BOB.uid}")
    assert not (root / "models/fraud/3").exists()
    assert not list((root / "models/fraud").glob(".*-3-*"))
    (two,) = _purged(ALICE, root, "fraud:2")
    assert two["goes"]
    assert not list((root / "models/fraud").glob(".*-2-*"))


def test_root_frees_what_its_owners_deleted(root: Path) -> None:
    _delete(ALICE, root, "fraud:3")
    assert [row["goes"] for row in _purged(ROOT, root)] == [True]


def test_of_two_versions_with_the_same_artifacts_the_one_that_holds_nothing_can_be_purged(root: Path) -> None:
    _register(root, "weights 4")
    trash = _delete(ALICE, root, "fraud:5").name
    _rename(root, trash, "777", "4", trash, "777", "4")
    assert not _purged(ALICE, root, "fraud:5")[0]["goes"], "the metadata is what was promoted"
    _rename(root, "4", "777", trash, "4", "777", trash)
    assert _purged(ALICE, root, "fraud:5")[0]["goes"]
    assert not [
        check for check in run_as(EVE, lambda: [list(c.damage) for c in Registry(root).verify(["fraud:4"])]) if check
    ]


def test_what_is_put_in_its_place_in_the_moment_of_the_purge_is_put_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trash = _delete(ALICE, root, "fraud:1").name
    plain = os.rename

    def raced(source: str, target: str, **options: int) -> None:
        if str(target).startswith(".purge-"):
            monkeypatch.setattr(os, "rename", plain)
            plain(trash, "777", **options)
            plain("4", trash, **options)
        plain(source, target, **options)

    monkeypatch.setattr(os, "rename", raced)
    purge = Registry(root).purge(["fraud:1"], dry_run=False)
    assert "at this moment" in purge.rows[0].left[0]
    assert (root / "models/fraud" / trash / "model.bin").read_bytes() == b"weights 4"
    assert (root / "models/fraud/777/model.bin").exists()


def test_a_purge_enters_no_folder_of_somebody_else(root: Path) -> None:
    def open_it() -> None:
        (root / "models/fraud/2").chmod(0o755)
        (root / "models/fraud/2/sub").mkdir()
        (root / "models/fraud/2/sub").chmod(0o777)

    run_as(ALICE, open_it)
    run_as(BOB, (root / "models/fraud/2/sub/of bob's").mkdir)
    _delete(ALICE, root, "fraud:2")
    (row,) = _purged(ROOT, root, "fraud:2")
    assert [left.rpartition("/")[2] for left in row["left"]] == ["of bob's: belongs to somebody else"]


def test_a_version_that_is_nested_deeper_than_descriptors_reach_is_purged(root: Path) -> None:
    def dig() -> None:
        version = root / "models/fraud/2"
        version.chmod(0o755)
        os.chdir(version)
        for _ in range(1500):
            os.mkdir("deeper", 0o755)
            os.chdir("deeper")
        os.chdir("/")

    run_as(ALICE, dig)
    _delete(ALICE, root, "fraud:2")
    (row,) = _purged(ALICE, root, "fraud:2")
    assert (row["goes"], row["left"]) == (True, [])
    assert not list((root / "models/fraud").glob(".*-2-*"))
