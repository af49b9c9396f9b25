"""Model cards: what a version is for, what it was trained on, how good it is, and where it must not be trusted."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sample.data import Rows
    from sample.recipes import ModelRecipe, Recipe
    from sample.scoring import Prediction

WIDTH = 88
"""Columns of a line of text."""

HIGHER_IS_BETTER = {"accuracy": True, "auc": True, "log_loss": False, "rmse": False, "mae": False, "r2": True}
"""The metrics that a card shows. Latency is left out: it belongs to a machine, and the text is the same on all."""


def card_of(
    model: ModelRecipe,
    number: int,
    *,
    measured: Sequence[Mapping[str, float]],
    data: tuple[Rows, Rows],
    prediction: Prediction,
) -> str:
    """The card of version ``number``; ``measured`` holds the metrics of versions 1 to ``number``."""
    recipe = model.versions[number - 1]
    train, test = data
    lines = [
        f"# {model.name} {number}: {recipe.title}",
        "",
        f"{recipe.description}.",
        "",
        "## Intended use",
        "",
        _filled(model.intended),
        "",
        "## Training",
        "",
        _filled(recipe.change),
        "",
        _filled(f"Algorithm: {recipe.algorithm}, with {_parameters(recipe)}."),
        "",
        "## Data",
        "",
        f"- `{train.source.name}` as it ships with scikit-learn (`sklearn.datasets.{train.source.loader}`)",
        f"- trained on {len(train.features)} rows of {train.features.shape[1]} values",
        f"- measured on {len(test.features)} held-out rows, the same for every version of this model",
        "",
        "## Evaluation",
        "",
        *_evaluation(measured),
        "",
        _filled(_weakest(test, prediction)),
        "",
        "## Limits",
        "",
        *(_filled(f"- {limit}", indent="  ") for limit in (*model.limits, recipe.limit)),
    ]
    return "\n".join(lines) + "\n"


def _filled(text: str, *, indent: str = "") -> str:
    return fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _parameters(recipe: Recipe) -> str:
    return ", ".join(f"{name} = {value}" for name, value in recipe.parameters.items())


def _evaluation(measured: Sequence[Mapping[str, float]]) -> list[str]:
    """A table of the metrics, beside those of the version before, if there is one."""
    now = measured[-1]
    shown = [name for name in HIGHER_IS_BETTER if name in now]
    if len(measured) == 1:
        return ["| metric | value |", "| --- | ---: |", *(f"| {name} | {now[name]:.4f} |" for name in shown)]
    before = measured[-2]
    return [
        f"| metric | this version | version {len(measured) - 1} | |",
        "| --- | ---: | ---: | --- |",
        *(f"| {name} | {now[name]:.4f} | {before[name]:.4f} | {_verdict(name, now, before)} |" for name in shown),
    ]


def _verdict(name: str, now: Mapping[str, float], before: Mapping[str, float]) -> str:
    if now[name] == before[name]:
        return "same"
    return "better" if (now[name] > before[name]) is HIGHER_IS_BETTER[name] else "worse"


def _weakest(test: Rows, prediction: Prediction) -> str:
    """Where it is worst: the class that is missed most often, or the largest single error."""
    if prediction.probabilities is None:
        errors = np.abs(prediction.target - test.target)
        worst = int(errors.argmax())
        return (
            f"Half of the estimates are within {np.median(errors):.0f} of the truth; the worst says "
            f"{prediction.target[worst]:.0f} where {test.target[worst]:.0f} was measured."
        )
    recalls = [
        float((prediction.target[test.target == label] == label).mean()) for label in range(len(test.source.classes))
    ]
    weakest = int(np.argmin(recalls))
    name = test.source.classes[weakest]
    if recalls[weakest] == 1:
        return "No class is missed even once on the held-out rows."
    return f"Weakest class: {name}, of which {recalls[weakest]:.1%} are found."
