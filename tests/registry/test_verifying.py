"""Verification: a flipped byte, a rewritten revision, a holder that is not what was promoted."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

import stackroom
from stackroom.errors import GuardRefusedError, IntegrityError
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.saying import said
from stackroom.registry.verifying import VersionCheck
from stackroom.store import readings
from stackroom.store.hashing import FileDigest, TwoDigests
from stackroom.store.readings import Readings, now
from stackroom.store.sums import artifacts_digest, sums_text
from support.registries import ALICE, BOB, CAROL, DAVE, STEWARD, artifacts, set_policy, shared, unseal
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def model(registry: Registry, tmp_path: Path) -> Path:
    """Two versions, both with a card; the first is in production."""
    for auc in (0.9, 0.91):
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": auc}, card="# card\n")
    registry.promote("fraud:1", "production")
    return registry.path / "models" / "fraud"


def damage(registry: Registry, *refs: str) -> dict[str, tuple[str, ...]]:
    return {str(check.ref): check.damage for check in registry.verify(refs) if check.damage}


@pytest.mark.usefixtures("model")
def test_what_was_registered_and_promoted_is_clean(registry: Registry) -> None:
    assert damage(registry) == {}
    assert [str(check.ref) for check in registry.verify()] == ["fraud:1", "fraud:2"]
    assert [str(check.ref) for check in registry.verify(["fraud:2", "fraud:2"])] == ["fraud:2"]
    assert [str(check.ref) for check in registry.verify(["fraud"])] == ["fraud:1", "fraud:2"]
    (check,) = registry.verify(["fraud@production"])
    assert check.document()["ok"] is True


def test_one_flipped_byte_is_reported_with_its_file_and_hides_no_other(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    (model / "1" / "model.bin").write_bytes(b"Weights")
    assert [line.partition(":")[0] for line in damage(registry)["fraud:1"]] == ["model.bin", "it holds production"]
    assert list(damage(registry)) == ["fraud:1"]


def test_a_version_faked_from_end_to_end_is_not_what_was_promoted(
    registry: Registry, model: Path, tmp_path: Path
) -> None:
    unseal(model / "1")
    shutil.rmtree(model / "1")
    registry.register("other", artifacts(tmp_path / "evil", {"model.bin": b"evil"}), card="# card\n")
    shutil.copytree(registry.path / "models/other/1", model / "1")
    (model / "1").chmod(0o755)
    seal = model / "1" / "version.toml"
    seal.chmod(0o644)
    seal.write_text(seal.read_text().replace('"other"', '"fraud"'))
    assert any("production" in line and "promoted" in line for line in damage(registry)["fraud:1"])


def test_metadata_rewritten_after_the_promotion_is_reported(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    seal = model / "1" / "version.toml"
    seal.write_text(seal.read_text().replace("0.9", "0.99"))
    assert any(
        "no metadata revision is the one that production/fraud@1 promoted" in line
        for line in damage(registry)["fraud:1"]
    )


@pytest.mark.usefixtures("model")
def test_an_edit_after_the_promotion_is_no_damage(registry: Registry) -> None:
    registry.edit("fraud:1", Edit(put={"metrics.auc": 0.1}, card="# another\n"))
    assert damage(registry) == {}


def test_a_card_rewritten_after_the_promotion_is_reported(registry: Registry, model: Path) -> None:
    unseal(model / "1")
    (model / "1" / "README.md").write_text("# trust me\n")
    assert any("no card is the one that production/fraud@1 promoted" in line for line in damage(registry)["fraud:1"])


def test_a_revision_rewritten_by_its_owner_is_reported(registry: Registry, model: Path) -> None:
    registry.edit("fraud:2", Edit(put={"team": "risk"}))
    registry.edit("fraud:2", Edit(put={"team": "other"}))
    assert damage(registry) == {}
    first = model / "2@1.toml"
    first.chmod(0o644)
    first.write_text(first.read_text().replace("0.91", "0.99"))
    (line,) = damage(registry)["fraud:2"]
    assert line.startswith("2@1.toml: its text is not the one that 2@2.toml says it replaced (the file of ")


def test_a_holder_that_is_gone_is_reported(registry: Registry, model: Path) -> None:
    (model / "1").rename(model / ".gone")
    (line,) = damage(registry)["fraud:1"]
    assert line.startswith("holds production, and its folder is missing: production/fraud@1 by ")
    assert "the same artifacts lie in models/fraud/.gone, a folder of " in line
    assert "models/fraud/2" not in line
    for refs in (["fraud"], ["fraud:1"], ["fraud:1", "fraud:2"]):
        assert list(damage(registry, *refs)) == ["fraud:1"]
    assert damage(registry, "fraud:2") == {}


def test_a_card_with_a_number_that_somebody_made_up_takes_no_longer(registry: Registry, model: Path) -> None:
    (model / "1@999999999.md").write_text("# another\n")
    before = time.process_time()
    assert damage(registry) == {}
    assert time.process_time() - before < 2


def test_a_broken_version_is_damage_and_no_crash(registry: Registry, model: Path) -> None:
    unseal(model / "2")
    (model / "2" / "version.toml").write_text("garbage [")
    (model / "7").mkdir()
    (model / "8").mkdir(mode=0o000)
    found = damage(registry)
    assert set(found) == {"fraud:2", "fraud:7", "fraud:8"}
    assert all(isinstance(check, VersionCheck) for check in registry.verify())


# --- with several people: who did it


@pytest.fixture
def team(reachable_path: Path) -> Path:
    """Alice's version 1, with a revision of bob's and a card, in production by dave; the steward made the model."""
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")

    def register() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stackroom.registry.registering.provenance", dict)
            Registry(path).register("fraud", source, metrics={"auc": 0.9}, card="# card\n")

    run_as(STEWARD, lambda: str(Registry(path).new("fraud")))
    run_as(ALICE, register)
    run_as(BOB, lambda: Registry(path).edit("fraud:1", Edit(put={"team": "risk"})).revision)
    run_as(CAROL, lambda: Registry(path).promote("fraud:1", "staging").event)
    run_as(DAVE, lambda: Registry(path).promote("fraud:1", "production").event)
    return path


def told(path: Path, user: User = CAROL) -> list[str]:
    """What somebody else reads about fraud:1, and about nothing else."""

    def look() -> Any:  # noqa: ANN401 - what JSON holds
        return [check.document() for check in Registry(path).verify(["fraud"])]

    checks = run_as(user, look)
    assert {check["ref"] for check in checks if check["damage"]} <= {"fraud:1"}
    return [line for check in checks for line in check["damage"] if check["ref"] == "fraud:1"]


def rewrite_consistently(version: Path) -> None:
    """What an author can do who knows the format: another model, fitting sums and seal, and the old times again."""
    times = {path: path.stat() for path in (version, *version.rglob("*"))}
    unseal(version)
    (version / "model.bin").write_bytes(b"another model")
    digests = []
    for file in sorted(path for path in version.rglob("*") if path.is_file()):
        name = str(file.relative_to(version))
        if name not in {"SHA256SUMS", "XXH128SUMS", "version.toml"}:
            both = TwoDigests()
            both.update(memoryview(file.read_bytes()))
            digests.append(both.of(name))
    sums = sums_text((one.path, one.sha256) for one in digests)
    (version / "SHA256SUMS").write_bytes(sums)
    (version / "XXH128SUMS").write_bytes(sums_text((one.path, one.xxh128) for one in digests))
    seal = version / "version.toml"
    before, _, after = seal.read_text().partition('digest = "sha256:')
    seal.write_text(before + f'digest = "{artifacts_digest(sums)}"' + after[65:])
    for path, status in times.items():
        path.chmod(status.st_mode)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip(version: Path) -> None:
    unseal(version)
    (version / "model.bin").write_bytes(b"Weights")


def rewrite_metadata(version: Path) -> None:
    seal = version / "version.toml"
    seal.chmod(0o644)
    seal.write_text(seal.read_text().replace("0.9", "0.99"))


def rewrite_card(version: Path) -> None:
    unseal(version)
    (version / "README.md").write_text("# trust me\n")


def rewrite_revision(version: Path) -> None:
    revision = version.parent / "1@1.toml"
    revision.chmod(0o644)
    revision.write_text(revision.read_text().replace("0.9", "0.99"))


@pytest.mark.root
@pytest.mark.parametrize(
    ("who", "does", "names"),
    [
        (ALICE, rewrite_consistently, ("model.bin", "SHA256SUMS", "XXH128SUMS", "version.toml")),
        (ALICE, flip, ("model.bin",)),
        (ALICE, rewrite_card, ("README.md",)),
        (BOB, rewrite_revision, ("1@1.toml",)),
    ],
    ids=["consistently", "one byte", "card", "revision"],
)
def test_who_rewrites_her_own_file_after_the_promotion_is_named_with_the_file_and_the_mover(
    team: Path, who: User, does: Callable[[Path], None], names: tuple[str, ...]
) -> None:
    assert told(team) == []
    run_as(who, lambda: does(team / "models/fraud/1"))
    lines = told(team)
    assert any("production/fraud@1" in line and f"by {DAVE.uid}" in line for line in lines)
    for name in names:
        assert any(name in line and str(who.uid) in line and "at 20" in line for line in lines), (name, lines)
    others = {ALICE.uid, BOB.uid} - {who.uid}
    assert not any(str(uid) in line for line in lines for uid in others if "says it replaced" not in line)


@pytest.mark.root
def test_two_revisions_that_contradict_each_other_are_told_with_both_owners_and_make_no_holder_damaged(
    team: Path,
) -> None:
    run_as(ALICE, lambda: rewrite_metadata(team / "models/fraud/1"))
    assert told(team) == []
    (line,) = warned(team)
    both = f"1/version.toml: its text is not the one that 1@1.toml says it replaced (the file of {ALICE.uid}"
    assert line.startswith(both)
    assert f"; 1@1.toml is the file of {BOB.uid}" in line


def lie(model: Path, number: int, after: int = 1) -> None:
    """A revision that says it replaced a text that never was: what any author can write about a version of another."""
    path = model / f"{number}@{after}.toml"
    path.write_text(
        f'revised = 2026-11-23T04:22:00Z\nrevised_by = "{os.geteuid()}"\nprevious = "sha256:{"0" * 64}"\nteam = "x"\n'
    )
    path.chmod(0o444)


def warned(path: Path, user: User = CAROL) -> list[str]:
    """What somebody else is warned of about fraud."""

    def look() -> list[str]:
        return [line for check in Registry(path).verify(["fraud"]) for line in check.warnings]

    return run_as(user, look)


@pytest.fixture
def promoted(reachable_path: Path) -> Path:
    """Alice's versions 1 and 2, of which nobody said anything since; the first is in production by dave."""
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(STEWARD, lambda: str(Registry(path).new("fraud")))
    run_as(ALICE, lambda: [Registry(path).register("fraud", source).number for _ in range(2)])
    run_as(DAVE, lambda: Registry(path).promote("fraud:1", "production").event)
    return path


