"""Versions that were deleted: what their tombstones are worth, deletions that stopped half way, and the bytes kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.findings import Finding
from stackroom.registry.examination.tour import who
from stackroom.registry.remains import held_as, not_what_was_deleted
from stackroom.store import layout
from stackroom.store.removal import read_deletions, rightful

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stackroom.core.ledger import Ledger
    from stackroom.core.names import StageName
    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.folder import Folder
    from stackroom.store.records import Deletion
    from stackroom.store.scan import ModelListing
    from stackroom.store.sights import Sight


def examine_deletions(
    tour: Tour, stages: Stages, folder: Folder, listing: ModelListing, sights: Sequence[Sight]
) -> Iterator[Finding]:
    """What was deleted of a model, or is being deleted; adds to the bytes that owners keep in the trash."""
    seen = {sight.name: sight for sight in sights}
    readings = stages.readings.items()
    ledgers = {stage: found for stage, reading in readings if (found := reading.ledgers.get(listing.name))}
    for deletion in read_deletions(folder, listing, tour.reader.id):
        if deletion.state == "deleted" and deletion.owner and deletion.bytes:
            tour.bytes_kept[deletion.owner.uid] += deletion.bytes
        yield from _planted(listing, deletion, seen)
        renamed = _renamed(tour, folder, deletion, ledgers)
        if renamed:
            yield renamed
            continue
        worthless = _worthless(tour, folder, deletion)
        if worthless:
            yield worthless
        else:
            yield from _unfinished(tour, deletion)


def _planted(listing: ModelListing, deletion: Deletion, seen: Mapping[str, Sight]) -> Iterator[Finding]:
    """Folders in the trash under the number of a version that is here, or beside the one that was deleted."""
    for name in listing.trash.get(deletion.number, ()):
        if name == deletion.folder or name not in seen:
            continue
        message = f"in the trash, and it is not what was deleted as version {deletion.number}"
        yield Finding(kind="foreign-name", place=_place(deletion, name), message=message, owner=who(seen[name].owner))


def _renamed(tour: Tour, folder: Folder, deletion: Deletion, ledgers: Mapping[StageName, Ledger]) -> Finding | None:
    """The finding for a folder under a name of the trash that is another version, or that holds a stage."""
    name = deletion.folder
    if deletion.state == "deleting" or not name:
        return None
    place, command = _place(deletion, name), ""
    held = held_as(folder, deletion, ledgers)
    if held:
        stage, number = held
        message = f"is what {stage} holds, version {number}, and was renamed: it is renamed back, and not purged"
        command = f"mv -nT {tour.path(place)} {tour.path(f'{layout.MODELS}/{deletion.model}/{number}')}"
        if number == deletion.number and deletion.state != "purging":
            command = tour.command("restore", str(deletion.ref))
    elif deletion.tombstone and deletion.tombstone.validity.counts:
        why = not_what_was_deleted(folder, deletion)
        if not why:
            return None
        message = f"version {deletion.number} {why}; it is not purged, and its owner looks into it"
    elif deletion.state == "purging":
        message = f"has the name of a purge of version {deletion.number}, and no tombstone that counts: not purged"
        command = f"mv -nT {tour.path(place)} {tour.path(f'{layout.MODELS}/{deletion.model}/{deletion.number}')}"
    else:
        return None
    return Finding(kind="trash-renamed", place=place, message=message, owner=deletion.owner, command=command)


def _place(deletion: Deletion, name: str) -> str:
    return f"{layout.MODELS}/{deletion.model}/{name}"


def _worthless(tour: Tour, folder: Folder, deletion: Deletion) -> Finding | None:
    """The finding for a tombstone that does not count, or whose maker could not delete what it stands beside."""
    tombstone = deletion.tombstone
    if tombstone is None:
        return None
    trouble = "" if tombstone.validity.counts else tombstone.trouble
    if not trouble and deletion.state == "deleting" and not rightful(folder, tombstone, str(deletion.number)):
        trouble = f"{who(tombstone.owner).label} may not delete version {deletion.number}"
    if not trouble:
        return None
    place = _place(deletion, layout.tombstone_name(deletion.number))
    # Beside what lies in the trash it is all that keeps the number: it must not go without the folder.
    command = f"rm {tour.path(place)}" if deletion.state == "deleting" else ""
    return Finding(kind="tombstone-forged", place=place, message=trouble, owner=who(tombstone.owner), command=command)


def _unfinished(tour: Tour, deletion: Deletion) -> Iterator[Finding]:
    """A deletion, a restoring or a purge that stopped half way, with the commands that go on with it.

    None is gone on with unasked. A delete and a restore that were interrupted leave the same names, and so does
    somebody who brings back what another deleted; a copy has neither the owners nor the times of the original.
    """
    number = deletion.number
    delete, restore = (tour.command(word, str(deletion.ref)) for word in ("delete", "restore"))
    match deletion.state:
        case "deleting":
            message, command = _beside(deletion, delete), restore
        case "unmarked":
            message = f"version {number} lies in the trash, and no tombstone says who put it there; {delete} leaves it"
            message, command = f"{message} there and makes the tombstone", restore
        case "purging":
            message = f"the bytes of version {number} were being freed: a purge was interrupted"
            command = tour.command("purge", str(deletion.ref), "--yes")
        case _:
            return
    name = deletion.folder or layout.tombstone_name(number)
    yield Finding(
        kind="delete-unfinished", place=_place(deletion, name), message=message, owner=deletion.owner, command=command
    )


def _beside(deletion: Deletion, delete: str) -> str:
    """What there is to say where a version is here, and has a tombstone all the same."""
    tombstone, owner = deletion.tombstone, deletion.owner
    # It vanished while it was looked at.
    maker = who(tombstone.owner).label if tombstone else "nobody"
    copied = tombstone is not None and tombstone.validity is Validity.UNATTESTED
    whose = f"a copied tombstone, which nothing attests, of {maker}'s" if copied else f"a tombstone of {maker}'s"
    return (
        f"version {deletion.number} is here and whole, beside {whose}: deleted half-way, or brought back; "
        f"{maker} or the owner of the model's folder keeps it and takes the tombstone away, or "
        f"{owner.label if owner else 'its owner'} deletes it: {delete}"
    )
