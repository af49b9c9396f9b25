"""One look at all models of a registry: what the index remembers, held against the directories.

A model's folder is opened and its stamp is taken; where it is the one that was settled when the folder was listed, what
is remembered is believed. Else the folder is listed, and of its versions those are read that are new, or that are not
the same folder with the same revisions and labels. Without an index everything is: the answer is the same.

What this cannot see: that an author reopened a sealed folder and rewrote a file in it, because no name of the model's
folder changed. So it is for lists and searches. Whatever decides, or shows one version, reads that itself.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from stackroom.core.values import replace
from stackroom.store import layout
from stackroom.store.index_file import IndexLostError
from stackroom.store.remembered import KnownModel, numbers_in
from stackroom.store.scan import ModelListing, list_model, read_version
from stackroom.store.selecting import ASK
from stackroom.store.stamps import Moment, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.core.names import ModelName, StageName
    from stackroom.core.query import Query
    from stackroom.store.folder import Folder
    from stackroom.store.index import Index
    from stackroom.store.records import Problem, Version
    from stackroom.store.remembered import KnownVersion, Lines
    from stackroom.store.rereading import Reread
    from stackroom.store.told import Told
    from stackroom.store.workers import Answer

_AT_ONCE: Final = 100
"""Models that are kept together: whoever is killed loses no more than these."""

_ROUNDS: Final = 4
"""Looks, until what another process writes meanwhile is given up on."""

_NEW: Final = -1


class Look:
    """All models of a registry as they are now, by the index and the directories. For one thread, and not for long.

    Attributes:
        names: of the models that have a folder.
        errors: why some of them cannot be read.
        ready: of the models that are read and remembered by now, in that order.
    """

    def __init__(
        self,
        models: Folder,
        names: Sequence[ModelName],
        index: Index,
        *,
        wanted: Callable[[ModelListing], Iterable[int]] | None,
        local: bool,
        watch: Callable[[Look, int, int], None] | None = None,
    ) -> None:
        """Look.

        Args:
            models: the folder of the models, which stays open as long as this is used.
            names: of the models in it.
            index: what is remembered, likewise.
            wanted: the versions that will be asked for; all without.
            local: whether the registry is on this host's own disk.
            watch: is told, before the first model that is read and after each, how many were, of how many; it may ask
                for those that are :attr:`ready`. What it raises ends the look, and what was read is remembered.

        Raises:
            IndexLostError: the index cannot be used.
        """
        self.names = names
        self.errors: dict[ModelName, OSError] = {}
        self.ready: list[ModelName] = []
        self._models = models
        self._index = index
        self._wanted = wanted
        self._watch = watch
        self._moment = Moment.present(local=local)
        self._reread: dict[ModelName, Reread] = {}
        self._stamps: dict[ModelName, str] = {}
        self._known: dict[str, KnownModel] = {}
        self._agree()

    def _agree(self) -> None:
        """Look and read until the index says of every model what its folder said, in one moment of the index."""
        for _ in range(_ROUNDS):
            self._index.begin()
            self._known = self._index.models()
            changed = [name for name in self.names if self._differs(name)]
            present = {*self.names}
            gone = [known for name, known in self._known.items() if name not in present]
            if not changed and not gone:
                return
            self._index.end()
            if gone:
                self._index.forget(gone)
            self._read(changed)
        raise IndexLostError("others keep changing it")

    def _differs(self, name: ModelName) -> bool:
        if name in self.errors:
            return False
        known = self._known.get(name)
        if name in self._stamps:
            # Where another process has kept something else meanwhile, one of the two is behind.
            return known is None or known.stamp != self._stamps[name]
        try:
            stamp = stamp_of(self._models.child_status(name))
        except OSError as error:
            self.errors[name] = error
            return False
        return known is None or not known.settled or known.stamp != stamp or not (known.full or self._wanted)

    def _read(self, names: Sequence[ModelName]) -> None:
        from stackroom.store.forms import Forms  # noqa: PLC0415 - 12 ms together, where nothing may have changed
        from stackroom.store.rereading import all_of, reread  # noqa: PLC0415 - the same
        from stackroom.store.told import heard, told_of  # noqa: PLC0415 - the same
        from stackroom.store.workers import Work, shared_out  # noqa: PLC0415 - the same

        forms = Forms()
        known = {name: self._index.identities(self._known[name].id) for name in names if name in self._known}

        def alone(place: int) -> list[Told]:
            name = names[place]
            try:
                with self._models.child(name) as folder:
                    self._reread[name] = reread(folder, name, known.get(name, {}), self._wanted or all_of, forms)
            except OSError as error:
                self.errors[name] = error
                return []
            return [told_of(self._reread[name])]

        def together(answer: Answer) -> list[Told] | None:
            told = heard(answer)
            return None if told is None else [told]

        work: Work[list[Told]] = Work(
            models=self._models,
            task={"task": "remember"},
            requests=[{"name": name, "known": known.get(name, {})} for name in names],
            alone=alone,
            together=together,
        )
        pending: list[tuple[KnownModel, Sequence[int], Sequence[KnownVersion]]] = []
        # A list needs few versions of each model, which are read before anybody is there to help.
        with contextlib.closing(shared_out(work, jobs=1 if self._wanted else None)) as found:
            try:
                self._tell(0, len(names))
                for done, each in enumerate(found, 1):
                    pending += [self._known_of(told) for told in each]
                    if len(pending) >= _AT_ONCE:
                        self._remember(pending)
                        pending = []
                    self._tell(done, len(names))
            finally:
                if pending:
                    self._remember(pending)

    def _tell(self, done: int, of: int) -> None:
        if self._watch is not None:
            self._watch(self, done, of)

    def _remember(self, models: Sequence[tuple[KnownModel, Sequence[int], Sequence[KnownVersion]]]) -> None:
        for (model, _, _), row in zip(models, self._index.remember(models), strict=True):
            self._known[model.name] = model._replace(id=row)
            self.ready.append(model.name)

    def _known_of(self, told: Told) -> tuple[KnownModel, Sequence[int], Sequence[KnownVersion]]:
        known = self._known.get(told.name)
        self._stamps[told.name] = told.stamp
        since = known.since if known and (known.stamp, known.boot) == (told.stamp, self._moment.boot) else _NEW
        model = KnownModel(
            id=0,
            name=told.name,
            stamp=told.stamp,
            settled=told.sound and self._moment.is_settled(told.stamp, since),
            full=told.full,
            since=self._moment.ticks if since == _NEW else since,
            boot=self._moment.boot,
            owner=told.owner,
            numbers=told.numbers,
            trash=told.trash,
            revision=told.revision,
            record=told.record,
        )
        return model, told.kept, told.fresh

    def remember(self, names: Sequence[ModelName]) -> None:
        """Read and remember of some models what will be asked for and was not before: for the next one who asks.

        It is the end of the moment of which everything was. Whether it can be done makes no difference to anybody.
        """
        with contextlib.suppress(IndexLostError):
            self._index.end()
            self._read(names)

    # --- what was seen

    def has(self, name: ModelName) -> bool:
        """Whether a model has a folder that could be read, and is remembered."""
        return name in self._known and name not in self.errors

    def listing(self, name: ModelName) -> tuple[ModelListing, tuple[Record, int, tuple[Problem, ...]]]:
        """A model's folder, as far as a list of models needs it, and the model's own metadata."""
        found = self._reread.get(name)
        if found is not None:
            return found.listing, found.own
        known = self._known[name]
        trash: dict[int, tuple[str, ...]] = {}
        for left in known.trash.split():
            number = layout.model_entry(left).number or 0
            trash[number] = (*trash.get(number, ()), left)
        listing = ModelListing(
            name=name,
            path=f"{self._models.path}/{name}",
            owner=known.owner,
            mode=0,
            numbers=numbers_in(known.numbers),
            trash=trash,
        )
        return listing, (known.metadata, known.revision, ())

    def versions(
        self, wanted: Mapping[ModelName, Iterable[int]], stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]]
    ) -> dict[tuple[ModelName, int], Version]:
        """Versions by model and number; those that were not read yet are read now.

        Args:
            wanted: numbers by model.
            stages: that a version holds; said of those that are remembered.

        Raises:
            IndexLostError: the index is damaged.
        """
        rows = [
            self._index.row(self._known[name].id, number)
            for name, numbers in wanted.items()
            if name in self._known
            for number in numbers
        ]
        known = self._index.versions(self._folders(wanted), rows, self._by_row(stages))
        found = {(one.model, one.number): one for one in known}
        for name, numbers in wanted.items():
            flawed = self._reread[name].flawed if name in self._reread else {}
            for number in numbers:
                if number in flawed:
                    found[name, number] = flawed[number]
                elif (name, number) not in found:
                    found[name, number] = self._read_version(name, number)
        return found

    def version(self, name: ModelName, number: int) -> Version:
        """One version; errors as :meth:`versions`."""
        return self.versions({name: [number]}, {})[name, number]

    def _read_version(self, name: ModelName, number: int) -> Version:
        with self._models.child(name) as folder:
            return read_version(folder, list_model(folder, name), number)

    def asked(
        self, query: Query | None, *, stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]], archived: bool
    ) -> Iterator[tuple[Version, bool]]:
        """The versions that a query may ask for, by model and number, each with whether it is known that it does.

        Args:
            query: or None, for all versions.
            stages: that a version holds.
            archived: also those that are archived.

        Raises:
            IndexLostError: the index is damaged.
        """
        node = query.node if query else None
        found = [*self._index.select(self._folders(self.names), node, self._by_row(stages), archived=archived)]
        flawed = (version for found in self._reread.values() for version in found.flawed.values())
        found += [(version, False) for version in flawed if archived or not version.archived]
        yield from sorted(found, key=lambda one: (one[0].model, one[0].number))

    def first(
        self,
        query: Query | None,
        stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]],
        *,
        sort: str,
        archived: bool,
        limit: int,
    ) -> tuple[list[Version], int, tuple[str, ...]] | None:
        """The first of the versions that a query asks for, how many there are, and fields of the order that none has.

        No other is understood. None where the rows of the index do not tell which these are, and :meth:`asked` does.
        """
        ranked = self._ranked(query, stages, sort, archived=archived)
        if ranked is None:
            return None
        rows, absent = ranked
        by_row, folders = self._by_row(stages), self._folders(self.names)
        read = {(one.model, one.number): one for one in self._index.versions(folders, rows[:limit], by_row)}
        places = (self._index.split(row) for row in rows[:limit])
        return [read[folders[model][0], number] for model, number in places], len(rows), absent

    def _ranked(
        self,
        query: Query | None,
        stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]],
        sort: str,
        *,
        archived: bool,
    ) -> tuple[list[int], tuple[str, ...]] | None:
        """The rows of all versions that a query asks for in their order, and fields that none has; None as before."""
        from stackroom.core.query import absent_fields, sort_fields, sorted_by  # noqa: PLC0415 - as in a search

        if any(found.flawed for found in self._reread.values()):
            return None
        fields = sort_fields(sort)
        folders = self._folders(self.names)
        found = self._index.ranked(query.node if query else None, self._by_row(stages), fields, archived=archived)
        if found is None:
            return None

        def place(one: tuple[int, object]) -> tuple[ModelName, int]:
            model, number = self._index.split(one[0])
            return folders[model][0], number

        here = sorted((one for one in found if self._index.split(one[0])[0] in folders), key=place)
        absent = absent_fields([told for _, told in here], fields)
        return [row for row, _ in sorted_by(here, sort, lambda one: one[1])], absent

    def lines(
        self,
        query: Query | None,
        stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]],
        chosen: Callable[[Sequence[str]], Sequence[str]],
        *,
        sort: str,
        archived: bool,
    ) -> tuple[Lines, dict[int, ModelName], tuple[str, ...]] | None:
        """What a table shows of the versions that a query asks for, the models by their numbers, and absent fields.

        Where they are to be sorted they are in that order, else in none. None where the rows of the index do not tell
        all of it, and :meth:`asked` does; arguments and errors as there, and as in :meth:`first`.
        """
        if any(found.flawed for found in self._reread.values()):
            return None
        found = self._index.lines(query.node if query else None, self._by_row(stages), chosen, archived=archived)
        count = len(found.metrics)
        if not found.whole or not all(
            row[0] is not None and row[2] is not None and ASK not in row[-count:] for row in found.rows
        ):
            return None
        absent: tuple[str, ...] = ()
        if sort:
            ranked = self._ranked(query, stages, sort, archived=archived)
            if ranked is None:
                return None
            by_row = {row[1]: row for row in found.rows}
            found, absent = replace(found, rows=[by_row[row] for row in ranked[0]]), ranked[1]
        return found, {self._known[name].id: name for name in self.names if self.has(name)}, absent

    def told(self) -> dict[ModelName, KnownModel]:
        """The models of which the index tells everything, because nothing is wrong with them that is not in it."""
        unsound = {name for name, found in self._reread.items() if not found.sound}
        return {
            known.name: known for name, known in self._known.items() if name not in self.errors and name not in unsound
        }

    def lines_of(
        self, which: Mapping[ModelName, Iterable[int]], chosen: Callable[[Sequence[str]], Sequence[str]]
    ) -> Lines:
        """What a table shows of some versions, those of them that the index has.

        Args:
            which: numbers by model, of those in :meth:`told`.
            chosen: of the names of a version's metrics those to show.
        """
        row, known = self._index.row, self._known
        return self._index.lines_at([row(known[name].id, one) for name, some in which.items() for one in some], chosen)

    def _by_row(
        self, stages: Mapping[tuple[ModelName, int], tuple[StageName, ...]]
    ) -> dict[int, tuple[StageName, ...]]:
        known, row = self._known, self._index.row
        return {row(known[name].id, number): held for (name, number), held in stages.items() if name in known}

    def _folders(self, names: Iterable[ModelName]) -> dict[int, tuple[ModelName, str]]:
        path, known = self._models.path, self._known
        return {known[name].id: (known[name].name, f"{path}/{name}") for name in names if self.has(name)}
