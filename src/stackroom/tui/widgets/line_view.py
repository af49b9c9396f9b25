"""What every scrolling list of lines shares: it formats what is on the screen and redraws what has changed.

All changes go one way: change the state, call :meth:`LineView.redraw`. It describes each line of the screen as a small
hashable value, compares it with what is on the screen, and asks for a repaint of the lines that differ. The same value
is the key under which a drawn line is kept.

Not a ``ScrollView``: its virtual size asks for a new layout of the whole screen whenever the number of rows changes,
and its scrollbar's glyphs are not ASCII. Here the screen position is a number, and a thumb stands in the last column.
"""

from __future__ import annotations

from abc import abstractmethod
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from textual.cache import LRUCache
from textual.geometry import Region
from textual.strip import Strip

from stackroom.tui.bindings import bindings_for
from stackroom.tui.widgets.drawing import Painted
from stackroom.tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from textual import events
    from textual.binding import BindingType

_STRIPS_KEPT: Final = 1024
"""Drawn lines that are kept, some 2 KB each: five screens of the tallest terminals."""

_WHEEL_LINES: Final = 3
"""Lines per notch of the mouse wheel, as most terminals scroll."""


class LineView(Painted, can_focus=True):
    """A scrolling list of lines.

    Subclasses say what stands on each line of the screen (:meth:`describe`) and how it looks (:meth:`draw`). Cost of a
    redraw: proportional to the height of the screen, whatever the number of rows; bytes go out for changed lines only.
    Not promised: borders and padding may be set in CSS, but scrollbars may not.
    """

    DEFAULT_CSS = """
    LineView { height: 1fr; width: 1fr; overflow: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("list")]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._viewport = Viewport()
        self._lines: list[Hashable] = []
        self._strips: LRUCache[Hashable, Strip] = LRUCache(_STRIPS_KEPT)

    @property
    def header_height(self) -> int:
        """Lines at the top that do not scroll."""
        return 0

    @property
    def text_width(self) -> int:
        """Cells of a line that hold text: all but the last, which holds the thumb."""
        return max(0, self.size.width - 1)

    @abstractmethod
    def describe(self) -> Sequence[Hashable]:
        """One value per line of the screen, from the top; equal values look the same."""

    @abstractmethod
    def draw(self, line: Hashable) -> Strip:
        """The strip for a value of :meth:`describe`, exactly as wide as the widget."""

    def redraw(self) -> None:
        """Bring the screen up to date; does nothing for lines that look as they did."""
        if not self.size.height or not self.is_attached:
            return
        lines = list(self.describe())
        changed = [y for y, (new, old) in enumerate(zip_longest(lines, self._lines)) if new != old]
        self._lines = lines
        start = 0
        for place, y in enumerate(changed):
            if place + 1 == len(changed) or changed[place + 1] != y + 1:
                first = changed[start]
                self.refresh(Region(0, first, self.size.width, y + 1 - first))
                start = place + 1

    def forget_lines(self) -> None:
        """Draw everything anew at the next redraw: looks have changed."""
        self._strips.clear()
        self._lines = []

    def render_line(self, y: int) -> Strip:
        """One line of the screen, drawn or kept."""
        if not self._lines:
            self._lines = list(self.describe())
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.look())
        line = self._lines[y]
        strip = self._strips.get(line)
        if strip is None:
            strip = self.draw(line)
            self._strips[line] = strip
        return strip

    def has_thumb(self, y: int) -> bool:
        """Whether the thumb covers the line ``y`` below the header."""
        total, height = len(self._viewport), self._viewport.height
        if total <= height:
            return False
        size = max(1, height * height // total)
        start = (self._viewport.top * (height - size) + self._viewport.last_top // 2) // self._viewport.last_top
        return start <= y < start + size

    def view_moved(self) -> None:
        """For subclasses: the rows on the screen may be others now."""
        self.redraw()

    def go_to(self, index: int) -> None:
        """Scroll to a row, by its index."""
        self._viewport.scroll(index - self._viewport.top)
        self.view_moved()

    def action_row_down(self) -> None:
        """One line down."""
        self._step(1)

    def action_row_up(self) -> None:
        """One line up."""
        self._step(-1)

    def action_screen_down(self) -> None:
        """One screen down, with one line in common."""
        self._page(max(1, self._viewport.height - 1))

    def action_screen_up(self) -> None:
        """One screen up, with one line in common."""
        self._page(-max(1, self._viewport.height - 1))

    def action_half_down(self) -> None:
        """Half a screen down."""
        self._page(max(1, self._viewport.height // 2))

    def action_half_up(self) -> None:
        """Half a screen up."""
        self._page(-max(1, self._viewport.height // 2))

    def action_first_row(self) -> None:
        """To the first row."""
        self._step(-len(self._viewport))

    def action_last_row(self) -> None:
        """To the last row."""
        self._step(len(self._viewport))

    def on_resize(self) -> None:
        """Another size: the rows in sight stay in sight."""
        self._viewport.resize(self.size.height - self.header_height)
        self.forget_lines()
        self.view_moved()

    def on_focus(self) -> None:
        """The cursor's line looks different with the focus."""
        self.redraw()

    def on_blur(self) -> None:
        """The cursor's line looks different without the focus."""
        self.redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the screen, not the cursor."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the screen, not the cursor."""
        self._wheel(event, -1)

    def scroll_sideways(self, steps: int) -> None:
        """To the right (left when negative), where a subclass can be wider than the screen."""

    def _step(self, lines: int) -> None:
        self._viewport.scroll(lines)
        self.view_moved()

    def _page(self, lines: int) -> None:
        self._viewport.scroll(lines)
        self.view_moved()

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        event.prevent_default()
        if event.shift or event.ctrl:
            self.scroll_sideways(direction)
            return
        self._viewport.scroll(direction * _WHEEL_LINES)
        self.view_moved()
