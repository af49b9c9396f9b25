"""A program on a pseudo-terminal of its own, as a real terminal would run it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import stackroom
from support.fair import FairClock

if TYPE_CHECKING:
    from types import TracebackType

DEMO = Path(__file__).with_name("demo_app.py")
LEFT = (b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?25h", b"\x1b[?2004l")
"""The normal screen, no mouse reports, a cursor, no paste reports."""

ENVIRONMENT = os.environ | {
    "TERM": "xterm-256color",
    "PYTHONPATH": str(Path(stackroom.__file__).parents[1]),
}


def _homes() -> dict[str, str]:
    """Where settings and state lie for the present test, and nowhere else."""
    return {name: value for name, value in os.environ.items() if name.startswith("XDG_")}


def _as_a_shell_would() -> None:
    """A controlling terminal, and ``^C`` heard: whoever runs the tests in the background ignores it, for us too."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(
        self, *arguments: str, stderr: int | None = None, program: tuple[str, ...] = (str(DEMO),), **environment: str
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave if stderr is None else stderr,
            env=ENVIRONMENT | _homes() | environment,
            start_new_session=True,
            preexec_fn=_as_a_shell_would,  # noqa: PLW1509  # a controlling terminal
        )
        self.slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)

    def wait_for(self, wanted: bytes, *, seconds: float = 20.0) -> None:
        """Read until the program has written something."""
        deadline = time.monotonic() + seconds
        while wanted not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"not written within {seconds} s: {wanted!r}\n{self.shown[-2000:]!r}"
            self._read(left)

    def wait_for_end(self, *, seconds: float = 10.0) -> tuple[int, float]:
        """The exit code and after how many seconds, by a fair clock, it came; reads on, so that nothing holds it up."""
        clock = FairClock(self.process.pid)
        while self.process.poll() is None:
            assert clock.seconds() < seconds, f"still running\n{self.shown[-2000:]!r}"
            if self.master >= 0:
                self._read(0.01)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.05)
        taken = clock.seconds()
        while self.master >= 0 and self._read(0):
            pass
        return self.process.returncode, taken

    def wait_for_silence(self, seconds: float) -> None:
        """Read until the program, which has what it needs of the processor, has not written anything for a while."""
        clock = FairClock(self.process.pid)
        while clock.seconds() < seconds:
            if self._read(seconds / 10):
                clock = FairClock(self.process.pid)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """The corner of the window is dragged: the kernel tells the program."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def rest(self, *, seconds: float = 0.4) -> None:
        """Read until nothing has come for a while."""
        while self._read(seconds):
            pass

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.shown += os.read(self.master, 65536)
        return bool(ready)
