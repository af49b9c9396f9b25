"""The query language: ``metrics.auc > 0.9 and stage = production and not (tags.team = 'nlp' or author = alice)``.

A query compares fields with values, joined by ``and``, ``or``, ``not`` and parentheses. Operators are ``=``,
``!=``, ``<``, ``<=``, ``>``, ``>=`` and ``~`` (contains, whatever the case). A field alone asks whether it
says anything. What is missing equals nothing and is neither less nor more; ``!=`` is the exact opposite of
``=``. A field with several values (``stage``, ``tags``, ``label``) matches where one of them does. A bare
name that is no field is looked up in the metrics, then in the hyperparameters. A text in quotes alone is looked
for in everything that people write about a version: ``WORD_FIELDS``. With a field that is always a number or a time
no other value can be compared.
"""

from __future__ import annotations

import math
import operator
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from stackroom.core.metadata import as_utc
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


T = TypeVar("T")

_TOKEN: Final = pattern(
    r"""\s*(?:
        (?P<paren>[()])
      | (?P<operator><=|>=|!=|==|=|<|>|~)
      | (?P<quoted>"[^"]*"|'[^']*')
      | (?P<word>[^\s()<>=!~"']+)
    )""",
    re.VERBOSE,
)
WORD_FIELDS: Final = (
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
"""Where a text alone is looked for."""

_TIMES: Final = frozenset({"created"})
_NUMBERS: Final = frozenset({"size", "bytes", "files", "version", "versions", "problems"})
"""Fields whose type is known whatever a version says; those of ``metrics.`` are numbers, too."""

_DEPTH_LIMIT: Final = 50
"""Nested parentheses and ``not``; each costs three Python frames."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A field that is compared with a value, as typed; never with ``!=``, which is :class:`Negated`."""

    field: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A field alone: whether it says anything."""

    field: str


@dataclass(frozen=True, slots=True)
class Said:
    """A text alone, case-folded: whether it stands in what a version says in words."""

    needle: str


@dataclass(frozen=True, slots=True)
class Negated:
    """What must not be so."""

    part: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts of which all must be so, or with ``either`` one."""

    parts: tuple[Node, ...]
    either: bool


Node = Compared | Mentioned | Said | Negated | Joined
"""A query, or a part of one, taken apart."""


class Query:
    """A parsed query.

    Attributes:
        text: as typed.
        node: what it consists of.

    Raises:
        InvalidInputError: the text is not a query; names the position.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.node = _Parser(text).parse()
        self._test = _test_of(self.node)

    def __repr__(self) -> str:
        return f"Query({self.text!r})"

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Whether a version with these fields is asked for."""
        return self._test(fields)


def _test_of(node: Node) -> Callable[[Mapping[str, Any]], bool]:
    match node:
        case Compared():
            return comparison(node.field, node.sign, node.text)
        case Mentioned():
            name = node.field
            return lambda fields: any(says_something(value) for value in _values(fields, name))
        case Said():
            needle = node.needle
            return lambda fields: needle in words_of(fields)
        case Negated():
            inner = _test_of(node.part)
            return lambda fields: not inner(fields)
        case _:
            tests = [_test_of(part) for part in node.parts]
            if node.either:
                return lambda fields: any(test(fields) for test in tests)
            return lambda fields: all(test(fields) for test in tests)


class _Parser:
    """Recursive descent: ``or`` binds weakest, then ``and``, then ``not``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0
        self._depth = 0

    def _split(self) -> Iterable[_Token]:
        position = 0
        while self._text[position:].strip():
            found = _TOKEN.match(self._text, position)
            if not found or found.lastgroup is None:
                raise self._error("a quote is not closed", position)
            yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
            position = found.end()

    def _error(self, what: str, position: int | None = None, *, hint: str = "") -> InvalidInputError:
        at = len(self._text) if position is None else position
        return InvalidInputError(
            f"query: {what} at character {at + 1} of {self._text!r}",
            hint=hint or "for example: metrics.auc > 0.9 and stage = production",
            facts={"position": at},
        )

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _word(self, *words: str) -> bool:
        token = self._peek()
        if token and token.kind == "word" and token.text.lower() in words:
            self._next += 1
            return True
        return False

    def parse(self) -> Node:
        """The whole text, taken apart."""
        if not self._tokens:
            raise self._error("nothing is asked for")
        test = self._either()
        left = self._peek()
        if left:
            raise self._error(f"expected 'and' or 'or' before {left.text!r}", left.position)
        return test

    def _either(self) -> Node:
        parts = [self._both()]
        while self._word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), either=True)

    def _both(self) -> Node:
        parts = [self._single()]
        while self._word("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), either=False)

    def _single(self) -> Node:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise self._error("nested too deep")
        try:
            if self._word("not"):
                return Negated(self._single())
            token = self._peek()
            if token and token.text == "(" and token.kind == "paren":
                self._next += 1
                grouped = self._either()
                closing = self._peek()
                if not closing or closing.text != ")":
                    raise self._error("expected ')'", closing.position if closing else None)
                self._next += 1
                return grouped
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        token = self._peek()
        if token and token.kind == "quoted" and token.text[1:-1].strip():
            self._next += 1
            return Said(token.text[1:-1].strip().casefold())
        if not token or token.kind != "word":
            raise self._error("expected a field", token.position if token else None)
        self._next += 1
        operator = self._peek()
        if not operator or operator.kind != "operator":
            return Mentioned(token.text)
        self._next += 1
        value = self._peek()
        if not value or value.kind not in {"word", "quoted"}:
            raise self._error("expected a value", value.position if value else None)
        self._next += 1
        text = value.text[1:-1] if value.kind == "quoted" else value.text
        wanted = unlike(token.text, operator.text, text)
        if wanted:
            hint = f"{token.text} is compared with {wanted}"
            raise self._error(f"{text!r} is not {wanted.partition(',')[0]}", value.position, hint=hint)
        if operator.text == "!=":
            return Negated(Compared(token.text, "=", text))
        return Compared(token.text, "=" if operator.text == "==" else operator.text, text)


def unlike(field: str, sign: str, text: str) -> str:
    """What a value of this field would be, in words, where the typed one is nothing that it could be compared with."""
    if sign == "~":
        return ""
    if field in _TIMES:
        return "" if _time(text) is not None else "a time, such as 2026-10-01 or 2026-10-01T14:00"
    if (field in _NUMBERS or field.startswith("metrics.")) and _number(text) is None:
        return "a number, such as 0.9, 1e-3, 10k or 1.5GB"
    return ""


def fields_in(node: Node) -> list[str]:
    """The names of the fields that a query is about, each once, in its order."""
    match node:
        case Compared() | Mentioned():
            return [node.field]
        case Said():
            return []
        case Negated():
            return fields_in(node.part)
        case _:
            return list(dict.fromkeys(name for part in node.parts for name in fields_in(part)))


def words_of(fields: Mapping[str, Any]) -> str:
    """Everything that a text alone is looked for in, case-folded."""
    found: list[str] = []
    for name in WORD_FIELDS:
        value = fields.get(name)
        if isinstance(value, tuple):
            found.extend(str(item) for item in value)
        elif value:
            found.append(str(value))
    return "\n".join(found).casefold()


def comparison(field: str, sign: str, text: str) -> Callable[[Mapping[str, Any]], bool]:
    """One comparison, as a function of the fields; operators as in the language."""
    if sign == "!=":
        equal = comparison(field, "=", text)
        return lambda fields: not equal(fields)
    wanted, names = _Wanted(text), names_of(field)
    number, ordered = wanted.number, _ORDERS.get(sign)

    def test(fields: Mapping[str, Any]) -> bool:
        """Only the first place where there is such a field counts, whatever others hold."""
        for name in names:
            if name not in fields:
                continue
            value = fields[name]
            if type(value) is float and ordered is not None:
                # Metrics, and by far the most: a list of ten thousand versions is filtered on each key.
                return number is not None and bool(ordered(value, number))
            return wanted.meets(sign, value)
        return False

    return test


def value_test(sign: str, text: str) -> tuple[Callable[[object], bool], float | None]:
    """What :func:`comparison` asks of the value of a field that is there, and the number that the text may mean."""
    wanted = _Wanted(text)
    return lambda value: wanted.meets(sign, value), wanted.number


class _Wanted:
    """A value as typed, in every reading it may have: the field's type chooses."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.casefold()
        self.number = _number(text)
        self.time = _time(text)
        self.is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None

    def meets(self, sign: str, value: object) -> bool:
        """Whether a field's value, or one of its values, stands to the typed one as the operator says."""
        if isinstance(value, (tuple, list)):
            return any(self.compare(sign, item) for item in value)
        return self.compare(sign, value)

    def compare(self, sign: str, value: object) -> bool:
        """Whether a field's value stands to the typed one as the operator says."""
        if sign == "~":
            return self.folded in str(value).casefold()
        match value:
            case bool():
                return sign == "=" and str(value).lower() == self.folded
            case int() | float():
                return self.number is not None and bool(_ORDERS[sign](float(value), self.number))
            case datetime():
                return self._compare_time(sign, value)
            case date():
                return self._compare_time(sign, datetime(value.year, value.month, value.day, tzinfo=UTC))
            case str():
                return bool(_ORDERS[sign](value.casefold(), self.folded))
            case _:
                return False

    def _compare_time(self, sign: str, value: datetime) -> bool:
        if self.time is None:
            return False
        when = as_utc(value)
        if self.is_day:
            # A day without a time is the whole day: "> 2026-10-01" starts with the 2nd.
            return bool(_ORDERS[sign](when.date(), self.time.date()))
        return bool(_ORDERS[sign](when, self.time))


_ORDERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_SUFFIXES: Final = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def _number(text: str) -> float | None:
    found = re.fullmatch(r"([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)([kKmMgGtT]?)[bB]?", text)
    if not found:
        return {"inf": math.inf, "-inf": -math.inf}.get(text.lower())
    return float(found[1].replace("_", "")) * _SUFFIXES.get(found[2].lower(), 1)


def _time(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def names_of(name: str) -> tuple[str, str, str]:
    """Where a field of this name is looked up, in this order."""
    return name, f"metrics.{name}", f"hyperparameters.{name}"


def _values(fields: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    for candidate in names_of(name):
        if candidate in fields:
            value = fields[candidate]
            return tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return ()


def says_something(value: object) -> bool:
    """Whether a field of this value, named alone in a query, is what was asked for."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return value is not None and value is not False and value != ""


def sorted_by(items: Iterable[T], key: str, fields_of: Callable[[T], Mapping[str, Any]]) -> list[T]:
    """The items in the order of one or several fields: ``-metrics.auc,model``; a minus sign is descending.

    What is missing or NaN comes last in either direction; the order of equals is kept.
    """
    found = list(items)
    for part in reversed([part.strip() for part in key.split(",") if part.strip()]):
        name = part.removeprefix("-")
        present: list[tuple[Any, T]] = []
        missing: list[T] = []
        for item in found:
            value = sort_value(_values(fields_of(item), name))
            if value is None:
                missing.append(item)
            else:
                present.append((value, item))
        present.sort(key=lambda pair: pair[0], reverse=part.startswith("-"))
        found = [item for _, item in present] + missing
    return found


def sort_fields(key: str) -> list[str]:
    """The fields that an order names, without their signs."""
    return [part.strip().removeprefix("-") for part in key.split(",") if part.strip()]


def absent_fields(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> tuple[str, ...]:
    """Those of some names that are no field of any of the rows: most are slips of the hand; none where nothing is."""
    return tuple(
        name for name in names if rows and all(row.get(each) is None for row in rows for each in names_of(name))
    )


def sort_value(values: tuple[Any, ...]) -> tuple[int, Any] | None:
    """Values of any types as something that sorts: numbers, then times, then texts; None for what comes last."""
    if not values:
        return None
    value = values[0]
    match value:
        case bool() | int() | float():
            return None if math.isnan(value) else (0, float(value))
        case datetime():
            return (1, as_utc(value).timestamp())
        case None:
            return None
        case _:
            return (2, str(value).casefold())
