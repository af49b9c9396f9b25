"""Values as people read and write them: sizes, times, numbers, and ``key=value`` on the command line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.fields import field_value, looks_like_number, typed
from stackroom.core.metadata import as_utc
from stackroom.core.show import number
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MISSING: Final = "-"
"""What a table shows where there is nothing."""


def time_text(when: datetime | None) -> str:
    """A time for people, to the minute, in UTC as everything in a registry is."""
    return as_utc(when).strftime("%Y-%m-%d %H:%M") if when else MISSING


def metric_text(value: float | None) -> str:
    """A metric for people: six significant digits."""
    return MISSING if value is None else number(value)


def pair(text: str, option: str) -> tuple[str, str]:
    """``key=value``, split.

    Raises:
        UsageError: it is not.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"{option} {text!r}: expected key=value", hint=f"for example {_EXAMPLES.get(option, option)}")
    return key.strip(), value


def pairs(texts: Iterable[str], option: str) -> Iterator[tuple[str, str, str]]:
    """Every text that an option was given, with its key and value.

    Raises:
        UsageError: one is not ``key=value``, or two have the same key.
    """
    seen: set[str] = set()
    for text in texts:
        key, value = pair(text, option)
        if key in seen:
            raise UsageError(f"{option} gives {key} twice", hint="which of them is meant?", facts={"key": key})
        seen.add(key)
        yield text, key, value


_EXAMPLES: Final = {
    "--metric": "--metric auc=0.934",
    "--param": "--param learning_rate=0.05",
    "--dataset": "--dataset name=transactions,split=test,digest=xxh128:0f…",
    "--set": "--set metrics.auc=0.934",
    "--stage": "--stage production=ml-release",
    "observe": "stackroom observe fraud@production auc=0.91",
}


def metrics_of(texts: Iterable[str], option: str = "--metric") -> dict[str, float]:
    """``auc=0.93`` and more, as metrics.

    Raises:
        UsageError: a value is not a number, a name is none that a table can show, or is there twice.
    """
    found: dict[str, float] = {}
    for text, name, value in pairs(texts, option):
        if not name.isprintable() or any(char.isspace() for char in name):
            raise UsageError(
                f"{option} {text!r}: the name of a metric has no spaces or control characters",
                hint=f"for example {_EXAMPLES[option]}",
            )
        meant = typed(value)
        if isinstance(meant, str) and looks_like_number(value):
            raise UsageError(f"{option} {text!r}: {value.strip()} is too large a number")
        if isinstance(meant, bool) or not isinstance(meant, (int, float)):
            raise UsageError(f"{option} {text!r}: {value!r} is not a number", hint=f"for example {_EXAMPLES[option]}")
        found[name] = meant
    return found


def parameters_of(texts: Iterable[str]) -> dict[str, Any]:
    """``lr=0.05`` and more, as hyperparameters; errors as :func:`pairs`."""
    return {name: typed(value) for _, name, value in pairs(texts, "--param")}


_DATASET_KEYS: Final = ("name", "uri", "digest", "split", "rows")


def dataset_of(text: str) -> dict[str, Any]:
    """``name=…,uri=…,digest=…,split=…,rows=…`` as a dataset; a value may hold commas where no ``key=`` follows.

    Raises:
        UsageError: a key is unknown or missing.
    """
    dataset: dict[str, Any] = {}
    for part in re.split(r",(?=\s*[a-z_]+\s*=)", text):
        key, value = pair(part, "--dataset")
        if key in dataset:
            raise UsageError(f"--dataset {text!r}: {key} is there twice", facts={"key": key})
        if key not in _DATASET_KEYS:
            raise UsageError(f"--dataset {text!r}: {key!r} is not one of {', '.join(_DATASET_KEYS)}")
        dataset[key] = value
    if not dataset.get("name"):
        raise UsageError(f"--dataset {text!r}: it needs a name", hint=f"for example {_EXAMPLES['--dataset']}")
    if "rows" in dataset:
        rows = typed(dataset["rows"])
        if isinstance(rows, bool) or not isinstance(rows, int):
            raise UsageError(f"--dataset {text!r}: rows is a whole number")
        dataset["rows"] = rows
    return dataset


def field_of(text: str) -> tuple[str, Any]:
    """``--set key=value`` as a field and its value, in the type that the field has.

    Tags and parents are lists, separated by commas; texts stay texts; everything else is :func:`typed`.

    Raises:
        UsageError: it is not ``key=value``, or a metric is not a number.
    """
    key, value = pair(text, "--set")
    if key.startswith("metrics."):
        return key, metrics_of([text], "--set")[key]
    return key, field_value(key, value)


def fields_of(texts: Iterable[str]) -> dict[str, Any]:
    """``--set key=value`` and more, as :func:`field_of` understands each.

    Raises:
        UsageError: one makes no sense, or two set the same field.
    """
    return dict(field_of(text) for text, _, _ in pairs(texts, "--set"))


def instant_of(text: str) -> datetime:
    """A time as typed: ISO 8601, in UTC where it names no offset. A day alone, however written, means its end in UTC.

    Raises:
        UsageError: it is no time.
    """
    typed_text = text.strip()
    try:
        day = date.fromisoformat(typed_text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time.max, UTC)
    try:
        return as_utc(datetime.fromisoformat(typed_text))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a time",
            hint="2026-05-03 (the end of that day, UTC), 2026-05-03T14:00, 2026-05-03T14:00Z or 2026-05-03T14:00+02:00",
        ) from None
