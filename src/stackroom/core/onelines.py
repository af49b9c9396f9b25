"""The fields of a record on one line each, to be edited there: a text for every value that a line can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tomli_w

from stackroom.core.fields import LISTS, TEXTS, field_value, items_of
from stackroom.core.text import visible
from stackroom.core.toml import parse_toml
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from stackroom.core.threeway import Path

FIELDS: Final = (
    ("description",),
    ("tags",),
    ("license",),
    ("team",),
    ("author",),
    ("framework",),
    ("lineage", "parents"),
    ("lineage", "base_model"),
    ("datasets",),
    ("archived",),
)
"""The fields that every record may have, those first that people fill in most."""


def on_one_line(path: Path, value: object) -> str | None:
    """A value as it is edited on one line; None for one that a line cannot hold as it is.

    The inverse of :func:`of_one_line`.
    """
    if value is None:
        return ""
    if ".".join(path) in LISTS and isinstance(value, (list, tuple)):
        return ", ".join(value) if not any("," in item for item in value) else _one_line(_toml(list(value)))
    return _one_line(value if isinstance(value, str) else _toml(value))


def _one_line(text: str) -> str | None:
    return text if visible(text) == text else None


def of_one_line(path: Path, text: str, before: object = None) -> Any:  # noqa: ANN401 - TOML's types
    """What a line means as the value of a field; None for an empty one, which takes the field away.

    Args:
        path: of the field.
        text: as it was typed.
        before: what the field says now: where that is a list, a table or a time, the line is TOML.

    Raises:
        InvalidInputError: it should be TOML, and is not.
    """
    if not text.strip():
        return None
    key, stripped = ".".join(path), text.strip()
    if key in TEXTS:
        return text
    if key in LISTS:
        return _of_toml(key, stripped) if stripped.startswith("[") else items_of(text)
    plain = before is None or isinstance(before, (str, bool, int, float))
    if key == "datasets" or not plain or stripped[0] in "[{":
        return _of_toml(key, stripped)
    return field_value(key, text)


def _toml(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml_key(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return tomli_w.dumps({"value": value}).partition(" = ")[2].rstrip("\n")


def _toml_key(name: str) -> str:
    return tomli_w.dumps({name: 0}).rpartition(" = ")[0]


def _of_toml(key: str, text: str) -> Any:  # noqa: ANN401 - TOML's types
    try:
        return parse_toml(f"value = {text}".encode(errors="surrogatepass"), where=key)["value"]
    except InvalidInputError as error:
        example = '[{ name = "october", split = "test" }]' if key == "datasets" else '["one", "two"]'
        raise InvalidInputError(str(error), hint=f"written as in the file: {example}") from None


def kind_of(value: object) -> str:
    """What sort of value it is, in a word."""
    kinds = {bool: "yes or no", int: "whole number", float: "number", str: "text", list: "list", tuple: "list"}
    return "" if value is None else kinds.get(type(value), "table" if isinstance(value, dict) else "time")
