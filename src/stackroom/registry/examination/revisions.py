"""Revisions of metadata and cards: that their texts are the ones that were replaced, and whose they are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from stackroom.core.attested import parse_who
from stackroom.core.findings import Finding
from stackroom.core.names import Ref, version_ref
from stackroom.registry.doubts import doubts_about
from stackroom.registry.examination.tour import who
from stackroom.registry.saying import linked
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
            ref = Ref(listing.name) if number is None else version_ref(listing.name, number)
            yield from _chain(tour, place, ref, read_revisions(folder, listing, number))
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
        command=tour.command("doctor", "--fix"),
        fixable=tour.may_change(sight.owner) and sight.status is not None and sight.status.st_nlink == 1,
    )


def _gaps(place: str, numbers: Sequence[int]) -> Iterator[Finding]:
    for before, number in pairwise((0, *numbers)):
        if number != before + 1:
            missing = f"{before + 1}" if number == before + 2 else f"{before + 1} to {number - 1}"
            yield Finding(kind="revision-gap", place=place, message=f"revision {missing} is missing")


def _chain(tour: Tour, place: str, ref: Ref, chain: Sequence[RevisionText]) -> Iterator[Finding]:
    for revision in chain:
        where = f"{place}/{revision.name}"
        if revision.problem and revision.number and not revision.digest:
            yield Finding(kind="unreadable", place=where, message=revision.problem.message, owner=revision.owner)
        if revision.names > 1:
            yield Finding(kind="revision-linked", place=where, message=linked(revision), owner=revision.owner)
        said = parse_who(revision.note.revised_by) if revision.note else None
        # What the steward owns of others is a copied tree, as with events.
        if said and revision.owner.uid not in {said.uid, tour.steward}:
            message = f"says that {said} wrote it, and its owner is {revision.owner}"
            yield Finding(kind="revision-borrowed", place=where, message=message, owner=revision.owner)
    yield from _broken(tour, place, ref, chain)
    for doubt in doubts_about(tour.reader, ref, chain):
        yield Finding(
            kind="revision-untrue" if doubt.witness else "revision-edited",
            place=f"{place}/{doubt.about.name}",
            message=f"{doubt.sentence()}; it is {doubt.whose()}",
            # Where nobody knows whose fault it is, nobody is named as the one to ask.
            owner=doubt.about.owner if doubt.witness or doubt.before.owner.uid == doubt.after.owner.uid else None,
        )


def _broken(tour: Tour, place: str, ref: Ref, chain: Sequence[RevisionText]) -> Iterator[Finding]:
    """The newest revision, where it makes no sense; an older one that did not is mended by those after it."""
    newest = chain[-1] if chain else None
    if newest is None or newest.problem is None or not (newest.number and newest.digest):
        return
    readable = next((revision.number for revision in reversed(chain) if revision.record is not None), None)
    yield Finding(
        kind="revision-broken",
        place=f"{place}/{newest.name}",
        message=newest.problem.message.removeprefix(f"{newest.name}:").strip(),
        owner=newest.owner,
        command="" if readable is None else tour.command("revert", str(ref), "--to", str(readable)),
    )
