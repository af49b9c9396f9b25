"""Freeing the bytes of deleted versions: one's own, because the kernel lets nobody else empty a sealed folder.

What a stage or a child needs is looked at once more: it may have been promoted or named by hand since it was deleted.
The tombstone stays, so that the number is never given again; a version without one that counts is not purged.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from stackroom.core.names import Ref, parse_ref
from stackroom.core.pruning import age_text
from stackroom.core.show import duration
from stackroom.core.values import dataclass, replace
from stackroom.errors import ConflictError, RegistryError, UsageError
from stackroom.registry.deletions import deletions_of
from stackroom.registry.families import Families
from stackroom.registry.holdings import ledgers_to_decide_on
from stackroom.registry.remains import held_as, not_what_was_deleted
from stackroom.registry.removing import Site, check_free, site_of
from stackroom.store.access import access_to
from stackroom.store.digest import Progress, silent
from stackroom.store.removal import begin_purge, free, may_take, rightful
from stackroom.store.revise import leave_hint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from stackroom.core.attested import Who
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Deletion, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRow:
    """A deleted version, and whether its bytes go.

    Attributes:
        deletion: what is known about it.
        goes: whether they do, or with a dry run would.
        why: why not, or empty.
        others: it is only that the bytes belong to somebody else.
        freed: bytes that were freed.
        left: what could not be removed, each with the reason.
    """

    deletion: Deletion
    goes: bool
    why: str = ""
    others: bool = False
    freed: int = 0
    left: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        owner = self.deletion.owner
        return {
            "ref": str(self.deletion.ref),
            "goes": self.goes,
            "why": self.why,
            "bytes": self.deletion.bytes,
            "freed": self.freed,
            "left": list(self.left),
            "owner": {"uid": owner.uid, "name": owner.name} if owner else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersBytes:
    """What somebody else's deleted versions take, and how they go.

    Attributes:
        owner: whose they are.
        refs: the versions.
        bytes: of all of them, as far as they are known.
        command: for root of the file server, with the path as it is here.
    """

    owner: Who
    refs: tuple[Ref, ...]
    bytes: int
    command: str

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "owner": {"uid": self.owner.uid, "name": self.owner.name},
            "versions": [str(ref) for ref in self.refs],
            "bytes": self.bytes,
            "command": self.command,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """What a purge did, or with a dry run would do.

    Attributes:
        made: whether it was more than a dry run.
        rows: every deleted version that was asked for and has bytes, by model and number.
        others: by owner, what only they or root can free.
        problems: what could not be looked at.
    """

    made: bool
    rows: tuple[PurgeRow, ...]
    others: tuple[OthersBytes, ...]
    problems: tuple[Problem, ...]

    @property
    def bytes(self) -> int:
        """Of what goes, as far as it is known."""
        return sum(row.deletion.bytes or 0 for row in self.rows if row.goes)

    @property
    def freed(self) -> int:
        """Bytes that were freed."""
        return sum(row.freed for row in self.rows)

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``purge --json``."""
        return {
            "made": self.made,
            "bytes": self.bytes,
            "freed": self.freed,
            "versions": [row.document() for row in self.rows],
            "others": [others.document() for others in self.others],
            "problems": [problem.document() for problem in self.problems],
        }


def purge(
    reader: Reader,
    refs: Sequence[str] = (),
    *,
    older_than: timedelta | None = None,
    dry_run: bool = True,
    progress: Progress = silent,
) -> Purge:
    """Free the bytes of deleted versions.

    Args:
        reader: the registry.
        refs: versions, or models for all that were deleted of theirs; everything without.
        older_than: only what was deleted at least so long ago.
        dry_run: say what would be freed, and free nothing.
        progress: is told about the bytes.

    Raises:
        NotFoundError: no such model or version.
        ConflictError: a version that is named is not deleted.
        RegistryError: ``registry.toml`` is so wrong that no tombstone and no ledger can be judged.
    """
    if reader.policy_error and not (reader.id and reader.stages):
        raise reader.policy_error
    deletions, problems = _asked_for(reader, refs)
    families = Families.read(reader) if deletions else Families(children={}, unread=())
    rows: list[PurgeRow] = []
    named = _versions_named(refs)
    for deletion in deletions:
        with site_of(reader, deletion.ref) as site:
            row = _judged(site, deletion, families, older_than)
            if row.goes and not (named or _begun_here(deletion)):
                row = replace(row, goes=False, why=_of_others(deletion))
            rows.append(row if dry_run or not row.goes else _purged(site, row, progress))
    return Purge(made=not dry_run, rows=tuple(rows), others=_by_owner(reader, rows), problems=problems)


def _asked_for(reader: Reader, refs: Sequence[str]) -> tuple[list[Deletion], tuple[Problem, ...]]:
    """The deletions that have bytes, without those that were only begun."""
    if not refs:
        found = deletions_of(reader, None)
        return [deletion for deletion in found.versions if _has_bytes(deletion)], found.problems
    deletions: dict[Ref, Deletion] = {}
    for text in refs:
        ref = parse_ref(text)
        if ref.kind == "model":
            found = deletions_of(reader, ref.model)
            deletions |= {deletion.ref: deletion for deletion in found.versions if _has_bytes(deletion)}
        elif ref.kind in {"stage", "latest"}:
            raise UsageError(f"{ref} names a version that is here", hint=f"stackroom list {ref.model} --deleted")
        else:
            with site_of(reader, ref) as site:
                deletion = site.look()
                if deletion is None or deletion.state == "deleting":
                    raise ConflictError(
                        f"{site.ref} is not deleted", hint=f"stackroom delete {site.ref}", facts={"ref": str(site.ref)}
                    )
                deletions[site.ref] = deletion
    return list(deletions.values()), ()


