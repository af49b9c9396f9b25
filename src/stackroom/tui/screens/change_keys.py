"""The keys that change something, the same on every screen that shows models or versions."""

from __future__ import annotations

from abc import abstractmethod

from stackroom.tui.screens.page import Page


class ChangeKeys(Page):
    """A page on which models or versions are chosen; subclasses say which in :meth:`chosen`.

    Never the first base of a page: Textual takes the style of the first one alone.
    """

    @abstractmethod
    def chosen(self, *, marked: bool = True) -> list[str]:
        """The references of what is marked, else of the cursor's row; none, and a word about it, where nothing is.

        Args:
            marked: whether marks count; else only the cursor's row.
        """

    def do_edit(self) -> None:
        """Edit the cursor's row field by field."""
        for ref in self.chosen(marked=False):
            self.browser.edit_in_place(ref)

    def do_editor(self) -> None:
        """Edit the metadata of the cursor's row in the user's editor."""
        for ref in self.chosen(marked=False):
            self.browser.edit(ref)

    def do_card(self) -> None:
        """Write the card of the cursor's row in the user's editor."""
        for ref in self.chosen(marked=False):
            self.browser.edit_card(ref)

    def do_tags(self, *words: str) -> None:
        """Tags come and go, of what is marked or the cursor's row."""
        self.browser.bulk("tags", self.chosen(), {"tags": ", ".join(words)})

    def do_archive(self, *words: str) -> None:
        """Archive what is named, or marked, or the cursor's row."""
        self.browser.bulk("archive", words or self.chosen())

    def do_unarchive(self, *words: str) -> None:
        """Take it out of the archive again."""
        self.browser.bulk("unarchive", words or self.chosen())

    def do_delete(self, *words: str) -> None:
        """Delete versions, once that is typed."""
        self.browser.bulk("delete", words or self.chosen())

    def do_restore(self, *words: str) -> None:
        """Bring deleted versions back; without words, choose one of the model's, or among models of all."""
        if words:
            self.browser.bulk("restore", words)
        else:
            self.browser.choose_deleted(self.model_shown())
