"""Versions as compact bytes and back: what the index keeps of a version, and nothing that a scan would not find.

A version is kept in two parts, because a list of thousands needs few fields of each: the *head* holds what lists show,
the *rest* everything else. Both are JSON in our own order of fields, so that they cannot do anything when they are
read; times are tagged, because JSON has none. Names of users, folders, stages and problems are not kept: they are what
they are when somebody looks.
"""

from __future__ import annotations

import json
from binascii import crc32
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.metadata import Dataset, Record, RevisionNote, Seal
from stackroom.core.values import dataclass, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stackroom.store.records import Version

_TAG: Final = "\0"
"""Starts the one key of an object that stands for something that JSON has not; texts may hold it, escaped."""

_TAG_IN_TEXT: Final = b'"\\u0000'
_HEAD: Final = ("author", "team", "description", "archived")
_REST: Final = ("license", "framework", "source", "hyperparameters", "base_model", "signature", "extra")


@dataclass(frozen=True, slots=True)
class Packed:
    """A version's record as bytes.

    Attributes:
        head: what lists show.
        rest: everything else.
        check: a sum over both, by which damage is noticed before anybody is told something wrong.
    """

    head: bytes
    rest: bytes
    check: int

    @property
    def whole(self) -> bool:
        """Whether the bytes are those that were packed."""
        return crc32(self.rest, crc32(self.head)) == self.check


def packed(version: Version) -> Packed:
    """A version that was read without a problem, as bytes.

    Raises:
        ValueError: it was not: there is no seal.
    """
    seal, note = version.seal, version.note
    if seal is None:
        raise ValueError(str(version.ref))
    head = _bytes(_head_of(version.record))
    rest = _bytes(
        [
            version.revision,
            version.card_revision,
            version.metadata_digest,
            [seal.model, seal.uid, seal.created.isoformat(), seal.files, seal.bytes, seal.digest],
            note and [note.revised.isoformat(), note.revised_by, note.reason, note.previous],
            _rest_of(version.record),
        ]
    )
    return Packed(head, rest, crc32(rest, crc32(head)))


def unpacked(head: bytes, rest: bytes, known: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a version that its bytes tell, each understood when it, or one of its fields, is asked for.

    Args:
        head: as it was packed.
        rest: likewise.
        known: fields of the seal that need no understanding.
    """
    cached: list[Any] = []

    def others() -> list[Any]:
        cached[:] = cached or _value(rest)
        return cached

    return {
        "seal": folded(Seal, lambda _: _seal_fields(others()[3]), **known),
        "record": folded_record(head, lambda: others()[5]),
    }


def remaining(rest: bytes) -> dict[str, Any]:
    """The fields of a version that its head and seal do not tell."""
    revision, card, digest, _, note, _ = _value(rest)
    when = datetime.fromisoformat
    return {
        "revision": revision,
        "card_revision": card,
        "metadata_digest": digest,
        "note": note and RevisionNote(revised=when(note[0]), revised_by=note[1], reason=note[2], previous=note[3]),
    }


def _seal_fields(values: list[Any]) -> dict[str, Any]:
    model, uid, created, files, size, digest = values
    when = datetime.fromisoformat(created)
    return {"model": model, "uid": uid, "created": when, "files": files, "bytes": size, "digest": digest}


def folded_record(head: bytes, rest: Callable[[], list[Any]]) -> Record:
    """A record whose parts are understood when a field of theirs is asked for."""

    def unfold(name: str) -> Mapping[str, Any]:
        return _head_fields(_value(head)) if name in _IN_HEAD else _rest_fields(rest())

    return folded(Record, unfold)


def packed_record(record: Record) -> str:
    """A record alone, as text: a model's own metadata."""
    return _bytes([_head_of(record), _rest_of(record)]).decode()


def unpacked_record(text: str) -> Record:
    """The inverse of :func:`packed_record`.

    Raises:
        ValueError: the text is not one of its.
    """
    head, rest = _value(text.encode())
    return Record(**_head_fields(head), **_rest_fields(rest))


def _head_of(record: Record) -> list[Any]:
    return [*(getattr(record, name) for name in _HEAD), record.tags, record.metrics]


def _rest_of(record: Record) -> list[Any]:
    datasets = [[one.name, one.uri, one.digest, one.split, one.rows, one.extra] for one in record.datasets]
    return [*(getattr(record, name) for name in _REST), datasets, record.parents]


def _head_fields(values: list[Any]) -> dict[str, Any]:
    *plain, tags, metrics = values
    return {**dict(zip(_HEAD, plain, strict=True)), "tags": tuple(tags), "metrics": metrics}


def _rest_fields(values: list[Any]) -> dict[str, Any]:
    *plain, datasets, parents = values
    found = tuple(
        Dataset(name=name, uri=uri, digest=digest, split=split, rows=rows, extra=extra)
        for name, uri, digest, split, rows, extra in datasets
    )
    return {**dict(zip(_REST, plain, strict=True)), "datasets": found, "parents": tuple(parents)}


_IN_HEAD: Final = frozenset({*_HEAD, "tags", "metrics"})


# --- JSON with TOML's times


def _bytes(value: object) -> bytes:
    try:
        text = json.dumps(value, separators=(",", ":")).encode()
    except TypeError:
        text = _TAG_IN_TEXT
    if _TAG_IN_TEXT in text:
        # A time somewhere, or a key or text of somebody's that could be taken for a tag.
        text = json.dumps(_tagged(value), separators=(",", ":")).encode()
    return text


def _value(text: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    value = json.loads(text.decode("ascii"))
    return _untagged(value) if _TAG_IN_TEXT in text else value


def _tagged(value: object) -> Any:  # noqa: ANN401 - JSON's types
    match value:
        case dict():
            if any(key.startswith(_TAG) for key in value):
                return {_TAG: [[key, _tagged(item)] for key, item in value.items()]}
            return {key: _tagged(item) for key, item in value.items()}
        case list() | tuple():
            return [_tagged(item) for item in value]
        case datetime() | date() | time():
            return {_TAG + type(value).__name__: value.isoformat()}
        case _:
            return value


def _untagged(value: object) -> Any:  # noqa: ANN401 - TOML's types
    match value:
        case list():
            return [_untagged(item) for item in value]
        case dict():
            for key, item in value.items():
                if key.startswith(_TAG):
                    return _TAGS[key](item)
            return {key: _untagged(item) for key, item in value.items()}
        case _:
            return value


_TAGS: Final[Mapping[str, Callable[[Any], Any]]] = {
    _TAG: lambda pairs: {key: _untagged(item) for key, item in pairs},
    f"{_TAG}datetime": datetime.fromisoformat,
    f"{_TAG}date": date.fromisoformat,
    f"{_TAG}time": time.fromisoformat,
}
