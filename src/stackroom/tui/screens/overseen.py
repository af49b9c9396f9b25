"""A list over the whole registry with more about the cursor's row below: what Activity, Review and Doctor share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from stackroom.core.listing import listed
from stackroom.errors import UsageError
from stackroom.tui.screens.exporting import Exporting
from stackroom.tui.screens.page import Body
from stackroom.tui.widgets.divider import Divider
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from stackroom.core.export import Format
    from stackroom.core.listing import Listing
    from stackroom.tui.background import Work
    from stackroom.tui.present.words import Line
    from stackroom.tui.screens.page import Page
    from stackroom.tui.widgets.columns import Column
    from stackroom.tui.widgets.line_table import Row

_MORE: Final = 5
"""Rows of the text below the list."""


class OverseenPage(Exporting):
    """A list that is read in the background, filtered by words, with more about one row below it.

    Subclasses say what the rows are, and fill the list with :meth:`show_rows` when something is new.
    """

    columns: ClassVar[Sequence[Column]]
    body_class = Body

    DEFAULT_CSS = """
    OverseenPage #body { layout: vertical; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = LineTable(self.columns, empty="reading …")
        self._line = Divider()
        self._more = TextPane()
        self._needle = ""
        self._shown: tuple[str, ...] = ()
        self._rows: list[Row] = []
        self._empty = "reading …"
        self._reading = False
        self._again = False

    @abstractmethod
    def reading(self) -> Work[Any]:
        """What reads it; runs in a thread, and ends in :meth:`taken`."""

    @abstractmethod
    def taken(self, value: Any) -> None:  # noqa: ANN401  # each screen reads something else
        """It has been read."""

    @abstractmethod
    def more(self, key: str) -> list[Line]:
        """More about one row."""

    @abstractmethod
    def listing(self, keys: Sequence[str]) -> Callable[[], Listing]:
        """What makes the list to write, of the rows with these keys."""

    def exporting(self) -> Callable[[Format], str]:
        """The rows that the filter lets through."""
        if self._reading:
            raise UsageError("it is still being read")
        listing = self.listing(self._shown)
        return lambda form: listed(listing(), form)

    def export_name(self) -> str:
        """The screen, and the model if it is one."""
        return "-".join(self.steps())

    def compose_body(self) -> ComposeResult:
        """The list, a line, the text."""
        yield self.table
        yield self._line
        yield self._more

    def on_mount(self) -> None:
        """Read."""
        self._line.styles.width, self._line.styles.height = "1fr", 1
        self._more.styles.height = _MORE
        self.set_focus(self.table, scroll_visible=False)
        self.begin()

    def begin(self) -> None:
        """What is done first, once the list has the keys."""
        self.read()

    def read(self) -> None:
        """Read it, in a thread, because somebody asked."""
        self._reading, self._again = True, False
        self.say("reading (esc gives up)")
        self.work.run("read", self.reading())

    def read_again(self) -> None:
        """Read it because something changed: without a word, and once more when what is being read is there."""
        self._again = self.work.is_busy("read")
        if not self._again:
            self.work.run("read", self.reading())

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """It has been read."""
        if name == "read":
            if self._reading:
                self._reading = False
                self.say("")
            self.taken(value)
            if self._again:
                self._again = False
                self.work.run("read", self.reading())
        else:
            super().got(name, value)

    def progressed(self, name: str, latest: dict[str, Any]) -> None:  # noqa: ARG002  # there is one piece of work
        """How far it is."""
        if self._reading:
            self.say(f"{latest['']} (esc gives up)")

    @property
    def shown_fact(self) -> str:
        """What the list is filtered by."""
        return f"filter: {self._needle}" if self._needle else ""

    def show_rows(self, rows: list[Row], empty: str, *, keep_gone: bool = False) -> None:
        """Other rows, as far as the filter lets them through.

        Args:
            rows: all of them.
            empty: what is said when there are none.
            keep_gone: the cursor's row stays, struck through, when it is not among them.
        """
        self._rows, self._empty = rows, empty
        self._fill(keep_gone=keep_gone)

    def _fill(self, *, keep_gone: bool = False) -> None:
        words = self._needle.casefold().split()
        shown = [row for row in self._rows if _matches(row, words)]
        self.table.set_empty("nothing matches the filter" if self._rows and words else self._empty)
        self._shown = tuple(row.key for row in shown)
        self.table.set_rows(shown, keep_gone=keep_gone)
        self._show_more()
        self.show_bars()

    def _show_more(self) -> None:
        key = self.table.cursor_key
        gone = key is None or self.table.cursor_is_gone
        self._more.set_lines([] if key is None or gone else self.more(key), fold=True)

    def on_line_table_cursor_moved(self, event: LineTable.CursorMoved) -> None:
        """The text follows."""
        event.stop()
        self._show_more()

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.act("details" if self.scope == "doctor" else "open")

    # ---- the filter

    def filter_text(self) -> str:
        """What the list is filtered by."""
        return self._needle

    def filter_changed(self, text: str) -> None:
        """Only the rows with every word; ``!word`` for those without."""
        self._needle = text.strip()
        self._fill()

    def step(self, lines: int) -> None:
        """The list behind the question."""
        (self.table.action_row_down if lines > 0 else self.table.action_row_up)()

    def dismiss_one(self) -> bool:
        """What is being read, then the filter."""
        if self._reading:
            self._reading = False
            self.work.cancel("read")
            self._empty = "given up; r reads again"
            self._fill()
            self.say("given up; r reads again", tone="warn")
            return True
        if self._needle:
            self.filter_changed("")
            return True
        return False

    def do_refresh(self) -> None:
        """Read again."""
        self.read()

    def failed(self, name: str, error: Exception) -> None:
        """It could not be read."""
        self._reading = False
        if not self._rows:
            self.table.set_empty(str(error))
        super().failed(name, error)


def _matches(row: Row, words: Sequence[str]) -> bool:
    text = " ".join(cell.text for cell in row.cells).casefold()
    return all((word[1:] not in text) if word.startswith("!") and word[1:] else word in text for word in words)


def open_row(page: Page, ref: str) -> None:
    """Open the version or model that a row is about; a version that is not shown says so."""
    if ref:
        page.browser.open_text(ref)
    else:
        page.say("this row is about no version", tone="warn")
