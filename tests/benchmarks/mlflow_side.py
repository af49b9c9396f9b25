"""The same work with MLflow; runs inside MLflow's own environment and imports nothing of ours.

``mlflow_side.py setup URI MODELS VERSIONS`` fills a store; every other word is one operation in a fresh process.
What is asked for is what a user would write: the client of the library, and no SQL of one's own.
"""

from __future__ import annotations

import random
import sys
from typing import Any

METRICS = tuple(f"metric_{number:02}" for number in range(11))


def _client(uri: str) -> Any:  # noqa: ANN401 - MLflow is not installed where this is type-checked
    import mlflow  # noqa: PLC0415 - what is measured includes it

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient()


def _register(client: Any, name: str, chance: random.Random) -> None:  # noqa: ANN401 - as above
    import time  # noqa: PLC0415 - only here

    from mlflow.entities import Metric, Param  # noqa: PLC0415 - as above

    now = int(time.time() * 1000)
    run = client.create_run("0")
    values = {"auc": chance.random()} | {metric: chance.random() for metric in METRICS}
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, now, 0) for key, value in values.items()],
        params=[Param(f"parameter_{number:02}", str(chance.random())) for number in range(20)],
    )
    client.set_terminated(run.info.run_id)
    client.create_model_version(name, source=f"{run.info.artifact_uri}/model", run_id=run.info.run_id)


def setup(uri: str, models: str, versions: str) -> None:
    """Models with versions, each from a run with twelve metrics and twenty parameters."""
    client, chance = _client(uri), random.Random(1)  # noqa: S311 - the same store every time
    for number in range(int(models)):
        name = f"model-{number:04}"
        client.create_registered_model(name)
        for _ in range(int(versions)):
            _register(client, name, chance)
        client.set_registered_model_alias(name, "production", "1")


def every_model(uri: str) -> None:
    """All models with their newest version."""
    for model in _client(uri).search_registered_models(max_results=1000):
        print(model.name, *(version.version for version in model.latest_versions))


def one_model(uri: str) -> None:
    """The versions of one model with their metrics."""
    client = _client(uri)
    for version in client.search_model_versions("name='model-0000'"):
        print(version.version, client.get_run(version.run_id).data.metrics["auc"])


def one_version(uri: str) -> None:
    """Everything about one version."""
    client = _client(uri)
    version = client.get_model_version("model-0000", "1")
    print(version, client.get_run(version.run_id).data)


def search(uri: str) -> None:
    """Every version with an auc above 0.95."""
    for run in _client(uri).search_runs(["0"], "metrics.auc > 0.95", max_results=50000):
        print(run.info.run_id, run.data.metrics["auc"])


def promote(uri: str) -> None:
    """Give one model's production to its second version."""
    _client(uri).set_registered_model_alias("model-0000", "production", "2")


def register(uri: str) -> None:
    """One more version."""
    _register(_client(uri), "model-0001", random.Random())  # noqa: S311 - nobody guesses it


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
