"""Two edits of one record: what clashes, and that the rest can stand together."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.metadata import Record, document_of, record_of
from stackroom.core.threeway import changed_paths, leaves, on_top, three_ways

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(st.integers(0, 3), st.booleans(), st.floats(0, 2), st.sampled_from(["x", "y"]))
TABLES = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3),
    lambda inner: st.dictionaries(NAMES, st.one_of(VALUES, inner)),
    max_leaves=4,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "team": st.sampled_from(["x", "y"]),
        "tags": st.lists(st.sampled_from(["p", "q"]), min_size=1, unique=True),
        "metrics": st.dictionaries(NAMES, st.integers(0, 3), min_size=1),
        "hyperparameters": TABLES,
    },
).map(record_of)


def rec(**document: Any) -> Record:  # noqa: ANN401 - TOML's values
    return record_of(document)


def test_different_fields_stand_together_and_the_same_field_clashes() -> None:
    base = rec(team="a", metrics={"auc": 0.9})
    theirs, mine = rec(team="b", metrics={"auc": 0.9}), rec(team="a", metrics={"auc": 0.95, "f1": 1})
    assert on_top(base, theirs, mine) == rec(team="b", metrics={"auc": 0.95, "f1": 1})
    (team,) = [field for field in three_ways(base, rec(team="b"), rec(team="c")) if field.key == "team"]
    assert (team.base, team.theirs, team.mine, team.clash) == ("a", "b", "c", True)
    assert on_top(base, rec(team="b"), rec(team="c")) is None


def test_both_doing_the_same_is_no_clash() -> None:
    assert on_top(rec(team="a"), rec(team="b"), rec(team="b", license="MIT")) == rec(team="b", license="MIT")


def test_a_field_in_a_table_that_the_other_made_a_value_clashes() -> None:
    base = rec(hyperparameters={"opt": {"lr": 1}})
    assert on_top(base, rec(hyperparameters={"opt": "adam"}), rec(hyperparameters={"opt": {"lr": 2}})) is None


@given(RECORDS, RECORDS, RECORDS)
def test_on_top_of_theirs_is_every_change_of_both_and_nothing_else(base: Record, theirs: Record, mine: Record) -> None:
    made = on_top(base, theirs, mine)
    first, other, own = leaves(base), leaves(theirs), leaves(mine)
    by_them, by_me = changed_paths(first, other), changed_paths(first, own)
    if made is None:
        assert any(one[: len(two)] == two[: len(one)] for one in by_them for two in by_me)
        return
    result = leaves(made)
    assert all(repr(result.get(path)) == repr(own.get(path)) for path in by_me if path in own)
    assert all(path not in result for path in by_me if path not in own)
    assert all(repr(result.get(path)) == repr(other.get(path)) for path in by_them if path not in by_me)


@given(RECORDS, RECORDS)
def test_an_edit_on_top_of_nothing_new_is_the_edit(base: Record, mine: Record) -> None:
    made = on_top(base, base, mine)
    assert made is not None
    assert leaves(made) == leaves(mine) or document_of(made) == document_of(mine)
