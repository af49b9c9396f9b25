"""An edit that came second: what both found, what the other one wrote, and what one wanted to write oneself."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.metadata import iso
from stackroom.core.threeway import three_ways
from stackroom.errors import ConflictError
from stackroom.store.access import user_name
from stackroom.store.folder import explained
from stackroom.store.texts import CardText, read_cards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.attested import Who
    from stackroom.core.metadata import Record
    from stackroom.core.names import Ref
    from stackroom.registry.reading import Reader
    from stackroom.store.scan import RevisionText

_DIFF_LIMIT: Final = 400
"""Lines of a difference between cards: who rewrote all of one has the file."""


def metadata_conflict(ref: Ref, base: RevisionText, theirs: RevisionText, mine: Record, *, who: Who) -> ConflictError:
    """The conflict of two edits of one record, field by field.

    Its facts are ``base`` and ``theirs`` (revision, who and when), ``mine``, the ``fields`` that differ, and
    ``mergeable``: whether both edits can stand, because no field was changed by both.
    """
    fields = three_ways(base.record, theirs.record, mine) if base.record and theirs.record else ()
    mergeable = bool(fields) and not any(field.clash for field in fields)
    clashes = [field.key for field in fields if field.clash]
    told = f"you both changed {', '.join(clashes[:3])}" if clashes else "you changed other fields"
    return ConflictError(
        f"{ref} is at revision {theirs.number} by now, and you edited {base.number}: {_author(theirs)} wrote it"
        + (f"; {told}" if fields else ""),
        hint=f"stackroom log {ref} shows what changed",
        facts={
            "ref": str(ref),
            "what": "metadata",
            "base": _said(base),
            "theirs": _said(theirs),
            "mine": {"by": str(who)},
            "fields": [field.document() for field in fields],
            "mergeable": mergeable,
        },
    )


def _author(revision: RevisionText) -> str:
    """Who wrote a revision: its owner, by the kernel's word; what its text says where that differs is for the log."""
    at = f" at {iso(revision.note.revised)}" if revision.note else ""
    return f"{revision.owner.label}{at}"


def _said(revision: RevisionText) -> dict[str, Any]:
    note = revision.note
    return {
        "revision": revision.number,
        "by": note.revised_by if note else None,
        "owner": {"uid": revision.owner.uid, "name": revision.owner.name},
        "at": iso(note.revised) if note else None,
        "reason": note.reason if note else "",
    }


def card_conflict(reader: Reader, ref: Ref, base: int, mine: bytes) -> ConflictError:
    """The conflict of two edits of one card, with a unified difference for each of them.

    Args:
        reader: the registry.
        ref: whose card.
        base: the revision of the card that the edit was made from; -1 where there was none.
        mine: the card that was not written.
    """
    with reader.model_folder(ref.model) as (_, folder, listing):
        try:
            cards = read_cards(folder, listing, ref.number)
        except OSError as error:
            raise explained(error, "read the cards of", str(ref)) from error
    before = next((card for card in cards if card.number == base), None)
    theirs = cards[-1] if cards else None
    old = before.text if before else b""
    who = theirs.owner.label if theirs else "somebody"
    name = theirs.name if theirs else "it"
    return ConflictError(
        f"the card of {ref} is at revision {theirs.number if theirs else 0} by now: {who} wrote {name} meanwhile",
        hint=f"stackroom log {ref} shows who wrote what",
        facts={
            "ref": str(ref),
            "what": "card",
            "base": _card(before) if before else {"revision": max(base, 0), "owner": None, "at": None},
            "theirs": _card(theirs) if theirs else None,
            "mine": {"by": str(reader.who)},
            "diff": {
                "theirs": card_diff(old, theirs.text if theirs else b"", "base", "theirs"),
                "mine": card_diff(old, mine, "base", "mine"),
            },
            "mergeable": False,
        },
    )


def take_up(error: ConflictError, ref: Ref) -> str:
    """What to do with a card that was typed and not written, because of another one."""
    theirs = error.facts.get("theirs") or {}
    return (
        "put both together in the file below, then:"
        f" stackroom edit {ref} --card FILE --base {theirs.get('revision', 0)}"
    )


def _card(card: CardText) -> dict[str, Any]:
    owner = {"uid": card.owner.uid, "name": user_name(card.owner.uid)}
    return {"revision": card.number, "owner": owner, "at": iso(card.changed) if card.changed else None}


def card_diff(before: bytes, after: bytes, old: str, new: str) -> list[str]:
    """The first lines of a unified difference between two cards, without line feeds."""
    lines: Sequence[str] = before.decode(errors="replace").splitlines()
    found = difflib.unified_diff(lines, after.decode(errors="replace").splitlines(), old, new, lineterm="", n=2)
    return [line for _, line in zip(range(_DIFF_LIMIT), found, strict=False)]
