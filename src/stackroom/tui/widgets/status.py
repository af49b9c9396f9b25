"""The line above the footer: what the list holds, how it is filtered and sorted, and what has just happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len

from stackroom.tui.widgets.drawing import Cell, fit
from stackroom.tui.widgets.one_line import OneLine
from stackroom.tui.widgets.text_pane import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from stackroom.tui.glyphs import Glyphs

Tone = Literal["", "good", "warn", "bad"]


_MOST_LINES: Final = 4
"""That a complaint may take: 300 characters on the narrowest usual screen, with three quarters of a small one left."""

_TO_READ: Final = frozenset({"warn", "bad"})
"""Tones of what has to be read to its end, because something was not done."""


class StatusLine(OneLine):
    """Facts with separators, then the last message. The message has the right of way: facts leave from the right.

    A complaint that does not fit takes as many lines as it needs, up to four, until the next message.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._facts: tuple[str, ...] = ()
        self._message = ""
        self._tone: Tone = ""
        self._height = 1

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
        self._make_room()
        self.redraw()

    def on_resize(self) -> None:
        """More or less room: a complaint is wrapped anew."""
        self._make_room()

    def _lines(self) -> list[str]:
        """A complaint that does not fit, line by line; empty for all else, which is cut."""
        room = self.size.width - 1
        message = self.glyphs.drawable(self._message)
        if self._tone not in _TO_READ or room < 1 or cell_len(message) <= room:
            return []
        lines = wrapped(message, room, self.glyphs)
        return [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :])]

    def _make_room(self) -> None:
        """As many lines as are needed; nothing is laid out anew where that was so before."""
        if not self.is_attached:
            return
        lines = self._lines()
        height = max(1, sum(bool(line) for line in lines))
        if height != self._height:
            self._height = self.styles.height = height
        if lines:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line, or one of a complaint's."""
        lines = self._lines() if y else []
        if y >= len(lines):
            return super().render_line(y)
        text = fit(lines[y], self.size.width - 1, glyphs=self.glyphs)
        return self.paint([(f" {text}", self.look(self.BASE_ROLE, self._tone))], self.size.width, self.look(""))

    def compose_line(self, width: int) -> list[Cell]:
        """The facts that fit beside the message."""
        glyphs = self.glyphs
        if lines := self._lines():
            return [Cell(f" {lines[0]}", self._tone)]
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
