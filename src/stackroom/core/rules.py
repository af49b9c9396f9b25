"""The rules that a move into a stage must meet, as ``registry.toml`` says them.

Every guard has a plain form, ``approvals = 2``, and an extended one, ``approvals = { value = 2, overridable = true }``.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.keys import WrongKeyError, flag_of, only_known, table_of, text_of, texts_of
from stackroom.core.metadata import RECORD_FIELDS
from stackroom.core.names import StageName
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GUARD_NAMES: Final = (
    "from",
    "require",
    "steward_owned",
    "four_eyes",
    "soak_hours",
    "approvals",
    "verify",
    "metrics",
    "not_worse",
    "same_datasets",
    "reason",
    "command",
)
"""The guards, in the order in which they are judged; a program is run when all others agree."""

PLACEHOLDERS: Final = ("path", "ref", "model", "version", "stage")
"""What may stand in braces in the arguments of the guard ``command``."""

COMMAND_SECONDS: Final = 60.0
"""For how long a guard's program may run where ``registry.toml`` says nothing."""

_LONGEST_SECONDS: Final = 24 * 3600.0
_REQUIREABLE: Final = (*RECORD_FIELDS, "card", "lineage")
_RULE: Final = pattern(r"\s*([^\s<>=!]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9.eE_+-]+)\s*")
_PLACEHOLDER: Final = pattern(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """A bound on a metric, such as ``auc >= 0.90``."""

    metric: str
    operator: Literal["<", "<=", ">", ">=", "==", "!="]
    bound: float

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether the value keeps the bound; NaN never does."""
        match self.operator:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
            case ">=":
                return value >= self.bound
            case "==":
                return value == self.bound
            case "!=":
                # NaN differs from everything, and a guard that asks for a difference asks for a number.
                return value < self.bound or value > self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """By how much a metric may be worse than the holder's: absolutely, or as a ratio (0.05 for ``"5%"``)."""

    amount: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.amount * 100:g}%" if self.relative else f"{self.amount:g}"

    def slack(self, value: float) -> float:
        """The tolerance in the metric's own unit, for a holder's value."""
        return abs(value) * self.amount if self.relative else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program that is asked, and how long it may take.

    Attributes:
        words: the program, below the registry's root unless it begins with ``/``, and its arguments.
        seconds: after which it is killed.
    """

    words: tuple[str, ...]
    seconds: float = COMMAND_SECONDS

    def __str__(self) -> str:
        return " ".join(self.words)

    def filled(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The words with the placeholders replaced; each stays one word, whatever is put in."""
        program, *arguments = self.words
        return (program, *(_PLACEHOLDER.sub(lambda found: values[found[1]], one) for one in arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The rules a move into a stage must meet; what is empty, 0, None or False asks for nothing.

    Attributes:
        origin: ``from``: holds or has held one of these stages.
        require: fields of the metadata, or ``card``, that must be there.
        steward_owned: the model's folder must belong to the steward.
        four_eyes: the mover must not be the author.
        soak_hours: for how long it must have held a stage before, without interruption.
        approvals: by how many people it must be approved.
        verify: every byte must be as sealed.
        metrics: bounds.
        not_worse: than the holder, by metric.
        same_datasets: the split whose data must be the holder's.
        reason: the mover must give one.
        command: the program that must agree.
        overridable: the names of the guards that a mover with a reason may override.
    """

    origin: tuple[StageName, ...] = ()
    require: tuple[str, ...] = ()
    steward_owned: bool = False
    four_eyes: bool = False
    soak_hours: float = 0
    approvals: int = 0
    verify: bool = False
    metrics: tuple[MetricRule, ...] = ()
    not_worse: Mapping[str, Tolerance] = field(default_factory=dict)
    same_datasets: str = ""
    reason: bool = False
    command: Command | None = None
    overridable: frozenset[str] = frozenset()


def guards_of(written: Mapping[str, Any], path: tuple[str, ...], declared: tuple[str, ...]) -> Guards:
    """The guards of a stage.

    Args:
        written: the table of the guards.
        path: of that table.
        declared: the names of all stages.

    Raises:
        WrongKeyError: with the key, what was expected and what was found.
    """
    # A guard that this program does not know is refused, never skipped: skipping it would let a move through.
    only_known(written, GUARD_NAMES, path)
    extended = dict(_extended(written, path))
    table = {name: extended[name]["value"] if name in extended else value for name, value in written.items()}
    origin = texts_of(table, (*path, "from"))
    for stage in origin:
        if stage not in declared:
            raise WrongKeyError((*path, "from"), f"declared stages ({', '.join(declared)})", stage)
    require = texts_of(table, (*path, "require"))
    for key in require:
        if key.partition(".")[0] not in _REQUIREABLE:
            raise WrongKeyError(
                (*path, "require"), f"fields, such as metrics.auc, out of {', '.join(_REQUIREABLE)}", key
            )
    return Guards(
        origin=tuple(StageName(stage) for stage in origin),
        require=require,
        steward_owned=flag_of(table, (*path, "steward_owned")),
        four_eyes=flag_of(table, (*path, "four_eyes")),
        soak_hours=amount_of(table, (*path, "soak_hours"), "hours, more than 0", math.inf),
        approvals=_people(table, (*path, "approvals")),
        verify=flag_of(table, (*path, "verify")),
        metrics=tuple(rule_of(text, (*path, "metrics")) for text in texts_of(table, (*path, "metrics"))),
        not_worse={
            metric: _tolerance(value, (*path, "not_worse", metric))
            for metric, value in table_of(table, (*path, "not_worse")).items()
        },
        same_datasets=text_of(table, (*path, "same_datasets")),
        reason=flag_of(table, (*path, "reason")),
        command=_command(table, (*path, "command"), extended.get("command", {})),
        overridable=frozenset(name for name, value in extended.items() if value.get("overridable", False)),
    )


def _extended(written: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The guards that are written in the extended form."""
    for name, value in written.items():
        # A table of tolerances is the plain form of not_worse, and no tolerance is true or false.
        if not isinstance(value, dict) or (name == "not_worse" and not isinstance(value.get("overridable"), bool)):
            continue
        here = (*path, name)
        only_known(value, ("value", "overridable", *(("seconds",) if name == "command" else ())), here)
        flag_of(value, (*here, "overridable"))
        if "value" not in value:
            raise WrongKeyError((*here, "value"), "what the guard asks for", None)
        yield name, value


def _people(table: Mapping[str, Any], path: tuple[str, ...]) -> int:
    value = table.get(path[-1])
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise WrongKeyError(path, "a number of people, 1 or more", value)
    return value


def amount_of(table: Mapping[str, Any], path: tuple[str, ...], wanted: str, most: float) -> float:
    """The number at a path, more than 0 and at most ``most``; 0 where there is none.

    Raises:
        WrongKeyError: it is none; ``wanted`` says what was expected.
    """
    value = table.get(path[-1])
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most or math.isinf(value):
        raise WrongKeyError(path, wanted, value)
    return value


def _command(table: Mapping[str, Any], path: tuple[str, ...], extended: Mapping[str, Any]) -> Command | None:
    words = texts_of(table, path)
    if not words:
        if path[-1] in table:
            raise WrongKeyError(path, "a program and its arguments", [])
        return None
    parts = words[0].removeprefix("/").split("/")
    if any(part in {"", ".", ".."} for part in parts) or "{" in words[0] or "\0" in "".join(words):
        raise WrongKeyError(path, "a program such as 'checks/bias-audit', without '..' and placeholders", words[0])
    for word in words[1:]:
        for name in _PLACEHOLDER.findall(word):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
                raise WrongKeyError(path, f"placeholders out of {known}", f"{{{name}}}")
    seconds = amount_of(extended, (*path, "seconds"), "seconds, more than 0 and at most a day", _LONGEST_SECONDS)
    return Command(words=words, seconds=seconds or COMMAND_SECONDS)


def rule_of(text: str, path: tuple[str, ...]) -> MetricRule:
    """The bound that a text spells.

    Raises:
        WrongKeyError: it spells none.
    """
    found = _RULE.fullmatch(text)
    if found:
        try:
            bound = float(found[3])
        except ValueError:
            pass
        else:
            return MetricRule(metric=found[1], operator=found[2], bound=bound)  # type: ignore[arg-type]  # the pattern
    raise WrongKeyError(path, "rules such as 'auc >= 0.90'", text)


def _tolerance(value: object, path: tuple[str, ...]) -> Tolerance:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*%\s*", value):
        return Tolerance(amount=float(value.strip().rstrip("% ")) / 100, relative=True)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return Tolerance(amount=float(value))
    raise WrongKeyError(path, "a tolerance such as 0.005 or '5%'", value)
