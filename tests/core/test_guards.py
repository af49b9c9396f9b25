from __future__ import annotations

import tomllib
from typing import Any

import pytest

from stackroom.core.guards import judge
from stackroom.core.metadata import record_of
from stackroom.core.names import StageName, parse_ref
from stackroom.core.policy import policy_of
from stackroom.core.verdicts import Candidate, Situation, Verdict

NAN = float("nan")


def verdicts(
    guards: str,
    record: dict[str, Any],
    holder: dict[str, Any] | None = None,
    **situation: Any,  # noqa: ANN401 - fields of Situation
) -> list[Verdict]:
    text = 'format = 1\nid = "r"\n[metrics.auc]\nbetter = "higher"\n[metrics.ms]\nbetter = "lower"\n'
    policy = policy_of(tomllib.loads(f"{text}[stages.staging]\n[stages.production.guards]\n{guards}"))
    stage = policy.stage("production")
    assert stage is not None
    card = situation.pop("card", False)
    held = frozenset(StageName(name) for name in situation.pop("held", ()))
    return list(
        judge(
            Situation(
                candidate=Candidate(ref=parse_ref("fraud:7"), record=record_of(record), has_card=card, held=held),
                stage=stage,
                policy=policy,
                holder=Candidate(ref=parse_ref("fraud:6"), record=record_of(holder)) if holder is not None else None,
                **situation,
            )
        )
    )


def passed(
    guards: str,
    record: dict[str, Any],
    holder: dict[str, Any] | None = None,
    **situation: Any,  # noqa: ANN401 - fields of Situation
) -> list[bool]:
    return [verdict.passed for verdict in verdicts(guards, record, holder, **situation)]


def auc(value: float) -> dict[str, Any]:
    return {"metrics": {"auc": value}}


def test_no_guard_asks_for_nothing() -> None:
    assert verdicts("", {}) == []


@pytest.mark.parametrize(
    ("guards", "good", "bad"),
    [
        ('require = ["description"]', {"description": "x"}, {}),
        ('require = ["metrics.auc"]', auc(0.0), auc(NAN)),
        ('require = ["datasets"]', {"datasets": [{"name": "x"}]}, {}),
        ('metrics = ["auc >= 0.9"]', auc(0.9), auc(0.8999)),
        ('metrics = ["auc >= 0.9"]', auc(1), {}),
        ('metrics = ["auc >= 0.9"]', auc(0.95), auc(NAN)),
        ('metrics = ["ms < 20"]', {"metrics": {"ms": 19}}, {"metrics": {"ms": 20}}),
    ],
)
def test_a_guard_on_the_metadata_passes_and_fails(guards: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert passed(guards, good) == [True]
    assert passed(guards, bad) == [False]


@pytest.mark.parametrize(
    ("guards", "good", "bad"),
    [
        ('from = ["staging"]', {"held": ("staging",)}, {}),
        ('require = ["card"]', {"card": True}, {"card": False}),
        ("verify = true", {"damage": ()}, {"damage": ("model.bin: sha256",)}),
        ("verify = true", {"damage": ()}, {"damage": None}),
        ("reason = true", {"reason": "because"}, {"reason": "  "}),
    ],
)
def test_a_guard_on_the_situation_passes_and_fails(guards: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert passed(guards, {}, **good) == [True]
    assert passed(guards, {}, **bad) == [False]


@pytest.mark.parametrize(
    ("tolerance", "metric", "holder", "candidate", "fine"),
    [
        ("0.01", "auc", 0.9, 0.895, True),
        ("0.01", "auc", 0.9, 0.885, False),
        ("0.01", "auc", 0.9, 0.89, True),
        ("0.1", "auc", 0.8, 0.7, True),
        ("0.05", "ms", 0.1, 0.15, True),
        ("0.2", "ms", 0.1, 0.3, True),
        ("0", "auc", 0.9, 0.9, True),
        ("0", "auc", 0.9, NAN, False),
        ('"5%"', "ms", 20, 21, True),
        ('"5%"', "ms", 20, 21.1, False),
        ('"5%"', "auc", -1.0, -1.04, True),
        ("0", "auc", NAN, 0.1, True),
    ],
)
def test_not_worse_goes_by_the_metrics_own_direction(
    tolerance: str, metric: str, holder: float, candidate: float, *, fine: bool
) -> None:
    found = verdicts(
        f"not_worse = {{ {metric} = {tolerance} }}", {"metrics": {metric: candidate}}, {"metrics": {metric: holder}}
    )
    assert [verdict.passed for verdict in found] == [fine]
    assert found[0].key == f"stages.production.guards.not_worse.{metric}"


def test_not_worse_says_what_it_saw_and_wanted() -> None:
    (verdict,) = verdicts("not_worse = { auc = 0.005 }", auc(0.9), auc(0.95))
    assert verdict.seen == "auc is 0.9"
    assert verdict.wanted == ">= 0.945 (fraud:6 has 0.95, tolerance 0.005)"
    assert verdict.advice == "stackroom diff fraud:6 fraud:7"


def test_a_metric_that_is_not_recorded_is_not_good_enough() -> None:
    assert passed("not_worse = { auc = 0.005 }", {}, auc(0.95)) == [False]


def test_nobody_holding_the_stage_is_nobody_to_be_worse_than() -> None:
    assert passed("not_worse = { auc = 0.005 }", {}) == [True]


def test_a_holder_whose_metadata_is_gone_stops_the_comparison() -> None:
    assert passed("not_worse = { auc = 0.005 }", auc(1), auc(0.1), holder_trouble="it is gone") == [False]


def test_the_same_data_is_the_same_digest() -> None:
    def tested_on(*digests: str) -> dict[str, Any]:
        return {
            "datasets": [
                {"name": f"n{index}", "digest": digest, "split": "test"} for index, digest in enumerate(digests)
            ]
        }

    guards = 'same_datasets = "test"'
    assert passed(guards, tested_on("a"), tested_on("a")) == [True]
    assert passed(guards, tested_on("a"), tested_on("b")) == [False]
    assert passed(guards, tested_on("a"), tested_on("a", "b")) == [False]
    assert passed(guards, {}, {}) == [False]
    assert passed(guards, {}) == [True]
    (without,) = verdicts(guards, tested_on("a"), {})
    assert without.seen == "fraud:6 records no test data to compare with"
    assert without.wanted == "the test data of fraud:6, by digest"
    (broken,) = verdicts(guards, tested_on("a"), {}, holder_trouble="fraud:6 is gone")
    assert (broken.passed, broken.seen) == (False, "fraud:6 is gone")


def test_what_is_refused_is_told_with_digits_that_differ() -> None:
    (verdict,) = verdicts('metrics = ["auc >= 0.9"]', auc(0.89999999999))
    assert verdict.seen.removeprefix("auc is ") != verdict.wanted.removeprefix(">= ")
