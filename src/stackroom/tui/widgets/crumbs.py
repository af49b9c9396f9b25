"""The first line: where you are, what you may not do, and how old the picture is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, assert_never

from rich.cells import cell_len

from stackroom.tui.widgets.drawing import Cell, fit, width_of
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.tui.glyphs import Glyphs

Live = Literal["", "live", "slow", "stale"]
"""Nothing to say; changes arrive; they arrive late; they do not arrive."""

_STEP_WIDTH: Final = 40
"""Cells that one step of the path may take when there is no lack of room."""

_LEAST: Final = 8
"""Cells that the last step keeps, whatever stands at the right."""


class Crumbs(OneLine):
    """The path at the left; a badge and the live state at the right.

    When it is too narrow, the first steps of the path leave, then the badge; the last step is cut at the very end.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._steps: tuple[str, ...] = ()
        self._badge = ""
        self._live: Live = ""
        self._detail = ""

    def show_path(self, steps: Sequence[str], *, badge: str = "", accented: bool = False) -> None:
        """Where you are.

        Args:
            steps: from the registry to what is shown; untrusted.
            badge: shown in brackets, for example ``read-only: ml-release``; untrusted.
            accented: whether the whole line has the accent of the registry.
        """
        self.BASE_ROLE = "registry" if accented else ""
        self._steps, self._badge = tuple(steps), badge
        self.redraw()

    def show_live(self, live: Live, detail: str = "") -> None:
        """How old the picture is.

        Args:
            live: the state.
            detail: the poll's interval or the reason: ``2s``, ``2m, ESTALE``. A constant while nothing changes: what
                counts seconds would be sent every second.
        """
        self._live, self._detail = live, detail
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:
        """The path, blanks, the badge and the state."""
        glyphs = self.glyphs
        state = self._state()
        badge = f"[{glyphs.drawable(self._badge)}]  " if self._badge else ""
        taken = sum(cell_len(cell.text) for cell in state) + 1
        room = width - 2 - taken
        if room - cell_len(badge) < _LEAST + 2:
            badge = ""
        room -= cell_len(badge)
        path = self._path(max(1, room))
        blank = max(1, width - 1 - sum(cell_len(cell.text) for cell in path) - cell_len(badge) - taken)
        right = [Cell(" " * blank), Cell(badge, "warn"), *state] if width > taken + _LEAST else []
        cells = [Cell(" "), *path, *right]
        # On the accent every other colour is hard to read.
        return [Cell(cell.text) for cell in cells] if self.BASE_ROLE else cells

    def _state(self) -> list[Cell]:
        glyphs = self.glyphs
        match self._live:
            case "":
                return []
            case "live":
                sign = Cell(glyphs.live, "good")
            case "slow":
                sign = Cell(glyphs.slow, "warn")
            case "stale":
                sign = Cell(glyphs.stale, "bad")
            case _:
                assert_never(self._live)
        detail = f" {glyphs.drawable(self._detail)}" if self._detail else ""
        return [sign, Cell(f" {self._live}{detail}", "dim" if self._live == "live" else "")]

    def _path(self, room: int) -> list[Cell]:
        glyphs = self.glyphs
        between = f" {glyphs.crumb} "
        steps = [_cut(step, _STEP_WIDTH, glyphs) for step in self._steps]
        if not steps:
            return []
        for first in range(len(steps)):
            shown = [glyphs.ellipsis, *steps[first:]] if first else steps
            lead = between.join([*shown[:-1], ""])
            if cell_len(lead) + cell_len(steps[-1]) <= room:
                return [Cell(lead, "dim"), Cell(steps[-1], "strong")]
        return [Cell(_cut(self._steps[-1], room, glyphs), "strong")]


def _cut(text: str, width: int, glyphs: Glyphs) -> str:
    """Untrusted text, drawable, in at most so many cells."""
    return fit(text, min(width, width_of(text, limit=width + 1, glyphs=glyphs)), glyphs=glyphs)
