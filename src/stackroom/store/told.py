"""What was read of a model for the index to remember: as this process needs it, and as a worker says it.

Only of a model with which nothing is wrong a worker says anything: what is wrong is found again, and worded, by whoever
shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.core.names import ModelName
from stackroom.core.values import dataclass
from stackroom.store.packing import Packed, packed_record
from stackroom.store.remembered import KnownVersion, ranges_text
from stackroom.store.selecting import ASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.store.look import Reread
    from stackroom.store.workers import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A model that was read from its folder, as it is remembered.

    Attributes:
        name: of the model.
        stamp: of the folder, before it was listed.
        owner: of the folder (uid).
        numbers: of its versions, in short.
        trash: the names of the folders that deletes left, in one text.
        revision: of the model's own metadata.
        record: that metadata, packed.
        kept: the versions that are as they are remembered.
        fresh: the others, but for those with which something is wrong.
        sound: nothing is wrong: it need not be read again each time.
        full: every version is remembered from now on.
    """

    name: ModelName
    stamp: str
    owner: int
    numbers: str
    trash: str
    revision: int
    record: str
    kept: tuple[int, ...]
    fresh: tuple[KnownVersion, ...]
    sound: bool
    full: bool


_SAID: Final = ("stamp", "owner", "numbers", "trash", "revision", "record", "sound", "full")


def told_of(found: Reread) -> Told:
    """What there is to remember of a model that was read."""
    return Told(
        name=found.listing.name,
        stamp=found.stamp,
        owner=found.listing.owner,
        numbers=ranges_text(found.listing.numbers),
        trash=" ".join(name for names in found.listing.trash.values() for name in names),
        revision=found.own[1],
        record=packed_record(found.own[0]),
        kept=found.kept,
        fresh=found.fresh,
        sound=found.sound,
        full=found.full,
    )


def said(told: Told) -> tuple[dict[str, Any], bytes]:
    """It as a worker says it: facts in JSON's types, and the bytes of the versions one after the other."""
    facts: dict[str, Any] = {name: getattr(told, name) for name in _SAID}
    facts |= {"name": told.name, "kept": told.kept, "fresh": [_said_of(version) for version in told.fresh]}
    return facts, b"".join(part for version in told.fresh for part in (version.content.head, version.content.rest))


def _said_of(version: KnownVersion) -> list[Any]:
    content, extra = version.content, [*version.extra]
    known = [version.number, version.facts, _said_all(version.metrics), _said_all(version.hyperparameters), extra]
    return [content.check, len(content.head), len(content.rest), *known]


def _said_all(values: Mapping[str, Any]) -> Mapping[str, Any]:
    # JSON has no bytes, and a column has no None.
    return {name: None if value == ASK else value for name, value in values.items()}


def _heard_all(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: ASK if value is None else value for name, value in values.items()}


def heard(answer: Answer) -> Told | None:
    """The inverse of :func:`said`; None where the worker leaves it to its maker."""
    facts, content = answer.facts, answer.content
    if facts is None:
        return None
    fresh: list[KnownVersion] = []
    place = 0
    for check, head, rest, number, known, metrics, hyperparameters, extra in facts["fresh"]:
        end = place + head + rest
        packed = Packed(content[place : place + head], content[place + head : end], check)
        place = end
        fresh.append(
            KnownVersion(
                number=number,
                facts=tuple(known),
                metrics=_heard_all(metrics),
                hyperparameters=_heard_all(hyperparameters),
                extra=extra,
                content=packed,
            )
        )
    plain = {name: facts[name] for name in _SAID}
    return Told(name=ModelName(facts["name"]), kept=tuple(facts["kept"]), fresh=tuple(fresh), **plain)