@pytest.mark.root
def test_a_revision_that_lies_about_what_it_replaced_is_told_of_its_owner_where_an_event_saw_that_text(
    promoted: Path,
) -> None:
    run_as(BOB, lambda: lie(promoted / "models/fraud", 1))
    assert told(promoted) == []
    (line,) = warned(promoted)
    assert line.startswith("1@1.toml: says that it replaced another text than 1/version.toml holds")
    assert "production/fraud@1" in line
    assert f"the file of {BOB.uid}" in line
    assert str(ALICE.uid) not in line
    flags = run_as(CAROL, lambda: [list(one.flags) for one in said(Registry(promoted), "fraud:1")[1]])
    assert flags[0] == []
    assert any("production/fraud@1" in flag and str(BOB.uid) in flag for flag in flags[1])
    found = run_as(CAROL, lambda: [one.document() for one in Registry(promoted).examine()])
    (untrue,) = [one for one in found if one["place"] == "models/fraud/1@1.toml"]
    assert (untrue["kind"], untrue["severity"], untrue["owner"]["uid"]) == ("revision-untrue", "warning", BOB.uid)
    assert not any(one["kind"] == "revision-edited" for one in found)


@pytest.mark.root
def test_an_approval_clears_the_author_as_an_event_does(promoted: Path) -> None:
    run_as(DAVE, lambda: Registry(promoted).clear("fraud", "production").event)
    run_as(CAROL, lambda: Registry(promoted).approve("fraud:2", "staging").approval)
    run_as(BOB, lambda: lie(promoted / "models/fraud", 2))
    (line,) = warned(promoted)
    assert "approvals/staging/fraud:2@1" in line
    assert str(ALICE.uid) not in line


