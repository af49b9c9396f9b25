"""``doctor`` at the command line: what it prints, how it ends, and what ``--fix`` says."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from cli.calling import on_terminal
from support.registries import tree, unseal

if TYPE_CHECKING:
    from pathlib import Path

    from cli.calling import Cli


@pytest.fixture
def healthy(cli: Cli, source: Path) -> Cli:
    """One model, not copied from a template, so that the file system's times are those of the moves."""
    for _ in range(3):
        cli.ok("register", "fraud", source, "--metric", "auc=0.91")
    cli.ok("promote", "fraud:2", "staging")
    return cli


def test_a_healthy_registry_ends_with_0_and_says_so(healthy: Cli) -> None:
    before = tree(healthy.registry)
    answer = healthy.ok("doctor")
    assert answer.out == "SEVERITY\tKIND\tPLACE\tOWNER\tFIXABLE\tMESSAGE\tCOMMAND\n"
    assert "you: " in answer.err
    assert "file system: " in answer.err
    assert "you may: make models; add versions to 1 of 1 models; move into staging" in answer.err
    assert answer.err.endswith("healthy: nothing was found\n")
    assert tree(healthy.registry) == before


def test_warnings_end_with_0_and_errors_with_7(healthy: Cli) -> None:
    unseal(healthy.registry / "models/fraud/1")
    assert healthy("doctor").code == 0
    (healthy.registry / "stages/staging/fraud@2").symlink_to("nonsense")
    answer = healthy("doctor")
    assert answer.code == 7
    assert [line.split("\t")[:3] for line in answer.out.splitlines()[1:]] == [
        ["error", "event-unreadable", "stages/staging/fraud@2"],
        ["warning", "sealed-writable", "models/fraud/1"],
    ]
    assert "found: 1 error, 1 warning" in answer.err


def test_fix_says_what_it_did_and_what_is_left(healthy: Cli) -> None:
    unseal(healthy.registry / "models/fraud/1")
    (healthy.registry / "models/fraud/a b").mkdir()
    dry = healthy.ok("doctor", "--fix", "--dry-run")
    assert "dry run: models/fraud/1: would take the write permission away" in dry.err
    assert "fixed:" not in dry.err
    answer = healthy.ok("doctor", "--fix")
    assert "fixed: models/fraud/1: took the write permission away" in answer.err
    assert [line.split("\t")[1] for line in answer.out.splitlines()[1:]] == ["foreign-name"]
    assert "fixed:" not in healthy.ok("doctor", "--fix").err


def test_dry_run_alone_is_refused(healthy: Cli) -> None:
    answer = healthy("doctor", "--dry-run")
    assert answer.code == 2
    assert "--fix" in answer.err


def test_hundreds_of_equal_findings_are_grouped_on_a_terminal_and_all_are_told_when_asked(healthy: Cli) -> None:
    for number in range(4, 12):
        (healthy.registry / f"models/fraud/{number}").mkdir()
    (healthy.registry / "models/fraud/\x1b]52;c;eA==\x07").mkdir()
    shown = on_terminal("-R", healthy.registry, "--color", "never", "doctor").out
    assert "number-squatted (8)" in shown
    assert "and 5 more; --all tells them" in shown
    assert shown.count("why: The name is a version's number") == 1
    assert shown.count("$ rmdir ") == 3
    assert "\x1b]52" not in shown
    assert on_terminal("-R", healthy.registry, "--color", "never", "doctor", "--all").out.count("$ rmdir ") == 8


def test_on_a_read_only_mount_that_is_said_once_and_nobody_is_named_who_may(
    healthy: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_args, **_options: False)
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=os.ST_RDONLY))
    lines = [line for line in healthy.ok("doctor").err.splitlines() if line.startswith("you may not:")]
    mounted = f"{healthy.registry} is on a file system that is mounted read-only"
    assert lines == [f"you may not: change anything from here: {mounted}"]
