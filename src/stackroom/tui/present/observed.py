"""What production measured: in the overview of a version, and as marks in the plot of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.monitor import readings
from stackroom.core.observations import latest_of
from stackroom.core.show import age, count, number
from stackroom.tui.present.plot import Mark
from stackroom.tui.present.words import Line, fact, heading
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.core.observations import Observation
    from stackroom.core.policy import Policy
    from stackroom.store.records import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """What is known of production.

    Attributes:
        observations: oldest first.
        trouble: why they could not be read, or empty.
    """

    observations: tuple[Observation, ...] = ()
    trouble: str = ""


def observed_lines(version: Version, measured: Production, policy: Policy, now: datetime) -> list[Line]:
    """The latest of each metric, and how the version does by the monitors of the stages that it holds."""
    lines: list[Line] = []
    if measured.trouble:
        lines.append((Cell("! ", "bad"), Cell(measured.trouble, "bad")))
    for one in latest_of(measured.observations):
        said = one.observation
        doubt = "" if said.validity is Validity.ATTESTED else "? unattested, "
        told = f"{age(said.at, now)} by {said.by.label} on {said.host}, {doubt}{count(one.count, 'observation')}"
        lines.append((*fact(one.metric, number(one.value)), Cell(f"  {told}", "dim")))
    for stage in policy.stages:
        if stage.monitor is None or stage.name not in version.stages:
            continue
        for reading in readings(stage.monitor, measured.observations, now):
            role = {"ok": "good", "degraded": "bad", "silent": "warn"}[reading.state]
            within = f"{stage.monitor.window_hours:g} h"
            said_of = f"{reading.state}: {reading.rule} within {within}, {reading.seen()}"
            lines.append((*fact(stage.name, said_of, role),))
    return [heading("Observed"), *lines] if lines else []


def marks_of(measured: Production, metric: str) -> list[Mark]:
    """A metric's observations for its plot; what does not count is left out."""
    return [
        Mark(number=one.version, value=float(one.metrics[metric]), when=one.when)
        for one in measured.observations
        if one.validity.counts and metric in one.metrics
    ]
