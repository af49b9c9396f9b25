"""The names of the tabs, with the one that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message

from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


class TabBar(OneLine):
    """One line of names.

    Args:
        names: of the tabs; the number of each is its key.
    """

    class Pressed(Message):
        """A click on a name.

        Attributes:
            place: of the tab, from 0.
        """

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = tuple(names)
        self._place = 0

    def show(self, place: int) -> None:
        """Another tab."""
        self._place = place
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:
        """The names; where they do not all fit, the others are numbers."""
        whole = sum(cell_len(name) + 5 for name in self._names) <= width
        cells = [Cell(" ")]
        for place, name in enumerate(self._names):
            shown = place == self._place
            text = f" {place + 1} {name} " if whole or shown else f" {place + 1} "
            cells += [Cell(text, "cursor" if shown else "dim"), Cell(" ")]
        return cells

    def on_click(self, event: events.Click) -> None:
        """A click shows the tab."""
        offset = event.get_content_offset(self)
        x = 0
        for number, cell in enumerate(self.compose_line(self.size.width)):
            if offset is not None and number % 2 and x <= offset.x < x + cell_len(cell.text):
                self.post_message(self.Pressed(number // 2))
            x += cell_len(cell.text)
