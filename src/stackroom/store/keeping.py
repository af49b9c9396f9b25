"""Reading versions for the index: no more of each than it keeps, and only those with which nothing is wrong.

What is wrong is worded in one place, by :func:`stackroom.store.scan.read_version`, which reads it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.toml import METADATA_LIMIT
from stackroom.store import layout
from stackroom.store.forms import said_in
from stackroom.store.remembered import Facts, KnownVersion, known_version
from stackroom.store.scan import card_revision, understood
from stackroom.store.verbatim import verbatim

if TYPE_CHECKING:
    import os

    from stackroom.store.folder import Folder
    from stackroom.store.forms import Forms
    from stackroom.store.scan import ModelListing


def read_known(folder: Folder, listing: ModelListing, number: int, forms: Forms) -> KnownVersion | None:
    """A version as the index keeps it; None where something is wrong with it, or cannot be read.

    Args:
        folder: of the model.
        listing: of the folder.
        number: of the version.
        forms: of the texts that were read before.
    """
    if number in listing.tombstones:
        return None
    try:
        with folder.child(str(number)) as inside:
            # Before anything is read: what is put in its place from here on looks different.
            status = inside.status()
            sealed = inside.read(layout.VERSION_FILE, METADATA_LIMIT)
            card = card_revision(inside, listing, number)
        revisions = listing.revisions.get(number, ())
        edits = [folder.lstat(layout.metadata_name(number, one)) for one in revisions]
        text = folder.read(layout.metadata_name(number, revisions[-1]), METADATA_LIMIT) if revisions else sealed
    except OSError:
        return None
    if revisions:
        seal = understood(sealed, layout.VERSION_FILE).seal
        record = understood(text, layout.metadata_name(number, revisions[-1])).record
        said = said_in(record, seal) if record and seal else None
    else:
        said = forms.said(sealed)
    if said is None or said.model != listing.name:
        return None
    facts = Facts(
        identity=identity(listing, number, [status, *edits]),
        owner=status.st_uid,
        labels=" ".join(listing.labels.get(number, ())),
    )
    revision = revisions[-1] if revisions else 0
    content = verbatim(text, sealed if revisions else b"", revision=revision, card=card)
    return known_version(number, said, content, facts)


def identity_of(folder: Folder, listing: ModelListing, number: int) -> str:
    """What tells that a version is the one that was read; empty where that cannot be seen."""
    revisions = listing.revisions.get(number, ())
    try:
        names = (str(number), *(layout.metadata_name(number, one) for one in revisions))
        return identity(listing, number, [folder.lstat(name) for name in names])
    except OSError:
        return ""


def identity(listing: ModelListing, number: int, found: list[os.stat_result]) -> str:
    """Folder and revisions by inode and time of change, and the names of the labels, the card and the tombstone.

    Args:
        listing: of the model's folder.
        number: of the version.
        found: its folder and its revisions.
    """
    parts = [f"{status.st_ino}:{status.st_ctime_ns}" for status in found]
    parts += [",".join(map(str, listing.revisions.get(number, ()))), str(listing.cards.get(number, ""))]
    parts += listing.labels.get(number, ())
    return " ".join([*parts, "deleted"] if number in listing.tombstones else parts)
