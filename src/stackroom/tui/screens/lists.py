"""The two lists of the first screen, the preview, and how a list is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from stackroom.tui.bindings import bindings_for
from stackroom.tui.memory import ListMemory
from stackroom.tui.present.filtering import Filter
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from stackroom.core.policy import Policy
    from stackroom.tui.widgets.columns import Column

_UNSORTABLE: Final = frozenset({"trend", "note"})
_ASCENDING: Final = frozenset({"model", "description", "by"})
"""Columns whose small values are wanted first; metrics follow their direction, all others start with the largest."""


_OF_VERSIONS: Final = frozenset({"move", "approve", "reject", "compare", "mark", "mark_range"})
"""What works on versions alone, and says so on models."""

_LEAVING: Final = frozenset({"back", "leave", "escape"})


class ModelsTable(LineTable):
    """The models, with the keys that work on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for("models"),
        *(binding for binding in bindings_for("versions") if binding.id in _OF_VERSIONS),
    ]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone


class VersionsTable(LineTable):
    """The versions, with the keys that work on them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("versions")]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone


class Preview(TextPane):
    """More about the cursor's row; with the keys it scrolls, and they still work on that row."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("versions")]

    def action_act(self, id_: str) -> None:
        """The way back leads to the list first; all other keys go to the screen."""
        self.screen.action_act("list_again" if id_ in _LEAVING else id_)  # type: ignore[attr-defined]  # the same


@dataclass(slots=True)
class View:
    """How one of the two lists is shown.

    Attributes:
        filter: what is typed after ``/``.
        sort: the column.
        descending: which way.
        total: rows without the filter.
        hidden: of those that are archived and not shown.
        empty: what is said when there are none.
    """

    sort: str
    descending: bool = False
    filter: Filter = field(default_factory=lambda: Filter(""))
    total: int = 0
    hidden: int = 0
    empty: str = ""

    def memory(self) -> ListMemory:
        """What of it is remembered."""
        return ListMemory(sort=self.sort, descending=self.descending, filter=self.filter.text)

    def restore(self, memory: ListMemory) -> None:
        """As it was; a column that is no more is found out when the rows are put in order."""
        if memory.sort:
            self.sort, self.descending = memory.sort, memory.descending
        self.filter = Filter(memory.filter)

    def sort_by(self, column: str, policy: Policy) -> None:
        """Sort by a column, its most wanted values first."""
        if column.startswith("metric:"):
            self.descending = policy.better(column.removeprefix("metric:")) != "lower"
        else:
            self.descending = column not in _ASCENDING
        self.sort = column

    def sort_by_next(self, keys: Sequence[str], policy: Policy) -> None:
        """Sort by the column after the present one."""
        place = keys.index(self.sort) if self.sort in keys else -1
        self.sort_by(keys[(place + 1) % len(keys)], policy)


def sortable(columns: Sequence[Column]) -> list[str]:
    """The keys of the columns that can be sorted by."""
    return [column.key for column in columns if column.key not in _UNSORTABLE]
