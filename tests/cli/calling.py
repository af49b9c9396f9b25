"""Calling the command line: inside this process where that is enough, as a process, or as a process on a terminal."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackroom.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
TERMINAL_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What ``--json`` printed."""
        return json.loads(self.out)


class Cli:
    """The command line inside this process, on one registry."""

    def __init__(self, capsys: pytest.CaptureFixture[str], registry: Path) -> None:
        self._capsys = capsys
        self.registry = registry
        self.browsed: list[list[str]] = []

    def __call__(self, *argv: object) -> Answer:
        """Run it; whatever was printed before is dropped."""
        self._capsys.readouterr()
        code = run(["-R", str(self.registry), *map(str, argv)], self._browse)
        captured = self._capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    def ok(self, *argv: object) -> Answer:
        """Run it, and have it succeed."""
        answer = self(*argv)
        assert answer.code == 0, answer.err
        return answer

    def json(self, *argv: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What it answers in JSON, whatever its exit code."""
        return self(*argv, "--json").document

    def _browse(self, paths: list[str]) -> int:
        self.browsed.append(paths)
        return 0


def quietly(*argv: object) -> None:
    """Run it and have it succeed, outside of any test."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as err:
        code = run([str(word) for word in argv], lambda _paths: 0)
    assert code == 0, err.getvalue()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that runs this source."""
    # Some runners of tests set the width, which would go before that of the terminal.
    inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    return {**inherited, "PYTHONPATH": str(SOURCE), **(extra or {})}


def process(*argv: object, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "") -> Answer:
    """Run it as a process, its three streams being pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "stackroom", *map(str, argv)],
        env=environment(env),
        cwd=cwd,
        input=stdin.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def on_terminal(
    *argv: object,
    env: Mapping[str, str] | None = None,
    interrupt_at: bytes | None = None,
    interrupt_by: int = signal.SIGINT,
    answer_to: tuple[bytes, bytes] | None = None,
) -> Answer:
    """Run it on a terminal of its own; both streams come back as ``out``, with bare line feeds.

    Args:
        argv: without the program's name.
        env: more of the environment.
        interrupt_at: press ctrl+c when this has been shown.
        interrupt_by: or send another signal.
        answer_to: a question, and what to type once it has been asked.
    """
    arguments = ["-m", "stackroom", *map(str, argv)]
    return _on_terminal(arguments, env or {}, interrupt_at=interrupt_at, interrupt_by=interrupt_by, answer_to=answer_to)


def all_on_terminal(registry: Path, calls: Sequence[tuple[str, ...]], width: int = TERMINAL_WIDTH) -> list[str]:
    """What each of several calls shows on a terminal, all from one process, which takes a tenth of the time.

    Progress is drawn at once, however fast the disk is.
    """
    script = (
        "import json, sys\n"
        "from stackroom.cli import progress\n"
        "from stackroom.cli.main import run\n"
        "progress._PATIENCE_SECONDS = progress._PAUSE_SECONDS = 0.0\n"
        "for argv in json.loads(sys.argv[1]):\n"
        "    run(argv, lambda paths: 0)\n"
        "    print('\\0', end='', flush=True)\n"
    )
    argvs = [["-R", str(registry), *argv] for argv in calls]
    answer = _on_terminal(["-c", script, json.dumps(argvs)], {}, width=width)
    shown = answer.out.split("\0")[:-1]
    assert len(shown) == len(calls), answer.out
    return shown


def _on_terminal(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    width: int = TERMINAL_WIDTH,
    interrupt_at: bytes | None = None,
    interrupt_by: int = signal.SIGINT,
    answer_to: tuple[bytes, bytes] | None = None,
) -> Answer:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    started = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment({"TERM": "xterm-256color", **env}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = bytearray()
    try:
        while chunk := _read(master):
            shown += chunk
            if interrupt_at and interrupt_at in shown:
                started.send_signal(interrupt_by)
                interrupt_at = None
            if answer_to and answer_to[0] in shown:
                os.write(master, answer_to[1])
                answer_to = None
    finally:
        os.close(master)
    return Answer(started.wait(timeout=30), shown.decode().replace("\r\n", "\n"), "")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:
        # Linux answers so once the last process has closed its side.
        return b""
