from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stackroom.core.metadata import Seal, record_of
from stackroom.core.names import ModelName
from stackroom.store.forms import said_in
from stackroom.store.remembered import Facts, known_version
from stackroom.store.told import Told, heard, said
from stackroom.store.verbatim import verbatim
from stackroom.store.workers import Answer

if TYPE_CHECKING:
    from stackroom.store.remembered import KnownVersion

NUMBERS = st.dictionaries(st.text(max_size=3), st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1)), max_size=4)
SEAL = Seal(model="m", uid="u", created=datetime(2026, 1, 1, tzinfo=UTC), files=1, bytes=2, digest="sha256:0")


def told(versions: tuple[KnownVersion, ...]) -> Told:
    return Told(
        name=ModelName("m"),
        stamp="1:2:3",
        owner=1,
        numbers="1-3",
        trash="",
        revision=0,
        record="[]",
        kept=(3,),
        fresh=versions,
        sound=True,
        full=True,
    )


def of(number: int, metrics: dict[str, Any], hyperparameters: dict[str, Any]) -> KnownVersion:
    record = record_of({"metrics": metrics, "hyperparameters": hyperparameters, "mood": "good", "team": "ü"})
    content = verbatim(b"text" * number, b"sealed", revision=2, card=0)
    return known_version(number, said_in(record, SEAL), content, Facts("identity", 1, "a b"))


@given(NUMBERS, NUMBERS)
@example({"auc": 0.9}, {"a": math.nan})
@example({"auc": math.inf}, {"a": 1})
@example({}, {})
def test_what_a_worker_says_is_what_is_heard(metrics: dict[str, Any], hyperparameters: dict[str, Any]) -> None:
    meant = told((of(1, metrics, hyperparameters), of(2, hyperparameters, metrics)))
    facts, content = said(meant)
    got = heard(Answer(json.loads(json.dumps(facts)), content))
    assert got is not None
    for one, other in zip(meant.fresh, got.fresh, strict=True):
        assert [*one.facts] == [*other.facts]
        assert repr([*one.numbers]) == repr([*other.numbers])
        assert (one.number, one.names, one.content) == (other.number, other.names, other.content)
    assert [getattr(got, name) for name in Told.__slots__ if name != "fresh"] == [
        getattr(meant, name) for name in Told.__slots__ if name != "fresh"
    ]


@pytest.mark.parametrize("facts", [None, {}, [1], {"names": [], "fresh": [[1]]}])
def test_a_worker_may_leave_it_to_its_maker_or_be_of_another_program(facts: object) -> None:
    assert heard(Answer(facts, b"")) is None
