"""Ledgers and pointers of stages as the index keeps them: decided once, and believed while their folder is as it was.

A move is one new name in its stage's folder and its text cannot be changed, so the folder's stamp tells whether there
is anything new. What decides (who holds the stage, by which text) is kept ready; the events themselves are judged again
when somebody asks for more of them than that.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Entry, StageFolder
from stackroom.core.ledger import Event, Ledger, Move, replay
from stackroom.core.values import folded
from stackroom.store import layout
from stackroom.store.index import IndexLostError
from stackroom.store.ledgers import StageReading, read_live, read_stage
from stackroom.store.remembered import KeptFolder
from stackroom.store.stamps import stamp_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from stackroom.core.names import ModelName, StageName
    from stackroom.store.folder import Folder
    from stackroom.store.index import Index
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
        return StageReading(_understood(registry_id, stage, known), ())
    reading = read_stage(root, registry_id, stage)
    if status is None or reading.error is not None or reading.problems:
        return reading
    heads: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    for model, ledger in reading.ledgers.items():
        head, move = ledger.head, ledger.head.move if ledger.head else None
        heads[model] = [[head.number, head.text, move.to, move.digest] if head and move else None, ledger.alarms]
        entries[model] = [[one.name, one.text or None, one.owner, one.changed.isoformat()] for one in ledger.events]
    content = json.dumps([status.st_uid, heads])
    index.keep(_kept(place, status, known, moment, content=content, more=json.dumps(entries)))
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
        index.keep(_kept(place, status, known, moment, content=json.dumps(found), more=""))
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
    place: str, status: os.stat_result, known: KeptFolder | None, moment: Moment, *, content: str, more: str
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


def _understood(registry_id: str, stage: StageName, known: KeptFolder) -> dict[ModelName, Ledger]:
    try:
        owner, heads = json.loads(known.content)
        ledgers = _Ledgers(StageFolder(registry_id=registry_id, stage=stage, owner=owner), known.more)
        return {model: ledgers.folded(model, decides, tuple(alarms)) for model, (decides, alarms) in heads.items()}
    except (ValueError, TypeError) as error:
        raise IndexLostError(str(error)) from error


class _Ledgers:
    """The ledgers of a stage, judged again for a model when more is asked for than what decides."""

    def __init__(self, folder: StageFolder, entries: str) -> None:
        self._folder = folder
        self._text = entries
        self._entries: dict[str, Any] = {}

    def folded(self, model: ModelName, decides: list[Any] | None, alarms: tuple[str, ...]) -> Ledger:
        """A ledger that knows who holds the stage, and of its head what decides."""

        def whole(name: str) -> dict[str, Any]:
            if name == "head":
                return {"head": self._head(model, *decides) if decides else None}
            return _fields(self._judged(model))

        holder = decides[2] if decides else None
        return folded(Ledger, whole, stage=self._folder.stage, model=model, holder=holder, alarms=alarms)

    def _head(self, model: ModelName, number: int, text: str, to: int | None, digest: str) -> Event:
        def event(_: str) -> dict[str, Any]:
            return _fields(self._judged(model).head)

        def move(_: str) -> dict[str, Any]:
            found = self._judged(model).head
            return _fields(found.move if found else None)

        said = folded(Move, move, to=to, digest=digest)
        return folded(Event, event, stage=self._folder.stage, model=model, number=number, text=text, move=said)

    def _judged(self, model: ModelName) -> Ledger:
        self._entries = self._entries or json.loads(self._text)
        when = datetime.fromisoformat
        entries = [
            Entry(name=name, text=text, owner=owner, changed=when(changed))
            for name, text, owner, changed in self._entries[model]
        ]
        return replay(self._folder, entries)[0][model]


def _fields(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    return {name: getattr(record, name) for name in type(record).__slots__}
