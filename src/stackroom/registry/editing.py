"""Revising what is said about a version or a model: fields, the whole text, the card; and taking that back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.core.admission import check_new, nearly_known
from stackroom.core.metadata import (
    REVISION_KEYS,
    SEALED_KEYS,
    Record,
    RevisionNote,
    document_of,
    flat,
    note_document,
    record_of,
    with_field,
    without_field,
)
from stackroom.core.patching import patched
from stackroom.core.show import count, field_text
from stackroom.core.threeway import on_top
from stackroom.core.toml import comments_in, format_toml, parse_toml
from stackroom.core.values import dataclass, field, replace
from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, RegistryError
from stackroom.registry.conflicts import card_conflict, metadata_conflict
from stackroom.registry.editables import Editable, card_revision, editable, editable_text, named
from stackroom.registry.holdings import stages_held
from stackroom.registry.reading import may_write
from stackroom.store.folder import explained
from stackroom.store.layout import card_name, metadata_name
from stackroom.store.revise import add_card, add_metadata, leave_hint
from stackroom.store.scan import read_card
from stackroom.store.texts import read_cards

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.core.attested import Who
    from stackroom.core.names import Ref
    from stackroom.registry.reading import Reader
    from stackroom.store.scan import ModelListing

_TRIES: Final = 25
"""Revisions of others that an edit which may go on top of them meets in a row before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """A revision that was written, or with ``dry_run`` would have been.

    Attributes:
        ref: of what.
        revision: its number; of the metadata, or of the card where only that changed.
        made: whether it was written; False where nothing changes.
        changes: field to (before, after), as texts; None where it is missing.
        notes: what else there is to know: whose revision it went on top of, comments that did not survive.
    """

    ref: Ref
    revision: int
    made: bool
    changes: Mapping[str, tuple[str | None, str | None]]
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``edit --json``."""
        return {
            "ref": str(self.ref),
            "revision": self.revision,
            "made": self.made,
            "changes": {key: {"before": before, "after": after} for key, (before, after) in self.changes.items()},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of what is said about a version or a model.

    Attributes:
        put: fields to set, by their names in the file.
        drop: fields to remove.
        text: the whole record as TOML, instead of the two; comments in it are kept.
        card: the new card, or None to leave it.
        reason: why.
        base: the revision that the change was made from; another one meanwhile is a conflict. None: the present one.
        card_base: the same of the card's own revisions; -1 where there was none.
        merge: where others changed other fields since the base, put the change on top of theirs.
        dry_run: say what would change, and write nothing.
    """

    put: Mapping[str, Any] = field(default_factory=dict)
    drop: Sequence[str] = ()
    text: str | None = None
    card: str | None = None
    reason: str = ""
    base: int | None = None
    card_base: int | None = None
    merge: bool = False
    dry_run: bool = False


def edit(reader: Reader, ref: str | Ref, change: Edit) -> Revised:
    """Write a revision of the metadata, of the card, or of both.

    A card's file says nothing but the card, so the reason of an edit of the card alone is written as a revision of the
    metadata that changes no field.

    Raises:
        ConflictError: somebody wrote a revision meanwhile; nothing is lost or overwritten. Its facts are the base,
            theirs and mine (:mod:`stackroom.registry.conflicts`).
        InvalidInputError: a field or value is not allowed.
        PermissionDeniedError: the kernel refuses.
    """
    return _edited(reader, ref, change, Record())


