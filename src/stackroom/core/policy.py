"""What ``registry.toml`` says: who the registry is, its stages and guards, which way metrics are better.

A wrong file is refused as a whole, with the key, what was expected and what was found; the store adds file and line.
Reading a registry goes on without it; moving does not.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.metadata import FORMAT, RECORD_FIELDS, wrong
from stackroom.core.names import StageName, is_stage_name
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Better = Literal["higher", "lower"]
"""Which way a metric is better."""

_TOP_KEYS: Final = ("format", "id", "name", "description", "created", "names", "metrics", "stages")
_METRIC_KEYS: Final = ("better", "unit")
_STAGE_KEYS: Final = ("guards", "alias", "description", "monitor")
GUARD_NAMES: Final = ("from", "require", "verify", "metrics", "not_worse", "same_datasets", "reason")
"""The guards, in the order in which they are judged: cheap ones first, reading every byte last but for ``reason``."""

_REQUIREABLE: Final = (*RECORD_FIELDS, "card", "lineage")
_RULE: Final = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9.eE_+-]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """What is known about a metric: which way it is better (None: unknown), and its unit."""

    better: Better | None = None
    unit: str = ""


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
class Guards:
    """The rules a move into a stage must meet; what is empty or False asks for nothing."""

    origin: tuple[StageName, ...] = ()
    require: tuple[str, ...] = ()
    verify: bool = False
    metrics: tuple[MetricRule, ...] = ()
    not_worse: Mapping[str, Tolerance] = field(default_factory=dict)
    same_datasets: str = ""
    reason: bool = False
    approvals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named place that one version of every model can hold.

    Attributes:
        name: of the stage.
        guards: what a move into it must meet.
        alias: a pointer outside the lifecycle, such as ``champion``.
        description: for people.
    """

    name: StageName
    guards: Guards = field(default_factory=Guards)
    alias: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A registry's whole ``registry.toml``.

    Attributes:
        id: binds events to this registry.
        name: for people.
        pattern: what narrows the names of models, or None.
        metrics: by name.
        stages: in the order of the lifecycle.
    """

    id: str
    name: str = ""
    pattern: re.Pattern[str] | None = None
    metrics: Mapping[str, MetricInfo] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()

    def stage(self, name: str) -> Stage | None:
        """The stage of that name, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)

    @property
    def last_stage(self) -> StageName | None:
        """Where the lifecycle ends: what a move into asks to be confirmed."""
        return next((stage.name for stage in reversed(self.stages) if not stage.alias), None)

    def better(self, metric: str) -> Better | None:
        """Which way the metric is better, or None where nobody said."""
        info = self.metrics.get(metric)
        return info.better if info else None


class _WrongKeyError(InvalidInputError):
    """An error that knows its key as a path, for finding its line."""

    def __init__(self, path: tuple[str, ...], wanted: str, value: object) -> None:
        plain = wrong(".".join(path), wanted, value)
        super().__init__(str(plain), facts={"key": ".".join(path), "path": list(path)})


def policy_of(document: Mapping[str, Any]) -> Policy:
    """The policy in a parsed ``registry.toml``.

    Raises:
        InvalidInputError: with ``key`` and ``path`` (the key's parts) in its facts.
    """
    _known(document, _TOP_KEYS, ())
    _format(document)
    names = _table(document, ("names",))
    _known(names, ("pattern",), ("names",))
    metrics = {name: _metric(info, ("metrics", name)) for name, info in _table(document, ("metrics",)).items()}
    declared = _table(document, ("stages",))
    for name in declared:
        if not is_stage_name(name):
            raise _WrongKeyError(("stages", name), "a stage's name of a-z, 0-9, '.', '_' and '-'", name)
    stages = tuple(_stage(StageName(name), info, tuple(declared)) for name, info in declared.items())
    _directions_are_known(stages, metrics)
    return Policy(
        id=_text(document, ("id",), required=True),
        name=_text(document, ("name",)),
        pattern=_pattern(names),
        metrics=metrics,
        stages=stages,
    )


def registry_id_of(document: Mapping[str, Any]) -> str:
    """The id alone, from a file that may be wrong in other places; empty where there is none."""
    found = document.get("id")
    return found if isinstance(found, str) else ""


def stage_names_of(document: Mapping[str, Any]) -> tuple[StageName, ...]:
    """The stages' names alone, from a file that may be wrong in other places."""
    declared = document.get("stages")
    return tuple(StageName(name) for name in declared if is_stage_name(name)) if isinstance(declared, dict) else ()


def _format(document: Mapping[str, Any]) -> None:
    written = document.get("format")
    if isinstance(written, bool) or not isinstance(written, int):
        raise _WrongKeyError(("format",), str(FORMAT), written)
    if written != FORMAT:
        raise _WrongKeyError(("format",), f"{FORMAT} (a newer format needs a newer stackroom)", written)


