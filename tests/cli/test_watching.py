"""``watch`` and ``wait`` as processes: told at once, resumed after any kill, ended by every signal."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cli.calling import environment, process
from cli.test_reference import SCHEMAS, check
from stackroom.registry.facade import Registry
from stackroom.store import usercommands
from stackroom.store.usercommands import hand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.calling import Cli

KEYS = list(json.loads((SCHEMAS / "watch.json").read_text(encoding="utf-8"))["properties"])

SECONDS = 20.0
"""Until a test gives up."""


class Watching:
    """A process of ours that goes on, and what it prints line by line."""

    def __init__(self, *argv: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stackroom", *map(str, argv)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        self._left = b""

    def line(self) -> str:
        """The next line of stdout; empty at its end."""
        assert self.process.stdout
        deadline = time.monotonic() + SECONDS
        while b"\n" not in self._left:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "it printed nothing"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                return self._left.decode()
            self._left += chunk
        line, _, self._left = self._left.partition(b"\n")
        return line.decode()

    def document(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self.line())

    def ends(self, number: int = 0) -> tuple[int, str]:
        """Its exit code and stderr, after a signal where one is named."""
        if number:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, err.decode()


@contextmanager
def watching(*argv: object) -> Iterator[Watching]:
    started = Watching(*argv)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        # Not read to their end, which something that it started may hold open.
        for stream in (started.process.stdout, started.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def registry(fraud: Cli) -> Registry:
    return Registry(fraud.registry)


def place(document: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return str(document["place"])


def test_nothing_is_missed_or_told_twice_wherever_the_watcher_is_killed(registry: Registry) -> None:
    registry.promote("fraud:2", "staging", reason="better")
    registry.promote("fraud:1", "production")
    wanted = [f"stages/{event.stage}/{event.name}" for event in registry.history()]
    told: list[str] = []
    cursor = "start"
    for lines in (0, 1, 1, 0, 2):
        # The first line has nothing to tell but where one is.
        with watching("-R", registry.folder, "watch", "--json", "--since", cursor) as one:
            for at in range(lines + 1):
                document = one.document()
                check("watch", document)
                assert list(document) == KEYS
                cursor = document["cursor"]
                told += [place(document)] if at else []
            one.ends(signal.SIGKILL)
        if lines == 0:
            # While nobody watches.
            registry.rollback("fraud", "staging")
            wanted.append(f"stages/staging/fraud@{len(registry.ledger('fraud', 'staging').events)}")
    told += [place(json.loads(line)) for line in _told_since(registry, cursor)]
    assert sorted(told) == sorted(set(wanted))
    assert len(told) == len(wanted)


def _told_since(registry: Registry, cursor: str) -> list[str]:
    return [json.dumps(told.document()) for told in registry.watch(since=cursor, seconds=0)]


def test_what_others_do_is_printed_at_once_in_rows(registry: Registry) -> None:
    with watching("-R", registry.folder, "watch") as one:
        titles = one.line().split("\t")
        first = dict(zip(titles, one.line().split("\t"), strict=True))
        assert (first["WHAT"], first["VERSION"]) == ("watching", "-")
        registry.promote("fraud:2", "staging", reason="it\tis \x1b[31mbetter")
        row = dict(zip(titles, one.line().split("\t"), strict=True))
        assert (row["WHAT"], row["STAGE"], row["VERSION"], row["FROM"]) == ("moved", "staging", "fraud:2", "fraud:1")
        assert "\x1b" not in row["REASON"]
        registry.label("fraud:2", "2.0.0")
        assert one.line().split("\t")[1] == "labelled"
        assert one.ends(signal.SIGTERM) == (0, "")


def test_a_command_gets_each_event_on_stdin_one_after_the_other_and_its_failure_stops_nothing(
    registry: Registry, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    script = tmp_path / "deploy.sh"
    script.write_text(
        f'#!/bin/sh\ncat >> "{log}"\nstackroom_said="$STACKROOM_EVENT $STACKROOM_REF $STACKROOM_STAGE"\n'
        f'echo "$stackroom_said $1" >> "{tmp_path}/said"\n'
        f'[ -n "$STACKROOM_CURSOR" ] && [ "$STACKROOM_REGISTRY" = "{registry.folder}" ] && echo out\n'
        '[ "$STACKROOM_REF" != fraud:2 ] || exit 3\n'
    )
    script.chmod(0o755)
    registry.promote("fraud:2", "staging")
    registry.rollback("fraud", "staging")
    argv = ("-R", registry.folder, "watch", "--json", "--stage", "staging", "--since", "start", "--exec")
    with watching(*argv, f"{script} '$HOME;x'") as one:
        documents = [one.document() for _ in range(4)]
        code, err = one.ends(signal.SIGINT)
    assert [document["exec"] for document in documents] == [None, 0, 3, 0]
    assert code == 130
    assert err.count("out\n") == 3
    assert f"--exec: {script} ended with 3 for stages/staging/fraud@2" in err
    # Words that a shell would change come as they are.
    assert (tmp_path / "said").read_text().splitlines()[1] == "moved fraud:2 staging $HOME;x"
    handed = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one | {"exec": 0} for one in handed] == [one | {"exec": 0} for one in documents[1:]]


def test_a_command_that_fails_fast_leaves_its_event_to_the_next_watcher(registry: Registry) -> None:
    registry.promote("fraud:2", "staging")
    argv = ("-R", registry.folder, "watch", "--json", "--stage", "staging", "--fail-fast")
    answer = process(*argv, "--since", "start", "--exec", "sh -c 'test $STACKROOM_REF = fraud:1 || exit 7'")
    assert answer.code == 7
    first, done = (json.loads(line) for line in answer.out.splitlines())
    assert (first["kind"], done["ref"]) == ("watching", "fraud:1")
    assert process(*argv, "--since", done["cursor"], "--exec", "sh -c 'kill -9 $$'").code == 137
    assert process(*argv).code == 2
    assert process(*argv, "--exec", "no-such-command").code == 3
    assert process(*argv, "--exec", "'").code == 2


def test_ending_the_watcher_ends_its_command_and_tells_the_event_again(registry: Registry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    argv = ("-R", registry.folder, "watch", "--json", "--since", "start", "--exec")
    command = f"sh -c 'echo $$ > {tmp_path}/started; exec tail -f /dev/null'"
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        with watching(*argv, command) as one:
            assert one.document()["kind"] == "watching"
            pid = int((tmp_path / "started").read_text())
            ended, _ = one.ends(number)
            assert ended == code
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_ending_the_watcher_ends_all_that_its_command_started(registry: Registry, tmp_path: Path) -> None:
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    argv = ("-R", registry.folder, "watch", "--json", "--since", "start", "--exec")
    # A shell that waits for a child dies of SIGTERM, and the child would go on.
    command = f"sh -c '(echo $$ > {fifo}; exec tail -f {fifo}) & wait'"
    for number, code in ((signal.SIGTERM, 0), (signal.SIGHUP, 129), (signal.SIGINT, 130)):
        with watching(*argv, command) as one:
            group = int(fifo.read_text())
            assert one.ends(number)[0] == code
            with pytest.raises(ProcessLookupError):
                os.killpg(group, 0)


def test_what_a_command_started_and_left_goes_on_when_the_watcher_ends(registry: Registry, tmp_path: Path) -> None:
    argv = ("-R", registry.folder, "watch", "--json", "--since", "start", "--exec")
    command = f"sh -c 'tail -f /dev/null > /dev/null 2>&1 & echo $! > {tmp_path}/left'"
    with watching(*argv, command) as one:
        assert [one.document()["kind"] for _ in range(2)] == ["watching", "moved"]
        left = int((tmp_path / "left").read_text())
        try:
            assert one.ends(signal.SIGTERM)[0] == 0
        finally:
            os.kill(left, signal.SIGTERM)


def test_a_command_that_does_not_end_when_asked_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(usercommands, "_PATIENCE", 0.1)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    script = f"trap '' TERM; echo $$ > {tmp_path}/pid; kill -TERM $PPID; while :; do read x < {tmp_path}/never; done"
    os.mkfifo(tmp_path / "never")
    try:
        with pytest.raises(KeyboardInterrupt):
            hand(["sh", "-c", script], "", {})
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "pid").read_text()), 0)


def test_an_interrupt_while_a_command_starts_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed through
            super().__init__(*args, **kwargs)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        hand(["tail", "-f", "/dev/null"], "", {})
    assert started[0].returncode == -signal.SIGTERM
    assert signal.getsignal(signal.SIGINT) is before


def test_a_reader_that_goes_away_ends_the_watcher_quietly(registry: Registry) -> None:
    with watching("-R", registry.folder, "watch", "--json") as one:
        assert one.document()["kind"] == "watching"
        assert one.process.stdout
        one.process.stdout.close()
        assert one.process.wait(SECONDS) == -signal.SIGPIPE
        assert one.process.stderr
        assert one.process.stderr.read() == b""


def test_an_interrupt_in_json_is_one_more_line(registry: Registry) -> None:
    with watching("-R", registry.folder, "watch", "--json") as one:
        one.document()
        one.process.send_signal(signal.SIGINT)
        last = one.document()
        check("error", last)
        assert last["kind"] == "error"
        assert last["error"]["exit_code"] == one.ends()[0] == 130


@pytest.mark.parametrize(
    "argv",
    [
        ("watch", "--since", "no cursor"),
        ("watch", "--stage", "nowhere"),
        ("watch", "--exec", "'"),
        ("watch", "--no-such-option"),
        ("-R", "", "watch"),
    ],
)
def test_what_keeps_a_watcher_from_starting_is_a_line_in_json_too(fraud: Cli, argv: tuple[str, ...]) -> None:
    answer = fraud(*argv, "--json")
    document = json.loads(answer.out)
    check("error", document)
    assert answer.out.count("\n") == 1
    assert (document["kind"], document["error"]["exit_code"]) == ("error", answer.code)


def test_wait_prints_the_version_that_comes_to_hold_the_stage(registry: Registry) -> None:
    with watching("-R", registry.folder, "wait", "fraud@production", "--timeout", "1m") as one:
        with pytest.raises(subprocess.TimeoutExpired):
            one.process.wait(1.0)
        registry.promote("fraud:1", "production")
        assert one.line() == "fraud:1"
        assert one.ends() == (0, "")


def test_a_wait_that_is_ended_never_looks_like_one_that_found_something(registry: Registry) -> None:
    for number, code in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)):
        with watching("-R", registry.folder, "wait", "fraud@production", "--changed") as one:
            with pytest.raises(subprocess.TimeoutExpired):
                one.process.wait(1.0)
            assert one.ends(number)[0] == code


def test_wait_has_an_exit_code_for_time_that_is_up_alone(fraud: Cli) -> None:
    assert fraud.ok("wait", "fraud@staging").out == "fraud:1\n"
    answer = fraud("wait", "fraud@production", "--timeout", "0.1")
    assert (answer.code, answer.err) == (6, "error: nothing held fraud@production within 0.1 s\n")
    assert fraud("wait", "fraud@staging", "--changed", "--timeout", "0s").code == 6
    assert fraud("wait", "fraud@nowhere").code == 3
    for wrong in (("fraud:1",), ("fraud@staging", "--timeout", "soon"), ("fraud@staging", "--timeout", "9999h")):
        assert fraud("wait", *wrong).code == 2
