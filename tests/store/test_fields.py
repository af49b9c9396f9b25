"""The fields of a version one at a time are the fields of a version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import Who
from stackroom.core.metadata import Dataset, Record, Seal
from stackroom.core.names import Label, ModelName, StageName
from stackroom.store.fields import VersionFields
from stackroom.store.records import Version
from stackroom.tui.present.filtering import Filter

if TYPE_CHECKING:
    import pytest

NAMES = st.sampled_from(
    (
        *("auc", "val.auc", "lr", "opt", "opt.lr", "author", "team", "description", "tags", "tag", "tags.kind"),
        *("label", "stage", "size", "files", "digest", "created", "card", "metrics", "metrics.auc", "datasets"),
        *("hyperparameters.opt.lr", "lineage.parents", "source.run", "owner", "nothing", "extra.x", "x"),
    )
)
SCALARS = st.text(max_size=3) | st.floats() | st.integers(-5, 5) | st.booleans()
TABLES = st.dictionaries(NAMES, SCALARS | st.dictionaries(NAMES, SCALARS, max_size=2), max_size=3)
RECORDS = st.builds(
    Record,
    author=st.text(max_size=3),
    team=st.text(max_size=3),
    description=st.text(max_size=3),
    tags=st.lists(st.sampled_from(["a", "kind=x", "kind=y"])).map(tuple),
    source=TABLES,
    datasets=st.lists(st.builds(Dataset, name=st.text(max_size=3))).map(tuple),
    hyperparameters=TABLES,
    metrics=st.dictionaries(NAMES, st.floats(), max_size=3),
    parents=st.lists(st.text(max_size=3)).map(tuple),
    archived=st.booleans(),
    extra=st.dictionaries(st.sampled_from(["x", "extra", "nothing"]), SCALARS | TABLES, max_size=2),
)
SEAL = Seal(model="fraud", uid="u", created=datetime(2026, 1, 1, tzinfo=UTC), files=2, bytes=7, digest="sha256:0")
VERSIONS = st.builds(
    Version,
    model=st.just(ModelName("fraud")),
    number=st.integers(1, 99),
    folder=st.just("/r"),
    owner=st.just(Who(1, "ana")),
    seal=st.sampled_from([None, SEAL]),
    record=RECORDS,
    labels=st.sampled_from([(), (Label("1.0.0"),)]),
    stages=st.sampled_from([(), (StageName("production"),)]),
)
ABSENT: Any = object()


def test_what_people_filter_by_does_not_make_all_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(_version: Version) -> dict[str, Any]:
        raise AssertionError("12 µs for each of 100,000 versions")

    monkeypatch.setattr(Version, "fields", too_much)
    record = Record(metrics={"auc": 0.9}, hyperparameters={"lr": 0.1}, description="a Sweep", tags=("eu",))
    fields = VersionFields(Version(model=ModelName("fraud"), number=1, folder="/r", owner=Who(1), record=record))
    for text, passes in (
        ("auc>0.5", True),
        ("auc>0.5 sweep tag:eu !nothing", True),
        ("stage:production", False),
        ("auc > 0.5 and hyperparameters.lr < 1 and nosuch = 3", False),
    ):
        assert Filter(text).matches(fields) is passes, text


@given(VERSIONS, NAMES)
def test_one_field_is_what_it_is_among_all(version: Version, name: str) -> None:
    every, one = version.fields(), VersionFields(version)
    for asked in {*every, name, f"metrics.{name}", f"hyperparameters.{name}", f"source.{name}"}:
        assert (asked in one) == (asked in every), asked
        assert repr(one.get(asked, ABSENT)) == repr(every.get(asked, ABSENT)), asked
        if asked in every:
            assert repr(one[asked]) == repr(every[asked])
    assert sorted(one) == sorted(every)
    assert len(one) == len(every)
