"""What holds a stage against what its ``monitor`` in ``registry.toml`` asks for: observations in, states out.

A metric is judged by the mean of what was observed within the window: one bad minute is no degradation, and a bad day
is. NaN makes a mean NaN, which keeps no bound. What was not observed is *silent*: that is neither good nor bad.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.keys import WrongKeyError, only_known, table_of, texts_of
from stackroom.core.metadata import jsonable
from stackroom.core.rules import MetricRule, amount_of, rule_of
from stackroom.core.show import number
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from stackroom.core.observations import Observation

WINDOW_HOURS: Final = 24.0
"""How far back observations are looked at where ``registry.toml`` says nothing."""

_LONGEST_HOURS: Final = 24 * 365.0

State = Literal["ok", "degraded", "silent"]
"""Of a metric, or of a holder: as asked for, not as asked for, or nothing was observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What is asked of whatever holds a stage.

    Attributes:
        metrics: bounds, each on the mean of what was observed.
        window_hours: how far back observations are looked at.
    """

    metrics: tuple[MetricRule, ...]
    window_hours: float = WINDOW_HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One bound, and what was observed.

    Attributes:
        rule: what is asked for.
        count: how many observations of the window have the metric.
        mean: of them; None where there are none.
        least: of them.
        most: of them.
    """

    rule: MetricRule
    count: int
    mean: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def state(self) -> State:
        """What it comes to."""
        if self.mean is None:
            return "silent"
        return "ok" if self.rule.holds(self.mean) else "degraded"

    def seen(self) -> str:
        """What was observed, in words: ``0.861 in 12 observations (0.84 to 0.88)``."""
        if self.mean is None or self.least is None or self.most is None:
            return "nothing was observed"
        if self.count == 1:
            return f"{number(self.mean, self.rule.bound)} in 1 observation"
        between = f"{number(self.least)} to {number(self.most)}"
        return f"{number(self.mean, self.rule.bound)} in {self.count:,} observations ({between})"

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "rule": str(self.rule),
            "metric": self.rule.metric,
            "state": self.state,
            "count": self.count,
            "mean": jsonable(self.mean),
            "least": jsonable(self.least),
            "most": jsonable(self.most),
        }


def readings(monitor: Monitor, observations: Sequence[Observation], now: datetime) -> tuple[Reading, ...]:
    """Every bound of a monitor against what was observed of a version.

    Args:
        monitor: what is asked for.
        observations: of the version; what does not count, or is older than the window, is left out.
        now: the end of the window.
    """
    since = now - timedelta(hours=monitor.window_hours)
    counted = [one for one in observations if one.validity.counts and one.when >= since]
    return tuple(_reading(rule, counted) for rule in monitor.metrics)


def _reading(rule: MetricRule, observations: Sequence[Observation]) -> Reading:
    values = [float(one.metrics[rule.metric]) for one in observations if rule.metric in one.metrics]
    if not values:
        return Reading(rule=rule, count=0)
    return Reading(rule=rule, count=len(values), mean=_mean(values), least=min(values), most=max(values))


def _mean(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        # NaN, and infinities of both signs, whatever their order.
        return sum(values)
    # Each share by itself: a sum of large numbers would overflow where their mean does not.
    return math.fsum(value / len(values) for value in values)


def state_of(found: Sequence[Reading]) -> State:
    """What the readings of one holder come to: degraded where one is, ok where all are, and else silent."""
    states = {reading.state for reading in found}
    if "degraded" in states:
        return "degraded"
    return "silent" if "silent" in states else "ok"


def monitor_of(written: Mapping[str, Any], path: tuple[str, ...]) -> Monitor:
    """The monitor of a stage.

    Args:
        written: the table of the stage.
        path: of the monitor's table.

    Raises:
        WrongKeyError: with the key, what was expected and what was found.
    """
    table = table_of(written, path)
    only_known(table, ("metrics", "window_hours"), path)
    texts = texts_of(table, (*path, "metrics"))
    if not texts:
        raise WrongKeyError((*path, "metrics"), "rules such as 'auc >= 0.88'", table.get("metrics"))
    hours = amount_of(table, (*path, "window_hours"), "hours, more than 0 and at most a year", _LONGEST_HOURS)
    return Monitor(
        metrics=tuple(rule_of(text, (*path, "metrics")) for text in texts),
        window_hours=hours or WINDOW_HOURS,
    )