@pytest.mark.root
def test_whoever_rewrites_her_text_is_not_cleared_by_an_approval_of_what_she_made_of_it(reachable_path: Path) -> None:
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    run_as(STEWARD, lambda: str(Registry(path).new("fraud")))
    run_as(CAROL, lambda: str(Registry(path).register("fraud", source).ref))
    run_as(BOB, lambda: Registry(path).edit("fraud:1", Edit(put={"team": "risk"})).revision)

    def rewrite_and_approve() -> None:
        version = path / "models/fraud/1"
        hidden = path / "models/fraud/1@1.toml"
        Registry(path).approve("fraud:1", "staging")
        (version / "version.toml").chmod(0o644)
        (version / "version.toml").write_text((version / "version.toml").read_text() + "\n# another\n")
        link = path / "approvals/staging/fraud:1@1"
        text = os.readlink(link)
        now = f"sha256:{hashlib.sha256((version / 'version.toml').read_bytes()).hexdigest()}"
        was = f"sha256:{hashlib.sha256(hidden.read_bytes()).hexdigest()}"
        link.unlink()
        link.symlink_to(text.replace(was, now))

    run_as(CAROL, rewrite_and_approve)
    (line,) = told(path, DAVE)
    assert line.startswith("1/version.toml: its text is not the one that 1@1.toml says it replaced")


