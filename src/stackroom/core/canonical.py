"""TOML as the tool itself writes it, read in a fifth of the time that the standard library's parser takes.

Nearly every metadata file is one that the tool wrote, so its lines have few forms: a header, ``key = value`` with a
simple value, a list of such values, a comment. This reader knows these and nothing else. It never says that a text is
wrong: what it does not know is left to ``tomllib``, which understands everything and words the errors. Where it does
answer, it answers as ``tomllib`` would; the tests look for a text where that is not so.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT: Final = r'"[^"\\\x00-\x1f\x7f]*+"'
_INTEGER: Final = r"-?(?:0|[1-9][0-9]{0,17}+)(?![0-9.eE_:-])"
"""No more than 18 digits: longer ones may not fit 64 bits."""

_FLOAT: Final = r"-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)|inf|nan)(?![0-9._eE])"
_FLAG: Final = r"true|false"
_TIME: Final = (
    r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{6})?(?:Z|\+00:00)"
)
_ITEM: Final = re.compile(rf"(?P<text>{_TEXT})|(?P<float>{_FLOAT})|(?P<integer>{_INTEGER})|(?P<flag>{_FLAG})")
_ONE: Final = rf"(?:{_TEXT}|{_FLOAT}|{_INTEGER}|{_FLAG})"
_LIST: Final = rf"\[[ \n]*+(?:{_ONE}(?:,[ \n]*+{_ONE})*+,?+[ \n]*+)?\]"
_NAME: Final = r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++){0,7}+"

_LINE: Final = re.compile(
    rf"""(?:
        (?:(?P<bare>[A-Za-z0-9_-]++)|"(?P<quoted>[^"\\\x00-\x1f\x7f]++)")[ ]=[ ](?:
            (?P<text>{_TEXT})|(?P<float>{_FLOAT})|(?P<integer>{_INTEGER})|(?P<flag>{_FLAG})
          | (?P<time>{_TIME})|(?P<list>{_LIST})
        )
      | \[(?P<table>{_NAME})\]
      | \[\[(?P<element>{_NAME})\]\]
      | [#][^\x00-\x08\x0a-\x1f\x7f]*+
      |
    )(?:\n|\Z)""",
    re.VERBOSE,
)


def read_canonical(text: str) -> dict[str, Any] | None:
    """The document, where every line of it has a form that the tool writes; None where one has another."""
    document: dict[str, Any] = {}
    table: dict[str, Any] | None = document
    elements: dict[str, list[dict[str, Any]]] = {}
    match, place, end = _LINE.match, 0, len(text)
    while place < end:
        found = match(text, place)
        if found is None:
            return None
        place = found.end()
        kind = found.lastgroup
        if kind is None:
            continue
        if kind == "table":
            table = _new_table(document, found[kind])
        elif kind == "element":
            table = _new_element(document, found[kind], elements)
        elif table is not None:
            key = found["bare"] or found["quoted"]
            if key in table:
                return None
            try:
                table[key] = _VALUES[kind](found[kind])
            except ValueError:
                return None
        if table is None:
            return None
    return document


def _around(document: dict[str, Any], parents: list[str]) -> dict[str, Any] | None:
    """The table in which a header's last name stands. Every table here was made by a header, so that it may grow."""
    around = document
    for parent in parents:
        inner: object = around.setdefault(parent, {})
        if not isinstance(inner, dict):
            return None
        around = inner
    return around


def _new_table(document: dict[str, Any], name: str) -> dict[str, Any] | None:
    *parents, last = name.split(".")
    around = _around(document, parents)
    if around is None or last in around:
        return None
    made: dict[str, Any] = {}
    around[last] = made
    return made


def _new_element(
    document: dict[str, Any], name: str, elements: dict[str, list[dict[str, Any]]]
) -> dict[str, Any] | None:
    made: dict[str, Any] = {}
    if name in elements:
        elements[name].append(made)
        return made
    *parents, last = name.split(".")
    around = _around(document, parents)
    if around is None or last in around:
        return None
    around[last] = elements[name] = [made]
    return made


def _list(text: str) -> list[Any]:
    return [_VALUES[found.lastgroup or ""](found[0]) for found in _ITEM.finditer(text)]


_VALUES: Final[dict[str, Callable[[str], Any]]] = {
    "text": lambda quoted: quoted[1:-1],
    "float": float,
    "integer": int,
    "flag": "true".__eq__,
    "time": datetime.fromisoformat,
    "list": _list,
}
