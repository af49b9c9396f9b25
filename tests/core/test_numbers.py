from __future__ import annotations

import numbers
from fractions import Fraction
from typing import Any

from stackroom.core.metadata import record_of
from stackroom.core.numbers import plain_numbers


class Float32:
    """As numpy's scalars are: no subclass of float, registered as a number, convertible."""

    def __float__(self) -> float:
        return 0.5


class Int64:
    def __int__(self) -> int:
        return 7


numbers.Real.register(Float32)
numbers.Integral.register(Int64)


def test_numbers_of_other_libraries_become_pythons_own() -> None:
    document: dict[str, Any] = {
        "metrics": {"auc": Float32(), "rows": Int64(), "ratio": Fraction(1, 4)},
        "hyperparameters": {"grid": [Int64(), (Float32(), True)], "name": "x"},
    }
    plain = plain_numbers(document)
    assert plain == {
        "metrics": {"auc": 0.5, "rows": 7, "ratio": 0.25},
        "hyperparameters": {"grid": [7, [0.5, True]], "name": "x"},
    }
    assert [type(value) for value in plain["metrics"].values()] == [float, int, float]
    assert record_of(plain).metrics == {"auc": 0.5, "rows": 7, "ratio": 0.25}
