"""Tombstones: the texts of the symlinks that say who deleted a version, and what one of them is worth.

A tombstone takes nothing away: a version is deleted when its folder has been renamed, which the kernel allows to few.
The tombstone says who did it, when and why, and keeps the number from being given again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Entry, Validity, Who, format_pairs, parse_pairs, parse_who
from stackroom.core.metadata import as_utc, iso
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass, field
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATION: Final = "delete"
"""The ``op`` of a tombstone."""

_KEYS: Final = frozenset({"op", "by", "at", "why", "digest", "trash", "event"})
_NONCE: Final = pattern(r"[0-9a-f-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A tombstone, judged.

    Attributes:
        validity: what it is worth, by the rules of events.
        owner: the kernel's owner (uid).
        when: the later of its own time and the file system's; a copied one has its own alone.
        by: who says to have made it; None where it cannot be read.
        why: the reason, or an empty text.
        digest: ``sha256:…`` of the artifacts that were deleted; empty for a folder that was never sealed.
        trash: what ends the name of the folder in the trash, to tell it from one that was planted; may be empty.
        trouble: why it does not count, or empty.
        extra: unknown keys, kept.
    """

    validity: Validity
    owner: int
    when: datetime
    by: Who | None = None
    why: str = ""
    digest: str = ""
    trash: str = ""
    trouble: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


def format_tombstone(*, by: Who, at: datetime, why: str, digest: str, trash: str, place: str) -> str:
    """The text of a tombstone.

    Args:
        by: who deletes.
        at: when.
        why: the reason, or an empty text.
        digest: of the artifacts, or an empty text.
        trash: what will end the name of the folder in the trash.
        place: what its ``event`` says, :func:`tombstone_place`.

    Raises:
        InvalidInputError: too long, which means the reason.
    """
    pairs = {"op": OPERATION, "by": str(by), "at": iso(at)}
    pairs |= {key: value for key, value in (("why", why), ("digest", digest), ("trash", trash)) if value}
    return format_pairs(pairs | {"event": place})


def tombstone_place(registry_id: str, path: str) -> str:
    """What a tombstone's ``event`` must say, so that it is worth nothing anywhere else.

    Args:
        registry_id: of ``registry.toml``.
        path: of the tombstone, below the registry's root.
    """
    return f"{registry_id}/{path}"


def judge_tombstone(entry: Entry, *, place: str, folder_owner: int) -> Tombstone:
    """What a name is worth that stands where a tombstone does.

    Args:
        entry: as found.
        place: what its ``event`` has to say.
        folder_owner: who owns the folder that it lies in (uid): in a copied tree that is who copied.
    """
    if entry.text is None:
        return _worthless(entry, Validity.FOREIGN, "not a symlink")
    try:
        pairs = parse_pairs(entry.text)
        by, at = _by(pairs), _at(pairs)
    except InvalidInputError as error:
        return _worthless(entry, Validity.FORGED, f"unreadable: {error}")
    validity, trouble = _validity(entry, pairs, by, place=place, folder_owner=folder_owner)
    return Tombstone(
        validity=validity,
        owner=entry.owner,
        when=at if validity is Validity.UNATTESTED else max(at, entry.changed),
        by=by,
        why=pairs.get("why", ""),
        digest=pairs.get("digest", ""),
        trash=pairs["trash"] if _NONCE.fullmatch(pairs.get("trash", "")) else "",
        trouble=trouble,
        extra={key: value for key, value in pairs.items() if key not in _KEYS},
    )


def _worthless(entry: Entry, validity: Validity, trouble: str) -> Tombstone:
    return Tombstone(validity=validity, owner=entry.owner, when=entry.changed, trouble=trouble)


def _validity(
    entry: Entry, pairs: Mapping[str, str], by: Who, *, place: str, folder_owner: int
) -> tuple[Validity, str]:
    if pairs.get("event") != place:
        return Validity.FORGED, f"names another place, {pairs.get('event', 'none')[:120]}"
    if by.uid == entry.owner:
        return Validity.ATTESTED, ""
    if entry.owner == folder_owner:
        return Validity.UNATTESTED, ""
    return Validity.FORGED, f"says {by}, and its owner is {entry.owner}"


def _by(pairs: Mapping[str, str]) -> Who:
    if pairs.get("op") != OPERATION:
        raise InvalidInputError(f"op: expected {OPERATION}, found {pairs.get('op', 'nothing')[:40]!r}")
    by = parse_who(pairs.get("by", ""))
    if by is None:
        raise InvalidInputError("by: expected a number and a name, such as 1003:dave")
    return by


def _at(pairs: Mapping[str, str]) -> datetime:
    try:
        return as_utc(datetime.fromisoformat(pairs.get("at", "")))
    except (ValueError, OverflowError):
        raise InvalidInputError("at: expected a time, such as 2026-11-23T04:22:00Z") from None
