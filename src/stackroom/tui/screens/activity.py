"""Everything that happened, newest first: moves, words, registrations, edits, deletions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.core.show import count
from stackroom.errors import NotFoundError
from stackroom.registry.happening import LIMIT, Activity, activity
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import activity as happened
from stackroom.tui.present import lists
from stackroom.tui.screens.overseen import OverseenPage, open_row
from stackroom.tui.screens.page import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.binding import BindingType

    from stackroom.core.activity import Happening
    from stackroom.core.listing import Listing
    from stackroom.registry.facade import Registry
    from stackroom.tui.background import Task, Work
    from stackroom.tui.present.words import Line
    from stackroom.tui.widgets.line_table import Row


class _GivenUpError(Exception):
    """Nobody waits for it any more."""


class ActivityBody(Body):
    """Holds the keys of what happened."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("activity")]


class ActivityPage(OverseenPage):
    """What happened, to one model or to all.

    Args:
        model: which one; None for all.
    """

    scope = "activity"
    body_class = ActivityBody
    columns = happened.COLUMNS

    def __init__(self, model: str | None = None) -> None:
        super().__init__()
        self.model_name = model
        self._found: dict[str, Happening] = {}
        self._left_off = 0
        self._troubles: tuple[str, ...] = ()
        self._changed: set[str] = set()

    def steps(self) -> Sequence[str]:
        """The model, if it is one."""
        return [*([self.model_name] if self.model_name else []), "activity"]

    def facts(self) -> Sequence[str]:
        """How much happened, and what could not be read."""
        if not self._found:
            return [self.shown_fact]
        left = f"{self._left_off:,} older ones left off" if self._left_off else ""
        return [f"{count(len(self._found), 'thing')} happened", left, self.shown_fact, *self._troubles]

    def model_shown(self) -> str | None:
        """The model, if it is one."""
        return self.model_name

    # ---- reading

    def reading(self) -> Work[Activity]:
        """Everything."""
        registry, model = self.browser.registry, self.model_name
        self._changed = set()

        def work(task: Task) -> Activity:
            def watch(done: int, total: int) -> None:
                if task.cancelled:
                    raise _GivenUpError
                task.report(f"reading {done:,} of {count(total, 'model')}")

            return activity(registry, model, watch=watch)

        return work

    def taken(self, value: Activity) -> None:
        """All of it."""
        self._found = {one.place: one for one in value.happenings}
        self._left_off, self._troubles = value.left_off, value.troubles
        self._show()
        if self._changed:  # while it was being read
            self._read_changed()

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Read again what happened to the models that changed."""
        mine = set(changed) if self.model_name is None else set(changed) & {self.model_name}
        self._changed |= mine
        if mine and not self._reading:
            self._read_changed()

    def judge_again(self, spoken: frozenset[str] | None) -> None:
        """Words are among what happens."""
        if spoken:
            self.picture_changed(dict.fromkeys(spoken, frozenset()))

    def _read_changed(self) -> None:
        registry, names = self.browser.registry, frozenset(self._changed)

        def work(_task: Task) -> tuple[frozenset[str], list[Activity]]:
            return names, [found for name in names if (found := _activity_of(registry, name)) is not None]

        self.work.run("changed", work)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """All of it, or what happened to some models."""
        super().got(name, value)
        if name == "changed":
            names, found = value
            self._changed -= names
            before = set(self._found)
            kept = [one for one in self._found.values() if one.model not in names]
            fresh = [one for part in found for one in part.happenings]
            self._found = {one.place: one for one in happened.newest_first([*kept, *fresh])[:LIMIT]}
            self._show()
            self.table.flag(set(self._found) - before)

    def _show(self) -> None:
        now, glyphs = self.browser.now, self.browser.glyphs
        rows: list[Row] = [happened.row(one, now, glyphs) for one in self._found.values()]
        self.show_rows(rows, "nothing happened yet", keep_gone=True)

    def more(self, key: str) -> list[Line]:
        """One thing in full."""
        one = self._found.get(key)
        return happened.more(one) if one else []

    def listing(self, keys: Sequence[str]) -> Callable[[], Listing]:
        """What happened."""
        found = [self._found[key] for key in keys if key in self._found]
        return partial(lists.of_happenings, found)

    # ---- actions

    def do_open(self, *words: str) -> None:
        """The version, or the model where it is about no version."""
        one = self._found.get(self.table.cursor_key or "")
        if words:
            self.browser.open_text(words[0])
        elif one is not None:
            open_row(self, str(one.ref or one.model))

    def do_copy(self) -> None:
        """Ask what to copy."""
        one = self._found.get(self.table.cursor_key or "")
        if one is not None:
            ref = str(one.ref or one.model)
            texts = {"r": ref, "p": one.place, "c": f"stackroom history {one.model}"}
            choices = [("r", "ref"), ("p", "place"), ("c", "command")]
            self.choose("copy", choices, lambda key: self.browser.copy(texts[key]))


def _activity_of(registry: Registry, name: str) -> Activity | None:
    """What happened to a model; None where it is gone."""
    try:
        return activity(registry, name)
    except NotFoundError:
        return None
