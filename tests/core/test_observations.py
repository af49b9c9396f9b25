"""What a line and a name of observations mean, and what a monitor makes of them."""

from __future__ import annotations

import math
import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import Validity, Who
from stackroom.core.monitor import Monitor, readings, state_of
from stackroom.core.names import ModelName
from stackroom.core.observations import (
    LINE_LIMIT,
    FileName,
    Observation,
    Source,
    checked_metrics,
    file_name,
    latest_of,
    line_of,
    parse_file_name,
    parse_line,
)
from stackroom.core.policy import policy_of
from stackroom.core.rules import rule_of
from stackroom.errors import InvalidInputError

NOW = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
NONCE = "01234567-89ab-4cde-8f01-23456789abcd"
FRAUD = FileName(ModelName("fraud"), 2, "gpu07", 1003)
OURS = Source(name=FRAUD, owner=Who(1003, "dave"), folder_owner=61000, changed=NOW)


def seen(hours_ago: float, validity: Validity = Validity.ATTESTED, **metrics: float) -> Observation:
    at = NOW - timedelta(hours=hours_ago)
    who = Who(1003, "dave")
    return Observation(
        model=FRAUD.model, version=2, at=at, when=at, metrics=metrics, by=who, host="gpu07", validity=validity
    )


@given(st.text(max_size=100), st.integers(1, 999_999_999), st.integers(0, 2**32 - 1))
def test_the_name_of_a_file_is_understood_whatever_the_host_is_called(host: str, version: int, uid: int) -> None:
    name = file_name("fraud-2.x", version, host=host, uid=uid, nonce=NONCE)
    spelled = parse_file_name(name)
    assert spelled is not None
    assert (spelled.model, spelled.version, spelled.uid) == ("fraud-2.x", version, uid)
    assert "/" not in name
    assert len(name) < 255


@pytest.mark.parametrize(
    "name",
    [
        "fraud.jsonl",
        f"fraud:0.h-1-{NONCE}.jsonl",
        f"fraud:1234567890.h-1-{NONCE}.jsonl",
        f"Fraud:1.h-1-{NONCE}.jsonl",
        f"fraud:1.h-1-{NONCE}.json",
        "fraud:1.h-1-0123.jsonl",
        f"fraud:1.h-1-{NONCE}.jsonl\n",
    ],
)
def test_a_name_that_fits_no_rule_is_foreign(name: str) -> None:
    assert parse_file_name(name) is None


@given(st.dictionaries(st.text("abc_.µ", min_size=1), st.floats() | st.integers(-(10**300), 10**300), min_size=1))
def test_a_line_says_again_what_was_written(metrics: dict[str, float]) -> None:
    line = line_of(NOW, checked_metrics(metrics))
    read = parse_line(line.rstrip(b"\n"), OURS)
    assert read is not None
    assert read.at == NOW
    assert repr(dict(read.metrics)) == repr(metrics)  # NaN is not equal to itself
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x00" * 100,
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"at": "2026-11-23T04:22:00Z"}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": [1]}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": true}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": "high"}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": null, "f1": 1}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"a b": 1}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"\\u001b[2J": 1}}',
        b'{"at": "yesterday", "metrics": {"auc": 1}}',
        b'{"at": 5, "metrics": {"auc": 1}}',
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": ' + b"9" * 400 + b"}}",
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": ' + b"9" * 5000 + b"}}",
        b'{"at": "2026-11-23T04:22:00Z", "metrics": {"auc": 1}, "x": "' + b"x" * LINE_LIMIT + b'"}',
    ],
)
def test_a_line_that_makes_no_sense_is_broken_and_nothing_worse(line: bytes) -> None:
    assert parse_line(line, OURS) is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_line_raises(line: bytes) -> None:
    parse_line(line, OURS)


def test_a_file_that_names_somebody_else_than_its_owner_is_forged_and_a_copy_is_not() -> None:
    line = line_of(NOW, {"auc": 0.9})
    forged = Source(name=FRAUD, owner=Who(1004), folder_owner=61000, changed=NOW)
    copied = Source(name=FRAUD, owner=Who(61000), folder_owner=61000, changed=NOW)
    worth = [found.validity for source in (OURS, forged, copied) if (found := parse_line(line, source))]
    assert worth == [Validity.ATTESTED, Validity.FORGED, Validity.UNATTESTED]


