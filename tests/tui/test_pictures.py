"""The main screens as pictures; three of them are shown in the documentation."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from stackroom.tui.app import Browser
from tui.browsing import UPDATE, Walk
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from stackroom.registry.facade import Registry

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"

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


@pytest.fixture
def plain_svg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures without a font from somewhere else: no address of a host is committed."""
    real = Console.export_svg

    def export_svg(self: Console, *, title: str) -> str:
        svg = real(self, title=title)
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
        return re.sub(r"<!--.*?-->\s*", "", svg)

    monkeypatch.setattr(Console, "export_svg", export_svg)


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


def stable_access_init() -> Callable[..., None]:
    """An access whose directory has one name on every machine: the one that the goldens use."""
    from stackroom.store.access import Access  # noqa: PLC0415  # it is replaced, so it is not taken before

    real = Access.__init__

    def init(self: Access, *, directory: str, **facts: object) -> None:
        directory = re.sub(r"/tmp/stackroom-\w{8}", "/srv/models", directory)  # noqa: S108  # a pattern
        real(self, directory=directory, **facts)  # type: ignore[arg-type]  # handed through

    return init


@pytest.mark.usefixtures("plain_svg")
@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documentation_shows_what_the_program_shows(
    name: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackroom.store.access.Access.__init__", stable_access_init())
    app = browser(registry)

    async def take() -> str:
        async with app.run_test(size=SCREENS[name][0]) as pilot:
            await show(name)(pilot)
            return app.export_screenshot(title="stackroom")

    svg = re.sub(r"\bterminal-\d+-([\w-]+)", r"terminal-\1", asyncio.run(take()))
    path = PICTURES / f"{name}.svg"
    if UPDATE:
        path.write_text(svg, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == svg, "to accept it, run again with UPDATE_GOLDENS=1"
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
