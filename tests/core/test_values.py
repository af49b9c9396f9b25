from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Mapping  # noqa: TC003 - the standard library reads the annotations

import pytest

from stackroom.core import values
from stackroom.core.names import ModelName, Ref


@values.dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    name: str
    rows: int | None = None
    extra: Mapping[str, int] = values.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    name: str
    rows: int | None = None
    extra: Mapping[str, int] = dataclasses.field(default_factory=dict)


@pytest.mark.parametrize("given", [{"name": "a"}, {"name": "a", "rows": 3, "extra": {"b": 1}}])
def test_a_record_is_made_and_shown_as_the_standard_library_does(given: dict[str, object]) -> None:
    ours, theirs = Ours(**given), Theirs(**given)  # type: ignore[arg-type]  # both are given the same
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert [one.name for one in dataclasses.fields(ours)] == [one.name for one in dataclasses.fields(theirs)]
    assert str(inspect.signature(Ours)) == str(inspect.signature(Theirs))


@pytest.mark.parametrize("kind", [Ours, Theirs])
@pytest.mark.parametrize("given", [{}, {"name": "a", "unknown": 1}])
def test_what_is_missing_or_unknown_is_refused(kind: type, given: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        kind(**given)


def test_positions_are_for_records_that_say_so() -> None:
    assert Ref(ModelName("fraud"), "number", "7") == Ref(ModelName("fraud"), kind="number", value="7")
    with pytest.raises(TypeError):
        Ours("a")  # type: ignore[call-arg]  # the point
    with pytest.raises(TypeError, match="multiple values"):
        Ref(ModelName("fraud"), model=ModelName("fraud"))  # type: ignore[misc]  # the point
    with pytest.raises(TypeError, match="positional"):
        Ref(ModelName("fraud"), "number", "7", "8")  # type: ignore[call-arg]  # the point


def test_a_record_cannot_be_changed_and_has_no_other_attributes() -> None:
    ours = Ours(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        ours.name = "b"  # type: ignore[misc]  # the point
    with pytest.raises(dataclasses.FrozenInstanceError):
        del ours.name
    assert not hasattr(ours, "__dict__")


def test_records_with_the_same_values_are_equal_and_hash_alike() -> None:
    one, other = Ref(ModelName("fraud"), "number", "7"), Ref(ModelName("fraud"), "number", "7")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Ref(ModelName("fraud"), "number", "8")
    theirs: object = Theirs(name="a")
    assert Ours(name="a") != theirs


def test_a_default_that_is_made_is_nobody_elses() -> None:
    assert Ours(name="a").extra is not Ours(name="a").extra


@pytest.mark.parametrize("function", [values.replace, dataclasses.replace])
def test_a_copy_has_the_change_and_nothing_else(function: type) -> None:
    before = Ours(name="a", rows=3)
    assert function(before, rows=4) == Ours(name="a", rows=4)
    assert before == Ours(name="a", rows=3)
    with pytest.raises(TypeError):
        function(before, unknown=1)


@pytest.mark.parametrize("through", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301 - our own
def test_a_record_can_be_copied_and_sent_to_another_process(through: type) -> None:
    assert through(Ours(name="a", rows=3, extra={"b": 1})) == Ours(name="a", rows=3, extra={"b": 1})


def test_any_other_kind_of_class_is_refused() -> None:
    with pytest.raises(TypeError, match="frozen"):
        values.dataclass(frozen=False, slots=True)
