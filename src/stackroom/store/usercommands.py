"""Running a command of the user's own with a text on its standard input; never through a shell."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from stackroom.errors import InvalidInputError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE: Final = 10.0
"""Seconds that a command has to end after SIGTERM, before it is killed."""

_STDERR: Final = 2


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

    Its output goes to our stderr: stdout is for what we have to say. Where this is interrupted the command is asked to
    end, and waited for, so that no half of it goes on by itself.

    Args:
        words: the command and its arguments.
        text: for its standard input; it need not read it.
        variables: of the environment, besides our own.

    Raises:
        NotFoundError: there is no such command.
        InvalidInputError: it cannot be run.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command line, and no shell
            words, stdin=subprocess.PIPE, stdout=_STDERR, env={**os.environ, **variables}
        )
    except FileNotFoundError:
        raise NotFoundError(f"there is no command {words[0]}", facts={"command": words[0]}) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidInputError(f"cannot run {words[0]}: {reason.lower()}", facts={"command": words[0]}) from None
    try:
        process.communicate(text.encode())
    except BaseException:
        _end(process)
        raise
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ending(code: int) -> str:
    """How a command ended, in words."""
    return f"ended with {code}" if code >= 0 else f"was ended by {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
