"""Whether a version may move: every guard's verdict, with the value it saw and the one it wanted.

The kernel decides *who* may move; this decides *whether*. Pure: the caller has read what
:class:`~stackroom.core.verdicts.Situation` holds. Guards that ask about people, time and programs stand in
:mod:`stackroom.core.review`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from stackroom.core import review
from stackroom.core.metadata import Record, has_field
from stackroom.core.show import number
from stackroom.core.values import replace
from stackroom.core.verdicts import Situation, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stackroom.core.rules import Tolerance


def judge(situation: Situation, override: frozenset[str] = frozenset()) -> tuple[Verdict, ...]:
    """The verdict of every guard of the stage, in the order of :data:`~stackroom.core.rules.GUARD_NAMES`.

    Before them, and without being asked for: what is archived does not move.

    Args:
        situation: everything that the verdicts depend on.
        override: the guards that the mover overrides, as far as ``registry.toml`` allows it and they refuse.
    """
    steps: tuple[Callable[[Situation], Iterable[Verdict]], ...] = (
        _archived,
        _from,
        _require,
        review.steward_owned,
        review.four_eyes,
        review.soak,
        review.approvals,
        _verify,
        _metrics,
        _not_worse,
        _same_datasets,
        _reason,
        review.command,
    )
    overridable = situation.stage.guards.overridable
    return tuple(
        replace(
            verdict,
            overridable=verdict.name in overridable,
            overridden=not verdict.passed and verdict.name in overridable & override,
        )
        for step in steps
        for verdict in step(situation)
    )


def _archived(situation: Situation) -> Iterable[Verdict]:
    candidate = situation.candidate
    if candidate.record.archived:
        yield Verdict(
            guard="archived",
            passed=False,
            seen=f"{candidate.ref} is archived",
            wanted="a version that is not",
            advice=f"stackroom archive {candidate.ref} --undo",
        )


def _from(situation: Situation) -> Iterable[Verdict]:
    wanted = situation.stage.guards.origin
    if not wanted:
        return
    held = sorted(situation.candidate.held)
    first = wanted[0]
    yield Verdict(
        guard="from",
        passed=any(stage in situation.candidate.held for stage in wanted),
        seen=f"has held {', '.join(held)}" if held else "has held no stage",
        wanted=f"holds or has held {' or '.join(wanted)}",
        advice=f"stackroom promote {situation.candidate.ref} {first}",
        key=situation.key("from"),
    )


def _require(situation: Situation) -> Iterable[Verdict]:
    candidate = situation.candidate
    for field_name in situation.stage.guards.require:
        present = candidate.has_card if field_name == "card" else has_field(candidate.record, field_name)
        missing = "missing or empty" if field_name == "card" else "missing"
        advice = (
            f"stackroom edit {candidate.ref} --card README.md"
            if field_name == "card"
            else f"stackroom edit {candidate.ref} --set {field_name}=…"
        )
        yield Verdict(
            guard=f"require {field_name}",
            passed=present,
            seen=f"{field_name} is {'there' if present else missing}",
            wanted=f"{field_name} to be there",
            advice="" if present else advice,
            key=situation.key("require"),
        )


def _verify(situation: Situation) -> Iterable[Verdict]:
    if not situation.stage.guards.verify:
        return
    damage = situation.damage
    sound = "as sealed when you last read it; the move reads it" if situation.remembered else "every byte as sealed"
    seen = "not read yet" if damage is None else "; ".join(damage) if damage else sound
    yield Verdict(
        guard="verify",
        passed=damage == (),
        seen=seen,
        wanted="every byte as sealed",
        advice="" if damage == () else f"stackroom verify {situation.candidate.ref}",
        key=situation.key("verify"),
    )


def _metrics(situation: Situation) -> Iterable[Verdict]:
    values = situation.candidate.record.metrics
    for rule in situation.stage.guards.metrics:
        value = values.get(rule.metric)
        passed = value is not None and rule.holds(value)
        yield Verdict(
            guard=f"metrics {rule.metric}",
            passed=passed,
            seen=_seen(rule.metric, value, rule.bound),
            wanted=f"{rule.operator} {number(rule.bound, value)}",
            key=situation.key("metrics"),
        )


def _not_worse(situation: Situation) -> Iterable[Verdict]:
    for metric, tolerance in situation.stage.guards.not_worse.items():
        yield _not_worse_in(situation, metric, tolerance)


def _not_worse_in(situation: Situation, metric: str, tolerance: Tolerance) -> Verdict:
    guard = f"not_worse {metric}"
    key = situation.key(f"not_worse.{metric}")
    holder = situation.holder
    value = situation.candidate.record.metrics.get(metric)
    if situation.holder_trouble:
        return Verdict(
            guard=guard,
            passed=False,
            seen=situation.holder_trouble,
            wanted="the holder's metadata as it was promoted",
            advice=f"stackroom verify {holder.ref}" if holder else "stackroom verify",
            key=key,
        )
    if holder is None:
        return Verdict(
            guard=guard, passed=True, seen="nobody else holds the stage", wanted="not worse than the holder", key=key
        )
    base = holder.record.metrics.get(metric)
    if base is None or math.isnan(base):
        return Verdict(
            guard=guard,
            passed=True,
            seen=f"{holder.ref} has no {metric} to compare with",
            wanted="not worse than the holder",
            key=key,
        )
    better = situation.policy.better(metric)
    slack = tolerance.slack(base)
    match better:
        case "higher":
            bound, sign = _sum(base, -slack), ">="
            passed = value is not None and value >= bound
        case "lower":
            bound, sign = _sum(base, slack), "<="
            passed = value is not None and value <= bound
        case None:
            bound, sign, passed = base, "?", False
        case _:
            assert_never(better)
    seen = _seen(metric, value, bound)
    told = f"{situation.holder_told} with" if situation.held_until else f"{holder.ref} has"
    wanted = f"{sign} {number(bound, value)} ({told} {number(base)}, tolerance {tolerance})"
    advice = "" if passed else f"stackroom diff {holder.ref} {situation.candidate.ref}"
    return Verdict(guard=guard, passed=passed, seen=seen, wanted=wanted, advice=advice, key=key)


def _same_datasets(situation: Situation) -> Iterable[Verdict]:
    split = situation.stage.guards.same_datasets
    if not split:
        return
    key = situation.key("same_datasets")
    holder = situation.holder
    mine = evaluation_data(situation.candidate.record, split)
    theirs = evaluation_data(holder.record, split) if holder else frozenset()
    if holder is None:
        passed, seen, wanted = True, "nobody else holds the stage", f"the holder's {split} data"
    elif situation.holder_trouble:
        passed, seen, wanted = False, situation.holder_trouble, "the holder's metadata as it was promoted"
    elif not theirs:
        passed, wanted = False, f"the {split} data of {holder.ref}, by digest"
        seen = f"{holder.ref} records no {split} data to compare with"
    else:
        passed = mine == theirs
        seen = ", ".join(sorted(mine)) or f"no {split} data with a digest"
        wanted = f"{', '.join(sorted(theirs))} (as {situation.holder_told})"
    yield Verdict(guard=f"same_datasets {split}", passed=passed, seen=seen, wanted=wanted, key=key)


def evaluation_data(record: Record, split: str) -> frozenset[str]:
    """The data of one split, as texts that are equal only where the data is: by digest alone."""
    return frozenset(dataset.digest for dataset in record.datasets if dataset.split == split and dataset.digest)


def _reason(situation: Situation) -> Iterable[Verdict]:
    if not situation.stage.guards.reason:
        return
    given = bool(situation.reason.strip())
    yield Verdict(
        guard="reason",
        passed=given,
        seen="given" if given else "none given",
        wanted="a reason",
        advice="" if given else "add --reason '…'",
        key=situation.key("reason"),
    )


def _seen(metric: str, value: float | None, bound: float) -> str:
    return f"{metric} is not recorded" if value is None else f"{metric} is {number(value, bound)}"


def _sum(base: float, slack: float) -> float:
    """The sum as people reckon it: 0.8 less 0.1 is 0.7, and not 0.7000000000000001."""
    if not (math.isfinite(base) and math.isfinite(slack)):
        return base + slack
    from decimal import Decimal  # noqa: PLC0415 - 1 ms, and only a guard with a slack needs it

    return float(Decimal(repr(base)) + Decimal(repr(slack)))
