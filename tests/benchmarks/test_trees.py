"""What is measured is a registry like any other: the generator writes what the product would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.trees import METRICS, Size, registry_of
from stackroom.registry.facade import Registry

if TYPE_CHECKING:
    from pathlib import Path


def test_a_generated_registry_is_one_that_the_product_could_have_made(tmp_path: Path) -> None:
    registry = Registry(registry_of(Size(models=2, versions=3), tmp_path))
    assert not [check for check in registry.verify() if check.damage or check.warnings]
    listing = registry.models(every_version=True)
    assert not listing.problems
    assert not [problem for model in listing.models for problem in model.all_problems]
    assert [version.state for version in listing.models[0].versions] == ["development", "production", "staging"]
    assert set(listing.models[1].versions[0].metrics) == set(METRICS)


def test_a_generated_version_has_the_files_and_keys_of_a_registered_one(tmp_path: Path) -> None:
    root = registry_of(Size(models=1, versions=2), tmp_path)
    registry = Registry(root)
    generated = registry.version("model-0000:1")
    registered = registry.register("model-0000", root / "models" / "model-0000" / "1" / "model.bin", metadata={})
    assert {path.name for path in generated.path.iterdir()} == {path.name for path in registered.path.iterdir()}
    assert {(path.name, path.stat().st_mode) for path in generated.path.iterdir()} == {
        (path.name, path.stat().st_mode) for path in registered.path.iterdir()
    }
    assert generated.path.stat().st_mode == registered.path.stat().st_mode
    assert generated.seal is not None
    assert registered.seal is not None
    assert generated.seal.digest == registered.seal.digest
