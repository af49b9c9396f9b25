"""What the index remembers, as records: of a model's folder, of a stage's, and of a version."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stackroom.core.metadata import iso
from stackroom.core.values import dataclass
from stackroom.store.packing import unpacked_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.core.names import ModelName
    from stackroom.store.forms import Names, Said
    from stackroom.store.verbatim import Verbatim


_WHOLE_SECOND: Final = ".000000+00:00"
"""How the text of a time ends that the index keeps, but of one with fractions."""


class KnownModel(NamedTuple):
    """What the index remembers of a model's folder; a tuple, because each list makes thousands.

    Attributes:
        id: of its row.
        name: of the model.
        stamp: of the folder when it was listed.
        settled: whether the stamp may be believed.
        full: whether all its versions are remembered, and not only those that somebody asked for.
        since: ticks at which this stamp was seen first.
        boot: in which start of the host.
        owner: of the folder (uid).
        numbers: of its versions, as :func:`ranges_text` writes them.
        trash: the folders that deletes left.
        revision: of the model's own metadata.
        record: that metadata, packed.
    """

    id: int
    name: ModelName
    stamp: str
    settled: bool
    full: bool
    since: int
    boot: str
    owner: int
    numbers: str
    trash: str
    revision: int
    record: str

    @property
    def metadata(self) -> Record:
        """The model's own metadata."""
        return unpacked_record(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What a table shows of versions, without a record of any.

    Attributes:
        metrics: whose values stand at the end of each row.
        rows: whether it is asked for (None where only the record tells), the number of its row and of its shape, owner,
            created, digest, author, description, archived, and the metrics.
        shapes: for its number, the names of a version's metrics in their order.
        whole: whether every metric has a column.
    """

    metrics: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    shapes: Mapping[int, list[str]]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFolder:
    """A folder of a stage, with what was found in it.

    Attributes:
        place: of the folder, below the registry's root.
        stamp: as of a model's folder, and so the next three.
        settled: likewise.
        since: likewise.
        boot: likewise.
        content: what was found, as text.
        more: what few ask for, which is only text when they do.
    """

    place: str
    stamp: str
    settled: bool
    since: int
    boot: str
    content: str
    more: bytes


class KnownVersion(NamedTuple):
    """A version as the index keeps it; a tuple, because there are a hundred thousand.

    Attributes:
        number: of the version.
        facts: the values of the columns of ``versions``, but for the first.
        names: of its numbers.
        numbers: the metrics and then the hyperparameters, as columns keep them.
        content: the texts that were read.
    """

    number: int
    facts: Sequence[Any]
    names: Names
    numbers: Sequence[Any]
    content: Verbatim


def known_version(number: int, said: Said, content: Verbatim, facts: Facts) -> KnownVersion:
    """A version as the index keeps it.

    Args:
        number: of the version.
        said: what its texts say.
        content: the texts.
        facts: what its folder tells.
    """
    created = said.created.isoformat(timespec="microseconds")
    sealed = (facts.identity, facts.owner, created, said.files, said.bytes, said.digest, facts.labels)
    return KnownVersion(
        number, (*sealed, said.archived, *said.texts, _tags_text(said.tags)), said.names, said.numbers, content
    )


class Facts(NamedTuple):
    """What the folders tell of a version, and its texts do not.

    Attributes:
        identity: that tells it from another under the same number.
        owner: of its folder (uid).
        labels: its other names, with blanks between.
    """

    identity: str
    owner: int
    labels: str


@lru_cache(maxsize=1024)
def _tags_text(tags: tuple[str, ...]) -> str:
    return json.dumps(tags)


def ranges_text(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: ``1-6,8``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def iso_of(created: str) -> str:
    """A version's time as :func:`~stackroom.core.metadata.iso` has it, of the text that is kept."""
    return f"{created[:19]}Z" if created[19:] == _WHOLE_SECOND else iso(datetime.fromisoformat(created))


@lru_cache(maxsize=1024)
def span_of(text: str) -> tuple[int, int]:
    """How many numbers :func:`ranges_text` wrote, and the highest; both 0 for none."""
    count = last = 0
    for part in text.split(",") if text else ():
        first, _, end = part.partition("-")
        last = int(end or first)
        count += last - int(first) + 1
    return count, last


def numbers_in(text: str) -> tuple[int, ...]:
    """The inverse of :func:`ranges_text`."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)
