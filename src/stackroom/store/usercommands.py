"""Running a command of the user's own with a text on its standard input; never through a shell."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

from stackroom.errors import InvalidInputError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_PATIENCE: Final = 10.0
"""Seconds that a command has to end after SIGTERM, before it is killed."""

_PAUSE: Final = 0.02
"""Seconds between two looks at whether everything that it started has ended."""

_STDERR: Final = 2

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def words_of(command: str) -> list[str]:
    """A command line in words, with quotes as a shell has them and nothing else of a shell.

    Raises:
        UsageError: there are no words, or a quote is open.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--exec {command!r}: {str(error).lower()}") from None
    if not words:
        raise UsageError("--exec names no command")
    return words


def check_there(word: str) -> None:
    """Say no to a command that is nowhere, before it is needed.

    Raises:
        NotFoundError: it is neither a path nor in a folder of ``PATH``.
    """
    if shutil.which(word) is None:
        raise NotFoundError(f"there is no command {word}", facts={"command": word})


def hand(words: list[str], text: str, variables: Mapping[str, str]) -> int:
    """Run a command to its end, and give its exit code, or the negative number of the signal that ended it.

    Its output goes to our stderr: stdout is for what we have to say. It has a session of its own. Where this is
    interrupted, everything in its process group is asked to end, waited for, and killed after ten seconds, so that no
    half of it goes on by itself; what it left running when it ended well is left alone, and so is what put itself into
    another group. To be called in the main thread.

    Args:
        words: the command and its arguments.
        text: for its standard input; it need not read it.
        variables: of the environment, besides our own.

    Raises:
        NotFoundError: there is no such command.
        InvalidInputError: it cannot be run.
    """
    with _held() as held:
        process = _started(words, variables)
        try:
            # From here on an interrupt finds the command, however soon after its start it comes.
            held.release()
            process.communicate(text.encode())
        except BaseException:
            _end(process)
            raise
    return process.returncode


def _started(words: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own command line, and no shell
            words,
            stdin=subprocess.PIPE,
            stdout=_STDERR,
            env={**os.environ, **variables},
            # A terminal's ctrl+c comes to us alone: we pass it on, to all of the command and in one way.
            start_new_session=True,
        )
    except FileNotFoundError:
        raise NotFoundError(f"there is no command {words[0]}", facts={"command": words[0]}) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidInputError(f"cannot run {words[0]}: {reason.lower()}", facts={"command": words[0]}) from None


class _Held:
    """The signals that end us, kept back for a while."""

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before = {number: signal.signal(number, self._keep) for number in _ENDING}

    def _keep(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def release(self) -> None:
        """Let them through, and those that came meanwhile."""
        for number, action in self._before.items():
            signal.signal(number, action)
        self._before = {}
        if self._came:
            signal.raise_signal(self._came.pop())


@contextlib.contextmanager
def _held() -> Iterator[_Held]:
    held = _Held()
    try:
        yield held
    finally:
        held.release()


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        deadline = time.monotonic() + _PATIENCE
        while _is_running(process) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
    finally:
        # Also where a second interrupt comes meanwhile.
        if _is_running(process):
            _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    # That one of them is another user's, by sudo, hinders no signal to the others.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    """Whether anything is left of the command's process group."""
    if process.poll() is None:
        return True
    # The first process of a container inherits orphans, and nobody else would take note of their ends.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-process.pid, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def ending(code: int) -> str:
    """How a command ended, in words."""
    return f"ended with {code}" if code >= 0 else f"was ended by {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
