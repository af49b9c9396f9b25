from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from stackroom.core.names import StageName
from stackroom.store import survey as module
from stackroom.store.folder import Folder
from stackroom.store.setup import Comparison, compare, make_registry
from stackroom.store.survey import Survey, survey
from stackroom.store.tree import Plan, expected
from support.registries import (
    ALICE,
    AUTHORS,
    GROUPS,
    NOW,
    READERS,
    RELEASERS,
    REVIEWERS,
    STEWARD,
)
from support.users import User, run_as

if TYPE_CHECKING:
    from pathlib import Path

STAGES = (StageName("staging"), StageName("production"))


def taken(root: Path, declared: tuple[StageName, ...] = STAGES) -> Survey:
    with Folder.open(str(root)) as folder:
        return survey(folder, declared)


def told(found: Survey | Comparison) -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in found.differences]


def by_hand(*commands: str) -> None:
    """Run commands as they are printed, as whoever this process is."""
    subprocess.run(["sh", "-euc", "\n".join(commands)], check=True, capture_output=True)


def team(reachable_path: Path, **plan: object) -> Path:
    reachable_path.chmod(0o777)
    root = reachable_path / "the registry"
    asked = Plan(path=str(root), **(GROUPS | plan))
    run_as(STEWARD, lambda: len(make_registry(asked, NOW)))
    return root


@pytest.mark.root
@pytest.mark.parametrize("plan", [{}, {"strict": True}, {"readers": READERS}, {"reviewers": None}, {"monitors": None}])
def test_what_init_makes_is_understood_and_has_no_fault(reachable_path: Path, plan: dict[str, object]) -> None:
    root = team(reachable_path, **plan)
    found = taken(root)
    assert found.differences == ()
    assert found.team
    assert found.steward == STEWARD.uid
    asked = Plan(path=str(root), **(GROUPS | plan))
    assert found.plan == asked
    assert {row.path for row in found.rows} == {one.path for one in found.found}


def test_a_registry_of_one_person_has_no_fault_also_where_empty_folders_are_missing(tmp_path: Path) -> None:
    root = tmp_path / "r"
    make_registry(Plan(path=str(root), stages=dict.fromkeys(STAGES)), NOW)
    for name in ("stages/staging", "feed", "live/staging", "live/production", "live"):
        (root / name).rmdir()
    assert not taken(root).team
    assert told(taken(root)) == []
    root.chmod(0o700)
    assert told(taken(root)) == []


FAULTS = [
    ("chmod 2775 stages/production", ("not-sticky", "stages/production")),
    ("chmod 01775 stages/production", ("no-setgid", "stages/production")),
    ("chmod 3777 models", ("world-writable", "models")),
    ("chmod 0775 stages", ("group-writable", "stages")),
    ("chmod 0775 .", ("group-writable", "")),
    ("chmod 0664 registry.toml", ("group-writable", "registry.toml")),
    ("chmod 0666 registry.toml", ("world-writable", "registry.toml")),
    ("chmod 02755 stages/production", ("mode", "stages/production")),
    ("chmod 00755 stages/production", ("mode", "stages/production")),
    ("chown 61001 stages", ("owner", "stages")),
    ("chown 61001 registry.toml", ("owner", "registry.toml")),
    (f"chgrp {AUTHORS} live/production", ("group", "live/production")),
    (f"chgrp {REVIEWERS} feed", ("group", "feed")),
    ("rmdir feed", ("missing", "feed")),
    ("rmdir stages/production", ("missing", "stages/production")),
    ("rmdir models; touch models", ("not-a-folder", "models")),
    ("rmdir models; ln -s / models", ("not-a-folder", "models")),
    ("mkdir stages/canary", ("stage-stray", "stages/canary")),
]


@pytest.mark.root
@pytest.mark.parametrize(("fault", "told_as"), FAULTS, ids=[fault for fault, _ in FAULTS])
def test_each_fault_is_told_once_and_its_commands_put_it_right(
    reachable_path: Path, fault: str, told_as: tuple[str, str]
) -> None:
    root = team(reachable_path)
    by_hand(f"cd '{root}'", fault)
    before = taken(root)
    assert told(before) == [told_as]
    [difference] = before.differences
    assert difference.message
    if difference.kind in {"not-a-folder", "stage-stray"}:
        assert difference.commands == ()
        return
    by_hand(*difference.commands)
    assert told(taken(root)) == []


@pytest.mark.root
def test_the_steward_can_run_what_is_told_to_be_his(reachable_path: Path) -> None:
    root = team(reachable_path)
    by_hand(f"cd '{root}'", "chmod 0777 models stages/staging", "chgrp 0 live/production", "rmdir feed observations")

    def mend() -> list[tuple[str, str]]:
        found = taken(root)
        assert {one.by for one in found.differences} == {"steward"}
        by_hand(*(command for one in found.differences for command in one.commands))
        return told(taken(root))

    assert run_as(STEWARD, mend) == []


