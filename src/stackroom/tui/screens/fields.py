"""A form: the fields of a record on a line each, one of which is typed at the foot and judged for each key."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from stackroom.core.admission import check_new
from stackroom.core.fields import LISTS
from stackroom.core.metadata import editable_path
from stackroom.core.onelines import of_one_line, on_one_line
from stackroom.core.show import count
from stackroom.core.threeway import leaves, with_leaf
from stackroom.errors import RegistryError
from stackroom.tui.bindings import bindings_for
from stackroom.tui.commands import common_start
from stackroom.tui.present import edit as form
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.sheet import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.core.metadata import Record
    from stackroom.core.threeway import Path
    from stackroom.tui.widgets.prompt import Question

NEW_FIELD: Final = "@field"
"""What is asked when a field is added: its name."""

_CHANGING: Final = frozenset({"change", "add_field", "unset", "undo_change", "editor"})
"""Actions that change what is to be written."""

_SHOWN: Final = 12
"""Words that a beginning may become, at most, above the keys."""


class FormBody(Body):
    """Holds the keys of a form."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("edit")]


class FieldsPage(Page):
    """The fields of a record, with what they say and shall say.

    Subclasses may put lines of their own above them (:meth:`own_entries`), whose keys begin with ``@``.

    Args:
        start: what is said now.
    """

    scope = "edit"
    body_class = FormBody

    DEFAULT_CSS = """
    FieldsPage #body { layout: vertical; }
    """

    def __init__(self, start: Record) -> None:
        super().__init__()
        self.start = self.mine = start
        self.table = LineTable(form.COLUMNS)
        self.table.lit = True
        self.banner = Words()
        self.banner.display = False
        self.asked = ""
        """The key of the line that is being typed."""
        self.writing = False
        """Whether it is being written: the page goes once that is done, and would take with it what was typed since."""
        self._added: list[Path] = []

    def compose_body(self) -> ComposeResult:
        """What others did meanwhile, and the fields."""
        yield self.banner
        yield self.table

    def on_mount(self) -> None:
        """The fields have the keys."""
        self.show_fields()
        self.set_focus(self.table, scroll_visible=False)
        self.begin()

    # ---- for subclasses

    def begin(self) -> None:
        """The fields are shown: ask the first question, if there is one."""

    def own_entries(self) -> list[form.Entry]:
        """Lines above the fields."""
        return []

    def check_own(self, key: str, text: str) -> str:  # noqa: ARG002  # for subclasses
        """Judge what is typed for one of them; returns what to say about it.

        Raises:
            RegistryError: it cannot be taken; the validator's own message.
        """
        return ""

    def take_own(self, key: str, text: str) -> None:
        """It was typed, and judged."""

    def complete_own(self, key: str, text: str) -> None:
        """Tab in one of them."""

    @abstractmethod
    def do_write(self) -> None:
        """Write what was changed."""

    def tell(self, news: str) -> None:
        """Show above the fields what somebody else did; nothing hides the line."""
        self.banner.display = bool(news)
        self.banner.show([Cell(f" ! {news}", "bad")])

    def act(self, id_: str, words: Sequence[str] = ()) -> None:
        """An action; nothing is changed while it is being written."""
        if self.writing and id_ in _CHANGING:
            self.say("it is being written", tone="warn")
        else:
            super().act(id_, words)

    # ---- what is shown

    def entries(self) -> list[form.Entry]:
        """All lines."""
        return [*self.own_entries(), *form.fields_of(self.start, self.mine, self._added)]

    def changes(self) -> list[form.Entry]:
        """The lines that shall say something else."""
        return form.changed(self.entries())

    def show_fields(self) -> None:
        """The lines as they are now."""
        self.table.set_rows(form.rows(self.entries(), self.browser.glyphs))
        self.show_bars()

    def facts(self) -> Sequence[str]:
        """How much was changed."""
        changes = self.changes()
        return [f"{count(len(changes), 'change')}, not written" if changes else "nothing is changed"]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Nothing moves while somebody types."""

    def entry(self, key: str | None) -> form.Entry | None:
        """A line by its key."""
        return next((entry for entry in self.entries() if entry.key == key), None)

    # ---- typing

    def do_change(self) -> None:
        """Type what the cursor's line shall say."""
        entry = self.entry(self.table.cursor_key)
        if entry is not None:
            self._ask_for(entry)

    def _ask_for(self, entry: form.Entry) -> None:
        text: str | None = entry.mine or ""
        if not entry.key.startswith("@"):
            path = form.path_of(entry.key)
            text = on_one_line(path, leaves(self.mine).get(path))
        if text is None:
            self.say(f"{entry.name} does not fit on a line: E opens the editor", tone="warn")
        else:
            self.question(entry.key, entry.name, text)

    def question(self, key: str, name: str, text: str = "") -> None:
        """Open the line at the foot for one line of the form, or for something else that has a key."""
        self.asked = key
        self.ask("=", text, f"{name}:")

    def judged(self, key: str, text: str) -> tuple[str, Record]:
        """What to say about a text that is typed, and the record with it.

        Raises:
            RegistryError: it cannot be taken; with the validator's own message.
        """
        if key == NEW_FIELD:
            editable_path(text.strip())
            return "", self.mine
        if key.startswith("@"):
            return self.check_own(key, text), self.mine
        path = form.path_of(key)
        mine = with_leaf(self.mine, path, of_one_line(path, text, leaves(self.mine).get(path)))
        check_new(mine, self.start)
        entry = next(one for one in form.fields_of(self.start, mine, [path]) if one.key == key)
        return form.said(entry, self.browser.glyphs) + (f" ({entry.kind})" if entry.kind else ""), mine

    def typed(self, question: Question, text: str) -> None:
        """Each key is judged."""
        if question != "=":
            super().typed(question, text)
            return
        try:
            told, _ = self.judged(self.asked, text)
            self.say(told)
        except RegistryError as error:
            self.complain(error)

    def entered(self, question: Question, text: str) -> None:
        """Take what was typed; what cannot be taken stays in the line, with the reason."""
        if question != "=":
            super().entered(question, text)
            return
        key = self.asked
        try:
            told, mine = self.judged(key, text)
        except RegistryError as error:
            self.complain(error)
            return
        self.close_prompt()
        self.say(told)
        self.mine = mine
        if key == NEW_FIELD:
            self._add(editable_path(text.strip()))
        elif key.startswith("@"):
            self.take_own(key, text)
        self.show_fields()

    def complete(self, question: Question, text: str) -> None:
        """Tab: what others say already."""
        if question != "=":
            super().complete(question, text)
        elif self.asked.startswith("@") and self.asked != NEW_FIELD:
            self.complete_own(self.asked, text)
        else:
            models = self.browser.picture.models.values()
            path = form.path_of(self.asked)
            known = form.names_in_use(models) if self.asked == NEW_FIELD else form.values_in_use(models, path)
            self.offer(form.completed(text, known, items=".".join(path) in LISTS))

    def offer(self, lines: Sequence[str]) -> None:
        """As much as is certain of what the line may become, and what there is to choose from."""
        if lines:
            self.prompt.put(common_start(lines))
        shown = [line.rpartition(", ")[2] for line in lines[:_SHOWN]]
        self.say("  ".join(shown) if len(lines) > 1 else "" if lines else "nothing begins so")

    # ---- keys

    def do_add_field(self) -> None:
        """Ask for the name of a field."""
        self.question(NEW_FIELD, "field")

    def _add(self, path: Path) -> None:
        """Show a field, and ask what it shall say."""
        if path not in leaves(self.mine):
            self._added.append(path)
        self.show_fields()
        key = form.key_of(path)
        self.table.move_to(key)
        entry = self.entry(key)
        if entry is not None:
            self._ask_for(entry)

    def do_unset(self) -> None:
        """Take the cursor's field away."""
        entry = self.entry(self.table.cursor_key)
        if entry is None or entry.key.startswith("@") or entry.mine is None:
            self.say("there is nothing to take away", tone="warn")
            return
        self._put(entry, None)

    def do_undo_change(self) -> None:
        """Let the cursor's field say what it said."""
        entry = self.entry(self.table.cursor_key)
        if entry is None or entry.base == entry.mine:
            self.say("that was not changed", tone="warn")
        elif entry.key.startswith("@"):
            self.take_own(entry.key, entry.base or "")
            self.show_fields()
        else:
            self._put(entry, leaves(self.start).get(form.path_of(entry.key)))

    def _put(self, entry: form.Entry, value: object) -> None:
        self.mine = with_leaf(self.mine, form.path_of(entry.key), value)
        self.show_fields()
        now = self.entry(entry.key)
        self.say(form.said(now, self.browser.glyphs) if now else f"{entry.name}: taken away")

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.act("change")

    # ---- leaving

    def do_back(self) -> None:
        """To the screen below; what is not written is asked for first."""
        changes = self.changes()
        if not changes:
            self.leave()
            return
        choices = [("d", "forget them"), *self.ways_to_keep()]
        self.choose(f"{count(len(changes), 'change')} not written", choices, self.leave_by)

    def unwritten(self) -> str:
        """The changes."""
        changes = self.changes()
        return f"{count(len(changes), 'change')} of {' '.join(self.steps())}" if changes else ""

    def ways_to_keep(self) -> list[tuple[str, str]]:
        """Other answers to the question whether what was typed shall be forgotten."""
        return []

    def leave_by(self, key: str) -> None:
        """The answer."""
        if key == "d":
            self.leave()

    def do_quit(self) -> None:
        """End the program, once nothing that was typed would be lost; a second time, at once."""
        if self.changes() and not self.choices.display:
            if self.prompt.question:
                self.close_prompt()
            self.do_back()
        else:
            super().do_quit()
