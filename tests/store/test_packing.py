"""What the index keeps of a model comes back as it was, whatever somebody wrote into it."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.metadata import Dataset, Record
from stackroom.store.packing import packed_record, unpacked_record

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\0", "\0date", "\0\0", "\\u0000"])
ZONES = st.none() | st.just(UTC) | st.builds(lambda hours: timezone(timedelta(hours=hours)), st.integers(-12, 12))
TIMES = (st.datetimes(timezones=ZONES) | st.times()).map(lambda when: when.replace(fold=0)) | st.dates()
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(TEXTS, VALUES, max_size=3)
RECORDS = st.builds(
    Record,
    author=TEXTS,
    description=TEXTS,
    tags=st.lists(TEXTS, max_size=3).map(tuple),
    source=TABLES,
    datasets=st.lists(st.builds(Dataset, name=TEXTS, rows=st.none() | st.integers(0, 9), extra=TABLES), max_size=2).map(
        tuple
    ),
    hyperparameters=TABLES,
    metrics=st.dictionaries(TEXTS, st.floats() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    parents=st.just(("fraud:1",)),
    archived=st.booleans(),
    extra=TABLES,
)


@given(record=RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    # As text, because NaN equals nothing, and True equals 1.
    assert repr(unpacked_record(packed_record(record))) == repr(record)
