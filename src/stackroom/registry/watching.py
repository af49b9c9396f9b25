"""Telling what happens in a registry as it happens: every move exactly once, all else as far as it can be known.

Moves are numbered, so a :class:`~stackroom.core.cursor.Cursor` can say up to which of them somebody was told, and
whoever goes on from there misses none and hears none again, however he was interrupted. Edits, labels, registrations
and deletions are told by those who watch, and to nobody later.

The very same looks feed the terminal interface.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stackroom.core.activity import Happening, of_event
from stackroom.core.cursor import Cursor, Mark, mark_of, parse_cursor
from stackroom.core.ledger import Ledger, event_name, parse_event_name
from stackroom.core.names import ModelName, Ref, StageName, is_model_name, parse_ref, version_ref
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, IntegrityError, NotFoundError, RegistryError, UsageError
from stackroom.registry.noticing import ModelNames, of_approvals
from stackroom.store import layout
from stackroom.store.ledgers import read_ledgers
from stackroom.store.looks import Looks
from stackroom.store.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from stackroom.core.ledger import Event
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.watch import Changes

    Place = tuple[StageName, ModelName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that happened, and up to where one has been told with it.

    Attributes:
        happening: what.
        event: of the ledger, where it was a move; else None.
        cursor: to go on after it.
    """

    happening: Happening
    event: Event | None
    cursor: Cursor

    @property
    def ref(self) -> Ref | None:
        """The version that it is about; where a stage was cleared, or a model made, there is none."""
        return self.happening.ref

    def document(self) -> dict[str, Any]:
        """In JSON's types; a line of ``watch --json``."""
        move = self.event.move if self.event else None
        before = version_ref(self.event.model, move.origin) if self.event and move and move.origin is not None else None
        return {
            **self.happening.document(),
            "ref": str(self.ref) if self.ref else None,
            "from": str(before) if before else None,
            "digest": move.digest if move else "",
            "cursor": str(self.cursor),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one look brought.

    Attributes:
        told: in the order in which it is to be taken.
        cursor: up to where everything is told; None until the ledgers were read for the first time.
        trouble: why something could not be looked at, in words, or empty; it is looked at again.
    """

    told: tuple[Told, ...] = ()
    cursor: Cursor | None = None
    trouble: str = ""


def news(
    reader: Reader, *, since: str | None = None, stage: str | None = None, seconds: float | None = None
) -> Iterator[News]:
    """What happens, look by look, for ever; also where nothing did, so that one knows that the file system answers.

    Args:
        reader: the registry.
        since: a cursor, or ``start``; from now on without.
        stage: tell its moves alone.
        seconds: after which the last look is made.

    Raises:
        UsageError: the cursor is another registry's, or about fewer stages.
        InvalidInputError: it is no cursor, or ``registry.toml`` does not say which registry this is.
        NotFoundError: there is no such stage.
    """
    name = reader.check_stage(stage) if stage is not None else None
    if reader.policy_error and not reader.id:
        raise reader.policy_error
    cursor = parse_cursor(since).narrowed(reader.id, name) if since is not None else None
    teller = _Teller(reader, cursor, name)
    if cursor is not None:
        yield News(cursor=cursor)
    for changes in Looks(Watch(reader.folder, name), seconds=seconds):
        told = tuple(teller.tell(changes))
        yield News(told=told, cursor=teller.cursor, trouble=changes.trouble or teller.trouble)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """Something to tell; a move, or that one vanished, leaves a mark on its ledger."""

    happening: Happening
    event: Event | None = None
    place: Place | None = None
    mark: Mark | None = None


class _Teller:
    """Turns the changes that looks find into what is told.

    Attributes:
        cursor: up to where; None until the ledgers were read.
        trouble: what could not be read at the last look, or empty.
    """

    def __init__(self, reader: Reader, since: Cursor | None, stage: StageName | None) -> None:
        self.cursor: Cursor | None = since
        self.trouble = ""
        self._reader = reader
        self._id = reader.id
        self._stage = stage
        self._began = False
        self._policy = False
        self._read: set[StageName] = set()
        self._waiting: dict[StageName, set[ModelName]] = {}
        self._uncounted: dict[StageName, set[ModelName]] = {}

    def tell(self, changes: Changes) -> Iterator[Told]:
        """What the changes of one look mean; what cannot be read now is told after a later look."""
        self.trouble = ""
        if not self._began and changes.trouble:
            # What comes after a look that failed is compared with nothing: read the ledgers after one that did not.
            return
        self._began = True
        self._policy = self._policy or changes.policy
        self._await(changes)
        items: list[_Item] = []
        try:
            self._refresh()
            if self.cursor is None:
                self.cursor = self._now()
            items += self._moves(self.cursor)
        except RegistryError as error:
            self.trouble = str(error)
        if self._stage is None:
            items += self._others(changes)
        yield from self._in_order(items)

    # --- what is to be read

    def _await(self, changes: Changes) -> None:
        """Remember which ledgers may have something to tell."""
        for place in changes.stirred:
            parent, _, name = place.partition("/")
            if parent != layout.STAGES or not name:
                continue
            stage = StageName(name)
            names = changes.came.get(place, frozenset()) | changes.went.get(place, frozenset())
            models = {parsed[0] for one in names if (parsed := parse_event_name(one))}
            # What did not count may have been taken away, and its number used again.
            self._waiting.setdefault(stage, set()).update(models, self._uncounted.get(stage, ()))

    def _refresh(self) -> None:
        """Go by ``registry.toml`` as it is now.

        Raises:
            RegistryError: it cannot be read, or this is another registry than it was.
        """
        if not self._policy:
            return
        self._reader.refresh()
        if self._reader.policy_error and not self._reader.id:
            raise self._reader.policy_error
        if self._reader.id != self._id:
            raise IntegrityError(
                f"another registry is in the place of {self._reader.folder}",
                facts={"registry": self._id, "found": self._reader.id},
            )
        self._policy = False

    def _wanted(self) -> tuple[StageName, ...]:
        return self._reader.stages if self._stage is None else (self._stage,)

    # --- moves

    def _now(self) -> Cursor:
        """The cursor of who wants to be told nothing that has happened before.

        Raises:
            RegistryError: a stage cannot be read, so that it is not known what has.
        """
        marks: dict[Place, Mark] = {}
        with self._reader.root() as root:
            for stage in self._wanted():
                for model, ledger in (read_ledgers(root, self._id, stage) or {}).items():
                    self._note_uncounted(ledger)
                    if ledger.head is not None:
                        marks[stage, model] = mark_of(ledger.head.number, ledger.head.text)
        self._read.update(self._wanted())
        self._waiting.clear()
        return Cursor(registry=self._id, stage=self._stage, marks=marks)

    def _moves(self, cursor: Cursor) -> list[_Item]:
        """What the ledgers have to tell; one that cannot be read holds up no other, and is read after a later look."""
        found: list[_Item] = []
        for stage in self._wanted():
            models = self._waiting.get(stage, set()) if stage in self._read else None
            if models is not None and not models:
                continue
            try:
                found += self._of_stage(cursor, stage, models)
            except RegistryError as error:
                self.trouble = str(error)
                continue
            self._read.add(stage)
            self._waiting.pop(stage, None)
        return found

    def _of_stage(self, cursor: Cursor, stage: StageName, models: set[ModelName] | None) -> list[_Item]:
        marks = {model: mark for (one, model), mark in cursor.marks.items() if one == stage}
        with self._reader.root() as root:
            ledgers = self._ledgers(root, stage, models, marks)
            # A listing that was made while names were, may lack one that is older than one it has: look again.
            doubtful = {model for model, ledger in ledgers.items() if _is_doubtful(ledger, marks.get(model))}
            if doubtful:
                ledgers |= self._ledgers(root, stage, doubtful, marks)
        found: list[_Item] = []
        for model, ledger in sorted(ledgers.items()):
            self._note_uncounted(ledger)
            found += self._of_ledger(ledger, marks.get(model))
        return found

    def _ledgers(
        self, root: Folder, stage: StageName, models: set[ModelName] | None, marks: Mapping[ModelName, Mark]
    ) -> dict[ModelName, Ledger]:
        """The ledgers of some models, or of all that there are or were.

        Raises:
            RegistryError: they cannot be read.
        """
        found = read_ledgers(root, self._id, stage, models)
        if found is None and marks:
            # No folder is an empty one, but not where something was told from it: then it was moved away, or unmounted.
            raise NotFoundError(f"{root.path}/{layout.STAGES}/{stage} is missing, and it had events")
        expected = models if models is not None else marks.keys()
        empty = {model: Ledger(stage=stage, model=model) for model in expected}
        return empty | (found or {})

    def _note_uncounted(self, ledger: Ledger) -> None:
        last = ledger.head.number if ledger.head else 0
        known = self._uncounted.setdefault(ledger.stage, set())
        if any(event.number > last for event in ledger.events):
            known.add(ledger.model)
        else:
            known.discard(ledger.model)

    def _of_ledger(self, ledger: Ledger, mark: Mark | None) -> Iterator[_Item]:
        """The events that count and were not told, oldest first; or that the one which was told last is gone."""
        place = (ledger.stage, ledger.model)
        told = next((event for event in ledger.events if mark and event.number == mark.number), None)
        same = told is not None and mark_of(told.number, told.text) == mark
        after = 0 if mark is None else mark.number if same else mark.number - 1
        new = [event for event in ledger.counting() if event.number > after]
        for event in new:
            yield _Item(happening=of_event(event), event=event, place=place, mark=mark_of(event.number, event.text))
        if mark is not None and not same and not new:
            yield _Item(
                happening=self._vanished(ledger, mark),
                place=place,
                mark=mark_of(ledger.head.number, ledger.head.text) if ledger.head else None,
            )

    def _vanished(self, ledger: Ledger, mark: Mark) -> Happening:
        decides = f"event {ledger.head.number} decides" if ledger.head else "none decides"
        return Happening(
            kind="vanished",
            when=self._reader.clock(),
            model=ledger.model,
            number=ledger.holder,
            stage=ledger.stage,
            notes=(f"event {mark.number} was there and is gone; {decides} now",),
            place=f"{layout.STAGES}/{ledger.stage}/{event_name(ledger.model, mark.number)}",
        )

    # --- all else

    def _others(self, changes: Changes) -> list[_Item]:
        """What the names that came and went say; what cannot be read any more is left out."""
        found: list[Happening] = []
        new = changes.came.get(layout.MODELS, frozenset())
        for place in sorted({*changes.came, *changes.went}):
            parent, _, name = place.partition("/")
            came, went = changes.came.get(place, frozenset()), changes.went.get(place, frozenset())
            with suppress(RegistryError):
                if parent == layout.MODELS and is_model_name(name):
                    names = ModelNames(self._reader, ModelName(name), came, went)
                    found += names.happenings(made=name in new)
                elif parent == layout.APPROVALS and name in self._reader.stages:
                    found += of_approvals(self._reader, StageName(name), came)
        gone = sorted(name for name in changes.went.get(layout.MODELS, frozenset()) if is_model_name(name))
        found += [self._lost(ModelName(name)) for name in gone]
        return [_Item(happening=one) for one in found]

    def _lost(self, model: ModelName) -> Happening:
        place = f"{layout.MODELS}/{model}"
        note = "the model's folder is gone"
        return Happening(kind="vanished", when=self._reader.clock(), model=model, notes=(note,), place=place)

    # --- telling

    def _in_order(self, items: Iterable[_Item]) -> Iterator[Told]:
        """By time, and of one ledger by number, whatever its times say."""
        timed: list[tuple[datetime, _Item]] = []
        latest: dict[Place, datetime] = {}
        for item in items:
            when = item.happening.when
            if item.place is not None:
                when = latest[item.place] = max(when, latest.get(item.place, when))
            timed.append((when, item))
        # A model is made at the time of the first thing in it, and before it.
        for _, item in sorted(timed, key=lambda pair: (pair[0], pair[1].happening.kind != "created")):
            if self.cursor is None:
                return
            if item.place is not None:
                self.cursor = self.cursor.told(*item.place, item.mark)
            yield Told(happening=item.happening, event=item.event, cursor=self.cursor)


def _is_doubtful(ledger: Ledger, mark: Mark | None) -> bool:
    """Whether an event is missing among those that were not told, or the last one that was."""
    numbers = [event.number for event in ledger.events]
    told = mark.number if mark else 0
    later = [number for number in numbers if number > told]
    return later != list(range(told + 1, told + 1 + len(later))) or (mark is not None and told not in numbers)


# --- waiting for one holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """What one look says about who holds a stage.

    Attributes:
        ref: what was waited for, or None: not yet.
        trouble: why it could not be seen, in words, or empty.
    """

    ref: Ref | None = None
    trouble: str = ""


def waits(reader: Reader, ref: str | Ref, *, changed: bool = False, seconds: float | None = None) -> Iterator[Waited]:
    """Look until a version holds a stage; the last value has it, unless time was up.

    Args:
        reader: the registry.
        ref: ``model@stage``; the model may be made later.
        changed: not until another version holds it than now; that nothing holds it meanwhile does not count.
        seconds: after which the last look is made; None for no end.

    Raises:
        UsageError: the reference names no stage.
        NotFoundError: there is no such stage.
        IntegrityError: what holds it is missing, or is not what was promoted.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    if parsed.kind != "stage":
        raise UsageError(f"{parsed} names no stage", hint=f"such as {parsed.model}@production")
    stage = reader.check_stage(parsed.value)
    before: tuple[int | None] | None = None
    unread = True
    for changes in Looks(Watch(reader.folder, stage), seconds=seconds):
        unread = unread or bool(changes.stirred)
        trouble = changes.trouble
        if unread:
            try:
                holder = reader.ledger(parsed.model, stage).holder
                before = before or (holder,)
                if holder is not None and not (changed and holder == before[0]):
                    # Whoever waits deploys it: the answer is the one that the reference itself has.
                    yield Waited(ref=reader.version(parsed).ref)
                    return
            except IntegrityError:
                raise
            except RegistryError as error:
                trouble = str(error)
            else:
                unread = False
        yield Waited(trouble=trouble)


def wait(reader: Reader, ref: str | Ref, *, changed: bool = False, timeout: float | None = None) -> Ref:
    """As :func:`waits`, to the end.

    Raises:
        ConflictError: time was up.
    """
    for found in waits(reader, ref, changed=changed, seconds=timeout):
        if found.ref is not None:
            return found.ref
    raise timed_out(ref, timeout or 0.0, changed=changed)


def timed_out(ref: str | Ref, seconds: float, *, changed: bool) -> ConflictError:
    """What is said where time was up."""
    what = f"nothing else came to hold {ref}" if changed else f"nothing held {ref}"
    return ConflictError(f"{what} within {seconds:g} s", facts={"ref": str(ref), "timeout": seconds})
