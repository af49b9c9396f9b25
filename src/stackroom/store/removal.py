"""Deleting, restoring and purging: a tombstone, then one rename; the same backwards; and at last the bytes.

The order is the promise. The tombstone is on disk before the folder is renamed, so that nothing goes without a word;
the rename is what deletes, and the kernel allows it to the owner of the version and of the model's folder alone. A
folder that is being purged has another name than one that waits in the trash, so that nobody restores half of it. A
process killed at any instruction leaves one of the states of :data:`~stackroom.store.records.Removal`, and the same
command, run again, goes on from there.
"""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stackroom.core.attested import Entry, Who, text_digest
from stackroom.core.metadata import seal_of
from stackroom.core.tombstones import Tombstone, judge_tombstone, tombstone_place
from stackroom.core.toml import METADATA_LIMIT, parse_toml
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, PermissionDeniedError, RegistryError
from stackroom.store import layout
from stackroom.store.access import access_to, current_user, refused, user_name
from stackroom.store.attested import append, text_of
from stackroom.store.erasing import Identity, identity_of, remove_tree
from stackroom.store.folder import GONE, Folder, explained
from stackroom.store.records import Deletion, Removal
from stackroom.store.sums import artifacts_digest, read_sums, walk
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from stackroom.core.metadata import Seal
    from stackroom.core.names import ModelName
    from stackroom.store.digest import Progress
    from stackroom.store.scan import ModelListing


def place_of(registry_id: str, model: ModelName, number: int) -> str:
    """What the tombstone of a version says about its own place."""
    return tombstone_place(registry_id, f"{layout.MODELS}/{model}/{layout.tombstone_name(number)}")


# --- reading


def read_deletion(folder: Folder, listing: ModelListing, registry_id: str, number: int) -> Deletion | None:
    """What is known about the deletion of a version; None where nothing speaks of one.

    Args:
        folder: the model's.
        listing: one look at it.
        registry_id: of ``registry.toml``; without it no tombstone counts.
        number: the version.
    """
    state = _state(listing, number)
    if state is None:
        return None
    tombstone = _tombstone(folder, listing, registry_id, number) if number in listing.tombstones else None
    name = str(number) if state == "deleting" else _hidden_name(listing, number, tombstone)
    remains = remains_of(folder, name) if name else Remains()
    return Deletion(
        model=listing.name,
        number=number,
        state=state,
        tombstone=tombstone,
        folder=name,
        owner=remains.owner,
        bytes=_bytes(folder, name, remains.seal, state),
        digest=remains.digest,
        metadata=remains.metadata,
        identity=remains.identity,
        labels=listing.labels.get(number, ()),
    )


def read_deletions(folder: Folder, listing: ModelListing, registry_id: str) -> tuple[Deletion, ...]:
    """Every version of a model that was deleted or is being deleted, by number."""
    numbers = sorted({*listing.removed, *listing.tombstones})
    found = (read_deletion(folder, listing, registry_id, number) for number in numbers)
    return tuple(deletion for deletion in found if deletion)


def _state(listing: ModelListing, number: int) -> Removal | None:
    marked = number in listing.tombstones
    if number in listing.numbers:
        return "deleting" if marked else None
    if number in listing.trash:
        return "deleted" if marked else "unmarked"
    if number in listing.purging:
        return "purging"
    return "purged" if marked else None


def _hidden_name(listing: ModelListing, number: int, tombstone: Tombstone | None) -> str:
    """The folder of a deleted version: the one that its tombstone names, whatever else somebody put beside it."""
    for found, spelled in ((listing.trash, layout.trash_name), (listing.purging, layout.purge_name)):
        names = found.get(number, ())
        if names:
            named = spelled(number, tombstone.trash) if tombstone and tombstone.validity.counts else ""
            return named if named in names else names[0]
    return ""


