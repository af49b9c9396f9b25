"""Estimators as files: ONNX, skops and safetensors. Never pickle, which runs what it holds when it is opened.

The same estimator gives the same bytes on every run, which skops does not do by itself.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
import skops.io
from safetensors.numpy import save_file
from skl2onnx import to_onnx

from sample.scoring import open_session

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRAMEWORK = f"scikit-learn {sklearn.__version__}"
OPSETS = {"": 18, "ai.onnx.ml": 3}
"""Old enough for serving stacks of 2023, new enough for every operator that is used here."""
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can say."""


def write_onnx(estimator: Any, columns: int, model_file: Path) -> None:  # noqa: ANN401 -- scikit-learn has no types
    """Write ``model.onnx``: float32 input ``X`` of shape (rows, columns); probabilities as a plain tensor."""
    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else None
    example = np.zeros((1, columns), dtype=np.float32)
    with warnings.catch_warnings():
        # the converter looks at attributes of SVC that scikit-learn 1.9 deprecates
        warnings.simplefilter("ignore", FutureWarning)
        exported = to_onnx(estimator, example, name=model_file.stem, options=options, target_opset=OPSETS)
    # the converter keeps them in a set, whose order changes from run to run
    exported.opset_import.sort(key=lambda opset: opset.domain)
    model_file.write_bytes(exported.SerializeToString(deterministic=True))


def write_skops(estimator: Any, model_file: Path) -> None:  # noqa: ANN401 -- scikit-learn has no types
    """Write ``model.skops``, with addresses and times of this process taken out."""
    dumped = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    schema = json.loads(dumped.read("schema.json"))
    renumbered: dict[int, int] = {}
    schema = _renumber(schema, renumbered)
    arrays = [
        (f"{renumbered[int(name.removesuffix('.npy'))]}.npy", dumped.read(name))
        for name in dumped.namelist()
        if name.endswith(".npy")
    ]
    text = json.dumps(schema, indent=1).encode()
    with zipfile.ZipFile(model_file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*sorted(arrays), ("schema.json", text)):
            archive.writestr(zipfile.ZipInfo(name, date_time=ZIP_EPOCH), content, compress_type=zipfile.ZIP_DEFLATED)
    skops.io.load(model_file, trusted=skops.io.get_untrusted_types(file=model_file))


def write_safetensors(estimator: Any, model_file: Path) -> None:  # noqa: ANN401 -- scikit-learn has no types
    """Write the scaler and the coefficients of a linear model or a perceptron as ``weights.safetensors``."""
    scaler, fitted = estimator[0], estimator[-1]
    tensors: dict[str, NDArray[Any]] = {}
    if hasattr(scaler, "mean_"):
        tensors |= {"scaler.mean": scaler.mean_, "scaler.scale": scaler.scale_}
    else:
        tensors |= {"scaler.min": scaler.min_, "scaler.scale": scaler.scale_}
    if hasattr(fitted, "coefs_"):
        for layer, (weight, bias) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True)):
            tensors |= {f"layers.{layer}.weight": weight, f"layers.{layer}.bias": bias}
    else:
        tensors |= {"coef": fitted.coef_, "intercept": np.atleast_1d(fitted.intercept_)}
    flat = {name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}
    save_file(flat, str(model_file), metadata={"framework": FRAMEWORK})


def signature_of_onnx(model_file: Path) -> dict[str, Any]:
    """The inputs and outputs that the file itself declares, with -1 for the number of rows."""
    session = open_session(model_file)
    return {
        "inputs": [_port(port) for port in session.get_inputs()],
        "outputs": [_port(port) for port in session.get_outputs()],
    }


def signature_of_estimator(estimator: Any, columns: int) -> dict[str, Any]:  # noqa: ANN401 -- no types
    """The signature of a classifier that is only there as scikit-learn knows it."""
    return {
        "inputs": [{"name": "X", "type": "float64", "shape": [-1, columns]}],
        "outputs": [
            {"name": "label", "type": "int64", "shape": [-1]},
            {"name": "probabilities", "type": "float64", "shape": [-1, len(estimator.classes_)]},
        ],
    }


def _port(port: Any) -> dict[str, Any]:  # noqa: ANN401 -- onnxruntime has no types
    kind = port.type.removeprefix("tensor(").removesuffix(")")
    return {
        "name": port.name,
        "type": {"float": "float32", "double": "float64"}.get(kind, kind),
        "shape": [size if isinstance(size, int) else -1 for size in port.shape],
    }


def _renumber(node: Any, renumbered: dict[int, int]) -> Any:  # noqa: ANN401 -- any JSON
    """Replace skops's ids, which are addresses in memory, by their order of appearance."""
    if isinstance(node, list):
        return [_renumber(item, renumbered) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _renumber(value, renumbered) for key, value in node.items()}
    if "__id__" in node:
        changed["__id__"] = renumbered.setdefault(node["__id__"], len(renumbered) + 1)
    if "file" in node:
        array = int(node["file"].removesuffix(".npy"))
        changed["file"] = f"{renumbered.setdefault(array, len(renumbered) + 1)}.npy"
    return changed
