"""What the names that came and went in a model's folder, or among the approvals, say about what somebody did there.

Only as it happens: nothing in a registry says when a label was given or a version restored, and by whom the latter.
What came and went between two looks, or cannot be read, is not told.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stackroom.core.activity import Happening, of_word
from stackroom.core.approvals import parse_approval_name
from stackroom.core.names import Ref, version_ref
from stackroom.core.values import replace
from stackroom.errors import RegistryError
from stackroom.registry.happening import deletion, edit, registration
from stackroom.registry.saying import said
from stackroom.store import layout
from stackroom.store.approvals import read_words
from stackroom.store.traces import THE_FOLDER, label_trace, trace_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stackroom.core.activity import Kind
    from stackroom.core.names import ModelName, StageName
    from stackroom.registry.reading import Reader
    from stackroom.store.layout import Kind as NameKind
    from stackroom.store.layout import ModelEntry

    Names = frozenset[str]
    Changed = Mapping[str, tuple[str | None, str | None]]


def of_approvals(reader: Reader, stage: StageName, came: Names) -> Iterator[Happening]:
    """Words that count, by the names that are new among the approvals for a stage."""
    subjects = {parsed[:2] for name in came if (parsed := parse_approval_name(name))}
    with reader.root() as root:
        for model, number in sorted(subjects):
            words = read_words(root, reader.id, stage, model, number).words
            yield from (of_word(word) for word in words if word.validity.counts and word.name in came)


class ModelNames:
    """The names that came and went in one model's folder, as what happened to it.

    Args:
        reader: the registry.
        model: whose folder.
        came: the names that are new.
        went: the names that are gone.
    """

    def __init__(self, reader: Reader, model: ModelName, came: Names, went: Names) -> None:
        self._reader = reader
        self._model = model
        self._came = [layout.model_entry(name) for name in sorted(came)]
        self._went = [layout.model_entry(name) for name in sorted(went)]

    def happenings(self, *, made: bool) -> list[Happening]:
        """What happened, in no order; what cannot be read any more is left out.

        Args:
            made: the model itself is new.
        """
        found: list[Happening] = []
        for one in (self._versions(), self._deletions(), self._edits(made=made), self._labels()):
            # Gone again, or closed to us: it is told as far as it can be known.
            with suppress(RegistryError):
                found += one
        if made:
            with suppress(RegistryError):
                found.append(self._created(found))
        return found

    def _numbers(self, entries: list[ModelEntry], kind: NameKind) -> set[int]:
        return {entry.number for entry in entries if entry.kind == kind and entry.number is not None}

    def _created(self, since: Iterable[Happening]) -> Happening:
        """The model, made before all that happened in it: its folder's own time changes with every name."""
        with self._reader.opened_model(self._model) as (_, folder):
            trace = trace_of(THE_FOLDER, folder.status())
        return Happening(
            kind="created",
            when=min([trace.changed, *(one.when for one in since)]),
            model=self._model,
            by=trace.owner.label,
            place=f"{layout.MODELS}/{self._model}",
        )

    def _versions(self) -> Iterator[Happening]:
        back = self._numbers(self._went, "trash")
        for number in sorted(self._numbers(self._came, "version")):
            if number in back:
                yield self._of_version("restored", number)
                continue
            with suppress(RegistryError):
                version = self._reader.version(version_ref(self._model, number))
                yield registration(version, version.created or self._reader.clock())

    def _deletions(self) -> Iterator[Happening]:
        came, went = self._numbers(self._came, "version"), self._numbers(self._went, "version")
        for number in sorted(went - self._numbers(self._came, "trash")):
            note = "its folder is gone, and it was not deleted with a tombstone"
            yield self._of_version("vanished", number, note)
        for number in sorted(self._numbers(self._went, "trash") - came):
            yield self._of_version("purged", number)
        buried = self._numbers(self._came, "tombstone")
        if buried:
            for one in self._reader.deleted(self._model).versions:
                found = deletion(one) if one.number in buried else None
                if found and found.validity and found.validity.counts:
                    yield found

    def _edits(self, *, made: bool) -> Iterator[Happening]:
        names = {entry.name for entry in self._came if entry.kind in {"metadata", "card"}}
        numbers = {entry.number for entry in self._came if entry.name in names}
        for number in sorted(numbers, key=lambda number: number or 0):
            ref = Ref(self._model) if number is None else version_ref(self._model, number)
            with suppress(RegistryError):
                yield from self._edits_of(ref, names, made=made)

    def _edits_of(self, ref: Ref, names: set[str], *, made: bool) -> Iterator[Happening]:
        _, metadata, cards = said(self._reader, ref)
        for one in (*metadata, *cards):
            when = one.at or one.changed
            if one.name not in names or when is None:
                continue
            found = edit(ref, one, when)
            if not (made and found.kind == "created"):
                yield _as_archiving(found, one.changes)

    def _labels(self) -> Iterator[Happening]:
        names = [entry.name for entry in self._came if entry.kind == "label"]
        if not names:
            return
        with self._reader.opened_model(self._model) as (_, folder):
            for name in names:
                found = label_trace(folder, name)
                if found:
                    number, trace = found
                    label = self._of_version("labelled", number)
                    place = f"{layout.MODELS}/{self._model}/{name}"
                    yield replace(label, when=trace.changed, by=trace.owner.label, why=name, place=place)

    def _of_version(self, kind: Kind, number: int, *notes: str) -> Happening:
        """What the names alone say, at the time when they were looked at."""
        place = f"{layout.MODELS}/{self._model}/{number} {kind}"
        when = self._reader.clock()
        return Happening(kind=kind, when=when, model=self._model, number=number, notes=notes, place=place)


def _as_archiving(found: Happening, changes: Changed) -> Happening:
    """An edit that sets or drops the mark, by its own name."""
    if found.kind != "edited" or "archived" not in changes:
        return found
    return replace(found, kind="archived" if changes["archived"][1] == "true" else "unarchived")
