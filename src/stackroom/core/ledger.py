"""Events: the texts of symlinks, and what a pile of them says about who holds a stage.

Knows the grammar of an event's text, which events count, and how to replay a ledger. It never sees a file: the store
hands over :class:`Entry` values, one for every name that was found.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from stackroom.core.metadata import as_utc, iso
from stackroom.core.names import ModelName, StageName, is_model_name, parse_number
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENT_LIMIT: Final = 900
"""Bytes in an event's text. XFS holds 1,023 in a symlink, ext4 4,095."""

CLOCK_SLACK: Final = 300
"""Seconds by which an event's own time may differ from the file system's before the difference is worth a word."""

_PREV_DIGITS: Final = 32
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


def parse_who(text: str) -> Who | None:
    """``1003:dave`` or ``1003``; None for anything else."""
    digits, _, name = text.partition(":")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        return None
    return Who(int(digits), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of a stage, as its text tells it.

    Attributes:
        to: the version that holds the stage from now on; None clears it.
        origin: the version that held it before (``from`` in the text); None where it was empty.
        by: who says to have made it.
        at: when, by that host's clock: a label.
        why: the reason, or an empty text.
        digest: ``sha256:…`` of the version's SHA256SUMS; empty for a clearing.
        metadata: ``sha256:…`` of the current metadata's text as it stood.
        card: ``sha256:…`` of the current card's text, or empty where there was none.
        prev: ``sha256:`` and 32 digits of the text of the event before, or empty for the first.
        event: the event's own place, ``<registry id>/<stage>/<model>@<number>``.
        extra: unknown keys, kept and shown.
    """

    to: int | None
    origin: int | None
    by: Who
    at: datetime
    why: str = ""
    digest: str = ""
    metadata: str = ""
    card: str = ""
    prev: str = ""
    event: str
    extra: Mapping[str, str] = field(default_factory=dict)


class Validity(StrEnum):
    """What an entry of a ledger is worth."""

    ATTESTED = "attested"
    """The kernel's owner is who the text says: it counts."""
    UNATTESTED = "unattested"
    """It differs, but the owner also owns the stage folder: a copied tree. It counts."""
    FORGED = "forged"
    """It names another place, or somebody else than its owner. It never counts."""
    FOREIGN = "foreign"
    """Not an event at all. It never counts."""

    @property
    def counts(self) -> bool:
        """Whether the entry says anything about who holds the stage."""
        return self in {Validity.ATTESTED, Validity.UNATTESTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name found in a stage's folder, before it is judged.

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
class Event:
    """One judged entry of a stage's ledger.

    Attributes:
        stage: whose ledger.
        model: whose move.
        number: its place in the order.
        validity: what it is worth.
        move: what it says; None where the text could not be read.
        owner: the kernel's owner (uid).
        when: the later of the text's time and the file system's.
        changed: the file system's alone.
        text: as found.
        alarms: what is wrong with it or with the chain before it, in words.
        remark: that the text's time and the file system's differ, or empty. A copy made with ``cp -a`` or from a backup
            shows this for every event, so it alarms nobody and is shown with the event.
    """

    stage: StageName
    model: ModelName
    number: int
    validity: Validity
    move: Move | None
    owner: int
    when: datetime
    changed: datetime
    text: str
    alarms: tuple[str, ...] = ()
    remark: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that is to be said about it: the alarms, and the remark about its times."""
        return (*self.alarms, self.remark) if self.remark else self.alarms

    @property
    def name(self) -> str:
        """The name in the stage's folder."""
        return event_name(self.model, self.number)


def event_name(model: str, number: int) -> str:
    """The name of an event in its stage's folder."""
    return f"{model}@{number}"


def parse_event_name(name: str) -> tuple[ModelName, int] | None:
    """The model and number that an event's name spells, or None for a foreign name."""
    model, found, digits = name.rpartition("@")
    number = parse_number(digits)
    if not found or number is None or not is_model_name(model):
        return None
    return ModelName(model), number


def event_place(registry_id: str, stage: str, model: str, number: int) -> str:
    """What an event's ``event`` must say, so that it is worth nothing anywhere else."""
    return f"{registry_id}/{stage}/{event_name(model, number)}"


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


_MOVE_KEYS: Final = frozenset({"to", "from", "by", "at", "why", "digest", "metadata", "card", "prev", "event"})


def format_move(move: Move) -> str:
    """The text of a move's symlink.

    Raises:
        InvalidInputError: too long, which in practice means the reason.
    """
    pairs = {
        "to": str(move.to) if move.to is not None else "-",
        "from": str(move.origin) if move.origin is not None else "-",
        "by": str(move.by),
        "at": iso(move.at),
    }
    for key in ("why", "digest", "metadata", "card", "prev"):
        if getattr(move, key):
            pairs[key] = getattr(move, key)
    return format_pairs(pairs | dict(move.extra) | {"event": move.event})


def parse_move(text: str) -> Move:
    """A move's text.

    Raises:
        InvalidInputError: it is not one; the message names the key.
    """
    pairs = parse_pairs(text)
    by = parse_who(pairs.get("by", ""))
    if by is None:
        raise InvalidInputError("by: expected a number and a name, such as 1003:dave")
    if "event" not in pairs:
        raise InvalidInputError("event: missing")
    try:
        at = as_utc(datetime.fromisoformat(pairs.get("at", "")))
    except (ValueError, OverflowError):
        raise InvalidInputError("at: expected a time, such as 2026-11-23T04:22:00Z") from None
    return Move(
        to=_version_or_none(pairs, "to"),
        origin=_version_or_none(pairs, "from"),
        by=by,
        at=at,
        why=pairs.get("why", ""),
        digest=pairs.get("digest", ""),
        metadata=pairs.get("metadata", ""),
        card=pairs.get("card", ""),
        prev=pairs.get("prev", ""),
        event=pairs["event"],
        extra={key: value for key, value in pairs.items() if key not in _MOVE_KEYS},
    )


def _version_or_none(pairs: Mapping[str, str], key: str) -> int | None:
    text = pairs.get(key, "")
    if text == "-":
        return None
    number = parse_number(text)
    if number is None:
        raise InvalidInputError(f"{key}: expected a version's number or '-', found {text[:40]!r}")
    return number


def prev_of(text: str) -> str:
    """What the next event's ``prev`` says about this one's text."""
    return "sha256:" + sha256(text.encode(errors="surrogateescape")).hexdigest()[:_PREV_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFolder:
    """What judging a ledger needs to know about where it was found.

    Attributes:
        registry_id: of ``registry.toml``.
        stage: whose folder.
        owner: the folder's owner (uid).
    """

    registry_id: str
    stage: StageName
    owner: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All that is known about one model in one stage.

    Attributes:
        stage: whose.
        model: of what.
        events: oldest first, also those that do not count.
        next_number: what the next move is called: after the highest present, whatever that contains.
    """

    stage: StageName
    model: ModelName
    events: tuple[Event, ...] = ()
    next_number: int = 1

    @property
    def head(self) -> Event | None:
        """The event that decides: the highest number among those that count."""
        return next((event for event in reversed(self.events) if event.validity.counts), None)

    @property
    def holder(self) -> int | None:
        """The version that holds the stage, whether or not it still exists."""
        return self.head.move.to if self.head and self.head.move else None

    @property
    def alarms(self) -> tuple[str, ...]:
        """What is wrong with any of the events."""
        return tuple(f"{event.name}: {alarm}" for event in self.events for alarm in event.alarms)

    def counting(self) -> tuple[Event, ...]:
        """The events that count, oldest first."""
        return tuple(event for event in self.events if event.validity.counts)

    def previous_holder(self) -> Event | None:
        """The newest counting event that made another version than the present one hold the stage."""
        present = self.holder
        for event in reversed(self.counting()[:-1]):
            if event.move and event.move.to is not None and event.move.to != present:
                return event
        return None

    def head_at(self, when: datetime) -> Event | None:
        """The event that decided at that instant: the last in order among those made until then."""
        latest: Event | None = None
        reached: datetime | None = None
        for event in self.counting():
            reached = event.when if reached is None else max(reached, event.when)
            if reached > when:
                break
            latest = event
        return latest


def replay(folder: StageFolder, entries: Iterable[Entry]) -> tuple[dict[ModelName, Ledger], tuple[Entry, ...]]:
    """Judge everything found in a stage's folder.

    Returns:
        The ledger of every model that is named there, and the entries that are no events at all (foreign).
    """
    piles: dict[ModelName, list[tuple[int, Entry]]] = {}
    foreign: list[Entry] = []
    for entry in entries:
        parsed = parse_event_name(entry.name)
        if parsed is None:
            foreign.append(entry)
        else:
            piles.setdefault(parsed[0], []).append((parsed[1], entry))
    return {model: _ledger_of(folder, model, pile) for model, pile in sorted(piles.items())}, tuple(foreign)


def _ledger_of(folder: StageFolder, model: ModelName, pile: list[tuple[int, Entry]]) -> Ledger:
    events: list[Event] = []
    before: Event | None = None
    expected = 1
    for number, entry in sorted(pile, key=lambda pair: pair[0]):
        event = _judge(folder, model, number, entry)
        alarms = list(event.alarms)
        if number != expected:
            missing = f"{expected}" if number == expected + 1 else f"{expected} to {number - 1}"
            alarms.append(f"gap: event {missing} of {model} is missing")
        fits = prev_of(before.text) if before is not None and before.text else ""
        if event.validity.counts and event.move and before is not None and event.move.prev != fits:
            alarms.append(f"broken chain: prev does not fit the text of {before.name}")
        if event.validity.counts and event.move and before is None and event.move.prev and number > 1:
            alarms.append("broken chain: the event before it is missing")
        event = replace(event, alarms=tuple(alarms))
        events.append(event)
        before = event
        expected = number + 1
    return Ledger(stage=folder.stage, model=model, events=tuple(events), next_number=expected)


def _judge(folder: StageFolder, model: ModelName, number: int, entry: Entry) -> Event:
    validity, move, alarms = _validity(folder, model, number, entry)
    when = entry.changed
    remark = ""
    if move is not None and validity is Validity.ATTESTED:
        when = max(move.at, entry.changed)
        if abs((move.at - entry.changed).total_seconds()) > CLOCK_SLACK:
            remark = f"says {iso(move.at)}, and the file system says {iso(entry.changed)}"
    elif move is not None and validity is Validity.UNATTESTED:
        # A copied tree has the times of the copying: the text's own time is all there is.
        when = move.at
    return Event(
        stage=folder.stage,
        model=model,
        number=number,
        validity=validity,
        move=move,
        owner=entry.owner,
        when=when,
        changed=entry.changed,
        text=entry.text or "",
        alarms=alarms,
        remark=remark,
    )


def _validity(
    folder: StageFolder, model: ModelName, number: int, entry: Entry
) -> tuple[Validity, Move | None, tuple[str, ...]]:
    if entry.text is None:
        return Validity.FOREIGN, None, ("not a symlink",)
    try:
        move = parse_move(entry.text)
    except InvalidInputError as error:
        return Validity.FORGED, None, (f"unreadable: {error}",)
    place = event_place(folder.registry_id, folder.stage, model, number)
    if move.event != place:
        return Validity.FORGED, move, (f"names another place, {move.event[:120]}",)
    if move.by.uid == entry.owner:
        return Validity.ATTESTED, move, ()
    if entry.owner == folder.owner:
        return Validity.UNATTESTED, move, ()
    return Validity.FORGED, move, (f"says {move.by}, and its owner is {entry.owner}",)
