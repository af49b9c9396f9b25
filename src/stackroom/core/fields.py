"""What people type for a field of a record, and the value that it means."""

from __future__ import annotations

import math
import re
from typing import Any, Final

_INTEGER: Final = r"[-+]?(0|[1-9][0-9_]*)"
_FLOAT: Final = r"[-+]?(?:(0|[1-9][0-9_]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?(nan|inf)"
"""No zero in front of another digit: ``007`` is a name."""

LISTS: Final = frozenset({"tags", "lineage.parents"})
"""Fields that are lists of texts, typed with commas between."""

TEXTS: Final = frozenset({"author", "team", "description", "license", "framework", "lineage.base_model"})
"""Fields that are texts, whatever is typed."""


def looks_like_number(text: str) -> bool:
    """Whether the text is written as a number, be it one that nothing can hold."""
    stripped = text.strip()
    return bool(re.fullmatch(_INTEGER, stripped) or re.fullmatch(_FLOAT, stripped))


def typed(text: str) -> Any:  # noqa: ANN401 - TOML's types
    """What a typed value means: a whole number, a number, true or false, else the text itself."""
    stripped = text.strip()
    if stripped in {"true", "false"}:
        return stripped == "true"
    if re.fullmatch(_INTEGER, stripped):
        # A number that TOML cannot hold stays a text: as a float it would lose its last digits without a word.
        return int(stripped) if len(stripped) < 30 and -(2**63) <= int(stripped) < 2**63 else text
    if re.fullmatch(_FLOAT, stripped):
        try:
            value = float(stripped)
        except ValueError:
            return text
        # The same of one that no float holds: it was not infinity that was typed.
        return text if math.isinf(value) and "inf" not in stripped else value
    return text


def field_value(key: str, text: str) -> Any:  # noqa: ANN401 - TOML's types
    """What is typed for a field, in the type that the field has.

    Tags and parents are lists, separated by commas; texts stay texts; everything else is :func:`typed`.
    """
    if key in LISTS:
        return items_of(text)
    if key in TEXTS or (key.startswith("source.") and text not in {"true", "false"}):
        return text
    return typed(text)


def items_of(text: str) -> list[str]:
    """What stands between commas."""
    return [item.strip() for item in text.split(",") if item.strip()]
