"""Which versions of a model a clean-up lets go: protections, then rules, all of which have to agree.

Pure: the store says what there is, the caller what time it is. A version goes only where nothing protects it and every
rule that was given lets it go, so that one more rule never deletes more.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from stackroom.core.patterns import pattern
from stackroom.core.show import count, duration, number
from stackroom.core.values import dataclass, field
from stackroom.errors import InvalidInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from stackroom.core.policy import Better, Policy

_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGE: Final = pattern(r"\s*([0-9]{1,6})\s*([a-z]?)\s*")


def age_of(text: str | timedelta) -> timedelta:
    """An age as typed: ``12h``, ``30d``, ``8w``.

    Raises:
        UsageError: it is none; a number alone is refused, because nobody knows whether it means hours or days.
    """
    if isinstance(text, timedelta):
        return text
    found = _AGE.fullmatch(text)
    if not found or found[2] not in _UNITS:
        raise UsageError(
            f"{text!r} is not an age", hint="a whole number and h, d or w: 12h, 30d, 8w (hours, days, weeks)"
        )
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The rule that keeps the best versions by a metric.

    Attributes:
        metric: its name.
        amount: how many are kept; more where several are equally good.
    """

    metric: str
    amount: int = 1

    def __str__(self) -> str:
        return f"keep-best {self.metric}:{self.amount}"


def best_of(text: str) -> Best:
    """``auc`` or ``auc:3`` as a rule.

    Raises:
        UsageError: it is none.
    """
    name, colon, digits = text.strip().rpartition(":")
    metric, amount = (name, int(digits)) if colon and re.fullmatch(r"[0-9]{1,6}", digits) else (text.strip(), 1)
    if not metric or amount < 1:
        raise UsageError(f"{text!r}: expected a metric, or a metric and how many", hint="for example auc or auc:3")
    return Best(metric=metric, amount=amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may go.

    Attributes:
        keep_last: the newest so many of every model stay.
        older_than: only what was registered at least so long ago goes.
        keep_best: the best by these metrics stay.
    """

    keep_last: int | None = None
    older_than: timedelta | None = None
    keep_best: tuple[Best, ...] = ()

    def __str__(self) -> str:
        said = [f"keep-last {self.keep_last}"] if self.keep_last is not None else []
        said += [f"older-than {age_text(self.older_than)}"] if self.older_than is not None else []
        return ", ".join([*said, *map(str, self.keep_best)])

    def check(self, policy: Policy) -> None:
        """Whether they make sense.

        Raises:
            UsageError: there is none, or one keeps less than nothing.
            InvalidInputError: nobody said which way a metric is better.
        """
        if self.keep_last is None and self.older_than is None and not self.keep_best:
            raise UsageError(
                "a clean-up needs a rule: what may go?",
                hint="keep-last N, older-than 30d or keep-best METRIC; a version goes only if all that are given agree",
            )
        if self.keep_last is not None and self.keep_last < 1:
            raise UsageError(f"keep-last {self.keep_last}: the newest version always stays, so 1 is the least")
        for best in self.keep_best:
            if direction_of(policy, best.metric) is None:
                raise InvalidInputError(
                    f"keep-best {best.metric}: nobody said whether more or less of it is better",
                    hint=f"the steward declares it in registry.toml: [metrics.{best.metric}], and below it "
                    'better = "higher" or better = "lower"',
                    facts={"metric": best.metric, "file": "registry.toml"},
                )


def direction_of(policy: Policy, metric: str) -> Better | None:
    """Which way a metric is better; None where ``registry.toml`` does not say."""
    info = policy.metrics.get(metric)
    return info.better if info else None


def age_text(age: timedelta) -> str:
    """An age as it is typed: ``12h``, ``30d``."""
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version that a clean-up looks at.

    Attributes:
        number: its number.
        created: when it was registered; None where that cannot be read.
        metrics: of its current metadata.
        protected: why it stays whatever the rules say, or empty: ``holds production``.
        registered: it is a version, and no folder that only has the name of one: that keeps no other from being newest.
    """

    number: int
    created: datetime | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    protected: str = ""
    registered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a clean-up says about a version.

    Attributes:
        number: which.
        goes: whether nothing protects it and every rule lets it go.
        why: the protection or the first rule that keeps it, or what the rules said that let it go.
    """

    number: int
    goes: bool
    why: str


def fates(candidates: Sequence[Candidate], rules: Rules, policy: Policy, now: datetime) -> tuple[Fate, ...]:
    """What becomes of all versions of one model.

    Args:
        candidates: every version that is here, in any order.
        rules: checked already.
        policy: for the directions of metrics.
        now: the time.
    """
    newest_first = sorted((candidate.number for candidate in candidates if candidate.registered), reverse=True)
    best = {rule: _kept_by(candidates, rule, direction_of(policy, rule.metric)) for rule in rules.keep_best}
    found: list[Fate] = []
    for candidate in sorted(candidates, key=lambda candidate: candidate.number):
        kept = candidate.protected or ("is the newest" if candidate.number in newest_first[:1] else "")
        reasons: list[str] = []
        for holds, says in _verdicts(candidate, rules, newest_first, best, now):
            kept = kept or (says if holds else "")
            reasons.append(says)
        found.append(Fate(number=candidate.number, goes=not kept, why=kept or ", ".join(reasons)))
    return tuple(found)


def _verdicts(
    candidate: Candidate, rules: Rules, newest_first: Sequence[int], best: Mapping[Best, frozenset[int]], now: datetime
) -> list[tuple[bool, str]]:
    """For every rule whether it keeps the version, and why or why not."""
    found: list[tuple[bool, str]] = []
    if rules.keep_last is not None:
        place = sum(number > candidate.number for number in newest_first)
        newest = "the newest" if rules.keep_last == 1 else f"the newest {rules.keep_last}"
        kept = place < rules.keep_last
        found.append((kept, f"is among {newest}" if kept else f"{count(place, 'version')} newer"))
    if rules.older_than is not None:
        if candidate.created is None:
            found.append((True, "nobody knows when it was registered"))
        else:
            age = now - candidate.created
            limit = age_text(rules.older_than)
            old = duration(max(age.total_seconds(), 0))
            kept = age < rules.older_than
            found.append((kept, f"is {old} old, not {limit}" if kept else f"{old} old"))
    for rule, kept_numbers in best.items():
        value = candidate.metrics.get(rule.metric)
        said = f"{rule.metric} {'is missing' if value is None else number(value)}"
        which = "best" if rule.amount == 1 else f"best {rule.amount}"
        if not kept_numbers:
            # Else a slip in the name of a metric would let everything go.
            found.append((True, f"no version of the model has {rule.metric}"))
            continue
        kept = candidate.number in kept_numbers
        found.append((kept, f"is among the {which} by {rule.metric}" if kept else f"{said}, not among the {which}"))
    return found


def _kept_by(candidates: Sequence[Candidate], rule: Best, better: Better | None) -> frozenset[int]:
    """The best versions by a metric; as good as the last of them is good enough, NaN and missing never are."""
    values = {
        candidate.number: float(candidate.metrics[rule.metric])
        for candidate in candidates
        if not math.isnan(float(candidate.metrics.get(rule.metric, math.nan)))
    }
    ranked = sorted(values.values(), reverse=better == "higher")
    if not ranked:
        return frozenset()
    bar = ranked[min(rule.amount, len(ranked)) - 1]
    return frozenset(one for one, value in values.items() if (value >= bar if better == "higher" else value <= bar))
