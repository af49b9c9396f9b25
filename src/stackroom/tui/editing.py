"""Editing the metadata: in place or in the user's editor, and what becomes of an edit that came second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stackroom.core.metadata import document_of, record_of
from stackroom.core.patching import patched
from stackroom.core.threeway import on_top
from stackroom.core.toml import format_toml, parse_toml
from stackroom.errors import ConflictError, InvalidInputError
from stackroom.registry.conflicts import take_up
from stackroom.registry.drafts import draft_text, read_draft
from stackroom.registry.editing import Edit
from stackroom.registry.reading import may_write
from stackroom.store.userfiles import edited, forget_text, keep_text
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.metadata import Record
    from stackroom.core.names import Ref
    from stackroom.registry.editables import Editable, EditableCard
    from stackroom.registry.editing import Revised
    from stackroom.registry.facade import Registry
    from stackroom.tui.present.words import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an edit starts from.

    Attributes:
        start: the present revision; a newer one when it is saved is a conflict.
    """

    start: Editable


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An edit that was not written, because somebody else wrote a revision meanwhile.

    Attributes:
        start: what it was made from.
        text: the whole record as it should have become, as TOML.
        reason: that was given for it.
        told: what happened, in a sentence.
        facts: base, theirs and mine, field by field, as in ``edit --json``.
        kept: the file in which the text lies; empty where it lies in none.
    """

    start: Editable
    text: str
    reason: str = ""
    told: str
    facts: Mapping[str, Any]
    kept: str = ""

    @property
    def ref(self) -> Ref:
        """Of what."""
        return self.start.ref

    @property
    def mergeable(self) -> bool:
        """Whether both edits can stand."""
        return bool(self.facts.get("mergeable"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A text that came from the editor and cannot be taken.

    Attributes:
        text: as it was typed, without our lines.
        error: what is wrong with it, and where the text is kept.
    """

    text: str
    error: InvalidInputError

    @property
    def notes(self) -> list[str]:
        """What the editing person reads above the text when it is opened again."""
        return [f"Not taken: {self.error}" + (f" ({self.error.hint})" if self.error.hint else "")]


def draft(registry: Registry, ref: str) -> Draft:
    """The present metadata, for somebody who may change it; touches the disk.

    Raises:
        PermissionDeniedError: the caller may not.
        InvalidInputError: the present revision is broken.
    """
    start = registry.editable(ref)
    may_write(registry, start.ref.model, f"edit {start.ref}")
    return Draft(start=start)


def edit_and_save(registry: Registry, what: Draft, again: Slip | None = None) -> str | Conflict | Slip:
    """Run the editor in the foreground and write the revision.

    Args:
        registry: which.
        what: is edited.
        again: the text that could not be taken before, to go on from.

    Returns:
        What to say about it, the conflict, or the text that cannot be taken.

    Raises:
        RegistryError: the editor failed, or nothing can be written. What was typed is kept in a file that
            :func:`kept` names.
    """
    start = what.start
    before = _before(start, start.text, again)
    text = before
    try:
        with edited(before, ".toml") as text:
            if text == before:
                return again or f"{start.ref} unchanged"
            done = told(registry.edit(start.ref, Edit(text=read_draft(text).text, base=start.revision)))
    except ConflictError as error:
        _forget_slip(again)
        return conflict(start, read_draft(text).text, "", error)
    except InvalidInputError as error:
        return _slip(error, before, text, again)
    _forget_slip(again)
    return done


def _before(start: Editable, text: str, again: Slip | None) -> str:
    """What the editor starts with."""
    return draft_text(start.ref, start.revision, again.text if again else text, again.notes if again else ())


def _slip(error: InvalidInputError, before: str, text: str, again: Slip | None) -> Slip:
    """The text that cannot be taken, to be opened once more.

    Raises:
        InvalidInputError: the same, where no text came back from the editor.
    """
    if text == before:
        raise error
    _forget_slip(again)
    return Slip(text=read_draft(text).text, error=error)


def _forget_slip(again: Slip | None) -> None:
    """The file of an attempt is of no use once a later text is written, or kept."""
    if again is not None and isinstance(path := again.error.facts.get("kept"), str):
        forget_text(path)


def card_draft(registry: Registry, ref: str) -> EditableCard:
    """The present card, for somebody who may change it; touches the disk.

    Raises:
        PermissionDeniedError: the caller may not.
        InvalidInputError: it is no text that an editor could leave as it is.
    """
    start = registry.editable_card(ref)
    may_write(registry, start.ref.model, f"edit the card of {start.ref}")
    return start


