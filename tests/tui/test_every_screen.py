"""What holds on every screen: what a key costs, that rest is rest, any size, hostile names, help, Esc, read-only."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import re
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.strip import Strip

from stackroom.core.names import ModelName
from stackroom.registry.facade import Registry
from stackroom.tui import app as app_module
from stackroom.tui import live as live_module
from stackroom.tui.actions import ACTIONS, SCREENS, Screen, actions_of
from stackroom.tui.picture import Reading
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.page import Page
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage
from support.fair import pace
from support.registries import tree
from support.users import User, run_as
from tui.browsing import NARROW, NOW, Measured, Walk, everything_imported, key_event, walk
from tui.conftest import copy_of_sample
from tui.routes import WAYS, reach
from tui.screen import screen_rows, until, waits_to_paint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from stackroom.store.records import Model

SENT = re.compile(r"\x1b\[[0-9;?>$]*[A-Za-z]|\x1b\](?:22;[a-z]*|2;[^\x07\x1b]*)(?:\x07|\x1b\\)")
"""What a terminal may get: colours, places of the cursor, modes; the shape of the pointer and the window's title."""


def watched(app: Measured, steps: Callable[[Walk], Awaitable[None]], size: tuple[int, int] = NARROW) -> None:
    """As :func:`walk`, with what a terminal gets."""

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await until(lambda: app.picture.ready, "the registry is read")
            somebody = Walk(pilot, app)
            await somebody.settle()
            await steps(somebody)

    asyncio.run(main())


def _many_models(registry: Registry, count: int) -> Reading:
    """Models like one that is there; each of them is drawn, and none of them read."""
    model = registry.model("tumor-screening")
    found: dict[str, Model | None] = {
        name: replace(model, name=ModelName(name)) for name in (f"model-{number:05}" for number in range(count))
    }
    return Reading(ticket=10**9, models=found, extent="all", stages=frozenset(registry.stages))


def test_a_key_held_over_ten_thousand_models_costs_little_and_none_is_dropped(registry: Registry) -> None:
    app = Measured(registry)

    async def steps(somebody: Walk) -> None:
        page = somebody.page
        assert isinstance(page, BrowsePage)
        app.take(_many_models(registry, 10_000))
        await somebody.settle()
        page.models.move_to("model-00000")
        await somebody.press("j")
        assert page.models.cursor_key == "model-00001"
        app.drawn()
        sent, spent = [], []
        for number in range(2, 62):
            before = time.process_time()
            app.post_message(key_event("down"))
            await until(lambda number=number: page.models.cursor_key == f"model-{number:05}", "it moves")  # type: ignore[misc]  # a default binds it
            await somebody.pilot.pause()
            spent.append(time.process_time() - before)
            sent.append(len(app.drawn().encode()))
        assert statistics.median(sent[:18]) > 0
        assert max(sent[:18]) < 700
        assert statistics.mean(sent) < 1500
        assert statistics.median(spent) < 0.010 * pace()
        for _ in range(200):
            app.post_message(key_event("j"))
        await until(lambda: page.models.cursor_key == "model-00261", "all of them are answered")

    watched(app, steps)


async def _painted(somebody: Walk, app: Measured) -> None:
    """Wait until nothing is left to paint, three rests in a row: the machine's speed does not count."""
    quiet = 0
    while quiet < 3:
        await somebody.settle()
        quiet = 0 if app.drawn() or waits_to_paint(app) else quiet + 1


