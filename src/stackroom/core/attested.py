"""Texts of symlinks, and what they are worth: the grammar and the rule that events and approvals share.

A text counts where the kernel bears it out: it names its own place, and its owner is the person that it names. Nothing
here sees a file: the store hands over :class:`Entry` values, one for every name that was found.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from stackroom.core.metadata import as_utc, iso
from stackroom.core.sha256 import sha256
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stackroom.core.names import StageName

EVENT_LIMIT: Final = 900
"""Bytes in an event's text. XFS holds 1,023 in a symlink, ext4 4,095."""

CLOCK_SLACK: Final = 300
"""Seconds by which an event's own time may differ from the file system's before the difference is worth a word."""

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Unicode categories that are percent-encoded in an event: every kind of space, control and hidden character."""

_ORDER: Final = (
    "op",
    "ref",
    "to",
    "from",
    "by",
    "at",
    "why",
    "override",
    "digest",
    "metadata",
    "card",
    "prev",
)
"""The order of the known keys; unknown ones follow, and ``event`` stands last."""


@dataclass(frozen=True, slots=True)
class Who:
    """A person, as the kernel and the password file know them.

    Attributes:
        uid: the number, which is the evidence.
        name: the login, a label; empty where the number has none.
    """

    uid: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.uid}:{self.name}" if self.name else str(self.uid)

    @property
    def label(self) -> str:
        """The login, or the number where there is none."""
        return self.name or str(self.uid)


NOBODY: Final = Who(-1)
"""Whom the kernel knows nothing of."""


def parse_who(text: str) -> Who | None:
    """``1003:dave`` or ``1003``; None for anything else."""
    digits, _, name = text.partition(":")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        return None
    return Who(int(digits), name)


class Validity(StrEnum):
    """What an entry is worth."""

    ATTESTED = "attested"
    """The kernel's owner is who the text says: it counts."""
    UNATTESTED = "unattested"
    """It differs, but the owner also owns the folder: a copied tree. It counts."""
    FORGED = "forged"
    """It names another place, or somebody else than its owner. It never counts."""
    FOREIGN = "foreign"
    """No text of ours at all. It never counts."""

    @property
    def counts(self) -> bool:
        """Whether what the entry says has any effect."""
        return self in {Validity.ATTESTED, Validity.UNATTESTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name found in a folder of such texts, before it is judged.

    Attributes:
        name: as it stands in the folder.
        text: the symlink's text, or None where the thing is not a symlink.
        owner: the kernel's owner (uid).
        changed: the file system's time of change.
    """

    name: str
    text: str | None
    owner: int
    changed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFolder:
    """What judging entries needs to know about the folder they were found in.

    Attributes:
        registry_id: of ``registry.toml``.
        stage: whose folder, below ``stages/`` or ``approvals/``.
        owner: the folder's owner (uid).
    """

    registry_id: str
    stage: StageName
    owner: int


def encode(text: str) -> str:
    """A value for an event's text: spaces, ``%`` and hidden characters percent-encoded, other UTF-8 as it is."""
    return "".join(_encode_char(char) if _must_encode(char) else char for char in text)


def _must_encode(char: str) -> bool:
    return char == "%" or unicodedata.category(char) in _ESCAPED


def _encode_char(char: str) -> str:
    try:
        raw = char.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        # Half of a surrogate pair stands for no byte and no character: there is nothing to keep.
        raw = "\ufffd".encode()
    return "".join(f"%{byte:02X}" for byte in raw)


def decode(value: str) -> str:
    """The inverse of :func:`encode`; a stray ``%`` stays as it is."""
    if "%" not in value:
        return value
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), value.encode(errors="surrogateescape")
    )
    return raw.decode(errors="surrogateescape")


def format_pairs(pairs: Mapping[str, str]) -> str:
    """A text of ``key=value`` pairs: known keys in their order, unknown ones after them, ``event`` last.

    Raises:
        InvalidInputError: longer than a symlink may be; names the length and what can be shortened.
    """
    known = [key for key in _ORDER if key in pairs]
    unknown = [key for key in pairs if key not in _ORDER and key != "event"]
    last = ["event"] if "event" in pairs else []
    text = " ".join(f"{key}={encode(pairs[key])}" for key in [*known, *unknown, *last])
    size = len(text.encode(errors="surrogateescape"))
    if size > EVENT_LIMIT:
        spare = max(0, len(encode(pairs.get("why", "")).encode()) - (size - EVENT_LIMIT))
        raise InvalidInputError(
            f"the event would take {size} bytes, and a symlink holds {EVENT_LIMIT}",
            hint=f"shorten the reason to about {spare} bytes (a space counts three)",
            facts={"key": "reason", "bytes": size, "limit": EVENT_LIMIT},
        )
    return text


