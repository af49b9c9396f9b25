"""The whole interface without a terminal: keys go in, and the screen is compared with what it was."""

from __future__ import annotations

import asyncio
import os
import pkgutil
import re
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from textual import events
from textual.keys import _character_to_key, key_to_character

import stackroom.tui
from stackroom.tui.app import Browser
from stackroom.tui.glyphs import UNICODE, Glyphs
from stackroom.tui.memory import Keeper
from tui.screen import Bench, screen_text, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from stackroom.registry.facade import Registry
    from stackroom.tui.places import Personal
    from stackroom.tui.screens.page import Page

NOW = datetime(2026, 9, 24, 12, tzinfo=UTC)
"""A few days after the last event of the sample."""

GOLDENS = Path(__file__).with_name("goldens")

UPDATE = os.environ.get("UPDATE_GOLDENS") == "1"
"""Write what the screen shows instead of comparing; read when the tests are loaded, for the environment is cleaned."""

_QUIET_LOOKS = 5
"""Looks in a row, 4 ms apart, at which nothing is going on: more than a period of Textual's layout."""

_SETTLE_SECONDS = 20.0

NARROW, MIDDLE, WIDE = (80, 24), (120, 40), (200, 50)


class Walk:
    """Somebody at the keyboard."""

    def __init__(self, pilot: Pilot[None], app: Browser) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def page(self) -> Page:
        """The screen that is shown."""
        page = self.app.page
        assert page is not None
        return page

    def where(self) -> str:
        """Which screen has the keys."""
        return self.page.scope

    @property
    def left(self) -> bool:
        """Whether the program is asked to end."""
        return bool(self.app._exit)

    @property
    def text(self) -> str:
        """What it shows."""
        return screen_text(self.app)

    @property
    def status(self) -> str:
        """The line above the keys; where a complaint takes several, all of them."""
        height = max(1, self.page.status.region.height)
        return " ".join(line.strip() for line in self.text.splitlines()[-1 - height : -1])

    async def press(self, *keys: str) -> None:
        """Press keys and wait until everything that follows from them has happened."""
        for key in keys:
            self.app.post_message(key_event(key))
        await self.settle()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*text)

    async def settle(self) -> None:
        """Wait until nobody reads anything and every message has been handled."""
        quiet = 0
        deadline = time.monotonic() + _SETTLE_SECONDS
        while quiet < _QUIET_LOOKS:
            assert time.monotonic() < deadline, f"the interface does not come to rest: {self.restless()}"
            quiet = 0 if self.busy() else quiet + 1
            await asyncio.sleep(0.004)

    def busy(self) -> bool:
        """Whether a thread is at work or a message waits."""
        works = [self.app._work, *(page.work for page in self.app.pages())]
        if any(count for work in works for count in work._running.values()):
            return True
        pumps = [self.app, *(pump for page in self.app.pages() for pump in page.walk_children(with_self=True))]
        # What the screen has yet to lay out is no message.
        return self.app.screen._layout_required or any(not pump._message_queue.empty() for pump in pumps)

    def restless(self) -> list[str]:
        """What keeps it busy, for whoever has to find out why."""
        works = [self.app._work, *(page.work for page in self.app.pages())]
        pumps = [self.app, *(pump for page in self.app.pages() for pump in page.walk_children(with_self=True))]
        running = [f"running {name}" for work in works for name, count in work._running.items() if count]
        waiting = [
            f"{'waiting for' if pump.is_running else 'ended:'} {pump} {list(pump._message_queue.values)[:8]}"
            for pump in pumps
            if pump.message_queue_size
        ]
        return [*running, *waiting, *(["laying out"] if self.app.screen._layout_required else [])]

    def golden(self, name: str) -> None:
        """The screen is, character by character, what the file of this name says."""
        size = self.app.size
        check_golden(f"{name}-{size.width}x{size.height}", self.text)


class Measured(Browser):
    """The interface, with what a terminal gets."""

    is_headless = Bench.is_headless
    _build_driver = Bench._build_driver

    def __init__(self, registry: Registry, *, live: bool = False) -> None:
        super().__init__(registry, live=live)
        self.taken: list[str] = []
        self.console = Console(
            file=self.console.file, force_terminal=True, color_system="truecolor", legacy_windows=False
        )

    def drawn(self) -> str:
        """What a terminal got since the last call."""
        text = "".join(self.taken)
        self.taken.clear()
        return text


def key_event(name: str) -> events.Key:
    """A key as a terminal would send it: a character, or Textual's name of a key."""
    if len(name) == 1:
        return events.Key(_character_to_key(name), name)
    character = key_to_character(name)
    return events.Key(name, character if character and character.isprintable() else None)


def check_golden(name: str, text: str) -> None:
    """A text is what its file says; the registry's random folder is called ``registry`` there."""
    shown = re.sub(r"/tmp/stackroom-\w{8}", "/tmp/stackroom-registry", text) + "\n"  # noqa: S108  # a pattern
    path = GOLDENS / f"{name}.txt"
    if UPDATE:
        GOLDENS.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8"), f"{path}; to accept it, run again with UPDATE_GOLDENS=1"


def everything_imported(registry: Registry) -> None:
    """Import what we and Textual import late, before there is another user, who may not read where Python lies."""
    import_module("textual.drivers.linux_driver")
    for found in pkgutil.walk_packages(stackroom.tui.__path__, "stackroom.tui."):
        import_module(found.name)

    async def nothing(_: Walk) -> None:
        """Only start, and end."""

    walk(registry, nothing)


def walk(
    registry: Registry,
    steps: Callable[[Walk], Awaitable[None]],
    *,
    size: tuple[int, int] = NARROW,
    glyphs: Glyphs = UNICODE,
    live: bool = False,
    personal: Personal | None = None,
    place: str = "",
) -> Browser:
    """Open the interface, do ``steps`` and leave it; returns the app that was."""
    memory = Keeper(registry).read() if personal and personal.remembers else None
    app = Browser(registry, glyphs=glyphs, live=live, personal=personal, memory=memory, place=place)

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await until(lambda: app.picture.ready, "the registry is read")
            somebody = Walk(pilot, app)
            await somebody.settle()
            await steps(somebody)

    asyncio.run(main())
    return app
