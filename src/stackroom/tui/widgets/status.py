"""The line above the footer: what the list holds, how it is filtered and sorted, and what has just happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

from stackroom.tui.widgets.drawing import Cell, fit
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.tui.glyphs import Glyphs

Tone = Literal["", "good", "warn", "bad"]


class StatusLine(OneLine):
    """Facts with separators, then the last message. The message has the right of way: facts leave from the right."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._facts: tuple[str, ...] = ()
        self._message = ""
        self._tone: Tone = ""

    @property
    def message(self) -> str:
        """The last message, as it was given."""
        return self._message

    def show_facts(self, facts: Sequence[str]) -> None:
        """What the list holds: counts, marks, filter, sort; empty ones are left out, texts are untrusted."""
        self._facts = tuple(fact for fact in facts if fact)
        self.redraw()

    def say(self, message: str, *, tone: Tone = "") -> None:
        """What has just happened; stays until the next message, an empty one takes it away."""
        self._message, self._tone = message, tone
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:
        """The facts that fit beside the message."""
        glyphs = self.glyphs
        between = f" {glyphs.separator} "
        message = glyphs.drawable(self._message)
        room = width - 1 - (cell_len(message) + cell_len(between) if message else 0)
        cells = [Cell(" ")]
        for place, fact in enumerate(self._facts):
            text = glyphs.drawable(fact)
            room -= cell_len(text) + (cell_len(between) if place else 0)
            if room < 0 and (place or message):
                break
            cells.extend([Cell(between, "dim")] if place else [])
            cells.append(Cell(text))
        if message:
            cells.extend([Cell(between, "dim")] if len(cells) > 1 else [])
            cells.append(Cell(message, self._tone or "strong"))
        return _cut_to(cells, width, glyphs)


def _cut_to(cells: Sequence[Cell], width: int, glyphs: Glyphs) -> list[Cell]:
    """Drawable cells in at most ``width`` cells, with an ellipsis where they were cut."""
    kept: list[Cell] = []
    for cell in cells:
        wide = cell_len(cell.text)
        if wide > width:
            return [*kept, Cell(fit(cell.text, width, glyphs=glyphs), cell.style)]
        kept.append(cell)
        width -= wide
    return kept
