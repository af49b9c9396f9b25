"""What happened in a registry, put together from everything in it that says when.

Nothing is kept for it: events, words, versions, revisions and tombstones say who and when by themselves. What was
purged or written over says nothing any more. Bounded: :data:`LIMIT` things of all models, and as many edited versions
are looked into; of the others only the newest edit is told.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from stackroom.core.activity import Happening, of_event, of_word
from stackroom.core.attested import parse_who
from stackroom.core.metadata import as_utc
from stackroom.core.names import Ref
from stackroom.core.values import dataclass
from stackroom.errors import RegistryError
from stackroom.registry.approving import all_approvals
from stackroom.registry.saying import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stackroom.registry.reading import Reader
    from stackroom.registry.saying import Said
    from stackroom.store.records import Deletion, Model, Version

LIMIT: Final = 1000
"""Things that are told of a whole registry."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What happened.

    Attributes:
        happenings: the newest first.
        left_off: how many older ones are not among them.
        troubles: what could not be read, in words.
    """

    happenings: tuple[Happening, ...]
    left_off: int = 0
    troubles: tuple[str, ...] = ()


def activity(
    reader: Reader, model: str | None = None, *, limit: int = LIMIT, watch: Callable[[int, int], None] | None = None
) -> Activity:
    """Everything that happened, newest first.

    Args:
        reader: the registry.
        model: to one model; to all without.
        limit: how many are told.
        watch: is told how many models were read, of how many; what it raises ends the reading.

    Raises:
        NotFoundError: no such model.
    """
    models = (reader.model(model),) if model else reader.models(every_version=True, watch=_counted(watch)).models
    troubles: list[str] = []
    found = [*_of_stages(reader, model, troubles)]
    versions = [version for one in models for version in one.versions]
    found += [registration(version, version.created) for version in versions if version.created is not None]
    edited = [version for version in versions if version.revision > 0 or version.card_revision > 0]
    edited.sort(key=_last_touched, reverse=True)
    found += _edits(reader, (version.ref for version in edited[:limit]), troubles)
    found += _last_edits(edited[limit:])
    found += _edits(reader, (Ref(one.name) for one in _own_edited(models)[:limit]), troubles)
    found += _deleted(reader, model)
    found.sort(key=lambda one: (one.when, one.place), reverse=True)
    return Activity(
        happenings=tuple(found[:limit]), left_off=max(0, len(found) - limit), troubles=tuple(dict.fromkeys(troubles))
    )


def _counted(watch: Callable[[int, int], None] | None) -> Callable[[Sequence[Model], int], None] | None:
    return None if watch is None else lambda found, total: watch(len(found), total)


def _of_stages(reader: Reader, model: str | None, troubles: list[str]) -> Iterator[Happening]:
    """Moves and words; a stage that cannot be read hides no other."""
    for stage in reader.stages:
        try:
            yield from (of_event(event) for event in reader.history(model, stage))
        except RegistryError as error:
            troubles.append(str(error))
        try:
            yield from (of_word(word) for word in all_approvals(reader, model, stage))
        except RegistryError as error:
            troubles.append(str(error))


def registration(version: Version, created: datetime) -> Happening:
    """A version, registered then."""
    return Happening(
        kind="registered",
        when=as_utc(created),
        model=version.model,
        number=version.number,
        by=version.owner.label,
        notes=tuple(f"labelled {label}" for label in version.labels),
        place=f"{version.ref}",
    )


def _last_touched(version: Version) -> datetime:
    when = version.note.revised if version.note else version.created
    return as_utc(when) if when else _LONG_AGO


def _own_edited(models: Iterable[Model]) -> Sequence[Model]:
    """The models whose own metadata were written to."""
    return [model for model in models if model.revision > 0]


def _edits(reader: Reader, refs: Iterable[Ref], troubles: list[str]) -> Iterator[Happening]:
    """Every revision of some versions or models."""
    for ref in refs:
        try:
            _, metadata, cards = said(reader, ref)
        except RegistryError as error:
            troubles.append(str(error))
            continue
        for one in (*metadata, *cards):
            when = one.at or one.changed
            if one.number > 0 and when is not None:
                yield edit(ref, one, when)


def edit(ref: Ref, one: Said, when: datetime) -> Happening:
    """A revision of the metadata or card of a version or model."""
    changed = ", ".join(one.changes)
    first = ref.kind == "model" and one.number == 1
    return Happening(
        kind="card" if one.what == "card" else "created" if first else "edited",
        when=as_utc(when),
        model=ref.model,
        number=ref.number,
        by=one.owner.label,
        why=one.reason or changed,
        notes=one.flags,
        place=f"models/{ref.model}/{one.name}",
    )


def _last_edits(versions: Iterable[Version]) -> Iterator[Happening]:
    """The newest edit of versions that are not looked into."""
    for version in versions:
        note = version.note
        if note is None:
            continue
        by = parse_who(note.revised_by)
        yield Happening(
            kind="edited",
            when=as_utc(note.revised),
            model=version.model,
            number=version.number,
            by=by.label if by else note.revised_by,
            why=note.reason,
            place=f"{version.ref} revision {version.revision}",
        )


def _deleted(reader: Reader, model: str | None) -> Iterator[Happening]:
    return (found for one in reader.deleted(model).versions if (found := deletion(one)))


def deletion(one: Deletion) -> Happening | None:
    """A version that was deleted; None where no tombstone says so."""
    if one.tombstone is None:
        return None
    return Happening(
        kind="deleted",
        when=as_utc(one.tombstone.when),
        model=one.model,
        number=one.number,
        by=one.by.label if one.by else str(one.tombstone.owner),
        why=one.tombstone.why,
        validity=one.tombstone.validity,
        notes=(one.state,) if one.state != "deleted" else (),
        place=f"{one.ref} deleted",
    )
