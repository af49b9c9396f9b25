from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stackroom.core.attested import Who
from stackroom.core.metadata import Record, Seal, record_in
from stackroom.core.names import ModelName
from stackroom.core.query import Query, unlike
from stackroom.core.sieve import NOT_IN_THE_FILE, sieve_of
from stackroom.core.toml import format_toml, parse_toml
from stackroom.errors import InvalidInputError
from stackroom.store.records import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = ("auc", "val_auc", "val.auc", "team", "a")
VALUES: Final = st.one_of(st.sampled_from(("0.5", "nan", "auc", "auc = 0.9")), st.integers(-3, 3), st.floats(width=16))
TABLES: Final = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3)
DOCUMENTS: Final = st.fixed_dictionaries(
    {},
    optional={
        "team": st.sampled_from(("risk", "auc")),
        "tags": st.lists(st.sampled_from(("auc=0.7", "val.auc=0.2", "plain")), max_size=2),
        "hyperparameters": st.one_of(TABLES, st.fixed_dictionaries({"auc": TABLES})),
        "metrics": st.dictionaries(st.sampled_from(NAMES), st.floats(width=16), max_size=3),
        "auc": VALUES,
    },
)
FIELDS: Final = st.sampled_from(("auc", "metrics.auc", "metrics.val.auc", "tags.auc", "hyperparameters.auc.a", "team"))
SIGNS: Final = st.sampled_from(("=", "!=", "<", "<=", ">", ">=", "~"))
WANTED: Final = st.sampled_from(("0.5", "0", "-1", "risk", "inf", "0.9"))
COMPARISONS: Final = st.tuples(FIELDS, SIGNS, WANTED).filter(lambda words: not unlike(*words))
LEAVES: Final = st.one_of(FIELDS, COMPARISONS.map(" ".join))
QUERIES: Final = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map("".join).map("({})".format),
        inner.map("not {}".format),
    ),
    max_leaves=3,
)


def fields_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return Version(model=ModelName("m"), number=1, folder="", owner=Who(0), record=record_in(document)).fields()


@given(DOCUMENTS, QUERIES)
def test_what_is_asked_for_is_let_through(document: dict[str, Any], query: str) -> None:
    asked = Query(query)
    if asked.matches(fields_of(document)):
        assert sieve_of(asked.node)(b"format = 1\n" + format_toml(document).encode())


LINES: Final = st.sampled_from(
    [
        *(
            "[metrics]",
            "[hyperparameters]",
            "[hyperparameters.auc]",
            "auc = 0.5",
            "auc = 0.9",
            "auc=0.9",
            '"auc" = 0.9',
        ),
        *('"auc" = 0.9', '"\\u0061uc" = 0.9', "'auc' = 1_0", "auc = 0.9 # c", "auc = 0.9\r", "auc = inf"),
        *(
            "metrics.auc = 0.9",
            "metrics = {auc = 0.9}",
            'team = """',
            '"""',
            "auc = 1e1",
            "auc = 0x9",
            "auc = 2026-01-01",
        ),
        'auc = "0.9"',
    ]
)


@given(st.lists(LINES, max_size=5).map("\n".join), QUERIES)
@example("auc = 0.9", "auc > 0.5")
@example('[metrics]\n"\\u0061uc" = 0.9', "auc > 0.5")
def test_nor_does_it_matter_how_a_text_is_written(text: str, query: str) -> None:
    try:
        document = parse_toml(text.encode(), where="")
        fields = fields_of(document)
    except InvalidInputError:
        return
    asked = Query(query)
    if asked.matches(fields):
        assert sieve_of(asked.node)(text.encode())


@pytest.mark.parametrize(
    ("query", "through"),
    [
        ("metrics.auc > 0.95", False),
        ("metrics.auc > 0.85", True),
        ("auc = high", False),
        ("metrics.auc > 0.95 and team = risk", False),
        ("metrics.auc > 0.95 or team = risk", True),
        ("logloss", False),
        ("logloss < 1", False),
        ("not metrics.auc > 0.95", True),
        ("stage = production", True),
        ('"risk"', True),
    ],
)
def test_what_cannot_be_asked_for_is_held_back(query: str, *, through: bool) -> None:
    text = b'team = "risk"\n\n[metrics]\nauc = 0.9\nval_auc = 0.99\n'
    assert sieve_of(Query(query).node)(text) == through


def test_every_field_that_stands_in_no_file_is_known() -> None:
    seal = Seal(model="m", uid="", created=datetime(2026, 1, 1, tzinfo=UTC), files=1, bytes=1, digest="")
    bare = Version(model=ModelName("m"), number=1, folder="", owner=Who(0), record=Record(), seal=seal)
    assert {*bare.fields()} == NOT_IN_THE_FILE
