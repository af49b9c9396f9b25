from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.metadata import (
    Record,
    as_utc,
    document_of,
    flat,
    has_field,
    iso,
    jsonable,
    note_of,
    record_of,
    seal_of,
    with_field,
    without_field,
)
from stackroom.core.toml import format_toml, parse_toml
from stackroom.errors import InvalidInputError

TEXT = st.text(min_size=1, max_size=12)
VALUE = st.one_of(TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
TABLE = st.dictionaries(TEXT, VALUE, min_size=1, max_size=3)
DATASET = st.fixed_dictionaries(
    {"name": TEXT}, optional={"uri": TEXT, "digest": TEXT, "split": TEXT, "rows": st.integers(0, 10**9), "note": TEXT}
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "author": TEXT,
        "team": TEXT,
        "description": TEXT,
        "tags": st.lists(st.sampled_from(["a", "b", "team=nlp", "ü"]), min_size=1, max_size=3, unique=True),
        "license": TEXT,
        "framework": TEXT,
        "source": TABLE,
        "datasets": st.lists(DATASET, min_size=1, max_size=2),
        "hyperparameters": TABLE,
        "metrics": st.dictionaries(
            TEXT, st.one_of(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=3
        ),
        "lineage": st.fixed_dictionaries({"parents": st.just(["fraud:6"])}, optional={"base_model": TEXT, "odd": TEXT}),
        "signature": TABLE,
        "archived": st.just(value=True),
        "our-own-key": VALUE,
        "our-own-table": TABLE,
    },
)
SEAL: dict[str, Any] = {
    "format": 1,
    "model": "fraud",
    "uid": "u",
    "created": datetime(2026, 1, 1, tzinfo=UTC),
    "artifacts": {"files": 1, "bytes": 2, "digest": "sha256:" + "0" * 64},
}


@given(DOCUMENTS)
def test_a_document_is_the_same_after_it_was_a_record(document: dict[str, Any]) -> None:
    assert document_of(record_of(document)) == document


@given(DOCUMENTS)
def test_a_record_survives_the_file(document: dict[str, Any]) -> None:
    record = record_of(document)
    assert record_of(parse_toml(format_toml(document_of(record)).encode(), where="x")) == record


@given(
    st.recursive(
        st.one_of(VALUE, st.none(), st.datetimes()),
        lambda inner: st.one_of(
            st.lists(inner),
            st.dictionaries(
                st.sampled_from(["author", "tags", "metrics", "datasets", "lineage", "archived", "source", "x"]), inner
            ),
        ),
    )
)
def test_any_document_is_a_record_or_an_error_with_a_key(document: object) -> None:
    if not isinstance(document, dict):
        return
    try:
        record_of(document)
    except InvalidInputError as error:
        refused = error
    else:
        return
    assert refused.facts["key"]


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"metrics": {"auc": "high"}}, "metrics.auc"),
        ({"metrics": {"auc": True}}, "metrics.auc"),
        ({"metrics": 1}, "metrics"),
        ({"tags": ["a", 1]}, "tags[1]"),
        ({"tags": [" "]}, "tags[0]"),
        ({"datasets": [{"uri": "x"}]}, "datasets[0].name"),
        ({"datasets": [{"name": "x", "rows": -1}]}, "datasets[0].rows"),
        ({"lineage": {"parents": ["not a ref"]}}, "lineage.parents[0]"),
        ({"archived": "yes"}, "archived"),
        ({"hyperparameters": {"seed": None}}, "hyperparameters.seed"),
        ({"hyperparameters": {"layers": [1, {"x": object()}]}}, "hyperparameters.layers[1].x"),
        ({"hyperparameters": {"n": 2**63}}, "hyperparameters.n"),
        ({"metrics": {"auc": 10**400}}, "metrics.auc"),
        ({"description": "a\udcffb"}, "description"),
        ({"hyperparameters": {"\ud800": 1}}, "hyperparameters"),
        ({"hyperparameters": {1: 1}}, "hyperparameters"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(document: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        record_of(document)
    assert caught.value.facts["key"] == key


def test_what_a_file_cannot_hold_is_refused_before_anything_is_written() -> None:
    nested: Any = 1
    for _ in range(100):
        nested = [nested]
    with pytest.raises(InvalidInputError, match="nested too deep"):
        record_of({"hyperparameters": {"x": nested}})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"format": 2}, "format"),
        ({"format": 0}, "format"),
        ({"format": "1"}, "format"),
        ({"created": "yesterday"}, "created"),
        ({"artifacts": {"digest": "sha256:" + "G" * 64}}, "artifacts.digest"),
        ({"artifacts": {"files": -1, "digest": "sha256:" + "0" * 64}}, "artifacts.files"),
        ({"artifacts": {"bytes": -1, "digest": "sha256:" + "0" * 64}}, "artifacts.bytes"),
        ({"artifacts": []}, "artifacts"),
    ],
)
def test_a_wrong_seal_is_refused_with_its_key(change: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        seal_of(SEAL | change)
    assert caught.value.facts["key"] == key


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_at_the_end_of_the_calendar_is_still_a_time(text: str) -> None:
    when = datetime.fromisoformat(text)
    assert as_utc(when).tzinfo is UTC
    assert seal_of(SEAL | {"created": when}).created == as_utc(when)
    assert note_of({"revised": when}).revised == as_utc(when)
    assert iso(when).endswith("Z")


def test_a_field_is_set_and_removed_by_its_name_in_the_file() -> None:
    record = with_field(Record(), "metrics.val.auc", 0.9)
    assert record.metrics == {"val.auc": 0.9}
    assert without_field(record, "metrics.val.auc") == Record()
    assert with_field(Record(), "lineage.parents", ["fraud:6"]).parents == ("fraud:6",)
    with pytest.raises(InvalidInputError, match="no such field"):
        without_field(Record(), "metrics.auc")


@pytest.mark.parametrize(
    "key", ["format", "uid", "created", "model", "artifacts.digest", "revised", "previous", "reason"]
)
def test_a_sealed_field_cannot_be_set_or_removed(key: str) -> None:
    with pytest.raises(InvalidInputError):
        with_field(Record(), key, "x")
    with pytest.raises(InvalidInputError):
        without_field(Record(), key)


def test_a_field_is_there_where_it_says_something() -> None:
    record = record_of({"metrics": {"auc": float("nan"), "zero": 0}, "hyperparameters": {"opt": {"lr": 0.1}}})
    assert not has_field(record, "metrics.auc")
    assert has_field(record, "metrics.zero")
    assert not has_field(record, "description")
    assert has_field(record, "hyperparameters.opt.lr")


def test_tables_dissolve_into_dotted_keys_and_json_takes_all_of_it() -> None:
    assert flat({"a": {"b": {"c": 1}}, "d": {}}) == {"a.b.c": 1, "d": {}}
    assert jsonable({"x": float("nan"), "t": datetime(2026, 1, 1, tzinfo=UTC), "l": (1,)}) == {
        "x": "nan",
        "t": "2026-01-01T00:00:00Z",
        "l": [1],
    }
