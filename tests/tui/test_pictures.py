"""The main screens as pictures; three of them are shown in the documentation."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.tui.app import Browser
from tui.browsing import Walk
from tui.picturing import check_picture, plain_svg, stable_access_init
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from stackroom.registry.facade import Registry

__all__ = ["plain_svg"]

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are recorded on one Python, 3.11")

SCREENS: dict[str, tuple[tuple[int, int], list[list[str]]]] = {
    "models": ((120, 30), [["G", "k"]]),
    "versions": ((80, 24), [["G", "k"], ["l"], ["p", "j", "space", "j", "space"]]),
    "compare": ((100, 30), [[*":compare tumor-screening:4 tumor-screening:5", "enter"], [*"jjjjj"]]),
    "move": ((100, 30), [[*":move tumor-screening:5 production", "enter"]]),
    "move-ready": (
        (80, 24),
        [[*":move diabetes-progression:4 production", "enter"], [*"better", "tab", *"diabetes-progression:4"]],
    ),
    "plot": ((100, 30), [[*":open tumor-screening", "enter"], ["M", "h"]]),
    "version": ((80, 24), [[*":open tumor-screening:5", "enter"], ["2"]]),
}
DOCUMENTED = ("models", "compare", "move")
REPORT_FOLDER = os.environ.get("TEXTUAL_SNAPSHOT_TEMPDIR", "")
"""Where the plugin keeps what it compares; taken now, for each test starts without any ``TEXTUAL_`` variable."""


def show(name: str) -> Callable[[Pilot[None]], Any]:
    """What has to be pressed for a picture."""

    async def run_before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Browser)
        await until(lambda: app.picture.ready, "the registry is read")
        somebody = Walk(pilot, app)
        await somebody.settle()
        for keys in SCREENS[name][1]:
            await somebody.press(*keys)

    return run_before


def browser(registry: Registry) -> Browser:
    app = Browser(registry, live=False)
    app.title = "stackroom"
    return app


@pytest.mark.usefixtures("plain_svg")
@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_it_did(
    name: str, registry: Registry, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackroom.store.access.Access.__init__", stable_access_init())
    monkeypatch.setenv("TEXTUAL_SNAPSHOT_TEMPDIR", REPORT_FOLDER)
    assert snap_compare(browser(registry), terminal_size=SCREENS[name][0], run_before=show(name))


@pytest.mark.usefixtures("plain_svg")
@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documentation_shows_what_the_program_shows(
    name: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackroom.store.access.Access.__init__", stable_access_init())
    app = browser(registry)

    async def take() -> None:
        async with app.run_test(size=SCREENS[name][0]) as pilot:
            await show(name)(pilot)
            check_picture(app, name)

    asyncio.run(take())
