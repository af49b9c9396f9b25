"""Deleting versions and bringing them back.

The order is the kernel's permission, then what the version is to others, then the write: the tombstone, the rename, and
a last look at the ledgers. Whoever promoted the version in that moment is seen there, and the version put back; whoever
promotes it a moment later sees that it is gone (:mod:`stackroom.registry.withdrawing`).
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.core.tombstones import format_tombstone
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, IntegrityError, NotFoundError, RegistryError
from stackroom.registry.families import Families
from stackroom.registry.holdings import stages_held
from stackroom.registry.reading import listed
from stackroom.registry.resolving import named_number, not_here, versions_hint
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.numbers import newest_number
from stackroom.store.removal import (
    add_tombstone,
    bring_back,
    check_may_take,
    hide,
    may_take,
    new_nonce,
    place_of,
    read_deletion,
    remains_of,
    rightful,
    take_tombstone,
)
from stackroom.store.revise import leave_hint
from stackroom.store.scan import read_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Deletion
    from stackroom.store.scan import ModelListing


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What came of deleting or restoring a version.

    Attributes:
        ref: which.
        made: whether something was changed; False with ``dry_run``, and where it was so already.
        deletion: how it stands now; None where nothing speaks of a deletion (any more).
        bytes: of its artifacts; None where that cannot be read.
        changes: the names that were or would be made or taken away, below the registry's root.
        warnings: what the caller should know all the same.
    """

    ref: Ref
    made: bool
    deletion: Deletion | None
    bytes: int | None = None
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``delete --json``."""
        return {
            "ref": str(self.ref),
            "made": self.made,
            "bytes": self.bytes,
            "deletion": self.deletion.document() if self.deletion else None,
            "changes": list(self.changes),
            "warnings": list(self.warnings),
        }


class Site:
    """A version that is here or was deleted, in its model's folder, open and read.

    Attributes:
        reader: the registry.
        root: its folder.
        folder: the model's.
        listing: one look at that.
        number: of the version.
    """

    def __init__(self, reader: Reader, root: Folder, folder: Folder, listing: ModelListing, number: int) -> None:
        self.reader = reader
        self.root = root
        self.folder = folder
        self.listing = listing
        self.number = number

    @property
    def ref(self) -> Ref:
        """The canonical reference."""
        return version_ref(self.listing.name, self.number)

    def place(self, name: str) -> str:
        """A name in the model's folder, below the registry's root."""
        return f"{layout.MODELS}/{self.listing.name}/{name}"

    def look(self) -> Deletion | None:
        """How it stands at this moment."""
        self.listing = listed(self.folder, self.listing.name)
        return read_deletion(self.folder, self.listing, self.reader.id, self.number)


@contextmanager
def site_of(reader: Reader, ref: str | Ref) -> Iterator[Site]:
    """The place of a version that is here or was deleted.

    Raises:
        NotFoundError: there never was one.
        UsageError: the reference names a whole model.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    if parsed.kind not in {"number", "label"}:
        parsed = reader.version(parsed).ref
    with reader.model_folder(parsed.model) as (root, folder, listing):
        number = named_number(parsed, listing)
        if number is None:
            what = "label" if parsed.kind == "label" else "version"
            raise NotFoundError(
                f"{parsed.model} has no {what} {parsed.value}",
                hint=versions_hint(folder, listing),
                facts={"ref": str(parsed)},
            )
        yield Site(reader, root, folder, listing, number)


# --- delete


def delete(
    reader: Reader, ref: str | Ref, *, reason: str = "", dry_run: bool = False, families: Families | None = None
) -> Removed:
    """Delete a version: it is listed no more, keeps its number and its bytes, and can be restored until it is purged.

    Args:
        reader: the registry.
        ref: the version.
        reason: why; stays for ever.
        dry_run: check, and write nothing.
        families: who names whom, where the caller has read that already.

    Raises:
        PermissionDeniedError: it and the model's folder belong to others.
        ConflictError: it holds a stage, is another version's parent, or somebody promoted it meanwhile.
        NotFoundError: there is none.
    """
    with site_of(reader, ref) as site:
        deletion = site.look()
        if deletion and deletion.state in {"deleted", "purging", "purged"}:
            return Removed(ref=site.ref, made=False, deletion=deletion, bytes=deletion.bytes)
        folder_name = deletion.folder if deletion else str(site.number)
        check_may_take(site.folder, folder_name, f"delete {site.ref}")
        warnings = check_free(site, families or Families.read(reader), "deleted")
        version = read_version(site.folder, site.listing, site.number)
        seal = version.seal
        digest = deletion.digest if deletion else remains_of(site.folder, folder_name).digest
        if deletion and deletion.state == "deleting":
            _check_tombstone(site, deletion, digest)
        marked = bool(deletion and deletion.tombstone)
        nonce = _nonce(site, deletion)
        text = format_tombstone(
            by=reader.who,
            at=reader.clock(),
            why=reason.strip(),
            digest=digest,
            trash=nonce,
            place=place_of(reader.id, site.listing.name, site.number),
        )
        size = deletion.bytes if deletion else seal.bytes if seal else None
        changes = () if marked else (site.place(layout.tombstone_name(site.number)),)
        if deletion is None or deletion.state == "deleting":
            changes = (*changes, site.place(str(site.number)))
        if dry_run:
            return Removed(ref=site.ref, made=False, deletion=deletion, bytes=size, changes=changes, warnings=warnings)
        hidden = bool(deletion and deletion.state == "unmarked")
        made = _write(site, text, nonce, marked=marked, hidden=hidden)
        leave_hint(site.root, site.listing.name, "delete", str(site.ref), reader.clock())
        return Removed(ref=site.ref, made=made, deletion=site.look(), bytes=size, changes=changes, warnings=warnings)