def _known(table: Mapping[str, Any], keys: Iterable[str], path: tuple[str, ...]) -> None:
    known = tuple(keys)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            wanted = f"{near[0]!r} perhaps; known are {', '.join(known)}" if near else f"one of {', '.join(known)}"
            raise _WrongKeyError((*path, key), wanted, key)


def _table(parent: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    value = parent.get(path[-1], {})
    if not isinstance(value, dict):
        raise _WrongKeyError(path, "a table", value)
    return value


def _text(parent: Mapping[str, Any], path: tuple[str, ...], *, required: bool = False) -> str:
    value = parent.get(path[-1], "")
    if not isinstance(value, str) or (required and not re.fullmatch(r"[\w.-]{1,64}", value)):
        raise _WrongKeyError(path, "1 to 64 letters, digits, '-', '_' and '.'" if required else "text", value)
    return value


def _flag(parent: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value = parent.get(path[-1], False)
    if not isinstance(value, bool):
        raise _WrongKeyError(path, "true or false", value)
    return value


def _texts(parent: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    value = parent.get(path[-1], [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _WrongKeyError(path, "a list of texts", value)
    return tuple(value)


def _pattern(names: Mapping[str, Any]) -> re.Pattern[str] | None:
    text = _text(names, ("names", "pattern"))
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise _WrongKeyError(("names", "pattern"), f"a regular expression ({error})", text) from None


def _metric(info: object, path: tuple[str, ...]) -> MetricInfo:
    if not isinstance(info, dict):
        raise _WrongKeyError(path, "a table", info)
    _known(info, _METRIC_KEYS, path)
    better = info.get("better")
    if better not in (None, "higher", "lower"):
        raise _WrongKeyError((*path, "better"), "'higher' or 'lower'", better)
    return MetricInfo(better=better, unit=_text(info, (*path, "unit")))


def _stage(name: StageName, info: object, declared: tuple[str, ...]) -> Stage:
    path = ("stages", name)
    if not isinstance(info, dict):
        raise _WrongKeyError(path, "a table", info)
    _known(info, _STAGE_KEYS, path)
    return Stage(
        name=name,
        guards=_guards(_table(info, (*path, "guards")), (*path, "guards"), declared),
        alias=_flag(info, (*path, "alias")),
        description=_text(info, (*path, "description")),
    )


def _guards(table: Mapping[str, Any], path: tuple[str, ...], declared: tuple[str, ...]) -> Guards:
    # A guard that this program does not know is refused, never skipped: skipping it would let a move through.
    _known(table, GUARD_NAMES, path)
    origin = _texts(table, (*path, "from"))
    for stage in origin:
        if stage not in declared:
            raise _WrongKeyError((*path, "from"), f"declared stages ({', '.join(declared)})", stage)
    require = _texts(table, (*path, "require"))
    for key in require:
        if key.partition(".")[0] not in _REQUIREABLE:
            raise _WrongKeyError(
                (*path, "require"), f"fields, such as metrics.auc, out of {', '.join(_REQUIREABLE)}", key
            )
    return Guards(
        origin=tuple(StageName(stage) for stage in origin),
        require=require,
        verify=_flag(table, (*path, "verify")),
        metrics=tuple(_rule(text, (*path, "metrics")) for text in _texts(table, (*path, "metrics"))),
        not_worse={
            metric: _tolerance(value, (*path, "not_worse", metric))
            for metric, value in _table(table, (*path, "not_worse")).items()
        },
        same_datasets=_text(table, (*path, "same_datasets")),
        reason=_flag(table, (*path, "reason")),
    )


def _rule(text: str, path: tuple[str, ...]) -> MetricRule:
    found = _RULE.fullmatch(text)
    if found:
        try:
            bound = float(found[3])
        except ValueError:
            pass
        else:
            return MetricRule(metric=found[1], operator=found[2], bound=bound)  # type: ignore[arg-type]  # the pattern
    raise _WrongKeyError(path, "rules such as 'auc >= 0.90'", text)


def _tolerance(value: object, path: tuple[str, ...]) -> Tolerance:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*%\s*", value):
        return Tolerance(amount=float(value.strip().rstrip("% ")) / 100, relative=True)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return Tolerance(amount=float(value))
    raise _WrongKeyError(path, "a tolerance such as 0.005 or '5%'", value)


def _directions_are_known(stages: Iterable[Stage], metrics: Mapping[str, MetricInfo]) -> None:
    for stage in stages:
        for metric in stage.guards.not_worse:
            info = metrics.get(metric)
            if info is None or info.better is None:
                path = ("stages", stage.name, "guards", "not_worse", metric)
                raise _WrongKeyError(
                    path, f"a metric whose direction is declared: [metrics.{metric}] better = …", metric
                )
