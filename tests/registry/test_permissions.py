"""What the kernel refuses, how that is told, and that a refusal leaves no trace."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.names import StageName
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from support.registries import artifacts, make, set_policy, tree
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.root

AUTHORS, REVIEWERS, RELEASERS = 62_001, 62_002, 62_003
STEWARD = User(uid=61_000, gid=61_000, groups=(AUTHORS, REVIEWERS, RELEASERS), name="steward")
ALICE = User(uid=61_001, gid=61_001, groups=(AUTHORS,), name="alice")
CAROL = User(uid=61_003, gid=61_003, groups=(AUTHORS, REVIEWERS), name="carol")
DAVE = User(uid=61_004, gid=61_004, groups=(AUTHORS, RELEASERS), name="dave")
EVE = User(uid=61_006, gid=61_006, name="eve")


@pytest.fixture
def root(reachable_path: Path) -> Path:
    home = reachable_path / "steward"
    home.mkdir()
    os.chown(home, STEWARD.uid, STEWARD.gid)
    path = home / "registry"
    stages = {StageName("staging"): REVIEWERS, StageName("production"): RELEASERS}
    run_as(STEWARD, lambda: make(path, authors=AUTHORS, reviewers=REVIEWERS, stages=stages).id)
    home.chmod(0o755)
    (path / "registry.toml").chmod(0o644)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(ALICE, lambda: Registry(path).register("fraud", source, metrics={"auc": 0.9}, card="# card").number)
    run_as(CAROL, lambda: Registry(path).promote("fraud:1", "staging").event)
    return path


def _listing(root: Path) -> str:
    return subprocess.run(["ls", "-lR", "--full-time", root], capture_output=True, text=True, check=True).stdout


def _refused(user: User, action: Callable[[], Any]) -> ChildFailed:
    with pytest.raises(ChildFailed) as failure:
        run_as(user, action)
    assert failure.value.type_name == "PermissionDeniedError", failure.value
    return failure.value


def test_init_makes_the_modes_of_the_format(root: Path) -> None:
    def mode(name: str) -> tuple[str, int, int]:
        status = os.lstat(root / name)
        return f"{stat.S_IMODE(status.st_mode):04o}", status.st_uid, status.st_gid

    assert mode("") == ("0755", STEWARD.uid, STEWARD.gid)
    assert mode("models") == ("3775", STEWARD.uid, AUTHORS)
    assert mode("models/fraud") == ("3775", ALICE.uid, AUTHORS)
    assert mode("models/fraud/1") == ("0555", ALICE.uid, AUTHORS)
    assert mode("models/fraud/1/version.toml") == ("0444", ALICE.uid, AUTHORS)
    assert mode("stages") == ("0755", STEWARD.uid, STEWARD.gid)
    assert mode("stages/staging") == ("3775", STEWARD.uid, REVIEWERS)
    assert mode("stages/production") == ("3775", STEWARD.uid, RELEASERS)
    assert mode("live/production") == ("2775", STEWARD.uid, RELEASERS)
    assert mode("approvals/production") == ("3775", STEWARD.uid, REVIEWERS)
    assert mode("feed") == ("3775", STEWARD.uid, AUTHORS)


@pytest.mark.parametrize("user", [ALICE, CAROL, EVE], ids=lambda user: user.name)
def test_an_unauthorised_promote_says_where_and_who_and_changes_nothing(root: Path, user: User) -> None:
    before = _listing(root)
    failure = _refused(user, lambda: Registry(root).promote("fraud:1", "production").event)
    assert "you may not move fraud:1 to production" in failure.message
    assert f"stages/production is {STEWARD.uid}:{RELEASERS} 3775" in failure.message
    assert str(user.uid) in failure.message
    assert _listing(root) == before


def test_permission_is_asked_before_the_guards(root: Path) -> None:
    set_policy(root, '[stages.staging]\n[stages.production.guards]\nmetrics = ["auc >= 0.99"]\n')
    _refused(EVE, lambda: Registry(root).promote("fraud:1", "production").event)
    with pytest.raises(ChildFailed, match=r"auc is 0\.9") as failure:
        run_as(DAVE, lambda: Registry(root).promote("fraud:1", "production").event)
    assert failure.value.type_name == "GuardRefusedError"


def test_outsiders_change_nothing(root: Path) -> None:
    source = root / "registry.toml"
    before = _listing(root)
    attempts: list[Callable[[], Any]] = [
        lambda: Registry(root).register("fraud", source).number,
        lambda: Registry(root).register("theirs", source).number,
        lambda: Registry(root).new("theirs"),
        lambda: Registry(root).label("fraud:1", "1.0.0")[1],
        lambda: Registry(root).edit("fraud:1", Edit(put={"team": "eve's"})).made,
        lambda: Registry(root).edit("fraud:1", Edit(card="# mine")).made,
        lambda: Registry(root).archive("fraud", undo=False).made,
        lambda: Registry(root).promote("fraud:1", "staging").made or Registry(root).clear("fraud", "staging").made,
        lambda: Registry(root).clear("fraud", "staging").made,
    ]
    for attempt in attempts:
        _refused(EVE, attempt)
    assert _listing(root) == before


def test_readers_need_no_write_permission_anywhere(root: Path) -> None:
    before = tree(root)

    def read() -> list[str]:
        registry = Registry(root)
        comparison_free = [str(version.ref) for version in registry.search("auc > 0.5")]
        registry.models(every_version=True)
        registry.version("fraud@staging")
        registry.card("fraud:1")
        registry.files("fraud:1")
        registry.revisions("fraud:1")
        registry.history()
        registry.can("fraud:1", "production")
        assert not [check for check in registry.verify() if check.damage]
        return comparison_free

    assert run_as(EVE, read) == ["fraud:1"]
    assert tree(root) == before


def test_a_releaser_cannot_remove_what_another_did(root: Path) -> None:
    run_as(DAVE, lambda: Registry(root).promote("fraud:1", "production").event)
    event = root / "stages" / "production" / "fraud@1"
    other = User(uid=61_014, gid=61_014, groups=(AUTHORS, RELEASERS), name="dave2")
    for attempt in (
        lambda: os.unlink(event),
        lambda: os.rename(event, event.with_name("fraud@9")),
        lambda: os.symlink("x", event),
    ):
        with pytest.raises(ChildFailed) as failure:
            run_as(other, attempt)
        assert failure.value.errno in {1, 13, 17}
    assert Registry(root).ledger("fraud", "production").holder == 1


def test_an_event_moved_in_by_somebody_else_never_counts(root: Path) -> None:
    run_as(DAVE, lambda: Registry(root).promote("fraud:1", "production").event)
    staged = os.readlink(root / "stages" / "staging" / "fraud@1")

    def plant() -> None:
        os.symlink(staged, root / "stages" / "production" / "fraud@2")
        os.symlink(
            os.readlink(root / "stages" / "production" / "fraud@1")
            .replace("fraud@1", "fraud@3")
            .replace("to=1", "to=7"),
            root / "stages" / "production" / "fraud@3",
        )

    run_as(User(uid=61_014, gid=61_014, groups=(AUTHORS, RELEASERS)), plant)
    ledger = Registry(root).ledger("fraud", "production")
    assert [event.validity.value for event in ledger.events] == ["attested", "forged", "forged"]
    assert ledger.holder == 1
    assert ledger.alarms
    result = run_as(DAVE, lambda: Registry(root).clear("fraud", "production", reason="next").event)
    assert result == "production/fraud@4"
    assert Registry(root).ledger("fraud", "production").holder is None


def test_a_private_registry_shows_outsiders_nothing(reachable_path: Path) -> None:
    home = reachable_path / "steward"
    home.mkdir()
    os.chown(home, STEWARD.uid, STEWARD.gid)
    readers = 62_009
    steward = User(uid=STEWARD.uid, gid=STEWARD.gid, groups=(*STEWARD.groups, readers))
    run_as(steward, lambda: make(home / "registry", authors=AUTHORS, readers=readers).id)
    home.chmod(0o755)
    assert "permission denied" in _refused(EVE, lambda: Registry(home / "registry").id).message
    reader = User(uid=61_020, gid=61_020, groups=(readers,))
    assert run_as(reader, lambda: len(Registry(home / "registry").models().models)) == 0


def test_init_for_groups_that_one_is_not_in_says_what_an_administrator_does(reachable_path: Path) -> None:
    home = reachable_path / "eve"
    home.mkdir()
    os.chown(home, EVE.uid, EVE.gid)
    failure = _refused(EVE, lambda: make(home / "registry", authors=AUTHORS).id)
    assert str(AUTHORS) in failure.message
    assert not (home / "registry").exists() or not os.listdir(home / "registry")
