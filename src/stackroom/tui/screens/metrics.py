"""Which metrics are shown: a list to choose from, with a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stackroom.core.show import count
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present.words import arrow
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.tui.actions import Action


class MetricsBody(Body):
    """Holds the keys of the choice."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("metrics")]


class MetricsPage(Page):
    """A choice of metrics.

    Args:
        names: of all metrics.
        chosen: those that are shown now.
        taken: is called with those that were chosen, in the order of ``names``, after this screen was left.
        one: exactly one is chosen: the one under the cursor.
    """

    scope = "metrics"
    body_class = MetricsBody

    def __init__(
        self,
        names: Sequence[str],
        chosen: Sequence[str],
        taken: Callable[[tuple[str, ...]], None],
        *,
        one: bool = False,
    ) -> None:
        super().__init__()
        self._names = tuple(names)
        self._chosen = set(chosen)
        self._taken = taken
        self._one = one
        self._needle = ""
        self._table = LineTable(empty="nothing matches the filter")

    def compose_body(self) -> ComposeResult:
        """The list."""
        yield self._table

    def on_mount(self) -> None:
        """All names; the cursor on the first that is chosen."""
        self._table.set_columns(
            [Column(key="metric", label="METRIC", max_width=60), Column(key="better", label="BETTER IS", priority=1)]
        )
        self.show_rows()
        first = next((name for name in self._names if name in self._chosen), None)
        if first is not None:
            self._table.move_to(first)
        self.set_focus(self._table, scroll_visible=False)

    def steps(self) -> Sequence[str]:
        """What is chosen."""
        return ["choose a metric" if self._one else "choose metrics"]

    def facts(self) -> Sequence[str]:
        """How many."""
        total = count(len(self._names), "metric")
        return [
            total if self._one else f"{len(self._chosen)} of {total} shown",
            f"filter: {self._needle}" if self._needle else "",
        ]

    def why_not(self, action: Action) -> str:
        """Only one at a time can be chosen for a plot."""
        one = self._one and action.id in {"toggle", "toggle_all"}
        return "enter takes the metric under the cursor" if one else super().why_not(action)

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """The choice stays what it is until it is made."""

    def show_rows(self) -> None:
        """Fill the list."""
        policy, glyphs = self.browser.registry.policy, self.browser.glyphs
        needle = self._needle.casefold()
        rows = []
        for name in self._names:
            if needle in name.casefold():
                better = policy.better(name)
                told = f"{arrow(better, glyphs)} {better or 'not declared'}"
                rows.append(Row(name, (Cell(name, "strong" if name in self._chosen else "dim"), Cell(told, "dim"))))
        self._table.set_rows(rows)
        self._table.set_marks(name for name in self._names if name in self._chosen)
        self.show_bars()

    def filter_text(self) -> str:
        """What the names are filtered by."""
        return self._needle

    def filter_changed(self, text: str) -> None:
        """Only the names with a text."""
        self._needle = text.strip()
        self.show_rows()

    def step(self, lines: int) -> None:
        """The list behind the question."""
        (self._table.action_row_down if lines > 0 else self._table.action_row_up)()

    def dismiss_one(self) -> bool:
        """The filter."""
        if self._needle:
            self.filter_changed("")
            return True
        return False

    # ---- actions

    def on_line_table_marks_changed(self, event: LineTable.MarksChanged) -> None:
        """A click beside a name is the space bar.

        Not what the message says counts but what is marked by now: two messages that are under way at once and tell of
        different marks would otherwise put each other's marks back, and chase each other for ever.
        """
        event.stop()
        marks = set(self._table.marks)
        if marks != self._chosen and not self._one:
            self._chosen = marks
            self.show_rows()

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.do_take()

    def do_toggle(self) -> None:
        """Show or hide one, and go on."""
        name = self._table.cursor_key
        if self._one:
            self.say("enter takes the metric under the cursor")
        elif name is not None:
            self._chosen ^= {name}
            self.show_rows()
            self._table.action_row_down()

    def do_toggle_all(self) -> None:
        """Everything that the filter shows, or nothing of it."""
        if self._one:
            self.say("enter takes the metric under the cursor")
            return
        seen = {name for name in self._names if self._needle.casefold() in name.casefold()}
        self._chosen = self._chosen - seen if seen <= self._chosen else self._chosen | seen
        self.show_rows()

    def do_take(self) -> None:
        """Leave with the choice."""
        if self._one:
            chosen = [] if self._table.cursor_key is None else [self._table.cursor_key]
        else:
            chosen = [name for name in self._names if name in self._chosen]
        if not chosen:
            self.say("choose one at least: space", tone="warn")
            return
        self.leave()
        self._taken(tuple(chosen))
