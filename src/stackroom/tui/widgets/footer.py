"""The last line: which keys matter here. Textual's own footer cuts off at the edge without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.message import Message

from stackroom.tui.bindings import Hint
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_GAP: Final = 2
"""Blank cells between two entries."""

MORE: Final = Hint("help", "?", "more")
"""The last entry, always: everything that did not fit is behind it."""


class KeyHints(OneLine):
    """Entries in the order of their importance, as many as fit whole, and ``? more``.

    Entries that cannot be used now are greyed and not hidden, so that a key is always found at its place.
    """

    class Pressed(Message):
        """A click on an entry.

        Attributes:
            id: of its action.
        """

        def __init__(self, hints: KeyHints, id: str) -> None:  # noqa: A002  # the action's own word
            super().__init__()
            self.hints = hints
            self.id = id

        @property
        def control(self) -> KeyHints:
            """The footer."""
            return self.hints

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._hints: tuple[Hint, ...] = ()
        self._more: Hint | None = MORE

    def show(self, hints: Sequence[Hint], *, more: Hint | None = MORE) -> None:
        """Other entries.

        Args:
            hints: the most important first.
            more: the entry at the end; None where there is no more.
        """
        self._hints, self._more = tuple(hints), more
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:
        """The entries that fit."""
        cells = [Cell(" ")]
        for hint in self._fitting(width):
            if len(cells) > 1:
                cells.append(Cell(" " * _GAP))
            cells.append(Cell(hint.key, "key" if hint.enabled else "dim"))
            cells.append(Cell(f" {hint.label}", "" if hint.enabled else "dim"))
        return cells

    def on_click(self, event: events.Click) -> None:
        """A click is the key."""
        offset = event.get_content_offset(self)
        x = 1
        for hint in self._fitting(self.size.width):
            wide = _width(hint)
            if offset is not None and x <= offset.x < x + wide:
                self.post_message(self.Pressed(self, hint.id))
                return
            x += wide + _GAP

    def _fitting(self, width: int) -> list[Hint]:
        ends = [self._more] if self._more is not None else []
        room = width - 1 - sum(_width(hint) for hint in ends)
        shown = []
        for hint in self._hints:
            room -= _width(hint) + _GAP
            if room < 0:
                break
            shown.append(hint)
        return [*shown, *ends]


def _width(hint: Hint) -> int:
    return cell_len(hint.key) + 1 + cell_len(hint.label)
