"""``delete``, ``restore``, ``purge`` and ``prune`` as people and scripts see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.calling import on_terminal
from support.registries import artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from cli.calling import Cli


@pytest.fixture
def three(fraud: Cli, tmp_path: Path) -> Cli:
    """Version 3 besides, which nobody needs."""
    fraud.ok("register", "fraud", artifacts(tmp_path / "third", {"model.bin": b"third"}), "--metric", "auc=0.5")
    return fraud


def test_delete_prints_the_reference_and_how_to_bring_it_back(three: Cli) -> None:
    answer = three.ok("delete", "fraud:3", "--reason", "the wrong month")
    assert answer.out == "fraud:3\n"
    assert "its 5 B stay until it is purged" in answer.err
    assert f"stackroom -R {three.registry} restore fraud:3 brings it back" in answer.err
    again = three.ok("delete", "fraud:3")
    assert again.out == ""
    assert ": the wrong month; nothing was changed" in again.err
    gone = three("show", "fraud:3")
    assert gone.code == 3
    assert "deleted by" in gone.err
    assert three.ok("restore", "fraud:3").out == "fraud:3\n"
    assert "not deleted; nothing was changed" in three.ok("restore", "fraud:3").err


def test_deleted_versions_are_listed_only_when_asked_for(three: Cli) -> None:
    three.ok("delete", "fraud:3", "--reason", "the wrong\tmonth")
    assert "fraud:3" not in three.ok("list", "fraud", "--columns", "ref").out
    head, row = three.ok("list", "fraud", "--deleted").out.splitlines()
    assert head.split("\t") == ["REF", "STATE", "SIZE", "DELETED", "BY", "EVENT", "LABELS", "REASON"]
    cells = row.split("\t")
    assert cells[:3] == ["fraud:3", "deleted", "5"]
    assert (cells[5], cells[7]) == ("attested", "the wrong␉month")
    assert three.ok("list", "--deleted").out.splitlines()[1] == row
    assert three("list", "--deleted", "--stage", "staging").code == 2


def test_a_planted_tombstone_is_told_with_what_takes_it_away(three: Cli) -> None:
    (three.registry / "models/fraud/3@deleted").symlink_to("by=\x1b]52;c;x\x07")
    answer = three.ok("list", "fraud", "--deleted")
    assert "is worth nothing: unreadable" in answer.err
    assert "\x1b" not in answer.err + answer.out
    assert "restore fraud:3 takes the tombstone away" in answer.err
    assert three("delete", "fraud:3").code == 6
    three.ok("restore", "fraud:3")
    three.ok("delete", "fraud:3")


def test_what_is_needed_is_refused_with_exit_code_6(three: Cli) -> None:
    holds = three("delete", "fraud:1")
    assert (holds.code, "fraud:1 holds staging" in holds.err) == (6, True)
    three.ok("clear", "fraud", "staging")
    parent = three("delete", "fraud:1")
    assert (parent.code, "is a parent of fraud:2" in parent.err) == (6, True)


def test_purge_is_dry_without_yes_and_says_what_would_be_freed(three: Cli) -> None:
    assert "there is nothing to free" in three.ok("purge").err
    three.ok("delete", "fraud:3")
    dry = three.ok("purge", "fraud")
    assert dry.out.splitlines()[1].split("\t")[-1] == "goes"
    assert "5 B of 1 version would be freed, for good; nothing was: --yes does it" in dry.err
    assert three("purge", "--yes", "--dry-run").code == 2
    assert three("purge", "--older-than", "soon").code == 2
    three.ok("restore", "fraud:3")
    three.ok("delete", "fraud:3")
    assert three.ok("purge", "--yes").out.splitlines()[1].split("\t")[-1] == "freed"
    gone = three("restore", "fraud:3")
    assert gone.code == 3
    assert "its bytes are gone" in gone.err


def test_prune_is_dry_without_yes_and_says_of_every_version_why(three: Cli, tmp_path: Path) -> None:
    three.ok("register", "fraud", artifacts(tmp_path / "fourth", {"model.bin": b"4"}))
    dry = three.ok("prune", "fraud", "--keep-last", "1", "--keep-best", "auc")
    rows = [line.split("\t") for line in dry.out.splitlines()[1:]]
    assert [(row[0], row[1]) for row in rows] == [
        ("fraud:1", "stays"),
        ("fraud:2", "stays"),
        ("fraud:3", "goes"),
        ("fraud:4", "stays"),
    ]
    assert [row[5] for row in rows] == [
        "holds staging",
        "is among the best by auc",
        "1 version newer, auc 0.5, not among the best",
        "is the newest",
    ]
    assert "1 version of 4, 5 B, would be deleted; nothing was: --yes does it" in dry.err
    done = three.ok("prune", "fraud", "--keep-last", "1", "--keep-best", "auc", "--yes")
    assert "deleted 1 version of 4" in done.err
    assert "purge --yes frees" in done.err
    assert "nothing goes" in three.ok("prune", "--keep-last", "1", "--keep-best", "auc").err


def test_prune_says_how_a_metric_gets_its_direction(three: Cli) -> None:
    answer = three("prune", "--keep-best", "f1")
    assert answer.code == 8
    assert "[metrics.f1]" in answer.err
    assert three("prune").code == 2


def test_a_purge_on_a_terminal_shows_rows_that_fit(three: Cli) -> None:
    three.ok("delete", "fraud:3")
    answer = on_terminal("-R", three.registry, "purge", "--yes")
    assert answer.code == 0
    assert "freed" in answer.out


def test_archived_versions_are_hidden_shown_when_asked_for_and_counted(three: Cli) -> None:
    three.ok("archive", "fraud:3", "--reason", "superseded")
    assert "fraud:3" not in three.ok("list", "fraud", "--columns", "ref,state").out
    assert "fraud:3\tarchived" in three.ok("list", "fraud", "--columns", "ref,state", "--archived").out
    assert "fraud:3" in three.ok("search", "--archived", "--columns", "ref").out
    assert "fraud:3" in three.ok("list", "fraud", "--where", "archived", "--columns", "ref").out
    three.ok("archive", "fraud:3", "--undo")
    held = three("archive", "fraud")
    assert (held.code, "fraud has versions that hold staging" in held.err) == (6, True)
    assert "fraud:3" in three.ok("list", "fraud", "--columns", "ref").out