def test_a_clock_that_runs_ahead_puts_nothing_into_the_windows_to_come() -> None:
    found = parse_line(line_of(NOW + timedelta(days=400), {"auc": 0.9}), OURS)
    assert found is not None
    assert found.when == NOW
    assert found.at == NOW + timedelta(days=400)


@pytest.mark.parametrize(
    "metrics", [{}, {"": 1}, {"a b": 1}, {"a": True}, {"a": "x"}, {"a": "nan"}, {"a": None}, {"x" * 129: 1}]
)
def test_what_is_no_metric_is_refused(metrics: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError):
        checked_metrics(metrics)


def test_the_latest_of_each_metric_is_told_and_forged_ones_are_not() -> None:
    found = latest_of([seen(3, auc=0.9), seen(1, auc=0.8, f1=0.5), seen(2, auc=0.7), seen(0, Validity.FORGED, auc=0.1)])
    assert [(one.metric, one.value, one.count) for one in found] == [("auc", 0.8, 3), ("f1", 0.5, 1)]


def test_a_monitor_judges_the_mean_of_the_window() -> None:
    monitor = Monitor(metrics=(rule_of("auc >= 0.88", ()), rule_of("f1 > 0", ())), window_hours=24)
    old = seen(25, auc=0.1)
    found = readings(monitor, [old, seen(23, auc=0.86), seen(1, auc=0.9)], NOW)
    assert [one.state for one in found] == ["ok", "silent"]
    assert found[0].seen() == "0.88 in 2 observations (0.86 to 0.9)"
    assert state_of(found) == "silent"
    found = readings(monitor, [old, seen(23, auc=0.85), seen(1, auc=0.9)], NOW)
    assert state_of(found) == "degraded"
    forged = readings(monitor, [seen(1, Validity.FORGED, auc=0.1)], NOW)
    assert state_of(forged) == "silent"


@pytest.mark.parametrize("values", [(math.nan, 0.99), (math.inf, -math.inf)])
def test_a_mean_that_is_no_number_keeps_no_bound(values: tuple[float, float]) -> None:
    monitor = Monitor(metrics=(rule_of("auc != 5", ()),))
    (found,) = readings(monitor, [seen(1, auc=value) for value in values], NOW)
    assert found.state == "degraded"
    assert found.document()["mean"] == "nan"


def test_a_mean_of_huge_values_does_not_overflow() -> None:
    monitor = Monitor(metrics=(rule_of("x < 1.7e308", ()),))
    (found,) = readings(monitor, [seen(1, x=1.6e308), seen(2, x=1.6e308)], NOW)
    assert found.mean == pytest.approx(1.6e308)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("monitor = 5", "stages.production.monitor"),
        ("monitor = {}", "stages.production.monitor.metrics"),
        ("monitor = { metrics = [] }", "stages.production.monitor.metrics"),
        ('monitor = { metrics = ["auc"] }', "stages.production.monitor.metrics"),
        ('monitor = { metrics = ["auc > 0"], window_hours = 0 }', "stages.production.monitor.window_hours"),
        ('monitor = { metrics = ["auc > 0"], window_hours = 1e9 }', "stages.production.monitor.window_hours"),
        ('monitor = { metrics = ["auc > 0"], window = 24 }', "stages.production.monitor.window"),
    ],
)
def test_a_wrong_monitor_is_an_error_that_names_its_key(text: str, key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        policy_of(tomllib.loads(f'format = 1\nid = "reg"\n[stages.production]\n{text}\n'))
    assert caught.value.facts["key"] == key


def test_a_monitor_looks_back_a_day_where_nothing_is_said() -> None:
    text = 'format = 1\nid = "reg"\n[stages.production]\nmonitor = { metrics = ["auc >= 0.88"] }\n[stages.other]\n'
    policy = policy_of(tomllib.loads(text))
    assert [stage.monitor for stage in policy.stages] == [Monitor(metrics=(rule_of("auc >= 0.88", ()),)), None]
