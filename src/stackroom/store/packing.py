"""A model's own metadata as compact text and back, for the index, which has it of every model that a list shows.

JSON in our own order of fields, so that it cannot do anything when it is read; times are tagged, because JSON has none.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.metadata import Dataset, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TAG: Final = "\0"
"""Starts the one key of an object that stands for something that JSON has not; texts may hold it, escaped."""

_TAG_IN_TEXT: Final = b'"\\u0000'
_HEAD: Final = ("author", "team", "description", "archived")
_REST: Final = ("license", "framework", "source", "hyperparameters", "base_model", "signature", "extra")


def packed_record(record: Record) -> str:
    """A record as text."""
    return _bytes([_head_of(record), _rest_of(record)]).decode()


def unpacked_record(text: str) -> Record:
    """The inverse of :func:`packed_record`.

    Raises:
        ValueError: the text is not one of its.
    """
    head, rest = _value(text.encode())
    return Record(**_head_fields(head), **_rest_fields(rest))


@lru_cache(maxsize=1024)
def shown_of_record(text: str) -> tuple[str, bool]:
    """Of a record that :func:`packed_record` wrote its description, and whether it is archived.

    Raises:
        ValueError: the text is not one of its.
    """
    _, _, description, archived, *_ = json.loads(text)[0]
    return description, archived


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
