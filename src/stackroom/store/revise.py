"""New names beside a version: revisions of metadata and cards, labels, and the hints of the change feed.

A revision is written under a temporary name and published by ``link()``, which fails where the name exists: revision 3
can be won once, and the loser is told. A label is one ``symlink()``. Nothing that is there is ever overwritten.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import format_pairs
from stackroom.core.names import NUMBER_DIGITS, parse_number
from stackroom.core.toml import METADATA_LIMIT
from stackroom.errors import ConflictError, InvalidInputError
from stackroom.store import layout
from stackroom.store.access import refused, user_name
from stackroom.store.folder import explained
from stackroom.store.numbers import who_can_free
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.core.names import Label, ModelName
    from stackroom.store.folder import Folder

FEED_LIFE: Final = 3600
"""Seconds that a hint stays: any reader that still polls has seen it."""


def add_metadata(folder: Folder, number: int | None, revision: int, text: str) -> None:
    """Publish a revision of a version's metadata, or with None of the model's own.

    Args:
        folder: the model's.
        number: the version.
        revision: the number after the one that the text was made from.
        text: the whole record.

    Raises:
        ConflictError: somebody published that revision first.
        PermissionDeniedError: the kernel refuses.
    """
    _check_number(folder, number, revision)
    raw = text.encode()
    if len(raw) > METADATA_LIMIT:
        raise InvalidInputError(f"the metadata takes {len(raw):,} bytes, and a file holds at most {METADATA_LIMIT:,}")
    _add(folder, layout.metadata_name(number, revision), raw)


def add_card(folder: Folder, number: int | None, revision: int, text: bytes) -> None:
    """Publish a revision of a card; errors as :func:`add_metadata`."""
    _check_number(folder, number, revision)
    if len(text) > CARD_LIMIT:
        raise InvalidInputError(f"the card takes {len(text):,} bytes, and a card holds at most {CARD_LIMIT:,}")
    _add(folder, layout.card_name(number, revision), text)


def _check_number(folder: Folder, number: int | None, revision: int) -> None:
    """A longer number would be a foreign name, and the edit would be written and never seen."""
    if parse_number(str(revision)) is None:
        raise InvalidInputError(
            f"revision {revision} has more than {NUMBER_DIGITS} digits, and the format has no such name",
            hint=f"somebody used the last number up: {who_can_free(folder, number, revision - 1)}",
            facts={"revision": revision},
        )


def _add(folder: Folder, name: str, content: bytes) -> None:
    temporary = layout.temporary_name(os.geteuid(), uuid4())
    doing = f"write {name}"
    try:
        folder.create(temporary, content, layout.SEALED_FILE_MODE)
        try:
            folder.link(temporary, name)
        except FileExistsError:
            if _content(folder, name) != content:
                raise _somebody_was_faster(folder, name) from None
        folder.unlink(temporary)
        folder.sync()
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.unlink(temporary)
        raise refused(error, folder.path, doing) or explained(error, f"{doing} in", folder.path) from error
    except BaseException:
        with contextlib.suppress(OSError):
            folder.unlink(temporary)
        raise


def _content(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name, max(METADATA_LIMIT, CARD_LIMIT))
    except OSError:
        return None


def _somebody_was_faster(folder: Folder, name: str) -> ConflictError:
    owner = ""
    with contextlib.suppress(OSError):
        uid = folder.lstat(name).st_uid
        owner = user_name(uid) or str(uid)
    return ConflictError(
        f"{owner or 'somebody'} wrote {name} while you edited",
        hint="look at what changed, and edit again on top of it",
        facts={"revision": name, "by": owner},
    )


def add_label(folder: Folder, number: int, label: Label) -> bool:
    """Give a version one more name; False where it has it already.

    Raises:
        ConflictError: the label is another version's; labels do not move.
        PermissionDeniedError: the kernel refuses.
    """
    doing = f"make the label {label}"
    try:
        folder.symlink(str(number), label)
    except FileExistsError:
        try:
            present = folder.read_link(label)
        except OSError:
            present = "something that is no label"
        if present == str(number):
            return False
        raise ConflictError(
            f"the label {label} belongs to version {present} already",
            hint="labels do not move; choose another, or use a stage",
            facts={"label": label, "version": present},
        ) from None
    except OSError as error:
        raise refused(error, folder.path, doing) or explained(error, f"{doing} in", folder.path) from error
    folder.sync()
    return True


def leave_hint(root: Folder, model: ModelName, op: str, ref: str, now: datetime) -> None:
    """Tell readers to look at a model, and take one's own old hints away.

    A hint is only a hint: where it cannot be left, readers find the change by their slow sweep, and nobody is told.
    """
    with contextlib.suppress(OSError), root.child(layout.FEED) as feed:
        nonce = uuid4()[-12:]
        name = layout.feed_name(now.strftime("%Y%m%dT%H%M%S.%fZ"), nonce, model)
        feed.symlink(format_pairs({"op": op, "ref": ref}), name)
        _clear_old(feed, feed.lstat(name).st_ctime)


def _clear_old(feed: Folder, now: float) -> None:
    """Remove one's own hints that are too old, by the file system's clock alone."""
    mine = os.geteuid()
    for name in feed.names():
        if layout.parse_feed_name(name) is None:
            continue
        with contextlib.suppress(OSError):
            status = feed.lstat(name)
            if status.st_uid == mine and now - status.st_ctime > FEED_LIFE:
                feed.unlink(name)
