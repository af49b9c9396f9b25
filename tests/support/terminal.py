"""A real terminal without a person: tmux on a socket of its own, so that nobody's sessions are seen or touched.

Tests that use this module carry the marker ``tmux``. Waiting is always for something and always ends: the screen is
read again until it shows what was asked for or the deadline has passed, and then the failure prints the screen.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from support.fair import child_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

_PAUSE_SECONDS = 0.02
"""Between two looks at the screen; one look costs tmux about 3 ms."""


class Tmux:
    """One program in one terminal of a known size; a context manager that always takes the server down."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        directory: str | os.PathLike[str] | None = None,
    ) -> None:
        """Start ``command``; ``environment`` replaces the caller's, but for ``TERM``, which tmux sets."""
        self._socket = f"stackroom-{uuid.uuid4().hex}"
        env = dict(os.environ if environment is None else environment)
        for name in ("TMUX", "TMUX_PANE"):
            env.pop(name, None)
        self._environment = env
        # Not tmux's own word: it sometimes misses the end of a program, and then never tells the status.
        self._folder = tempfile.TemporaryDirectory(prefix="stackroom-tmux-")
        self._status = Path(self._folder.name, "status")
        script = '"$@"; echo $? >"$0.new"; mv "$0.new" "$0"'
        command = ["sh", "-c", script, str(self._status), *command]
        self._tmux(
            *("start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"),
            *("set-option", "-g", "status", "off", ";"),
            *("new-session", "-d", "-x", str(columns), "-y", str(rows)),
            *("-c", os.fspath(directory if directory is not None else os.getcwd()), shlex.join(command)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, *keys: str) -> None:
        """Press keys by tmux's names: ``"j"``, ``"Enter"``, ``"C-p"``, ``"Escape"``."""
        self._tmux("send-keys", "--", *keys)

    def type(self, text: str) -> None:
        """Type ``text`` literally: no word in it is the name of a key."""
        self._tmux("send-keys", "-l", "--", text)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as a person who drags the corner of the window."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, styles: bool = False) -> str:
        """The rows of the screen, without trailing blanks; with ``styles``, escape sequences included."""
        return self._tmux("capture-pane", "-p", *(("-e",) if styles else ()))

    def pids(self) -> tuple[int, int]:
        """Of tmux and of the program: what has to run before something can be seen."""
        server, shell = self._tmux("display-message", "-p", "#{pid} #{pane_pid}").split()
        return int(server), child_of(int(shell))

    def wait_for(self, wanted: str | Callable[[str], bool], timeout: float = 15.0) -> str:
        """The first screen that contains a text or satisfies a predicate.

        Raises:
            AssertionError: when ``timeout`` seconds have passed; it shows the last screen.
        """
        deadline = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if wanted in screen if isinstance(wanted, str) else wanted(screen):
                return screen
            if time.monotonic() >= deadline:
                message = f"not on the screen within {timeout} s: {wanted!r}\n{screen}"
                raise AssertionError(message)
            time.sleep(_PAUSE_SECONDS)

    def wait_for_exit(self, timeout: float = 15.0) -> int:
        """The exit status of the program, 128 + the number of the signal that killed it.

        Raises:
            AssertionError: when it still runs after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            if self._status.exists():
                return int(self._status.read_text(encoding="ascii"))
            if time.monotonic() >= deadline:
                message = f"still running after {timeout} s\n{self.screen()}"
                raise AssertionError(message)
            time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Take the server and the program down; a second call does nothing."""
        command = ["tmux", "-L", self._socket, "kill-server"]
        subprocess.run(command, env=self._environment, check=False, capture_output=True)
        self._folder.cleanup()

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-u", "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=self._environment, check=False, capture_output=True, text=True)
        if done.returncode:
            message = f"tmux {shlex.join(arguments)}: {done.stderr.strip()}"
            raise RuntimeError(message)
        return done.stdout