def _edited(reader: Reader, ref: str | Ref, change: Edit, known: Record) -> Revised:
    """The edit; what ``known`` says is let through whatever rules are newer than it."""
    told: list[str] = []
    for tried in range(_TRIES):
        present = editable(reader, ref)
        start = present.revision if change.base is None else change.base
        try:
            plan = _planned(reader, present, change, known)
        except RegistryError as error:
            for note in told:
                error.add_note(note)
            raise
        if not plan.changes and not plan.card_changes:
            return Revised(ref=present.ref, revision=present.revision, made=False, changes={}, notes=plan.notes)
        if change.dry_run:
            may_write(reader, present.ref.model, f"edit {present.ref}")
            changes = plan.changes | plan.card_changes
            return Revised(ref=present.ref, revision=present.revision, made=False, changes=changes, notes=plan.notes)
        try:
            return _write(reader, present, plan, change)
        except ConflictError as error:
            if error.facts.get("what") == "card" or tried == _TRIES - 1:
                raise
            # Somebody was faster: look again, now with something to compare with.
            change = replace(change, base=start)
            told = getattr(error, "__notes__", [])
    raise AssertionError  # the last round returns or raises


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What an edit would write."""

    text: str
    changes: dict[str, tuple[str | None, str | None]]
    card: bytes | None
    card_changes: dict[str, tuple[str | None, str | None]]
    card_revision: int
    notes: tuple[str, ...] = ()


def _planned(reader: Reader, present: Editable, change: Edit, known: Record) -> _Plan:
    text, record, notes = _changed(present, change, reader.who)
    _check_new(record, present.record, known)
    changes = differences(present.record, record) | _new_comments(present, change)
    changes = changes or _mended(present, change)
    _check_archiving(reader, present, record)
    card_changes, card_revision = _card_change(reader, present.ref, change)
    card = card_bytes(change.card) if change.card is not None else None
    return _Plan(
        text=text,
        changes=changes,
        card=card,
        card_changes=card_changes,
        card_revision=card_revision,
        notes=(*notes, *nearly_known(record, present.record)) if changes else (),
    )


def _new_comments(present: Editable, change: Edit) -> dict[str, tuple[str | None, str | None]]:
    """Comments that an editor added: an edit of nothing else is an edit, too."""
    if change.text is None or (change.base is not None and change.base != present.revision):
        return {}
    return new_comments(present.text.encode(), change.text.encode(errors="surrogatepass"))


def new_comments(before: bytes, after: bytes) -> dict[str, tuple[str | None, str | None]]:
    """How many comments a text has that the one before it had not, as a change of a field of its own."""
    known = set(comments_in(before.decode(errors="replace")))
    added = [comment for comment in comments_in(after.decode(errors="replace")) if comment not in known]
    return {"comments": (None, count(len(added), "new comment"))} if added else {}


def _mended(present: Editable, change: Edit) -> dict[str, tuple[str | None, str | None]]:
    """The newest revision where it is broken: whoever says again what the one before said puts it right."""
    newest = present.chain[-1] if present.chain else None
    about_metadata = change.text is not None or change.put or change.drop
    if not about_metadata or newest is None or newest.record is not None:
        return {}
    return {"revision": (f"{newest.number}, which is broken", f"{newest.number + 1}")}


def _check_new(record: Record, before: Record, known: Record) -> None:
    try:
        check_new(record, before)
    except InvalidInputError:
        if known == Record():
            raise
        check_new(record, known)


def _write(reader: Reader, present: Editable, plan: _Plan, change: Edit) -> Revised:
    notes = list(plan.notes)
    number, revision = present.ref.number, present.revision
    with reader.model_folder(present.ref.model) as (root, folder, listing):
        if plan.card_changes and plan.card is not None:
            # The number after the card that was compared with, not after the newest: else another's would be lost.
            revision = _next(listing, max(plan.card_revision, 0), lambda one: card_name(number, one))
            try:
                add_card(folder, number, revision, plan.card)
            except ConflictError as error:
                raise card_conflict(reader, present.ref, plan.card_revision, plan.card) from error
        if plan.changes or (plan.card_changes and change.reason):
            written = _next(listing, present.revision, lambda one: metadata_name(number, one))
            # Whoever says why he edits a card writes both: the number is that of the metadata.
            notes += [f"the card is at revision {revision}"] if plan.card_changes else []
            revision = written
            note = RevisionNote(
                revised=reader.clock(), revised_by=str(reader.who), reason=change.reason, previous=present.previous
            )
            try:
                add_metadata(folder, number, written, format_toml(note_document(note)) + "\n" + plan.text)
            except BaseException as error:
                if plan.card_changes:
                    error.add_note(f"the card of {present.ref} was written, and its metadata was not")
                raise
        leave_hint(root, present.ref.model, "edit", str(present.ref), reader.clock())
    changes = plan.changes | plan.card_changes
    return Revised(ref=present.ref, revision=revision, made=True, changes=changes, notes=tuple(notes))


def _next(listing: ModelListing, present: int, name: Callable[[int], str]) -> int:
    """The number after a revision's; one whose name somebody gave to something else than a file is skipped."""
    revision = present + 1
    while name(revision) in listing.squatted:
        revision += 1
    return revision