def _versions_named(refs: Sequence[str]) -> bool:
    """Whether the versions were named one by one, and not all of a model or of the registry."""
    return bool(refs) and all(parse_ref(ref).kind != "model" for ref in refs)


def _begun_here(deletion: Deletion) -> bool:
    """Whether the caller, or who owns the version, deleted it."""
    maker = deletion.tombstone.owner if deletion.tombstone else -1
    return maker == os.geteuid() or (deletion.owner is not None and maker == deletion.owner.uid)


def _of_others(deletion: Deletion) -> str:
    by = deletion.by.label if deletion.by else "somebody else"
    return f"was deleted by {by}, who does not own it: stackroom purge {deletion.ref} --yes frees it"


def _has_bytes(deletion: Deletion) -> bool:
    return deletion.state in {"deleted", "purging", "unmarked"}


def _judged(site: Site, deletion: Deletion, families: Families, older_than: timedelta | None) -> PurgeRow:
    why = _why_not(site, deletion, families, older_than)
    if why:
        return PurgeRow(deletion=deletion, goes=False, why=why)
    if deletion.owner is None or os.geteuid() not in {0, deletion.owner.uid}:
        whose = deletion.owner.label if deletion.owner else "somebody"
        return PurgeRow(deletion=deletion, goes=False, why=f"is {whose}'s", others=deletion.owner is not None)
    access = access_to(site.folder.path)
    if not access.allowed or not may_take(site.folder, deletion.folder):
        return PurgeRow(deletion=deletion, goes=False, why=f"you may not change {access.directory}")
    return PurgeRow(deletion=deletion, goes=True)


def _why_not(site: Site, deletion: Deletion, families: Families, older_than: timedelta | None) -> str:
    """Why a deleted version keeps its bytes, whoever it belongs to; or empty."""
    tombstone = deletion.tombstone
    if deletion.state == "purged":
        return "is purged already"
    if tombstone is None:
        return f"has no tombstone: stackroom delete {site.ref} makes one, stackroom restore {site.ref} brings it back"
    if not tombstone.validity.counts:
        # Its maker could take it away again, and the number would be free.
        return f"has a tombstone that is worth nothing: {tombstone.trouble}"
    if not rightful(site.folder, tombstone, deletion.folder):
        return "has a tombstone of somebody who could not delete it, and can take it away"
    age = site.reader.clock() - tombstone.when
    if older_than is not None and age < older_than and deletion.state != "purging":
        ago = duration(max(age.total_seconds(), 0))
        return f"was deleted {ago} ago, and not {age_text(older_than)}"
    try:
        # Also where a purge began: the name of the folder says so, and others can give it.
        check_free(site, families, "purged")
        held = held_as(site.folder, deletion, ledgers_to_decide_on(site.reader, site.root, site.listing.name))
    except RegistryError as error:
        return str(error)
    if held:
        return f"is not in {deletion.folder}: that is version {held[1]}, which holds {held[0]}"
    return not_what_was_deleted(site.folder, deletion)


def _purged(site: Site, row: PurgeRow, progress: Progress) -> PurgeRow:
    """Free one: renamed first, so that nobody restores it meanwhile, then emptied."""
    freed = 0

    def count(amount: int, /) -> None:
        nonlocal freed
        freed += amount
        progress(amount)

    deletion = row.deletion
    try:
        name: str | None = deletion.folder
        if deletion.state != "purging":
            name = begin_purge(site.folder, deletion)
        if name is None:
            return replace(row, goes=False, why="somebody took it out of the trash at this moment")
        left = free(site.folder, name, deletion.identity, count)
    except RegistryError as error:
        return replace(row, freed=freed, left=(str(error),))
    leave_hint(site.root, site.listing.name, "purge", str(site.ref), site.reader.clock())
    return replace(row, deletion=replace(deletion, folder=name), freed=freed, left=left)


def _by_owner(reader: Reader, rows: Sequence[PurgeRow]) -> tuple[OthersBytes, ...]:
    """What belongs to others, and what of one's own the kernel kept: for root of the file server."""
    piles: dict[Who, list[Deletion]] = {}
    for row in rows:
        if row.deletion.owner and (row.others or row.left):
            piles.setdefault(row.deletion.owner, []).append(row.deletion)
    found: list[OthersBytes] = []
    for owner, deletions in sorted(piles.items(), key=lambda pile: pile[0].uid):
        refs = tuple(deletion.ref for deletion in deletions)
        found.append(
            OthersBytes(
                owner=owner,
                refs=refs,
                bytes=sum(deletion.bytes or 0 for deletion in deletions),
                # Never paths for rm: who owns the folder of the model can put something else there meanwhile.
                command=shlex.join(("stackroom", "-R", str(reader.path), "purge", *map(str, refs), "--yes")),
            )
        )
    return tuple(found)
