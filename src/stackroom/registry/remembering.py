"""What readers remember of the ledgers: the one thing that a tree alone cannot show is that its newest event is gone.

The owner of an event can take it away. In the middle of a ledger that leaves a gap; at its end it leaves the event
before, which holds the stage again, and nothing that would tell. So every reader remembers the newest event that he saw
of each ledger, in his own state folder, and compares. What vanished stays remembered until the user says that it is
known (:func:`forget`), and is not told while the very same event is back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.core.ledger import parse_move
from stackroom.core.metadata import iso
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.store.ledgers import read_stage
from stackroom.store.memory import Head, Memory, Place, is_noted, mark_of, memorize, note, recall

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from stackroom.core.ledger import Event, Ledger
    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """An event that this user saw at the head of a ledger, and that is gone or says something else.

    Attributes:
        stage: whose ledger.
        model: of what.
        number: of the event.
        text: as it was seen.
        seen: when.
        replaced: the text that stands under its number now; None where there is none.
        present: the number of the event that decides now; None where none does.
    """

    stage: str
    model: str
    number: int
    text: str
    seen: datetime
    replaced: str | None
    present: int | None

    @property
    def message(self) -> str:
        """What happened, in a sentence; texts of the registry are part of it."""
        was = f"{self.stage} of {self.model} was event {self.number} on {day_text(self.seen)}"
        if self.replaced is not None:
            return f"{was}, and event {self.number} has another text now: it was {_told(self.text)}"
        now = f"is {self.present} now" if self.present is not None else "has no event that counts now"
        return f"{was}, and {now}: event {self.number} ({_told(self.text)}) is gone"

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``vanished``."""
        return {
            "stage": self.stage,
            "model": self.model,
            "number": self.number,
            "text": self.text,
            "seen": iso(self.seen),
            "replaced": self.replaced,
            "present": self.present,
            "message": self.message,
        }


def day_text(when: datetime) -> str:
    """A day as people say it, in English whatever the host speaks: ``Tuesday 17 November 2026``, of UTC."""
    return f"{_DAYS[when.weekday()]} {when.day} {_MONTHS[when.month - 1]} {when.year}"


def _told(text: str) -> str:
    try:
        move = parse_move(text)
    except InvalidInputError:
        return "unreadable"
    to = "cleared" if move.to is None else f"to={move.to}"
    why = f", saying {move.why!r}" if move.why else ""
    return f"{to} by {move.by.label} at {iso(move.at)}{why}"


def vanished(reader: Reader, models: Collection[ModelName] = ()) -> tuple[Vanished, ...]:
    """Events that this user remembers, and that the ledgers no longer hold as they were; writes nothing.

    A ledger that cannot be read, and a stage that ``registry.toml`` does not declare, are not compared.

    Args:
        reader: of the registry.
        models: whose ledgers are looked at, and no others are read; all where none is named.
    """
    return _compared(reader, models)[0]


def remember(reader: Reader, models: Collection[ModelName] = ()) -> tuple[Vanished, ...]:
    """The same, and keep what is seen now: the newest event of each ledger, and what vanished.

    Fails for nobody: where nothing can be kept, nothing is.
    """
    found, memory = _compared(reader, models)
    if reader.id:
        memorize(reader.folder, reader.id, memory)
    return found


def glance(reader: Reader, events: Iterable[Event], seen: str = "") -> None:
    """Remember what decides, as somebody just read it on the way; reads the ledgers only where it is news.

    Args:
        reader: of the registry.
        events: the newest that counts of each ledger.
        seen: the stamps of the folders that hold them, where those tell that nothing has changed. Neither the events
            nor the memory are looked at where they are those of the last glance of the day.
    """
    if not reader.id:
        return
    today = reader.clock().date()
    # Before the memory is read: a mark for one that another process has replaced meanwhile is worth nothing.
    mark = mark_of(reader.folder, reader.id, f"{today} {seen}") if seen else ""
    if mark and is_noted(reader.folder, reader.id, mark):
        return
    memory = recall(reader.folder, reader.id)
    for event in events:
        known = memory.heads.get((event.stage, event.model))
        if known is None or (known.number, known.text) != (event.number, event.text) or known.seen.date() != today:
            remember(reader)
            # Of another memory, and of ledgers that are no older than what was seen.
            mark = mark_of(reader.folder, reader.id, f"{today} {seen}") if seen else ""
            break
    if mark:
        note(reader.folder, reader.id, mark)


