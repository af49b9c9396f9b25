from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.policy import MetricInfo, Policy
from stackroom.core.pruning import Best, Candidate, Rules, age_of, age_text, best_of, fates
from stackroom.errors import InvalidInputError, UsageError
from support.registries import NOW

POLICY = Policy(id="x", metrics={"auc": MetricInfo(better="higher"), "loss": MetricInfo(better="lower")})
DAY = timedelta(days=1)


def candidate(number: int, days: int | None = 0, protected: str = "", **metrics: float) -> Candidate:
    created = None if days is None else NOW - days * DAY
    return Candidate(number=number, created=created, metrics=metrics, protected=protected)


def going(candidates: list[Candidate], **rules: object) -> list[int]:
    return [fate.number for fate in fates(candidates, Rules(**rules), POLICY, NOW) if fate.goes]  # type: ignore[arg-type]  # fields of Rules


@pytest.mark.parametrize(
    ("text", "age"),
    [("12h", timedelta(hours=12)), ("30d", 30 * DAY), ("8w", 56 * DAY), (" 1 d ", DAY), ("0h", timedelta())],
)
def test_ages_are_read_as_they_are_typed(text: str, age: timedelta) -> None:
    assert age_of(text) == age


@pytest.mark.parametrize("text", ["30", "", "d", "1m", "1y", "-1d", "1.5d", "30 days", "9999999d"])
def test_an_age_that_could_mean_anything_is_refused_with_what_is_understood(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        age_of(text)
    assert "12h, 30d, 8w" in caught.value.hint


@given(st.integers(0, 999999), st.sampled_from("hdw"))
def test_an_age_is_shown_as_it_can_be_typed_again(amount: int, unit: str) -> None:
    age = age_of(f"{amount}{unit}")
    shown = age_text(age)
    assert int(shown[:-1]) * age_of(f"1{shown[-1]}") == age


@pytest.mark.parametrize(
    ("text", "best"),
    [("auc", Best(metric="auc")), ("auc:3", Best(metric="auc", amount=3)), ("a:b", Best(metric="a:b"))],
)
def test_a_metric_may_say_how_many_are_kept(text: str, best: Best) -> None:
    assert best_of(text) == best


@pytest.mark.parametrize("text", ["", ":3", "auc:0"])
def test_a_metric_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a metric"):
        best_of(text)


def test_the_newest_so_many_stay() -> None:
    versions = [candidate(number) for number in (1, 2, 5, 9)]
    assert going(versions, keep_last=2) == [1, 2]
    assert going(versions, keep_last=9) == []


def test_only_what_is_old_enough_goes() -> None:
    versions = [candidate(1, 40), candidate(2, 30), candidate(3, 29), candidate(4, None), candidate(5, 90)]
    assert going(versions, older_than=30 * DAY) == [1, 2]


def test_the_best_stay_by_the_metrics_own_direction() -> None:
    versions = [candidate(1, auc=0.9, loss=0.1), candidate(2, auc=0.8, loss=0.3), candidate(3, auc=0.7, loss=0.2)]
    versions.append(candidate(4))
    assert going(versions, keep_best=(Best(metric="auc"),)) == [2, 3]
    assert going(versions, keep_best=(Best(metric="loss", amount=2),)) == [2]
    assert going(versions, keep_best=(Best(metric="auc"), Best(metric="loss"))) == [2, 3]


def test_what_is_as_good_as_the_last_of_the_best_stays_too() -> None:
    versions = [candidate(1, auc=0.9), candidate(2, auc=0.9), candidate(3, auc=0.1), candidate(4, auc=0.1)]
    assert going(versions, keep_best=(Best(metric="auc"),)) == [3]


def test_nan_and_missing_are_never_the_best() -> None:
    versions = [candidate(1, auc=float("nan")), candidate(2), candidate(3, auc=0.1), candidate(4, auc=float("nan"))]
    assert going(versions, keep_best=(Best(metric="auc", amount=5),)) == [1, 2]


def test_a_metric_that_no_version_has_lets_nothing_go() -> None:
    versions = [candidate(1, auc=float("nan")), candidate(2), candidate(3)]
    (fate, *_) = fates(versions, Rules(keep_best=(Best(metric="auc"),)), POLICY, NOW)
    assert (fate.goes, fate.why) == (False, "no version of the model has auc")


def test_what_is_protected_and_the_newest_stay_whatever_the_rules_say() -> None:
    versions = [candidate(1, 90, "holds production"), candidate(2, 90), candidate(3, 90)]
    found = fates(versions, Rules(older_than=DAY), POLICY, NOW)
    assert [(fate.goes, fate.why) for fate in found] == [
        (False, "holds production"),
        (True, "90d old"),
        (False, "is the newest"),
    ]


def test_rules_without_a_rule_or_a_direction_are_refused() -> None:
    with pytest.raises(UsageError, match="needs a rule"):
        Rules().check(POLICY)
    with pytest.raises(UsageError, match="the newest version always stays"):
        Rules(keep_last=0).check(POLICY)
    with pytest.raises(InvalidInputError) as caught:
        Rules(keep_best=(Best(metric="f1"),)).check(POLICY)
    assert "[metrics.f1]" in caught.value.hint


metric_values = st.none() | st.floats(allow_nan=True)
versions_of_a_model = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(["", "holds staging"]), metric_values), min_size=1, max_size=12
).map(
    lambda rows: [
        candidate(number, days, protected, **({} if value is None else {"auc": value}))
        for number, (days, protected, value) in enumerate(rows, 1)
    ]
)
one_rule = st.one_of(
    st.integers(1, 9).map(lambda amount: {"keep_last": amount}),
    st.integers(0, 99).map(lambda days: {"older_than": days * DAY}),
    st.integers(1, 9).map(lambda amount: {"keep_best": (Best(metric="auc", amount=amount),)}),
)


@given(versions_of_a_model, one_rule, one_rule)
def test_one_more_rule_never_deletes_more(
    versions: list[Candidate], first: dict[str, object], second: dict[str, object]
) -> None:
    both = going(versions, **(first | second))
    assert set(both) <= set(going(versions, **second))
    assert versions[-1].number not in both
    assert not [version for version in versions if version.protected and version.number in both]
