"""A report of what is done to several things, a line for each: what doing and mending share, and how it is stopped."""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from stackroom.tui.bindings import bindings_for
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.tui.widgets.columns import Column


class ReportBody(Body):
    """Holds the keys of a report."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("bulk")]


class ReportPage(Page):
    """A line for each thing; Esc stops between two of them.

    Args:
        columns: of the lines.
        empty: what is said while there are none.
    """

    scope = "bulk"
    body_class = ReportBody

    DEFAULT_CSS = """
    ReportPage #body { layout: vertical; }
    """

    def __init__(self, columns: Sequence[Column], empty: str = "") -> None:
        super().__init__()
        self._stop = threading.Event()
        self._table = LineTable(columns, empty=empty)
        self._table.lit = True

    @property
    @abstractmethod
    def working(self) -> bool:
        """Whether something is being written."""

    def compose_body(self) -> ComposeResult:
        """A line for each."""
        yield self._table

    def on_unmount(self) -> None:
        """Nothing more is begun."""
        self._stop.set()

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """The report stays as it is."""

    def dismiss_one(self) -> bool:
        """Esc stops between two."""
        if not self.working or self._stop.is_set():
            return False
        self._stop.set()
        self.say("stops after this one")
        return True

    def do_back(self) -> None:
        """Stop first, then leave."""
        if not self.dismiss_one():
            super().do_back()
