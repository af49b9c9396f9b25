"""Whose files they are, and when the file system says that they changed: what an owner cannot rewrite about them.

An owner can set the times of modification of his files as he likes, and every byte of them. The time of change he
cannot set, and the owner's number only root can.
"""

from __future__ import annotations

import contextlib
import stat
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Who
from stackroom.core.metadata import iso
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.folder import Folder, changed_at
from stackroom.store.sums import artifacts_digest, read_sums, walk

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from stackroom.store.scan import ModelListing

THE_FOLDER: Final = "."
"""The place of a version's folder itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A file or folder, as the kernel knows it.

    Attributes:
        place: below the version's folder, or the name of a revision beside it; :data:`THE_FOLDER` for the folder.
        owner: whose it is.
        changed: when the file system says that it changed.
    """

    place: str
    owner: Who
    changed: datetime

    def __str__(self) -> str:
        kind = "folder" if self.place == THE_FOLDER else "file"
        return f"the {kind} of {self.owner}, changed at {iso(self.changed)}"

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        owner = {"uid": self.owner.uid, "name": self.owner.name}
        return {"place": self.place, "owner": owner, "changed": iso(self.changed)}


def trace_of(place: str, status: os.stat_result) -> Trace:
    """What a status tells."""
    return Trace(place=place, owner=Who(status.st_uid, user_name(status.st_uid)), changed=changed_at(status))


def traces_in(version: Folder) -> tuple[Trace, ...]:
    """The folder of a version first, then every file in it by its path.

    Raises:
        OSError: a directory cannot be listed.
    """
    files = sorted(walk(version), key=lambda found: found.path)
    return (trace_of(THE_FOLDER, version.status()), *(trace_of(found.path, found.status) for found in files))


def traces_beside(folder: Folder, listing: ModelListing, number: int) -> tuple[Trace, ...]:
    """The revisions of metadata and card beside a version."""
    names = [layout.metadata_name(number, revision) for revision in listing.revisions.get(number, ())]
    names += [layout.card_name(number, revision) for revision in listing.card_revisions.get(number, ())]
    found: list[Trace] = []
    for name in names:
        with contextlib.suppress(OSError):
            found.append(trace_of(name, folder.lstat(name)))
    return tuple(found)


def label_trace(folder: Folder, name: str) -> tuple[int, Trace] | None:
    """The number that a label names, and whose it is; None where there is no such label."""
    try:
        number = layout.parse_label_text(folder.read_link(name))
        return None if number is None else (number, trace_of(name, folder.lstat(name)))
    except OSError:
        return None


def strays_with(folder: Folder, digest: str) -> tuple[Trace, ...]:
    """Folders beside the versions that hold artifacts of a digest: where a version went that was renamed away."""
    found: list[Trace] = []
    for name in sorted(folder.names()):
        if layout.model_entry(name).kind == "temporary":
            continue
        try:
            if not stat.S_ISDIR(folder.lstat(name).st_mode):
                continue
            with folder.child(name) as inside:
                if artifacts_digest(read_sums(inside)[0]) == digest:
                    found.append(trace_of(name, inside.status()))
        except (OSError, InvalidInputError):
            continue
    return tuple(found)
