"""What a screen shows and what it costs, without a terminal.

The one place that touches Textual's private compositor and driver factory: when Textual changes them, only this file
follows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rich.console import Console
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver

from stackroom.tui.glyphs import UNICODE, Glyphs
from support.fair import FairClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.driver import Driver
    from textual.message import Message
    from textual.pilot import Pilot
    from textual.widget import Widget

W = TypeVar("W", bound="Widget")

SIZE = (80, 24)


def screen_text(app: App[Any]) -> str:
    """The rows of the screen as text, without trailing blanks and without empty rows at the end."""
    compositor = app.screen._compositor
    rows = [strip.text.rstrip() for strip in compositor.render_strips()]
    return "\n".join(rows).rstrip("\n")


def screen_rows(app: App[Any]) -> list[str]:
    """The rows of the screen as text, each of its full width."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def waits_to_paint(app: App[Any]) -> bool:
    """Whether something has changed that the terminal has not got yet: Textual paints sixty times a second."""
    screen = app.screen
    required = screen._layout_required or screen._scroll_required or screen._repaint_required
    return bool(required or screen._dirty_widgets or screen._compositor._dirty_regions)


def screen_styles(app: App[Any], y: int) -> set[str]:
    """How the row ``y`` of the screen looks: rich's names of the styles of its segments."""
    strip = app.screen._compositor.render_strips()[y]
    return {str(segment.style) for segment in strip}


class _CountingDriver(HeadlessDriver):
    """Takes what goes to a terminal."""

    taken: list[str]

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.taken.append(data)

    def flush(self) -> None:
        pass


class Bench(App[None], Generic[W]):
    """An app around one widget that keeps the messages it gets and the bytes a terminal would."""

    def __init__(self, *widgets: W, glyphs: Glyphs = UNICODE, no_colour: bool = False) -> None:
        super().__init__(ansi_color=True if no_colour else None)
        self.widgets = widgets
        self.glyphs = glyphs
        self.messages: list[Message] = []
        self.animation_level = "none"
        self.taken: list[str] = []
        self.console = Console(
            file=self.console.file, force_terminal=True, color_system="truecolor", legacy_windows=False
        )

    @property
    def widget(self) -> W:
        """The first, or only, widget."""
        return self.widgets[0]

    @property
    def is_headless(self) -> bool:
        """Never, so that Textual writes to the driver."""
        return False

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def _build_driver(
        self,
        headless: bool,  # noqa: ARG002, FBT001  # Textual's signature
        inline: bool,  # noqa: ARG002, FBT001  # Textual's signature
        mouse: bool,  # noqa: FBT001  # Textual's signature
        size: tuple[int, int] | None,
    ) -> Driver:
        driver = _CountingDriver(self, mouse=mouse, size=size)
        driver.taken = self.taken
        return driver

    def drawn(self) -> str:
        """What a terminal got since the last call."""
        text = "".join(self.taken)
        self.taken.clear()
        return text

    def got(self, kind: type[Message]) -> list[Any]:
        """The messages of a kind, oldest first; each once, though a widget, its screen and its app all see it."""
        seen = {id(message): message for message in self.messages if type(message) is kind}
        return list(seen.values())


def run(app: Bench[W], steps: Callable[[Pilot[None]], Awaitable[None]], *, size: tuple[int, int] = SIZE) -> None:
    """Run an app without a terminal and do ``steps`` with it."""

    async def main() -> None:
        async with app.run_test(size=size, message_hook=app.messages.append) as pilot:
            await pilot.pause()
            await steps(pilot)

    asyncio.run(main())


async def until(holds: Callable[[], bool], what: str, *, seconds: float = 10.0) -> None:
    """Wait for a condition and not for a time.

    Raises:
        AssertionError: when it does not hold in time, on a clock that is fair to a busy machine.
    """
    clock = FairClock()
    while not holds():
        assert not clock.has_passed(seconds), f"not within {seconds} s: {what}"
        await asyncio.sleep(0.005)