def _changed(present: Editable, change: Edit, who: Who) -> tuple[str, Record, tuple[str, ...]]:
    """What the edit makes of the record: the text, what it says, and what to tell about it.

    Raises:
        ConflictError: it was made from another revision, and cannot or shall not go on top of the present one.
    """
    stale = change.base is not None and change.base != present.revision
    base = present.at(change.base) if stale and change.base is not None else None
    start = present.record if base is None else base.record
    if base is not None and start is None:
        raise InvalidInputError(f"revision {base.number} of {present.ref} is broken, and the edit was made from it")
    if change.text is not None:
        text, record = change.text, _typed_record(change.text)
    else:
        record = start or Record()
        for key in change.drop:
            record = without_field(record, key)
        for key, value in change.put.items():
            record = with_field(record, key, value)
        text = ""
    # Whoever would leave the record as it is has nothing to be in conflict about: an edit of the card alone, or twins.
    if base is not None and start is not None and differences(present.record, record) and differences(start, record):
        theirs = present.chain[-1]
        merged = on_top(start, present.record, record) if change.merge and theirs.record is not None else None
        if merged is None:
            raise metadata_conflict(present.ref, base, theirs, record, who=who)
        on = f"on top of revision {theirs.number} by {theirs.owner.label}"
        text, lost = _rewritten(present.text, merged)
        return text, merged, (on, *lost, *_lost_comments(change.text or "", present.text + text))
    if base is not None:
        record = present.record
    if change.text is not None and base is None:
        return text, record, ()
    text, notes = _rewritten(present.text, record)
    return text, record, notes


def _rewritten(before: str, record: Record) -> tuple[str, tuple[str, ...]]:
    """A text that says what the record says, with the comments of the one before where that can be had."""
    if (kept := patched(before, record)) is not None:
        return kept, ()
    text = format_toml(document_of(record))
    return text, _lost_comments(before, text)


def _lost_comments(before: str, after: str) -> tuple[str, ...]:
    present = set(comments_in(after))
    lost = [comment for comment in comments_in(before) if comment not in present]
    return (f"{count(len(lost), 'comment')} not carried over; the older text still has it all",) if lost else ()


def _typed_record(text: str) -> Record:
    document = parse_toml(text.encode(errors="surrogatepass"), where="the edited text")
    sealed = [key for key in document if key in SEALED_KEYS or key in REVISION_KEYS]
    if sealed:
        raise InvalidInputError(f"{sealed[0]}: written by the tool and sealed", facts={"key": sealed[0]})
    return record_of(document)


def differences(before: Record, after: Record) -> dict[str, tuple[str | None, str | None]]:
    """Field by field what differs between two records, as texts; None where a field is missing."""
    old, new = flat(document_of(before)), flat(document_of(after))
    found: dict[str, tuple[str | None, str | None]] = {}
    for key in [*old, *(key for key in new if key not in old)]:
        left, right = old.get(key), new.get(key)
        if repr(left) != repr(right):
            found[key] = (
                None if left is None else field_text(left),
                None if right is None else field_text(right),
            )
    return found


def card_bytes(text: str) -> bytes:
    """A card as it is written.

    Raises:
        InvalidInputError: nothing but white space, or half a surrogate pair, which no file holds; bytes that were no
            UTF-8 stay what they were.
    """
    if not text.strip():
        raise InvalidInputError("the card is empty", hint="a model card says what the model is for")
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInputError("the card is not text: it holds half a surrogate pair") from None


