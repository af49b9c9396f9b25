"""Observations: what was measured of a version after it was released, one line of JSON for each time.

A line is worth what its file is worth, and the kernel says whose file that is: a file that names somebody else than
its owner is *forged*, and its lines never count. Nothing is decided on observations but warnings. Pure: the store hands
over bytes, and whatever somebody wrote there is a line that is understood, or one that is counted as broken.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import CLOCK_SLACK, Validity, Who
from stackroom.core.metadata import as_utc, iso, jsonable
from stackroom.core.names import ModelName, Ref, is_model_name, parse_number, version_ref
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LINE_LIMIT: Final = 16 * 1024
"""Bytes of one line; a hundred metrics take 3 KB."""

NAME_LIMIT: Final = 128
"""Characters in the name of a metric."""

_HOST_LIMIT: Final = 63
"""Characters of a host's name, as in a label of the domain name system."""

_NAME: Final = pattern(
    r"([^:]+):([0-9]+)\.([A-Za-z0-9_-]{1,63})-([0-9]{1,10})-"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl"
)

_NOT_IN_A_HOST: Final = pattern(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name of a file of observations spells.

    Attributes:
        model: of which.
        version: of which.
        host: where the writing process ran: a label.
        uid: as whom: a label, until the file's owner is the same.
    """

    model: ModelName
    version: int
    host: str
    uid: int


def file_name(model: str, version: int, *, host: str, uid: int, nonce: str) -> str:
    """The name of a process's own file; of the host's name only the first part, in letters that every tool takes."""
    short = _NOT_IN_A_HOST.sub("-", host.partition(".")[0])[:_HOST_LIMIT] or "host"
    return f"{model}:{version}.{short}-{uid}-{nonce}.jsonl"


def parse_file_name(name: str) -> FileName | None:
    """What a name spells, or None for a foreign one."""
    found = _NAME.fullmatch(name)
    number = parse_number(found[2]) if found else None
    if found is None or number is None or not is_model_name(found[1]):
        return None
    return FileName(ModelName(found[1]), number, found[3], int(found[4]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was measured of a version at one time.

    Attributes:
        model: of which.
        version: of which.
        at: when it was measured, by the clock of who wrote it: a label.
        when: the same, but never later than the file was last changed, by the file system's clock.
        metrics: name to number; at least one.
        by: the owner of the file, which is the evidence.
        host: where it was written, by the file's name: a label.
        validity: what the file is worth; forged ones never count.
    """

    model: ModelName
    version: int
    at: datetime
    when: datetime
    metrics: Mapping[str, float]
    by: Who
    host: str
    validity: Validity

    @property
    def ref(self) -> Ref:
        """Of which version."""
        return version_ref(self.model, self.version)

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "ref": str(self.ref),
            "at": iso(self.at),
            "when": iso(self.when),
            "metrics": {name: jsonable(float(value)) for name, value in self.metrics.items()},
            "by": str(self.by),
            "host": self.host,
            "validity": self.validity.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A metric as it was observed last.

    Attributes:
        metric: its name.
        value: the latest.
        observation: that says so.
        count: how many observations have the metric.
    """

    metric: str
    value: float
    observation: Observation
    count: int

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        one = self.observation
        said = {"at": iso(one.at), "by": str(one.by), "host": one.host, "validity": one.validity.value}
        return {"metric": self.metric, "value": jsonable(float(self.value)), **said, "count": self.count}


def latest_of(observations: Iterable[Observation]) -> tuple[Latest, ...]:
    """Every metric as it was observed last, by name; what does not count is left out."""
    found: dict[str, tuple[Observation, int]] = {}
    for one in observations:
        if not one.validity.counts:
            continue
        for metric in one.metrics:
            last, count = found.get(metric, (one, 0))
            found[metric] = (one if one.when >= last.when else last, count + 1)
    return tuple(
        Latest(metric=metric, value=one.metrics[metric], observation=one, count=count)
        for metric, (one, count) in sorted(found.items())
    )


def checked_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of an observation that is about to be written.

    Raises:
        InvalidInputError: there are none, a name is none that a table can show, or a value is no number.
    """
    if not metrics:
        raise InvalidInputError("an observation needs a metric", hint="for example auc=0.91")
    for name, value in metrics.items():
        if not _is_name(name):
            raise InvalidInputError(
                f"{str(name)[:40]!r} is no name of a metric: 1 to {NAME_LIMIT} characters, no spaces",
                facts={"key": str(name)[:NAME_LIMIT]},
            )
        # In a file a text may stand for what JSON has no number for; whoever measures has a number.
        if isinstance(value, str) or _number(value) is None:
            raise InvalidInputError(f"{name}: expected a number, found {value!r:.40}", facts={"key": name})
    return dict(metrics)


def line_of(at: datetime, metrics: Mapping[str, float]) -> bytes:
    """One line of a file, its line feed included.

    Raises:
        InvalidInputError: longer than a line may be.
    """
    said = {"at": iso(at), "metrics": {name: jsonable(value) for name, value in metrics.items()}}
    line = json.dumps(said, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    if len(line) > LINE_LIMIT:
        raise InvalidInputError(
            f"the observation would take {len(line):,} bytes, and a line holds {LINE_LIMIT:,}",
            hint="record fewer metrics at once",
        )
    return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that lines come from, as the kernel sees it.

    Attributes:
        name: what its name spells.
        owner: the file's owner.
        folder_owner: the uid that owns the folder.
        changed: when the file last changed, by the file system's clock.
    """

    name: FileName
    owner: Who
    folder_owner: int
    changed: datetime

    @property
    def validity(self) -> Validity:
        """What the lines are worth: the owner is who the name says, or a copy, or somebody who says to be another."""
        if self.owner.uid == self.name.uid:
            return Validity.ATTESTED
        return Validity.UNATTESTED if self.owner.uid == self.folder_owner else Validity.FORGED


def parse_line(line: bytes, source: Source) -> Observation | None:
    """What a line says, or None for one that cannot be understood."""
    if len(line) > LINE_LIMIT:
        return None
    try:
        said = json.loads(line)
        at = as_utc(datetime.fromisoformat(said["at"]))
        metrics = {name: number for name, value in said["metrics"].items() if (number := _number(value)) is not None}
        whole = len(metrics) == len(said["metrics"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        # Whatever JSON can hold in the place of what belongs there, and what no parser takes.
        return None
    if not metrics or not whole or not all(map(_is_name, metrics)):
        return None
    apart = (at - source.changed).total_seconds()
    return Observation(
        model=source.name.model,
        version=source.name.version,
        at=at,
        # A clock that runs ahead must not keep what it wrote in every window to come.
        when=source.changed if apart > CLOCK_SLACK else at,
        metrics=metrics,
        by=source.owner,
        host=source.name.host,
        validity=source.validity,
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and value not in {"nan", "inf", "-inf"}:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return value if isinstance(value, int) and math.isfinite(number) else number


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LIMIT:
        return False
    return name.isprintable() and not any(char.isspace() for char in name)
