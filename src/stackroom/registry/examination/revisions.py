"""Revisions of metadata and cards: that their texts are the ones that were replaced, and whose they are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from stackroom.core.attested import parse_who
from stackroom.core.findings import Finding
from stackroom.registry.examination.tour import who
from stackroom.registry.saying import was_written_to
from stackroom.store import layout
from stackroom.store.scan import read_revisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.registry.examination.tour import Tour
    from stackroom.store.folder import Folder
    from stackroom.store.scan import ModelListing, RevisionText
    from stackroom.store.sights import Sight


def examine_revisions(tour: Tour, folder: Folder, listing: ModelListing, sights: Sequence[Sight]) -> Iterator[Finding]:
    """All revisions in a model's folder."""
    place = f"{layout.MODELS}/{listing.name}"
    for sight in sights:
        if sight.is_file and layout.model_entry(sight.name).kind in {"metadata", "card"}:
            yield from _sealed(tour, sight)
    for number, numbers in listing.revisions.items():
        yield from _gaps(f"{place}/{layout.metadata_name(number, numbers[-1])}", numbers)
        if number is None or number in listing.numbers:
            yield from _chain(tour, place, read_revisions(folder, listing, number))
    for number, numbers in listing.card_revisions.items():
        yield from _gaps(f"{place}/{layout.card_name(number, numbers[-1])}", numbers)


def _sealed(tour: Tour, sight: Sight) -> Iterator[Finding]:
    if not sight.mode & 0o222:
        return
    yield Finding(
        kind="sealed-writable",
        place=sight.place,
        message=f"is {sight.mode:04o}: its owner can change it by accident",
        owner=who(sight.owner),
        command=f"chmod a-w {tour.path(sight.place)}",
        fixable=tour.may_change(sight.owner),
    )


def _gaps(place: str, numbers: Sequence[int]) -> Iterator[Finding]:
    for before, number in pairwise((0, *numbers)):
        if number != before + 1:
            missing = f"{before + 1}" if number == before + 2 else f"{before + 1} to {number - 1}"
            yield Finding(kind="revision-gap", place=place, message=f"revision {missing} is missing")


def _chain(tour: Tour, place: str, chain: Sequence[RevisionText]) -> Iterator[Finding]:
    for revision in chain:
        where = f"{place}/{revision.name}"
        if revision.problem and revision.number:
            yield Finding(kind="unreadable", place=where, message=revision.problem.message, owner=revision.owner)
        said = parse_who(revision.note.revised_by) if revision.note else None
        # What the steward owns of others is a copied tree, as with events.
        if said and revision.owner.uid not in {said.uid, tour.steward}:
            message = f"says that {said} wrote it, and its owner is {revision.owner}"
            yield Finding(kind="revision-borrowed", place=where, message=message, owner=revision.owner)
    for before, after in pairwise(chain):
        if before.digest and was_written_to(before, after):
            yield Finding(
                kind="revision-edited",
                place=f"{place}/{before.name}",
                message=f"its text is not the one that {after.name} replaced",
                owner=before.owner,
            )
