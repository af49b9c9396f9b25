"""What doctor finds in a team's registry, with real users: what it says to each of them, and what each may mend."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.findings import worst_first
from stackroom.core.names import ModelName
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.reading import utc_now
from stackroom.registry.saying import flags_of
from stackroom.store.scan import read_revisions
from stackroom.store.setup import compare
from stackroom.store.tree import Plan
from support.registries import (
    ALICE,
    AUTHORS,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    EVE,
    GROUPS,
    RELEASERS,
    REVIEWERS,
    STEWARD,
    artifacts,
    shared,
    tree,
    unseal,
)
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.root

WEEKS = timedelta(days=15)


@pytest.fixture
def root(reachable_path: Path) -> Path:
    """Made by its steward; the steward made the model, alice its versions; carol and dave moved the first."""
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(STEWARD, lambda: str(Registry(root).new("fraud")))
    run_as(ALICE, lambda: [Registry(root).register("fraud", source, metrics={"auc": 0.9}).number for _ in range(2)])
    run_as(CAROL, lambda: Registry(root).promote("fraud:1", "staging").event)
    run_as(DAVE, lambda: Registry(root).promote("fraud:1", "production").event)
    return root


def seen_by(user: User, root: Path, *, later: bool = False) -> list[dict[str, Any]]:
    """The findings that somebody gets."""

    def look() -> list[dict[str, Any]]:
        registry = Registry(root, clock=(lambda: utc_now() + WEEKS) if later else utc_now)
        return [finding.document() for finding in worst_first(registry.examine())]

    return run_as(user, look)


def one(user: User, root: Path, kind: str, *, later: bool = False) -> dict[str, Any]:
    """The one finding of a kind that somebody gets."""
    found = [finding for finding in seen_by(user, root, later=later) if finding["kind"] == kind]
    assert len(found) == 1, found
    return found[0]


def fixed_by(user: User, root: Path, *, later: bool = False) -> dict[str, bool]:
    """What somebody's ``--fix`` did, by place."""

    def mend() -> dict[str, bool]:
        registry = Registry(root, clock=(lambda: utc_now() + WEEKS) if later else utc_now)
        return {repair.finding.place: repair.done for repair in registry.fix()}

    return run_as(user, mend)


def as_user(user: User, action: Callable[[], object]) -> None:
    def act() -> None:
        action()

    run_as(user, act)


@pytest.mark.parametrize("user", [STEWARD, ALICE, DAVE, EVE], ids=lambda user: user.name)
def test_a_healthy_team_has_no_findings_for_anybody_and_nothing_is_written(root: Path, user: User) -> None:
    before = tree(root)
    assert seen_by(user, root) == []
    assert fixed_by(user, root) == {}
    assert tree(root) == before


def test_whoami_says_what_each_may_do(root: Path) -> None:
    def asked(user: User) -> dict[str, Any]:
        return run_as(user, lambda: Registry(root).whoami().document())

    alice, dave, eve, steward = asked(ALICE), asked(DAVE), asked(EVE), asked(STEWARD)
    assert alice["groups"][0]["gid"] == ALICE.gid
    assert {group["gid"] for group in alice["groups"]} == {ALICE.gid, AUTHORS}

    def may(document: dict[str, Any]) -> list[str]:
        return [one["doing"] for one in document["may"] if one["allowed"]]

    assert may(alice) == ["make models"]
    assert may(dave) == ["make models", "move into production"]
    assert may(eve) == []
    assert steward["steward"]
    assert not alice["steward"]
    assert alice["models"] == {"writable": 1, "all": 1}
    assert eve["models"] == {"writable": 0, "all": 1}
    assert alice["file_system"]["options"]


def test_an_author_who_edits_a_sealed_file_after_the_promotion_is_named(root: Path) -> None:
    def edit() -> None:
        version = root / "models/fraud/1"
        unseal(version)
        (version / "model.bin").write_bytes(b"WEIGHTS")
        subprocess.run(["chmod", "-R", "a-w", version], check=True)

    run_as(ALICE, edit)
    found = one(EVE, root, "version-changed")
    assert found["severity"] == "error"
    assert found["place"] == "models/fraud/1/model.bin"
    assert found["owner"]["uid"] == ALICE.uid
    assert str(ALICE.uid) in found["message"]
    assert "staging, production" in found["message"]
    assert fixed_by(ALICE, root) == {}


