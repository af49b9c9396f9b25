"""Queries as conditions on the rows of the index: what SQL decides just as the query language does, it decides.

A condition has three values: true, false, and NULL for what only the whole record can tell. SQL joins them as logic
asks: what is false whatever the record says is not looked at any more. Texts, times and stages are compared by the very
functions of the query language, called from SQL; only numbers are left to SQL itself, for which they are kept as exact
as the language takes them.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Who
from stackroom.core.metadata import flat
from stackroom.core.query import (
    Compared,
    Joined,
    Mentioned,
    Negated,
    Said,
    names_of,
    says_something,
    value_test,
    words_of,
)
from stackroom.core.values import dataclass, field
from stackroom.store.access import user_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.core.metadata import Record
    from stackroom.core.query import Node

Kind = str
"""``metrics``, ``hyperparameters``, or ``extra`` for the names of unknown keys."""

UNDECIDED: Final = "NULL"
ASK: Final = b""
"""Stands in a column for a value that SQL would not compare as the query language does: the record is asked."""

MORE: Final = "\0"
"""Among the names of a kind: there were more of them than have a column."""

_EXACT: Final = 2**53
"""Whole numbers up to it are the same as floats, as which the query language compares them."""

_TEXTS: Final = frozenset({"author", "team", "description", "license", "framework"})
"""Fields that are missing where they are empty."""

_FUNCTIONS: Final[Mapping[str, tuple[str, Callable[[Any], object]]]] = {
    "model": ("(SELECT name FROM models WHERE models.id = versions.id >> 30)", str),
    "version": ("versions.id & 1073741823", int),
    "label": ("labels", lambda text: tuple(text.split())),
    "tags": ("tags", lambda text: tuple(json.loads(text))),
    "tag": ("tags", lambda text: tuple(json.loads(text))),
    "archived": ("archived", bool),
    "owner": ("versions.owner", lambda uid: Who(uid, user_name(uid)).label),
    "created": ("created", datetime.fromisoformat),
    "size": ("bytes", int),
    "bytes": ("bytes", int),
    "files": ("files", int),
    "digest": ("digest", str),
}
"""Fields that every version has: the expression in SQL, and what makes the field's value of it."""

_LIST: Final = frozenset('"\\[],')
"""Signs that the text of a list of tags has, and the tags may not."""

_SAID: Final = ("description", "author", "team", "framework", "license")
"""The texts, beside names and tags, that a word is looked for in."""

