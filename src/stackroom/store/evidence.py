"""What the file system alone says about a version: since when it is there, and whose its current texts are."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from stackroom.core.attested import NOBODY, Who
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.folder import changed_at, explained

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.store.folder import Folder
    from stackroom.store.records import Version


def there_since(folder: Folder, version: Version) -> datetime:
    """The time at which its ``version.toml`` was last changed, which nobody can set: it was not there before.

    Raises:
        RegistryError: it cannot be looked at.
    """
    try:
        with folder.child(str(version.number)) as inside:
            return changed_at(inside.lstat(layout.VERSION_FILE))
    except OSError as error:
        raise explained(error, "look at", f"{folder.path}/{version.number}") from error


def author_of(folder: Folder, number: int) -> Who:
    """The owner of a version's folder; nobody where it is not there."""
    try:
        owner = folder.lstat(str(number)).st_uid
    except OSError:
        return NOBODY
    return Who(owner, user_name(owner))


def writers_of(folder: Folder, version: Version) -> tuple[Who, ...]:
    """The owners of the revisions of metadata and card that are current; nobody where they are as registered."""
    names = [layout.metadata_name(version.number, version.revision)] if version.revision > 0 else []
    names += [layout.card_name(version.number, version.card_revision)] if version.card_revision > 0 else []
    found: dict[int, Who] = {}
    for name in names:
        with contextlib.suppress(OSError):
            owner = folder.lstat(name).st_uid
            found[owner] = Who(owner, user_name(owner))
    return tuple(found.values())
