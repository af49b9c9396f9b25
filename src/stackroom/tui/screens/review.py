"""What needs attention in all models, each with why and the command that helps."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from stackroom.core.findings import SEVERITIES
from stackroom.core.show import count
from stackroom.registry.reviewing import review
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import lists
from stackroom.tui.present import review as reviewed
from stackroom.tui.screens.overseen import OverseenPage, open_row
from stackroom.tui.screens.page import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.binding import BindingType

    from stackroom.core.attention import Remark
    from stackroom.core.listing import Listing
    from stackroom.tui.background import Task, Work
    from stackroom.tui.present.words import Line


class ReviewBody(Body):
    """Holds the keys of what needs attention."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("review")]


class ReviewPage(OverseenPage):
    """What needs attention."""

    scope = "review"
    body_class = ReviewBody
    columns = reviewed.COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Remark] = {}

    def steps(self) -> Sequence[str]:
        """It is about all models."""
        return ["review"]

    def facts(self) -> Sequence[str]:
        """How many of each severity."""
        counts = Counter(one.severity for one in self._found.values())
        return [*(count(counts[one], one) for one in SEVERITIES if counts[one]), self.shown_fact]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Look again."""
        if changed:
            self.read_again()

    def judge_again(self, spoken: frozenset[str] | None) -> None:
        """Look again where the rules changed; words alone need nobody's attention here."""
        if spoken is None:
            self.read_again()

    def reading(self) -> Work[tuple[Remark, ...]]:
        """Everything that a listing of the models tells."""
        registry = self.browser.registry

        def work(_task: Task) -> tuple[Remark, ...]:
            return review(registry)

        return work

    def taken(self, value: tuple[Remark, ...]) -> None:
        """All of it."""
        self._found = {reviewed.key(one): one for one in value}
        self.show_rows([reviewed.row(one) for one in self._found.values()], "nothing needs attention", keep_gone=True)

    def more(self, key: str) -> list[Line]:
        """One of them in full."""
        one = self._found.get(key)
        return reviewed.more(one) if one else []

    def listing(self, keys: Sequence[str]) -> Callable[[], Listing]:
        """What needs attention."""
        return partial(lists.of_remarks, [self._found[key] for key in keys if key in self._found])

    def do_open(self, *words: str) -> None:
        """The version, or the model."""
        one = self._found.get(self.table.cursor_key or "")
        if words:
            self.browser.open_text(words[0])
        elif one is not None:
            open_row(self, str(one.ref))

    def do_copy(self) -> None:
        """The command that helps."""
        one = self._found.get(self.table.cursor_key or "")
        if one is not None:
            self.browser.copy(one.command)
