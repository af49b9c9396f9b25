from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.names import StageName
from stackroom.errors import ConflictError, InvalidInputError, PermissionDeniedError
from stackroom.registry.facade import Registry
from stackroom.store.setup import make_registry, parse_group
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
from support.users import User, run_as

if TYPE_CHECKING:
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


@pytest.mark.root
def test_a_group_that_one_is_not_in_is_refused_and_nothing_is_made(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    root = reachable_path / "registry"

    def attempt() -> list[str]:
        with pytest.raises(PermissionDeniedError) as caught:
            make_registry(Plan(path=str(root), authors=62999), NOW)
        return [str(caught.value), caught.value.hint]

    message, hint = run_as(STEWARD, attempt)
    assert "you are not in 62999" in message
    assert "usermod -aG 62999" in hint
    assert not root.exists()


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
