"""What was said about a version or a model over time: its revisions, its cards, and what is odd about them.

The name in a revision's text is a label; whose file it is, is the evidence. The text that a revision replaced is pinned
in the next one, so that whoever writes to an old revision of hers is seen, but for the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from stackroom.core.attested import parse_who
from stackroom.core.metadata import iso
from stackroom.core.values import dataclass, field
from stackroom.registry.conflicts import card_diff
from stackroom.registry.doubts import doubts_about
from stackroom.registry.editables import named
from stackroom.registry.editing import differences, new_comments
from stackroom.store.folder import explained
from stackroom.store.scan import read_revisions
from stackroom.store.texts import read_cards

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from stackroom.core.attested import Who
    from stackroom.core.metadata import Record
    from stackroom.core.names import Ref
    from stackroom.registry.doubts import Doubt
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Problem
    from stackroom.store.scan import RevisionText
    from stackroom.store.texts import CardText


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One revision, of metadata or of a card.

    Attributes:
        what: which of the two.
        number: of the revision; 0 as registered.
        name: of the file, below the model's folder.
        at: when, by its text; None as registered, and for a card, which says nothing of itself.
        by: who, by its text; None likewise.
        owner: of the file: the evidence for who wrote it.
        changed: when the file system says that the file changed; None where it could not be read.
        reason: why, or empty.
        digest: of the text.
        changes: field to (before, after), as texts; of a card the counts of lines added and removed.
        flags: what is odd about it, in words.
        problem: why it could not be understood, or None.
    """

    what: Literal["metadata", "card"]
    number: int
    name: str
    owner: Who
    at: datetime | None = None
    by: str | None = None
    changed: datetime | None = None
    reason: str = ""
    digest: str = ""
    changes: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    problem: Problem | None = None

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``log --json``."""
        return {
            "what": self.what,
            "revision": self.number,
            "file": self.name,
            "at": iso(self.at) if self.at else None,
            "by": self.by,
            "owner": {"uid": self.owner.uid, "name": self.owner.name},
            "changed": iso(self.changed) if self.changed else None,
            "reason": self.reason,
            "digest": self.digest,
            "changes": {key: {"before": before, "after": after} for key, (before, after) in self.changes.items()},
            "flags": list(self.flags),
            "problem": self.problem.document() if self.problem else None,
        }


def said(reader: Reader, ref: str | Ref) -> tuple[Ref, tuple[Said, ...], tuple[Said, ...]]:
    """Everything that was ever said about a version or a model.

    Returns:
        The version or model, the revisions of its metadata and those of its card, oldest first.
    """
    parsed = named(reader, ref)
    with reader.model_folder(parsed.model) as (_, folder, listing):
        chain = read_revisions(folder, listing, parsed.number)
        try:
            cards = read_cards(folder, listing, parsed.number)
        except OSError as error:
            raise explained(error, "read the cards of", str(parsed)) from error
    return parsed, _metadata(chain, flags_of(chain, doubts_about(reader, parsed, chain))), _cards(cards)


def _metadata(chain: Sequence[RevisionText], odd: Mapping[int, tuple[str, ...]]) -> tuple[Said, ...]:
    found: list[Said] = []
    before: Record | None = None
    text = b""
    for revision in chain:
        note = revision.note
        known = revision.record is not None and before is not None
        found.append(
            Said(
                what="metadata",
                number=revision.number,
                name=revision.name,
                owner=revision.owner,
                at=note.revised if note else None,
                by=note.revised_by if note else None,
                changed=revision.changed,
                reason=note.reason if note else "",
                digest=revision.digest,
                changes=differences(before, revision.record) | new_comments(text, revision.text)
                if known and before and revision.record
                else {},
                flags=odd.get(revision.number, ()),
                problem=revision.problem,
            )
        )
        before, text = (revision.record, revision.text) if revision.record else (before, text)
    return tuple(found)


def flags_of(chain: Sequence[RevisionText], doubts: Sequence[Doubt]) -> dict[int, tuple[str, ...]]:
    """What is odd about the revisions of a record, by their numbers: a borrowed name, a contradiction, a gap."""
    flags: dict[int, list[str]] = {}
    expected = chain[0].number if chain else 0
    for revision in chain:
        own = flags.setdefault(revision.number, [])
        note = revision.note
        says = parse_who(note.revised_by) if note else None
        if note and (says is None or says.uid != revision.owner.uid):
            own.append(f"says that {note.revised_by or 'nobody'} wrote it, and it is the file of {revision.owner}")
        own += [f"{doubt.sentence()}: it is {doubt.whose()}" for doubt in doubts if doubt.about is revision]
        if revision.names > 1:
            own.append(f"{linked(revision)}: nothing says that {revision.owner} wrote it")
        if revision.number > max(expected, 1):
            own.append("a revision before it is missing")
        expected = revision.number + 1
    return {number: tuple(found) for number, found in flags.items() if found}


def linked(revision: RevisionText) -> str:
    """What there is to see of a revision whose file has other names: anybody may have put it there."""
    return f"its file has {revision.names} names, and may be something else of {revision.owner}'s that was linked in"


def _cards(cards: Sequence[CardText]) -> tuple[Said, ...]:
    found: list[Said] = []
    before: CardText | None = None
    for card in cards:
        changes: dict[str, tuple[str | None, str | None]] = {}
        if before is not None and not card.problem:
            lines = card_diff(before.text, card.text, "", "")[2:]
            added = sum(line.startswith("+") for line in lines)
            removed = sum(line.startswith("-") for line in lines)
            changes = {"lines": (f"-{removed}", f"+{added}")}
        found.append(
            Said(
                what="card",
                number=card.number,
                name=card.name,
                owner=card.owner,
                changed=card.changed,
                digest=card.digest,
                changes=changes,
                problem=card.problem,
            )
        )
        before = before if card.problem else card
    return tuple(found)
