from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.query import Query, sorted_by
from stackroom.errors import InvalidInputError

FIELDS: dict[str, Any] = {
    "model": "fraud",
    "version": 7,
    "metrics.auc": 0.93,
    "metrics.nan": float("nan"),
    "hyperparameters.lr": 0.05,
    "hyperparameters.day": date(2026, 10, 1),
    "created": datetime(2026, 10, 1, 12, tzinfo=UTC),
    "size": 2_000_000,
    "stage": ("staging", "production"),
    "tags": ("tabular", "Team=nlp"),
    "tags.team": "NLP",
    "author": "alice",
    "archived": False,
    "card": True,
    "description": "",
}
WORDS = st.lists(
    st.sampled_from(
        [
            "metrics.auc",
            "stage",
            "and",
            "or",
            "not",
            "(",
            ")",
            ">",
            "=",
            "!=",
            "~",
            "0.9",
            "'a b'",
            '"',
            "'",
            "!",
            "created",
            "2026-10-01",
            "9" * 400,
            "1e999",
            "\x00",
            "é",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(st.one_of(st.text(), WORDS))
def test_parsing_and_matching_raise_nothing_but_our_own_error(text: str) -> None:
    try:
        query = Query(text)
    except InvalidInputError as error:
        refused = error
    else:
        assert query.matches(FIELDS) in {True, False}
        return
    assert str(refused).startswith("query: ")
    assert 0 <= refused.facts["position"] <= len(text)


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 5000 + "a", "a and " * 5000 + "a"])
def test_a_long_query_is_answered_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        Query(text).matches(FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc > 0.9",
        "auc > 0.9 and lr = 0.05",
        "stage = production",
        "stage = Staging",
        "tags.team = 'nlp'",
        "not (author = bob or stage = champion)",
        "author ~ LIC",
        "created > 2026-09-30",
        "created = 2026-10-01",
        "created < 2026-10-01T13:00:00",
        "created >= 2026-10-01T14:00:00+02:00",
        "size > 1M",
        "card and not archived",
        "archived = false",
        "missing != 3",
        "nan != 1",
        "day = 2026-10-01",
        "author != bob AND version >= 7",
    ],
)
def test_the_version_is_found(text: str) -> None:
    assert Query(text).matches(FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc > 0.94",
        "stage = champion",
        "stage != production",
        "missing = 3",
        "missing < 3",
        "missing",
        "nan",
        "nan > 0",
        "nan <= 0",
        "description",
        "author > 3 and author < 4",
        "auc = high",
        "author = bob or author = carol and version = 7",
        "created > 2026-10-01",
    ],
)
def test_the_version_is_not_found(text: str) -> None:
    assert not Query(text).matches(FIELDS)


@pytest.mark.parametrize("text", ["", "(", "a =", "= 3", "a = 3 b", "a = 'x", "a ! b", "and", "a >> 3"][:6])
def test_the_text_is_no_query(text: str) -> None:
    with pytest.raises(InvalidInputError):
        Query(text)


def test_what_is_missing_or_nan_comes_last_in_either_direction() -> None:
    items: list[dict[str, Any]] = [
        {"n": 1, "x": 2},
        {"n": 2},
        {"n": 3, "x": float("nan")},
        {"n": 4, "x": 5.0},
        {"n": 5, "x": "text"},
        {"n": 6, "x": datetime(2026, 1, 1, tzinfo=UTC)},
    ]

    def order(key: str) -> list[int]:
        return [item["n"] for item in sorted_by(items, key, lambda item: item)]

    assert order("x") == [1, 4, 6, 5, 2, 3]
    assert order("-x") == [5, 6, 4, 1, 2, 3]
    assert order("") == [1, 2, 3, 4, 5, 6]
    assert order("nothing,-n") == [6, 5, 4, 3, 2, 1]


def test_a_text_in_quotes_alone_is_looked_for_in_all_words() -> None:
    fields = {"model": "fraud", "tags": ("Nlp", "team=risk"), "metrics.auc": 0.9, "description": "two words"}
    assert Query("'nlp' and not 'vision' and auc > 0.8").matches(fields)
    assert Query('"TWO words"').matches(fields)
    assert not Query("'0.9'").matches(fields)
    with pytest.raises(InvalidInputError, match="expected a field"):
        Query("''")


@pytest.mark.parametrize(
    ("text", "at", "wanted"),
    [
        ("created > yesterday", 10, "a time"),
        ("created != 2026-13-40", 11, "a time"),
        ("auc and created = 5", 18, "a time"),
        ("size > 1XB", 7, "a number"),
        ("version != abc", 11, "a number"),
        ("not (metrics.auc > 'abc')", 19, "a number"),
    ],
)
def test_a_value_that_a_field_can_never_be_compared_with_is_refused(text: str, at: int, wanted: str) -> None:
    with pytest.raises(InvalidInputError, match=f"is not {wanted} at character {at + 1}") as caught:
        Query(text)
    assert caught.value.facts["position"] == at


def test_numbers_may_have_the_units_of_sizes_and_any_text_is_looked_for() -> None:
    for text in ("size = 1500000B", "size = 1.5MB", "size = 1500kB", "size > 0.001GB", "version ~ x or size"):
        assert Query(text).matches({"size": 1_500_000, "version": 1, "auc": 0.5}), text
