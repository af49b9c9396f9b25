"""What was read of a model for the index to remember: as this process needs it, and as a worker says it.

Only of a model with which nothing is wrong a worker says anything: what is wrong is found again, and worded, by whoever
shows it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.names import ModelName
from stackroom.core.values import dataclass
from stackroom.store.forms import Names
from stackroom.store.packing import packed_record
from stackroom.store.remembered import KnownVersion, ranges_text
from stackroom.store.selecting import ASK
from stackroom.store.verbatim import Verbatim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.store.rereading import Reread
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
    names = {one: place for place, one in enumerate(dict.fromkeys(version.names for version in told.fresh))}
    fresh = [_said_of(version, names[version.names], parts) for version in told.fresh]
    return facts | {"name": told.name, "kept": told.kept, "names": [*names], "fresh": fresh}, b"".join(parts)


def _said_of(version: KnownVersion, names: int, parts: list[bytes]) -> list[Any]:
    check, revision, card, text, sealed = version.content
    parts += (text, sealed)
    numbers: Sequence[Any] = version.numbers
    if {*map(type, numbers)} == {float}:
        # They go as they are: writing thirty in digits, and reading them, takes longer than all else that is said.
        parts.append(array("d", numbers).tobytes())
        numbers = []
    else:
        # JSON has no bytes, and a column has no None.
        numbers = [None if number == ASK else number for number in numbers]
    return [version.number, version.facts, names, numbers, check, revision, card, len(text), len(sealed)]


def heard(answer: Answer) -> Told | None:
    """The inverse of :func:`said`; None where the worker leaves it to its maker, or nobody understands it."""
    try:
        return None if answer.facts is None else _told_in(answer.facts, answer.content)
    except (LookupError, TypeError, ValueError):
        # The program was replaced while this process runs, and the worker is a newer one.
        return None


def _told_in(facts: Mapping[str, Any], content: bytes) -> Told:
    names = [Names(*map(tuple, one)) for one in facts["names"]]
    fresh: list[KnownVersion] = []
    place = 0
    for number, known, shape, numbers, check, revision, card, long, sealed in facts["fresh"]:
        middle, end = place + long, place + long + sealed
        kept = Verbatim(check, revision, card, content[place:middle], content[middle:end])
        place = end
        if numbers:
            numbers = [ASK if value is None else value for value in numbers]  # noqa: PLW2901 - the same
        else:
            place += 8 * sum(map(len, names[shape][:2]))
            numbers = array("d", content[end:place])  # noqa: PLW2901 - the same
        fresh.append(KnownVersion(number, known, names[shape], numbers, kept))
    plain = {name: facts[name] for name in _SAID}
    return Told(name=ModelName(facts["name"]), kept=tuple(facts["kept"]), fresh=tuple(fresh), **plain)
