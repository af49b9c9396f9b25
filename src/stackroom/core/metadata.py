"""What is said about a model or a version: the record people edit, and the seal they cannot.

Knows every field of ``version.toml`` and of its revisions, and for every wrong value its key. Unknown keys are
kept, so that a newer stackroom, or a team's own tool, can add some. Times are aware UTC, sizes bytes.
"""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.names import parse_ref
from stackroom.core.toml import what_no_file_holds
from stackroom.core.values import Unfolding, dataclass, field
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT: Final = 1
"""The version of the on-disk format that this program writes, and the highest that it reads."""

SEALED_KEYS: Final = ("format", "model", "uid", "created", "artifacts")
"""Written once by the tool; no revision changes them."""

REVISION_KEYS: Final = ("revised", "revised_by", "reason", "previous")
"""What a revision says about itself, beside the whole record."""

_NOT_EDITABLE: Final = frozenset({*SEALED_KEYS, *REVISION_KEYS})

TAG_LIMIT: Final = 128
"""Characters in a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Data that a version was trained or evaluated on.

    Attributes:
        name: how people call it.
        uri: where it is.
        digest: of its content, ``algorithm:hex``; what makes metrics comparable.
        split: ``train``, ``test`` or any other part.
        rows: how many.
        extra: unknown keys, kept.
    """

    name: str
    uri: str = ""
    digest: str = ""
    split: str = ""
    rows: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Unfolding):
    """The editable part of the metadata, of a version or of a model.

    Attributes:
        author: a label; the folder's owner is the evidence.
        team: who answers for it.
        description: one or a few lines.
        tags: words, or ``key=value``.
        license: an SPDX expression.
        framework: what loads it, with its version.
        source: where it came from: run, url, git_commit, git_dirty, host, command, slurm_job …
        datasets: what it was trained and evaluated on.
        hyperparameters: any TOML values.
        metrics: finite numbers, NaN or infinities.
        parents: references of the versions it was made from.
        base_model: what it was fine-tuned from, if that is elsewhere.
        signature: inputs and outputs, as tables.
        archived: not shown unless asked for.
        extra: unknown keys, kept.
    """

    author: str = ""
    team: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    license: str = ""
    framework: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[Dataset, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    base_model: str = ""
    signature: Mapping[str, Any] = field(default_factory=dict)
    archived: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(Unfolding):
    """What the tool wrote when the version was published.

    Attributes:
        model: the model it was registered for; the number is the folder's name alone.
        uid: a UUID; recognises our own rename after a lost reply.
        created: when, by the registering host's clock.
        files: how many artifacts.
        bytes: of all artifacts.
        digest: ``sha256:…`` of the file SHA256SUMS.
    """

    model: str
    uid: str
    created: datetime
    files: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionNote:
    """What a revision says about itself.

    Attributes:
        revised: when, by the editing host's clock.
        revised_by: ``uid:name``, a label; the file's owner is the evidence.
        reason: why.
        previous: ``sha256:…`` of the text it replaces; empty for a model's first.
    """

    revised: datetime
    revised_by: str
    reason: str = ""
    previous: str = ""


class _Reader:
    """Takes typed values out of a parsed document; what is left over is unknown."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self.rest = dict(document)
        self.where = where

    def take(self, key: str, kind: type | tuple[type, ...], wanted: str, default: Any = None) -> Any:  # noqa: ANN401 - TOML's types
        """Take one value out, if it is of the kind; the default where it is missing."""
        value = self.rest.pop(key, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise wrong(self.where + key, wanted, value)
        return value

    def text(self, key: str) -> str:
        """Take a text out; empty where there is none."""
        return str(self.take(key, str, "text", ""))

    def table(self, key: str) -> dict[str, Any]:
        """Take a table out, as a copy; empty where there is none."""
        return dict(self.take(key, dict, "a table", {}))

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts out."""
        values = self.take(key, (list, tuple), "a list of texts", ())
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise wrong(f"{self.where}{key}[{index}]", "text", value)
        return tuple(values)


def wrong(key: str, wanted: str, value: object) -> InvalidInputError:
    """The error for a value of the wrong kind, naming its key."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:59] + "…"
    return InvalidInputError(f"{key}: expected {wanted}, found {shown}", facts={"key": key})


def record_of(document: Mapping[str, Any]) -> Record:
    """The editable record in a parsed document; sealed and revision keys in it are left aside.

    Raises:
        InvalidInputError: with ``key`` in its facts.
    """
    odd = what_no_file_holds(document)
    if odd:
        raise InvalidInputError(f"{odd[0]}: {odd[1]}", facts={"key": odd[0]})
    return record_in(document)


def record_in(document: Mapping[str, Any]) -> Record:
    """The same of a document that comes from a file, and so holds nothing that no file can hold."""
    reader = _Reader({key: value for key, value in document.items() if key not in _NOT_EDITABLE}, "")
    lineage = _Reader(reader.table("lineage"), "lineage.")
    parents = lineage.texts("parents")
    for index, parent in enumerate(parents):
        try:
            parse_ref(parent)
        except InvalidInputError:
            raise wrong(f"lineage.parents[{index}]", "a reference such as fraud-detector:6", parent) from None
    base_model = lineage.text("base_model")
    return Record(
        author=reader.text("author"),
        team=reader.text("team"),
        description=reader.text("description"),
        tags=_tags(reader),
        license=reader.text("license"),
        framework=reader.text("framework"),
        source=reader.table("source"),
        datasets=_datasets(reader),
        hyperparameters=reader.table("hyperparameters"),
        metrics=_metrics(reader),
        parents=parents,
        base_model=base_model,
        signature=reader.table("signature"),
        archived=reader.take("archived", bool, "true or false", default=False),
        # The last, because it is what all the others left.
        extra=reader.rest | ({"lineage": lineage.rest} if lineage.rest else {}),
    )


def _tags(reader: _Reader) -> tuple[str, ...]:
    tags = reader.texts("tags")
    for index, tag in enumerate(tags):
        if not tag.strip() or len(tag) > TAG_LIMIT:
            raise wrong(f"tags[{index}]", f"1 to {TAG_LIMIT} characters", tag)
    return tuple(dict.fromkeys(tags))


def _metrics(reader: _Reader) -> dict[str, float]:
    metrics = reader.table("metrics")
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong(f"metrics.{name}", "a number", value)
    return metrics


def _datasets(reader: _Reader) -> tuple[Dataset, ...]:
    entries = reader.take("datasets", (list, tuple), "a list of tables", [])
    found: list[Dataset] = []
    for index, entry in enumerate(entries):
        place = f"datasets[{index}]"
        if not isinstance(entry, dict):
            raise wrong(place, "a table", entry)
        one = _Reader(entry, place + ".")
        name = one.text("name")
        if not name:
            raise wrong(place + ".name", "a name", entry.get("name"))
        rows = one.take("rows", int, "a whole number")
        if rows is not None and rows < 0:
            raise wrong(place + ".rows", "a number of rows", rows)
        found.append(
            Dataset(
                name=name,
                uri=one.text("uri"),
                digest=one.text("digest"),
                split=one.text("split"),
                rows=rows,
                extra=one.rest,
            )
        )
    return tuple(found)


def seal_of(document: Mapping[str, Any]) -> Seal:
    """The sealed part of a parsed ``version.toml``.

    Raises:
        InvalidInputError: with ``key`` in its facts; also for a format that is newer than this program.
    """
    reader = _Reader(document, "")
    written = reader.take("format", int, "a whole number")
    if written is None or written < 1:
        raise wrong("format", str(FORMAT), written)
    if written > FORMAT:
        raise InvalidInputError(
            f"format: {written} is newer than this program, which reads {FORMAT}",
            hint="upgrade stackroom",
            facts={"key": "format"},
        )
    created = reader.take("created", datetime, "a time")
    if created is None:
        raise wrong("created", "a time", None)
    artifacts = _Reader(reader.table("artifacts"), "artifacts.")
    seal = Seal(
        model=reader.text("model"),
        uid=reader.text("uid"),
        created=as_utc(created),
        files=_count(artifacts, "files"),
        bytes=_count(artifacts, "bytes"),
        digest=artifacts.text("digest"),
    )
    if not is_digest(seal.digest):
        raise wrong("artifacts.digest", "sha256: and 64 hexadecimal digits", seal.digest)
    return seal


def _count(reader: _Reader, key: str) -> int:
    count = reader.take(key, int, "a whole number", 0)
    if count < 0:
        raise wrong(reader.where + key, "a number of 0 or more", count)
    return int(count)


def is_digest(text: str) -> bool:
    """Whether the text is ``sha256:`` with 64 lower-case hexadecimal digits."""
    algorithm, _, digits = text.partition(":")
    return algorithm == "sha256" and len(digits) == 64 and not digits.strip("0123456789abcdef")


def note_of(document: Mapping[str, Any]) -> RevisionNote:
    """What a parsed revision says about itself.

    Raises:
        InvalidInputError: with ``key`` in its facts.
    """
    reader = _Reader(document, "")
    revised = reader.take("revised", datetime, "a time")
    if revised is None:
        raise wrong("revised", "a time", None)
    return RevisionNote(
        revised=as_utc(revised),
        revised_by=reader.text("revised_by"),
        reason=reader.text("reason"),
        previous=reader.text("previous"),
    )


def as_utc(when: datetime) -> datetime:
    """The time as aware UTC; one without an offset, or at the very end of the calendar, is taken to be UTC already."""
    if when.tzinfo is not None:
        with contextlib.suppress(OverflowError):
            return when.astimezone(UTC)
    return when.replace(tzinfo=UTC)


def document_of(record: Record) -> dict[str, Any]:
    """The record as a TOML document, without what is empty; the inverse of :func:`record_of`."""
    document: dict[str, Any] = {}
    for name in ("author", "team", "description", "tags", "license", "framework"):
        value = getattr(record, name)
        if value:
            document[name] = list(value) if name == "tags" else value
    if record.archived:
        document["archived"] = True
    extra = dict(record.extra)
    lineage = _lineage_document(record, extra.pop("lineage", {}))
    document |= {key: value for key, value in extra.items() if not isinstance(value, dict)}
    tables: dict[str, Any] = {
        "source": dict(record.source),
        "datasets": [_dataset_document(dataset) for dataset in record.datasets],
        "hyperparameters": dict(record.hyperparameters),
        "metrics": dict(record.metrics),
        "lineage": lineage,
        "signature": dict(record.signature),
    }
    document |= {key: table for key, table in tables.items() if table}
    return document | {key: value for key, value in extra.items() if isinstance(value, dict)}


def _lineage_document(record: Record, extra: Mapping[str, Any]) -> dict[str, Any]:
    lineage: dict[str, Any] = {"parents": list(record.parents)} if record.parents else {}
    if record.base_model:
        lineage["base_model"] = record.base_model
    return lineage | dict(extra)


def _dataset_document(dataset: Dataset) -> dict[str, Any]:
    document: dict[str, Any] = {"name": dataset.name}
    for name in ("uri", "digest", "split"):
        if getattr(dataset, name):
            document[name] = getattr(dataset, name)
    if dataset.rows is not None:
        document["rows"] = dataset.rows
    return document | dict(dataset.extra)


def sealed_document(seal: Seal, record: Record) -> dict[str, Any]:
    """The whole ``version.toml`` as a TOML document."""
    head = {"format": FORMAT, "model": seal.model, "uid": seal.uid, "created": seal.created}
    artifacts = {"files": seal.files, "bytes": seal.bytes, "digest": seal.digest}
    return head | document_of(record) | {"artifacts": artifacts}


def note_document(note: RevisionNote) -> dict[str, Any]:
    """What a revision says about itself, as TOML keys, without what is empty."""
    document: dict[str, Any] = {"revised": note.revised, "revised_by": note.revised_by}
    if note.reason:
        document["reason"] = note.reason
    if note.previous:
        document["previous"] = note.previous
    return document


def with_field(record: Record, key: str, value: object) -> Record:
    """The record with one field set, named as it stands in the file: ``metrics.auc``, ``team``, ``lineage.parents``.

    Raises:
        InvalidInputError: the key is sealed, or the value does not fit it.
    """
    document = document_of(record)
    path = editable_path(key)
    table = document
    for part in path[:-1]:
        inner = table.get(part, {})
        if not isinstance(inner, dict):
            raise wrong(key, f"{part} to be a table", inner)
        table[part] = dict(inner)
        table = table[part]
    table[path[-1]] = value
    return record_of(document)


def without_field(record: Record, key: str) -> Record:
    """The record without one field.

    Raises:
        InvalidInputError: the key is sealed, or there is no such field.
    """
    document = document_of(record)
    path = editable_path(key)
    table = document
    for part in path[:-1]:
        inner = table.get(part)
        if not isinstance(inner, dict):
            raise InvalidInputError(f"{key}: there is no such field", facts={"key": key})
        table[part] = dict(inner)
        table = table[part]
    if path[-1] not in table:
        raise InvalidInputError(f"{key}: there is no such field", facts={"key": key})
    del table[path[-1]]
    return record_of(document)


def editable_path(key: str) -> tuple[str, ...]:
    """Where a field that is named as in the file stands in the document.

    Raises:
        InvalidInputError: the key is sealed, or no name of a field.
    """
    head, _, rest = key.partition(".")
    if head in SEALED_KEYS or head in REVISION_KEYS:
        raise InvalidInputError(
            f"{key}: written by the tool and sealed", hint="register a new version instead", facts={"key": key}
        )
    if not head or (not rest and key.endswith(".")):
        raise InvalidInputError(f"{key!r}: not the name of a field", facts={"key": key})
    if head in _TABLES:
        # A metric may be called "val.auc": only the table's own name is split off.
        return (head, rest) if rest else (head,)
    return tuple(key.split("."))


_TABLES: Final = frozenset({"source", "hyperparameters", "metrics", "lineage", "signature"})


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A document with its tables dissolved into dotted keys: what a difference or a search compares."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def has_field(record: Record, key: str) -> bool:
    """Whether a field, named as in the file, says anything: present, and neither empty nor NaN."""
    document = document_of(record)
    head, _, rest = key.partition(".")
    value = document.get(head)
    if rest:
        # A metric may be called "val.auc", and a hyperparameter may lie in a table of its own.
        value = value.get(rest, flat(value).get(rest)) if isinstance(value, dict) else None
    if isinstance(value, float):
        return not math.isnan(value)
    return value is not None and value not in ("", [], {})


def jsonable(value: object) -> Any:  # noqa: ANN401 - JSON's types
    """A TOML value in JSON's types: times as ISO 8601 with Z, NaN and infinities as texts."""
    convert: dict[type, Callable[[Any], Any]] = {
        datetime: iso,
        date: lambda day: day.isoformat(),
        time: lambda clock: clock.isoformat(),
        float: lambda number: number if math.isfinite(number) else str(number),
        tuple: lambda items: [jsonable(item) for item in items],
        list: lambda items: [jsonable(item) for item in items],
        dict: lambda table: {str(key): jsonable(item) for key, item in table.items()},
    }
    return convert.get(type(value), lambda plain: plain)(value)


def iso(when: datetime) -> str:
    """The time as ``2026-11-23T04:22:00Z``, with microseconds where there are some."""
    return as_utc(when).isoformat().replace("+00:00", "Z")


RECORD_FIELDS: Final = tuple(Record.__annotations__)
"""The names of the fields, in the order of the file."""
