"""The terminal interface as a person has it: a real pseudo-terminal, real keys, and how soon it answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from benchmarks.report import Fact
from benchmarks.timing import environment
from benchmarks.trees import Size, model_name

if TYPE_CHECKING:
    from types import TracebackType

FIRST_SCREEN: Final = "first screen with models"
KEYS: Final = "a typed letter is on the screen, median"
KEYS_MEANWHILE: Final = "the same while the first index is built"
MEMORY: Final = "memory, at most"
NAMES: Final = (FIRST_SCREEN, KEYS, KEYS_MEANWHILE, MEMORY)
"""What is measured about the interface."""

_STACKROOM: Final = str(Path(sys.executable).with_name("stackroom"))
_LETTERS: Final = "zqxw" * 8
_BACKSPACE: Final = b"\x7f"
_PAUSE: Final = 0.05
"""Seconds between two keys: twenty a second, more than anybody types."""

_PATIENCE: Final = 120.0
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[PX^_\]].*?(?:\x1b\\|\x07)", re.DOTALL)


class Terminal:
    """A program in a pseudo-terminal of 120 columns and 40 rows; a context manager that always ends it."""

    def __init__(self, argv: list[str], **variables: str) -> None:
        self._fd, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            argv,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=environment(TERM="xterm-256color", **variables),
            start_new_session=True,
        )
        os.close(inside)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._fd)

    def seconds_until(self, text: str, since: float) -> float:
        """How long after a moment a text was drawn.

        Raises:
            TimeoutError: it was not, for minutes.
        """
        drawn = b""
        while text.encode() not in _ESCAPES.sub(b"", drawn):
            left = since + _PATIENCE - time.perf_counter()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                message = f"{text!r} was not drawn; the end of what was: {drawn[-2000:]!r}"
                raise TimeoutError(message)
            drawn += os.read(self._fd, 1 << 16)
        return time.perf_counter() - since

    def latency(self, key: str) -> float:
        """Seconds from a key to its letter on the screen; then it is deleted again."""
        self._drain()
        pressed = time.perf_counter()
        os.write(self._fd, key.encode())
        took = self.seconds_until(key, pressed)
        os.write(self._fd, _BACKSPACE)
        self._drain()
        return took

    def _drain(self) -> None:
        """Read what is still drawn, until the next key is due."""
        until = time.perf_counter() + _PAUSE
        while (left := until - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                os.read(self._fd, 1 << 16)

    def press(self, key: str) -> None:
        """Press a key whose answer is not measured."""
        os.write(self._fd, key.encode())

    @property
    def most_memory(self) -> int:
        """Bytes of memory that the program has had at most."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    first_screen: float
    keys: float
    memory: int


def _looked(root: Path, cache: Path, text: str) -> _Seen:
    """Start it, type as soon as the text is drawn, and end it."""
    with Terminal(
        [_STACKROOM, str(root)], STACKROOM_NO_STATE="1", STACKROOM_CACHE=str(cache), XDG_CONFIG_HOME=str(cache)
    ) as terminal:
        first = terminal.seconds_until(text, terminal.started)
        terminal.press("/")
        keys = [terminal.latency(letter) for letter in _LETTERS]
        return _Seen(first_screen=first, keys=statistics.median(keys), memory=terminal.most_memory)


def interface(root: Path, size: Size, runs: int) -> list[Fact]:
    """Medians over so many starts, the first of which has an empty cache."""
    title = f"{size.total:,} versions"
    with tempfile.TemporaryDirectory(prefix="stackroom-benchmarks-") as folder:
        cache = Path(folder, "cache")
        building = _looked(root, cache, root.name)
        # Now it is built, at the pace of whoever does not type.
        _looked(root, cache, model_name(0))
        seen = [_looked(root, cache, model_name(0)) for _ in range(runs)]
    first = statistics.median(one.first_screen for one in seen)
    keys = statistics.median(one.keys for one in seen)
    memory = max(one.memory for one in (building, *seen))
    return [
        Fact(title=title, name=FIRST_SCREEN, value=first, unit="s", limit=1.0),
        Fact(title=title, name=KEYS, value=keys * 1000, unit="ms", limit=16),
        Fact(title=title, name=KEYS_MEANWHILE, value=building.keys * 1000, unit="ms", limit=16),
        Fact(title=title, name=MEMORY, value=memory / 1e6, unit="MB", limit=400),
    ]