@pytest.mark.root
def test_what_needs_an_administrator_says_so(reachable_path: Path) -> None:
    root = team(reachable_path)
    by_hand(f"cd '{root}'", f"chown {ALICE.uid} feed", f"chgrp {AUTHORS} live/production")
    alone = User(uid=STEWARD.uid, gid=STEWARD.gid)
    found = run_as(alone, lambda: [[one.path, one.by] for one in taken(root).differences])
    assert found == [["live/production", "administrator"], ["feed", "administrator"]]


@pytest.mark.root
def test_a_stage_declared_later_lacks_folders_and_its_group_is_for_the_steward_to_name(reachable_path: Path) -> None:
    root = team(reachable_path)
    stages = (*STAGES, StageName("canary"))
    found = taken(root, stages)
    assert told(found) == [("missing", f"{parent}/canary") for parent in ("stages", "live", "approvals")]
    commands = [command for one in found.differences for command in one.commands]
    assert f"chgrp -h GROUP '{root}/stages/canary'" in commands
    assert f"chgrp -h {REVIEWERS} '{root}/approvals/canary'" in commands
    named = [command.replace("GROUP", str(RELEASERS)) for command in commands]

    def mend() -> list[tuple[str, str]]:
        by_hand(*named)
        return told(taken(root, stages))

    assert run_as(STEWARD, mend) == []
    assert dict(taken(root, stages).plan.stages)[StageName("canary")] == RELEASERS


@pytest.mark.root
def test_a_stage_may_have_approvers_of_its_own(reachable_path: Path) -> None:
    root = team(reachable_path)
    by_hand(f"chgrp {RELEASERS} '{root}/approvals/production'; chmod 3775 '{root}/approvals/production'")
    assert told(taken(root)) == []


@pytest.mark.root
def test_a_tree_that_was_copied_without_owners_and_modes_has_every_fault_of_it(reachable_path: Path) -> None:
    root = team(reachable_path)
    by_hand(f"cd '{root}'; chown -R {ALICE.uid}:{AUTHORS} .; chmod -R g+w .; find . -type d -exec chmod 00775 {{}} +")
    found = {path: kind for kind, path in told(taken(root))}
    assert found["stages/production"] == "not-sticky"
    assert found["stages"] == found[""] == found["registry.toml"] == "group-writable"


@pytest.mark.root
def test_a_clone_that_only_ones_own_group_may_write_has_no_fault(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = reachable_path / "clone"
    make_registry(Plan(path=str(root), stages=dict.fromkeys(STAGES)), NOW)
    by_hand(f"cd '{root}'; chown -R {ALICE.uid}:{ALICE.gid} .; chmod -R g+w .")
    assert {kind for kind, _ in told(taken(root))} > {"group-writable"}
    monkeypatch.setattr(module, "user_name", lambda uid: "alice" if uid == ALICE.uid else "")
    monkeypatch.setattr(module, "group_members", lambda gid: ("alice",) if gid == ALICE.gid else ())
    assert told(taken(root)) == []
    assert not taken(root).team
    by_hand(f"chmod o+w '{root}/feed' '{root}'")
    assert told(taken(root)) == [("world-writable", ""), ("world-writable", "feed")]


@pytest.mark.root
def test_a_folder_that_cannot_be_looked_at_hides_no_other(reachable_path: Path) -> None:
    root = team(reachable_path)
    by_hand(f"chmod 0700 '{root}/stages'; chmod 3777 '{root}/feed'")
    found = run_as(ALICE, lambda: [" ".join(one) for one in told(taken(root))])
    assert "unreadable stages/production" in found
    assert "world-writable feed" in found


def test_every_place_is_made_after_the_one_that_it_lies_in() -> None:
    seen: set[str] = set()
    for row in expected(Plan(path="/r", stages=dict.fromkeys(STAGES))):
        assert row.path == "" or row.parent in seen
        seen.add(row.path)


def test_commands_quote_what_a_shell_would_obey(tmp_path: Path) -> None:
    root = tmp_path / "it's; $(touch pwned)"
    make_registry(Plan(path=str(root)), NOW)
    by_hand(f"cd '{tmp_path}/'it*", "chmod 0777 models", "chmod 2777 feed")
    asked = compare(Plan(path=str(root)))
    assert asked is not None
    assert told(asked) == [("world-writable", "models"), ("world-writable", "feed")]
    by_hand(f"cd '{tmp_path}'", *asked.commands())
    asked = compare(Plan(path=str(root)))
    assert asked is not None
    assert asked.differences == ()
    assert os.listdir(tmp_path) == [root.name]


def test_where_there_is_no_registry_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert compare(Plan(path=str(tmp_path))) is None
    assert compare(Plan(path=str(tmp_path / "none"))) is None


def test_a_policy_that_is_wrong_is_a_difference_beside_the_others(tmp_path: Path) -> None:
    make_registry(Plan(path=str(tmp_path / "r")), NOW)
    (tmp_path / "r" / "registry.toml").write_text("format = ")
    (tmp_path / "r" / "feed").chmod(0o777)
    found = compare(Plan(path=str(tmp_path / "r")), asked=False)
    assert found is not None
    assert told(found) == [("policy", "registry.toml"), ("world-writable", "feed")]
