"""Metadata in a file of the user's: TOML or JSON, checked field by field, every complaint with file, line and key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stackroom.core.metadata import REVISION_KEYS, SEALED_KEYS, record_of
from stackroom.core.toml import METADATA_LIMIT, format_toml, line_of, parse_toml
from stackroom.errors import InvalidInputError
from stackroom.store.userfiles import STANDARD_INPUT, read_user_file

if TYPE_CHECKING:
    from collections.abc import Mapping


def metadata_from(path: str) -> dict[str, Any]:
    """The document in a ``.json`` file, or in a TOML file of any other name; ``-`` is TOML or JSON on stdin.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is not what it should be; facts ``file`` and, where known, ``line`` and ``key``.
    """
    return _checked(path)[0]


def metadata_text_from(path: str) -> str:
    """The same as TOML text; that of a TOML file as it stands, with its comments."""
    document, text = _checked(path)
    return format_toml(document) if text is None else text


def _checked(path: str) -> tuple[dict[str, Any], str | None]:
    """The document, and the text of a TOML file."""
    text = read_user_file(path, METADATA_LIMIT)
    is_json = path.lower().endswith(".json") or (path == STANDARD_INPUT and text.lstrip()[:1] == b"{")
    document = _json_document(text, path) if is_json else parse_toml(text, where=path)
    try:
        _refuse_sealed(document)
        record_of(document)
    except InvalidInputError as error:
        raise _placed(error, path, "" if is_json else text.decode()) from None
    return document, None if is_json else text.decode()


def _refuse_sealed(document: Mapping[str, Any]) -> None:
    for key in document:
        if key in SEALED_KEYS or key in REVISION_KEYS:
            raise InvalidInputError(f"{key}: written by the tool, and cannot be given", facts={"key": key})


def _placed(error: InvalidInputError, path: str, text: str) -> InvalidInputError:
    key = str(error.facts.get("key", ""))
    line = line_of(text, tuple(key.partition("[")[0].split("."))) if key else None
    place = f"{path}:{line}" if line else path
    facts = {"file": path, **error.facts} | ({"line": line} if line else {})
    return InvalidInputError(f"{place}: {error}", hint=error.hint, facts=facts)


def _json_document(text: bytes, path: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        place = f"{path}:{line}" if line else path
        message = getattr(error, "msg", None) or "nested too deep or not UTF-8"
        raise InvalidInputError(f"{place}: not JSON: {message}", facts={"file": path, "line": line}) from None
    if not isinstance(document, dict):
        raise InvalidInputError(f"{path}: expected a table", facts={"file": path})
    _check_values(document, path)
    return document


def _check_values(document: Mapping[str, Any], path: str, prefix: str = "") -> None:
    """Refuse what TOML cannot say: null, and whole numbers of more than 64 bits."""
    for key, value in document.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _check_values(item, path, f"{prefix}{key}.")
            elif item is None:
                raise InvalidInputError(
                    f"{path}: {prefix}{key}: null cannot be kept; leave the key out",
                    facts={"file": path, "key": f"{prefix}{key}"},
                )
            elif isinstance(item, int) and not -(2**63) <= item < 2**63:
                raise InvalidInputError(
                    f"{path}: {prefix}{key}: a whole number of more than 64 bits cannot be kept",
                    facts={"file": path, "key": f"{prefix}{key}"},
                )