@pytest.mark.root
def test_a_revision_that_makes_no_sense_is_told_as_its_owners(promoted: Path) -> None:
    run_as(BOB, lambda: (promoted / "models/fraud/1@1.toml").write_text("x\n"))
    run_as(BOB, lambda: (promoted / "models/fraud/1@1.toml").chmod(0o444))
    line, holds = told(promoted)
    assert line.startswith("1@1.toml:")
    assert f"(the file of {BOB.uid}" in line
    assert str(ALICE.uid) not in line
    assert holds.startswith("it holds production")
    (finding,) = run_as(
        CAROL,
        lambda: [one.document() for one in Registry(promoted).examine() if one.place == "models/fraud/1@1.toml"],
    )
    assert (finding["kind"], finding["owner"]["uid"]) == ("revision-broken", BOB.uid)
    assert finding["command"].endswith("revert fraud:1 --to 0")


@pytest.mark.root
def test_a_revision_that_is_closed_to_the_reader_is_told_as_its_owners(promoted: Path) -> None:
    run_as(BOB, lambda: (promoted / "models/fraud/1@1.toml").write_text('team = "x"\n'))
    run_as(BOB, lambda: (promoted / "models/fraud/1@1.toml").chmod(0o000))
    (line, _holds) = told(promoted)
    assert line.startswith("1@1.toml: no permission to read it")
    assert f"(the file of {BOB.uid}" in line
    (finding,) = run_as(
        CAROL, lambda: [one.document() for one in Registry(promoted).examine() if one.kind == "unreadable"]
    )
    assert (finding["place"], finding["owner"]["uid"]) == ("models/fraud/1@1.toml", BOB.uid)


def test_a_broken_revision_is_mended_by_the_next_one_as_the_refusal_says(registry: Registry, model: Path) -> None:
    (model / "2@1.toml").write_text("x\n")
    with pytest.raises(IntegrityError) as refused:
        registry.promote("fraud:2", "staging")
    assert refused.value.hint == "the next revision mends it: stackroom edit fraud:2 --set FIELD=VALUE"
    registry.edit("fraud:2", Edit(put={"team": "risk"}))
    assert registry.promote("fraud:2", "staging").made


