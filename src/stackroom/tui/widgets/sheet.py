"""Lines that somebody else has drawn to size; only the cells that differ from what is on the screen are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from stackroom.tui.actions import bindings_for
from stackroom.tui.widgets.drawing import Cell, Painted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

Unit = Literal["one", "half", "screen", "end"]

_GAP: Final = 8
"""Equal cells between two differences up to which both are sent at once: going to a place costs as much."""


class Sheet(Painted, can_focus=True):
    """A picture made of lines of cells, and the keys of a list, which move something in it."""

    DEFAULT_CSS = """
    Sheet { height: 1fr; width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("list")]

    class Resized(Message):
        """The picture is wanted in another size.

        Attributes:
            size: in cells.
        """

        def __init__(self, size: Size) -> None:
            super().__init__()
            self.size = size

    class Moved(Message):
        """A key of a list.

        Attributes:
            steps: how far, backwards when negative.
            unit: ``"one"``, ``"half"`` or ``"screen"`` of what is shown, ``"end"``: to the end in that direction.
        """

        def __init__(self, steps: int, unit: Unit) -> None:
            super().__init__()
            self.steps = steps
            self.unit = unit

    class Pressed(Message):
        """A click.

        Attributes:
            x: the column.
            y: the row.
        """

        def __init__(self, x: int, y: int) -> None:
            super().__init__()
            self.x = x
            self.y = y

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[tuple[Cell, ...], ...] = ()

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Another picture of the same size: drawable text, one cell for each character."""
        before, self._lines = self._lines, tuple(tuple(line) for line in lines)
        if len(before) != len(self._lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                for start, end in _differences(old, new):
                    self.refresh(Region(start, y, end - start, 1))

    def render_line(self, y: int) -> Strip:
        """One line."""
        plain = self.look()
        if y >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        pieces = [(cell.text, self.look(*([cell.style] if cell.style else []))) for cell in self._lines[y]]
        return self.paint(pieces, self.size.width, plain)

    def on_resize(self) -> None:
        """Another size needs another picture."""
        self.post_message(self.Resized(self.size))

    def on_click(self, event: events.Click) -> None:
        """A click is told with its place."""
        offset = event.get_content_offset(self)
        if offset is not None:
            self.post_message(self.Pressed(offset.x, offset.y))

    def action_row_down(self) -> None:
        """One on."""
        self.post_message(self.Moved(1, "one"))

    def action_row_up(self) -> None:
        """One back."""
        self.post_message(self.Moved(-1, "one"))

    def action_half_down(self) -> None:
        """Half a screen on."""
        self.post_message(self.Moved(1, "half"))

    def action_half_up(self) -> None:
        """Half a screen back."""
        self.post_message(self.Moved(-1, "half"))

    def action_screen_down(self) -> None:
        """A screen on."""
        self.post_message(self.Moved(1, "screen"))

    def action_screen_up(self) -> None:
        """A screen back."""
        self.post_message(self.Moved(-1, "screen"))

    def action_first_row(self) -> None:
        """To the start."""
        self.post_message(self.Moved(-1, "end"))

    def action_last_row(self) -> None:
        """To the end."""
        self.post_message(self.Moved(1, "end"))


def _differences(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """The columns in which two lines differ, from and to; the whole line where a character is wider than a cell."""
    cells = [[(char, cell.style) for cell in line for char in cell.text] for line in (old, new)]
    width = max(len(cells[0]), len(cells[1]))
    if any(cell_len(cell.text) != len(cell.text) for line in (old, new) for cell in line):
        return [(0, max(width, *(sum(cell_len(cell.text) for cell in line) for line in (old, new))))]
    padded = [[*line, *[(" ", "")] * (width - len(line))] for line in cells]
    found: list[tuple[int, int]] = []
    for x, (one, other) in enumerate(zip(*padded, strict=True)):
        if one != other:
            near = bool(found) and x - found[-1][1] <= _GAP
            found[-1:] = [(found[-1][0], x + 1)] if near else [*found[-1:], (x, x + 1)]
    return found
