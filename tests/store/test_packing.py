"""What the index keeps of a version comes back as it was, whatever somebody wrote into it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import Who
from stackroom.core.metadata import Dataset, Record, RevisionNote, Seal
from stackroom.core.names import Label, ModelName
from stackroom.store.packing import Packed, packed, packed_record, remaining, unpacked, unpacked_record
from stackroom.store.records import Version

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
AWARE = st.datetimes(timezones=st.just(UTC)).map(lambda when: when.replace(fold=0))
SEALS = st.builds(
    Seal, model=TEXTS, uid=TEXTS, created=AWARE, files=st.integers(0, 9), bytes=st.integers(0, 2**62), digest=TEXTS
)
NOTES = st.none() | st.builds(RevisionNote, revised=AWARE, revised_by=TEXTS, reason=TEXTS, previous=TEXTS)


def version_of(record: Record, seal: Seal | None, note: RevisionNote | None) -> Version:
    return Version(
        model=ModelName("fraud"),
        number=7,
        folder="/r/models/fraud/7",
        owner=Who(3, "ana"),
        seal=seal,
        record=record,
        note=note,
        revision=2,
        metadata_digest="sha256:1",
        labels=(Label("2.1"),),
        card_revision=0,
    )


@given(record=RECORDS, seal=SEALS, note=NOTES)
def test_a_version_comes_back_as_it_was(record: Record, seal: Seal, note: RevisionNote | None) -> None:
    version = version_of(record, seal, note)
    kept = packed(version)
    assert kept.whole
    fields = {**unpacked(kept.head, kept.rest, {}), **remaining(kept.rest)}
    # As text, because NaN equals nothing, and True equals 1.
    assert {name: repr(value) for name, value in fields.items()} == {
        name: repr(getattr(version, name)) for name in fields
    }
    assert repr(unpacked_record(packed_record(record))) == repr(record)


def test_what_a_list_shows_is_understood_without_the_rest() -> None:
    record = Record(author="ana", description="good", metrics={"auc": 0.9}, extra={"when": time(4, 5)})
    seal = Seal(model="fraud", uid="u", created=datetime(2026, 1, 2, tzinfo=UTC), files=1, bytes=2, digest="d")
    kept = packed(version_of(record, seal, None))
    shown = unpacked(kept.head, b"not JSON at all", {})["record"]
    assert (shown.author, shown.description, shown.metrics) == ("ana", "good", {"auc": 0.9})
    with pytest.raises(ValueError, match="Expecting value"):
        shown.extra  # noqa: B018  # asked for, and so understood


def test_damage_is_noticed_by_the_sum() -> None:
    seal = Seal(model="fraud", uid="u", created=datetime(2026, 1, 2, tzinfo=UTC), files=1, bytes=2, digest="d")
    kept = packed(version_of(Record(author="ana", extra={"day": date(2026, 1, 1)}), seal, None))
    assert not Packed(kept.head.replace(b"ana", b"eve"), kept.rest, kept.check).whole


def test_a_version_without_a_seal_is_not_kept() -> None:
    with pytest.raises(ValueError, match="fraud:7"):
        packed(version_of(Record(), None, None))
