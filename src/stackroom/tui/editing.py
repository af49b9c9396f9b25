"""Metadata on its way through the user's editor and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stackroom.registry.drafts import draft_text, read_draft
from stackroom.registry.editing import Edit
from stackroom.registry.reading import may_write
from stackroom.store.userfiles import edited
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from stackroom.registry.editables import Editable
    from stackroom.registry.facade import Registry
    from stackroom.tui.present.words import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an editor is opened with.

    Attributes:
        start: the present revision; a newer one when it is saved is a conflict.
    """

    start: Editable


def draft(registry: Registry, ref: str) -> Draft:
    """The present metadata, for somebody who may change it; touches the disk.

    Raises:
        PermissionDeniedError: the caller may not.
        InvalidInputError: the present revision is broken.
    """
    start = registry.editable(ref)
    may_write(registry, start.ref.model, f"edit {start.ref}")
    return Draft(start=start)


def edit_and_save(registry: Registry, what: Draft) -> str:
    """Run the editor in the foreground and write the revision; returns what to say about it.

    Raises:
        ConflictError: somebody wrote a revision meanwhile.
        RegistryError: the editor failed, or the text cannot be taken. What was typed is kept in a file that
            :func:`kept` names.
    """
    start = what.start
    before = draft_text(start.ref, start.revision, start.text)
    with edited(before, ".toml") as text:
        if text == before:
            return f"{start.ref} unchanged"
        done = registry.edit(start.ref, Edit(text=read_draft(text).text, base=start.revision))
    if not done.made:
        return f"{start.ref} unchanged"
    fields = ", ".join(list(done.changes)[:4])
    return f"{start.ref} edited: {fields} (revision {done.revision})"


def kept(error: Exception) -> list[Line]:
    """Where the typed text is, as lines to read; none where nothing was typed."""
    return [(Cell(note, "strong"),) for note in getattr(error, "__notes__", ())]
