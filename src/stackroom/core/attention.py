"""What needs attention in a registry that is otherwise as it should be: rules over what a listing knows.

``doctor`` asks whether a registry is as the format says, this whether its models are as people would want them. Pure:
the caller has read the models. One table, :data:`KINDS`, says what there is to find.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stackroom.core.findings import SEVERITIES, Severity
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.core.names import ModelName, Ref

OLDER_THAN: Final = timedelta(days=30)
"""Age from which on what waits is stale."""

HUGE: Final = 10 * 1000**3
"""Bytes of one version from which on somebody should know of it."""


class Kind(NamedTuple):
    """A kind of remark: how bad it is, and what it means."""

    severity: Severity
    meaning: str


KINDS: Final[dict[str, Kind]] = {
    "damaged": Kind("error", "something of it cannot be read, is missing, or is not what was promoted"),
    "forged": Kind("error", "the ledger of a stage that it holds has alarms: forged, foreign or missing events"),
    "degraded": Kind("error", "what production measured of it is not what the monitor of its stage asks for"),
    "unattested": Kind("warning", "the event that makes it hold a stage is not the file of whom it names: a copy"),
    "flawed": Kind("warning", "something about it is odd"),
    "unobserved": Kind("warning", "its stage has a monitor, and nothing was observed for longer than its window"),
    "no-metadata": Kind("warning", "fields are missing that the first stage asks for"),
    "no-card": Kind("warning", "it has no model card"),
    "stale": Kind("warning", "it has held a stage before the last one for long, and went no further"),
    "never-promoted": Kind("note", "the model has been there for long, and never held a stage"),
    "unverified": Kind("note", "it holds the last stage, and no guard had its bytes read again"),
    "huge": Kind("note", "it is very large"),
}
"""What there is to find, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that needs attention.

    Attributes:
        kind: one of :data:`KINDS`.
        model: of which model.
        ref: the version, or the model.
        why: what was seen, in words; texts of the registry are part of it.
        command: that helps, or shows more.
    """

    kind: str
    model: ModelName
    ref: Ref
    why: str
    command: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.kind].severity

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``review --json``."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "model": self.model,
            "ref": str(self.ref),
            "why": self.why,
            "command": self.command,
        }


_ORDER: Final = {kind: place for place, kind in enumerate(KINDS)}


def worst_first(remarks: Iterable[Remark]) -> list[Remark]:
    """By severity, then by kind, then by model and version."""
    return sorted(
        set(remarks),
        key=lambda one: (
            SEVERITIES.index(one.severity),
            _ORDER[one.kind],
            one.model,
            one.ref.number or 0,
            one.why,
        ),
    )
