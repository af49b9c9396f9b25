"""What the filter line means: words, ``!word``, ``tag:x``, ``stage:production``, ``auc>0.9``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.query import comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARISON: Final = re.compile(r"([A-Za-z_][\w.-]*)(<=|>=|!=|=|<|>|~)(.+)")
_FIELD: Final = re.compile(r"([A-Za-z_][\w.-]*):(.+)")
_WORD_FIELDS: Final = (
    "ref",
    "model",
    "label",
    "description",
    "tags",
    "author",
    "team",
    "framework",
    "stage",
    "license",
)
"""Where a plain word is looked for."""


class Filter:
    """A parsed filter line; what is not finished yet, such as ``auc>``, is a word until it is.

    Args:
        text: as it was typed.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._tests = [_test(word) for word in self.text.split()]

    def __bool__(self) -> bool:
        return bool(self._tests)

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Whether something with these fields is asked for: every word has to agree."""
        return all(test(fields) for test in self._tests)


def _test(word: str) -> Callable[[Mapping[str, Any]], bool]:
    if word.startswith("!") and len(word) > 1:
        wanted = _test(word[1:])
        return lambda fields: not wanted(fields)
    compared = _COMPARISON.fullmatch(word)
    if compared:
        return comparison(compared[1], compared[2], compared[3])
    named = _FIELD.fullmatch(word)
    if named:
        return comparison(named[1], "=", named[2])
    needle = word.casefold()
    return lambda fields: needle in haystack(fields)


def haystack(fields: Mapping[str, Any]) -> str:
    """Everything that a plain word is looked for in, in one text."""
    found: list[str] = []
    for name in _WORD_FIELDS:
        value = fields.get(name)
        if isinstance(value, tuple):
            found.extend(str(item) for item in value)
        elif value:
            found.append(str(value))
    return "\n".join(found).casefold()
