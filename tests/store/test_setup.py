from __future__ import annotations

import os
import re
import stat
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.names import StageName
from stackroom.errors import ConflictError, InvalidInputError, PermissionDeniedError
from stackroom.registry.facade import Registry
from stackroom.store import setup, survey
from stackroom.store.access import group_name
from stackroom.store.setup import check_plan, compare, make_registry, parse_group
from stackroom.store.tree import Plan
from support.registries import (
    AUTHORS,
    GROUPS,
    MONITORS,
    NOW,
    READERS,
    RELEASERS,
    REVIEWERS,
    STEWARD,
    tree,
)
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT: dict[str, tuple[int, int | None]] = {
    ".": (0o755, None),
    "registry.toml": (0o644, None),
    "models": (0o3775, AUTHORS),
    "stages": (0o755, None),
    "stages/staging": (0o3775, REVIEWERS),
    "stages/production": (0o3775, RELEASERS),
    "live": (0o755, None),
    "live/staging": (0o2775, REVIEWERS),
    "live/production": (0o2775, RELEASERS),
    "approvals": (0o755, None),
    "approvals/staging": (0o3775, REVIEWERS),
    "approvals/production": (0o3775, REVIEWERS),
    "observations": (0o3775, MONITORS),
    "feed": (0o3775, AUTHORS),
}
"""The layout of docs/reference/format.md, as mode and group."""


