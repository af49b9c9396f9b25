"""A line at the foot of a screen where something is asked: a reason, a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal

from stackroom.tui.widgets.prompt import Line

if TYPE_CHECKING:
    from textual.binding import BindingType


class Asked(Horizontal):
    """A line where something is asked, with its words before it.

    The screen has ``leave_line``, ``step`` and the action ``other``.
    """

    DEFAULT_CSS = """
    Asked { height: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_text(-1)", show=False),
        Binding("down", "scroll_text(1)", show=False),
        # With priority: what is typed right after it is for the other line.
        Binding("tab,shift+tab", "act('other')", show=False, priority=True),
        Binding("enter", "enter", show=False, priority=True),
        Binding("f1", "act('help')", show=False),
    ]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone

    def action_enter(self) -> None:
        """The line is done, once it has taken what was typed before; what comes after is for the next line already."""
        line = self.query_one(Line)
        self.screen.leave_line(line)  # type: ignore[attr-defined]  # the same
        line.call_later(line.action_submit)

    def action_scroll_text(self, lines: int) -> None:
        """The judgement scrolls while something is typed."""
        self.screen.step(lines)  # type: ignore[attr-defined]  # the same
