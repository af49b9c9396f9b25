"""All models at once: from the caller's index where it is right, from the registry where it is not, and the same.

Whether there is an index makes no difference to an answer but the time that it takes. Ledgers are not in it: who holds
a stage is read here, before the models' folders, and joined with what they hold.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from stackroom.core.values import dataclass
from stackroom.registry.holdings import Stages, with_stages
from stackroom.registry.reading import joined, shown_numbers
from stackroom.store import layout
from stackroom.store.access import owner_label
from stackroom.store.mounts import file_system_of
from stackroom.store.records import Listing, Model, Problem, Version
from stackroom.store.scan import list_models, os_problem

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stackroom.core.names import ModelName, StageName
    from stackroom.core.query import Query
    from stackroom.registry.lines import ModelLine, Overview
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.index import Index
    from stackroom.store.look import Look
    from stackroom.store.remembered import Lines
    from stackroom.store.scan import ModelListing

    Watch = Callable[[Sequence[Model], int], None] | None

_WORTH_AN_INDEX: Final = 16
"""Models. Loading the database takes as long as reading the newest versions of so many."""


def listing_of(reader: Reader, *, every_version: bool, afresh: bool, watch: Watch) -> Listing:
    """All models, as :meth:`Reader.models` has them."""

    def read(models: Folder, names: list[ModelName], stages: Stages, index: Index | None) -> list[Model]:
        if index is None:
            whole = sorted([*names, *stages.held_without(names)])
            return _read(reader, models, whole, stages, every_version=every_version, watch=watch)
        found: list[Model] = []

        def grown(look: Look, _done: int, total: int) -> None:
            if watch is None:
                return
            if len(look.ready) > len(found):
                found.extend(_models_of(reader, models, look, stages, look.ready[len(found) :]))
            watch(found, total)

        look = _look(reader, models, names, index, wanted=_shown_of(stages), watch=grown)
        return list(_models_of(reader, models, look, stages, sorted([*names, *stages.held_without(names)])))

    models, problems = _answered(reader, read, least=None if afresh else _WORTH_AN_INDEX)
    return Listing(models=tuple(models), problems=problems)


def overview(reader: Reader, chosen: Callable[[Sequence[str]], Sequence[str]]) -> Overview:
    """All models as :func:`listing_of` has them, of each no more than its line; arguments as of :func:`line_of`."""
    from stackroom.registry.lines import Overview, line_of  # noqa: PLC0415 - a search makes none

    def read(models: Folder, names: list[ModelName], stages: Stages, index: Index | None) -> list[ModelLine]:
        seen[:] = [stages]
        everything = sorted([*names, *stages.held_without(names)])
        if index is None:
            found = _read(reader, models, everything, stages, every_version=False)
            return [line_of(model, reader.stages, chosen) for model in found]
        from stackroom.registry.known_lines import lines_known  # noqa: PLC0415 - small registries have no index

        look = _look(reader, models, names, index, wanted=_shown_of(stages))
        known, lacking = lines_known(look, stages, chosen)
        for model in _models_of(reader, models, look, stages, [name for name in everything if name not in known]):
            known[model.name] = line_of(model, reader.stages, chosen)
        if lacking:
            look.remember(lacking)
        index.gather()
        return [known[name] for name in everything]

    seen: list[Stages] = []
    lines, problems = _answered(reader, read, least=_WORTH_AN_INDEX)
    return Overview(lines=tuple(lines), stages=seen[-1] if seen else Stages(readings={}, live={}), problems=problems)


def _shown_of(stages: Stages) -> Callable[[ModelListing], list[int]]:
    return lambda listing: shown_numbers(listing.numbers, stages.holdings(listing.name, listing.numbers))


def search(reader: Reader, query: str, *, sort: str, archived: bool) -> tuple[Version, ...]:
    """The versions that a query asks for, as :meth:`Reader.search` has them."""
    from stackroom.core.query import Query, sorted_by  # noqa: PLC0415 - listing asks nothing

    asked = Query(query) if query.strip() else None
    archived = archived or "archived" in query

    def read(models: Folder, names: list[ModelName], stages: Stages, index: Index | None) -> list[Version]:
        if index is not None:
            return _asked(_look(reader, models, names, index), asked, stages, archived=archived)
        if asked is not None:
            from stackroom.registry.seeking import sought  # noqa: PLC0415 - who has an index does without workers

            return sought(models, names, stages, asked, archived=archived)
        return [
            version
            for model in _read(reader, models, names, stages, every_version=True)
            for version in model.versions
            if archived or not version.archived
        ]

    found, _ = _answered(reader, read, least=0)
    return tuple(sorted_by(found, sort, Version.fields)) if sort else tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The beginning of what a search found.

    Attributes:
        versions: the first of them.
        total: how many there are.
        absent: those of the fields that they were to be sorted by that none of them all has.
    """

    versions: tuple[Version, ...]
    total: int
    absent: tuple[str, ...] = ()


