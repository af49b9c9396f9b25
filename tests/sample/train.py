"""Train the models of the sample registry, measure them, and write their artifacts.

    python tests/sample/train.py DIRECTORY

writes ``DIRECTORY/<model>/<version>/`` and prints what came out. Two runs with the same libraries write the same
bytes and the same numbers, but for ``latency_ms``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: then this folder is on the path, and not the one that holds it
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sample.cards import card_of
from sample.data import SEED, Rows, split_of
from sample.export import (
    FRAMEWORK,
    signature_of_estimator,
    signature_of_onnx,
    write_onnx,
    write_safetensors,
    write_skops,
)
from sample.recipes import RECIPES, ModelRecipe, Recipe
from sample.records import SampleModel, SampleVersion
from sample.scoring import (
    Prediction,
    Predictor,
    latency_ms_of,
    predictor_from_estimator,
    predictor_from_onnx,
    scores_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SampleModel", "SampleVersion", "train_all"]

BYTES_PER_KB = 1_000


def calibrated_svm(*, calibration_folds: int, **parameters: Any) -> Any:  # noqa: ANN401 -- scikit-learn has no types
    """A support vector machine whose scores become probabilities by Platt's method."""
    return CalibratedClassifierCV(SVC(**parameters), method="sigmoid", cv=calibration_folds, ensemble=False)


ALGORITHMS: dict[str, Callable[..., Any]] = {
    "calibrated-svm": calibrated_svm,
    "decision-tree": DecisionTreeClassifier,
    "discriminant-analysis": LinearDiscriminantAnalysis,
    "extra-trees": ExtraTreesClassifier,
    "gradient-boosting-classifier": GradientBoostingClassifier,
    "gradient-boosting-regressor": GradientBoostingRegressor,
    "lasso": Lasso,
    "least-squares": LinearRegression,
    "logistic-regression": LogisticRegression,
    "mlp-classifier": MLPClassifier,
    "naive-bayes": GaussianNB,
    "nearest-neighbours": KNeighborsClassifier,
    "random-forest": RandomForestClassifier,
    "ridge": Ridge,
}
SCALERS: dict[str, Callable[[], Any]] = {"min-max": MinMaxScaler, "standard": StandardScaler}


def train_all(target: Path) -> tuple[SampleModel, ...]:
    """Train every version of every model into ``target/<model>/<version>/``, which must not hold files yet."""
    return tuple(_train_model(recipe, target / recipe.name) for recipe in RECIPES)


def _train_model(model: ModelRecipe, target: Path) -> SampleModel:
    versions: list[SampleVersion] = []
    for number in range(1, len(model.versions) + 1):
        earlier = [version.metrics for version in versions]
        versions.append(_train_version(model, number, target=target / str(number), earlier=earlier))
    return SampleModel(
        name=model.name,
        description=model.description,
        team=model.team,
        tags=model.tags,
        versions=tuple(versions),
    )


def _train_version(
    model: ModelRecipe, number: int, *, target: Path, earlier: list[Mapping[str, float]]
) -> SampleVersion:
    recipe = model.versions[number - 1]
    all_rows, test = split_of(model.name)
    train = all_rows.first(recipe.rows)
    hyperparameters = {"algorithm": recipe.algorithm, **recipe.parameters}
    estimator, seeded = _estimator(recipe)
    if seeded:
        hyperparameters["seed"] = SEED
    estimator.fit(train.features, train.target)
    predict, signature = _write(recipe, estimator, train, target)
    prediction = predict(test.features)
    metrics = _measure(predict, prediction, test, target)
    card = card_of(model, number, measured=[*earlier, metrics], data=(train, test), prediction=prediction)
    return SampleVersion(
        model=model.name,
        description=recipe.description,
        artifacts_dir=target,
        card=card if recipe.has_card else None,
        metrics=metrics,
        hyperparameters=hyperparameters,
        datasets=(train.described(), test.described()),
        framework=FRAMEWORK,
        tags=(*model.tags, *recipe.tags),
        license=recipe.license,
        team=model.team,
        author=recipe.author,
        parents=recipe.parents,
        signature=signature,
    )


def _estimator(recipe: Recipe) -> tuple[Any, bool]:
    """The estimator, unfitted, and whether it draws random numbers."""
    parameters = dict(recipe.parameters)
    scaler = parameters.pop("scaler")
    if "hidden_layer_sizes" in parameters:
        parameters["hidden_layer_sizes"] = tuple(parameters["hidden_layer_sizes"])
    estimator = ALGORITHMS[recipe.algorithm](**parameters)
    seeded = "random_state" in estimator.get_params(deep=False)
    if seeded:
        estimator.set_params(random_state=SEED)
    return (estimator if scaler == "none" else make_pipeline(SCALERS[scaler](), estimator)), seeded


def _write(
    recipe: Recipe,
    estimator: Any,  # noqa: ANN401 -- scikit-learn has no types
    train: Rows,
    target: Path,
) -> tuple[Predictor, dict[str, Any]]:
    """Write the artifacts; the predictor reads the ONNX file where there is one."""
    target.mkdir(parents=True)
    columns = train.features.shape[1]
    if "skops" in recipe.files:
        write_skops(estimator, target / "model.skops")
    if "safetensors" in recipe.files:
        write_safetensors(estimator, target / "weights.safetensors")
    if "onnx" not in recipe.files:
        return predictor_from_estimator(estimator), signature_of_estimator(estimator, columns)
    write_onnx(estimator, columns, target / "model.onnx")
    return predictor_from_onnx(target / "model.onnx"), signature_of_onnx(target / "model.onnx")


def _measure(predict: Predictor, prediction: Prediction, test: Rows, target: Path) -> dict[str, float]:
    return {
        **scores_of(prediction, test),
        "latency_ms": latency_ms_of(predict, test),
        "size_kb": round(_bytes_in(target) / BYTES_PER_KB, 3),
    }


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def main(arguments: list[str]) -> int:
    """Train into the directory that is named and print one line per version."""
    if len(arguments) != 1:
        sys.stderr.write("usage: train.py DIRECTORY\n")
        return 2
    total = 0
    for model in train_all(Path(arguments[0])):
        for number, version in enumerate(model.versions, start=1):
            size = _bytes_in(version.artifacts_dir)
            total += size
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in version.metrics.items())
            algorithm = version.hyperparameters["algorithm"]
            sys.stdout.write(f"{model.name}:{number}  {algorithm:28}  {numbers}  {size:>9,} bytes\n")
    sys.stdout.write(f"{total:,} bytes in all\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
