"""What a version is at this moment, in the three digests that events and approvals state about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Pins, parse_who, text_digest
from stackroom.errors import ConflictError, IntegrityError
from stackroom.store import layout
from stackroom.store.folder import explained
from stackroom.store.scan import read_card, read_revisions
from stackroom.store.sums import artifacts_digest, read_sums

if TYPE_CHECKING:
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version
    from stackroom.store.scan import ModelListing


def check_readable(version: Version, doing: str = "move") -> None:
    """Say no to a version whose metadata cannot be read, or whose folder is another's.

    Raises:
        IntegrityError: it is not as it was sealed.
    """
    broken = next((problem for problem in version.problems if problem.severity == "error"), None)
    if broken or version.seal is None:
        message = broken.message if broken else "its metadata cannot be read"
        mended = broken is not None and layout.model_entry(broken.place.rpartition("/")[2]).kind == "metadata"
        raise IntegrityError(
            f"{version.ref} cannot {doing}: {message}",
            hint=f"the next revision mends it: stackroom edit {version.ref} --set FIELD=VALUE"
            if mended
            else f"stackroom show {version.ref}",
            facts={"ref": str(version.ref), "place": broken.place if broken else ""},
        )


def check_metadata_is_its_own(
    root: Folder, folder: Folder, listing: ModelListing, version: Version, doing: str = "move"
) -> None:
    """Say no to a version whose newest revision was written about something else, or by somebody else than it says.

    A revision that was made for another version, and carried here by who owns the folder, names another text as the one
    that it replaces. Its owner wrote it in good faith; what it says is not about this version.

    Raises:
        IntegrityError: with whose file it is.
    """
    if version.revision <= 0:
        return
    *before, newest = read_revisions(folder, listing, version.number)
    note = newest.note
    if note is None or newest.problem:
        return
    says = parse_who(note.revised_by)
    if note.previous and before and before[-1].digest != note.previous:
        why = f"replaces another text than {before[-1].name}: it was written about something else, or that was altered"
    elif says and says.uid != newest.owner.uid and newest.owner.uid not in {listing.owner, root.status().st_uid}:
        why = f"says that {says} wrote it"
    else:
        return
    raise IntegrityError(
        f"{version.ref} cannot {doing}: its metadata, {newest.name}, the file of {newest.owner.label}, {why}",
        hint=f"look at it with stackroom log {version.ref}, and write what is right on top of it: stackroom edit "
        f"{version.ref} --set FIELD=VALUE; or {newest.owner.label} takes it away",
        facts={"ref": str(version.ref), "place": newest.name, "owner": str(newest.owner)},
    )


def pins_of(folder: Folder, listing: ModelListing, version: Version) -> Pins:
    """The digests of what is being promoted or approved, taken from the disk now.

    Raises:
        IntegrityError: SHA256SUMS is not the one that was sealed.
    """
    digest = sealed_digest(folder, version)
    try:
        card = read_card(folder, listing, version.number)
    except OSError as error:
        raise explained(error, "read the card of", f"{folder.path}/{version.number}") from error
    return Pins(digest, version.metadata_digest, text_digest(card) if card is not None else "")


def sealed_digest(folder: Folder, version: Version) -> str:
    """The digest of a version's SHA256SUMS, taken from the disk now.

    Raises:
        IntegrityError: it is not the one that was sealed.
    """
    try:
        with folder.child(str(version.number)) as inside:
            text, _ = read_sums(inside)
    except OSError as error:
        raise explained(error, "read", f"{folder.path}/{version.number}") from error
    digest = artifacts_digest(text)
    if version.seal is None or digest != version.seal.digest:
        raise IntegrityError(
            f"{version.ref}: {layout.SHA256_FILE} is not the one that was sealed",
            hint=f"stackroom verify {version.ref}",
            facts={"ref": str(version.ref), "found": digest},
        )
    return digest


def changed_since(version: Version, seen: Pins, now: Pins) -> ConflictError:
    """The error for a version that is not what was looked at: whoever decided has not seen what it would be about."""
    pairs = {
        "artifacts": (seen.digest, now.digest),
        "metadata": (seen.metadata, now.metadata),
        "card": (seen.card, now.card),
    }
    changed = [part for part, (before, after) in pairs.items() if before != after]
    by = f" by {version.note.revised_by.partition(':')[2]}" if version.note and changed == ["metadata"] else ""
    return ConflictError(
        f"{version.ref} was changed{by} while you looked at it: another {' and '.join(changed)} now",
        hint=f"look at it with: stackroom log {version.ref}; then decide again",
        facts={"ref": str(version.ref), "changed": changed},
    )