def _nonce(site: Site, deletion: Deletion | None) -> str:
    """What ends the name in the trash: as the tombstone or the folder that is there has it, else a new one."""
    if deletion and deletion.state == "unmarked":
        return layout.nonce_of(deletion.folder, site.number)
    if deletion and deletion.tombstone and deletion.tombstone.trash:
        return deletion.tombstone.trash
    return new_nonce()


def _write(site: Site, text: str, nonce: str, *, marked: bool, hidden: bool) -> bool:
    """Tombstone, rename, and the last looks; False where somebody else had done it meanwhile."""
    if not marked:
        add_tombstone(site.folder, site.number, text)
    if hidden:
        return True
    try:
        name = hide(site.folder, site.number, nonce)
    except RegistryError:
        if not marked:
            with suppress(RegistryError):
                take_tombstone(site.folder, site.number)
        raise
    if name is None:
        _was_faster(site, marked=marked)
        return False
    _check_still_free(site, name)
    if not site.folder.has(layout.tombstone_name(site.number)):
        # A restore that began before us took it away after our rename: nothing lies in the trash without a word.
        with suppress(ConflictError):
            add_tombstone(site.folder, site.number, text)
    return True


def _was_faster(site: Site, *, marked: bool) -> None:
    """Somebody renamed the folder before us: into the trash, which is what we want, or elsewhere."""
    found = site.look()
    if found and found.state in {"deleted", "purging"}:
        return
    if not marked:
        take_tombstone(site.folder, site.number)
    raise ConflictError(
        f"somebody took {site.ref} away at this moment", hint=f"stackroom list {site.listing.name}, then decide again"
    )


def _check_still_free(site: Site, name: str) -> None:
    """Put the version back where it holds a stage by now, or where nobody can say."""
    try:
        held = stages_held(site.reader, site.root, site.listing.name, site.number)
    except RegistryError:
        _put_back(site, name)
        raise
    if held:
        _put_back(site, name)
        raise ConflictError(
            f"somebody moved {site.ref} to {held[0]} while you deleted it; it is back",
            hint=f"stackroom history {site.listing.name} --stage {held[0]}",
            facts={"ref": str(site.ref), "stages": list(held)},
        )


def _put_back(site: Site, name: str) -> None:
    if bring_back(site.folder, name, site.number):
        take_tombstone(site.folder, site.number)
        leave_hint(site.root, site.listing.name, "restore", str(site.ref), site.reader.clock())


def _check_tombstone(site: Site, deletion: Deletion, digest: str) -> None:
    """Whether the tombstone that is there already may stand for this delete."""
    tombstone = deletion.tombstone
    if tombstone is None:
        return
    owner = user_name(tombstone.owner) or str(tombstone.owner)
    if not rightful(site.folder, tombstone, str(site.number)):
        maker = user_name(site.listing.owner) or str(site.listing.owner)
        why = tombstone.trouble or f"{owner} may not delete the version"
        raise ConflictError(
            f"a tombstone of {owner}'s, which is worth nothing, is in the way of {site.ref}: {why}",
            hint=f"{owner} or {maker}, the owner of the model's folder, takes it away: stackroom restore {site.ref}",
            facts={"ref": str(site.ref), "owner": tombstone.owner, "trouble": why},
        )
    if tombstone.digest and digest and tombstone.digest != digest:
        raise ConflictError(
            f"the tombstone of {site.ref} speaks of other artifacts",
            hint=f"stackroom restore {site.ref} takes it away",
            facts={"ref": str(site.ref), "tombstone": tombstone.digest, "found": digest},
        )


