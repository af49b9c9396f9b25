"""Ten thousand models, and nothing known of them yet: rows at once, keys while they are read, and Esc ends it."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.errors import NotFoundError
from stackroom.registry.facade import Registry
from stackroom.tui import picture
from stackroom.tui.app import Browser
from stackroom.tui.memory import Keeper, ListMemory, Memory
from stackroom.tui.picture import Picture, Reading, read_all, read_first
from stackroom.tui.places import Personal
from support.registries import artifacts, make
from tui.browsing import NARROW, NOW, Walk, key_event, walk
from tui.ptys import Terminal
from tui.screen import until

if TYPE_CHECKING:
    from textual.pilot import Pilot

MODELS = 10_000
PROGRAM = ("-m", "stackroom")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand models of one sealed version each, most of them by hard links: it takes a second and not an hour."""
    root = tmp_path_factory.mktemp("large") / "registry"
    registry = make(root)
    folder = artifacts(tmp_path_factory.mktemp("artifacts"))
    registry.register("m-00000", folder, metrics={"auc": 0.9})
    registry.promote("m-00000:1", "production")
    first = root / "models/m-00000/1"
    for number in range(1, MODELS):
        version = f"{root}/models/m-{number:05}/1"
        os.makedirs(version)
        for name in ("version.toml", "SHA256SUMS"):
            os.link(first / name, f"{version}/{name}")
    return root


def _steps_on(somebody: Walk) -> str | None:
    from stackroom.tui.screens.browse import BrowsePage  # noqa: PLC0415  # only here

    assert isinstance(somebody.page, BrowsePage)
    return somebody.page.models.cursor_key


def test_rows_come_first_keys_are_answered_while_the_others_are_read_and_escape_ends_it(large: Path) -> None:
    app = Browser(Registry(large, clock=lambda: NOW), live=True)

    async def steps(pilot: Pilot[None]) -> None:
        somebody = Walk(pilot, app)
        await until(lambda: "m-00005" in somebody.text, "the first rows")
        assert f"of {MODELS:,} models, esc stops reading" in somebody.status
        waits = []
        for number in range(1, 31):
            pressed = time.perf_counter()
            app.post_message(key_event("j"))
            while _steps_on(somebody) != f"m-{number:05}":  # noqa: ASYNC110  # what it waits for is measured
                await asyncio.sleep(0)  # finer than `until` looks
            waits.append(time.perf_counter() - pressed)
        assert statistics.median(waits) < 0.1
        assert app.reading, "all were read before thirty keys were answered"
        await until(lambda: len(app.picture.models) > 64, "more of them")
        assert _steps_on(somebody) == "m-00030"
        app.post_message(key_event("escape"))
        await until(lambda: "r reads the others" in somebody.status, "the end of it")
        assert not app.picture.ready
        with pytest.raises(NotFoundError, match="not among the models that were read yet"):
            app.open_text("m-09999")

    async def main() -> None:
        async with app.run_test(size=NARROW) as pilot:
            await steps(pilot)

    asyncio.run(main())


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_first_rows_of_ten_thousand_models_cost_what_those_of_five_do(large: Path, sample: Path) -> None:
    used: list[list[float]] = [[], []]
    for _ in range(3):
        for place, (root, row) in enumerate(((sample, b"tumor-screening"), (large, b"m-00005"))):
            with Terminal(str(root), program=PROGRAM) as term:
                term.wait_for(row)
                used[place].append(_cpu_seconds(term.process.pid))
                term.press("q")
                code, taken = term.wait_for_end()
                assert (code, taken < 1.0) == (0, True)
    few, many = (statistics.median(each) for each in used)
    # On a busy machine it reads on until we have seen the row. All of them would cost more than ten times as much.
    assert many < 3 * few


def test_parts_are_all_there_is_once_each_and_whoever_gives_up_ends_the_reading(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "BATCH_SECONDS", 0.0)
    parts: list[Reading] = []
    whole = read_all(registry, parts.append)
    names = [name for part in parts for name in part.models]
    assert names == sorted(whole.models)[:-1]
    assert {part.total for part in parts} == {5}
    shown = Picture()
    for part in parts:
        shown.take(part, lambda *_: pytest.fail("what is read for the first time is no news"))
    assert (shown.ready, len(shown.models), shown.total) == (False, 4, 5)
    shown.take(whole, lambda *_: pytest.fail("nor is the rest"))
    assert (shown.ready, dict(shown.models)) == (True, dict(whole.models))
    shown.take(parts[0], lambda *_: None)
    assert not shown.opened

    def give_up(_part: Reading) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_all(registry, give_up)


def test_the_model_one_was_at_comes_with_the_first_rows_and_is_remembered_from_then_on(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_FIRST", 2)
    assert list(read_first(registry, "tumor-screening").models) == [
        "diabetes-progression",
        "digit-reader",
        "tumor-screening",
    ]
    memory = Memory(pane="versions", model="tumor-screening", version="3", versions=ListMemory(sort="version"))
    app = Browser(registry, live=False, memory=memory, personal=Personal(remembers=True))

    async def main() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            somebody = Walk(pilot, app)
            await somebody.settle()
            app.take(read_first(registry, app._browse.remembered_model))
            await somebody.settle()
            assert somebody.text.startswith(" sample models › tumor-screening")  # noqa: RUF001  # a glyph

    monkeypatch.setattr(app, "read", lambda: None)  # the first look alone
    asyncio.run(main())
    assert (app.picture.ready, Keeper(registry).read().model) == (False, "tumor-screening")


def test_models_that_are_shown_as_they_come_are_shown_as_if_they_had_come_at_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "BATCH_SECONDS", 0.0)

    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k")
        somebody.golden("models")

    walk(registry, steps)