def test_modes_after_a_copy_without_them_are_found_and_the_owners_mend_their_part(root: Path) -> None:
    # As rsync without -p leaves them: no setgid, no sticky bit, everything writable for its owner.
    for parent, folders, files in os.walk(root):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            if not os.path.islink(os.path.join(parent, name)):
                Path(parent, name).chmod(0o644)
    found = seen_by(ALICE, root)
    places = {(finding["kind"], finding["place"]) for finding in found}
    assert {
        ("folder-mode", "models"),
        ("folder-mode", "stages/staging"),
        ("folder-mode", "stages/production"),
        ("folder-mode", "live/production"),
        ("sealed-writable", "models/fraud/1"),
        ("sealed-writable", "models/fraud/2"),
    } <= places
    assert {finding["place"] for finding in found if finding["fixable"]} == {"models/fraud/1", "models/fraud/2"}
    assert fixed_by(ALICE, root) == {"models/fraud/1": True, "models/fraud/2": True}
    # Nobody is let in by guess: that the folders are of groups does not say that these shall write there.
    assert fixed_by(STEWARD, root) == {"models/fraud/model@1.toml": True}
    asked = compare(Plan(path=str(root), **GROUPS))
    assert asked is not None
    as_user(STEWARD, lambda: [subprocess.run(["sh", "-ec", one], check=True) for one in asked.commands()])
    assert one(STEWARD, root, "folder-mode")["place"] == "models/fraud"
    assert fixed_by(STEWARD, root) == {"models/fraud": True}
    left = {finding["kind"] for finding in seen_by(EVE, root)}
    assert left <= {"version-touched"}


@pytest.mark.parametrize("place", ["models", "stages/production", "approvals/staging", "observations"])
def test_no_group_is_let_in_by_guess(root: Path, place: str) -> None:
    for name in (place, "feed", "live/production"):
        (root / name).chmod(0o755)
    before = {path: os.stat(root / path) for path in (place, "feed", "live/production", "approvals/production")}
    fixed_by(STEWARD, root)
    for path, status in before.items():
        now = os.stat(root / path)
        assert (path == "live/production" and place != "stages/production") or now.st_mode == status.st_mode
        assert now.st_gid == status.st_gid
    shutil.rmtree(root / place)
    assert one(STEWARD, root, "folder-missing")["place"] == place
    fixed_by(STEWARD, root)
    assert not (root / place).exists() or not (root / place).stat().st_mode & 0o022


def test_the_commands_that_are_printed_put_the_modes_right(root: Path) -> None:
    for name in ("models", "models/fraud", "stages/production", "live/production"):
        (root / name).chmod(0o777)
    found = [finding for finding in seen_by(EVE, root) if finding["place"]]
    assert {finding["kind"] for finding in found} == {"folder-open"}
    assert not any(finding["fixable"] for finding in found)
    commands = [finding["command"] for finding in found]
    ours = f"stackroom -R {root} doctor --fix"
    plain = [command for command in commands if command != ours]
    as_user(STEWARD, lambda: [subprocess.run(["sh", "-ec", command], check=True) for command in plain])
    assert len(plain) == 3
    fixed_by(STEWARD, root)
    assert seen_by(EVE, root) == []


def test_no_command_for_what_an_author_can_swap_follows_a_symlink(root: Path) -> None:
    def loosen() -> None:
        for path, mode in (("models/fraud/1/model.bin", 0o644), ("models/fraud/1", 0o755)):
            (root / path).chmod(mode)

    as_user(ALICE, loosen)
    (root / "models/fraud").chmod(0o777)
    os.chown(root / "models/fraud", BOB.uid, BOB.gid)
    found = [finding for finding in seen_by(User(uid=0, gid=0, name="root"), root) if finding["command"]]
    assert {"folder-group", "folder-open", "sealed-writable"} <= {finding["kind"] for finding in found}
    for finding in found:
        assert finding["command"] == f"stackroom -R {root} doctor --fix", finding


