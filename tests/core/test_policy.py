from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.policy import Policy, policy_of
from stackroom.core.rules import MetricRule, Tolerance
from stackroom.errors import InvalidInputError

HEAD = 'format = 1\nid = "reg"\n'


def policy(text: str) -> Policy:
    return policy_of(tomllib.loads(HEAD + text))


def test_the_example_of_the_documentation_is_understood() -> None:
    found = policy(
        """
        [names]
        pattern = "[a-z-]+"
        [metrics.auc]
        better = "higher"
        [metrics.latency_ms]
        better = "lower"
        unit = "ms"
        [stages.staging]
        [stages.production.guards]
        from = ["staging"]
        require = ["card", "license", "metrics.auc"]
        verify = true
        metrics = ["auc >= 0.90", "latency_ms<=20"]
        not_worse = { auc = 0.005, latency_ms = "5%" }
        same_datasets = "test"
        reason = true
        [stages.champion]
        alias = true
        """
    )
    guards = found.stages[1].guards
    assert [stage.name for stage in found.stages] == ["staging", "production", "champion"]
    assert found.last_stage == "production"
    assert guards.origin == ("staging",)
    assert guards.metrics == (
        MetricRule(metric="auc", operator=">=", bound=0.9),
        MetricRule(metric="latency_ms", operator="<=", bound=20),
    )
    assert guards.not_worse == {"auc": Tolerance(amount=0.005), "latency_ms": Tolerance(amount=0.05, relative=True)}
    assert found.better("auc") == "higher"
    assert found.better("unheard") is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("stagez = 1", "stagez"),
        ("[stages.production]\nguard = {}", "stages.production.guard"),
        ("[stages.production.guards]\nfive_eyes = true", "stages.production.guards.five_eyes"),
        ("[stages.production.guards]\nfour_eyes = 1", "stages.production.guards.four_eyes"),
        ("[stages.production.guards]\nsteward_owned = 'x'", "stages.production.guards.steward_owned"),
        ("[stages.production.guards]\napprovals = 0", "stages.production.guards.approvals"),
        ("[stages.production.guards]\napprovals = true", "stages.production.guards.approvals"),
        ("[stages.production.guards]\napprovals = 1.5", "stages.production.guards.approvals"),
        ("[stages.production.guards]\nsoak_hours = 24", "stages.production.guards.soak_hours"),
        ("[stages.a]\n[stages.production.guards]\nsoak_hours = 0", "stages.production.guards.soak_hours"),
        ("[stages.a]\n[stages.production.guards]\nsoak_hours = nan", "stages.production.guards.soak_hours"),
        ("[stages.a]\n[stages.production.guards]\nsoak_hours = inf", "stages.production.guards.soak_hours"),
        ("[stages.a]\n[stages.b]\nalias = true\nguards = { soak_hours = 1 }", "stages.b.guards.soak_hours"),
        ("[stages.production.guards]\ncommand = []", "stages.production.guards.command"),
        ("[stages.production.guards]\ncommand = 'checks/x'", "stages.production.guards.command"),
        ("[stages.production.guards]\ncommand = ['../x']", "stages.production.guards.command"),
        ("[stages.production.guards]\ncommand = ['checks//x']", "stages.production.guards.command"),
        ("[stages.production.guards]\ncommand = ['{path}']", "stages.production.guards.command"),
        ("[stages.production.guards]\ncommand = ['x', '{colour}']", "stages.production.guards.command"),
        (
            "[stages.p.guards]\ncommand = { value = ['x'], seconds = 0 }",
            "stages.p.guards.command.seconds",
        ),
        (
            "[stages.p.guards]\nverify = { value = true, seconds = 1 }",
            "stages.p.guards.verify.seconds",
        ),
        ("[stages.p.guards]\nverify = { overridable = true }", "stages.p.guards.verify.value"),
        (
            "[stages.p.guards]\nverify = { value = true, overridable = 1 }",
            "stages.p.guards.verify.overridable",
        ),
        ("[stages.p.guards]\nnot_worse = { auc = 0.1, overridable = true }", "stages.p.guards.not_worse.auc"),
        ("[stages.production.guards]\nvrify = true", "stages.production.guards.vrify"),
        ("[stages.production.guards]\nverify = 1", "stages.production.guards.verify"),
        ('[stages.production.guards]\nfrom = ["nowhere"]', "stages.production.guards.from"),
        ('[stages.production.guards]\nfrom = "staging"', "stages.production.guards.from"),
        ('[stages.production.guards]\nmetrics = ["auc is good"]', "stages.production.guards.metrics"),
        ('[stages.production.guards]\nmetrics = ["auc >= 1.2.3"]', "stages.production.guards.metrics"),
        ("[stages.production.guards]\nnot_worse = { auc = 0.1 }", "stages.production.guards.not_worse.auc"),
        ('[stages.production.guards]\nrequire = ["colour"]', "stages.production.guards.require"),
        ('[metrics.auc]\nbetter = "more"', "metrics.auc.better"),
        ('[metrics.auc]\nbetter = ["higher"]', "metrics.auc.better"),
        ("[metrics.auc]\nbetter = { a = 1 }", "metrics.auc.better"),
        ("metrics = 3", "metrics"),
        ("[stages.Archived]", "stages.Archived"),
        ("[stages.archived]", "stages.archived"),
        ('[names]\npattern = "("', "names.pattern"),
    ],
)
def test_a_wrong_key_is_refused_by_name_and_never_ignored(text: str, key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        policy(text)
    assert caught.value.facts["key"] == key
    assert key in str(caught.value)


@pytest.mark.parametrize("value", ['"-1%"', "-0.1", '"5"', "true", "nan", "inf", '"x"'])
def test_the_tolerance_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError):
        policy(f'[metrics.auc]\nbetter = "higher"\n[stages.p.guards]\nnot_worse = {{ auc = {value} }}')


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"format": 2, "id": "x"},
        {"format": True, "id": "x"},
        {"format": 1},
        {"format": 1, "id": "a b"},
        {"format": 1, "id": "a/b"},
    ],
)
def test_a_file_without_a_format_or_an_id_of_ours_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        policy_of(document)


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                [
                    "production",
                    "guards",
                    "from",
                    "require",
                    "metrics",
                    "not_worse",
                    "better",
                    "unit",
                    "alias",
                    "verify",
                    "auc",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {"format": st.just(1), "id": st.just("reg")},
        optional={"stages": JUNK, "metrics": JUNK, "names": JUNK, "name": JUNK},
    )
)
def test_any_document_is_a_policy_or_an_error_with_a_key(document: dict[str, Any]) -> None:
    try:
        policy_of(document)
    except InvalidInputError as error:
        refused = error
    else:
        return
    assert refused.facts["key"]


def test_nan_keeps_no_bound() -> None:
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        assert not MetricRule(metric="auc", operator=operator, bound=0.5).holds(float("nan"))
