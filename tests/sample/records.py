"""What training hands to whoever publishes it: models, their versions in order, and everything said about them.

Frozen data without behaviour and without third-party imports, so that reading the story of the sample needs neither
scikit-learn nor ONNX.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleVersion:
    """One trained version, ready to be registered.

    Attributes:
        model: the model's name.
        description: one line.
        artifacts_dir: a folder that holds the artifacts and nothing else.
        card: the model card in Markdown; one version of the sample has none.
        metrics: measured on the model's held-out split; ``latency_ms`` differs from run to run, the rest does not.
        hyperparameters: what the estimator was built from.
        datasets: one mapping per split: ``name``, ``uri``, ``digest``, ``split``, ``rows``.
        framework: library and release.
        tags: words to search for.
        license: an SPDX identifier, or None where nobody chose one.
        team: who owns it.
        author: a made-up login.
        parents: numbers of earlier versions of the same model, counted from 1.
        signature: ``inputs`` and ``outputs``, each a list of ``name``, ``type``, ``shape``.
    """

    model: str
    description: str
    artifacts_dir: Path
    card: str | None
    metrics: Mapping[str, float]
    hyperparameters: Mapping[str, Any]
    datasets: tuple[Mapping[str, Any], ...]
    framework: str
    tags: tuple[str, ...]
    license: str | None
    team: str
    author: str
    parents: tuple[int, ...]
    signature: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleModel:
    """One model with its versions, oldest first: version 1 is ``versions[0]``."""

    name: str
    description: str
    team: str
    tags: tuple[str, ...]
    versions: tuple[SampleVersion, ...]
