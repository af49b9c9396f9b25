"""What holds production in the sample registry gives the numbers that its metadata says."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

REASON = "needs the extra `sample`"
pytest.importorskip("onnxruntime", reason=REASON)
pytest.importorskip("sklearn", reason=REASON)

from sample.data import SOURCES, split_of  # noqa: E402 -- needs what the lines above look for
from sample.scoring import predictor_from_onnx, scores_of  # noqa: E402 -- the same

REGISTRY = Path(__file__).resolve().parents[2] / "sample_registry"
LIVE = REGISTRY / "live" / "production"
MACHINE_DEPENDENT = {"latency_ms"}
"""Measured where the version was trained."""
NOT_PREDICTED = {"size_kb"}
"""About the files."""
BYTES_PER_KB = 1_000

pytestmark = [
    pytest.mark.sample,
    pytest.mark.skipif(not LIVE.is_dir(), reason="the sample registry is not part of a source distribution"),
]


def pointers() -> list[str]:
    return sorted(os.listdir(LIVE)) if LIVE.is_dir() else []


def version_in_production(model: str) -> Path:
    pointed = Path(os.readlink(LIVE / model))
    assert pointed.parts[:-1] == ("..", "..", "models", model)
    return REGISTRY / "models" / model / pointed.name


def metadata_of(version: Path) -> dict[str, Any]:
    return tomllib.loads((version / "version.toml").read_text(encoding="utf-8"))


def test_most_models_of_the_sample_are_in_production() -> None:
    assert len(pointers()) >= 3
    assert set(pointers()) <= set(SOURCES)


@pytest.mark.parametrize("model", pointers())
def test_the_model_in_production_gives_the_metrics_that_were_recorded(model: str) -> None:
    version = version_in_production(model)
    if not (version / "model.onnx").exists():
        pytest.skip("this version ships no ONNX file")
    recorded = metadata_of(version)["metrics"]
    _, held_out = split_of(model)

    measured = scores_of(predictor_from_onnx(version / "model.onnx")(held_out.features), held_out)

    assert set(measured) == set(recorded) - MACHINE_DEPENDENT - NOT_PREDICTED
    for name, value in measured.items():
        # probabilities are float32: 1e-7 of noise between processors, which a log loss near 0 does not divide away
        assert value == pytest.approx(recorded[name], rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize("model", pointers())
def test_the_datasets_recorded_are_the_ones_that_scikit_learn_ships(model: str) -> None:
    recorded = {entry["split"]: entry for entry in metadata_of(version_in_production(model))["datasets"]}
    train, held_out = split_of(model)

    assert recorded["test"] == held_out.described()
    assert recorded["train"] == train.first(recorded["train"]["rows"]).described()


@pytest.mark.parametrize("model", pointers())
def test_the_size_recorded_is_that_of_the_artifacts(model: str) -> None:
    metadata = metadata_of(version_in_production(model))
    kinds = {".onnx", ".skops", ".safetensors"}
    artifacts = [file for file in version_in_production(model).iterdir() if file.suffix in kinds]

    assert sum(file.stat().st_size for file in artifacts) == round(metadata["metrics"]["size_kb"] * BYTES_PER_KB)
