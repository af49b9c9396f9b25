"""The archive that the wheel carries, the committed tree, and what the demo makes of them."""

from __future__ import annotations

import os
import stat
import tarfile
from importlib.resources import files
from pathlib import Path

import pytest

import stackroom
from stackroom.store.demo import ARCHIVE, unpack_demo

TREE = Path(__file__).resolve().parents[2] / "sample_registry"


def _things(root: Path) -> dict[str, bytes | str]:
    """Every file's content and every symlink's text, by path."""
    found: dict[str, bytes | str] = {}
    # Not with rglob, which follows symlinks in older Pythons: the text of an event is too long for a path.
    names = [os.path.join(folder, name) for folder, *inside in os.walk(root) for name in (*inside[0], *inside[1])]
    for path in map(Path, sorted(names)):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def test_the_archive_holds_what_the_committed_tree_holds(tmp_path: Path) -> None:
    if not TREE.exists():
        pytest.skip("the sample registry is in the repository only, not in the source distribution")
    assert _things(Path(unpack_demo(str(tmp_path / "demo")))) == _things(TREE)


def test_the_archive_is_small_and_holds_no_pickles() -> None:
    with tarfile.open(str(files("stackroom") / "data" / ARCHIVE)) as archive:
        names = archive.getmembers()
    assert sum(member.size for member in names) < 3_000_000
    endings = {Path(member.name).suffix for member in names if member.isreg() and "SUMS" not in member.name}
    assert endings <= {".onnx", ".skops", ".safetensors", ".md", ".toml"}


def test_the_demo_is_private_sealed_and_verifies_clean(tmp_path: Path) -> None:
    root = Path(unpack_demo(str(tmp_path / "demo")))
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    registry = stackroom.open(root)
    checks = list(registry.verify())
    assert len(checks) >= 15
    assert not [check for check in checks if check.damage or check.warnings]
    version = registry.version("digit-reader@production").path
    assert stat.S_IMODE(version.stat().st_mode) == 0o555
    assert stat.S_IMODE((version / "model.onnx").stat().st_mode) == 0o444


def test_the_demo_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious", encoding="ascii")
    with pytest.raises(stackroom.ConflictError, match="not empty"):
        unpack_demo(str(tmp_path))
    assert (tmp_path / "mine").read_text(encoding="ascii") == "precious"


def test_the_sample_holds_what_its_readme_promises(tmp_path: Path) -> None:
    registry = stackroom.open(unpack_demo(str(tmp_path / "demo")))
    listing = registry.models(every_version=True)
    assert not listing.problems
    assert len(listing.models) >= 5
    assert all(3 <= model.count <= 6 for model in listing.models)
    versions = [version for model in listing.models for version in model.versions]
    assert sum(version.archived for version in versions) == 1
    assert sum(not version.has_card for version in versions) == 1
    assert all(version.metrics and version.hyperparameters and version.record.datasets for version in versions)
    assert all(dataset.digest for version in versions for dataset in version.record.datasets)
    assert all(version.record.source.get("git_commit") for version in versions)
    assert {event.validity.value for event in registry.history()} == {"unattested"}


def test_the_regression_is_refused_and_says_by_how_much(tmp_path: Path) -> None:
    registry = stackroom.open(unpack_demo(str(tmp_path / "demo")))
    with pytest.raises(stackroom.GuardRefusedError) as refusal:
        registry.promote("tumor-screening:5", "production", reason="it is so small")
    message = str(refusal.value)
    assert "accuracy is 0.903509" in message
    assert "tumor-screening:4 has 0.97807" in message
    assert "tolerance 0.005" in message


def test_a_promote_attests_what_a_copy_could_not(tmp_path: Path) -> None:
    registry = stackroom.open(unpack_demo(str(tmp_path / "demo")))
    result = registry.promote("wine-origin:4", "production", reason="the copy is mine now")
    assert result.made
    head = registry.ledger("wine-origin", "production").head
    assert head is not None
    assert head.validity.value == "attested"
    assert not registry.promote("wine-origin:4", "production", reason="again").made
