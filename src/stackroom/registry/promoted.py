"""A version as an event pinned it: what a rollback goes back to, and what a newcomer is compared with.

An author may write about a version at any time, also about another's, and a text that nobody can read is one of those
things. What held a stage is therefore looked up by the digests that its event states, whatever was written since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import text_digest
from stackroom.core.metadata import Record
from stackroom.core.names import version_ref
from stackroom.core.values import replace
from stackroom.core.verdicts import Candidate
from stackroom.store import layout
from stackroom.store.caveats import Caveat
from stackroom.store.scan import read_card, read_revisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.core.ledger import Event, Move
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version
    from stackroom.store.scan import ModelListing, RevisionText


def as_pinned(
    folder: Folder, listing: ModelListing, version: Version, move: Move
) -> tuple[Version, tuple[Caveat, ...]]:
    """A version with the metadata that a move named, and what to say where others were written since.

    Nothing that lies beside the version can keep it from being what it was: problems of its revisions are left out.

    Args:
        folder: the model's.
        listing: of it.
        version: as it stands.
        move: the one that made it hold a stage.
    """
    chain = read_revisions(folder, listing, version.number)
    pinned = _pinned(chain, move)
    problems = tuple(
        problem
        for problem in version.problems
        if layout.model_entry(problem.place.rpartition("/")[2]).kind not in {"metadata", "card"}
    )
    version = replace(
        version,
        record=(pinned.record if pinned else None) or Record(),
        note=pinned.note if pinned else None,
        revision=pinned.number if pinned else version.revision,
        metadata_digest=move.metadata or version.metadata_digest,
        problems=problems,
    )
    return version, tuple(_since(folder, listing, version, (chain, pinned, move)))


def _pinned(chain: Sequence[RevisionText], move: Move) -> RevisionText | None:
    return next((one for one in chain if one.digest == move.metadata and one.record is not None), None)


def _since(
    folder: Folder,
    listing: ModelListing,
    version: Version,
    found: tuple[Sequence[RevisionText], RevisionText | None, Move],
) -> Iterator[Caveat]:
    """What is said about the version that was not promoted with it."""
    chain, pinned, move = found
    newest = chain[-1] if chain else None
    if pinned is None:
        yield Caveat(
            kind="written-since",
            message=f"the metadata that {version.ref} held the stage with is not there any more; the event names it",
            advice=f"stackroom verify {version.ref}",
        )
    elif newest is not None and newest is not pinned:
        state = f", which cannot be read ({newest.problem.message})" if newest.problem else ""
        archived = ", which archives it" if newest.record and newest.record.archived else ""
        yield Caveat(
            kind="written-since",
            message=f"{newest.name}, the file of {newest.owner.label}, was written since {version.ref} held the stage"
            f"{state}{archived}; what goes back is {pinned.name}",
            advice=f"stackroom log {version.ref}",
        )
    if _card_digest(folder, listing, version.number) != move.card:
        yield Caveat(
            kind="written-since",
            message=f"the card of {version.ref} is another one than it held the stage with",
            advice=f"stackroom log {version.ref}",
        )


def _card_digest(folder: Folder, listing: ModelListing, number: int) -> str | None:
    """Of the current card; empty where there is none, None where it cannot be read."""
    try:
        card = read_card(folder, listing, number)
    except OSError:
        return None
    return "" if card is None else text_digest(card)


def holder_as_promoted(
    folder: Folder, listing: ModelListing, event: Event | None, candidate: int
) -> tuple[Candidate | None, str]:
    """The last holder with the metadata that it had when it was promoted: editing it later must not lower the bar.

    Args:
        folder: the model's.
        listing: of it.
        event: the one that made it hold the stage, also where the stage was cleared since; None where nothing ever was.
        candidate: the version that would move: it is not compared with itself.

    Returns:
        The holder, or None where there is nobody to compare with; and why its metadata cannot be had, or empty.
    """
    move = event.move if event else None
    if move is None or move.to is None or move.to == candidate:
        return None, ""
    ref = version_ref(listing.name, move.to)
    nobody = Candidate(ref=ref, record=Record())
    if move.to not in listing.numbers:
        return nobody, f"{ref} held the stage last, and its folder is missing"
    pinned = _pinned(read_revisions(folder, listing, move.to), move)
    if pinned is None or pinned.record is None:
        return nobody, f"{ref} has no metadata any more as it was promoted with"
    return Candidate(ref=ref, record=pinned.record, has_card=bool(move.card)), ""
