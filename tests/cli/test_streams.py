"""Streams that are full or closed, hints that run as printed, and problems of which there are many."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.calling import Answer, environment
from stackroom.cli.context import Context
from stackroom.store.records import Problem
from support.registries import set_policy

if TYPE_CHECKING:
    from pathlib import Path

    from cli.calling import Cli


def in_shell(redirection: str, *argv: object) -> Answer:
    """Run it as a process whose streams a shell redirects."""
    command = shlex.join([sys.executable, "-m", "stackroom", *map(str, argv)])
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} {redirection}"],
        env=environment({"PYTHONUNBUFFERED": ""}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "argv",
    [
        ("list",),
        ("list", "--json"),
        ("show", "nobody", "--json"),
        ("path", "fraud:1"),
        ("list", "--help"),
        ("--help",),
        ("--version",),
    ],
    ids=" ".join,
)
def test_a_stdout_that_cannot_be_written_is_one_line_and_exit_one(
    fraud: Cli, redirection: str, argv: tuple[str, ...]
) -> None:
    before = ("-R", fraud.registry) if argv[0] not in {"--help", "--version"} else ()
    answer = in_shell(redirection, *before, *argv)
    assert answer.code == 1
    assert re.fullmatch(r"error: the output cannot be written: [a-z ]+\n", answer.err)


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_without_a_stderr_a_command_simply_works(fraud: Cli, redirection: str) -> None:
    assert "fraud:1" in in_shell(redirection, "-R", fraud.registry, "verify").out
    assert in_shell(redirection, "-R", fraud.registry, "verify").code == 0
    assert in_shell(redirection, "-R", fraud.registry, "edit", "fraud:1", "--set", "team=x").code == 0
    assert in_shell(redirection, "-R", fraud.registry, "show", "nobody").code == 3


def test_without_any_stream_what_was_asked_for_is_done(fraud: Cli) -> None:
    assert in_shell("<&- >&- 2>&-", "-R", fraud.registry, "new", "other").code == 1
    assert (fraud.registry / "models/other").is_dir()


def test_a_closed_stdin_cannot_be_read(fraud: Cli) -> None:
    answer = in_shell("<&-", "-R", fraud.registry, "edit", "fraud:1", "--card", "-")
    assert answer.code == 8
    assert "cannot read -" in answer.err


def test_hints_name_the_registry_that_the_user_named(fraud: Cli, tmp_path: Path) -> None:
    assert f"stackroom -R {fraud.registry} diff" in fraud("diff", "fraud").err
    refused = fraud("promote", "fraud:2", "production")
    assert f"try: stackroom -R {fraud.registry} promote fraud:2 staging" in refused.err
    spaced = tmp_path / "two words"
    shutil.copytree(fraud.registry, spaced, symlinks=True)
    fraud.registry = spaced
    assert f"stackroom -R '{spaced}' list" in fraud("show", "nobody-like-this").err


def test_hints_are_short_where_the_registry_was_found() -> None:
    context = Context(path=None, as_json=False, colour="never", browse=lambda _: 0)
    assert context.runnable("stackroom list") == "stackroom list"
    context.path = "/r"
    assert context.runnable("stackroom demo, or stackroom log m:1") == "stackroom demo, or stackroom -R /r log m:1"
    assert context.runnable("models/stackroom list") == "models/stackroom -R /r list"


def test_the_remedy_for_an_unattested_holder_runs_as_it_is_printed(fraud: Cli) -> None:
    set_policy(fraud.registry, "[stages.staging]\nguards = { reason = true }\n")
    event = fraud.registry / "stages/staging/fraud@1"
    text = os.readlink(event)
    event.unlink()
    event.symlink_to(re.sub(r"by=\S+", "by=4242:ada", text))
    said = fraud.ok("history").err
    remedy = re.search(r"promote the holder again: stackroom (.*)\n", said)
    assert remedy
    words = shlex.split(remedy[1])
    assert words[:2] == ["-R", str(fraud.registry)]
    assert words[-2] == "--reason"
    done = fraud.ok(*words[2:])
    assert "attested staging of fraud: fraud:1" in done.err
    assert "unattested" not in fraud.ok("history").err


def test_problems_of_one_kind_are_counted_after_three(capsys: pytest.CaptureFixture[str]) -> None:
    context = Context(path=None, as_json=False, colour="never", browse=lambda _: 0)
    times = [
        Problem(
            place=f"stages/staging/model-{number}",
            message=f"model-{number} says 2026-01-0{number}T10:00:00Z, and the file system says 2026-02-01T00:00:00.5Z",
            severity="warning",
        )
        for number in range(1, 9)
    ]
    other = Problem(place="models/model-1/1", message="version.toml: not TOML")
    context.warn_of([times[0], other, *times[1:]])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[3] == "  and 5 more like it (stackroom list --json lists them)"
    assert lines[4] == "problem: models/model-1/1: version.toml: not TOML"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--metric", "auc=1", "--metric", "auc=2"), "--metric gives auc twice"),
        (("--param", "lr=1", "--param", " lr =2"), "--param gives lr twice"),
        (("--dataset", "name=a,name=b"), "name is there twice"),
        (("--metric", "d=1e400"), "1e400 is too large a number"),
        (("--metric", "d=99999999999999999999"), "too large a number"),
        (("--metric", "a b=1"), "no spaces or control characters"),
        (("--metric", "a\x1bb=1"), "no spaces or control characters"),
    ],
)
def test_register_refuses_what_cannot_have_been_meant(cli: Cli, source: Path, argv: tuple[str, ...], said: str) -> None:
    answer = cli("register", "m", source, *argv)
    assert answer.code == 2
    assert said in answer.err


def test_edit_refuses_a_field_that_is_set_twice(fraud: Cli) -> None:
    answer = fraud("edit", "fraud:1", "--set", "team=a", "--set", "team=b")
    assert (answer.code, "--set gives team twice" in answer.err) == (2, True)
    assert fraud("edit", "fraud:1", "--set", "metrics.auc=1e999").code == 2


def test_a_parameter_that_no_float_holds_stays_what_was_typed(cli: Cli, source: Path) -> None:
    cli.ok("register", "m", source, "--param", "big=1e400", "--metric", "auc=-1")
    said = cli.json("show", "m:1")["version"]["metadata"]
    assert said["hyperparameters"] == {"big": "1e400"}


def test_one_long_name_does_not_push_the_others_away_and_nested_values_are_json(cli: Cli, source: Path) -> None:
    long = "m" * 250
    metadata = source.parent / "more.json"
    metadata.write_text('{"hyperparameters": {"layers": [{"units": 8, "bias": true}], "steps": [1, 2]}}')
    cli.ok("register", "m", source, "--metadata", metadata, "--metric", f"{long}=1", "--metric", "auc=0.5")
    shown = cli.ok("show", "m:1").out
    assert f"\n{long}  1\n" in shown
    assert re.search(r"^auc {39}0\.5  ", shown, re.MULTILINE)
    assert '[{"units": 8, "bias": true}]' in shown
    assert "[1, 2]" in shown


def test_small_slips_are_named(cli: Cli, tmp_path: Path) -> None:
    empty = cli("register", "m", "")
    assert (empty.code, "the source is empty text" in empty.err) == (2, True)
    for ref in (":", "a@", "@x", ""):
        answer = cli("show", ref)
        assert answer.code == 8
        assert "hint: " in answer.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert cli("demo", tmp_path / "full", "--dry-run").code == 8
    assert "would unpack the sample registry into" in cli.ok("demo", "--dry-run").err
