"""Lines out of dots: eight dots of braille in a cell, or one sign in a cell where there is no braille."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stackroom.tui.glyphs import Glyphs

_BRAILLE: Final = 0x2800
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a cell: four rows of two, from the top."""


class Canvas:
    """Cells of dots, from the top left.

    Attributes:
        width: in dots.
        height: in dots.

    Args:
        columns: in cells.
        rows: in cells.
        glyphs: the set to draw with.
    """

    def __init__(self, columns: int, rows: int, glyphs: Glyphs) -> None:
        self._per_cell = (2, 4) if glyphs.braille else (1, 1)
        self._glyphs = glyphs
        self.width, self.height = columns * self._per_cell[0], rows * self._per_cell[1]
        self._cells: dict[tuple[int, int], int] = {}

    def cell_of(self, x: int, y: int) -> tuple[int, int]:
        """The cell of a dot: column and row."""
        return x // self._per_cell[0], y // self._per_cell[1]

    def dot(self, x: int, y: int) -> None:
        """One dot; one that is not on the canvas is nowhere."""
        if 0 <= x < self.width and 0 <= y < self.height:
            cell = self.cell_of(x, y)
            bit = _BITS[y % 4][x % 2] if self._glyphs.braille else 1
            self._cells[cell] = self._cells.get(cell, 0) | bit

    def line(self, x: int, y: int, to_x: int, to_y: int) -> None:
        """A straight line, both ends included; costs as much as it is long."""
        steps = max(abs(to_x - x), abs(to_y - y))
        for step in range(steps + 1):
            share = step / steps if steps else 0
            self.dot(round(x + (to_x - x) * share), round(y + (to_y - y) * share))

    def signs(self) -> dict[tuple[int, int], str]:
        """The cells that are not empty, by column and row."""
        if not self._glyphs.braille:
            return dict.fromkeys(self._cells, self._glyphs.line)
        return {cell: chr(_BRAILLE + bits) for cell, bits in self._cells.items()}
