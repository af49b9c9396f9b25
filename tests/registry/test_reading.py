"""References, searching and comparing through the whole program, and reading while others write."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.errors import (
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    UsageError,
)
from stackroom.registry.facade import Registry
from stackroom.store.ledgers import read_stage
from support.registries import EVE, artifacts, make, set_policy, shared, tree
from support.users import run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def filled(registry: Registry, tmp_path: Path) -> Registry:
    for number, auc in enumerate((0.9, 0.93, 0.91), 1):
        registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": auc}, label=f"{number}.0.0")
    registry.register("churn", artifacts(tmp_path / "out"), metadata={"tags": ["team=nlp"]})
    registry.promote("fraud:2", "staging")
    return registry


def test_a_reference_finds_its_version(filled: Registry) -> None:
    for ref, number in {
        "fraud:2": 2,
        "fraud:3.0.0": 3,
        "fraud:latest": 3,
        "fraud@staging": 2,
        "models:/fraud/1": 1,
    }.items():
        assert filled.version(ref).number == number
    assert filled.version("fraud:2").stages == ("staging",)


@pytest.mark.parametrize(
    ("ref", "error", "text"),
    [
        ("fraud:9", NotFoundError, "there is no version fraud:9"),
        ("fraud:9.9.9", NotFoundError, "has no label 9.9.9"),
        ("fraud@production", NotFoundError, "nothing of fraud holds production"),
        ("fraud@nowhere", NotFoundError, "no stage 'nowhere'"),
        ("frau:1", NotFoundError, "no model frau"),
        ("fraud", UsageError, "fraud is a model"),
    ],
)
def test_a_reference_to_nothing_says_so(filled: Registry, ref: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        filled.version(ref)


def test_a_mistyped_model_comes_with_the_nearest(filled: Registry) -> None:
    with pytest.raises(NotFoundError) as caught:
        filled.version("frauds:1")
    assert caught.value.hint == "did you mean fraud?"


def test_searching_goes_over_all_models(filled: Registry) -> None:
    found = filled.search("auc > 0.9", sort="-metrics.auc")
    assert [str(version.ref) for version in found] == ["fraud:2", "fraud:3"]
    assert [str(version.ref) for version in filled.search("tags.team = nlp or stage = staging")] == [
        "churn:1",
        "fraud:2",
    ]
    assert len(filled.search("")) == 4


def test_a_comparison_needs_two_and_becomes_json(filled: Registry) -> None:
    found = filled.compare(["fraud:1", "fraud@staging", "churn:latest"])
    assert json.loads(json.dumps(found.document()))["base"] == "fraud:1"
    with pytest.raises(UsageError):
        filled.compare(["fraud:1"])
    with pytest.raises(UsageError):
        filled.compare(["fraud:1", "fraud:2"], base=2)


def test_a_card_that_cannot_be_read_does_not_stop_a_comparison(filled: Registry) -> None:
    (filled.path / "models/fraud/1@1.md").write_bytes(b"x" * (1024 * 1024 + 1))
    assert len(filled.compare(["fraud:1", "fraud:2"]).refs) == 2


def test_files_are_listed_with_their_sizes(filled: Registry) -> None:
    assert [(file.path, file.size) for file in filled.files("fraud:1")] == [("model.bin", 7), ("sub/vocab.txt", 5)]


def test_all_of_it_becomes_json(filled: Registry) -> None:
    for model in filled.models(every_version=True).models:
        json.dumps(model.document(), allow_nan=False)
        for version in model.versions:
            json.dumps(version.document(), allow_nan=False)


def _meanwhile(monkeypatch: pytest.MonkeyPatch, module: str, act: Callable[[], object]) -> None:
    """Let something happen just before the ledgers are read, once."""
    done: list[bool] = []

    def slow(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what it takes and gives
        if not done:
            done.append(True)
            act()
        return read_stage(*args, **kwargs)

    monkeypatch.setattr(f"stackroom.registry.{module}.read_stage", slow)


@pytest.mark.parametrize(
    "look", [lambda registry: registry.model("fraud"), lambda registry: registry.version("fraud@staging")]
)
def test_a_version_promoted_while_one_reads_is_not_missing(
    filled: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[[Registry], Any]
) -> None:
    other = Registry(filled.path)

    def somebody_else() -> None:
        monkeypatch.undo()
        monkeypatch.setattr("stackroom.registry.registering.provenance", dict)
        other.register("fraud", artifacts(tmp_path / "new"))
        other.promote("fraud:4", "staging")

    _meanwhile(monkeypatch, "holdings", somebody_else)
    found = look(filled)
    assert getattr(found, "number", 4) == 4
    assert [problem.message for problem in getattr(found, "problems", ()) if "missing" in problem.message] == []


@pytest.mark.root
def test_a_stage_that_one_may_not_read_is_never_empty(reachable_path: Path) -> None:
    root = shared(reachable_path)
    set_policy(root, "[stages.staging]\n[stages.production]\n")
    registry = Registry(root)
    source = artifacts(reachable_path / "out")
    registry.register("fraud", source)
    registry.promote("fraud:1", "production")
    (root / "stages/production").chmod(0o3770)

    def look() -> list[str]:
        mine = Registry(root)
        told = []
        for act in (
            lambda: mine.version("fraud@production"),
            lambda: mine.ledger("fraud", "production"),
            lambda: mine.history("fraud", "production"),
            lambda: mine.held_at(mine.clock()),
            lambda: mine.can("fraud:1", "staging"),
        ):
            with pytest.raises(PermissionDeniedError) as caught:
                act()
            told.append(str(caught.value))
        told.append("; ".join(problem.message for problem in mine.models().problems))
        told.append("; ".join(problem.message for problem in mine.model("fraud").problems))
        assert mine.version("fraud:1").number == 1
        assert mine.history("fraud", "staging") == ()
        return told

    *refusals, of_all, of_one = run_as(EVE, look)
    assert all("stages/production" in refusal for refusal in refusals)
    for shown in (of_all, of_one):
        assert "no permission to read it" in shown
        assert "mode 3770" in shown


def test_with_a_registry_file_that_is_no_toml_a_stage_is_not_denied_but_unknown(filled: Registry) -> None:
    (filled.path / "registry.toml").write_text("garbage [")
    registry = Registry(filled.path)
    with pytest.raises(InvalidInputError, match=r"registry\.toml:1"):
        registry.version("fraud@staging")
    assert registry.version("fraud:2").number == 2


def test_a_holder_whose_folder_is_gone_is_an_integrity_error(filled: Registry) -> None:
    os.rename(filled.path / "models/fraud/2", filled.path / "models/fraud/.gone")
    with pytest.raises(IntegrityError, match="its folder is missing"):
        filled.version("fraud@staging")


def test_no_registry_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is no registry"):
        Registry(tmp_path)
    with pytest.raises(NotFoundError):
        Registry(tmp_path / "missing")


def test_reading_writes_nothing(filled: Registry) -> None:
    before = tree(filled.path)
    filled.models(every_version=True)
    filled.version("fraud@staging")
    filled.card("fraud:1")
    filled.files("fraud:1")
    filled.history()
    filled.can("fraud:1", "production")
    list(filled.verify())
    assert tree(filled.path) == before


HOSTILE = {
    "a huge integer": "hyperparameters = { n = 0x" + "f" * 400 + " }",
    "a metric beyond every float": "metrics = { auc = 1" + "0" * 400 + " }",
    "deep nesting": "x = " + "[" * 200 + "]" * 200,
    "the first year": "hyperparameters = { t = 0001-01-01T00:00:00+05:00 }",
    "a line that is slow to search": 'y = """\n[' + " " * 30_000 + 'x\n"""\nmetrics = { auc = "high" }',
    "nan": "metrics = { auc = nan, b = inf }",
    "odd keys": '"" = 1\n"a.b" = 2\n[metrics]\n"" = 1\n"\\u001b[31m" = 2',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_revision_hides_nobody(filled: Registry, text: str) -> None:
    (filled.path / "models/fraud/1@1.toml").write_text(f"revised = 2026-11-23T04:22:00Z\n{text}\n")
    for model in filled.models(every_version=True).models:
        json.dumps(model.document(), allow_nan=False)
    assert len(filled.search("auc >= 0 or not auc", sort="-auc")) == 4
    assert len(filled.search("created > 2000-01-01 and t != 3", sort="hyperparameters.t,hyperparameters.n")) == 4
    filled.compare(["fraud:1", "fraud:2"]).document()
    filled.revisions("fraud:1")


def test_a_seal_from_the_end_of_the_calendar_hides_nobody(filled: Registry) -> None:
    version = filled.path / "models/fraud/2"
    version.chmod(0o755)
    seal = version / "version.toml"
    seal.chmod(0o644)
    lines = [
        "created = 0001-01-01T00:00:00+05:00" if line.startswith("created") else line
        for line in seal.read_text().split("\n")
    ]
    seal.write_text("\n".join(lines))
    assert len(filled.search("created < 2100-01-01", sort="created")) == 4
    assert json.dumps([model.document() for model in filled.models().models])


def test_two_models_with_one_version_each_are_read_in_one_look(tmp_path: Path) -> None:
    registry = make(tmp_path / "r")
    registry.register("a", artifacts(tmp_path / "out"))
    registry.register("b", artifacts(tmp_path / "out"))
    listing = registry.models()
    assert [(model.name, model.count, model.latest.number if model.latest else 0) for model in listing.models] == [
        ("a", 1, 1),
        ("b", 1, 1),
    ]
