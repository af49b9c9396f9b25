from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stackroom.core.names import ModelName
from stackroom.store.folder import Folder
from stackroom.store.layout import (
    feed_name,
    live_text,
    model_entry,
    parse_feed_name,
    parse_label_text,
    parse_live_text,
)
from stackroom.store.registry_file import read_registry_file
from stackroom.store.scan import ModelListing, list_model, list_models, read_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stackroom.store.records import Version

FRAUD = ModelName("fraud")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("7", "version"),
        ("007", "foreign"),
        ("1234567890", "foreign"),
        ("7@1.toml", "metadata"),
        ("model@1.toml", "metadata"),
        ("7@0.toml", "foreign"),
        ("7@1234567890.toml", "foreign"),
        ("7@1.md", "card"),
        ("7@1.txt", "foreign"),
        ("7@deleted", "tombstone"),
        (".trash-7-0192f5c6-aaaa", "trash"),
        (".tmp-1000-0192f5c6", "temporary"),
        (".nfs0000", "hidden"),
        ("1.0.0", "label"),
        ("latest", "foreign"),
        ("model", "foreign"),
        ("a b", "foreign"),
        ("x" * 65, "foreign"),
        ("7" * 200, "foreign"),
        ("\udcff", "foreign"),
    ],
)
def test_a_name_means_one_thing(name: str, kind: str) -> None:
    assert model_entry(name).kind == kind


@pytest.mark.parametrize("text", ["../../models/../x/1", "/etc/passwd", "../../models/a/b/1", "../../models/a/01", "7"])
def test_the_text_of_a_pointer_is_parsed_and_never_followed(text: str) -> None:
    assert parse_live_text(text) is None


def test_the_texts_of_pointers_labels_and_hints_are_read_back() -> None:
    assert parse_live_text(live_text("fraud", 7)) == ("fraud", 7)
    assert parse_label_text("7") == 7
    assert parse_label_text("../7") is None
    assert parse_feed_name(feed_name("20261123T042200.123456Z", "0a", "fraud-x")) == "fraud-x"
    assert parse_feed_name("fraud") is None


def listing_of(path: Path) -> ModelListing:
    with Folder.open(str(path)) as folder:
        return list_model(folder, FRAUD)


def version_of(path: Path, number: int) -> Version:
    with Folder.open(str(path)) as folder:
        return read_version(folder, list_model(folder, FRAUD), number)


def test_what_is_not_what_its_name_says_is_foreign_and_uses_its_number_up(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("a file")
    (tmp_path / "2").symlink_to("elsewhere")
    (tmp_path / "3@1.toml").mkdir()
    os.mkfifo(tmp_path / "4@1.md")
    (tmp_path / "1.0.0").write_text("no symlink")
    (tmp_path / "2.0.0").symlink_to("../../etc")
    (tmp_path / "5@deleted").write_text("no symlink")
    found = listing_of(tmp_path)
    assert found.numbers == ()
    assert found.highest == 5
    assert [problem.place.rpartition("/")[2] for problem in found.problems] == sorted(os.listdir(tmp_path))
    assert all("foreign" in problem.message for problem in found.problems)


def test_a_label_of_a_version_that_is_not_there_is_reported(tmp_path: Path) -> None:
    (tmp_path / "1.0.0").symlink_to("9")
    found = listing_of(tmp_path)
    assert found.highest == 9
    assert "label of version 9, which is not here" in found.problems[0].message


def test_only_folders_with_a_models_name_are_models(tmp_path: Path) -> None:
    (tmp_path / "fraud").mkdir()
    (tmp_path / "Fraud").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "churn").symlink_to("fraud")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".tmp-0-1").mkdir()
    with Folder.open(str(tmp_path)) as folder:
        names, problems = list_models(folder)
    assert names == ["fraud"]
    assert sorted(problem.place for problem in problems) == [
        "models/Fraud",
        "models/churn",
        "models/models",
        "models/notes.txt",
    ]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text("garbage ["), "version.toml:1: not TOML"),
        (lambda path: path.write_bytes(b"\xff"), "version.toml:1: not UTF-8"),
        (lambda path: path.write_text("#" * 100_000), "more than 65,536 bytes"),
        (lambda path: path.write_text("format = 2\n"), "format: 2 is newer than this program"),
        (
            lambda path: path.write_text("format = 1\n[metrics]\nauc = 'x'\n"),
            "version.toml:3: metrics.auc: expected a number",
        ),
        (lambda path: path.write_text("x = " + "[" * 20_000), "nested too deep"),
        (lambda path: path.write_text("a." * 16_000 + "a = 1"), "nested too deep"),
        (lambda _: None, "missing: this folder was not registered"),
        (_fifo, "not a regular file"),
        (lambda path: path.mkdir(), "not a regular file"),
        (lambda path: path.symlink_to("/etc/passwd"), "not a regular file"),
    ],
)
def test_a_version_whose_file_is_wrong_is_a_row_with_the_reason(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    (tmp_path / "7").mkdir()
    damage(tmp_path / "7" / "version.toml")
    version = version_of(tmp_path, 7)
    assert version.number == 7
    assert [message in problem.message for problem in version.problems] == [True], version.problems


def test_a_version_that_went_away_while_reading_is_gone_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    with Folder.open(str(tmp_path)) as folder:
        listing = list_model(folder, FRAUD)
        (tmp_path / "7").rmdir()
        version = read_version(folder, listing, 7)
    assert [problem.message for problem in version.problems] == ["gone: somebody changed it meanwhile"]


@pytest.mark.parametrize(
    "content", ["", "garbage [", "format = 1\n", "#" * 70_000, 'format = 1\nid = "x"\nstagez = 1\n']
)
def test_a_wrong_registry_file_is_an_answer_and_no_exception(tmp_path: Path, content: str) -> None:
    (tmp_path / "registry.toml").write_text(content)
    with Folder.open(str(tmp_path)) as root:
        found = read_registry_file(root)
    assert found.policy is None
    assert found.error is not None
    assert str(found.error).startswith("registry.toml")


def test_a_registry_file_that_is_wrong_in_one_place_still_says_who_it_is(tmp_path: Path) -> None:
    text = 'format = 1\nid = "reg"\n\n[stages.staging]\n[stages.production.guards]\nmetrics = ["auc is good"]\n'
    (tmp_path / "registry.toml").write_text(text)
    with Folder.open(str(tmp_path)) as root:
        found = read_registry_file(root)
    assert (found.id, found.stages) == ("reg", ("staging", "production"))
    assert found.error is not None
    assert found.error.facts == {"file": "registry.toml", "key": "stages.production.guards.metrics", "line": 6}
    assert str(found.error).startswith("registry.toml:6: stages.production.guards.metrics: expected rules")
