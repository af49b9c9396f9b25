"""Revising what is said about a version or a model: fields, the whole text, the card; and taking that back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
from stackroom.core.names import Ref, parse_ref
from stackroom.core.show import field_text
from stackroom.core.toml import format_toml, parse_toml
from stackroom.errors import ConflictError, InvalidInputError, NotFoundError
from stackroom.registry.holdings import stages_held
from stackroom.registry.reading import may_write
from stackroom.store.folder import explained
from stackroom.store.revise import add_card, add_metadata, leave_hint
from stackroom.store.scan import read_card, read_revisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.registry.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """A revision that was written, or with ``dry_run`` would have been.

    Attributes:
        ref: of what.
        revision: its number; of the metadata, or of the card where only that changed.
        made: whether it was written; False where nothing changes.
        changes: field to (before, after), as texts; None where it is missing.
    """

    ref: Ref
    revision: int
    made: bool
    changes: Mapping[str, tuple[str | None, str | None]]

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``edit --json``."""
        return {
            "ref": str(self.ref),
            "revision": self.revision,
            "made": self.made,
            "changes": {key: {"before": before, "after": after} for key, (before, after) in self.changes.items()},
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
        dry_run: say what would change, and write nothing.
    """

    put: Mapping[str, Any] = field(default_factory=dict)
    drop: Sequence[str] = ()
    text: str | None = None
    card: str | None = None
    reason: str = ""
    base: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """What an editor starts from.

    Attributes:
        ref: of what.
        revision: the present one.
        text: the editable record as TOML, with its comments.
        previous: the digest of the present revision's file.
        record: the same, understood.
    """

    ref: Ref
    revision: int
    text: str
    previous: str
    record: Record


def editable(reader: Reader, ref: str | Ref) -> Editable:
    """The present metadata of a version or a model, ready for an editor.

    Raises:
        InvalidInputError: the present revision is broken.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    if parsed.kind != "model":
        parsed = reader.version(parsed).ref
    with reader.model_folder(parsed.model) as (_, folder, listing):
        chain = read_revisions(folder, listing, parsed.number)
    if not chain:
        return Editable(ref=parsed, revision=0, text="", previous="", record=Record())
    newest = chain[-1]
    if newest.record is None:
        readable = next((revision for revision in reversed(chain) if revision.record is not None), None)
        problem = newest.problem.message if newest.problem else "unreadable"
        if readable is None or readable.record is None:
            raise InvalidInputError(f"{parsed} cannot be edited: {problem}", hint=f"stackroom show {parsed}")
        # A broken revision is mended by the next one, made from the last that could be read.
        return Editable(
            ref=parsed,
            revision=newest.number,
            text=_editable_text(readable.text.decode()),
            previous=newest.digest,
            record=readable.record,
        )
    return Editable(
        ref=parsed,
        revision=newest.number,
        text=_editable_text(newest.text.decode()),
        previous=newest.digest,
        record=newest.record,
    )


_TOP_LEVEL_LINE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_TABLE_LINE = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)[^\[\]]*+\]")


def _editable_text(text: str) -> str:
    """A metadata file without what the tool writes, comments kept.

    By line where that gives the same record, which it does for every file that this program wrote; else written anew.
    """
    kept: list[str] = []
    table = ""
    for line in text.split("\n"):
        if header := _TABLE_LINE.match(line):
            table = header[1]
        assigned = _TOP_LEVEL_LINE.match(line) if not table else None
        if (assigned and assigned[1] in {*SEALED_KEYS, *REVISION_KEYS}) or table == "artifacts":
            continue
        kept.append(line)
    plain = "\n".join(kept).strip("\n") + "\n"
    wanted = record_of(parse_toml(text.encode(), where="metadata"))
    try:
        document = parse_toml(plain.encode(), where="metadata")
        if record_of(document) == wanted and not document.keys() & {*SEALED_KEYS, *REVISION_KEYS}:
            return plain
    except InvalidInputError:
        pass
    return format_toml(document_of(wanted))


