"""Every card that a version or model ever had: whose file it is, and when the file system says that it changed."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stackroom.core.attested import Who, text_digest
from stackroom.core.values import dataclass
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.folder import changed_at
from stackroom.store.scan import CARD_LIMIT, ModelListing, os_problem

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.store.folder import Folder
    from stackroom.store.records import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """One revision of a card; number 0 is the README.md that was registered.

    Attributes:
        number: of the revision.
        name: of the file, below the model's folder.
        text: its content; empty where it could not be read.
        digest: of the text; empty likewise.
        owner: of the file, which is the evidence for who wrote it.
        changed: when the file system says it changed; None where that is not known.
        problem: why it could not be read, or None.
    """

    number: int
    name: str
    text: bytes
    digest: str
    owner: Who
    changed: datetime | None = None
    problem: Problem | None = None


def read_cards(folder: Folder, listing: ModelListing, number: int | None) -> tuple[CardText, ...]:
    """Every card of a version (or, with None, of the model itself), oldest first; what cannot be read is flagged.

    Raises:
        OSError: the version's folder cannot be opened.
    """
    found: list[CardText] = []
    if number is not None:
        with folder.child(str(number)) as inside:
            sealed = _read(inside, layout.CARD_FILE, listing, number=0, place=f"{number}/{layout.CARD_FILE}")
        found += [sealed] if sealed else []
    for revision in listing.card_revisions.get(number, ()):
        name = layout.card_name(number, revision)
        card = _read(folder, name, listing, number=revision, place=name)
        found += [card] if card else []
    return tuple(found)


def _read(folder: Folder, name: str, listing: ModelListing, *, number: int, place: str) -> CardText | None:
    try:
        status = folder.lstat(name)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    owner = Who(status.st_uid, user_name(status.st_uid))
    try:
        text, problem = folder.read(name, CARD_LIMIT), None
    except OSError as error:
        text, problem = b"", os_problem(f"{layout.MODELS}/{listing.name}/{place}", error, folder)
    return CardText(
        number=number,
        name=place,
        text=text,
        digest="" if problem else text_digest(text),
        owner=owner,
        changed=changed_at(status),
        problem=problem,
    )
