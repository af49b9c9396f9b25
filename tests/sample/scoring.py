"""How a version's numbers are measured: on the exported file, not on the estimator it came from.

A conversion can lose something, and what a registry records should be what its artifact gives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnxruntime
from sklearn import metrics

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sample.data import Rows

WARM_UP_CALLS = 20
TIMED_CALLS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """``target`` is a label or a value a row; ``probabilities`` is (rows, classes), None for a regression."""

    target: NDArray[Any]
    probabilities: NDArray[np.float64] | None


class Predictor(Protocol):
    """Anything that predicts from features of shape (rows, columns)."""

    def __call__(self, features: NDArray[Any], /) -> Prediction:
        """Predict every row."""
        ...


def predictor_from_onnx(model_file: Path) -> Predictor:
    """What serving would do: load the file into onnxruntime, on one thread."""
    session = open_session(model_file)
    name = session.get_inputs()[0].name

    def predict(features: NDArray[Any], /) -> Prediction:
        first, *rest = session.run(None, {name: np.asarray(features, dtype=np.float32)})
        return _prediction(first, rest[0] if rest else None)

    return predict


def predictor_from_estimator(estimator: Any) -> Predictor:  # noqa: ANN401 -- scikit-learn has no types
    """For a version that ships no ONNX file."""

    def predict(features: NDArray[Any], /) -> Prediction:
        probable = hasattr(estimator, "predict_proba")
        return _prediction(estimator.predict(features), estimator.predict_proba(features) if probable else None)

    return predict


def open_session(model_file: Path) -> Any:  # noqa: ANN401 -- onnxruntime has no types
    """An onnxruntime session on one CPU thread: latencies are then comparable between versions."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model_file), options, providers=["CPUExecutionProvider"])


def scores_of(prediction: Prediction, held_out: Rows) -> dict[str, float]:
    """The reproducible metrics: accuracy, auc and log_loss, or rmse, mae and r2."""
    truth = held_out.target
    if prediction.probabilities is None:
        return {
            "rmse": _rounded(metrics.root_mean_squared_error(truth, prediction.target)),
            "mae": _rounded(metrics.mean_absolute_error(truth, prediction.target)),
            "r2": _rounded(metrics.r2_score(truth, prediction.target)),
        }
    probabilities = prediction.probabilities
    binary = probabilities.shape[1] == 2
    auc = (
        metrics.roc_auc_score(truth, probabilities[:, 1])
        if binary
        else metrics.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")
    )
    return {
        "accuracy": _rounded(metrics.accuracy_score(truth, prediction.target)),
        "auc": _rounded(auc),
        "log_loss": _rounded(metrics.log_loss(truth, probabilities)),
    }


def latency_ms_of(predict: Predictor, held_out: Rows) -> float:
    """The median time of a prediction for one row, in milliseconds: a property of this machine, too."""
    rows = held_out.features.astype(np.float32)
    seconds = []
    for call in range(WARM_UP_CALLS + TIMED_CALLS):
        row = rows[call % len(rows)][np.newaxis]
        started = time.perf_counter()
        predict(row)
        seconds.append(time.perf_counter() - started)
    return round(float(np.median(seconds[WARM_UP_CALLS:])) * 1_000, 4)


def _prediction(target: NDArray[Any], probabilities: NDArray[Any] | None) -> Prediction:
    if probabilities is None:
        return Prediction(target=np.asarray(target, dtype=np.float64).ravel(), probabilities=None)
    # float32 rows add up to 1 within 1e-7, which scikit-learn's metrics take for a mistake in float64
    wide = np.asarray(probabilities, dtype=np.float64)
    return Prediction(target=np.asarray(target), probabilities=wide / wide.sum(axis=1, keepdims=True))


def _rounded(value: float) -> float:
    return round(float(value), 9)
