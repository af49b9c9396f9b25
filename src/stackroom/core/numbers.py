"""Numbers of other libraries: what a training script hands over is often numpy's."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def plain_numbers(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every number as Python's own ``int`` or ``float``; anything else stays as it is.

    numpy registers its scalars with :mod:`numbers`, so that they are known without importing numpy. What is not a
    mapping is not looked into: whoever checks the document says what is wrong with it.
    """
    if not hasattr(document, "items"):
        return document  # type: ignore[return-value]  # no mapping at all: record_of names the mistake
    return {key: _plain(value) for key, value in document.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever somebody hands over
    if isinstance(value, (bool, int, str)) or type(value) is float:
        return value
    if isinstance(value, dict):
        return plain_numbers(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value
