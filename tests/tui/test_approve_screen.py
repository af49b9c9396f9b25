"""One person's word: what it is about is shown before it is given, and it is about nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stackroom.registry import approving
from stackroom.registry.editing import Edit
from stackroom.store import access, attested
from stackroom.tui import picture
from stackroom.tui.screens.approve import ApprovePage
from stackroom.tui.screens.browse import BrowsePage
from tui.browsing import MIDDLE, NARROW, Walk, walk

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


def ask_for_approvals(registry: Registry, sample: Path, *stages: str) -> None:
    """Put the guard into some stages."""
    file = sample / "registry.toml"
    text = file.read_text()
    if "staging" in stages:
        text = text.replace("guards = { require", "guards = { approvals = 1, require")
    if "production" in stages:
        text = text.replace("reason = true", "reason = true\napprovals = 2")
    file.write_text(text)
    registry.refresh()


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_the_stage_is_chosen_and_what_is_pinned_is_shown(
    registry: Registry, sample: Path, size: tuple[int, int]
) -> None:
    ask_for_approvals(registry, sample, "staging", "production")
    registry.reject("iris-species:3", "production", reason="too slow")

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("a")
        somebody.golden("approve-stages")
        await somebody.press("G", "enter")
        page = somebody.page
        assert isinstance(page, ApprovePage)
        assert "ana rejected: too slow" in somebody.text
        assert "0 approved, 1 rejected" in somebody.text
        somebody.golden("approve-asked")
        await somebody.press(*"fast enough now", "enter")
        assert isinstance(somebody.page, BrowsePage)
        assert "iris-species:3 approved for production" in somebody.status

    walk(registry, steps, size=size)
    words = registry.approvals("iris-species:3", "production")
    assert [(word.approval.op.value, word.approval.why, word.stands) for word in words if word.approval] == [
        ("reject", "too slow", False),
        ("approve", "fast enough now", True),
    ]


def test_one_stage_that_asks_needs_no_choice_and_a_no_is_a_word_too(registry: Registry, sample: Path) -> None:
    ask_for_approvals(registry, sample, "production")

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("enter")
        await somebody.press("A")
        assert "reject iris-species:3 for production" in somebody.text
        await somebody.press("enter")
        assert "iris-species:3 rejected for production" in somebody.status

    walk(registry, steps)
    assert [word.stands for word in registry.approvals("iris-species:3", "production")] == [True]


def test_what_was_edited_meanwhile_is_not_approved_unseen(registry: Registry, sample: Path) -> None:
    ask_for_approvals(registry, sample, "production")

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press(*":approve iris-species:3 production", "enter")
        page = somebody.page
        registry.edit("iris-species:3", Edit(put={"team": "other"}))
        await somebody.press("enter")
        assert somebody.page is page
        assert "was changed by ana while you looked at it: another metadata now" in " ".join(somebody.text.split())
        assert registry.approvals("iris-species:3") == ()
        await somebody.press("enter")
        assert "approved for production" in somebody.status

    walk(registry, steps)
    assert [word.stands for word in registry.approvals("iris-species:3", "production")] == [True]


def test_a_word_that_became_void_says_why(registry: Registry, sample: Path) -> None:
    ask_for_approvals(registry, sample, "production")
    registry.approve("iris-species:3", "production", reason="fine")
    registry.edit("iris-species:3", Edit(put={"team": "other"}))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("a")
        assert "void: another metadata now" in somebody.text
        await somebody.press("escape")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)


def test_who_may_not_speak_sees_the_directory_the_group_and_its_members(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_approvals(registry, sample, "production")
    real = attested.access_to_stage
    monkeypatch.setattr(
        approving,
        "access_to_stage",
        lambda *place: replace(
            real(*place), allowed=False, group="reviewers", members=("bo", "eva"), group_may=True, mode=0o3775
        ),
    )

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("a")
        assert "bo, eva" in somebody.text
        assert "reviewers" in somebody.text
        await somebody.press("enter")
        assert "you may not: group reviewers may (bo, eva)" in somebody.page.status.message

    walk(registry, steps)
    assert registry.approvals("iris-species:3") == ()


def test_readers_are_told_about_the_folder_of_approvals_and_reviewers_are_none(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in ("staging", "production"):
        (sample / "approvals" / stage).mkdir(parents=True, exist_ok=True)
    reviewers: set[str] = set()

    def access_to(directory: str) -> access.Access:
        may = directory.rpartition("/")[2] in reviewers and "/approvals/" in directory
        group = "reviewers" if "/approvals/" in directory else "release"
        return replace(access.access_to(directory), allowed=may, group=group, members=("bo",), group_may=True)

    monkeypatch.setattr(picture, "access_to", access_to)
    monkeypatch.setattr(picture, "access_to_models", lambda root: access_to(f"{root}/models"))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("a")
        assert "approvals/production" in somebody.text
        assert "reviewers" in somebody.text
        await somebody.press("q", "U")
        assert "stages/production" in somebody.text
        await somebody.press("q")
        reviewers.add("production")
        await somebody.press("r")
        assert "read-only" not in somebody.text
        await somebody.press("a")
        assert isinstance(somebody.page, ApprovePage)

    walk(registry, steps)