def test_a_guarded_folder_of_somebody_else_is_an_administrators_matter(root: Path) -> None:
    os.chown(root / "stages/production", DAVE.uid, RELEASERS)
    (root / "stages/production").chmod(0o3775)
    found = one(STEWARD, root, "folder-owner")
    assert (found["place"], found["severity"], found["fixable"]) == ("stages/production", "error", False)
    assert found["owner"]["uid"] == DAVE.uid
    subprocess.run(["sh", "-ec", found["command"]], check=True)
    assert seen_by(STEWARD, root) == []


def test_a_registry_file_of_somebody_else_is_told(root: Path) -> None:
    os.chown(root / "registry.toml", ALICE.uid, ALICE.gid)
    found = one(EVE, root, "registry-file-owner")
    assert (found["severity"], found["owner"]["uid"]) == ("error", ALICE.uid)
    subprocess.run(["sh", "-ec", found["command"]], check=True)
    assert seen_by(EVE, root) == []


def test_pointers_of_another_group_than_the_ledger_are_told(root: Path) -> None:
    os.chown(root / "live/production", STEWARD.uid, AUTHORS)
    (root / "live/production").chmod(0o2775)
    found = one(STEWARD, root, "folder-group")
    assert (found["place"], found["fixable"]) == ("live/production", True)
    assert fixed_by(STEWARD, root) == {"live/production": True}
    assert seen_by(STEWARD, root) == []


def test_the_steward_makes_a_folder_that_is_missing(root: Path) -> None:
    shutil.rmtree(root / "live/production")
    shutil.rmtree(root / "observations")
    assert one(EVE, root, "live-behind")["place"] == "live/production/fraud"
    missing = [finding for finding in seen_by(STEWARD, root) if finding["kind"] == "folder-missing"]
    assert [finding["place"] for finding in missing] == ["live/production", "observations"]
    assert fixed_by(STEWARD, root)["live/production"]
    status = os.stat(root / "live/production")
    assert (status.st_mode & 0o7777, status.st_gid) == (0o2775, RELEASERS)
    assert fixed_by(DAVE, root) == {"live/production/fraud": True}
    assert os.readlink(root / "live/production/fraud") == "../../models/fraud/1"


def test_a_pointer_is_mended_by_who_may_move_and_by_nobody_else(root: Path) -> None:
    (root / "live/production/fraud").unlink()
    assert not one(CAROL, root, "live-behind")["fixable"]
    assert fixed_by(CAROL, root) == {}
    assert one(ERIN, root, "live-behind")["fixable"]
    assert fixed_by(ERIN, root) == {"live/production/fraud": True}
    assert seen_by(EVE, root) == []


def test_a_self_made_model_is_a_note(root: Path) -> None:
    as_user(BOB, lambda: Registry(root).new("churn"))
    found = one(EVE, root, "model-self-made")
    assert (found["severity"], found["place"], found["owner"]["uid"]) == ("note", "models/churn", BOB.uid)


def test_the_maker_of_a_model_who_left_the_group_is_not_told_to_mend_it(root: Path) -> None:
    as_user(BOB, lambda: Registry(root).new("churn"))
    (root / "models/churn").chmod(0o755)
    left = replace(BOB, groups=())
    assert not one(left, root, "folder-mode")["fixable"]
    assert fixed_by(left, root) == {}
    assert fixed_by(BOB, root) == {"models/churn": True}


def test_left_overs_are_removed_by_their_owner_alone(root: Path) -> None:
    as_user(ALICE, lambda: os.mkdir(root / f"models/fraud/.tmp-{ALICE.uid}-ab", 0o700))
    assert one(BOB, root, "temporary-young")["owner"]["uid"] == ALICE.uid
    stale = one(BOB, root, "temporary-stale", later=True)
    assert not stale["fixable"]
    assert fixed_by(BOB, root, later=True) == {}
    assert fixed_by(ALICE, root, later=True) == {f"models/fraud/.tmp-{ALICE.uid}-ab": True}
    assert seen_by(EVE, root, later=True) == []