def forget(reader: Reader, known: Collection[Vanished] | None = None) -> None:
    """Take what vanished for known, all of it where nothing is named; what is seen now is remembered from here on."""
    found, memory = _compared(reader)
    if not reader.id:
        return
    done = {(one.stage, one.model, one.text) for one in (found if known is None else known)}
    left = {
        place: tuple(head for head in heads if (*place, head.text) not in done)
        for place, heads in memory.vanished.items()
    }
    kept = {place: heads for place, heads in left.items() if heads}
    memorize(reader.folder, reader.id, Memory(heads=memory.heads, vanished=kept), forget=True)


def _compared(reader: Reader, models: Collection[ModelName] = ()) -> tuple[tuple[Vanished, ...], Memory]:
    """What vanished of some models or of all, and what there is to remember of them."""
    if not reader.id:
        return (), Memory()
    # Before the ledgers are read: what was remembered by then was there by then, whoever moves or reads meanwhile.
    memory = recall(reader.folder, reader.id, models)
    ledgers, unread = _ledgers(reader, models)
    found: list[Vanished] = []
    heads = {place: head for place, head in memory.heads.items() if place[0] in unread}
    gone: dict[Place, tuple[Head, ...]] = {}
    for place in dict.fromkeys([*memory.heads, *memory.vanished]):
        if place[0] in unread or place[0] not in reader.stages:
            continue
        ledger = ledgers.get(place)
        remembered = [*memory.vanished.get(place, ())]
        remembered += [memory.heads[place]] if place in memory.heads else []
        lost = [head for head in _unique(remembered) if not _is_there(ledger, head)]
        found += [_vanished(place, head, ledger) for head in lost]
        gone |= {place: tuple(lost)} if lost else {}
    now = reader.clock()
    for place, ledger in ledgers.items():
        if ledger.head is not None:
            heads[place] = Head(number=ledger.head.number, text=ledger.head.text, seen=now)
    return tuple(sorted(found, key=lambda one: (one.stage, one.model, one.number))), Memory(heads=heads, vanished=gone)


def _unique(heads: Iterable[Head]) -> list[Head]:
    return list({(head.number, head.text): head for head in heads}.values())


def _ledgers(reader: Reader, models: Collection[ModelName]) -> tuple[dict[Place, Ledger], set[str]]:
    """The ledgers of some models or of all, and the stages that cannot be read."""
    found: dict[Place, Ledger] = {}
    unread: set[str] = set()
    with reader.root() as root:
        for stage in reader.stages:
            reading = read_stage(root, reader.id, stage, models or None)
            if reading.error is not None:
                unread.add(stage)
            found |= {(stage, model): ledger for model, ledger in reading.ledgers.items()}
    return found, unread


def _under(ledger: Ledger | None, number: int) -> str | None:
    """The text that a ledger holds under a number; None where there is no such name."""
    return next((event.text for event in ledger.events if event.number == number), None) if ledger else None


def _is_there(ledger: Ledger | None, head: Head) -> bool:
    return _under(ledger, head.number) == head.text


def _vanished(place: Place, head: Head, ledger: Ledger | None) -> Vanished:
    present = ledger.head.number if ledger and ledger.head else None
    return Vanished(
        stage=place[0],
        model=place[1],
        number=head.number,
        text=head.text,
        seen=head.seen,
        replaced=_under(ledger, head.number),
        present=present,
    )
