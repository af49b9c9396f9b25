"""Find something by a part of its name, and do it: opaque, and no dearer than any other screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.tui.present import palette
from stackroom.tui.screens.page import Page
from stackroom.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from stackroom.tui.present.palette import Entry
    from stackroom.tui.widgets.prompt import Question


_NOTHING: Final = "nothing has this name"
"""What is said when something was typed that no entry holds."""


class PalettePage(Page):
    """Entries above a line that finds among them.

    Args:
        title: the last step of the path.
        entries: of a text that was typed.
        empty: what is said when there are none at all.
    """

    scope = "text"

    def __init__(self, title: str, entries: Callable[[str], list[Entry]], *, empty: str = _NOTHING) -> None:
        super().__init__()
        self._title_text = title
        self._entries = entries
        self._shown: dict[str, Entry] = {}
        self._empty = empty
        self._table = LineTable(palette.COLUMNS)
        self._table.can_focus, self._table.lit = False, True

    def compose_body(self) -> ComposeResult:
        """The entries."""
        yield self._table

    def on_mount(self) -> None:
        """Everything there is, and a line to type in."""
        self._find("")
        self.ask(">")

    def steps(self) -> Sequence[str]:
        """The title."""
        return [self._title_text]

    def facts(self) -> Sequence[str]:
        """How one gets out."""
        return ["type to find", "enter does it", "esc goes back"]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Nothing moves while somebody types."""

    def step(self, lines: int) -> None:
        """The arrows move the cursor."""
        if lines > 0:
            self._table.action_row_down()
        else:
            self._table.action_row_up()

    def typed(self, question: Question, text: str) -> None:  # noqa: ARG002  # there is one question
        """What is found follows each key."""
        self._find(text)

    def entered(self, question: Question, text: str) -> None:  # noqa: ARG002  # the same
        """Do what the cursor is on, on the screen below."""
        self._do(self._table.cursor_key)

    def complete(self, question: Question, text: str) -> None:
        """Tab does nothing: what is found is shown."""

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self._do(event.key)

    def do_escape(self) -> None:
        """Back, with nothing done."""
        self.leave()

    def _find(self, text: str) -> None:
        found = self._entries(text)
        self._table.set_empty(_NOTHING if text.strip() else self._empty)
        self._shown = {entry.command: entry for entry in found}
        self._table.set_rows(palette.rows(list(self._shown.values())))
        self._table.action_first_row()

    def _do(self, command: str | None) -> None:
        if command not in self._shown or self.browser.page is not self:
            return
        self.leave()
        if self.browser.page is not None:
            self.browser.run_command(self.browser.page, command)
