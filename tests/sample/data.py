"""The data sets behind the sample models: the copies that ship with scikit-learn, split once and for good.

All versions of a model share one held-out split, which is what makes their metrics comparable. A split is named by
the digest of its bytes, so a version says exactly what it was trained and measured on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xxhash
from sklearn import datasets
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 2026
"""Of every split and every estimator that draws random numbers."""

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a model's data come from.

    Attributes:
        name: the data set, as people call it.
        loader: the function of ``sklearn.datasets`` that loads it.
        task: what is predicted.
        test_share: how much of the rows is held out, 0-1.
        classes: what the labels 0, 1, … mean; empty for regression.
    """

    name: str
    loader: str
    task: Task
    test_share: float
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One side of a split: ``features`` is float64 of shape (rows, columns), ``target`` has one number a row."""

    source: Source
    side: Literal["train", "test"]
    features: NDArray[np.float64]
    target: NDArray[Any]

    def first(self, count: int | None) -> Rows:
        """The first ``count`` rows, or all of them; the split is shuffled, so this is a random sample."""
        return Rows(source=self.source, side=self.side, features=self.features[:count], target=self.target[:count])

    def described(self) -> dict[str, Any]:
        """The entry for a version's ``datasets``."""
        return {
            "name": self.source.name,
            "uri": f"sklearn:{self.source.loader}",
            "digest": digest_of(self.features, self.target),
            "split": self.side,
            "rows": len(self.features),
        }


SOURCES: dict[str, Source] = {
    "digit-reader": Source(
        name="digits",
        loader="load_digits",
        task="classification",
        test_share=0.3,
        classes=tuple("0123456789"),
    ),
    "tumor-screening": Source(
        name="breast-cancer-wisconsin",
        loader="load_breast_cancer",
        task="classification",
        test_share=0.4,
        classes=("malignant", "benign"),
    ),
    "wine-origin": Source(
        name="wine",
        loader="load_wine",
        task="classification",
        test_share=0.4,
        classes=("cultivar 0", "cultivar 1", "cultivar 2"),
    ),
    "diabetes-progression": Source(name="diabetes", loader="load_diabetes", task="regression", test_share=0.3),
    "iris-species": Source(
        name="iris",
        loader="load_iris",
        task="classification",
        test_share=0.4,
        classes=("setosa", "versicolor", "virginica"),
    ),
}
"""By the name of the model that learns from it."""


@cache
def split_of(model: str) -> tuple[Rows, Rows]:
    """The training rows and the held-out rows of a model, the same on every machine."""
    source = SOURCES[model]
    features, target = getattr(datasets, source.loader)(return_X_y=True)
    stratify = target if source.task == "classification" else None
    train_x, test_x, train_y, test_y = train_test_split(
        features, target, test_size=source.test_share, random_state=SEED, stratify=stratify
    )
    train = Rows(source=source, side="train", features=train_x, target=train_y)
    return train, Rows(source=source, side="test", features=test_x, target=test_y)


def digest_of(features: NDArray[Any], target: NDArray[Any]) -> str:
    """``xxh128:`` and the hex digest of both arrays as float64 in C order, features first."""
    state = xxhash.xxh3_128()
    for array in (features, target):
        state.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return f"xxh128:{state.hexdigest()}"
