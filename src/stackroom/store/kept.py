"""Ledgers and pointers of stages as the index keeps them: decided once, and believed while their folder is as it was.

A move is one new name in its stage's folder and its text cannot be changed, so the folder's stamp tells whether there
is anything new. What decides (who holds the stage, by which text) is kept ready; the events themselves are judged again
when somebody asks for more of them than that.
"""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Entry, StageFolder
from stackroom.core.ledger import Event, Ledger, Move, event_name, replay
from stackroom.core.names import ModelName
from stackroom.core.values import folded, replace
from stackroom.store import layout
from stackroom.store.index_file import IndexLostError
from stackroom.store.ledgers import StageReading, read_live, read_stage
from stackroom.store.remembered import KeptFolder
from stackroom.store.stamps import stamp_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from stackroom.core.names import StageName
    from stackroom.store.folder import Folder
    from stackroom.store.index import Index
    from stackroom.store.ledgers import Decided
    from stackroom.store.stamps import Moment

_NEW: Final = -1


def kept_stage(root: Folder, registry_id: str, stage: StageName, index: Index, moment: Moment) -> StageReading:
    """A stage's folder, judged: as :func:`~stackroom.store.ledgers.read_stage`, from the index where that is right.

    Raises:
        IndexLostError: the index cannot be used.
    """
    place = f"{layout.STAGES}/{stage}"
    status, known = _compared(root, place, index)
    if known is not None and known.settled:
        return _understood(registry_id, stage, known)
    reading = read_stage(root, registry_id, stage)
    decided = reading.decided()
    reading = replace(reading, known=decided)
    if status is None or reading.error is not None or reading.problems:
        return reading
    entries: dict[str, Any] = {}
    for model, ledger in reading.ledgers.items():
        entries[model] = [[one.name, one.text or None, one.owner, one.changed.isoformat()] for one in ledger.events]
    more = json.dumps(entries).encode()
    numbers = {model: ledger.head.number if ledger.head else None for model, ledger in reading.ledgers.items()}
    content = json.dumps([status.st_uid, crc32(more), *_columns(numbers, decided)])
    index.keep(_kept(place, status, known, moment, content=content, more=more))
    return reading


def kept_live(root: Folder, stage: StageName, index: Index, moment: Moment) -> Mapping[str, int]:
    """The pointers of a stage, in the same way as :func:`kept_stage`."""
    place = f"{layout.LIVE}/{stage}"
    status, known = _compared(root, place, index)
    if known is not None and known.settled:
        found: dict[str, int] = json.loads(known.content)
        return found
    found = read_live(root, stage)
    if status is not None:
        index.keep(_kept(place, status, known, moment, content=json.dumps(found), more=b""))
    return found


def _compared(root: Folder, place: str, index: Index) -> tuple[os.stat_result | None, KeptFolder | None]:
    """A folder's status now, and what is kept of it if it is as it was; neither where there is no folder."""
    parent, _, name = place.partition("/")
    try:
        with root.child(parent) as folder:
            status = folder.child_status(name)
    except OSError:
        return None, None
    known = index.kept(place)
    return status, known if known is not None and known.stamp == stamp_of(status) else None


def _kept(
    place: str, status: os.stat_result, known: KeptFolder | None, moment: Moment, *, content: str, more: bytes
) -> KeptFolder:
    since = known.since if known is not None and known.boot == moment.boot else _NEW
    stamp = stamp_of(status)
    return KeptFolder(
        place=place,
        stamp=stamp,
        settled=moment.is_settled(stamp, since),
        since=moment.ticks if since == _NEW else since,
        boot=moment.boot,
        content=content,
        more=more,
    )


def _understood(registry_id: str, stage: StageName, known: KeptFolder) -> StageReading:
    try:
        owner, check, *columns = json.loads(known.content)
        numbers, decided = _rows(*columns)
        # Understood only later, when nobody can ask the registry instead.
        whole = crc32(known.more) == check
    except (ValueError, TypeError, AttributeError) as error:
        raise IndexLostError(str(error)) from error
    if not whole:
        raise IndexLostError(known.place)
    ledgers = _Ledgers(StageFolder(registry_id=registry_id, stage=stage, owner=owner), numbers, decided, known.more)
    return StageReading(ledgers, (), known=decided, stamp=known.stamp)


def _columns(numbers: Mapping[ModelName, int | None], decided: Mapping[ModelName, Decided]) -> list[Any]:
    """What decides in each ledger, column by column: names and digests as one text each, which are read in no time."""
    return [
        "\n".join(decided),
        [numbers[model] for model in decided],
        [to for to, _, _ in decided.values()],
        "\n".join(digest for _, digest, _ in decided.values()),
        {model: alarms for model, (_, _, alarms) in decided.items() if alarms},
    ]


def _rows(
    models: str, numbers: list[int | None], to: list[int | None], digests: str, alarms: dict[str, list[str]]
) -> tuple[dict[ModelName, int | None], dict[ModelName, Decided]]:
    """The inverse of :func:`_columns`.

    Raises:
        ValueError: the columns are not of one length.
    """
    names = [*map(ModelName, models.split("\n"))] if models else []
    rows = zip(names, to, digests.split("\n") if models else (), strict=True)
    decided: dict[ModelName, Decided] = {
        model: (holder, digest, tuple(alarms.get(model, ()))) for model, holder, digest in rows
    }
    return dict(zip(names, numbers, strict=True)), decided


class _Ledgers(Mapping["ModelName", Ledger]):
    """The ledgers of a stage, judged again for a model when more is asked for than what decides."""

    def __init__(
        self,
        folder: StageFolder,
        numbers: Mapping[ModelName, int | None],
        decided: Mapping[ModelName, Decided],
        entries: bytes,
    ) -> None:
        self._folder = folder
        self._numbers = numbers
        self._decided = decided
        self._text = entries
        self._entries: dict[str, Any] = {}

    def __iter__(self) -> Iterator[ModelName]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, model: ModelName) -> Ledger:
        """A ledger that knows who holds the stage, and of its head what decides."""
        number, (to, digest, alarms) = self._numbers[model], self._decided[model]

        def whole(name: str) -> dict[str, Any]:
            if name == "head":
                return {"head": None if number is None else self._head(model, number, to, digest)}
            return _fields(self._judged(model))

        return folded(Ledger, whole, stage=self._folder.stage, model=model, holder=to, alarms=tuple(alarms))

    def _head(self, model: ModelName, number: int, to: int | None, digest: str) -> Event:
        def event(name: str) -> dict[str, Any]:
            if name == "text":
                return {"text": next(text for one, text, *_ in self._found(model) if one == event_name(model, number))}
            return _fields(self._judged(model).head)

        def move(_: str) -> dict[str, Any]:
            found = self._judged(model).head
            return _fields(found.move if found else None)

        said = folded(Move, move, to=to, digest=digest)
        return folded(Event, event, stage=self._folder.stage, model=model, number=number, move=said)

    def _found(self, model: ModelName) -> list[Any]:
        self._entries = self._entries or json.loads(self._text)
        found: list[Any] = self._entries[model]
        return found

    def _judged(self, model: ModelName) -> Ledger:
        when = datetime.fromisoformat
        entries = [
            Entry(name=name, text=text, owner=owner, changed=when(changed))
            for name, text, owner, changed in self._found(model)
        ]
        return replay(self._folder, entries)[0][model]


def _fields(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    return {name: getattr(record, name) for name in type(record).__slots__}