def seen(root: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for name in tree(root):
        status = (root / name).lstat()
        found[os.path.normpath(name)] = (stat.S_IMODE(status.st_mode), status.st_gid)
    return found


def expected(changes: dict[str, tuple[int, int | None]], own: int) -> dict[str, tuple[int, int]]:
    return {name: (mode, own if gid is None else gid) for name, (mode, gid) in (FORMAT | changes).items()}


ROOT = User(uid=0, gid=0, name="root")


@pytest.mark.root
@pytest.mark.parametrize("user", [ROOT, STEWARD], ids=["root", "steward"])
@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_init_sets_exactly_the_modes_of_the_format(reachable_path: Path, user: User, umask: int) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    made: list[dict[str, str]] = run_as(
        user, lambda: [line.document() for line in make_registry(Plan(path=str(root), **GROUPS), NOW)], umask=umask
    )
    assert seen(root) == expected({}, user.gid)
    assert {line["path"].rstrip("/"): line["mode"] for line in made} == {
        name: f"{mode:04o}" for name, (mode, _) in seen(root).items()
    }
    assert {path.lstat().st_uid for path in root.rglob("*")} == {user.uid}


@pytest.mark.root
def test_with_strict_only_the_steward_makes_models(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    run_as(STEWARD, lambda: len(make_registry(Plan(path=str(root), strict=True, **GROUPS), NOW)))
    assert seen(root) == expected({"models": (0o2755, AUTHORS)}, STEWARD.gid)


@pytest.mark.root
def test_a_private_registry_is_closed_at_its_root(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    run_as(STEWARD, lambda: len(make_registry(Plan(path=str(root), readers=READERS, **GROUPS), NOW)))
    found = seen(root)
    assert found["."] == (0o2750, READERS)
    assert found["models"] == (0o3775, AUTHORS)
    outsider = User(uid=61099, gid=61099)
    assert run_as(outsider, lambda: os.access(root, os.X_OK)) is False
    assert run_as(User(uid=61099, gid=61099, groups=(READERS,)), lambda: Registry(root).name) == "registry"


def test_one_person_needs_no_groups(tmp_path: Path) -> None:
    stages = {StageName("staging"): None, StageName("production"): None}
    make_registry(Plan(path=str(tmp_path / "r"), stages=stages), NOW)
    assert {mode for name, (mode, _) in seen(tmp_path / "r").items() if name != "registry.toml"} == {0o755}
    registry = Registry(tmp_path / "r")
    assert registry.policy_error is None
    assert registry.policy.stages[1].guards.origin == ("staging",)
    assert registry.policy.stages[0].guards.origin == ()


def asked(root: Path, **changes: Any) -> Plan:  # noqa: ANN401 - fields of Plan
    return Plan(path=str(root), **(GROUPS | changes))


def shell(commands: list[str]) -> None:
    """Run what was printed, as the administrator with a strict umask would."""
    subprocess.run(["sh", "-euc", "\n".join(["umask 077", *commands])], check=True, capture_output=True)


def refusal_of(plan: Plan) -> dict[str, Any]:
    """How init refuses, as JSON can tell it; a dry run refuses alike."""
    with pytest.raises(PermissionDeniedError) as caught:
        make_registry(plan, NOW)
    with pytest.raises(PermissionDeniedError, match=re.escape(str(caught.value))):
        check_plan(plan)
    return {"message": str(caught.value), "hint": caught.value.hint, **caught.value.facts}


def told_of(plan: Plan) -> list[str]:
    there = compare(plan)
    assert there is not None
    return [f"{one.kind} {one.path}" for one in there.differences]


@pytest.mark.root
def test_a_group_that_one_is_not_in_is_refused_and_nothing_is_made(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    told = run_as(STEWARD, lambda: refusal_of(Plan(path=str(root), authors=62999)))
    assert "you are not in 62999" in told["message"]
    assert "usermod -aG 62999" in told["hint"]
    assert told["groups"] == ["62999"]
    assert not root.exists()


LONELY = User(uid=STEWARD.uid, gid=STEWARD.gid, groups=(AUTHORS,), name="mlreg")
"""The steward, who is in one group of all."""


@pytest.mark.root
@pytest.mark.parametrize("changes", [{}, {"readers": READERS}, {"strict": True}, {"authors": 62_999}], ids=str)
@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_what_an_administrator_is_told_to_make_is_what_lacks(
    reachable_path: Path, changes: dict[str, Any], umask: int
) -> None:
    root = reachable_path / "not there; yet" / "it's"
    plan = asked(root, **changes)
    told = run_as(LONELY, lambda: refusal_of(plan), umask=umask)
    lacking = {str(gid) for gid in plan.groups()} - {str(AUTHORS)}
    assert set(told["groups"]) == lacking
    by_groups, by_folders = told["recipes"]
    assert by_groups["commands"] == [f"usermod -aG {','.join(told['groups'])} {STEWARD.uid}"]
    shell(by_folders["commands"])
    made = run_as(LONELY, lambda: len(make_registry(plan, NOW)), umask=umask)
    assert made == len(seen(root))
    assert {path.lstat().st_uid for path in [root, *root.rglob("*")]} == {STEWARD.uid}
    there = run_as(LONELY, lambda: told_of(plan), umask=umask)
    assert there == []
    assert os.listdir(reachable_path) == ["not there; yet"]


@pytest.mark.root
def test_an_administrator_makes_no_folder_that_the_steward_can_make(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    told = run_as(LONELY, lambda: refusal_of(asked(root, monitors=None, reviewers=None)))
    names = ("", "/stages", "/stages/staging", "/stages/production", "/live", "/live/staging", "/live/production")
    places = " ".join(f"{root}{name}" for name in names)
    assert told["recipes"][1]["commands"] == [
        f"(umask 022; mkdir -p {places})",
        f"chown -h {STEWARD.uid} {places}",
        f"chgrp -h {REVIEWERS} {root}/stages/staging {root}/live/staging",
        f"chgrp -h {RELEASERS} {root}/stages/production {root}/live/production",
        f"chmod 00755 {root} {root}/stages {root}/live",
        f"chmod 2775 {root}/live/staging {root}/live/production",
        f"chmod 3775 {root}/stages/staging {root}/stages/production",
    ]


@pytest.mark.root
def test_a_folder_that_one_may_not_make_is_refused_with_what_makes_it(reachable_path: Path) -> None:
    root = reachable_path / "srv" / "registry"
    told = run_as(STEWARD, lambda: refusal_of(asked(root)))
    assert f"you may not make {root}: {reachable_path} is root:" in told["message"]
    shell([told["hint"].partition("as an administrator: ")[2].partition("; then run")[0]])
    run_as(STEWARD, lambda: len(make_registry(asked(root), NOW)))


@pytest.mark.root
def test_a_folder_of_somebody_elses_becomes_no_registry(reachable_path: Path) -> None:
    root = reachable_path / "registry"
    root.mkdir()
    root.chmod(0o777)
    told = run_as(STEWARD, lambda: refusal_of(asked(root)))
    assert f"{root} belongs to root, and you are {STEWARD.uid}" in told["message"]
    shell([told["hint"].partition("as an administrator: ")[2]])
    run_as(STEWARD, lambda: len(make_registry(asked(root), NOW)))
    assert seen(root) | {".": (0o755, STEWARD.gid)} == expected({}, STEWARD.gid)


@pytest.mark.root
@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_init_goes_on_wherever_it_was_killed(reachable_path: Path, umask: int) -> None:
    reachable_path.chmod(0o777)
    whole = 0
    for step in range(1, 500):
        root = reachable_path / f"registry-{step}"
        if not run_as(STEWARD, partial(killed_at, step, partial(make_registry, asked(root), NOW)), umask=umask):
            whole = step
            break
        if not (root / "registry.toml").exists():
            run_as(STEWARD, partial(made_again, root), umask=umask)
        assert seen(root).keys() >= FORMAT.keys()
        assert {name: found for name, found in seen(root).items() if name in FORMAT} == expected({}, STEWARD.gid)
        assert Registry(root).policy_error is None
    assert whole > 40


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Whether the process was still at it when it was to be killed at its so-many-eth call that changes something."""
    count = 0

    class KilledError(BaseException):
        pass

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
            nonlocal count
            count += 1
            if count >= step:
                raise KilledError
            return real(*arguments, **options)

        return call

    for name in ("mkdir", "fchmod", "fchown", "write", "open", "fsync", "link", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    try:
        action()
    except KilledError:
        return True
    return False


def made_again(root: Path) -> int:
    return len(make_registry(asked(root), NOW))


@pytest.mark.parametrize("stray", ["file", "models/fraud", "stages/canary", "stages/staging/fraud@1"])
def test_init_goes_on_with_nothing_that_it_did_not_make(tmp_path: Path, stray: str) -> None:
    root = tmp_path / "r"
    stages = {StageName("staging"): None}
    make_registry(Plan(path=str(root), stages=stages), NOW)
    (root / "registry.toml").unlink()
    (root / stray).touch()
    before = tree(root)
    with pytest.raises(InvalidInputError, match="is not empty") as caught:
        make_registry(Plan(path=str(root), stages=stages), NOW)
    assert caught.value.facts["found"] == [stray]
    assert tree(root) == before


@pytest.mark.root
def test_init_goes_on_with_nothing_of_somebody_elses(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    run_as(STEWARD, lambda: len(make_registry(asked(root), NOW)))
    (root / "registry.toml").unlink()
    os.chown(root / "live/staging", 61_001, -1)
    with pytest.raises(ChildFailed, match="is not empty"):
        run_as(STEWARD, partial(made_again, root))


@pytest.mark.root
def test_init_on_a_registry_tells_what_differs_and_changes_nothing(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    run_as(STEWARD, partial(made_again, root))
    listing = ["ls", "-lR", "--full-time", str(root)]
    before = subprocess.run(listing, capture_output=True, check=True).stdout
    wish = asked(root, strict=True, monitors=AUTHORS, stages={StageName("staging"): REVIEWERS})
    there = compare(wish)
    assert there is not None
    assert [(one.kind, one.path) for one in there.differences] == [
        ("stage-not-asked", "registry.toml"),
        ("group-writable", "models"),
        ("group", "observations"),
    ]
    assert subprocess.run(listing, capture_output=True, check=True).stdout == before
    shell([command for one in there.differences for command in one.commands])
    there = compare(asked(root, strict=True, monitors=AUTHORS))
    assert there is not None
    assert there.differences == ()


@pytest.mark.root
def test_what_was_not_asked_for_is_held_against_itself_and_takes_nobodys_access(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"
    run_as(STEWARD, partial(made_again, root))
    for wish in (
        Plan(path=str(root), stages={StageName("staging"): REVIEWERS, StageName("production"): None}),
        Plan(path=str(root), authors=AUTHORS),
        Plan(path=str(root), reviewers=REVIEWERS),
    ):
        there = compare(wish)
        assert there is not None
        assert there.differences == ()
    there = compare(Plan(path=str(root), stages={StageName("staging"): RELEASERS, StageName("production"): None}))
    assert there is not None
    places = [f"{root}/{parent}/staging" for parent in ("stages", "live")]
    assert [(one.kind, one.path) for one in there.differences] == [
        ("group", "stages/staging"),
        ("group", "live/staging"),
    ]
    assert there.commands() == (
        f"chgrp -h {RELEASERS} {places[0]}",
        f"chmod 3775 {places[0]}",
        f"chgrp -h {RELEASERS} {places[1]}",
        f"chmod 2775 {places[1]}",
    )
    (root / "observations").chmod(0o2775)
    there = compare(Plan(path=str(root), authors=AUTHORS))
    assert there is not None
    assert [(one.kind, one.path) for one in there.differences] == [("not-sticky", "observations")]
    there = compare(Plan(path=str(root), strict=True))
    assert there is not None
    told = {one.path: one.message for one in there.differences}
    assert told["models"].startswith(f"is shared with {AUTHORS}, which was not asked for")


def test_a_reader_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getegid()
    people = {own: ("ann", "bo"), AUTHORS: ("ann", "cy")}
    for module in (setup, survey):
        monkeypatch.setattr(module, "group_members", lambda gid: people.get(gid, ()))
    plan = Plan(path=str(tmp_path / "r"), readers=own, authors=AUTHORS, monitors=MONITORS)
    with pytest.raises(InvalidInputError, match=f"cy of group {AUTHORS} could not read the registry"):
        check_plan(plan)
    assert setup.unchecked(plan) == (str(MONITORS),)
    assert setup.unchecked(Plan(path="r", authors=MONITORS)) == ()
    make_registry(Plan(path=str(tmp_path / "r"), readers=own), NOW)
    there = compare(plan)
    assert there is not None
    [told] = [one for one in there.differences if one.kind == "shut-out"]
    assert told.message == f"cy of group {AUTHORS} cannot read the registry: not in {group_name(own)}"
    assert told.commands == (f"usermod -aG {group_name(own)} cy",)


@pytest.mark.root
def test_where_the_file_system_gives_a_folder_to_nobody_there_is_no_registry(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def squashed(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        real(path, mode, dir_fd=dir_fd)
        os.chown(path, 65_534, 65_534, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", squashed)
    with pytest.raises(PermissionDeniedError, match="root is squashed, or ids are mapped") as caught:
        make_registry(Plan(path=str(reachable_path / "registry")), NOW)
    assert "ordinary account" in caught.value.hint
    assert not (reachable_path / "registry" / "registry.toml").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "r"
    make_registry(Plan(path=str(root)), NOW)
    before = tree(root)
    with pytest.raises(ConflictError, match="is a registry already"):
        make_registry(Plan(path=str(root)), NOW)
    with pytest.raises(InvalidInputError, match="is not empty"):
        make_registry(Plan(path=str(tmp_path)), NOW)
    assert tree(root) == before


@pytest.mark.parametrize("plan", [{"name": 'quo"te\\ and \n'}, {"stages": {"a.b": None, "c": None}}, {"stages": {}}])
def test_the_registry_file_is_always_right(tmp_path: Path, plan: dict[str, Any]) -> None:
    make_registry(Plan(path=str(tmp_path / "r"), **plan), NOW)
    assert Registry(tmp_path / "r").policy_error is None


def test_a_group_is_a_name_or_a_number() -> None:
    assert parse_group("62001") == 62001
    assert parse_group("root") == 0
    with pytest.raises(InvalidInputError, match="no group 'nobody-knows'"):
        parse_group("nobody-knows")