def _card_change(reader: Reader, ref: Ref, change: Edit) -> tuple[dict[str, tuple[str | None, str | None]], int]:
    """What the edit does to the card, and the number of the card's present revision; -1 where there is none.

    Raises:
        ConflictError: it was made from another revision of the card.
    """
    if change.card is None:
        return {}, 0
    after = card_bytes(change.card)
    with reader.model_folder(ref.model) as (_, folder, listing):
        try:
            before = read_card(folder, listing, ref.number)
        except OSError as error:
            raise explained(error, "read the card of", str(ref)) from error
        present = card_revision(listing.cards.get(ref.number), before)
    if before == after:
        return {}, present
    if change.card_base is not None and change.card_base != present:
        raise card_conflict(reader, ref, change.card_base, after)
    shown = None if before is None else count(len(before.splitlines()), "line")
    return {"card": (shown, count(len(change.card.splitlines()), "line"))}, present


def _check_archiving(reader: Reader, present: Editable, record: Record) -> None:
    if not record.archived or present.record.archived:
        return
    with reader.root() as root:
        holding = stages_held(reader, root, present.ref.model, present.ref.number)
    if holding:
        # The kernel is asked first: who may not edit at all need not clear a stage.
        may_write(reader, present.ref.model, f"archive {present.ref}")
        what = "holds" if present.ref.number is not None else "has versions that hold"
        raise ConflictError(
            f"{present.ref} {what} {', '.join(holding)}, and what holds a stage cannot be archived",
            hint=f"stackroom clear {present.ref.model} {holding[0]} first, or promote another version",
            facts={"ref": str(present.ref), "stages": list(holding)},
        )


def revert(reader: Reader, ref: str | Ref, to: int, *, reason: str = "", dry_run: bool = False) -> Revised:
    """Write a new revision that says what an older one said.

    Raises:
        NotFoundError: there is no such revision.
        InvalidInputError: it is broken.
    """
    present = editable(reader, ref)
    wanted = present.at(to) if present.chain else present.at(max(to, 1))
    if wanted.record is None:
        message = wanted.problem.message if wanted.problem else "unreadable"
        raise InvalidInputError(f"revision {to} of {present.ref} is broken: {message}")
    change = Edit(text=editable_text(wanted.text.decode()), reason=reason or f"back to revision {to}", dry_run=dry_run)
    return _edited(reader, present.ref, change, wanted.record)


def revert_card(reader: Reader, ref: str | Ref, to: int, *, reason: str = "", dry_run: bool = False) -> Revised:
    """Write a new revision of the card that says what an older one said.

    Raises:
        NotFoundError: there is no such revision.
        InvalidInputError: it cannot be read.
    """
    parsed = named(reader, ref)
    with reader.model_folder(parsed.model) as (_, folder, listing):
        try:
            cards = read_cards(folder, listing, parsed.number)
        except OSError as error:
            raise explained(error, "read the cards of", str(parsed)) from error
    wanted = next((card for card in cards if card.number == to), None)
    if wanted is None:
        numbers = ", ".join(str(card.number) for card in cards) or "none"
        raise NotFoundError(
            f"{parsed} has no revision {to} of its card",
            hint=f"it has {numbers}",
            facts={"ref": str(parsed), "revision": to},
        )
    if wanted.problem:
        raise InvalidInputError(f"revision {to} of the card of {parsed} is broken: {wanted.problem.message}")
    card = wanted.text.decode(errors="surrogateescape")
    return edit(reader, parsed, Edit(card=card, reason=reason, dry_run=dry_run))


def archive(reader: Reader, ref: str | Ref, *, reason: str = "", undo: bool = False, dry_run: bool = False) -> Revised:
    """Mark a version, or a model, as archived, or with ``undo`` take that back: an edit like any other.

    Raises:
        ConflictError: it holds a stage.
    """
    change = (
        Edit(drop=("archived",), reason=reason, dry_run=dry_run)
        if undo
        else Edit(put={"archived": True}, reason=reason, dry_run=dry_run)
    )
    if undo and not editable(reader, ref).record.archived:
        present = editable(reader, ref)
        return Revised(ref=present.ref, revision=present.revision, made=False, changes={})
    return edit(reader, ref, change)