def test_at_rest_no_screen_sends_a_byte_for_as_long_as_thirty_looks(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A look a second is the only timer that goes on for ever; here it is one in ten milliseconds.
    monkeypatch.setattr(app_module, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live_module, "INTERVAL", 0.01)
    app = Measured(registry, live=True)
    looks: list[int] = []
    real = app._look

    def look() -> None:
        looks.append(1)
        real()

    monkeypatch.setattr(app, "_look", look)

    async def steps(somebody: Walk) -> None:
        for scope in WAYS:
            await reach(somebody, scope)
            await somebody.settle()
            await _painted(somebody, app)
            seen = len(looks)
            await until(lambda seen=seen: len(looks) >= seen + 30, "thirty looks")  # type: ignore[misc]  # a default binds it
            assert app.drawn() == "", scope

    watched(app, steps)


def test_what_changes_on_a_screen_below_sends_nothing(registry: Registry) -> None:
    app = Measured(registry)

    async def steps(somebody: Walk) -> None:
        await somebody.press("?")
        await _painted(somebody, app)
        app._browse.models.flag(["tumor-screening"])
        await somebody.settle()
        assert not waits_to_paint(app)
        assert app.drawn() == ""
        await somebody.press("q")
        assert "~ tumor-screening" in somebody.text

    watched(app, steps)


def test_any_size_at_any_moment_is_survived_on_every_screen_and_leaves_it_as_it_was(registry: Registry) -> None:
    chance = random.Random(9)  # noqa: S311  # the same sizes every time

    async def steps(somebody: Walk) -> None:
        for scope in WAYS:
            await somebody.pilot.resize_terminal(*NARROW)
            await reach(somebody, scope)
            before, keys = somebody.text, somebody.app.focused
            for size in ((40, 10), *((chance.randint(1, 200), chance.randint(1, 50)) for _ in range(2))):
                await somebody.pilot.resize_terminal(*size)
                await somebody.settle()
                if size[0] < 60 or size[1] < 16:
                    assert f"needs 60x16, have {size[0]}x{size[1]}"[: size[0]] == somebody.text.strip(), scope
                else:
                    assert "needs 60x16" not in somebody.text, scope
                    assert {len(row) for row in screen_rows(somebody.app)} == {size[0]} or not somebody.text.isascii()
            await somebody.pilot.resize_terminal(*NARROW)
            await somebody.settle()
            assert somebody.text == before, scope
            assert somebody.app.focused is keys, scope

    walk(registry, steps)


NAMES = (
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    "[red]",
    "[@click=app.quit]go",
    "line\nbreak\rback\ttab",
    "v" * 250,
    "\u6a21\u578b",
    "\U0001f600\u2764\ufe0f",
    "z\u0301\u0301\u0301",
    "-rf",
    os.fsdecode(b"\xff\xfe"),
)
"""Names that a colleague can give to files, and that no rule of the format allows for anything of ours."""


def test_hostile_names_of_files_send_no_sequence_of_theirs_and_keep_the_columns(
    registry: Registry, sample: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for place in ("models", "models/wine-origin", "stages/production", "approvals/production", "feed"):
        (sample / place).mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (sample / place / name).write_bytes(b"x")
    for name in NAMES:
        (folder / name).write_bytes(b"x")
    registry.register("wine-origin", *(path for path in folder.iterdir() if path.name.isprintable()))
    app = Measured(registry)

    async def steps(somebody: Walk) -> None:
        texts = [somebody.text]
        await somebody.press("p")
        screens: tuple[Screen, ...] = ("models", "versions", "activity", "search", "review", "doctor")
        for scope in screens:
            await reach(somebody, scope)
            for key in ("G", "g", "enter", "question_mark", "escape", "escape"):
                await somebody.press(key)
                texts.append(somebody.text)
        app.open_text("wine-origin:5")
        await somebody.press("5")
        assert isinstance(somebody.page, VersionPage)
        texts.append(somebody.text)
        assert any("Beside the models" in text for text in texts)
        for text in texts:
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        assert "\x1b" not in SENT.sub("", app.drawn())

    watched(app, steps, size=(200, 50))


def test_help_is_of_the_screen_closes_to_it_and_escape_never_quits(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        for place, scope in enumerate(SCREENS):
            await reach(somebody, scope)
            page = somebody.page
            if scope != "text" and not page.prompt.question:
                await somebody.press("f1")  # where a reason is typed, a question mark is no key
                assert isinstance(somebody.page, TextPage), scope
                shown = "\n".join("".join(cell.text for cell in line) for line in somebody.page._lines)
                assert [action.help for action in actions_of(scope) if action.help not in shown] == []
                await somebody.press(("escape", "q")[place % 2])
                assert somebody.page is page
            await somebody.press(*["escape"] * 6)
            assert not somebody.left, scope

    walk(registry, steps)


READERS: tuple[Screen, ...] = ("models", "versions", "version", "compare", "plot", "activity", "review", "doctor")
"""Where a reader gets to."""

MALLORY = User(uid=4711, gid=4711, name="mallory")


def _answers(root: Path) -> dict[str, str]:
    """What every writing action says on every screen that has it, by key where it has one, else by command."""
    found: dict[str, str] = {}

    async def steps(somebody: Walk) -> None:
        for scope in READERS:
            for action in ACTIONS:
                if not action.writes or scope not in action.screens:
                    continue
                await reach(somebody, scope)
                page = somebody.page
                if action.keys:
                    await somebody.press(action.keys[0])
                else:
                    somebody.app.run_command(page, action.id)
                    await somebody.settle()
                if action.id == "move":
                    await somebody.press("enter")  # who may is said in view of the guards
                found[f"{scope} {action.id}"] = somebody.text
                while somebody.page is not page and page in somebody.app.screen_stack:
                    somebody.app.pop_screen()

    walk(Registry(root, clock=lambda: NOW), steps)
    return found


@pytest.mark.root
def test_every_writing_key_tells_a_reader_who_may_and_nothing_is_written(reachable_path: Path) -> None:
    root = reachable_path / "registry"
    copy_of_sample(root)
    before = tree(root)
    everything_imported(Registry(root, clock=lambda: NOW))
    answers = run_as(MALLORY, lambda: _answers(root))
    written = {action.id for action in ACTIONS if action.writes and action.screens & set(READERS)}
    assert {place.split()[1] for place in answers} == written
    for place, text in answers.items():
        assert "read-only" in text.splitlines()[0], place
        if place.endswith(" move"):
            continue  # that screen opens: a reader sees every guard there, and at its top who may
        assert f"{root}/" in text.replace("\n", ""), place
        assert "owner" in text or "group" in text or "you may not (" in text, place
    assert tree(root) == before


def test_of_screens_that_were_left_nothing_stays_in_memory(registry: Registry) -> None:
    def lines() -> int:
        gc.collect()
        return sum(isinstance(one, Strip) for one in gc.get_objects())

    async def steps(somebody: Walk) -> None:
        app, before = somebody.app, lines()
        for scope in SCREENS:
            await reach(somebody, scope)
            while somebody.page is not app._browse:
                app.pop_screen()
            await somebody.settle()
        app._browse.go_to("models")
        await somebody.settle()
        assert lines() < 1.5 * before
        assert [one for one in gc.get_objects() if isinstance(one, Page) and one.app is app] == [app._browse]

    walk(registry, steps)
