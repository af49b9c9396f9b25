"""What happened to the sample's versions after training: the moves, labels and the one archiving, in order.

Every step meets the guards of :data:`POLICY`. Two moves that somebody could try next do not: tumor-screening 5 into
production (worse than the holder) and digit-reader 6 into production (no card).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

POLICY = """\
[metrics.accuracy]
better = "higher"

[metrics.auc]
better = "higher"

[metrics.log_loss]
better = "lower"

[metrics.rmse]
better = "lower"

[metrics.mae]
better = "lower"

[metrics.r2]
better = "higher"

[metrics.latency_ms]
better = "lower"
unit = "ms"

[metrics.size_kb]
better = "lower"
unit = "kB"

[stages.staging]
guards = { require = ["description", "datasets"] }

[stages.production]
[stages.production.guards]
from = ["staging"]
require = ["description", "card", "license"]
metrics = ["latency_ms <= 20", "size_kb <= 500"]
not_worse = { accuracy = 0.005, auc = 0.005, r2 = 0.005 }
reason = true
"""
"""The part of ``registry.toml`` that says what better means and what a stage asks for."""

Kind = Literal["promote", "rollback", "archive", "clear", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that somebody did.

    Attributes:
        kind: what was done.
        model: to which model.
        version: to which version; for a rollback the one that it goes back to, for a clear the one that leaves.
        stage: of a promote, rollback or clear; else empty.
        reason: why; empty for a label.
        who: a made-up login.
        label: the name that a label gives; else empty.
    """

    kind: Kind
    model: str
    version: int
    stage: str = ""
    reason: str = ""
    who: str
    label: str = ""


def _staged(ref: str, who: str, reason: str) -> Step:
    return _step("promote", ref, who, stage="staging", reason=reason)


def _released(ref: str, who: str, reason: str) -> Step:
    return _step("promote", ref, who, stage="production", reason=reason)


def _labelled(ref: str, who: str, label: str) -> Step:
    return _step("label", ref, who, label=label)


def _step(kind: Kind, ref: str, who: str, *, stage: str = "", reason: str = "", label: str = "") -> Step:
    model, _, version = ref.partition(":")
    return Step(kind=kind, model=model, version=int(version), stage=stage, reason=reason, who=who, label=label)


STORY: tuple[Step, ...] = (
    # digit-reader: the newest version waits in staging for its card while the one before it is in production
    _staged("digit-reader:2", "grace", "first version trained on all scans"),
    _staged("digit-reader:3", "edsger", "beats the forest in a fraction of its size"),
    _staged("digit-reader:4", "edsger", "a quarter fewer errors than 3"),
    _labelled("digit-reader:4", "grace", "1.0.0"),
    _released("digit-reader:4", "ada", "two weeks on the test scanner without a complaint"),
    _step("archive", "digit-reader:1", "ada", reason="learned from 300 scans only; superseded by 3"),
    _staged("digit-reader:5", "ada", "a third of the errors of 4"),
    _labelled("digit-reader:5", "edsger", "1.1.0"),
    _released("digit-reader:5", "grace", "99 in 100 digits right; the scanners have the memory"),
    _staged("digit-reader:6", "ada", "same accuracy as 5, better probabilities; the card is still to be written"),
    # tumor-screening: released, rolled back, released again; then a candidate that is worse
    _staged("tumor-screening:1", "ada", "something to compare with"),
    _labelled("tumor-screening:1", "tim", "1.0.0"),
    _released("tumor-screening:1", "grace", "orders the work list better than the order of arrival"),
    _staged("tumor-screening:2", "grace", "usable probabilities at last"),
    _staged("tumor-screening:3", "tim", "beats 2 in accuracy, auc and log loss, and can be explained"),
    _labelled("tumor-screening:3", "ada", "2.0.0"),
    _released("tumor-screening:3", "grace", "the clinic agreed after reading the coefficients"),
    _staged("tumor-screening:4", "ada", "best accuracy, auc and log loss so far"),
    _labelled("tumor-screening:4", "grace", "2.1.0"),
    _released("tumor-screening:4", "ada", "two fewer malignant samples missed than by 3"),
    _step(
        "rollback",
        "tumor-screening:3",
        "tim",
        stage="production",
        reason="the work list's client cannot load the operators of 4",
    ),
    _released("tumor-screening:4", "ada", "client updated in all three laboratories"),
    _staged("tumor-screening:5", "ada", "to try the bedside device with four measurements"),
    # wine-origin: released, and staging emptied for the next season
    _staged("wine-origin:2", "edsger", "first version that is better than the laboratory's own guess"),
    _staged("wine-origin:3", "grace", "70 of 72 bottles right"),
    _labelled("wine-origin:3", "edsger", "1.0.0"),
    _released("wine-origin:3", "ada", "in time for the spring tasting"),
    _staged("wine-origin:4", "edsger", "every held-out bottle right, in a file of 1 kB"),
    _labelled("wine-origin:4", "ada", "1.1.0"),
    _released("wine-origin:4", "grace", "agrees with the panel on all bottles of the spring tasting"),
    _step("clear", "wine-origin:4", "edsger", stage="staging", reason="nothing to try until the next harvest"),
    # diabetes-progression: a better version is in staging and could go into production now
    _staged("diabetes-progression:3", "grace", "first version with all patients that beats the pilot clearly"),
    _labelled("diabetes-progression:3", "ada", "1.0.0"),
    _released("diabetes-progression:3", "tim", "appointments for the next quarter are planned with it"),
    _staged("diabetes-progression:4", "ada", "smaller error than 3 with seven of the ten values"),
    # iris-species: nothing was ever promoted
)
"""In this order; versions are registered before the first step."""
