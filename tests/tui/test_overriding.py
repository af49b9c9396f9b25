"""A guard that refuses can be overridden where registry.toml allows it: with a reason, loudly, and typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stackroom.registry.facade import Registry
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.move import MovePage
from tui.browsing import MIDDLE, NARROW, NOW, Walk, walk

if TYPE_CHECKING:
    from pathlib import Path


def guard(registry: Registry, sample: Path, guards: str) -> None:
    """Put guards before those of staging."""
    file = sample / "registry.toml"
    file.write_text(file.read_text().replace("guards = { require", f"guards = {{ {guards}, require"))
    registry.refresh()


async def judge(somebody: Walk, ref: str, stage: str) -> MovePage:
    await somebody.press(*f":move {ref} {stage}", "enter")
    page = somebody.page
    assert isinstance(page, MovePage)
    return page


@pytest.mark.parametrize("size", [(60, 16), NARROW, MIDDLE])
def test_an_overridden_guard_is_loud_needs_a_reason_and_the_version_typed(
    registry: Registry, sample: Path, size: tuple[int, int]
) -> None:
    guard(registry, sample, "approvals = { value = 1, overridable = true }")
    registry.reject("iris-species:3", "staging", reason="leaked labels")

    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "iris-species:3", "staging")
        if size[1] > 16:  # at the least size they are scrolled to
            assert "ana rejected: leaked labels" in somebody.text
            assert "it may be overridden: space" in somebody.text
        await somebody.press("space")
        somebody.golden("move-overridden")
        await somebody.press("enter")
        assert "type the reason" in page.status.message
        await somebody.press(*"fixes the outage", "enter", "enter")
        assert "type iris-species:3 to confirm" in page.status.message
        await somebody.press(*"iris-species:3", "enter")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps, size=size)
    move = registry.ledger("iris-species", "staging").events[-1].move
    assert move is not None
    assert (move.to, move.override, move.why) == (3, ("approvals",), "fixes the outage")


def test_an_override_is_taken_back_and_of_several_guards_one_is_chosen(registry: Registry, sample: Path) -> None:
    both = "approvals = { value = 1, overridable = true }, metrics = { value = ['auc >= 2'], overridable = true }"
    guard(registry, sample, both)

    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "iris-species:3", "staging")
        await somebody.press("space")
        assert "1 approvals  2 metrics" in somebody.text
        await somebody.press("1")
        assert "OVERRIDES approvals" in somebody.text
        assert page.facts() == ["1 of 4 guards refuse"]
        await somebody.press("enter")
        assert "metrics auc" in page.status.message
        await somebody.press("space", "2")
        assert "OVERRIDES approvals, metrics" in somebody.text
        assert page.wanted == "iris-species:3"
        await somebody.press("tab", "tab", "space", "1")
        assert "OVERRIDES metrics" in somebody.text
        await somebody.press("enter")
        assert somebody.page is page

    walk(registry, steps)
    assert registry.ledger("iris-species", "staging").events == ()


def test_what_registry_toml_does_not_let_go_stays(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "tumor-screening:5", "production")
        await somebody.press("space")
        assert "no guard that refuses may be overridden" in page.status.message
        assert "OVERRIDES" not in somebody.text

    walk(registry, steps)


def test_a_version_edited_under_ones_eyes_does_not_move_unseen(registry: Registry, sample: Path) -> None:
    from stackroom.registry.editing import Edit  # noqa: PLC0415  # only here

    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "diabetes-progression:4", "production")
        await somebody.press(*"better", "enter", *"diabetes-progression:4")
        other = Registry(sample, clock=lambda: NOW)
        other.edit("diabetes-progression:4", Edit(put={"team": "other"}))
        await somebody.press("enter")
        assert somebody.page is page
        assert "was changed by ana while you looked at it: another metadata now" in " ".join(
            somebody.text.replace("▐", "").split()
        )
        await somebody.press("enter")
        assert "diabetes-progression:4 moved to production" in somebody.status

    walk(registry, steps)
    assert registry.version("diabetes-progression@production").number == 4
