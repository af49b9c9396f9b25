"""A move is judged before the eyes of whoever makes it, and once more when it is made."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from stackroom.registry import judging, moving
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.judging import Options
from stackroom.store import access, attested, digest
from stackroom.tui.present.move import hashing
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.move import MovePage
from support.registries import tree
from tui.browsing import MIDDLE, NARROW, NOW, Walk, key_event, walk
from tui.screen import until

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.judging import Judgement


async def judge(somebody: Walk, ref: str, stage: str) -> MovePage:
    await somebody.press(*f":move {ref} {stage}", "enter")
    page = somebody.page
    assert isinstance(page, MovePage)
    return page


def names_in(folder: Path) -> set[str]:
    # Not rglob: Python 3.11.2 follows the links that events are.
    return {
        os.path.relpath(os.path.join(place, name), folder)
        for place, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_stages_refusals_and_agreements_look_as_they_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("s")
        somebody.golden("move-stages")
        await somebody.press("enter")
        somebody.golden("move-refused")
        await somebody.press("escape")
        await judge(somebody, "diabetes-progression:4", "production")
        somebody.golden("move-asked")
        await somebody.type("better with fewer values")
        await somebody.press("tab", *"diabetes-progression:4")
        somebody.golden("move-ready")

    walk(registry, steps, size=size)


def test_enter_does_nothing_until_every_line_has_its_tick(registry: Registry, sample: Path) -> None:
    before = names_in(sample)

    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "tumor-screening:5", "production")
        await somebody.press("enter", "enter")
        assert "not_worse accuracy" in page.status.message
        assert somebody.page is page
        await somebody.press("escape")
        page = await judge(somebody, "diabetes-progression:4", "production")
        for keys, told in (
            (["enter"], "type the reason"),
            # In two goes: an Enter that overtakes the blank on its way to the line does not know yet that it is none.
            ([" "], ""),
            (["enter"], "type the reason"),
            ([*"why", "enter"], "type diabetes-progression:4 to confirm"),
            ([*"diabetes-progression:3", "enter"], "type diabetes-progression:4 to confirm"),
        ):
            await somebody.press(*keys)
            assert told in page.status.message
            assert somebody.page is page

    walk(registry, steps)
    assert names_in(sample) == before


def test_enter_on_what_was_refused_judges_afresh(registry: Registry) -> None:
    registry.edit("iris-species:3", Edit(drop=["description"]))

    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "iris-species:3", "staging")
        await somebody.press("enter")
        assert "require description" in page.status.message
        registry.edit("iris-species:3", Edit(put={"description": "petals and sepals"}))
        await somebody.press("enter")
        assert page.status.message == "enter makes the move"
        await somebody.press("enter")
        assert "iris-species:3 moved to staging" in somebody.status

    walk(registry, steps)


def test_a_move_changes_the_files_that_the_screen_lists_and_no_others(registry: Registry, sample: Path) -> None:
    before = tree(sample)
    listed: list[str] = []

    async def steps(somebody: Walk) -> None:
        await judge(somebody, "diabetes-progression:4", "production")
        listed.extend(line.split()[0] for line in somebody.text.partition("Changes on disk")[2].splitlines()[1:3])
        await somebody.press(*"better", "enter")
        await somebody.press(*"diabetes-progression:4", "enter")
        assert isinstance(somebody.page, BrowsePage)
        assert "diabetes-progression:4 moved to production" in somebody.status

    walk(registry, steps, size=MIDDLE)
    after = tree(sample)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    files = {name for name in changed if (sample / name).is_symlink() or not (sample / name).is_dir()}
    assert listed == ["stages/production/diabetes-progression@2", "live/production/diabetes-progression"]
    assert files - {name for name in files if name.startswith("feed/")} == set(listed)
    move = registry.ledger("diabetes-progression", "production").events[-1].move
    assert move is not None
    assert (move.to, move.why) == (4, "better")


@pytest.mark.parametrize("key", ["tab", "enter", "shift+tab"])
def test_what_is_typed_ahead_is_for_the_other_line(registry: Registry, key: str) -> None:
    async def steps(somebody: Walk) -> None:
        await judge(somebody, "diabetes-progression:4", "production")
        await somebody.press(*"fewer values", key, *"diabetes-progression:4")
        assert somebody.page.status.message == "enter makes the move"
        await somebody.press("enter")
        assert "diabetes-progression:4 moved to production" in somebody.status

    walk(registry, steps)
    move = registry.ledger("diabetes-progression", "production").events[-1].move
    assert move is not None
    assert move.why == "fewer values"


def test_back_goes_to_the_choice_of_the_stage_first(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("s", "enter")
        assert "guards refuse" in somebody.text
        assert "enter" not in [hint.key for hint in somebody.page.hints._hints if hint.enabled]
        await somebody.press("q")
        assert "choose the stage" in somebody.status
        assert "enter" in [hint.key for hint in somebody.page.hints._hints if hint.enabled]
        await somebody.press("k", "enter")
        assert "tumor-screening:5 \u2192 staging" in somebody.text
        await somebody.press("escape", "escape")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)


def test_a_stage_without_a_reason_and_not_the_last_asks_for_nothing_typed(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await judge(somebody, "iris-species:3", "staging")
        assert "Type the version" not in somebody.text
        await somebody.press("enter")
        assert "iris-species:3 moved to staging" in somebody.status

    walk(registry, steps)
    assert registry.version("iris-species@staging").number == 3


def test_somebody_faster_is_named_and_the_move_is_judged_again(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        page = await judge(somebody, "diabetes-progression:4", "production")
        await somebody.press(*"better", "enter")
        await somebody.type("diabetes-progression:4")
        other = Registry(sample, clock=lambda: NOW)
        moving.clear(other, "diabetes-progression", "production", Options(reason="it is on fire"))
        await somebody.press("enter")
        assert somebody.page is page
        assert "was faster" in somebody.text
        assert "it is on fire" in " ".join(somebody.text.replace("▐", "").split())
        assert "nobody holds it" in somebody.text
        await somebody.press("enter")
        assert "diabetes-progression:4 moved to production" in somebody.status

    walk(registry, steps)


def test_a_change_while_one_looks_is_told_and_judged_again(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await judge(somebody, "diabetes-progression:4", "production")
        await somebody.type("half a rea")
        Registry(sample, clock=lambda: NOW).promote("diabetes-progression:2", "staging", reason="x")
        somebody.app.read_model("diabetes-progression")
        await somebody.settle()
        assert "changed meanwhile: diabetes-progression:2 moved to staging" in somebody.text
        assert "half a rea" in somebody.text

    walk(registry, steps)


def test_a_rollback_goes_to_the_holder_before(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("U")
        somebody.golden("rollback-stages")
        await somebody.press("enter")
        somebody.golden("rollback-asked")
        await somebody.press("enter")
        assert "type the reason" in somebody.page.status.message
        await somebody.press(*"the probe broke", "enter")
        await somebody.press(*"tumor-screening:3", "enter")
        assert "tumor-screening:3 moved to production" in somebody.status

    walk(registry, steps)
    assert registry.version("tumor-screening@production").number == 3


def test_a_rollback_with_nothing_before_says_so(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("U", "enter")
        await somebody.settle()
        assert "nothing held production of diabetes-progression before" in somebody.text
        await somebody.press("enter", "escape")
        assert "choose the stage" in somebody.status
        await somebody.press("q")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)


def test_reading_the_artifacts_shows_how_far_it_is_and_escape_gives_it_up(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sample / "registry.toml"
    file.write_text(file.read_text().replace("guards = { require", "guards = { verify = true, require"))
    registry.refresh()
    going_on = threading.Event()
    real = digest.verify_version

    def slow(folder: object, sealed: str, progress: object, **limits: object) -> object:
        progress(1000)  # type: ignore[operator]  # a progress
        going_on.wait(10)
        return real(folder, sealed, progress, **limits)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(judging, "verify_version", slow)

    async def steps(somebody: Walk) -> None:
        somebody.app.move(registry.version("iris-species:3").model, 3, "staging")
        await until(lambda: "reading artifacts: 1.00K of" in somebody.text, "progress is shown")
        page = somebody.page
        assert isinstance(page, MovePage)
        somebody.page.act("escape")
        assert somebody.page is not page
        going_on.set()
        await somebody.settle()
        await judge(somebody, "iris-species:3", "staging")
        assert "every byte as sealed" in somebody.text

    walk(registry, steps)
    assert registry.ledger("iris-species", "staging").events == ()


def test_guards_about_people_and_programs_say_what_they_saw_before_a_reason_is_typed(
    registry: Registry, sample: Path
) -> None:
    file = sample / "registry.toml"
    asks = 'approvals = { value = 1, overridable = true }, reason = true, command = ["checks/audit", "{ref}"], require'
    file.write_text(file.read_text().replace("guards = { require", f"guards = {{ {asks}"))
    for folder in (sample, sample / "checks"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    file.chmod(0o644)
    program = sample / "checks" / "audit"
    program.write_text('#!/bin/sh\necho "audited $1"\n')
    program.chmod(0o755)
    registry.refresh()

    async def steps(somebody: Walk) -> None:
        await judge(somebody, "iris-species:3", "staging")
        assert "0 of 1" in somebody.text
        assert "it may be overridden: space" in somebody.text
        assert "not run, because other guards refuse" in somebody.text
        text = file.read_text().replace("approvals = { value = 1, overridable = true }, ", "")
        file.write_text(text)
        registry.refresh()
        await somebody.press("r")
        await somebody.settle()
        assert "ended with 0: audited iris-species:3" in somebody.text

    walk(registry, steps)


@pytest.mark.parametrize(
    ("done", "total", "seconds", "told"),
    [
        (0, 10, 0.0, "reading artifacts: 0B of 10B, 0B/s"),
        (500_000, 1_000_000, 2.0, "reading artifacts: 500K of 1.00M, 250K/s, 2s left"),
        (10, 10, 1.0, "reading artifacts: 10B of 10B, 10B/s"),
        (20, 0, 1.0, "reading artifacts: 20B of 0B, 20B/s"),
    ],
)
def test_the_progress_of_hashing_in_words(done: int, total: int, seconds: float, told: str) -> None:
    assert hashing(done, total, seconds) == told


def test_who_may_not_sees_why_and_the_lines_are_not_asked(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace  # noqa: PLC0415  # only here

    real = access.access_to
    monkeypatch.setattr(
        attested,
        "access_to",
        lambda directory: replace(
            real(directory), allowed=False, group="ml-release", members=("bo", "eva"), group_may=True
        ),
    )

    async def steps(somebody: Walk) -> None:
        await judge(somebody, "diabetes-progression:4", "production")
        somebody.golden("move-not-allowed")
        await somebody.press("enter")
        assert "you may not: group ml-release may (bo, eva)" in somebody.status

    walk(registry, steps)


def test_what_is_typed_while_a_move_is_judged_is_the_reason_and_presses_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_now, judged = judging.judge_move, threading.Event()

    def judge_late(registry: Registry, ref: str, stage: str, options: Options) -> Judgement:
        assert judged.wait(20)
        return judge_now(registry, ref, stage, options)

    monkeypatch.setattr(judging, "judge_move", judge_late)

    async def steps(somebody: Walk) -> None:
        for key in (*":move diabetes-progression:4 production", "enter", *"quite e and o", "enter"):
            somebody.app.post_message(key_event(key))
        try:
            await until(lambda: somebody.page.status.message == "it is being judged", "Enter moves nothing yet")
        finally:
            judged.set()
        await somebody.settle()
        assert "Reason: quite e and o" in somebody.text
        await somebody.press("enter", *"diabetes-progression:4", "enter")
        assert "diabetes-progression:4 moved to production" in somebody.status

    walk(registry, steps)
