from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

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
    assert hint == f"group {RELEASERS} may (no members known here); ask one of them, or ask 61000 to be added"
    assert (facts["group"], facts["mode"], facts["allowed"]) == (str(RELEASERS), "3775", False)  # type: ignore[index]  # facts come back as JSON
    assert code == 4


def test_only_a_refusal_of_the_kernel_is_one_of_ours(tmp_path: Path) -> None:
    assert refused(OSError(28, "No space left on device"), str(tmp_path), "write") is None
    assert refused(OSError(30, "Read-only file system"), str(tmp_path), "write") is not None