def parse_pairs(text: str) -> dict[str, str]:
    """The pairs of an event's text, decoded; the first of two with one key stands.

    Raises:
        InvalidInputError: a word is not ``key=value``.
    """
    pairs: dict[str, str] = {}
    for word in text.split(" "):
        key, found, value = word.partition("=")
        if not found or not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", key):
            raise InvalidInputError(f"{word[:40]!r} is not key=value")
        pairs.setdefault(key, decode(value))
    return pairs


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every text says about itself.

    Attributes:
        by: who says to have written it.
        at: when, by that host's clock: a label.
        event: its own place.
    """

    by: Who
    at: datetime
    event: str


def stamp_of(pairs: Mapping[str, str]) -> Stamp:
    """Who, when and where, from the pairs of a text.

    Raises:
        InvalidInputError: one of them is missing or wrong; the message names the key.
    """
    by = parse_who(pairs.get("by", ""))
    if by is None:
        raise InvalidInputError("by: expected a number and a name, such as 1003:dave")
    if "event" not in pairs:
        raise InvalidInputError("event: missing")
    try:
        at = as_utc(datetime.fromisoformat(pairs.get("at", "")))
    except (ValueError, OverflowError):
        raise InvalidInputError("at: expected a time, such as 2026-11-23T04:22:00Z") from None
    return Stamp(by, at, pairs["event"])


@dataclass(frozen=True, slots=True)
class Pins:
    """The digests that a text states about a version: what it speaks of is this, and nothing that comes after.

    Attributes:
        digest: ``sha256:…`` of the version's SHA256SUMS; empty for a clearing.
        metadata: ``sha256:…`` of the current metadata's text.
        card: ``sha256:…`` of the current card's text, or empty where there is none.
    """

    digest: str = ""
    metadata: str = ""
    card: str = ""


class Stamped(Protocol):
    """A text that was understood, as far as its worth depends on it."""

    @property
    def by(self) -> Who:
        """Who says to have written it."""

    @property
    def at(self) -> datetime:
        """When, as it says."""

    @property
    def event(self) -> str:
        """The place that it names."""


Text = TypeVar("Text", bound=Stamped)


def judged(
    entry: Entry, *, place: str, folder_owner: int, parse: Callable[[str], Text]
) -> tuple[Validity, Text | None, tuple[str, ...]]:
    """What an entry is worth, what it says, and what is wrong with it in words.

    Args:
        entry: as found.
        place: what its ``event`` must say.
        folder_owner: the owner (uid) of the folder that it was found in.
        parse: understands its text, or raises :class:`~stackroom.errors.InvalidInputError`.
    """
    if entry.text is None:
        return Validity.FOREIGN, None, ("not a symlink",)
    try:
        said = parse(entry.text)
    except InvalidInputError as error:
        return Validity.FORGED, None, (f"unreadable: {error}",)
    if said.event != place:
        return Validity.FORGED, said, (f"names another place, {said.event[:120]}",)
    if said.by.uid == entry.owner:
        return Validity.ATTESTED, said, ()
    if entry.owner == folder_owner:
        return Validity.UNATTESTED, said, ()
    return Validity.FORGED, said, (f"says {said.by}, and its owner is {entry.owner}",)


def times_of(entry: Entry, validity: Validity, said: Stamped | None) -> tuple[datetime, str]:
    """When an entry was made, and a remark where its text and the file system differ about that."""
    if said is not None and validity is Validity.ATTESTED:
        apart = abs((said.at - entry.changed).total_seconds())
        remark = f"says {iso(said.at)}, and the file system says {iso(entry.changed)}" if apart > CLOCK_SLACK else ""
        return max(said.at, entry.changed), remark
    if said is not None and validity is Validity.UNATTESTED:
        # A copied tree has the times of the copying: the text's own time is all there is.
        return said.at, ""
    return entry.changed, ""


def text_digest(text: bytes) -> str:
    """How an event pins a metadata file's or a card's text."""
    return f"sha256:{sha256(text).hexdigest()}"