@pytest.mark.root
def test_a_folder_that_somebody_put_under_the_number_is_named_with_its_owner(reachable_path: Path) -> None:
    path = shared(reachable_path)
    source, evil = artifacts(reachable_path / "out"), artifacts(reachable_path / "evil", {"model.bin": b"evil"})

    def register(model: str, where: Path) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stackroom.registry.registering.provenance", dict)
            return str(stackroom.open(path).register(model, where).ref)

    def swap() -> None:
        # The maker of a model is not bound by its sticky bit.
        version = path / "models/fraud/1"
        version.rename(version.with_name(".old"))
        register("mine", evil)
        shutil.copytree(path / "models/mine/1", version, copy_function=shutil.copy)
        version.chmod(0o755)
        (version / "version.toml").chmod(0o644)
        (version / "version.toml").write_text((version / "version.toml").read_text().replace('"mine"', '"fraud"'))

    run_as(BOB, lambda: str(Registry(path).new("fraud")))
    run_as(ALICE, lambda: register("fraud", source))
    run_as(CAROL, lambda: Registry(path).promote("fraud:1", "staging").event)
    run_as(BOB, swap)
    lines = told(path)
    assert any(f"staging/fraud@1 by {CAROL.uid}" in line and f"of {BOB.uid}" in line for line in lines), lines
    run_as(BOB, lambda: shutil.rmtree(path / "models/fraud/1"))
    (line,) = told(path)
    assert "holds staging, and its folder is missing" in line
    assert f"the same artifacts lie in models/fraud/.old, a folder of {ALICE.uid}" in line
    assert f"models/fraud is the folder of {BOB.uid}" in line


LARGE = {"model.bin": b"w" * 2**20}


def test_verify_changed_reads_only_what_has_changed_and_verify_all(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED_SECONDS", -1e9)
    for name in ("fraud", "spam"):
        registry.register(name, artifacts(tmp_path / "out", LARGE))

    def read(*, changed: bool) -> list[int]:
        return [check.bytes - check.remembered for check in registry.verify(changed=changed)]

    assert read(changed=True) == [2**20, 2**20]
    assert read(changed=True) == [0, 0]
    assert read(changed=False) == [2**20, 2**20]
    path = registry.path / "models" / "fraud" / "1"
    unseal(path)
    (path / "model.bin").write_bytes(b"W" * 2**20)
    assert read(changed=True) == [2**20, 0]
    assert [bool(check.damage) for check in registry.verify(changed=True)] == [True, False]


def test_a_move_reads_every_byte_whatever_was_read_before(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache may have been fooled, or the disk may have forgotten; who only asks is told what was read before."""
    monkeypatch.setattr(readings, "_SETTLED_SECONDS", -1e9)
    set_policy(registry.path, "[stages.production]\nguards = { verify = true }\n")
    registry = Registry(registry.path)
    registry.register("fraud", artifacts(tmp_path / "out", LARGE))
    path = registry.path / "models" / "fraud" / "1" / "model.bin"
    unseal(path.parent)
    path.write_bytes(b"W" * 2**20)
    status = path.stat()
    sums = (path.with_name("SHA256SUMS").read_text()[:64], path.with_name("XXH128SUMS").read_text()[:32])
    lie = FileDigest(path="model.bin", size=2**20, sha256=sums[0], xxh128=sums[1])
    with Readings(str(path.parent), believed=True) as cache:
        cache.remember(lie, status, status, now())
    judgement = registry.can("fraud:1", "production")
    assert judgement.allowed
    assert [one.seen for one in judgement.verdicts] == ["as sealed when you last read it; the move reads it"]
    with pytest.raises(GuardRefusedError, match="sha256"):
        registry.promote("fraud:1", "production")
    # What was read in order to decide is remembered, too.
    assert not registry.can("fraud:1", "production").allowed
    assert damage(registry)