def edit(reader: Reader, ref: str | Ref, change: Edit) -> Revised:
    """Write a revision of the metadata, of the card, or of both.

    Raises:
        ConflictError: somebody wrote a revision meanwhile; nothing is lost or overwritten.
        InvalidInputError: a field or value is not allowed.
        PermissionDeniedError: the kernel refuses.
    """
    present = editable(reader, ref)
    if change.base is not None and change.base != present.revision:
        raise ConflictError(
            f"{present.ref} is at revision {present.revision} by now, and you edited {change.base}",
            hint=f"stackroom log {present.ref} shows what changed",
            facts={"ref": str(present.ref), "base": change.base, "present": present.revision},
        )
    text, record = _changed(present, change)
    changes = differences(present.record, record)
    card_changes, card_revision = _card_change(reader, present.ref, change)
    _check_archiving(reader, present, record)
    if not changes and not card_changes:
        return Revised(ref=present.ref, revision=present.revision, made=False, changes={})
    if change.dry_run:
        may_write(reader, present.ref.model, f"edit {present.ref}")
        return Revised(ref=present.ref, revision=present.revision, made=False, changes=changes | card_changes)
    revision = present.revision
    with reader.model_folder(present.ref.model) as (root, folder, _):
        number = present.ref.number
        if card_changes and change.card is not None:
            # The number after the card that was compared with, not after the newest: else another's would be lost.
            add_card(folder, number, card_revision + 1, card_bytes(change.card))
            revision = revision if changes else card_revision + 1
        if changes:
            revision += 1
            note = RevisionNote(
                revised=reader.clock(), revised_by=str(reader.who), reason=change.reason, previous=present.previous
            )
            add_metadata(folder, number, revision, format_toml(note_document(note)) + "\n" + text)
        leave_hint(root, present.ref.model, "edit", str(present.ref), reader.clock())
    return Revised(ref=present.ref, revision=revision, made=True, changes=changes | card_changes)


def _changed(present: Editable, change: Edit) -> tuple[str, Record]:
    if change.text is not None:
        document = parse_toml(change.text.encode(errors="surrogatepass"), where="the edited text")
        sealed = [key for key in document if key in SEALED_KEYS or key in REVISION_KEYS]
        if sealed:
            raise InvalidInputError(f"{sealed[0]}: written by the tool and sealed", facts={"key": sealed[0]})
        return change.text, record_of(document)
    record = present.record
    for key in change.drop:
        record = without_field(record, key)
    for key, value in change.put.items():
        record = with_field(record, key, value)
    return format_toml(document_of(record)), record


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
        InvalidInputError: half a surrogate pair, which no file holds; bytes that were no UTF-8 stay what they were.
    """
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInputError("the card is not text: it holds half a surrogate pair") from None


def _card_change(reader: Reader, ref: Ref, change: Edit) -> tuple[dict[str, tuple[str | None, str | None]], int]:
    """What the edit does to the card, and the number of the card's present revision."""
    if change.card is None:
        return {}, 0
    after = card_bytes(change.card)
    with reader.model_folder(ref.model) as (_, folder, listing):
        try:
            before = read_card(folder, listing, ref.number)
        except OSError as error:
            raise explained(error, "read the card of", str(ref)) from error
    present = listing.cards.get(ref.number, 0)
    if before == after:
        return {}, present
    shown = None if before is None else f"{len(before.splitlines())} lines"
    return {"card": (shown, f"{len(change.card.splitlines())} lines")}, present


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
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    if parsed.kind != "model":
        parsed = reader.version(parsed).ref
    with reader.model_folder(parsed.model) as (_, folder, listing):
        chain = read_revisions(folder, listing, parsed.number)
    wanted = next((revision for revision in chain if revision.number == to), None)
    if wanted is None:
        numbers = ", ".join(str(revision.number) for revision in chain)
        raise NotFoundError(
            f"{parsed} has no revision {to}", hint=f"it has {numbers}", facts={"ref": str(parsed), "revision": to}
        )
    if wanted.record is None:
        message = wanted.problem.message if wanted.problem else "unreadable"
        raise InvalidInputError(f"revision {to} of {parsed} is broken: {message}")
    change = Edit(text=_editable_text(wanted.text.decode()), reason=reason or f"back to revision {to}", dry_run=dry_run)
    return edit(reader, parsed, change)


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