def test_a_version_that_a_models_maker_renames_to_a_left_over_is_not_removed_by_its_author(root: Path) -> None:
    as_user(BOB, lambda: Registry(root).new("churn"))
    source = root.parent / "out"
    as_user(ALICE, lambda: Registry(root).register("churn", source))
    trap = root / f"models/churn/.tmp-{ALICE.uid}-aa"
    as_user(BOB, lambda: os.rename(root / "models/churn/1", trap))
    found = one(ALICE, root, "temporary-stale", later=True)
    assert not found["fixable"]
    assert "could have renamed something published" in found["message"]
    assert fixed_by(ALICE, root, later=True) == {}
    assert (trap / "model.bin").read_bytes() == b"weights"
    copy = _copied_by(ALICE, root, "-r")
    fixed_by(ALICE, copy, later=True)
    assert (copy / trap.relative_to(root) / "model.bin").read_bytes() == b"weights"


def test_a_forged_event_is_told_and_nothing_rests_on_it(root: Path) -> None:
    text = os.readlink(root / "stages/production/fraud@1")
    forged = text.replace("to=1", "to=2").replace("fraud@1", "fraud@2")
    as_user(ERIN, lambda: os.symlink(forged, root / "stages/production/fraud@2"))
    found = one(EVE, root, "event-forged")
    assert (found["severity"], found["place"]) == ("error", "stages/production/fraud@2")
    assert found["owner"]["uid"] == ERIN.uid
    assert fixed_by(ERIN, root) == {}
    as_user(STEWARD, lambda: subprocess.run(["sh", "-ec", found["command"]], check=True))
    assert seen_by(EVE, root) == []


def test_what_others_follow_is_not_to_be_removed(root: Path) -> None:
    text = os.readlink(root / "stages/production/fraud@1")
    as_user(ERIN, lambda: os.symlink(text.replace("fraud@1", "fraud@2"), root / "stages/production/fraud@2"))
    as_user(ERIN, lambda: os.symlink(text, root / "stages/production/fraud@3"))
    as_user(ERIN, lambda: os.symlink("nonsense", root / "stages/production/fraud@4"))
    as_user(CAROL, lambda: Registry(root).approve("fraud:2", "production"))
    other = User(uid=61_013, gid=61_013, groups=(REVIEWERS,), name="carl")
    text = os.readlink(root / "approvals/production/fraud:2@1")
    as_user(other, lambda: os.symlink(text.replace("@1", "@2"), root / "approvals/production/fraud:2@2"))
    as_user(CAROL, lambda: Registry(root).reject("fraud:2", "production"))
    commands = {finding["place"]: finding["command"] for finding in seen_by(STEWARD, root)}
    assert commands == {
        "stages/production/fraud@2": "",
        "stages/production/fraud@3": "",
        "stages/production/fraud@4": f"rm {root}/stages/production/fraud@4",
        "approvals/production/fraud:2@2": "",
    }


def test_a_borrowed_event_is_told(root: Path) -> None:
    text = os.readlink(root / "stages/staging/fraud@1")
    as_user(ERIN, lambda: os.symlink(text, root / "stages/production/fraud@2"))
    found = one(EVE, root, "event-borrowed")
    assert (found["severity"], found["owner"]["uid"]) == ("error", ERIN.uid)
    assert "names another place" in found["message"]


def test_a_revision_that_names_somebody_else_is_told(root: Path) -> None:
    as_user(ALICE, lambda: Registry(root).edit("fraud:2", Edit(put={"team": "risk"})))

    def forge() -> None:
        text = (root / "models/fraud/2@1.toml").read_text(encoding="utf-8")
        (root / "models/fraud/2@2.toml").write_text(text, encoding="utf-8")
        (root / "models/fraud/2@2.toml").chmod(0o444)

    run_as(BOB, forge, umask=0o022)
    found = one(EVE, root, "revision-borrowed")
    assert (found["place"], found["owner"]["uid"]) == ("models/fraud/2@2.toml", BOB.uid)
    assert str(ALICE.uid) in found["message"]


