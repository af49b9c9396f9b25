"""What was read of a model for the index to remember: as this process needs it, and as a worker says it.

Only of a model with which nothing is wrong a worker says anything: what is wrong is found again, and worded, by whoever
shows it.
"""

from __future__ import annotations

from array import array
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
    parts: list[bytes] = []
    fresh = [_said_of(version, parts) for version in told.fresh]
    return facts | {"name": told.name, "kept": told.kept, "fresh": fresh}, b"".join(parts)


def _said_of(version: KnownVersion, parts: list[bytes]) -> list[Any]:
    content = version.content
    parts += (content.head, content.rest)
    lengths = [content.check, len(content.head), len(content.rest)]
    numbers = [_said_numbers(values, parts) for values in (version.metrics, version.hyperparameters)]
    return [*lengths, version.number, version.facts, *numbers, [*version.extra]]


def _said_numbers(values: Mapping[str, Any], parts: list[bytes]) -> list[str] | dict[str, Any]:
    """Their names where all are floats, which go as they are; else the values by name."""
    # Writing thirty in digits, and reading them, takes longer than anything else that is said.
    if {*map(type, values.values())} == {float}:
        parts.append(array("d", values.values()).tobytes())
        return [*values]
    # JSON has no bytes, and a column has no None.
    return {name: None if value == ASK else value for name, value in values.items()}


class _Heard:
    """What a worker said in bytes, from the first to the last."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def next(self, size: int) -> bytes:
        start, self._place = self._place, self._place + size
        return self._content[start : self._place]

    def numbers(self, told: list[str] | dict[str, Any]) -> dict[str, Any]:
        if isinstance(told, dict):
            return {name: ASK if value is None else value for name, value in told.items()}
        return dict(zip(told, array("d", self.next(8 * len(told))), strict=True))


def heard(answer: Answer) -> Told | None:
    """The inverse of :func:`said`; None where the worker leaves it to its maker, or nobody understands it."""
    try:
        return None if answer.facts is None else _told_in(answer.facts, _Heard(answer.content))
    except (KeyError, TypeError, ValueError):
        # The program was replaced while this process runs, and the worker is a newer one.
        return None


def _told_in(facts: Mapping[str, Any], content: _Heard) -> Told:
    fresh = [
        KnownVersion(
            content=Packed(content.next(head), content.next(rest), check),
            number=number,
            facts=tuple(known),
            metrics=content.numbers(metrics),
            hyperparameters=content.numbers(hyperparameters),
            extra=extra,
        )
        for check, head, rest, number, known, metrics, hyperparameters, extra in facts["fresh"]
    ]
    plain = {name: facts[name] for name in _SAID}
    return Told(name=ModelName(facts["name"]), kept=tuple(facts["kept"]), fresh=tuple(fresh), **plain)
