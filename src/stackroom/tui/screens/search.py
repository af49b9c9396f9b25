"""The versions of all models that a line asks for, while it is being typed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from stackroom.core.names import parse_ref
from stackroom.core.show import count
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import found as listed
from stackroom.tui.present import lists
from stackroom.tui.present.filtering import as_query
from stackroom.tui.screens.overseen import OverseenPage
from stackroom.tui.screens.page import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.binding import BindingType

    from stackroom.core.listing import Listing
    from stackroom.store.records import Version
    from stackroom.tui.background import Task, Work
    from stackroom.tui.present.words import Line
    from stackroom.tui.widgets.line_table import LineTable

LIMIT: Final = 1_000
"""Versions that are shown: nobody reads more, and each of them is kept whole."""

_TYPING_SECONDS: Final = 0.1
"""Between two keys of one who types on; a search over a hundred thousand versions takes as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found.

    Attributes:
        query: what was asked for.
        versions: the first of them.
        total: how many there are.
    """

    query: str
    versions: tuple[Version, ...]
    total: int


class SearchBody(Body):
    """Holds the keys of a search."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("search")]


class SearchPage(OverseenPage):
    """A search through all versions; the line is asked for at once where there is none.

    Args:
        text: what the line starts with.
    """

    scope = "search"
    body_class = SearchBody
    columns = listed.BEFORE

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text.strip()
        self._problem = ""
        self._last: Answer | None = None
        self._found: dict[str, Version] = {}
        self._sort = "created"
        self._turned = False
        self._archived = False

    def begin(self) -> None:
        """Ask, or ask what to ask for."""
        self._ask()
        if not self._text:
            self.do_filter()

    def steps(self) -> Sequence[str]:
        """It is about all models."""
        return ["search"]

    def facts(self) -> Sequence[str]:
        """How many there are, what was asked, and what is wrong with that."""
        answer, table = self._last, self.table
        if answer is None:
            return [self._problem]
        total = count(answer.total, "version")
        glyphs = self.browser.glyphs
        label = next((column.label for column in table.columns if column.key == self._sort), self._sort)
        down = listed.sort_field(self._sort, self.browser.registry.policy, turned=self._turned).startswith("-")
        return [
            total if answer.total <= LIMIT else f"the first {LIMIT:,} of {total}",
            self._problem,
            f"{len(table.marks)} marked" if table.marks else "",
            f"search: {self._text}" if self._text and not self.prompt.question else "",
            f"sort {label} {glyphs.descending if down else glyphs.ascending}",
            "archived too" if self._archived else "",
        ]

    # ---- reading

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Look again."""
        if changed:
            self.read_again()

    def reading(self) -> Work[Answer | None]:
        """Whatever the line asks for now; while one types, once no key has come for a moment."""
        pause = _TYPING_SECONDS if self.prompt.question else 0.0
        registry, archived = self.browser.registry, self._archived
        query, self._problem = as_query(self._text)
        sort = listed.sort_field(self._sort, registry.policy, turned=self._turned)

        def work(task: Task) -> Answer | None:
            # Whoever types on does not want what was asked for until then, and should not wait for it either.
            time.sleep(pause)
            if task.cancelled:
                return None
            found = registry.find(query, sort=sort, archived=archived, limit=LIMIT)
            return Answer(query=query, versions=found.versions, total=found.total)

        return work

    def taken(self, value: Answer | None) -> None:
        """All of it, or the first of it."""
        if value is None:
            return
        page, policy, glyphs, now = self.browser, self.browser.registry.policy, self.browser.glyphs, self.browser.now
        again = self._last is not None and self._last.query == value.query
        self._last = value
        self._found = {str(version.ref): version for version in value.versions}
        metrics = listed.metric_names(value.versions, policy, value.query)
        columns = listed.columns(metrics, policy, page.glyphs)
        if columns != self.table.columns:
            self.table.set_columns(columns)
        down = listed.sort_field(self._sort, policy, turned=self._turned).startswith("-")
        self.table.set_sort(self._sort, descending=down)
        rows = [listed.row(version, metrics, now, glyphs) for version in value.versions]
        self.show_rows(rows, "no version is like that", keep_gone=again)

    def more(self, key: str) -> list[Line]:
        """One version in a few lines."""
        version = self._found.get(key)
        return listed.more(version, self.browser.now) if version else []

    def listing(self, keys: Sequence[str]) -> Callable[[], Listing]:
        """What was found."""
        return partial(lists.of_versions, [self._found[key] for key in keys if key in self._found])

    # ---- the line

    def filter_text(self) -> str:
        """What was asked for."""
        return self._text

    def filter_changed(self, text: str) -> None:
        """Ask for something else."""
        if text.strip() != self._text:
            self._text = text.strip()
            self._ask()

    def _ask(self) -> None:
        self.work.run("read", self.reading())
        self.show_bars()

    def dismiss_one(self) -> bool:
        """What is being read, a range, then the line, then the marks."""
        if self._reading:
            return super().dismiss_one()
        if self.table.cancel_range():
            return True
        if self._text:
            self.filter_changed("")
            return True
        if self.table.marks:
            self.table.set_marks(())
            return True
        return False

    def on_line_table_marks_changed(self, event: LineTable.MarksChanged) -> None:
        """The facts count them."""
        event.stop()
        self.show_bars()

    def on_line_table_header_clicked(self, event: LineTable.HeaderClicked) -> None:
        """A click sorts, a second one turns it around."""
        event.stop()
        if event.column in listed.sortable(self.table.columns):
            self._sort_by(event.column, turned=event.column == self._sort and not self._turned)

    def _sort_by(self, column: str, *, turned: bool = False) -> None:
        self._sort, self._turned = column, turned
        self._ask()

    # ---- actions

    def do_open(self, *words: str) -> None:
        """The version."""
        if words:
            self.browser.open_text(words[0])
        elif (key := self.table.cursor_key) is not None:
            self.browser.open_version(parse_ref(key))

    def do_search(self, *words: str) -> None:
        """Another line."""
        if words:
            self.filter_changed(" ".join(words))
        else:
            self.do_filter()

    def do_mark(self) -> None:
        """Mark and go down."""
        self.table.action_mark()

    def do_mark_range(self) -> None:
        """Start or keep a range."""
        self.table.action_mark_range()

    def do_unmark_all(self) -> None:
        """Forget the marks."""
        self.table.action_unmark_all()

    def do_compare(self, *words: str) -> None:
        """What is marked, in the order of the list."""
        marked = [key for key in self._found if key in self.table.marks]
        if words:
            self.browser.compare_texts(words)
        elif len(marked) > 1:
            self.browser.compare([parse_ref(key) for key in marked])
        else:
            self.say("mark two versions with space, of any models", tone="warn")

    def do_archived(self) -> None:
        """Find what is archived, too, or no longer."""
        self._archived = not self._archived
        self._ask()

    def do_sort(self, *words: str) -> None:
        """The next column, or the one that was typed."""
        keys = listed.sortable(self.table.columns)
        if not words:
            place = keys.index(self._sort) if self._sort in keys else -1
            self._sort_by(keys[(place + 1) % len(keys)])
            return
        name = words[0].removeprefix("-")
        key = next((key for key in keys if name in {key, key.partition(":")[2]}), None)
        if key is None:
            self.say(f"no column {name}; there are {', '.join(self.sort_columns())}", tone="warn")
        else:
            self._sort_by(key, turned=words[0].startswith("-"))

    def sort_columns(self) -> Sequence[str]:
        """The columns that can be sorted by, without the words before the colon."""
        return [key.partition(":")[2] or key for key in listed.sortable(self.table.columns)]

    def do_reverse(self) -> None:
        """The other way around."""
        self._sort_by(self._sort, turned=not self._turned)

    def do_copy(self) -> None:
        """Ask what to copy."""
        version = self._found.get(self.table.cursor_key or "")
        if version is not None:
            self.browser.copy_of(self, str(version.ref), version.folder)