def find(reader: Reader, query: str, *, sort: str, archived: bool, limit: int) -> Found:
    """The beginning of what :func:`search` finds; of the others nothing is kept, and with an index nothing read."""
    from stackroom.core.query import Query, absent_fields, sort_fields  # noqa: PLC0415 - listing asks nothing

    asked = Query(query) if query.strip() else None
    any_age = archived or "archived" in query

    def read(models: Folder, names: list[ModelName], stages: Stages, index: Index | None) -> list[Found]:
        if index is None:
            return []
        look = _look(reader, models, names, index)
        told = look.first(asked, stages.held(), sort=sort, archived=any_age, limit=limit)
        if told is None:
            return []
        first = (with_stages(one, stages.holdings(one.model, (one.number,))) if one.stages else one for one in told[0])
        return [Found(versions=tuple(first), total=told[1], absent=told[2])]

    found, _ = _answered(reader, read, least=_WORTH_AN_INDEX, without=False)
    if found:
        return found[0]
    every = search(reader, query, sort=sort, archived=archived)
    absent = absent_fields([version.fields() for version in every], sort_fields(sort)) if sort else ()
    return Found(versions=every[:limit], total=len(every), absent=absent)


class Line(NamedTuple):
    """A version as a table of many shows it; a tuple, because there are thousands.

    Attributes:
        model: whose.
        number: of the version.
        stages: that it holds.
        archived: whether its metadata says so.
        author: as its metadata says, or the folder's owner.
        created: when it was registered, as :func:`~stackroom.core.metadata.iso` has it.
        description: of its metadata.
        metrics: those that may be shown, None for one that it has not.
    """

    model: ModelName
    number: int
    stages: tuple[StageName, ...]
    archived: bool
    author: str
    created: str
    description: str
    metrics: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a search found, as a table shows it.

    Attributes:
        names: of the metrics that each line has values of.
        lines: by model and number, or as they were to be sorted.
        present: the names of all metrics that these lines have, in the order in which they come.
        absent: as of :class:`Found`.
    """

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    present: tuple[str, ...]
    absent: tuple[str, ...]


def table(
    reader: Reader, query: str, *, chosen: Callable[[Sequence[str]], Sequence[str]], sort: str, archived: bool
) -> Table | None:
    """What :func:`search` finds, where a table of it can be made of the index alone; else None.

    A tenth of the time that records take: nothing is understood but what is shown.

    Args:
        reader: of the registry.
        query: as there.
        chosen: of the names of metrics those to show. Of the names of all that is found it chooses none that it would
            not choose of those of one version.
        sort: as there.
        archived: as there.
    """
    from stackroom.core.query import Query  # noqa: PLC0415 - listing asks nothing

    asked = Query(query) if query.strip() else None
    archived = archived or "archived" in query

    def read(models: Folder, names: list[ModelName], stages: Stages, index: Index | None) -> list[Table]:
        if index is None:
            return []
        held = stages.held()
        found = _look(reader, models, names, index).lines(asked, held, chosen, sort=sort, archived=archived)
        made = _table(*found, stages, held, in_order=bool(sort)) if found else None
        return [made] if made else []

    found, _ = _answered(reader, read, least=0, without=False)
    return found[0] if found else None


def _table(
    found: Lines,
    names: Mapping[int, ModelName],
    absent: tuple[str, ...],
    stages: Stages,
    held: Mapping[tuple[ModelName, int], tuple[StageName, ...]],
    *,
    in_order: bool,
) -> Table | None:
    """The table; None where something is wrong with a version in it, which has to be told."""
    from stackroom.store.index_rows import MASK, SHIFT  # noqa: PLC0415 - they are loaded by now
    from stackroom.store.remembered import iso_of  # noqa: PLC0415 - the same

    lines: list[tuple[Line, int]] = []
    for _, row, shape, owner, created, digest, author, description, archived, *metrics in found.rows:
        model, number = names.get(row >> SHIFT), row & MASK
        if model is None:
            continue
        holds = held.get((model, number), ())
        if holds and not stages.as_promoted(model, number, digest):
            return None
        label = author or owner_label(owner)
        line = Line(model, number, holds, bool(archived), label, iso_of(created), description, tuple(metrics))
        lines.append((line, shape))
    if not in_order:
        lines.sort(key=lambda one: (one[0].model, one[0].number))

    shapes = dict.fromkeys(shape for _, shape in lines)
    return Table(
        names=found.metrics,
        lines=tuple(line for line, _ in lines),
        present=tuple(dict.fromkeys(name for shape in shapes for name in found.shapes[shape])),
        absent=absent,
    )


def _answered(
    reader: Reader,
    read: Callable[[Folder, list[ModelName], Stages, Index | None], list[T]],
    *,
    least: int | None,
    without: bool = True,
) -> tuple[list[T], tuple[Problem, ...]]:
    """What is read of the models' folder, and what is wrong outside the models.

    Args:
        reader: of the registry.
        read: reads, with an index or without.
        least: the index is asked where there are more models than these; None for never.
        without: whether the registry itself is read where the index cannot be used.
    """
    with reader.root() as root:
        if least is not None and _is_larger(root, least):
            from stackroom.store.index import Index  # noqa: PLC0415 - small registries do without
            from stackroom.store.index_file import IndexLostError  # noqa: PLC0415 - the same

            index = Index.opened(reader.folder, reader.id)
            if index is not None:
                with contextlib.closing(index):
                    try:
                        return _answer(reader, root, read, index)
                    except IndexLostError as error:
                        if error.damaged:
                            index.throw_away()
                    except (ValueError, TypeError, LookupError, AttributeError):
                        # Somebody wrote into it what this program does not. A mistake of ours is made again below.
                        index.throw_away()
        return _answer(reader, root, read, None) if without else ([], ())


def _is_larger(root: Folder, least: int) -> bool:
    try:
        with root.child(layout.MODELS) as models:
            return len(models.names()) > least
    except OSError:
        return False


def _answer(
    reader: Reader,
    root: Folder,
    read: Callable[[Folder, list[ModelName], Stages, Index | None], list[T]],
    index: Index | None,
) -> tuple[list[T], tuple[Problem, ...]]:
    # The stages first, so that a version registered and promoted just now is not missing.
    if index is None:
        stages = Stages.read(root, reader.id, reader.stages)
    else:
        stages = Stages.kept(root, reader.id, reader.stages, index, local=file_system_of(reader.folder).local)
    problems = [problem for reading in stages.readings.values() for problem in reading.problems]
    if reader.policy_error:
        hint = reader.policy_error.hint
        problems.insert(0, Problem(place=layout.REGISTRY_FILE, message=str(reader.policy_error), hint=hint))
    try:
        with root.child(layout.MODELS) as models:
            names, foreign = list_models(models)
            return read(models, names, stages, index), (*problems, *foreign)
    except FileNotFoundError:
        return [], tuple(problems)
    except OSError as error:
        return [], (*problems, os_problem(layout.MODELS, error, root))


# --- from the registry


def _read(
    reader: Reader, models: Folder, names: list[ModelName], stages: Stages, *, every_version: bool, watch: Watch = None
) -> list[Model]:
    found: list[Model] = []
    for name in names:
        if watch is not None:
            watch(found, len(names))
        found.append(reader.model_of(models, name, stages, every_version=every_version))
    return found


# --- with an index


def _models_of(
    reader: Reader, models: Folder, look: Look, stages: Stages, names: Sequence[ModelName]
) -> Iterator[Model]:
    if not names:
        return
    listings = {name: look.listing(name) for name in names if look.has(name)}
    holdings = {name: stages.holdings(name, listing.numbers) for name, (listing, _) in listings.items()}
    wanted = {name: shown_numbers(listing.numbers, holdings[name]) for name, (listing, _) in listings.items()}
    versions = look.versions(wanted, {place: held for place, held in stages.held().items() if place[0] in wanted})
    now = reader.clock()
    for name in names:
        if name not in listings:
            gone = look.errors.get(name) or FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            yield reader.unread(models, name, stages, gone)
            continue
        listing, own = listings[name]
        found = {number: versions[name, number] for number in wanted[name]}
        for number in reversed(listing.numbers):
            found[number] = found.get(number) or look.version(name, number)
            if found[number].registered:
                break
        yield joined(listing, own, holdings[name], found, now)


def _asked(look: Look, query: Query | None, stages: Stages, *, archived: bool) -> list[Version]:
    """The versions that a query asks for: of what the index cannot decide, the whole record is asked."""
    held = stages.held()
    found: list[Version] = []
    for version, decided in look.asked(query, stages=held, archived=archived):
        if (version.model, version.number) in held:
            version = with_stages(version, stages.holdings(version.model, (version.number,)))  # noqa: PLW2901 - the same
        if decided or query is None or query.matches(version.fields()):
            found.append(version)
    return found


def _look(
    reader: Reader,
    models: Folder,
    names: list[ModelName],
    index: Index,
    *,
    wanted: Callable[[ModelListing], list[int]] | None = None,
    watch: Callable[[Look, int, int], None] | None = None,
) -> Look:
    from stackroom.store.look import Look  # noqa: PLC0415 - small registries do without

    def told(look: Look, done: int, total: int) -> None:
        if reader.progress is not None:
            reader.progress(done, total)
        if watch is not None:
            watch(look, done, total)

    return Look(models, names, index, wanted=wanted, local=file_system_of(reader.folder).local, watch=told)
