"""Writing what is shown to a file: the same question and the same answers on every screen that is a list."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stackroom.core.export import ENDINGS, FORMATS, Format
from stackroom.errors import ConflictError, UsageError
from stackroom.store.userfiles import write_user_file
from stackroom.tui.screens.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from stackroom.tui.background import Task

FORMS: Final[tuple[tuple[str, Format, str], ...]] = (
    ("m", "markdown", "Markdown"),
    ("v", "csv", "CSV"),
    ("j", "json", "JSON"),
)
"""What is written: the key, the form, its name."""


class Written(NamedTuple):
    """A file that was written, or that was not because something is there.

    Attributes:
        path: of the file.
        form: as what.
        conflict: why it was not.
    """

    path: str
    form: Format
    conflict: ConflictError | None = None


class Exporting(Page):
    """A page whose contents can be written to a file."""

    _overwriting = ""

    @abstractmethod
    def exporting(self) -> Callable[[Format], str]:
        """What makes the text of what is shown now; it is called in a thread, for a list may be long.

        Raises:
            UsageError: it is still being read.
        """

    @abstractmethod
    def export_name(self) -> str:
        """What the file is called without a better name, without its ending."""

    def do_export(self, *words: str) -> None:
        """Ask for the form and the file, or write the one that was typed."""
        if len(words) > 1 and words[0] in FORMATS:
            form: Format = next(form for form in FORMATS if form == words[0])
            self._write(form, " ".join(words[1:]))
        elif words:
            raise UsageError("name a form and a file", hint=":export markdown, csv or json, then a path")
        else:
            forms = {key: form for key, form, _ in FORMS}
            choices = [(key, name) for key, _, name in FORMS]
            self.choose("write as", choices, lambda key: self.ask(":", self._export_command(forms[key])))

    def _export_command(self, form: Format) -> str:
        """The line to go on from: a name that says what it is."""
        return f"export {form} {self.export_name()}.{ENDINGS[form]}"

    def _write(self, form: Format, path: str, *, over: bool = False) -> None:
        text_of = self.exporting()

        def work(_task: Task) -> Written:
            try:
                return Written(write_user_file(path, text_of(form).encode(), replace=over), form)
            except ConflictError as error:
                return Written(path, form, error)

        self.work.run("export", work)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """Say where it is, or ask before anything is written over."""
        if name != "export":
            super().got(name, value)
            return
        done: Written = value
        if done.conflict is None:
            self.say(f"written: {done.path}", tone="good")
        elif self._overwriting == done.path:
            self.complain(done.conflict)
        else:
            self.choose(f"{done.path} is there already", [("o", "overwrite")], lambda _key: self._overwrite(done))
        self._overwriting = ""

    def _overwrite(self, done: Written) -> None:
        self._overwriting = done.path
        self._write(done.form, done.path, over=True)