_NOT_KEPT: Final = ("ref", "datasets", "card", "problems", "lineage", "source", "signature", "tags")
"""First words of the fields that only the record has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the index has columns for: by kind and name the column, or None where the name has none."""

    names: Mapping[Kind, Mapping[str, str | None]]

    def of(self, kind: Kind, name: str) -> str | None:
        """The column, ``NULL`` where the record has to be asked, None where no version has such a name."""
        known = self.names.get(kind, {})
        if name in known or MORE in known:
            return known.get(name) or UNDECIDED
        return None

    def named(self, name: str) -> list[str] | None:
        """The columns of a metric or hyperparameter, in the order in which the query language looks for one.

        None where the record has to be asked.
        """
        if self.of("extra", name.partition(".")[0]):
            return None
        found: list[str] = []
        for candidate in names_of(name):
            kind, dot, rest = candidate.partition(".")
            if dot and kind in {"metrics", "hyperparameters"} and (column := self.of(kind, rest)):
                if column == UNDECIDED:
                    return None
                found.append(f"{kind}.{column}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A query as SQL.

    Attributes:
        parts: all of which must not be false.
        numbers: the values of their parameters, part by part.
        functions: what they call, by name.
    """

    parts: list[str] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)
    functions: dict[str, Callable[..., bool]] = field(default_factory=dict)


def condition_of(node: Node, columns: Columns, stages: Mapping[int, tuple[str, ...]]) -> Condition:
    """A query as a condition.

    Args:
        node: the query.
        columns: what there are columns for.
        stages: the stages that a version holds, by the number of its row.
    """
    found = Condition()
    for part in node.parts if isinstance(node, Joined) and not node.either else (node,):
        compiler = _Compiler(columns, stages, found.functions)
        found.parts.append(compiler.sql(part))
        found.numbers.append(compiler.numbers)
    return found


class _Compiler:
    def __init__(
        self,
        columns: Columns,
        stages: Mapping[int, tuple[str, ...]],
        functions: dict[str, Callable[..., bool]],
    ) -> None:
        self._columns = columns
        self._stages = stages
        self._functions = functions
        self.numbers: list[float] = []

    def sql(self, node: Node) -> str:
        """A part of the query: true, false, or NULL where only the record tells; its parameters join ``numbers``."""
        match node:
            case Negated():
                return f"NOT {self.sql(node.part)}"
            case Joined():
                word = " OR " if node.either else " AND "
                return f"({word.join(self.sql(part) for part in node.parts)})"
            case Said():
                return self._said(node.needle)
            case Mentioned():
                return self._leaf(node.field, _mentioned, lambda _: "1")
            case Compared():
                test, number = value_test(node.sign, node.text)
                return self._leaf(node.field, test, lambda column: self._compared(column, node.sign, number))

    def _compared(self, column: str, sign: str, number: float | None) -> str:
        """A number in a column against the typed one."""
        if sign == "~":
            return UNDECIDED
        if number is None:
            return "0"
        self.numbers.append(number)
        return f"{column} {sign} ?"

    def _leaf(self, name: str, test: Callable[[object], bool], compared: Callable[[str], str]) -> str:
        if name == "stage":
            return self._by_stage(test)
        if name in _FUNCTIONS:
            column, value_of = _FUNCTIONS[name]
            return f"{self._function(lambda kept: test(value_of(kept)))}({column})"
        if name in _TEXTS:
            if any(self._columns.of(kind, name) for kind in ("metrics", "hyperparameters")):
                return UNDECIDED
            return f"CASE WHEN {name} = '' THEN 0 ELSE {self._function(test)}({name}) END"
        if name.partition(".")[0] in _NOT_KEPT:
            return UNDECIDED
        return self._by_name(name, test, compared)

    def _by_stage(self, test: Callable[[tuple[str, ...]], bool]) -> str:
        stages = self._stages

        def holds(row: int, archived: int) -> bool:
            return test(state_of(stages.get(row), archived=bool(archived)))

        return f"{self._function(holds)}(versions.id, archived)"

    def _said(self, needle: str) -> str:
        """A text that is looked for in all words of a version."""
        stages = self._stages

        def says(*kept: Any) -> bool:  # noqa: ANN401 - columns of any kind
            row, number, model, labels, tags, archived, *texts = kept
            fields: dict[str, Any] = dict(zip(_SAID, texts, strict=True))
            fields |= {"model": model, "ref": f"{model}:{number}", "label": tuple(labels.split())}
            fields |= {"tags": tuple(json.loads(tags)), "stage": state_of(stages.get(row), archived=bool(archived))}
            return needle in words_of(fields)

        number, model = _FUNCTIONS["version"][0], _FUNCTIONS["model"][0]
        # Every row says something else: nothing is kept of what was found.
        name = f"meets_{len(self._functions)}"
        self._functions[name] = says
        asked = f"{name}(versions.id, {number}, {model}, labels, tags, archived, {', '.join(_SAID)})"
        if not needle.isascii() or not needle.isprintable() or not _LIST.isdisjoint(needle):
            return asked
        # Of texts in ASCII, whose lower case SQL knows, it can say itself that they hold the needle.
        text = " || char(10) || ".join(("replace(labels, ' ', char(10))", "tags", *_SAID))
        plain = f"length({text}) = length(CAST({text} AS BLOB)) AND NOT instr(tags, char(92))"
        quoted = needle.replace("'", "''")
        ways = (
            f"instr(lower({text}), '{quoted}')",
            self._state_says(needle),
            f"instr({model} || ':' || ({number}), '{quoted}')",
        )
        return f"CASE WHEN {plain} THEN {' OR '.join(ways)} ELSE {asked} END"

    def _state_says(self, needle: str) -> str:
        """A text that is looked for in the stages that a version holds."""

        def says(held: tuple[str, ...]) -> bool:
            return any(needle in one.casefold() for one in held)

        if says(("development", "archived")):
            return self._by_stage(says)
        rows = (str(row) for row, held in self._stages.items() if says(held))
        return f"versions.id IN ({', '.join(rows)})"

    def _by_name(self, name: str, test: Callable[[object], bool], compared: Callable[[str], str]) -> str:
        """A metric or hyperparameter."""
        found = self._columns.named(name)
        if found is None:
            return UNDECIDED
        sql = ""
        for column in found:
            value = compared(column)
            if column.startswith("hyperparameters."):
                value = f"CASE typeof({column}) WHEN 'text' THEN {self._function(test)}({column}) ELSE {value} END"
            # A blob is greater than any number and text.
            sql += f"CASE WHEN {column} >= x'' THEN NULL WHEN {column} IS NOT NULL THEN {value} ELSE "
        return f"{sql}0{' END' * len(found)}"

    def _function(self, function: Callable[..., bool]) -> str:
        name = f"meets_{len(self._functions)}"
        self._functions[name] = lru_cache(maxsize=4096)(lambda *kept: bool(function(*kept)))
        return name


def state_of(stages: tuple[str, ...] | None, *, archived: bool) -> tuple[str, ...]:
    """What the field ``stage`` says of a version that holds these."""
    return stages or ("archived" if archived else "development",)


def sort_columns(fields: Sequence[str], columns: Columns) -> list[tuple[str, Callable[[Any], object]]] | None:
    """For fields that versions are sorted by, the expression and what makes the field's value of it.

    None where one of them is not kept, or may be something else in some records.
    """
    found: list[tuple[str, Callable[[Any], object]]] = []
    for name in fields:
        if name in _FUNCTIONS:
            found.append(_FUNCTIONS[name])
        elif name in _TEXTS and not any(columns.of(one, name) for one in ("metrics", "hyperparameters")):
            found.append((name, lambda text: text or None))
        elif name in _TEXTS or name == "stage" or name.partition(".")[0] in _NOT_KEPT:
            return None
        else:
            numbers = columns.named(name)
            if numbers is None:
                return None
            found.append((f"coalesce({', '.join(numbers)}, NULL)" if numbers else "NULL", lambda value: value))
    return found


def _mentioned(value: object) -> bool:
    return any(says_something(one) for one in (value if isinstance(value, tuple) else (value,)))


def kept_numbers(record: Record) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Of a record the metrics and the hyperparameters as columns keep them, and the first words of unknown keys."""
    metrics = {name: number_kept(value) for name, value in record.metrics.items()}
    hyperparameters = {
        name: value if isinstance(value, str) else number_kept(value)
        for name, value in flat(record.hyperparameters).items()
    }
    return metrics, hyperparameters, {name.partition(".")[0] for name in record.extra}


def number_kept(value: object) -> object:
    """A number as a column keeps it: itself, or what says that the record has to be asked."""
    if type(value) is float:
        return ASK if math.isnan(value) else value
    return value if type(value) is int and -_EXACT <= value <= _EXACT else ASK
