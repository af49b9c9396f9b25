"""What ``registry.toml`` says: who the registry is, its stages and guards, which way metrics are better.

A wrong file is refused as a whole, with the key, what was expected and what was found; the store adds file and line.
Reading a registry goes on without it; moving does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.keys import WrongKeyError, flag_of, only_known, table_of, text_of
from stackroom.core.metadata import FORMAT
from stackroom.core.names import StageName, is_stage_name
from stackroom.core.rules import Guards, guards_of
from stackroom.core.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stackroom.core.monitor import Monitor

Better = Literal["higher", "lower"]
"""Which way a metric is better."""

_TOP_KEYS: Final = ("format", "id", "name", "description", "created", "names", "metrics", "stages")
_METRIC_KEYS: Final = ("better", "unit")
_STAGE_KEYS: Final = ("guards", "alias", "description", "monitor")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """What is known about a metric: which way it is better (None: unknown), and its unit."""

    better: Better | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named place that one version of every model can hold.

    Attributes:
        name: of the stage.
        guards: what a move into it must meet.
        alias: a pointer outside the lifecycle, such as ``champion``.
        description: for people.
        monitor: what is asked of whatever holds it, or None.
    """

    name: StageName
    guards: Guards = field(default_factory=Guards)
    alias: bool = False
    description: str = ""
    monitor: Monitor | None = None


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

    def soaks_in(self, name: str) -> tuple[StageName, ...]:
        """The stages in which a version must have soaked before a move: those of ``from``, else the one before."""
        stage = self.stage(name)
        if stage is None or stage.guards.origin:
            return stage.guards.origin if stage else ()
        before = [one.name for one in self.stages[: self.stages.index(stage)] if not one.alias]
        return tuple(before[-1:]) if not stage.alias else ()

    def better(self, metric: str) -> Better | None:
        """Which way the metric is better, or None where nobody said."""
        info = self.metrics.get(metric)
        return info.better if info else None


def policy_of(document: Mapping[str, Any]) -> Policy:
    """The policy in a parsed ``registry.toml``.

    Raises:
        InvalidInputError: with ``key`` and ``path`` (the key's parts) in its facts.
    """
    only_known(document, _TOP_KEYS, ())
    _format(document)
    names = table_of(document, ("names",))
    only_known(names, ("pattern",), ("names",))
    metrics = {name: _metric(info, ("metrics", name)) for name, info in table_of(document, ("metrics",)).items()}
    declared = table_of(document, ("stages",))
    for name in declared:
        if not is_stage_name(name):
            raise WrongKeyError(("stages", name), "a stage's name of a-z, 0-9, '.', '_' and '-'", name)
    stages = tuple(_stage(StageName(name), info, tuple(declared)) for name, info in declared.items())
    _directions_are_known(stages, metrics)
    policy = Policy(
        id=text_of(document, ("id",), required=True),
        name=text_of(document, ("name",)),
        pattern=_pattern(names),
        metrics=metrics,
        stages=stages,
    )
    for stage in stages:
        if stage.guards.soak_hours and not policy.soaks_in(stage.name):
            path = ("stages", stage.name, "guards", "soak_hours")
            raise WrongKeyError(path, "a guard 'from' beside it: no stage of the lifecycle stands before", stage.name)
    return policy


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
        raise WrongKeyError(("format",), str(FORMAT), written)
    if written != FORMAT:
        raise WrongKeyError(("format",), f"{FORMAT} (a newer format needs a newer stackroom)", written)


def _pattern(names: Mapping[str, Any]) -> re.Pattern[str] | None:
    text = text_of(names, ("names", "pattern"))
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise WrongKeyError(("names", "pattern"), f"a regular expression ({error})", text) from None


def _metric(info: object, path: tuple[str, ...]) -> MetricInfo:
    if not isinstance(info, dict):
        raise WrongKeyError(path, "a table", info)
    only_known(info, _METRIC_KEYS, path)
    better = info.get("better")
    if better not in (None, "higher", "lower"):
        raise WrongKeyError((*path, "better"), "'higher' or 'lower'", better)
    return MetricInfo(better=better, unit=text_of(info, (*path, "unit")))


def _stage(name: StageName, info: object, declared: tuple[str, ...]) -> Stage:
    path = ("stages", name)
    if not isinstance(info, dict):
        raise WrongKeyError(path, "a table", info)
    only_known(info, _STAGE_KEYS, path)
    return Stage(
        name=name,
        guards=guards_of(table_of(info, (*path, "guards")), (*path, "guards"), declared),
        alias=flag_of(info, (*path, "alias")),
        description=text_of(info, (*path, "description")),
        monitor=_monitor(info, (*path, "monitor")) if "monitor" in info else None,
    )


def _monitor(info: Mapping[str, Any], path: tuple[str, ...]) -> Monitor:
    from stackroom.core.monitor import monitor_of  # noqa: PLC0415 - few registries have one, and every command reads this

    return monitor_of(info, path)


def _directions_are_known(stages: Iterable[Stage], metrics: Mapping[str, MetricInfo]) -> None:
    for stage in stages:
        for metric in stage.guards.not_worse:
            info = metrics.get(metric)
            if info is None or info.better is None:
                path = ("stages", stage.name, "guards", "not_worse", metric)
                raise WrongKeyError(
                    path, f"a metric whose direction is declared: [metrics.{metric}] better = …", metric
                )
