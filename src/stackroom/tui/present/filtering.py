"""What the filter line means: words, ``!word``, ``tag:x``, ``stage:production``, ``auc>0.9``, or a query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.query import Query, comparison, unlike, words_of
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARISON: Final = re.compile(r"([A-Za-z_][\w.-]*)(<=|>=|!=|=|<|>|~)(.+)")
_FIELD: Final = re.compile(r"([A-Za-z_][\w.-]*):(.+)")
_QUERY: Final = re.compile(r"(?:^|\s)(?:and|or|not)(?:\s|$)|[()]|\s(?:<=|>=|!=|=|<|>|~)(?:\s|$)")
"""What makes a line a query: a word that joins, a parenthesis, an operator with blanks around it."""

_UNFINISHED: Final = 6
"""Words at the end of a query that may still be on their way."""


class Searchable:
    """What a filter looks at: a list is filtered on each key.

    Attributes:
        fields: as queries see them.

    Args:
        fields: the same.
        text: everything that a plain word is looked for in; worked out of the fields, once, where it is not given.
    """

    __slots__ = ("_text", "fields")

    def __init__(self, fields: Mapping[str, Any], text: str | None = None) -> None:
        self.fields = fields
        self._text = text

    @property
    def text(self) -> str:
        """Everything that a plain word is looked for in."""
        if self._text is None:
            self._text = words_of(self.fields)
        return self._text


def searchable(fields: Mapping[str, Any]) -> Searchable:
    """Fields, with their text once somebody asks for it."""
    return Searchable(fields)


class Filter:
    """A parsed filter line: words that all have to agree, or a query of the language that ``search`` knows.

    What is not finished yet, such as ``auc>``, is a word until it is. A query counts as far as it is finished, and a
    word that compares a field with what it can never be, such as ``created>20``, not at all.

    Attributes:
        text: as it was typed.
        problem: what is wrong with it, or empty.
        passes: whether a row is asked for: every word has to agree.
        needs_fields: whether the text of a row is not enough to say so.
        needs_text: whether that is looked at, too.

    Args:
        text: as it was typed.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.problem = ""
        self.passes: Callable[[Searchable], bool]
        self._words = self.text.split()
        self._is_query = _QUERY.search(self.text) is not None
        tests = self._query_tests() if self._is_query else self._word_tests()
        self.passes = tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)
        plain = [_is_plain(word.lstrip("!")) for word in self._words]
        self.needs_fields = self._is_query or not all(plain)
        self.needs_text = not self._is_query and any(plain)

    def __bool__(self) -> bool:
        return bool(self.text)

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Whether something with these fields is asked for."""
        return self.passes(searchable(fields))

    def narrows(self, other: Filter) -> bool:
        """Whether all that passes here passes there, as far as the words tell: the last word was typed on."""
        if self._is_query or other._is_query or len(self._words) < len(other._words):
            return False
        *head, last = other._words or [""]
        typed = self._words[len(head)] if len(self._words) > len(head) else ""
        grown = typed == last or (_is_plain(last) and _is_plain(typed) and last.casefold() in typed.casefold())
        return bool(last) and grown and self._words[: len(head)] == head

    def _word_tests(self) -> list[Callable[[Searchable], bool]]:
        finished, self.problem = _finished(self._words)
        return [_test(word) for word in finished]

    def _query_tests(self) -> list[Callable[[Searchable], bool]]:
        query, self.problem = as_query(self.text)
        return [_of_fields(Query(query).matches)] if query else []


def _is_plain(word: str) -> bool:
    """Whether a word is looked for in the text, and stays that when it is typed on to another plain one."""
    return not (word.startswith("!") or _COMPARISON.fullmatch(word) or _FIELD.fullmatch(word))


def _test(word: str) -> Callable[[Searchable], bool]:
    if word.startswith("!") and len(word) > 1:
        wanted = _test(word[1:])
        return lambda row: not wanted(row)
    compared = _COMPARISON.fullmatch(word)
    if compared:
        return _of_fields(comparison(compared[1], compared[2], compared[3]))
    named = _FIELD.fullmatch(word)
    if named:
        return _of_fields(comparison(named[1], "=", named[2]))
    needle = word.casefold()
    return lambda row: needle in row.text


def _of_fields(test: Callable[[Mapping[str, Any]], bool]) -> Callable[[Searchable], bool]:
    return lambda row: test(row.fields)


def as_query(text: str) -> tuple[str, str]:
    """What a filter line asks for, in the language of queries, and what is wrong with it; both may be empty.

    The line means what it means to :class:`Filter`; a query counts as far as it is finished.
    """
    words = text.split()
    if _QUERY.search(text.strip()) is None:
        finished, problem = _finished(words)
        said = [word for word in finished if word.removeprefix("!").strip("'\"") or word == "!"]
        return " and ".join(map(_asked, said)), problem
    problem = ""
    for length in range(len(words), max(0, len(words) - _UNFINISHED), -1):
        query = " ".join(words[:length])
        try:
            Query(query)
        except InvalidInputError as error:
            problem = problem or str(error)
        else:
            return query, problem
    return "", problem


def _finished(words: list[str]) -> tuple[list[str], str]:
    """The words that count, and what is wrong with the first of the others."""
    finished: list[str] = []
    problem = ""
    for word in words:
        bare = word.lstrip("!")
        compared, named = _COMPARISON.fullmatch(bare), _FIELD.fullmatch(bare)
        field, sign, value = compared.groups() if compared else (named[1], "=", named[2]) if named else ("", "~", "")
        wanted = unlike(field, sign, value)
        if wanted:
            problem = problem or f"{field} is compared with {wanted}"
        else:
            finished.append(word)
    return finished, problem


def _asked(word: str) -> str:
    if word.startswith("!") and len(word) > 1:
        return f"not {_asked(word[1:])}"
    found = _COMPARISON.fullmatch(word)
    if found:
        return f"{found[1]} {found[2]} {_quoted(found[3])}"
    named = _FIELD.fullmatch(word)
    return f"{named[1]} = {_quoted(named[2])}" if named else _quoted(word)


def _quoted(text: str) -> str:
    """A text in quotes; the language has no sign for one that holds both kinds, so one of them is dropped."""
    return f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace('"', "") + '"'
