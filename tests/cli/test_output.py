"""What reaches a stream: harmless in a terminal, whole in a pipe, JSON where JSON is asked for, and the right code."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.calling import SOURCE, Answer, Cli, all_on_terminal, environment, on_terminal, process, quietly
from cli.conftest import open_folders
from cli.test_reference import check
from stackroom.cli import main
from stackroom.cli.catalog import COMMANDS, command_at
from stackroom.cli.context import Context
from stackroom.cli.ending import ToldToEndError, cleaned_up
from stackroom.cli.parsing import command_named, parser_for
from stackroom.cli.progress import Bar, duration_text
from stackroom.cli.style import Piece, Styled, glyphs_for, render, wants_colours
from stackroom.cli.table import Column, aligned, cut, separated, separated_row, width_of
from stackroom.core import show
from stackroom.core.fields import typed
from stackroom.core.toml import format_toml
from stackroom.store.folder import Folder
from stackroom.store.trust import open_to_others, open_ways, stewards
from stackroom.store.used_up import used_up
from support.registries import artifacts, make, plant_revision, set_policy, unseal
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202egnp.exe\x7f\ttab\nline"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control and bidi characters; line feeds and tabs separate what is printed."""


# --- hostile strings


@pytest.fixture(scope="module")
def hostile_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry in which every text that can be hostile is. Only looked at, so that one does for all tests."""
    folder = tmp_path_factory.mktemp("hostile")
    path, card, metadata = folder / "registry", folder / "card.md", folder / "bad.json"
    make(path, "[stages.staging]\n[stages.production]\n")
    card.write_text(f"# {HOSTILE}\n")
    said: dict[str, Any] = {
        "description": HOSTILE,
        "author": HOSTILE,
        "tags": [HOSTILE],
        "metrics": {f"m{HOSTILE}": 1.0, "auc": 0.95},
        "hyperparameters": {f"h{HOSTILE}": HOSTILE},
        "datasets": [{"name": HOSTILE, "uri": HOSTILE}],
        "source": {"command": HOSTILE},
        f"x{HOSTILE}": HOSTILE,
    }
    for number in ("1", "2"):
        new = said | {"team": number + HOSTILE}
        # No name like these is written any more, and an older program may have.
        metadata.write_text(json.dumps({key: new[key] for key in new if key not in {"metrics", "hyperparameters"}}))
        source = artifacts(folder / number, {"model.bin": number.encode()})
        quietly("-R", path, "register", "evil", source, "--metadata", metadata, "--card", card)
        plant_revision(path, "evil", int(number), format_toml(new))
    quietly("-R", path, "promote", "evil:1", "staging", "--reason", HOSTILE)
    quietly("-R", path, "edit", "evil:1", "--set", "team=x", "--reason", HOSTILE)
    yield path
    open_folders(path)


@pytest.fixture
def hostile(capsys: pytest.CaptureFixture[str], hostile_path: Path) -> Cli:
    """The command line on it."""
    return Cli(capsys, hostile_path)


LOOKS = [
    ("list",),
    ("list", "evil"),
    ("list", "evil", "--columns", "version,description,tags"),
    ("search", "auc > 0"),
    ("show", "evil"),
    ("show", "evil:1"),
    ("diff", "evil:1", "evil:2", "--all"),
    ("diff", "evil:1", "evil:2", "--all", "--markdown"),
    ("diff", "evil:1", "evil:2", "--all", "--format", "csv"),
    ("log", "evil:1"),
    ("history",),
    ("can", "evil:1", "production"),
    ("verify",),
]


@pytest.mark.parametrize("argv", LOOKS, ids=" ".join)
def test_no_control_character_of_a_registry_reaches_a_stream(hostile: Cli, argv: tuple[str, ...]) -> None:
    for answer in (hostile(*argv), hostile(*argv, "--json")):
        assert not RAW.search(answer.out + answer.err)


def test_the_only_escapes_on_a_terminal_are_our_own_colours(hostile: Cli) -> None:
    for shown in all_on_terminal(hostile.registry, LOOKS):
        assert shown
        assert not RAW.search(re.sub("\x1b\\[[0-9;]*m|\r[^\r\x1b]*\x1b\\[K", "", shown))


@pytest.mark.parametrize(
    "argv", [("\x1b[2J",), ("show", "\x1b[2J"), ("list", "--\x1b[2J"), ("register", "m", "/\x1b[2J"), ("/\x1b[2J",)]
)
def test_what_the_user_typed_is_not_obeyed_either(cli: Cli, argv: tuple[str, ...]) -> None:
    for extra in ((), ("--json",)):
        answer = cli(*argv, *extra)
        assert answer.code in {2, 3, 8}
        assert not RAW.search(answer.out + answer.err)


def test_an_argument_that_is_no_text_is_refused_and_not_a_crash(cli: Cli, source: Path) -> None:
    assert cli("register", "m", source, "--description", "b\udcffd").code == 8
    assert cli("show", "b\udcffd").code == 8


def test_a_registry_in_a_folder_whose_name_is_no_text(cli: Cli, tmp_path: Path) -> None:
    cli.registry = tmp_path / "od\udcffd"
    cli.ok("init", cli.registry)
    cli.ok("register", "m", artifacts(tmp_path / "a"))
    done = subprocess.run(
        [sys.executable, "-m", "stackroom", "-R", cli.registry, "path", "m:1"],
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert done.stdout == os.fsencode(cli.registry) + b"/models/m/1\n"
    assert "\\xff" in process("-R", cli.registry, "show", "m:1").out


# --- pipes and terminals


def test_a_pipe_gets_tabs_a_header_whole_values_and_no_colour(fraud: Cli) -> None:
    fraud.ok("edit", "fraud:2", "--set", f"description={'long ' * 60}")
    answer = process("-R", fraud.registry, "list", "fraud")
    assert answer.out.splitlines()[0].startswith("VERSION\tSTATE\tAUC")
    assert "long " * 59 in answer.out
    assert "\x1b" not in answer.out + answer.err


@given(
    st.lists(
        st.tuples(
            st.text("ab\t\n\r\x1b\x7f é\u202e\u2028"),
            st.text("cd \t"),
            st.sampled_from(["", "x", Styled("y\n", "red")]),
        ),
        max_size=600,
    )
)
def test_a_table_for_programs_has_a_line_for_each_row_and_a_tab_between_its_cells(
    rows: list[tuple[Piece, ...]],
) -> None:
    columns = [Column(title=title) for title in ("A", "B\tB", "C")]
    lines = "\n".join(separated(columns, rows)).split("\n")
    assert lines == [separated_row([column.title for column in columns]), *map(separated_row, rows)]
    for line, row in zip(lines, [["A", "B\tB", "C"], *rows], strict=True):
        assert line.split("\t") == [render([cell], colours=False) for cell in row]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_terminal_gets_aligned_columns_that_fit(fraud: Cli, width: int) -> None:
    fraud.ok("edit", "fraud:2", "--set", f"description={'wide 漢字 ' * 30}")
    calls = [(*argv, "--color", "never") for argv in (("list",), ("list", "fraud"), ("search",), ("history",))]
    for drawn in all_on_terminal(fraud.registry, calls, width):
        # After the count of models, which is wiped.
        shown = drawn.rpartition("\r\x1b[K")[2]
        assert "\x1b" not in shown
        assert max(width_of(line) for line in shown.splitlines()) <= width


def test_colour_obeys_the_option_then_no_color_then_force_color(monkeypatch: pytest.MonkeyPatch, fraud: Cli) -> None:
    stream = io.StringIO()
    assert not wants_colours(stream, "auto")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert wants_colours(stream, "auto")
    assert "\x1b[1m" in fraud.ok("show", "fraud").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colours(stream, "auto")
    assert wants_colours(stream, "always")
    assert "\x1b[1m" in fraud.ok("show", "fraud", "--color", "always").out
    assert "\x1b" not in fraud.ok("list", "--color", "always").out
    assert "\x1b" not in on_terminal("-R", fraud.registry, "list", "--color=never").out
    assert "\x1b[32m" in on_terminal("-R", fraud.registry, "list", env={"NO_COLOR": ""}).out


def test_an_encoding_without_the_signs_gets_words(fraud: Cli) -> None:
    answer = process("-R", fraud.registry, "can", "fraud:2", "production", env={"PYTHONIOENCODING": "ascii"})
    assert "NO from:" in answer.out
    assert "ok permission:" in answer.out
    assert answer.out.isascii()
    fraud.ok("edit", "fraud:1", "--set", "description=漢字")
    shown = process("-R", fraud.registry, "show", "fraud:1", env={"PYTHONIOENCODING": "ascii"})
    assert "\\u6f22" in shown.out


def test_json_is_ascii_and_has_no_control_characters_and_no_nan(cli: Cli, source: Path) -> None:
    cli.ok("register", "m", source, "--description", "é\x7f\x9b")
    plant_revision(cli.registry, "m", 1, 'description = "é\\u007f\\u009b"\n[metrics]\nx = nan\ny = -inf\n')
    text = cli.ok("show", "m:1", "--json").out
    assert text.isascii()
    assert not RAW.search(text)
    assert json.loads(text)["version"]["metadata"]["metrics"] == {"x": "nan", "y": "-inf"}
    assert json.loads(text)["version"]["metadata"]["description"] == "é\x7f\x9b"


def test_progress_is_drawn_on_a_terminal(fraud: Cli) -> None:
    verify, can = all_on_terminal(fraud.registry, [("verify", "fraud:1"), ("can", "fraud:1", "production")])
    assert re.search(r"\rverifying  \[#{20}\] 100%  3 B of 3 B  [\d.]+ .?B/s\x1b\[K", verify)
    assert re.search(r"\rverifying fraud:1  \[#{20}\] 100%  3 B of 3 B", can)


def test_progress_is_never_drawn_in_a_pipe(fraud: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackroom.cli.progress._PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("stackroom.cli.progress._PAUSE_SECONDS", 0.0)
    for argv in (("verify",), ("can", "fraud:1", "production"), ("register", "fraud", fraud.registry.parent / "first")):
        answer = fraud.ok(*argv)
        assert "\r" not in answer.out + answer.err


def test_a_bar_counts_from_several_threads_and_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("stackroom.cli.progress.time.monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    seen = []
    with Bar(100, "doing\x1b", stream) as bar:
        for _ in range(2):
            bar(50)
            seen.append(bar.reading)
    assert seen == [True, False]
    drawn = stream.getvalue()
    assert "doing␛  [##########..........]  50%  50 B of 100 B  10 B/s  5 s left" in drawn
    assert drawn.endswith("\r\x1b[K")


def test_who_waits_for_an_index_on_a_terminal_sees_how_far_it_is_and_nobody_else(fraud: Cli, tmp_path: Path) -> None:
    cache = {"STACKROOM_CACHE": str(tmp_path / "cache")}
    piped = process("-R", fraud.registry, "search", "auc > 0", env=cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKROOM_CACHE", str(tmp_path / "another"))
        (shown,) = all_on_terminal(fraud.registry, [("search", "auc > 0")])
    assert "models" not in piped.err
    count, line, rest = shown.partition("\rreading 0 of 1 models\x1b[K\r\x1b[K")
    assert (count, bool(line)) == ("", True), shown
    assert "fraud" in rest


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (412_000_000, "412 MB"), (4.2e12, "4.2 TB")]
)
def test_sizes_are_for_people(size: float, text: str) -> None:
    assert show.long_size(size) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("5.", 5.0),
        ("true", True),
        ("false", False),
        ("inf", float("inf")),
    ]
    + [(text, text) for text in ("007", "0x1f", "1.2.3", "", "True", "1e", "-", "9" * 30, "1 2")],
)
def test_a_value_is_a_number_only_where_it_looks_like_one(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value) or text == "9" * 30


def test_columns_are_cut_and_leave_by_priority() -> None:
    columns = [Column(title="A", least=3), Column(title="B", priority=1), Column(title="C", priority=2, least=4)]
    rows = [["aaaa", "bbbb", "cccccccc"]]

    def shown(width: int) -> str:
        return render(list(aligned(columns, rows, width, "…"))[1], colours=False)

    assert [shown(width) for width in (20, 16, 10, 7, 3)] == [
        "aaaa  bbbb  cccccccc",
        "aaaa  bbbb  ccc…",
        "aaaa  bbbb",
        "aaaa",
        "aa…",
    ]
    assert cut("漢字漢字", 5, "…") == "漢字…"
    assert width_of("e\u0301") == 1


# --- errors and exit codes


def test_errors_are_json_where_json_is_asked_for(fraud: Cli) -> None:
    for argv, code, kind in (
        (("show", "fraud:9"), 3, "not-found"),
        (("promote", "fraud:2", "production"), 5, "guard"),
        (("label", "fraud:2", "1.0.0"), 6, "conflict"),
        (("new", "Bad"), 8, "invalid"),
        (("list", "--nonsense"), 2, "usage"),
        (("lits",), 2, "usage"),
    ):
        answer = fraud(*argv, "--json")
        error = answer.document["error"]
        assert (answer.code, error["exit_code"], error["kind"]) == (code, code, kind)
        assert error["message"]
    verdicts = fraud.json("promote", "fraud:2", "production")["error"]["verdicts"]
    assert verdicts[0]["guard"] == "from"


@pytest.mark.parametrize(
    ("word", "hint"),
    [("lits", "stackroom list"), ("promot", "stackroom promote"), ("xyzzy", "--help"), ("./no/such", "stackroom init")],
)
def test_a_mistyped_command_gets_a_suggestion(cli: Cli, word: str, hint: str) -> None:
    answer = cli(word)
    assert answer.code == 2
    assert hint in answer.err


def test_a_mistyped_option_gets_a_suggestion(cli: Cli) -> None:
    assert "did you mean --sort?" in cli("list", "--sotr", "x").err


def test_no_registry_says_how_to_get_one(tmp_path: Path) -> None:
    answer = process("list", cwd=tmp_path)
    assert answer.code == 3
    assert "stackroom init" in answer.err
    assert process("-R", tmp_path, "list").code == 3


@pytest.mark.root
def test_the_kernels_refusal_ends_with_four_and_says_who_may(reachable_path: Path) -> None:
    path = reachable_path / "registry"
    registry = make(path, "[stages.staging]\n[stages.production]\n")
    registry.register("fraud", artifacts(reachable_path / "out"))
    ana = User(uid=50_001, gid=50_001, name="ana")

    def attempt(*argv: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        sys.stdout, sys.stderr = out, err
        code = main.run(["-R", str(path), *argv], lambda _paths: 0)
        return Answer(code, out.getvalue(), err.getvalue())

    def as_ana() -> list[list[object]]:
        calls = (
            ("promote", "fraud:1", "staging"),
            ("can", "fraud:1", "staging"),
            ("register", "fraud", str(reachable_path / "out")),
            ("register", "fraud", str(reachable_path / "out"), "--dry-run"),
            ("edit", "fraud:1", "--set", "team=x"),
            ("label", "fraud:1", "1.0.0"),
            ("new", "other"),
            ("list",),
        )
        return [[answer.code, answer.out, answer.err] for answer in (attempt(*argv) for argv in calls)]

    unseal(reachable_path / "out")
    answers = run_as(ana, as_ana)
    assert [answer[0] for answer in answers] == [4] * 7 + [0]
    assert "stages/staging is root" in str(answers[0][2])
    assert "only root may" in str(answers[1][1])
    assert "ask" in str(answers[0][2])


def test_an_interrupt_ends_with_130_and_says_that_nothing_was_changed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stackroom.registry.listing.overview", interrupt)
    answer = cli("list")
    assert (answer.code, answer.err) == (130, "interrupted; nothing was changed\n")
    monkeypatch.setattr("stackroom.registry.facade.Registry.publish", interrupt)
    answer = cli("register", "m", source)
    assert answer.code == 130
    assert f"stackroom -R {cli.registry} list m" in answer.err
    assert cli.json("register", "m", source)["error"]["unchanged"] is False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_is_an_error_that_the_schema_knows(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, source: Path, number: int
) -> None:
    def told_to_end(*_: object, **__: object) -> None:
        raise ToldToEndError(number)

    monkeypatch.setattr("stackroom.registry.facade.Registry.publish", told_to_end)
    document = cli.json("register", "m", source)
    check("error", document)
    assert document["error"]["exit_code"] == 128 + number


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_register_has_published_nothing_and_says_so(
    cli: Cli, tmp_path: Path, number: int, code: int
) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(1_500_000_000)
    answer = on_terminal("-R", cli.registry, "register", "big", big, interrupt_at=b"left", interrupt_by=number)
    assert answer.code == code
    assert "interrupted; no version was published" in answer.out
    assert "Traceback" not in answer.out
    assert cli.json("list", "big")["versions"] == []
    assert [path.name for path in (cli.registry / "models/big").glob(".tmp-*")] == []


def test_who_is_told_to_end_twice_ends_at_once_and_what_is_ignored_stays_so() -> None:
    def told_to_end() -> None:
        with cleaned_up():
            answers.append(signal.getsignal(signal.SIGHUP))
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                answers.append(signal.getsignal(signal.SIGTERM))

    answers: list[object] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(ToldToEndError) as told:
            told_to_end()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (told.value.code, answers) == (143, [signal.SIG_IGN, signal.SIG_DFL])


def test_an_interrupted_verify_stops_its_threads(fraud: Cli, tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(1_000_000_000)
    fraud.ok("register", "big", big, "--move")
    answer = on_terminal("-R", fraud.registry, "verify", "--jobs", "3", interrupt_at=b"left")
    assert answer.code == 130
    assert "interrupted; nothing was changed" in answer.out


def test_an_unexpected_failure_is_one_line_and_a_traceback_only_on_request(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        message = "boom"
        raise RuntimeError(message)

    for called in ("overview", "listing_of"):
        monkeypatch.setattr(f"stackroom.registry.listing.{called}", explode)
    answer = cli("list")
    assert answer.code == 1
    assert answer.err.startswith("internal error: RuntimeError: boom\n")
    assert "Traceback" not in answer.err
    assert "Traceback" in cli("list", "--debug").err
    monkeypatch.setenv("STACKROOM_DEBUG", "1")
    assert "Traceback" in cli("list").err
    assert cli.json("list")["error"]["kind"] == "internal"


def test_a_reader_that_leaves_ends_it_quietly(fraud: Cli) -> None:
    command = f"{sys.executable} -m stackroom -R {fraud.registry} list | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode in {0, 141}


# --- help, version, browsing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    answer = process(name, "--help") if name == "tui" else None
    text = answer.out if answer else parser_for(name, command_named(name)).format_help()
    assert f"stackroom {name}" in text.split("Example", 1)[1]


def test_help_names_every_command_and_exit_code(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"], cli._browse) == 0
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name}" not in text] == []


def test_the_version_is_printed_by_itself() -> None:
    for argv in (["--version"], ["-V"], ["-R", "x", "--version"]):
        assert re.fullmatch(r"stackroom \d+\.\d+\.\d+\S*\n", process(*argv).out)


@pytest.mark.parametrize(
    "argv", [(), ("{path}",), ("-R", "{path}"), ("tui",), ("tui", "{path}"), ("-R", "{path}", "tui")]
)
def test_browsing_without_a_terminal_names_the_commands(registry_path: Path, argv: tuple[str, ...]) -> None:
    answer = process(*(word.format(path=registry_path) for word in argv))
    assert answer.code == 2
    assert "stackroom list" in answer.err


@pytest.mark.parametrize(
    ("argv", "opened", "variables"),
    [
        (("production",), ["production"], {}),
        (("{path}", "--no-state"), ["{path}"], {"STACKROOM_NO_STATE": "1"}),
        (("--color", "never", "{path}", "production"), ["{path}", "production"], {"NO_COLOR": "1"}),
        (("--ascii",), [], {"STACKROOM_ASCII": "1"}),
    ],
)
def test_a_bare_call_takes_names_and_options_as_tui_does(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    opened: list[str],
    variables: dict[str, str],
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[registries]\nproduction = "{tmp_path}"\n')
    monkeypatch.setenv("STACKROOM_CONFIG", str(settings))
    for name in ("STACKROOM_NO_STATE", "STACKROOM_ASCII", "NO_COLOR"):
        monkeypatch.setenv(name, "")
    assert main.run([word.format(path=tmp_path) for word in argv], cli._browse) == 0
    assert cli.browsed == [[word.format(path=tmp_path) for word in opened]]
    assert {name: os.environ[name] for name in variables} == variables


def test_a_word_that_is_neither_command_nor_folder_nor_name_is_refused_wherever_it_stands(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["lsit"], cli._browse) == 2
    assert "did you mean stackroom list?" in capsys.readouterr().err
    assert main.run([str(tmp_path), "list"], cli._browse) == 2
    assert "there is no folder list" in capsys.readouterr().err
    assert main.run(["--json"], cli._browse) == 2
    assert cli.browsed == []


def test_commands_that_are_printed_run_whatever_a_folder_is_called(cli: Cli, tmp_path: Path) -> None:
    odd = tmp_path / "two words; $(rm)"
    odd.mkdir()
    quoted = shlex.quote(str(odd))
    assert f"stackroom init {quoted}" in process("-R", odd, "list").err
    assert f"stackroom init {shlex.quote(f'{odd}/none')}" in process(f"{odd}/none").err
    demo = cli.ok("demo", "--no-open", odd / "demo").err
    assert f"look around with: stackroom {shlex.quote(f'{odd}/demo')}" in demo
    open_folders(odd / "demo")
    with Folder.open(str(odd)) as folder:
        assert used_up(folder, "x@999999999", what="an event").hint.endswith(shlex.quote(f"{odd}/x@999999999"))
        odd.chmod(0o777)
        told = [
            open_to_others(folder.fd, folder.path, frozenset({os.geteuid()})),
            *open_ways(f"{odd}/r", stewards(folder)),
        ]
        assert all(one and quoted in one.advice for one in (told[0], told[-1]))


def test_demo_unpacks_and_says_where(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackroom.cli.commands.making.unpack_demo", lambda directory: directory or str(tmp_path))
    assert cli.ok("demo", "--no-open").out == f"{tmp_path}\n"
    assert cli.json("demo", "x") == {"path": "x", "made": True}
    monkeypatch.setattr(Context, "terminal", True)
    monkeypatch.setattr(Context, "watched", True)
    assert f"your copy stays; go on with: stackroom {tmp_path}" in cli.ok("demo").err
    assert cli.browsed == [[str(tmp_path)]]


@pytest.mark.parametrize(
    ("argv", "at"),
    [([], None), (["-R", "list"], None), (["-R", "x", "list"], 2), (["--json", "list"], 1), (["list", "-R", "x"], 0)],
)
def test_the_word_that_names_the_command_is_found(argv: list[str], at: int | None) -> None:
    assert command_at(argv) == at


def loaded_by(*argv: str) -> set[str]:
    """The modules of a process that ran a command."""
    script = (
        "import sys\n"
        "from stackroom.__main__ import main\n"
        "main()\n"
        "sys.stdout.flush()\n"
        "sys.stderr.write('\\n'.join(['', *sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *argv], env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


def test_the_version_costs_no_parser_and_a_command_only_what_it_needs(fraud: Cli) -> None:
    path = str(fraud.registry)
    assert not loaded_by("--version") & {"argparse", "typing", "stackroom.errors", "stackroom.cli.main", "json"}
    listed = loaded_by("-R", path, "list")
    assert "stackroom.cli.commands.listing" in listed
    unwanted = {"textual", "rich", "watchdog", "subprocess", "stackroom.cli.commands.moving"}
    unwanted |= {"stackroom.registry.facade", "stackroom.store.publish", "tempfile", "stackroom.registry.settings"}
    assert not listed & unwanted
    assert not loaded_by("-R", path, "promote", "fraud:1", "staging") & {"textual", "rich", "watchdog"}


def test_this_source_is_what_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import stackroom; print(stackroom.__file__)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(SOURCE))


def test_styled_text_without_colours_is_the_text_alone() -> None:
    assert render([Styled("a\x1b", "red"), "b"], colours=False) == "a␛b"
    assert render([Styled("a", "red")], colours=True) == "\x1b[31ma\x1b[0m"
    assert glyphs_for(io.TextIOWrapper(io.BytesIO(), encoding="latin-1")).yes == "ok"


def test_unattested_holders_are_marked_and_the_remedy_is_told(fraud: Cli) -> None:
    event = fraud.registry / "stages/staging/fraud@1"
    text = os.readlink(event)
    event.unlink()
    event.symlink_to(re.sub(r"by=\S+", "by=4242:ada", text))
    answer = fraud.ok("history")
    assert "unattested" in answer.out
    assert f"stackroom -R {fraud.registry} promote fraud:1 staging\n" in answer.err
    set_policy(fraud.registry, "[stages.staging]\n[stages.production]\n")
    assert "attested staging of fraud: fraud:1" in fraud.ok("promote", "fraud:1", "staging").err
    assert "note:" not in fraud.ok("history").err
