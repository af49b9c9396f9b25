"""Values of ``registry.toml`` by their keys: each of the kind that is wanted, or an error that says where it stands.

Errors are :class:`WrongKeyError`; the store adds file and line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stackroom.core.metadata import wrong
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class WrongKeyError(InvalidInputError):
    """An error that knows its key as a path, for finding its line."""

    def __init__(self, path: tuple[str, ...], wanted: str, value: object) -> None:
        plain = wrong(".".join(path), wanted, value)
        super().__init__(str(plain), facts={"key": ".".join(path), "path": list(path)})


def only_known(table: Mapping[str, Any], keys: Iterable[str], path: tuple[str, ...]) -> None:
    """Refuse a key that nobody knows, with the one that was perhaps meant."""
    known = tuple(keys)
    for key in table:
        if key not in known:
            import difflib  # noqa: PLC0415 - only for the one who mistyped

            near = difflib.get_close_matches(key, known, n=1)
            wanted = f"{near[0]!r} perhaps; known are {', '.join(known)}" if near else f"one of {', '.join(known)}"
            raise WrongKeyError((*path, key), wanted, key)


def table_of(parent: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The table at a path, by the last of its parts; empty where there is none."""
    value = parent.get(path[-1], {})
    if not isinstance(value, dict):
        raise WrongKeyError(path, "a table", value)
    return value


def text_of(parent: Mapping[str, Any], path: tuple[str, ...], *, required: bool = False) -> str:
    """The text at a path; empty where there is none."""
    value = parent.get(path[-1], "")
    if not isinstance(value, str) or (required and not re.fullmatch(r"[\w.-]{1,64}", value)):
        raise WrongKeyError(path, "1 to 64 letters, digits, '-', '_' and '.'" if required else "text", value)
    return value


def flag_of(parent: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """The truth at a path; False where there is none."""
    value = parent.get(path[-1], False)
    if not isinstance(value, bool):
        raise WrongKeyError(path, "true or false", value)
    return value


def texts_of(parent: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """The list of texts at a path; empty where there is none."""
    value = parent.get(path[-1], [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongKeyError(path, "a list of texts", value)
    return tuple(value)
