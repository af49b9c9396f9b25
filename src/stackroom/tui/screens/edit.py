"""Editing what is said about a version or a model: changes are collected, and written as one revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.metadata import iso
from stackroom.core.threeway import changed_paths, leaves
from stackroom.errors import RegistryError
from stackroom.tui import editing
from stackroom.tui.screens.fields import FieldsPage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.registry.editables import Editable
    from stackroom.registry.editing import Revised
    from stackroom.tui.background import Task

_REASON = "@reason"


class EditPage(FieldsPage):
    """The metadata of a version or a model.

    Args:
        opened: the revision that is edited.
        mine: what it shall say, where that differs already.
        reason: that was typed before.
        news: what to say above the fields.
    """

    def __init__(self, opened: Editable, mine: Record | None = None, *, reason: str = "", news: str = "") -> None:
        super().__init__(opened.record)
        self.opened = opened
        self.mine = mine or opened.record
        self._reason = reason
        self._news = news

    def begin(self) -> None:
        """What was said before this page was opened."""
        self.tell(self._news)

    def steps(self) -> Sequence[str]:
        """What is edited."""
        ref = self.opened.ref
        return [ref.model, *([ref.value] if ref.number is not None else []), "edit"]

    def facts(self) -> Sequence[str]:
        """Which revision, and how much was changed."""
        return [*super().facts(), f"of revision {self.opened.revision}"]

    # ---- others

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Somebody changed the model: look whether it was what is edited here."""
        if self.opened.ref.model not in changed or self.writing:
            return
        registry, ref = self.browser.registry, self.opened.ref

        def work(_task: Task) -> Editable:
            return registry.editable(ref)

        self.work.run("theirs", work)

    def _tell_theirs(self, theirs: Editable) -> None:
        if theirs.revision == self.opened.revision or not theirs.chain:
            return
        newest = theirs.chain[-1]
        fields = changed_paths(leaves(self.opened.record), leaves(theirs.record))
        what = ", ".join(".".join(path) for path in fields[:4]) or "nothing"
        at = f" at {iso(newest.note.revised)}" if newest.note else ""
        self.tell(f"{newest.owner.label} wrote revision {theirs.revision}{at}, and changed {what}")

    # ---- writing

    def do_editor(self) -> None:
        """The whole record in the user's editor, with what was changed here; it comes back into the fields."""
        self._run_editor(None)

    def _run_editor(self, again: editing.Slip | None) -> None:
        done = self.browser.suspended(lambda: editing.edited_record(self.opened, self.mine, again))
        if isinstance(done, editing.Slip):
            slip = done
            self.browser.show_slip("not taken", slip, lambda: self._run_editor(slip))
        elif isinstance(done, BaseException):
            self.browser.show_refusal("not taken", done)
        elif done is not None:
            self.mine = done
            self.show_fields()
            self.say("as it came from the editor, and not written")

    def do_write(self) -> None:
        """Ask for the reason, then write."""
        if self.writing:
            self.say("writing")
        elif not self.changes():
            self.say("nothing is changed", tone="warn")
        else:
            self.question(_REASON, "reason", self._reason)

    def take_own(self, key: str, text: str) -> None:
        """The reason was typed: write the revision."""
        if key != _REASON:
            return
        self._reason, self.writing = text.strip(), True
        registry, opened, reason = self.browser.registry, self.opened, self._reason
        text = editing.text_of(opened, self.mine)

        def work(_task: Task) -> Revised | editing.Conflict:
            return editing.write(registry, opened, text, reason)

        self.work.run("write", work)
        self.say("writing")

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """Theirs was read, or mine was written."""
        if name == "theirs":
            self._tell_theirs(value)
            return
        self.writing = False
        if isinstance(value, editing.Conflict):
            self.browser.close(self)
            self.browser.settle(value)
        else:
            self.browser.finish(self, editing.told(value), {self.opened.ref.model})

    def failed(self, name: str, error: Exception) -> None:
        """It was not written, and is still here."""
        self.writing = self.writing and name != "write"
        if name == "write" and isinstance(error, RegistryError):
            self.browser.refused(error)
        else:
            super().failed(name, error)

    # ---- leaving

    def ways_to_keep(self) -> list[tuple[str, str]]:
        """A file, and writing after all."""
        return [("f", "keep them in a file"), ("w", "write")]

    def leave_by(self, key: str) -> None:
        """The answer."""
        if key == "w":
            self.do_write()
        elif key == "f":
            try:
                path = editing.keep_edit(self.opened, editing.text_of(self.opened, self.mine))
            except RegistryError as error:
                self.complain(error)
                return
            self.leave()
            self.browser.say_below(f"kept in {path}")
        else:
            super().leave_by(key)