def edit_and_save_card(registry: Registry, start: EditableCard, again: Slip | None = None) -> str | Slip:
    """Run the editor on a card in the foreground and write it.

    Args:
        registry: which.
        start: the card.
        again: the text that could not be taken before, to go on from.

    Returns:
        What to say about it, or the text that cannot be taken.

    Raises:
        RegistryError: the editor failed, or the card cannot be written, also because somebody else wrote one meanwhile.
            What was typed is kept in a file that :func:`kept` names.
    """
    before = again.text if again else start.text
    text = before
    try:
        with edited(before, ".md") as text:
            if text == before:
                return again or f"the card of {start.ref} is unchanged"
            done = told(registry.edit(start.ref, Edit(card=text, card_base=start.revision)))
    except ConflictError as error:
        error.hint = take_up(error, start.ref)
        raise
    except InvalidInputError as error:
        if text == before:
            raise
        _forget_slip(again)
        return Slip(text=text, error=error)
    _forget_slip(again)
    return done


def edited_record(start: Editable, mine: Record, again: Slip | None = None) -> Record | Slip:
    """A record that was edited in place, after another round in the user's editor, in the foreground.

    Returns:
        The record, or the text that cannot be taken.

    Raises:
        RegistryError: the editor failed; what was typed is kept in a file.
    """
    before = _before(start, text_of(start, mine), again)
    text = before
    try:
        with edited(before, ".toml") as text:
            if text == before and again is not None:
                return again
            typed = read_draft(text).text
            done = record_of(parse_toml(typed.encode(errors="surrogatepass"), where="the edited text"))
    except InvalidInputError as error:
        return _slip(error, before, text, again)
    _forget_slip(again)
    return done


def told(done: Revised) -> str:
    """What an edit did, in a sentence."""
    if not done.made:
        return f"{done.ref} unchanged"
    names = list(done.changes)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    notes = "".join(f"; {note}" for note in done.notes)
    return f"{done.ref} edited: {', '.join(names[:4])}{more} (revision {done.revision}){notes}"


def text_of(start: Editable, mine: Record) -> str:
    """What the edited record says as a text, with the comments of the one before where that can be had."""
    kept_text = patched(start.text, mine)
    return format_toml(document_of(mine)) if kept_text is None else kept_text


def write(registry: Registry, start: Editable, text: str, reason: str) -> Revised | Conflict:
    """Write one revision, made from the one that was opened; or the conflict. Touches the disk.

    Raises:
        RegistryError: it cannot be written.
    """
    try:
        return registry.edit(start.ref, Edit(text=text, base=start.revision, reason=reason))
    except ConflictError as error:
        return conflict(start, text, reason, error)


def conflict(start: Editable, text: str, reason: str, error: ConflictError) -> Conflict:
    """What is known of an edit that came second.

    Raises:
        ConflictError: it is of another kind, such as a version that holds a stage and cannot be archived.
    """
    if error.facts.get("what") != "metadata":
        raise error
    kept_in = str(error.facts.get("kept", ""))
    return Conflict(start=start, text=text, reason=reason, told=str(error), facts=error.facts, kept=kept_in)


def put_on_top(registry: Registry, met: Conflict) -> Revised | Conflict:
    """Write both edits into one revision, where no field was changed by both; or the conflict as it is by now."""
    try:
        done = registry.edit(met.ref, Edit(text=met.text, base=met.start.revision, reason=met.reason, merge=True))
    except ConflictError as error:
        again = conflict(met.start, met.text, met.reason, error)
        return Conflict(
            start=again.start, text=met.text, reason=met.reason, told=again.told, facts=again.facts, kept=met.kept
        )
    forget(met)
    return done


def taken_up(registry: Registry, met: Conflict) -> tuple[Editable, Record]:
    """What is there by now, and the edit put on top of it; a field that both changed is as it was typed."""
    mine = record_of(parse_toml(met.text.encode(errors="surrogatepass"), where="the edited text"))
    now = registry.editable(met.ref)
    base = now.at(met.start.revision).record
    return now, (on_top(base, now.record, mine, mine_wins=True) if base is not None else None) or mine


def keep(met: Conflict) -> str:
    """Put the text into a file, which also says what it is an edit of; returns its path.

    Raises:
        InvalidInputError: it cannot be made.
    """
    return met.kept or keep_edit(met.start, met.text)


def keep_edit(start: Editable, text: str) -> str:
    """The same for an edit that nobody tried to write."""
    return keep_text(draft_text(start.ref, start.revision, text), ".toml")


def forget(met: Conflict) -> None:
    """The text is of no use any more: what it said is written, or nobody wants it."""
    if met.kept:
        forget_text(met.kept)


def kept(error: BaseException) -> list[Line]:
    """Where the typed text is, as lines to read; none where nothing was typed."""
    return [(Cell(note, "strong"),) for note in getattr(error, "__notes__", ())]
