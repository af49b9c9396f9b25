from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.compare import Comparison, MetricRow, Subject, compare
from stackroom.core.files import FileFact
from stackroom.core.metadata import record_of
from stackroom.core.names import parse_ref
from stackroom.core.policy import policy_of

POLICY = policy_of(
    tomllib.loads('format=1\nid="r"\n[metrics.auc]\nbetter="higher"\n[metrics.ms]\nbetter="lower"\nunit="ms"')
)
NAN = float("nan")
INF = float("inf")


def subject(number: int, document: dict[str, Any], **more: Any) -> Subject:  # noqa: ANN401 - fields of Subject
    return Subject(ref=parse_ref(f"fraud:{number}"), record=record_of(document), **more)


def of(*documents: dict[str, Any]) -> Comparison:
    return compare([subject(index, document) for index, document in enumerate(documents, 1)], POLICY)


def row(metric: str, *values: float | None, data: tuple[str, ...] = ()) -> MetricRow:
    documents: list[dict[str, Any]] = [{"metrics": {} if value is None else {metric: value}} for value in values]
    for document, digest in zip(documents, data, strict=False):
        if digest:
            document["datasets"] = [{"name": "t", "split": "test", "digest": digest}]
    return of(*documents).metrics[0]


def test_the_better_value_wins_in_the_metrics_own_direction() -> None:
    higher, lower = row("auc", 0.8, 0.9), row("ms", 20, 10)
    assert higher.cells[1].outcome == lower.cells[1].outcome == "better"
    assert [cell.best for cell in higher.cells] == [cell.best for cell in lower.cells] == [False, True]
    assert lower.unit == "ms"
    assert lower.cells[1].delta == -10
    assert lower.cells[1].ratio == -0.5
    assert row("auc", 0.9, 0.8).cells[1].outcome == "worse"


def test_nan_never_wins_and_never_loses() -> None:
    cells = row("auc", 0.8, NAN, 0.9).cells
    assert (cells[1].outcome, cells[1].best, cells[1].delta) == ("unknown", False, None)
    assert cells[2].best
    cells = row("auc", NAN, 0.9).cells
    assert (cells[1].outcome, cells[1].best) == ("unknown", False)


def test_what_is_missing_is_not_zero() -> None:
    cells = row("auc", 0.8, None).cells
    assert (cells[1].value, cells[1].delta, cells[1].note) == (None, None, "missing")
    assert row("auc", None, 0.8).cells[1].note == "the base has none"


def test_a_base_of_zero_has_no_ratio() -> None:
    cell = row("auc", 0.0, 0.5).cells[1]
    assert (cell.delta, cell.ratio, cell.outcome) == (0.5, None, "better")


def test_a_tie_has_no_best() -> None:
    cells = row("auc", 0.9, 0.9, 0.8).cells
    assert not any(cell.best for cell in cells)
    assert cells[1].outcome == "equal"


def test_without_a_direction_nobody_wins() -> None:
    cells = row("speed", 1, 2).cells
    assert (cells[1].outcome, cells[1].note) == ("unknown", "its direction is not declared")
    assert not any(cell.best for cell in cells)


def test_other_test_data_has_no_winner() -> None:
    cells = row("auc", 0.8, 0.9, data=("a", "b")).cells
    assert (cells[1].outcome, cells[1].note) == ("unknown", "measured on other test data")
    assert not any(cell.best for cell in cells)
    assert row("auc", 0.8, 0.9, data=("a", "a")).cells[1].outcome == "better"
    assert row("auc", 0.8, 0.9, data=("a", "")).cells[1].outcome == "better"


def test_two_that_were_measured_on_other_data_than_each_other_are_not_crowned() -> None:
    assert not any(cell.best for cell in row("auc", 0.8, 0.9, 0.7, data=("", "a", "b")).cells)


def test_infinities_do_no_harm() -> None:
    assert row("auc", INF, INF).cells[1].outcome == "equal"
    assert row("auc", -INF, INF).cells[1].ratio is None


def test_a_change_of_type_is_a_change() -> None:
    hyper = of({"hyperparameters": {"n": 1}}, {"hyperparameters": {"n": 1.0}}).sections[0].rows[0]
    assert hyper.differs
    assert hyper.note == "type changes (float / int)"
    text = of({"hyperparameters": {"n": 1}}, {"hyperparameters": {"n": "1"}}).sections[0].rows[0]
    assert text.differs


def test_files_and_cards_are_compared() -> None:
    one = subject(1, {}, files=(FileFact(path="m", size=3, digest="sha256:aa"),), card="a\nb\n")
    two = subject(2, {}, files=(FileFact(path="m", size=None, digest="sha256:bb"),), card="a\nc\n")
    found = compare([one, two], POLICY)
    assert [line.values for section in found.sections if section.title == "files" for line in section.rows] == [
        ("3 B aa", "gone bb")
    ]
    assert "-b" in found.cards[0].lines
    assert "+c" in found.cards[0].lines
    assert compare([one, one], POLICY).cards[0].lines == ()


NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-(2**63), 2**63 - 1))


@given(
    st.lists(st.fixed_dictionaries({"auc": NUMBERS, "ms": NUMBERS, "x": NUMBERS}), min_size=2, max_size=4), st.data()
)
def test_any_values_compare_and_become_json(values: list[dict[str, float | None]], data: st.DataObject) -> None:
    base = data.draw(st.integers(0, len(values) - 1))
    subjects = [
        subject(index, {"metrics": {name: value for name, value in row.items() if value is not None}})
        for index, row in enumerate(values, 1)
    ]
    found = compare(subjects, POLICY, base=base)
    json.dumps(found.document(), allow_nan=False)
    for line in found.metrics:
        assert sum(cell.best for cell in line.cells) <= 1
        assert line.cells[base].delta is None
        if line.better is None:
            assert not any(cell.best or cell.outcome in {"better", "worse"} for cell in line.cells)
    assert len(found.wins()) == len(values)
