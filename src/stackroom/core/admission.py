"""What a record must be before it is written, beyond what one that is read may be.

A registry is older than any rule: whatever is in a file that can be understood is read and shown. Only what is new in
a record is held to these rules, so that a version with a metric of NaN can still get a team or a better description.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.metadata import Record, flat
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME_LIMIT: Final = 250
"""Characters in the name of a metric or a hyperparameter; as many as MLflow takes."""

_FIELDS: Final = (
    "archived",
    "author",
    "datasets",
    "description",
    "framework",
    "hyperparameters",
    "license",
    "lineage",
    "metrics",
    "signature",
    "source",
    "tags",
    "team",
)
"""What a record of the format may say, by the names at its top."""

_SHOWN: Final = 60
"""Characters of a name that an error repeats."""

_NOT_IN_A_NAME: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that a terminal obeys or nobody sees: control, format, surrogate, separators of lines."""


def check_new(record: Record, before: Record | None = None) -> None:
    """Refuse what a record newly says and should not.

    Names of metrics and hyperparameters have 1 to :data:`NAME_LIMIT` characters, none of them a control or format
    character and none of them a space at either end; metrics are finite.

    Args:
        record: what is to be written.
        before: what was said until now; the same names and values in it pass.

    Raises:
        InvalidInputError: with ``key`` in its facts.
    """
    known = before or Record()
    _check_names("metrics", record.metrics, known.metrics)
    _check_names("hyperparameters", flat(record.hyperparameters), flat(known.hyperparameters))
    for name, value in record.metrics.items():
        if math.isfinite(value) or repr(known.metrics.get(name)) == repr(value):
            continue
        raise InvalidInputError(
            f"metrics.{name}: {value} says nothing that could be compared; a metric is a finite number",
            hint="leave the metric out, or say in the description why there is none",
            facts={"key": f"metrics.{name}"},
        )


def _check_names(table: str, names: Iterable[str], known: Mapping[str, Any]) -> None:
    for name in names:
        if name in known:
            continue
        wrong = _wrong_name(name)
        if wrong:
            shown = repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…")
            raise InvalidInputError(f"{table}: {shown} cannot be a name: {wrong}", facts={"key": f"{table}.{name}"})


def _wrong_name(name: str) -> str:
    if not name.strip():
        return "it is empty"
    if name != name.strip():
        return "it begins or ends with a space"
    if len(name) > NAME_LIMIT:
        return f"it has {len(name)} characters, and {NAME_LIMIT} are the most"
    if any(unicodedata.category(char) in _NOT_IN_A_NAME for char in name):
        return "it holds a control character, or one that nobody sees"
    return ""


def nearly_known(record: Record, before: Record) -> tuple[str, ...]:
    """New fields of somebody's own whose names are nearly those of the format, in words.

    They are kept like any other, but whoever meant the field of the format finds nothing there.
    """
    new = [key for key in record.extra if key not in before.extra and key != "lineage"]
    if not new:
        return ()
    import difflib  # noqa: PLC0415 - few edits name a new field

    near = {key: difflib.get_close_matches(key, _FIELDS, n=1) for key in new}
    return tuple(f"{key} is a field of your own; did you mean {found[0]}?" for key, found in near.items() if found)