def test_what_belongs_to_nobody_is_told(root: Path) -> None:
    os.lchown(root / "stages/production/fraud@1", 65534, 65534)
    os.chown(root / "models/fraud/2", 65534, AUTHORS)
    squashed = [finding for finding in seen_by(EVE, root) if finding["kind"] == "owner-squashed"]
    assert {finding["place"] for finding in squashed} == {"stages/production/fraud@1", "models/fraud/2"}
    assert {finding["severity"] for finding in squashed} == {"error"}


def test_what_somebody_may_not_read_is_told_with_owner_and_mode_and_hides_nothing(root: Path) -> None:
    as_user(BOB, lambda: Registry(root).new("churn"))
    (root / "models/churn").chmod(0o700)
    (root / "stages/staging").chmod(0o700)
    run_as(BOB, lambda: os.mkdir(root / "models/fraud/9"), umask=0o022)
    found = [finding for finding in seen_by(EVE, root) if finding["kind"] == "unreadable"]
    assert {finding["place"] for finding in found} == {"models/churn", "stages/staging"}
    assert any(f"owner {BOB.uid}, mode 0700" in finding["message"] for finding in found)
    assert one(EVE, root, "number-squatted")["owner"]["uid"] == BOB.uid


def test_a_sealed_folder_with_a_file_of_somebody_else_is_left_to_its_owner(root: Path) -> None:
    def open_up() -> None:
        (root / "models/fraud/2").chmod(0o777)

    run_as(ALICE, open_up)
    as_user(BOB, lambda: (root / "models/fraud/2/mine").write_text("x"))
    extra = one(EVE, root, "seal-broken")
    assert (extra["place"], extra["owner"]["uid"]) == ("models/fraud/2/mine", BOB.uid)
    assert not one(ALICE, root, "sealed-writable")["fixable"]
    assert fixed_by(ALICE, root) == {}


def test_forged_and_borrowed_approvals_are_told(root: Path) -> None:
    as_user(CAROL, lambda: Registry(root).approve("fraud:2", "production"))
    assert seen_by(EVE, root) == []
    text = os.readlink(root / "approvals/production/fraud:2@1")
    other = User(uid=61_013, gid=61_013, groups=(REVIEWERS,), name="carl")
    as_user(other, lambda: os.symlink(text.replace("@1", "@2"), root / "approvals/production/fraud:2@2"))
    as_user(other, lambda: os.symlink(text, root / "approvals/staging/fraud:2@1"))
    as_user(other, lambda: os.symlink("x", root / "approvals/staging/nonsense"))
    found = {finding["place"]: finding for finding in seen_by(EVE, root)}
    assert {place: finding["kind"] for place, finding in found.items()} == {
        "approvals/production/fraud:2@2": "approval-forged",
        "approvals/staging/fraud:2@1": "approval-forged",
        "approvals/staging/nonsense": "foreign-name",
    }
    forged = found["approvals/production/fraud:2@2"]
    assert (forged["severity"], forged["owner"]["uid"]) == ("error", other.uid)
    assert str(CAROL.uid) in forged["message"]
    commands = [finding["command"] for finding in found.values() if finding["command"]]
    as_user(STEWARD, lambda: [subprocess.run(["sh", "-ec", command], check=True) for command in commands])
    assert {finding["kind"] for finding in seen_by(EVE, root)} == {"foreign-name"}


def test_an_approval_that_was_taken_away_leaves_a_gap(root: Path) -> None:
    for _ in range(2):
        as_user(CAROL, lambda: Registry(root).approve("fraud:2", "production"))
        as_user(CAROL, lambda: Registry(root).reject("fraud:2", "production"))
    as_user(CAROL, lambda: os.unlink(root / "approvals/production/fraud:2@2"))
    assert one(EVE, root, "event-gap")["place"] == "approvals/production/fraud:2@3"


