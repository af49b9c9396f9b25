"""The two lists of the first screen, and how each of them is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding

from stackroom.tui.bindings import bindings_for
from stackroom.tui.present.filtering import Filter
from stackroom.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from stackroom.core.policy import Policy
    from stackroom.tui.widgets.columns import Column

_UNSORTABLE: Final = frozenset({"trend", "note"})
_ASCENDING: Final = frozenset({"model", "description", "by"})
"""Columns whose small values are wanted first; metrics follow their direction, all others start with the largest."""


class ModelsTable(LineTable):
    """The models, with the keys that work on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for("models"),
        Binding("s,c,space,v", "explain", show=False, priority=True),
    ]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone

    def action_explain(self) -> None:
        """The keys of versions do nothing here, and say so."""
        self.screen.say("open a model first: enter")  # type: ignore[attr-defined]  # the same


class VersionsTable(LineTable):
    """The versions, with the keys that work on them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("versions")]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone


@dataclass(slots=True)
class View:
    """How one of the two lists is shown.

    Attributes:
        filter: what is typed after ``/``.
        sort: the column.
        descending: which way.
        total: rows without the filter.
        fields: what the filter has already worked out, by key; thrown away when the rows change.
    """

    sort: str
    descending: bool = False
    filter: Filter = field(default_factory=lambda: Filter(""))
    total: int = 0
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)

    def matches(self, key: str, fields_of: Callable[[], dict[str, Any]]) -> bool:
        """Whether a row is shown; its fields are worked out once."""
        if not self.filter:
            return True
        if key not in self.fields:
            self.fields[key] = fields_of()
        return self.filter.matches(self.fields[key])

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