def check_free(site: Site, families: Families, what: str) -> tuple[str, ...]:
    """Say no where a version holds a stage or is another one's parent; returns what could not be read.

    Raises:
        ConflictError: naming the stages or the children.
        RegistryError: a ledger cannot be read.
    """
    held = stages_held(site.reader, site.root, site.listing.name, site.number)
    if held:
        raise ConflictError(
            f"{site.ref} holds {', '.join(held)}, and what holds a stage is not {what}",
            hint=f"stackroom clear {site.listing.name} {held[0]} first, or promote another version",
            facts={"ref": str(site.ref), "stages": list(held)},
        )
    children = families.children_of(site.listing, site.number, newest_number(site.folder, site.listing))
    if children:
        named = ", ".join(str(child) for child in children[:5])
        more = f" and {len(children) - 5} more" if len(children) > 5 else ""
        raise ConflictError(
            f"{site.ref} is a parent of {named}{more}, and a parent is not {what}",
            hint=f"delete {children[0]} first, or mend it: stackroom edit {children[0]} --unset lineage.parents",
            facts={"ref": str(site.ref), "children": [str(child) for child in children]},
        )
    return tuple(f"{place} cannot be read: nobody knows its parents" for place in families.unread)


# --- restore


def restore(reader: Reader, ref: str | Ref, *, dry_run: bool = False) -> Removed:
    """Bring a deleted version back, and take its tombstone away.

    Raises:
        NotFoundError: it is purged, or is being purged.
        ConflictError: the trash has two of it, or another version has its number.
        IntegrityError: what lies in the trash is not what was deleted.
        PermissionDeniedError: it and the model's folder belong to others.
    """
    with site_of(reader, ref) as site:
        deletion = site.look()
        if deletion is None:
            return Removed(ref=site.ref, made=False, deletion=None)
        if deletion.state in {"purged", "purging"}:
            raise not_here(reader, site.folder, site.listing, site.number)
        tombstone = layout.tombstone_name(site.number)
        back = deletion.state != "deleting"
        if back:
            _check_restorable(site, deletion)
        doing = f"restore {site.ref}" if back else f"take the tombstone of {site.ref} away"
        check_may_take(site.folder, deletion.folder if back else tombstone, doing)
        warnings = _stays(site, deletion, tombstone) if back else ()
        goes = deletion.tombstone is not None and not warnings
        changes = tuple(site.place(name) for name, changed in ((str(site.number), back), (tombstone, goes)) if changed)
        if dry_run:
            return Removed(
                ref=site.ref, made=False, deletion=deletion, bytes=deletion.bytes, changes=changes, warnings=warnings
            )
        if back and not bring_back(site.folder, deletion.folder, site.number) and not site.folder.has(str(site.number)):
            raise ConflictError(
                f"somebody took {site.ref} out of the trash at this moment",
                hint=f"stackroom list {site.listing.name} --deleted",
            )
        if not warnings:
            take_tombstone(site.folder, site.number)
            _check_it_is_back(site, deletion)
        leave_hint(site.root, site.listing.name, "restore", str(site.ref), reader.clock())
        return Removed(
            ref=site.ref, made=True, deletion=site.look(), bytes=deletion.bytes, changes=changes, warnings=warnings
        )


def _check_restorable(site: Site, deletion: Deletion) -> None:
    trash = site.listing.trash.get(site.number, ())
    tombstone = deletion.tombstone
    named = tombstone.trash if tombstone and tombstone.validity.counts else ""
    if len(trash) > 1 and layout.nonce_of(deletion.folder, site.number) != named:
        raise ConflictError(
            f"the trash has {len(trash)} folders of {site.ref}: {', '.join(trash)}",
            hint="somebody put one there by hand: its owner renames it",
            facts={"ref": str(site.ref), "folders": list(trash)},
        )
    if tombstone and tombstone.validity.counts and tombstone.digest and tombstone.digest != deletion.digest:
        raise IntegrityError(
            f"what lies in the trash as {site.ref} is not what was deleted: the tombstone names other artifacts",
            hint=f"look into {site.folder.path}/{deletion.folder}",
            facts={"ref": str(site.ref), "tombstone": tombstone.digest, "found": deletion.digest},
        )


def _stays(site: Site, deletion: Deletion, tombstone: str) -> tuple[str, ...]:
    """That the tombstone cannot be taken away by who may bring the version back; it harms nobody."""
    if deletion.tombstone is None or may_take(site.folder, tombstone):
        return ()
    owner = deletion.tombstone.owner
    whose = f"the tombstone stays, because it is {user_name(owner) or owner}'s"
    who = "they, or the owner of the model's folder, take it away"
    return (f"{whose}: {who} with stackroom restore {site.ref}",)


def _check_it_is_back(site: Site, deletion: Deletion) -> None:
    """Whether somebody deleted it again while its tombstone went: then it lies in the trash without one."""
    found = site.look()
    if found is None or found.state != "unmarked":
        return
    text = format_tombstone(
        by=site.reader.who,
        at=site.reader.clock(),
        why=deletion.tombstone.why if deletion.tombstone else "",
        digest=found.digest,
        trash=_nonce(site, found),
        place=place_of(site.reader.id, site.listing.name, site.number),
    )
    with suppress(ConflictError):
        add_tombstone(site.folder, site.number, text)
    raise ConflictError(
        f"somebody deleted {site.ref} again while you restored it", hint=f"stackroom list {site.listing.name} --deleted"
    )