def _tombstone(folder: Folder, listing: ModelListing, registry_id: str, number: int) -> Tombstone | None:
    name = layout.tombstone_name(number)
    try:
        status = folder.lstat(name)
        text = folder.read_link(name) if stat.S_ISLNK(status.st_mode) else None
    except OSError:
        return None
    changed = datetime.fromtimestamp(status.st_ctime_ns // 1000 / 1_000_000, UTC)
    entry = Entry(name=name, text=text, owner=status.st_uid, changed=changed)
    place = place_of(registry_id, listing.name, number)
    return judge_tombstone(entry, place=place, folder_owner=listing.owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What a folder is, as far as it can be read.

    Attributes:
        identity: device and inode.
        owner: whose it is.
        seal: of its ``version.toml``.
        metadata: ``sha256:…`` of the text of ``version.toml``.
        digest: of its artifacts, by the seal, or by SHA256SUMS where there is no seal.
    """

    identity: Identity | None = None
    owner: Who | None = None
    seal: Seal | None = None
    metadata: str = ""
    digest: str = ""


def remains_of(folder: Folder, name: str) -> Remains:
    """What lies in a model's folder under a name; all of it is read through one descriptor."""
    owner: Who | None = None
    try:
        uid = folder.lstat(name).st_uid
        owner = Who(uid, user_name(uid))
        with folder.child(name) as inside:
            status = inside.status()
            owner = Who(status.st_uid, user_name(status.st_uid))
            seal, metadata = _sealed(inside)
            digest = seal.digest if seal else _sums_digest(inside)
            return Remains(identity=identity_of(status), owner=owner, seal=seal, metadata=metadata, digest=digest)
    except OSError:
        return Remains(owner=owner)


def _sealed(inside: Folder) -> tuple[Seal | None, str]:
    metadata = ""
    try:
        text = inside.read(layout.VERSION_FILE, METADATA_LIMIT)
        metadata = text_digest(text)
        return seal_of(parse_toml(text, where=layout.VERSION_FILE)), metadata
    except (OSError, RegistryError):
        return None, metadata


def _sums_digest(inside: Folder) -> str:
    try:
        return artifacts_digest(read_sums(inside)[0])
    except (OSError, RegistryError):
        return ""


def _bytes(folder: Folder, name: str, seal: Seal | None, state: Removal) -> int | None:
    """How large it is: by its seal while it is whole, else by looking at every file."""
    if not name:
        return None
    if seal is not None and state != "purging":
        return seal.bytes
    try:
        with folder.child(name) as inside:
            return sum(found.status.st_size for found in walk(inside) if found.is_regular)
    except (OSError, RecursionError):
        return None


# --- who may


def may_take(folder: Folder, name: str) -> bool:
    """Whether the kernel would let the caller rename or remove a name: the sticky bit, as far as this host can tell.

    Whether he may change the directory at all is :func:`~stackroom.store.access.access_to`'s to say.
    """
    directory = folder.status()
    if not directory.st_mode & stat.S_ISVTX:
        return True
    owner = _owner_of(folder, name)
    # What is gone by now is nobody's: whoever renames it hears so.
    return owner is None or os.geteuid() in {0, directory.st_uid, owner}


def _owner_of(folder: Folder, name: str) -> int | None:
    """The uid that a name belongs to, or None where it is gone."""
    try:
        return folder.lstat(name).st_uid
    except OSError as error:
        if error.errno in GONE:
            return None
        raise explained(error, "look at", f"{folder.path}/{name}") from error


def check_may_take(folder: Folder, name: str, doing: str) -> None:
    """Say no where the kernel would not let the caller rename or remove a name.

    Raises:
        PermissionDeniedError: with those who may.
    """
    access = access_to(folder.path)
    if not access.allowed:
        raise access.refusal(doing, you=current_user())
    if not may_take(folder, name):
        raise _not_yours(folder, name, doing)


def _not_yours(folder: Folder, name: str, doing: str) -> PermissionDeniedError:
    of_model = folder.status().st_uid
    whose = _owner_of(folder, name)
    whose = of_model if whose is None else whose
    owner, maker = (user_name(uid) or str(uid) for uid in (whose, of_model))
    both = f"{owner}, to whom it belongs, or {maker}, the owner of the model's folder"
    who = f"{owner}, to whom it and the model's folder belong" if whose == of_model else both
    return PermissionDeniedError(
        f"you may not {doing}: it is {owner}'s, in a sticky folder of {maker}'s, and you are {current_user().label}",
        hint=f"only the owners may: ask {who}",
        facts={"directory": folder.path, "owner": whose, "folder_owner": of_model},
    )


def rightful(folder: Folder, tombstone: Tombstone, version: str) -> bool:
    """Whether a tombstone beside a version that is here was made by somebody who could delete it.

    Any author can make such a name. One that others made is in the way, and says nothing about the version.
    """
    directory = folder.status()
    if not tombstone.validity.counts:
        return False
    if not directory.st_mode & stat.S_ISVTX:
        return True
    owner = _owner_of(folder, version)
    return owner is None or tombstone.owner in {0, directory.st_uid, owner}


# --- writing


def add_tombstone(folder: Folder, number: int, text: str) -> None:
    """Say that a version is deleted, durably; exclusive.

    Raises:
        ConflictError: there is another one.
        PermissionDeniedError: the kernel refuses, or the file system recorded another owner.
    """
    name = layout.tombstone_name(number)
    doing = f"delete version {number}"
    taken = ConflictError(
        f"somebody deletes version {number} at this moment: {name} is there",
        hint="look again in a moment",
        facts={"tombstone": name},
    )
    try:
        # On disk before the rename: after a power cut there may be a tombstone too many, and none too few.
        append(folder, name, text, doing=doing, taken=taken)
    except ConflictError:
        if text_of(folder, name) is not None:
            raise
        raise ConflictError(
            f"{folder.path}/{name} is in the way, and is no tombstone",
            hint="its owner, or the owner of the model's folder, takes it away",
            facts={"tombstone": name},
        ) from None


def take_tombstone(folder: Folder, number: int) -> None:
    """Take a tombstone away; it is well where there is none.

    Raises:
        PermissionDeniedError: the kernel refuses.
    """
    name = layout.tombstone_name(number)
    doing = f"take {name} away"
    try:
        folder.unlink(name)
        folder.sync()
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in {errno.EPERM, errno.EACCES} and name in folder.names() and not may_take(folder, name):
            raise _not_yours(folder, name, doing) from error
        raise refused(error, folder.path, doing) or explained(error, f"{doing} in", folder.path) from error


def _moved(folder: Folder, source: str, target: str, doing: str) -> bool:
    """Rename, durably; False where the source is gone and the target did not come of it."""
    try:
        folder.rename(source, target)
    except OSError as error:
        if error.errno in GONE:
            # After a lost reply NFS says ENOENT about our own success: nobody else makes a name with our nonce.
            if not folder.has(target):
                return False
        elif error.errno in {errno.EPERM, errno.EACCES} and folder.has(source) and not may_take(folder, source):
            raise _not_yours(folder, source, doing) from error
        else:
            raise refused(error, folder.path, doing) or explained(error, f"{doing} in", folder.path) from error
    try:
        folder.sync()
    except OSError as error:
        raise explained(error, "make sure of", f"{folder.path}/{target}") from error
    return True


def new_nonce() -> str:
    """What ends the name of a folder in the trash: nobody else's is the same."""
    return uuid4()


def hide(folder: Folder, number: int, nonce: str) -> str | None:
    """Rename a version into the trash; returns its name there, or None where somebody was faster.

    Raises:
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody put something there.
    """
    name = layout.trash_name(number, nonce)
    return name if _moved(folder, str(number), name, f"delete version {number}") else None


def bring_back(folder: Folder, name: str, number: int) -> bool:
    """Rename a version out of the trash; False where somebody was faster.

    Raises:
        ConflictError: another version has the number.
        PermissionDeniedError: the kernel refuses.
    """
    if folder.has(str(number)):
        return False
    return _moved(folder, name, str(number), f"restore version {number}")


def begin_purge(folder: Folder, deletion: Deletion) -> str | None:
    """Take a version out of the trash for good; returns its new name, or None where somebody was faster.

    Raises:
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody put another folder in its place in this moment; that one is put back.
    """
    name, number = deletion.folder, deletion.number
    purged = layout.purge_name(number, layout.nonce_of(name, number))
    if not _moved(folder, name, purged, f"purge version {number}"):
        return None
    if remains_of(folder, purged).identity != deletion.identity:
        if not folder.has(name):
            _moved(folder, purged, name, f"put {name} back")
        raise ConflictError(
            f"somebody put another folder in the place of {folder.path}/{name} at this moment; it is back",
            hint="stackroom doctor looks again",
            facts={"place": f"{folder.path}/{name}"},
        )
    return purged


def free(folder: Folder, name: str, identity: Identity | None, progress: Progress) -> tuple[str, ...]:
    """Free the bytes of a folder that is being purged, and the folder; returns what is left, each with the reason.

    What says which version it was goes last. Started again, it goes on with what is left.
    """
    left = remove_tree(folder, name, progress, identity=identity, last=layout.VERSION_FILE)
    try:
        folder.sync()
    except OSError as error:
        left = (*left, f"{folder.path}: {(error.strerror or str(error)).lower()}")
    return left
