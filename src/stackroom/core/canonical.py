"""TOML in the forms that people and this tool write, read in a fifth of the time of the standard library's parser.

A metadata file has lines of few forms: a header, ``key = value`` with a simple value, a list or a small table of such
values, a comment. This reader knows these and nothing else. It never says that a text is wrong: what it does not know
is left to ``tomllib``, which understands everything and words the errors. Where it does answer, it answers as
``tomllib`` would; the tests look for a text where that is not so.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Table = dict[str, Any]

_KEY: Final = r'(?:(?P<bare>[A-Za-z0-9_-]++)|"(?P<quoted>[^"\\\x00-\x1f\x7f]++)")[ ]*+=[ ]*+'
_SIMPLE: Final = r"""
    (?P<text>"[^"\\\x00-\x1f\x7f]*+")
  | (?P<float>-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)|inf|nan))(?![0-9._eE])
  | (?P<integer>-?(?:0|[1-9][0-9]{0,17}+))(?![0-9._eE:-])  # longer ones may not fit 64 bits
  | (?P<flag>true|false)
"""
_END: Final = r"[ \t]*+(?:[#][^\x00-\x08\x0a-\x1f\x7f]*+)?(?:\n|\Z)"
_NAME: Final = r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++){0,7}+"

_LINE: Final = re.compile(
    rf"""(?:
        {_KEY}(?:{_SIMPLE}
          | (?P<time>[0-9]{{4}}-[0-9T\ :.-]++(?:Z|\+00:00))
        )
      | \[(?P<table>{_NAME})\]
      | \[\[(?P<element>{_NAME})\]\]
      |
    ){_END}""",
    re.VERBOSE,
)
_TABLE: Final = _LINE.groupindex["table"]
_ELEMENT: Final = _LINE.groupindex["element"]
_BEFORE_VALUE: Final = re.compile(_KEY)
_ITEM: Final = re.compile(_SIMPLE, re.VERBOSE)
_REST: Final = re.compile(_END)


def read_canonical(text: str) -> Table | None:
    """The document, where every line of it has a form that is known here; None where one has another."""
    try:
        return _Reader(text).read()
    except (_UnknownError, ValueError):
        return None


class _UnknownError(Exception):
    """Something that this reader does not know, or knows not to be TOML."""


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._document: Table = {}
        self._elements: dict[str, list[Table]] = {}
        self._closed: set[int] = set()

    def read(self) -> Table:
        text, match, values = self._text, _LINE.match, _BY_GROUP
        table, end = self._document, len(text)
        while self._place < end:
            found = match(text, self._place)
            if found is None:
                self._long_value(table)
                continue
            self._place = found.end()
            kind = found.lastindex
            if kind is None:
                continue
            if kind == _TABLE:
                table = self._new_table(found[kind])
            elif kind == _ELEMENT:
                table = self._new_element(found[kind])
            else:
                key = found[1] or found[2]
                if key in table:
                    raise _UnknownError
                table[key] = values[kind](found[kind])
        return self._document

    def _new_table(self, name: str) -> Table:
        around, last = self._around(name)
        made: Table = {}
        return _once(around, last, made)

    def _new_element(self, name: str) -> Table:
        made: Table = {}
        if name in self._elements:
            self._elements[name].append(made)
        else:
            around, last = self._around(name)
            self._elements[name] = _once(around, last, [made])
        return made

    def _around(self, name: str) -> tuple[Table, str]:
        """The table in which a header's last name stands, made where it is missing: by a header, so it may grow."""
        *parents, last = name.split(".")
        around = self._document
        for parent in parents:
            around = around.setdefault(parent, {})
            if not isinstance(around, dict) or id(around) in self._closed:
                raise _UnknownError
        return around, last

    def _long_value(self, table: Table) -> None:
        """A line whose value is a list, of one line or several, or a table in braces."""
        found = self._key()
        if self._passes("[", blanks=""):
            _put(table, found, self._list())
        elif self._passes("{", blanks=""):
            _put(table, found, self._inline())
        else:
            raise _UnknownError
        rest = _REST.match(self._text, self._place)
        if rest is None:
            raise _UnknownError
        self._place = rest.end()

    def _key(self) -> re.Match[str]:
        found = _BEFORE_VALUE.match(self._text, self._place)
        if found is None:
            raise _UnknownError
        self._place = found.end()
        return found

    def _list(self) -> list[Any]:
        values: list[Any] = []
        while not self._passes("]", blanks=" \n"):
            values.append(self._item())
            if not self._passes(",", blanks=" \n"):
                if self._passes("]", blanks=" \n"):
                    break
                raise _UnknownError
        return values

    def _inline(self) -> Table:
        table: Table = {}
        self._closed.add(id(table))
        if self._passes("}", blanks=" "):
            return table
        while True:
            self._passes("", blanks=" ")
            found = self._key()
            _put(table, found, self._list() if self._passes("[", blanks="") else self._item())
            if self._passes("}", blanks=" "):
                return table
            if not self._passes(",", blanks=" "):
                raise _UnknownError

    def _item(self) -> Any:  # noqa: ANN401 - TOML's simple types
        found = _ITEM.match(self._text, self._place)
        if found is None:
            raise _UnknownError
        self._place = found.end()
        kind = found.lastgroup or ""
        return _VALUES[kind](found[kind])

    def _passes(self, sign: str, *, blanks: str) -> bool:
        """Whether a sign comes next, after blanks; then it is passed, and so are the blanks in any case."""
        text, place = self._text, self._place
        while text[place : place + 1] in blanks and place < len(text) and blanks:
            place += 1
        passed = text.startswith(sign, place)
        self._place = place + len(sign) if passed else place
        return passed


def _once(table: Table, key: str, value: T) -> T:
    if key in table:
        raise _UnknownError
    table[key] = value
    return value


def _put(table: Table, found: re.Match[str], value: object) -> None:
    _once(table, found["bare"] or found["quoted"], value)


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.isoformat(text[10]) != text.replace("Z", "+00:00"):
        raise _UnknownError
    return when


_VALUES: Final[dict[str, Callable[[str], Any]]] = {
    "text": lambda quoted: quoted[1:-1],
    "float": float,
    "integer": int,
    "flag": "true".__eq__,
    "time": _time,
}
_BY_GROUP: Final = {_LINE.groupindex[name]: value for name, value in _VALUES.items()}
"""The same by the number of the group in a line: this is asked once for every line of every version."""
