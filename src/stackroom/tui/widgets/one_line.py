"""A line of the screen that is redrawn only when what it says has changed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.strip import Strip

from stackroom.tui.widgets.drawing import Painted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.tui.widgets.drawing import Cell


class OneLine(Painted):
    """A widget of one line, made of cells that follow each other without a gap."""

    DEFAULT_CSS = """
    OneLine { height: 1; width: 1fr; }
    """

    BASE_ROLE = ""
    """The role of the whole line."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._drawn: tuple[Cell, ...] | None = None

    @abstractmethod
    def compose_line(self, width: int) -> Sequence[Cell]:
        """The cells of the line, in drawable text that is at most ``width`` cells wide."""

    def redraw(self) -> None:
        """Bring the line up to date; nothing is sent when it says what it said."""
        if not self.is_attached:
            return
        # A hidden line has no width; what Textual kept of it from before is out of date all the same.
        if not self.size.width or tuple(self.compose_line(self.size.width)) != self._drawn:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line; below it, blanks."""
        width, base = self.size.width, self.look(self.BASE_ROLE)
        if y:
            return Strip.blank(width, base)
        self._drawn = tuple(self.compose_line(width))
        pieces = [(cell.text, self.look(self.BASE_ROLE, cell.style)) for cell in self._drawn]
        return self.paint(pieces, width, base)
