"""Numbers, sizes and times as people read them; the same words in the command line and in the interface."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from stackroom.core.metadata import as_utc, jsonable

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "age",
    "count",
    "duration",
    "field_text",
    "json_line",
    "json_text",
    "long_size",
    "number",
    "percent",
    "share",
    "signed",
    "size",
]

_LARGE: Final = 10**16
"""From here on a number is in scientific notation: it fills a column, and cut it looks like another one."""


def size(amount: float | None) -> str:
    """Bytes with a decimal unit, three significant digits: ``412M``, ``1.05G``; ``-`` where it is not known."""
    if amount is None:
        return "-"
    value = float(amount)
    for unit in ("B", "K", "M", "G", "T"):
        if value < 999.5 or unit == "T":
            digits = 0 if unit == "B" or value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:.{digits}f}{unit}"
        value /= 1000
    raise AssertionError


def long_size(amount: float) -> str:
    """Bytes in powers of 1,000, as disks are sold and rates are quoted: ``812 B``, ``4.1 MB``."""
    value = float(amount)
    if value < 1000:
        return f"{value:.0f} B"
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def duration(seconds: float) -> str:
    """A length of time in its one largest unit: ``8s``, ``5m``, ``3h``, ``12d``."""
    for limit, unit, length in ((60, "s", 1), (3600, "m", 60), (86400, "h", 3600), (86400 * 999, "d", 86400)):
        if seconds < limit:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds // (86400 * 365))}y"


def age(when: datetime | None, now: datetime) -> str:
    """How long ago: ``3h ago``; ``just now`` within a few seconds, and for a clock that runs ahead of ours."""
    if when is None:
        return "-"
    seconds = (as_utc(now) - as_utc(when)).total_seconds()
    return "just now" if seconds < 3 else f"{duration(seconds)} ago"


def signed(value: float | None) -> str:
    """A difference with its sign: ``+0.0035``; empty for None."""
    if value is None:
        return ""
    return f"{value:+.4g}" if math.isfinite(value) else str(value)


def percent(ratio: float | None) -> str:
    """A ratio as a signed percentage: ``+0.37%``; ``n/a`` for None."""
    return "n/a" if ratio is None else f"{ratio * 100:+.2f}%"


def share(ratio: float | None) -> str:
    """A ratio as per cent with its sign, three significant digits: ``+0.4%``; ``n/a`` where there is none."""
    return "n/a" if ratio is None or not math.isfinite(ratio) else f"{ratio * 100:+.3g}%"


def count(amount: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 version``, ``3 versions``."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def json_text(document: object) -> str:
    """A document as JSON that a terminal can be shown, too; ends with a line feed."""
    return _json(document, indent=2)


def json_line(document: object) -> str:
    """The same on one line, for a reader that takes documents one by one as they come."""
    return _json(document, indent=None)


def _json(document: object, indent: int | None) -> str:
    import json  # noqa: PLC0415 - 1 ms that a table does not need

    text = json.dumps(jsonable(document), indent=indent, ensure_ascii=True, allow_nan=False)
    # DEL is the one control character that JSON lets stand.
    return text.replace("\x7f", "\\u007f") + "\n"


def field_text(value: object) -> str:
    """A metadata value on one line, as people write it."""
    plain = jsonable(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, list) and all(isinstance(item, str) for item in plain):
        return ", ".join(plain)
    if not isinstance(plain, (list, dict)):
        return str(plain)
    import json  # noqa: PLC0415 - as for a document

    return json.dumps(plain, ensure_ascii=False)


def number(value: float, beside: float | None = None) -> str:
    """A metric for people: up to six significant digits, integers below 1e16 whole.

    Args:
        value: what to write.
        beside: what it is read beside; all digits where six would make the two look equal.
    """
    if isinstance(value, int) and abs(value) < _LARGE:
        return str(value)
    short = f"{value:.6g}"
    if beside is not None and beside != value and short == f"{beside:.6g}":
        return repr(value) if isinstance(value, int) else repr(float(value))
    return short