def _copied_by(user: User, root: Path, *options: str) -> Path:
    copy = root.parent / "copy"
    as_user(user, lambda: subprocess.run(["cp", *options, root, copy], check=True))
    return copy


def _nothing_is_deleted(user: User, copy: Path, versions: set[str]) -> dict[str, Any]:
    """Mends a registry as somebody, and returns what doctor says of the version beside its tombstone."""
    found = one(user, copy, "delete-unfinished")
    assert not found["fixable"]
    assert found["command"].split()[-2:] == ["restore", f"fraud:{found['place'].rpartition('/')[2]}"]
    fixed_by(user, copy)
    assert {path.name for path in (copy / "models/fraud").iterdir() if path.name.isdigit()} == versions
    return found


@pytest.mark.parametrize("named", [ALICE, DAVE], ids=lambda user: user.name)
def test_a_planted_tombstone_deletes_nothing_also_where_a_copy_gives_it_to_the_copier(root: Path, named: User) -> None:
    seal = Registry(root).version("fraud:1").seal
    assert seal is not None
    text = (
        f"op=delete by={named.uid} at=2026-11-23T04:22:00Z digest={seal.digest}"
        f" trash=0f8fad5b-d9cb-469f-a165-70867728950e event={Registry(root).id}/models/fraud/1@deleted"
    )
    as_user(BOB, lambda: os.symlink(text, root / "models/fraud/1@deleted"))
    assert one(EVE, root, "tombstone-forged")["owner"]["uid"] == BOB.uid
    copy = _copied_by(ALICE, root, "-r")
    found = _nothing_is_deleted(ALICE, copy, {"1", "2"})
    assert ("which nothing attests" in found["message"]) == (named is not ALICE)
    as_user(ALICE, lambda: Registry(copy).restore("fraud:1"))
    assert not [one for one in seen_by(ALICE, copy) if one["kind"] == "delete-unfinished"]


@pytest.mark.parametrize("options", [["-r"], ["-a"]], ids=["a bare copy", "a copy with owners"])
def test_a_version_that_was_brought_back_beside_anothers_tombstone_stays_wherever_it_is_copied(
    reachable_path: Path, options: list[str]
) -> None:
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    as_user(ALICE, lambda: Registry(root).register("fraud", source))
    as_user(BOB, lambda: Registry(root).register("fraud", source))
    as_user(ALICE, lambda: Registry(root).delete("fraud:2"))
    as_user(BOB, lambda: Registry(root).restore("fraud:2"))
    for user in (ALICE, BOB, STEWARD):
        _nothing_is_deleted(user, root, {"1", "2"})
    told = one(BOB, root, "delete-unfinished")["message"]
    assert f"version 2 is here and whole, beside a tombstone of {ALICE.uid}'s" in told
    assert f"{ALICE.uid} or the owner of the model's folder keeps it" in told
    copier = ALICE if options == ["-r"] else User(uid=0, gid=0, name="root")
    copy = _copied_by(copier, root, *options)
    _nothing_is_deleted(ALICE, copy, {"1", "2"})


def test_what_somebody_linked_in_as_a_revision_is_told_and_not_closed(root: Path) -> None:
    script = root.parent / "run.sh"

    def write() -> None:
        script.write_text('[revision]\nreason = "x"\n', encoding="utf-8")
        os.chmod(script, 0o664)

    as_user(ALICE, write)
    os.chown(script, ALICE.uid, AUTHORS)
    os.link(script, root / "models/fraud/1@1.toml")
    assert one(EVE, root, "revision-linked")["place"] == "models/fraud/1@1.toml"
    (writable,) = [found for found in seen_by(ALICE, root) if found["kind"] == "sealed-writable"]
    assert not writable["fixable"]
    fixed_by(ALICE, root)
    assert script.stat().st_mode & 0o777 == 0o664
    with Registry(root).model_folder(ModelName("fraud")) as (_, folder, listing):
        flags = flags_of(read_revisions(folder, listing, 1), ())
    assert any("has 2 names" in flag for flag in flags[1])
