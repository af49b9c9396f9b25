"""Events: moves of a stage, each the text of a symlink, and what a pile of them says about who holds it.

Knows what a move's text says and how to replay a ledger; what a text is worth says :mod:`stackroom.core.attested`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Validity, format_pairs, judged, parse_pairs, stamp_of, times_of
from stackroom.core.metadata import iso
from stackroom.core.names import ModelName, StageName, is_model_name, parse_number
from stackroom.core.sha256 import sha256
from stackroom.core.values import Unfolding, dataclass, field, replace
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stackroom.core.attested import Entry, StageFolder, Who

_PREV_DIGITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Unfolding):
    """One move of a stage, as its text tells it.

    Attributes:
        to: the version that holds the stage from now on; None clears it.
        origin: the version that held it before (``from`` in the text); None where it was empty.
        by: who says to have made it.
        at: when, by that host's clock: a label.
        why: the reason, or an empty text.
        override: the guards that refused and were overridden.
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
    override: tuple[str, ...] = ()
    digest: str = ""
    metadata: str = ""
    card: str = ""
    prev: str = ""
    event: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Unfolding):
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


_MOVE_KEYS: Final = frozenset(
    {"to", "from", "by", "at", "why", "override", "digest", "metadata", "card", "prev", "event"}
)


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
    if move.override:
        pairs["override"] = ",".join(move.override)
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
    stamp = stamp_of(pairs)
    return Move(
        to=_version_or_none(pairs, "to"),
        origin=_version_or_none(pairs, "from"),
        by=stamp.by,
        at=stamp.at,
        why=pairs.get("why", ""),
        override=tuple(filter(None, pairs.get("override", "").split(","))),
        digest=pairs.get("digest", ""),
        metadata=pairs.get("metadata", ""),
        card=pairs.get("card", ""),
        prev=pairs.get("prev", ""),
        event=stamp.event,
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
class Ledger(Unfolding):
    """All that is known about one model in one stage.

    Attributes:
        stage: whose.
        model: of what.
        events: oldest first, also those that do not count.
        next_number: what the next move is called: after the highest present, whatever that contains.
        head: the event that decides: the highest number among those that count.
        holder: the version that holds the stage, whether or not it still exists.
        alarms: what is wrong with any of the events.
    """

    stage: StageName
    model: ModelName
    events: tuple[Event, ...] = ()
    next_number: int = 1
    head: Event | None = None
    holder: int | None = None
    alarms: tuple[str, ...] = ()

    def counting(self) -> tuple[Event, ...]:
        """The events that count, oldest first."""
        return tuple(event for event in self.events if event.validity.counts)

    def last_holder(self) -> Event | None:
        """The newest counting event that made a version hold the stage, also where it was cleared since."""
        return next((event for event in reversed(self.counting()) if event.move and event.move.to is not None), None)

    def empty_since(self) -> datetime | None:
        """When the stage was cleared; None where something holds it, or nothing ever did."""
        return self.head.when if self.head and self.holder is None else None

    def previous_holder(self) -> Event | None:
        """The newest counting event that made another version than the present one hold the stage."""
        present = self.holder
        for event in reversed(self.counting()[:-1]):
            if event.move and event.move.to is not None and event.move.to != present:
                return event
        return None

    def head_at(self, when: datetime) -> Event | None:
        """The event that decided at that instant: the last in order among those made until then.

        An owner can make his event look newer than it is, by setting its times, long after he has left the group. It
        was there before the attested ones that follow it, though, whose time nobody can set back: it is no newer.
        """
        latest: Event | None = None
        reached: datetime | None = None
        for event, bound in zip(self.counting(), self._bounds(), strict=True):
            made = min(event.when, bound)
            reached = made if reached is None else max(reached, made)
            if reached > when:
                break
            latest = event
        return latest

    def _bounds(self) -> list[datetime]:
        """For every counting event the instant at which it was there for sure."""
        bounds: list[datetime] = []
        bound = datetime.max.replace(tzinfo=UTC)
        for event in reversed(self.counting()):
            if event.validity is Validity.ATTESTED:
                bound = min(bound, event.when)
            bounds.append(bound)
        return bounds[::-1]


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
    head = next((event for event in reversed(events) if event.validity.counts), None)
    return Ledger(
        stage=folder.stage,
        model=model,
        events=tuple(events),
        next_number=expected,
        head=head,
        holder=head.move.to if head and head.move else None,
        alarms=tuple(f"{event.name}: {alarm}" for event in events for alarm in event.alarms),
    )


def _judge(folder: StageFolder, model: ModelName, number: int, entry: Entry) -> Event:
    place = event_place(folder.registry_id, folder.stage, model, number)
    validity, move, alarms = judged(entry, place=place, folder_owner=folder.owner, parse=parse_move)
    when, remark = times_of(entry, validity, move)
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
