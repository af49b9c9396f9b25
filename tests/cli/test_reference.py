"""The reference says what the program does: every command, option and exit code, a schema that every answer keeps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from cli.conftest import open_folders
from stackroom import errors
from stackroom.cli.catalog import COMMANDS
from stackroom.cli.commands.observing import DEGRADED
from stackroom.cli.main import INTERRUPTED
from stackroom.cli.parsing import command_named, parser_for
from support.registries import artifacts, plant_revision, unseal

if TYPE_CHECKING:
    from cli.calling import Cli

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SCHEMAS = REFERENCE / "schemas"
PROSE = (REFERENCE / "cli.md").read_text(encoding="utf-8")
EVERY = ("--registry", "-R", "--json", "--color", "--debug", "--help", "-h")
"""Options of every command, described once."""


def chapter(name: str) -> str:
    """What the reference says about a command."""
    found = re.search(rf"^### {re.escape(name)}$(.*?)(?=^##)", PROSE + "\n## ", re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/cli.md has no chapter about {name}"
    return found[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_is_in_the_reference(name: str) -> None:
    text = chapter(name)
    assert f"stackroom {name}" in text
    parser = parser_for(name, command_named(name))
    lacking = []
    for action in parser._actions:
        if action.option_strings and action.option_strings[0] in EVERY:
            continue
        wanted = action.option_strings[-1] if action.option_strings else str(action.metavar)
        if wanted not in text:
            lacking.append(wanted)
    assert lacking == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "tui"])
def test_the_reference_names_no_option_that_there_is_not(name: str) -> None:
    known = {option for action in parser_for(name, command_named(name))._actions for option in action.option_strings}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", chapter(name))) <= known


def test_the_options_of_every_command_are_in_the_reference() -> None:
    head = PROSE.partition("\n### ")[0]
    assert [option for option in EVERY if option not in head] == []
    for name in ("STACKROOM_REGISTRY", "STACKROOM_DEBUG", "NO_COLOR", "FORCE_COLOR", "VISUAL", "EDITOR"):
        assert f"`{name}`" in PROSE


def test_every_exit_code_is_in_the_reference_with_its_kind() -> None:
    kinds = {leaf.exit_code: leaf.kind for leaf in errors.RegistryError.__subclasses__()}
    kinds |= {errors.RegistryError.exit_code: errors.RegistryError.kind, INTERRUPTED: "interrupted"}
    kinds[DEGRADED] = "degraded"
    assert [code for code, kind in kinds.items() if f"| {code} | `{kind}` |" not in PROSE] == []
    assert "| 0 | |" in PROSE


def validator(name: str) -> Draft202012Validator:
    documents = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
    resources = [(name, Resource.from_contents(document)) for name, document in documents.items()]
    return Draft202012Validator(documents[f"{name}.json"], registry=Registry().with_resources(resources))


def check(name: str, document: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    found = sorted(validator(name).iter_errors(document), key=str)
    assert not found, found[0]


def test_every_command_has_a_schema_that_is_one_and_is_in_the_reference() -> None:
    names = {path.stem for path in SCHEMAS.glob("*.json")}
    assert names == {*COMMANDS, "common", "error"} - {"tui"}
    text = (REFERENCE / "json.md").read_text(encoding="utf-8")
    for name in names:
        Draft202012Validator.check_schema(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))
        assert f"schemas/{name}.json" in text


ANSWERS: list[tuple[str, ...]] = [
    ("init", "{tmp}/other"),
    ("init", "{tmp}/third one", "--dry-run"),
    ("init", "{tmp}/other"),
    ("init", "{tmp}/other", "--stage", "canary=0", "--strict"),
    ("new", "churn"),
    ("new", "newer", "--dry-run"),
    ("register", "fraud", "{tmp}/first"),
    ("register", "fraud", "{tmp}/first", "--if-exists", "skip"),
    ("register", "other", "{tmp}/first", "--dry-run"),
    ("label", "fraud:2", "2.0.0"),
    ("list",),
    ("list", "fraud"),
    ("search", "auc > 0"),
    ("show", "fraud"),
    ("show", "fraud:1"),
    ("show", "fraud:2"),
    ("path", "fraud:1"),
    ("diff", "fraud:1", "fraud:2", "fraud:3"),
    ("edit", "fraud:2", "--set", "team=x"),
    ("log", "fraud:3"),
    ("log", "fraud"),
    ("revert", "fraud:3", "--to", "0"),
    ("archive", "fraud:2"),
    ("archive", "fraud:2", "--undo"),
    ("delete", "fraud:4", "--dry-run"),
    ("delete", "fraud:4", "--reason", "x"),
    ("list", "--deleted"),
    ("list", "fraud", "--deleted"),
    ("restore", "fraud:4", "--dry-run"),
    ("restore", "fraud:4"),
    ("restore", "fraud:4"),
    ("delete", "fraud:4"),
    ("purge",),
    ("purge", "--yes"),
    ("delete", "fraud:4"),
    ("prune", "--keep-last", "1"),
    ("prune", "fraud", "--keep-last", "2", "--yes"),
    ("promote", "fraud:2", "staging"),
    ("promote", "fraud:1", "staging"),
    ("wait", "fraud@staging"),
    ("promote", "fraud:1", "production", "--dry-run"),
    ("rollback", "fraud", "staging"),
    ("clear", "fraud", "staging"),
    ("can", "fraud:2", "production"),
    ("can", "fraud:1", "staging"),
    ("approve", "fraud:1", "production", "--reason", "read it"),
    ("approve", "fraud:1", "production"),
    ("reject", "fraud:1", "production", "--dry-run"),
    ("show", "fraud:1"),
    ("history",),
    ("history", "--approvals"),
    ("history", "--at", "2999-01-01"),
    ("verify",),
    ("observe", "fraud:1", "auc=0.5", "x=nan", "--dry-run"),
    ("observe", "fraud:1", "auc=0.5", "x=nan"),
    ("show", "fraud:1"),
    ("monitor",),
    ("review",),
    ("review", "fraud", "--older-than", "0h"),
    ("doctor",),
    ("doctor", "--fix", "--dry-run"),
    ("doctor", "--fix"),
]


@pytest.fixture
def varied(fraud: Cli, tmp_path: Path) -> Cli:
    """A registry with a bit of everything: metrics that are no numbers, revisions, a broken version, damage."""
    third = artifacts(tmp_path / "third", {"model.bin": b"3"})
    fraud.ok("register", "fraud", third, "--param", "x=inf")
    plant_revision(fraud.registry, "fraud", 3, "[metrics]\nauc = nan\nother = inf\n")
    fraud.ok("edit", "fraud:3", "--set", "description=x", "--reason", "why")
    fraud.ok("promote", "fraud:2", "staging")
    fraud.ok("promote", "fraud:1", "staging")
    fraud.ok("register", "broken", third)
    unseal(fraud.registry / "models/broken/1")
    (fraud.registry / "models/broken/1/version.toml").write_text("format = ")
    (fraud.registry / "models/Foreign Name").mkdir()
    (fraud.registry / "stages/staging/fraud@9").symlink_to("nonsense")
    return fraud


def test_every_answer_keeps_its_schema(varied: Cli, tmp_path: Path) -> None:
    for argv in ANSWERS:
        answer = varied(*(word.format(tmp=tmp_path) for word in argv), "--json")
        assert "error" not in answer.document, answer.out
        check(argv[0], answer.document)
    # What watch prints, for as long as it runs, is held against its schema in test_watching.
    assert {argv[0] for argv in ANSWERS} == {*COMMANDS} - {"tui", "demo", "watch"}
    check("demo", varied.json("demo", "--dry-run"))
    check("demo", varied.json("demo", tmp_path / "demo"))
    open_folders(tmp_path / "demo")


@pytest.mark.parametrize(
    "argv",
    [
        ("lits",),
        ("show", "x"),
        ("new", "Bad Name"),
        ("label", "fraud:2", "1.0.0"),
        ("promote", "fraud:2", "production"),
    ],
    ids=" ".join,
)
def test_every_error_keeps_its_schema(fraud: Cli, argv: tuple[str, ...]) -> None:
    answer = fraud(*argv, "--json")
    assert answer.code == answer.document["error"]["exit_code"]
    check("error", answer.document)
