"""A picture of characters that somebody else has drawn to size, and the line of words above it.

Textual sends a changed line from the left edge of its widget on, so that a point at the right would cost the whole
line. The picture therefore consists of tiles beside each other: what has changed costs the width of a tile.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from stackroom.tui.bindings import bindings_for
from stackroom.tui.widgets.drawing import Cell, Painted, fit, width_of
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

Unit = Literal["one", "half", "screen", "end"]

_TILES: Final = 10
"""Beside each other: eight cells each at 80 columns, twenty at 200."""

Sign = tuple[str, str]
"""A character one cell wide, and its role."""


class Words(OneLine):
    """A line of untrusted words, cut where the room ends."""

    def __init__(self) -> None:
        super().__init__()
        self._cells: tuple[Cell, ...] = ()

    def show(self, cells: Sequence[Cell]) -> None:
        """Other words."""
        self._cells = tuple(cells)
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:
        """The words that fit, with an ellipsis where they were cut."""
        found = []
        for text, role in self._cells:
            wide = width_of(text, limit=width + 1, glyphs=self.glyphs)
            found.append(Cell(fit(text, min(wide, width), glyphs=self.glyphs), role))
            width -= min(wide, width)
        return found


class Tile(Painted):
    """A part of a picture, from top to bottom."""

    DEFAULT_CSS = """
    Tile { height: 1fr; width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[list[Sign]] = []

    def show(self, rows: list[list[Sign]]) -> None:
        """Another picture; the rows that differ are sent."""
        before, self._rows = self._rows, rows
        for y in range(max(len(before), len(rows))):
            if before[y : y + 1] != rows[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One row of this part."""
        plain = self.look()
        if y >= len(self._rows):
            return Strip.blank(self.size.width, plain)
        runs = groupby(self._rows[y], key=lambda sign: sign[1])
        texts = [(role, "".join(char for char, _ in run)) for role, run in runs]
        if len(texts) > 1 and texts[0][1].isspace() and texts[1][0] != "cursor":
            texts[:2] = [(texts[1][0], texts[0][1] + texts[1][1])]
        pieces = [(text, self.look(*([role] if role else []))) for role, text in texts]
        return self.paint(pieces, self.size.width, plain)


class Sheet(Horizontal, can_focus=True):
    """A picture, and the keys of a list, which move something in it."""

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
        self._tiles = [Tile() for _ in range(_TILES)]

    def compose(self) -> ComposeResult:
        """The tiles."""
        yield from self._tiles

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Another picture of this size, in characters that are one cell wide."""
        rows = [[(char, cell.style) for cell in line for char in cell.text] for line in lines]
        for tile in self._tiles:
            start = tile.region.x - self.region.x
            tile.show([row[start : start + tile.size.width] for row in rows])

    def on_resize(self) -> None:
        """Another size needs another picture."""
        self.post_message(self.Resized(self.size))

    def on_click(self, event: events.Click) -> None:
        """A click is told with its place; it arrives from a tile, with the tile's own columns."""
        self.post_message(self.Pressed(event.screen_x - self.region.x, event.screen_y - self.region.y))

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
