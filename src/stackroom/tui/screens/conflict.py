"""Two people edited one record: base, theirs and mine field by field, and what is to become of mine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.core.show import count
from stackroom.errors import RegistryError
from stackroom.tui import editing
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import edit as form
from stackroom.tui.present.words import fact
from stackroom.tui.screens.edit import EditPage
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.sheet import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.core.metadata import Record
    from stackroom.registry.editables import Editable
    from stackroom.registry.editing import Revised
    from stackroom.tui.actions import Action
    from stackroom.tui.background import Task
    from stackroom.tui.present.words import Line


class ConflictBody(Body):
    """Holds the keys of a conflict."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("conflict")]


class ConflictPage(Page):
    """An edit that came second.

    Args:
        met: the edit, and what it met.
    """

    scope = "conflict"
    body_class = ConflictBody

    DEFAULT_CSS = """
    ConflictPage #body { layout: vertical; }
    """

    def __init__(self, met: editing.Conflict) -> None:
        super().__init__()
        self.met = met
        self._heads = (Words(), Words(), Words())
        self._table = LineTable(form.CONFLICT_COLUMNS)

    def compose_body(self) -> ComposeResult:
        """Who wrote what when, and the fields."""
        yield from self._heads
        yield self._table

    def on_mount(self) -> None:
        """Show it."""
        self._show()
        self.set_focus(self._table, scroll_visible=False)

    def _show(self) -> None:
        facts = self.met.facts
        base = form.whose(facts["base"])
        lines = (("theirs", form.whose(facts["theirs"]), "strong"), ("base", base, ""), ("mine", self._mine(), ""))
        for words, (name, text, role) in zip(self._heads, lines, strict=True):
            words.show([Cell(f" {name:<7}", "dim"), Cell(text, role)])
        self._table.set_rows(form.conflict_rows(facts, self.browser.glyphs))
        self.show_bars()

    def _mine(self) -> str:
        reason = f": {self.met.reason}" if self.met.reason else ""
        where = f", kept in {self.met.kept}" if self.met.kept else ""
        return f"not written{where}{reason}"

    def steps(self) -> Sequence[str]:
        """What both edited."""
        ref = self.met.ref
        return [ref.model, *([ref.value] if ref.number is not None else []), "conflict"]

    def facts(self) -> Sequence[str]:
        """Whether both edits can stand."""
        clashes = self.clashes()
        if clashes:
            return [f"! both changed {', '.join(clashes[:3])}", count(self._table.row_count, "field")]
        return ["no field was changed by both", count(self._table.row_count, "field")]

    def clashes(self) -> list[str]:
        """The fields that both changed."""
        return [field["field"] for field in self.met.facts.get("fields", ()) if field["clash"]]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Nothing moves while somebody decides; what is written is judged anew."""

    def why_not(self, action: Action) -> str:
        """Mine cannot go on top where both changed one field."""
        if action.id == "write" and not self.met.mergeable:
            return f"both changed {', '.join(self.clashes()[:3])}"
        return super().why_not(action)

    # ---- what can be done

    def do_details(self) -> None:
        """The cursor's field in full."""
        field = next((one for one in self.met.facts["fields"] if one["field"] == self._table.cursor_key), None)
        if field is None:
            return
        lines: list[Line] = [(Cell(field["field"], "strong"),)]
        nothing = self.browser.glyphs.missing
        lines += [fact(side, nothing if field[side] is None else field[side]) for side in ("base", "theirs", "mine")]
        self.browser.show_text(field["field"], lines)

    def do_write(self) -> None:
        """Put mine on top of theirs."""
        if not self.met.mergeable:
            clashes = ", ".join(self.clashes()[:3])
            self.say(f"both changed {clashes}: e edits again, with theirs beside", tone="warn")
            return
        registry, met = self.browser.registry, self.met

        def work(_task: Task) -> Revised | editing.Conflict:
            return editing.put_on_top(registry, met)

        self.work.run("write", work)
        self.say("writing")

    def do_again(self) -> None:
        """Edit again, from what they wrote, with mine on top."""
        registry, met = self.browser.registry, self.met

        def work(_task: Task) -> tuple[Editable, Record]:
            return editing.taken_up(registry, met)

        self.work.run("again", work)

    def do_keep(self) -> None:
        """A file for what was typed."""
        try:
            path = editing.keep(self.met)
        except RegistryError as error:
            self.complain(error)
            return
        self.browser.close(self)
        self.browser.say_below(f"kept in {path}")

    def do_discard(self) -> None:
        """Forget what was typed, once that is meant."""
        self.choose("forget what you typed", [("y", "yes")], lambda _key: self._forget())

    def do_back(self) -> None:
        """Only with an answer to what becomes of mine."""
        choices = [("d", "forget it"), ("f", "keep it in a file"), ("e", "edit again")]
        self.choose("what you typed is not written", choices, self._leave_by)

    def _leave_by(self, key: str) -> None:
        {"d": self._forget, "f": self.do_keep, "e": self.do_again}[key]()

    def _forget(self) -> None:
        met = self.met
        self.browser.close(self)
        self.browser.say_below("nothing was written")
        self.browser.work_on_files("forget", lambda: editing.forget(met))

    def unwritten(self) -> str:
        """Mine."""
        return f"your edit of {self.met.ref}"

    def do_quit(self) -> None:
        """End the program, once it is said what becomes of mine; a second time, at once."""
        if self.choices.display:
            super().do_quit()
        else:
            self.do_back()

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """It was written, met another conflict, or is to be edited again."""
        if name == "again":
            opened, mine = value
            self.browser.close(self)
            clashes = ", ".join(self.clashes())
            news = f"both changed {clashes}: SAYS is theirs, SHALL SAY is yours; u takes theirs" if clashes else ""
            self.app.push_screen(EditPage(opened, mine, reason=self.met.reason, news=news))
        elif isinstance(value, editing.Conflict):
            self.met = value
            self._show()
            self.say("somebody was faster again", tone="warn")
        else:
            self.browser.finish(self, editing.told(value), {self.met.ref.model})

    def failed(self, name: str, error: Exception) -> None:  # noqa: ARG002  # all of it is told
        """Mine is still here."""
        self.browser.refused(error)
