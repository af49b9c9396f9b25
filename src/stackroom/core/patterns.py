"""Regular expressions that are compiled when they are first used.

Importing a module would compile all that it declares, and a command needs few of them: the twenty that ``list`` loads
take a quarter of bare Python's own start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr, cast

if TYPE_CHECKING:
    from re import Pattern


def pattern(text: AnyStr, flags: int = 0) -> Pattern[AnyStr]:
    """A regular expression as :func:`re.compile` makes it, but not now: a mistake in it is found when it is used.

    Args:
        text: the expression.
        flags: as there.
    """
    return cast("Pattern[AnyStr]", _Pattern(text, flags))


class _Pattern:
    """Stands for a regular expression and takes over what is asked of it, method by method."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._given = (text, flags)
        self._compiled: re.Pattern[Any] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of any kind
        # Called only for a name that was not asked for before.
        if self._compiled is None:
            self._compiled = re.compile(*self._given)
        value = getattr(self._compiled, name)
        setattr(self, name, value)
        return value
