"""What is shown in the place of a screen for which the terminal is too small."""

from __future__ import annotations

from typing import Final

from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine

LEAST: Final = (60, 16)
"""Columns and rows below which nothing is drawn but a line that says so."""


class TooSmall(OneLine):
    """Says how large the terminal has to be."""

    DEFAULT_CSS = """
    TooSmall { display: none; }
    """

    def compose_line(self, width: int) -> list[Cell]:  # noqa: ARG002  # it says what it says
        """The two sizes."""
        size = self.screen.size
        return [Cell(f"needs {LEAST[0]}x{LEAST[1]}, have {size.width}x{size.height}")]
