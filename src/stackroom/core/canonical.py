"""TOML in the forms that people and this tool write, read in a fifth to an eighth of the standard library's time.

A metadata file has lines of few forms: a header, ``key = value`` with a simple value, a list or a small table of such
values, a comment. This reader knows these and nothing else. What the tool writes comes in runs, twenty numbers or five
texts after each other, and a run is matched at once: Python's own steps are taken once for a run instead of a line.

It never says that a text is wrong: what it does not know is left to ``tomllib``, which understands everything and words
the errors. Where it does answer, it answers as ``tomllib`` would; the tests look for a text where that is not so.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from stackroom.core.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Table = dict[str, Any]

# No possessive groups: before 3.11.5, Python keeps half of a repetition that has failed.
_NAME: Final = r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++){0,7}"
_TEXT: Final = r'"[^"\\\x00-\x1f\x7f]*+"'
_INTEGER: Final = r"-?(?:0|[1-9][0-9]{0,17}+)"
"""Longer ones may not fit 64 bits."""

# What the tool writes.
_SET: Final = r"[A-Za-z0-9_-]++[ ]=[ ]"
_FLOAT: Final = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:e[+-]?[0-9]++)?|e[+-]?[0-9]++)"
_TIME: Final = r"[0-9]{4}-[0-9][0-9]-[0-9][0-9][ ](?:[01][0-9]|2[0-3]):[0-9][0-9]:[0-9][0-9](?:\.[0-9]{6})?\+00:00"
_RUN: Final = pattern(
    rf"""(?:\n*+\[(?:({_NAME})|\[({_NAME})\])\]\n)?
    (?: ((?:{_SET}{_FLOAT}\n)+)
      | ((?:{_SET}(?:{_TEXT}|{_FLOAT}|{_INTEGER}|true|false|{_TIME})\n)+)
      | ({_SET}\[\n(?:(?:[ ]++{_TEXT},\n)+|(?:[ ]++{_INTEGER},\n)+)\]\n)
    )?""",
    re.VERBOSE,
)
"""A header and the lines after it, as many of one kind as follow each other: floats, any simple values, or one list.
All of it may be missing. Nothing comes after a run, so that none is tried twice."""
_EACH: Final = pattern(r'([A-Za-z0-9_-]+) = (?:"([^"]*)"|(-?[0-9]+)|(-?[0-9][0-9.e+-]+)|(.+))\n')
"""A line of a run: key; text, integer, float, or something else."""

# What people write as well: other blanks, quoted keys, comments, lists in one line, tables in braces.
_END: Final = r"[ \t]*+(?:[#][^\x00-\x08\x0a-\x1f\x7f]*+)?(?:\n|\Z)"
_HEADER: Final = pattern(rf"(?:\[({_NAME})\]|\[\[({_NAME})\]\]|){_END}")
_KEY: Final = pattern(r'(?:([A-Za-z0-9_-]++)|"([^"\\\x00-\x1f\x7f]++)")[ ]*+=[ ]*+')
_ITEM: Final = pattern(
    rf"""
    (?P<text>{_TEXT})
  | (?P<float>-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)|inf|nan))(?![0-9._eE])
  | (?P<integer>{_INTEGER})(?![0-9._eE:-])
  | (?P<flag>true|false)
  | (?P<time>[0-9]{{4}}-[0-9T\ :.-]++(?:Z|\+00:00))
    """,
    re.VERBOSE,
)
_REST: Final = pattern(_END)


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
        text, match = self._text, _RUN.match
        table, end, place = self._document, len(text), 0
        while place < end:
            found = match(text, place)
            if found is None or found.end() == place:
                self._place = place
                table = self._line(table)
                place = self._place
                continue
            place = found.end()
            header, element, floats, mixed, listed = found.groups()
            if header:
                table = self._new_table(header)
            elif element:
                table = self._new_element(element)
            if floats:
                _put_floats(table, floats)
            elif mixed:
                _put_mixed(table, mixed)
            elif listed:
                key, _, items = listed.partition(" = [")
                texts = items.split('"')[1::2]
                _once(table, key, texts or [int(number) for number in items.split(",")[:-1]])
        return self._document

    def _line(self, table: Table) -> Table:
        """One line in any of the forms; returns the table in which the next one stands."""
        found = _HEADER.match(self._text, self._place)
        if found is None:
            self._setting(table)
            return table
        self._place = found.end()
        if found[1]:
            return self._new_table(found[1])
        return self._new_element(found[2]) if found[2] else table

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
        around = self._document
        if "." not in name:
            return around, name
        *parents, last = name.split(".")
        for parent in parents:
            around = around.setdefault(parent, {})
            if not isinstance(around, dict) or id(around) in self._closed:
                raise _UnknownError
        return around, last

    def _setting(self, table: Table) -> None:
        """A key and its value, which may take several lines."""
        key = self._key()
        if self._passes("[", blanks=""):
            _once(table, key, self._list(tables=True))
        elif self._passes("{", blanks=""):
            _once(table, key, self._inline())
        else:
            _once(table, key, self._item())
        rest = _REST.match(self._text, self._place)
        if rest is None:
            raise _UnknownError
        self._place = rest.end()

    def _key(self) -> str:
        found = _KEY.match(self._text, self._place)
        if found is None:
            raise _UnknownError
        self._place = found.end()
        return found[1] or found[2]

    def _list(self, *, tables: bool = False) -> list[Any]:
        """What stands up to the bracket; tables in it only where that cannot go on without end."""
        values: list[Any] = []
        while not self._passes("]", blanks=" \n"):
            values.append(self._inline() if tables and self._passes("{", blanks="") else self._item())
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
            key = self._key()
            _once(table, key, self._list() if self._passes("[", blanks="") else self._item())
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


def _put_floats(table: Table, lines: str) -> None:
    # Neither keys nor numbers hold blanks: the words are key, sign, number, key, sign, number …
    words = lines.split()
    count = len(table) + len(words) // 3
    table.update(zip(words[::3], map(float, words[2::3]), strict=True))
    if len(table) != count:
        raise _UnknownError


def _put_mixed(table: Table, lines: str) -> None:
    count = len(table) + lines.count("\n")
    for key, text, integer, number, other in _EACH.findall(lines):
        if integer:
            table[key] = int(integer)
        elif number:
            table[key] = float(number)
        elif other:
            table[key] = other == "true" or (other != "false" and datetime.fromisoformat(other))
        else:
            table[key] = text
    if len(table) != count:
        raise _UnknownError


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
