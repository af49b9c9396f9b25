"""Changing the registry: the ways into forms, the user's editor, and what is done to many versions."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, TypeVar

from stackroom.core.names import parse_ref
from stackroom.errors import PermissionDeniedError
from stackroom.registry.reading import may_write
from stackroom.tui import editing
from stackroom.tui.bulk import bulk_of
from stackroom.tui.going import Going
from stackroom.tui.present import palette
from stackroom.tui.present.move import refusal
from stackroom.tui.present.palette import Entry
from stackroom.tui.screens.bulk import BulkPage
from stackroom.tui.screens.conflict import ConflictPage
from stackroom.tui.screens.edit import EditPage
from stackroom.tui.screens.making import NewPage, RegisterPage
from stackroom.tui.screens.palette import PalettePage
from stackroom.tui.screens.text import TextPage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.core.names import ModelName, Ref
    from stackroom.registry.deletions import Deletions
    from stackroom.registry.editables import EditableCard
    from stackroom.tui.background import Background, Task
    from stackroom.tui.screens.page import Page

T = TypeVar("T")

OPENING: Final = frozenset({"edit", "editor", "card", "form", "deleted"})
"""Work that ends in a screen on which something is changed: who may not is told why in full."""


class Changing(Going):
    """What opens the screens on which something is changed."""

    _work: Background
    made: set[str]
    """The versions and models that were made here."""

    @abstractmethod
    def read_own(self, models: set[str]) -> None:
        """Read what we have changed ourselves."""

    # ---- what is said

    def show_refusal(self, title: str, error: BaseException) -> None:
        """An error in full, with where the typed text is."""
        if isinstance(error, Exception):
            self.show_text(title, [*refusal(error), *editing.kept(error)])

    def show_slip(self, title: str, slip: editing.Slip, reopen: Callable[[], None]) -> None:
        """A text that cannot be taken, why, and the key that opens it in the editor again."""
        lines = [*refusal(slip.error), *editing.kept(slip.error)]
        self.push_screen(TextPage(title, lines, offer=("e", "open the editor again with your text", reopen)))

    def refused(self, error: Exception) -> None:
        """Say why something was not done; who may not, with the directory, its group and its members."""
        if isinstance(error, PermissionDeniedError):
            self.show_refusal("read-only", error)
        elif self.page is not None:
            self.page.complain(error)

    def say_below(self, message: str) -> None:
        """Say something on the screen that is left when another one went."""
        if self.page is not None:
            self.page.say(message, tone="good")

    def close(self, page: Page) -> None:
        """Leave a screen, and with it what stands on it: a help text that was opened while it worked."""
        while page in self.screen_stack:
            self.pop_screen()

    def finish(self, page: Page, message: str, models: set[str]) -> None:
        """Leave a screen whose work is done, read what was changed, and say it."""
        self.close(page)
        self.read_own(models)
        self.say_below(message)

    def work_on_files(self, name: str, work: Callable[[], T]) -> None:
        """Do something with files, off the screen's thread."""
        self._work.run(name, lambda _task: work())

    # ---- editing

    def edit_in_place(self, ref: str) -> None:
        """Edit the metadata of a version or model, field by field."""
        self._draft("edit", ref)

    def edit(self, ref: str) -> None:
        """Edit the metadata of a version or model in the user's editor."""
        self._draft("editor", ref)

    def edit_card(self, ref: str) -> None:
        """Write the card of a version or model in the user's editor."""
        registry = self.registry

        def work(_task: Task) -> EditableCard:
            return editing.card_draft(registry, ref)

        self._work.run("card", work)

    def _draft(self, name: str, ref: str) -> None:
        registry = self.registry

        def work(_task: Task) -> editing.Draft:
            return editing.draft(registry, ref)

        self._work.run(name, work)

    def changed(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """What was read to be changed is here."""
        if name == "edit":
            self.push_screen(EditPage(value.start))
        elif name == "editor":
            self._edit(value.start.ref, lambda again: editing.edit_and_save(self.registry, value, again))
        elif name == "card":
            self._edit(value.ref, lambda again: editing.edit_and_save_card(self.registry, value, again))
        elif name == "form":
            self.push_screen(RegisterPage(*value))
        elif name == "deleted":
            self._choose_deleted(value)

    def new_model(self, name: str = "") -> None:
        """The form of a model that is to be made."""
        self.push_screen(NewPage(name))

    def register(self, model: ModelName, path: str = "") -> None:
        """The form of a version that is to be registered, for somebody who may."""
        registry = self.registry

        def work(_task: Task) -> tuple[ModelName, str]:
            may_write(registry, model, f"register a version of {model}")
            return model, path

        self._work.run("form", work)

    def show_made(self, ref: Ref) -> None:
        """Go to what was made, and mark a version."""
        while self.page is not self._browse:
            self.pop_screen()
        self._browse.open_made(ref)

    def bulk(self, id_: str, refs: Sequence[str], given: Mapping[str, str] | None = None) -> None:
        """The screen on which something is done to versions or models, by the id of the action."""
        if refs:
            self.push_screen(BulkPage(bulk_of(id_, [self.named(ref) for ref in refs]), given))

    def named(self, text: str) -> str:
        """A reference in full; stages and labels are looked up in the picture, and a number may be of a deleted one.

        Raises:
            RegistryError: it names nothing.
        """
        ref = parse_ref(text)
        return str(ref if ref.kind == "number" else self.resolved(text))

    def choose_deleted(self, model: str | None) -> None:
        """The deleted versions of a model, or of all, to choose one from."""
        registry = self.registry

        def work(_task: Task) -> Deletions:
            return registry.deleted(model)

        self._work.run("deleted", work)

    def _choose_deleted(self, found: Deletions) -> None:
        entries = [
            Entry(f"restore {one.ref}", str(one.ref), one.sentence())
            for one in found.versions
            if one.state not in {"purged", "purging"}
        ]
        empty = "nothing was deleted that could be restored"
        self.push_screen(PalettePage("restore", lambda text: palette.matching(entries, text), empty=empty))

    def settle(self, met: editing.Conflict) -> None:
        """The screen of a conflict."""
        self.push_screen(ConflictPage(met))
        self.read_own({met.ref.model})

    def _edit(
        self,
        ref: Ref,
        work: Callable[[editing.Slip | None], str | editing.Conflict | editing.Slip],
        again: editing.Slip | None = None,
    ) -> None:
        outcome = self.suspended(lambda: work(again))
        if isinstance(outcome, editing.Conflict):
            self.settle(outcome)
            return
        self.read_own({ref.model})
        if isinstance(outcome, editing.Slip):
            slip = outcome
            self.show_slip("not saved", slip, lambda: self._edit(ref, work, slip))
        elif isinstance(outcome, BaseException):
            self.show_refusal("not saved", outcome)
        elif outcome is not None:
            self.say_below(outcome)

    def suspended(self, work: Callable[[], T]) -> T | BaseException:
        """Do something with the terminal as it was before us; returns what it raised instead of raising it.

        Raised in there, it would leave the keyboard dead.
        """
        outcome: T | BaseException
        with self.suspend():
            try:
                outcome = work()
            except Exception as error:  # noqa: BLE001  # whatever it is, it is shown
                outcome = error
            except BaseException as error:  # noqa: BLE001  # we are told to end: where the text is, is told here and now
                outcome = error
                sys.stderr.write("".join(f"{note}\n" for note in getattr(error, "__notes__", ())))
                self.exit(return_code=130)
        return outcome
