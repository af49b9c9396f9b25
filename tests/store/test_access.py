from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stackroom.store import access
from stackroom.store.access import access_to, current_user, refused
from support.registries import ALICE, DAVE, RELEASERS, shared
from support.users import run_as

if TYPE_CHECKING:
    from pathlib import Path


def test_ones_own_folder_is_allowed(tmp_path: Path) -> None:
    found = access_to(str(tmp_path))
    assert found.allowed
    assert found.exists
    assert found.owner.uid == os.geteuid()


def test_a_missing_folder_is_no_permission_and_says_why(tmp_path: Path) -> None:
    found = access_to(str(tmp_path / "x"))
    assert (found.allowed, found.exists) == (False, False)
    assert "no such file" in str(found.refusal("write", you=current_user()))


@pytest.mark.root
def test_a_refusal_names_directory_group_and_mode(reachable_path: Path) -> None:
    production = f"{shared(reachable_path)}/stages/production"
    assert run_as(DAVE, lambda: access_to(production).allowed)

    def refusal() -> list[object]:
        error = access_to(production).refusal("move it", you=current_user())
        return [str(error), error.hint, error.facts, error.exit_code]

    message, hint, facts, code = run_as(ALICE, refusal)
    assert message == f"you may not move it: {production} is 61000:{RELEASERS} 3775, and you are 61001"
    assert (
        hint
        == f"group {RELEASERS} may (this host lists none of its members); ask the steward, to be added to {RELEASERS}"
    )
    assert (facts["group"], facts["mode"], facts["allowed"]) == (str(RELEASERS), "3775", False)  # type: ignore[index]  # facts come back as JSON
    assert code == 4


def named(monkeypatch: pytest.MonkeyPatch, members: tuple[str, ...]) -> None:
    """Give the releasers' group a name and members, and everybody the login dave."""
    monkeypatch.setattr(access, "group_name", lambda gid: "ml-release" if gid == RELEASERS else str(gid))
    monkeypatch.setattr(access, "group_members", lambda gid: members if gid == RELEASERS else ())
    monkeypatch.setattr(access, "user_name", lambda uid: "mlreg" if uid == 61000 else "dave")


@pytest.mark.root
def test_a_refusal_names_those_who_may_and_the_steward(reachable_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    production = f"{shared(reachable_path)}/stages/production"
    named(monkeypatch, ("erin", "fay"))
    advice = run_as(ALICE, lambda: access_to(production).advice())
    assert advice == "group ml-release may (erin, fay); ask one of them, or the steward, to be added to ml-release"


@pytest.mark.root
def test_who_was_added_to_the_group_since_he_logged_in_is_told_to_log_in_again(
    reachable_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = f"{shared(reachable_path)}/stages/production"
    named(monkeypatch, ("dave", "erin"))
    advice = run_as(ALICE, lambda: access_to(production).advice())
    assert advice == "you are in ml-release now, but were not when you logged in: log in again"


@pytest.mark.root
def test_a_folder_that_cannot_even_be_looked_at_is_told_without_naming_anybody(reachable_path: Path) -> None:
    (reachable_path / "closed" / "in").mkdir(parents=True)
    (reachable_path / "closed").chmod(0o700)

    def refusal() -> list[str]:
        error = access_to(f"{reachable_path}/closed/in").refusal("write", you=current_user())
        return [str(error), error.hint]

    assert run_as(ALICE, refusal) == [f"you may not write: {reachable_path}/closed/in: permission denied", ""]


def test_only_a_refusal_of_the_kernel_is_one_of_ours(tmp_path: Path) -> None:
    assert refused(OSError(28, "No space left on device"), str(tmp_path), "write") is None
    assert refused(OSError(30, "Read-only file system"), str(tmp_path), "write") is not None


def test_a_folder_that_vanishes_while_it_is_asked_about_is_told_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: str) -> os.statvfs_result:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "statvfs", gone)
    found = access_to(str(tmp_path))
    assert (found.allowed, found.exists, found.reason) == (False, True, "")
