"""Running a guard's program: only one that the steward alone can have put there, and only for so long.

Whoever can write the program, a folder on the way to it, or the ``registry.toml`` that names it, would have it run by
everybody who moves a version. So each of them is opened without following symlinks, and checked; and the program is
run through the descriptor that was checked, because a path may lead elsewhere a moment later.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import stat
import subprocess
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from stackroom.core.text import visible
from stackroom.core.verdicts import Ran
from stackroom.store import layout
from stackroom.store.digest import Progress, silent
from stackroom.store.folder import Folder
from stackroom.store.trust import ROOT, Open, open_to_others, open_ways, stewards

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTPUT_KEPT: Final = 16 * 1024
"""Bytes of a program's output that are kept: the last ones, where the verdict usually stands."""

_OUTPUT_SHOWN: Final = 600
"""Characters of it that the verdict shows."""

_CHUNK: Final = 64 * 1024
"""Bytes that are read at once: what a pipe holds, usually."""

_CHUNKS_LEFT: Final = 16
"""How many are read after the end: a pipe holds 1 MiB at most (``pipe-max-size``)."""

_PAUSE: Final = 0.02
"""Seconds between two looks at whether the program has ended."""


class _UnsafeError(Exception):
    """Somebody else could have put it there, or it cannot be run; the text says which path and why."""

    def __init__(self, path: str, why: str, advice: str = "") -> None:
        super().__init__(f"{path} {why}")
        self.advice = advice


def run_program(root: Folder, words: Sequence[str], *, seconds: float, progress: Progress = silent) -> Ran:
    """Run a guard's program in the registry's folder, and say how it ended.

    It gets an environment of three variables, no input, and a process group of its own that is killed at the end. What
    it prints is bounded, and made harmless.

    Args:
        root: the registry.
        words: the program, below the root unless it begins with ``/``, and its arguments.
        seconds: after which it is killed.
        progress: is asked, with 0 bytes, whether to go on; where it raises, the program is killed.
    """
    try:
        with contextlib.ExitStack() as opened:
            trusted = _trusted(root)
            program = _checked(root, words, opened, trusted)
            process = _started(root, words, program)
            return _verdict(process, seconds, progress)
    except _UnsafeError as error:
        return Ran(passed=False, seen=f"not run: {error}", advice=error.advice)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Ran(passed=False, seen=f"not run: {visible(str(error.filename or words[0]))}: {why}")


# --- whether it may be run


def why_not_run(root: Folder, words: Sequence[str]) -> tuple[str, str]:
    """Why people who move versions could not have a guard's program run, and what to do about it; else two empty texts.

    Args:
        root: the registry.
        words: the program, below the root unless it begins with ``/``, and its arguments.
    """
    try:
        with contextlib.ExitStack() as opened:
            _checked(root, words, opened, stewards(root))
    except _UnsafeError as error:
        return str(error), error.advice
    except OSError as error:
        return f"{error.filename or words[0]}: {(error.strerror or str(error)).lower()}", ""
    return "", ""


def _checked(root: Folder, words: Sequence[str], opened: contextlib.ExitStack, trusted: frozenset[int]) -> int:
    """A descriptor of the program, after everything on the way to it and to its arguments was looked at.

    Raises:
        _UnsafeError: it must not be run.
    """
    # Whoever can put another folder in the registry's place decides what is its program, and who its steward.
    _refuse(next(open_ways(root.path, trusted), None))
    _check(root.fd, root.path, trusted)
    _check(_file(root, layout.REGISTRY_FILE, opened), f"{root.path}/{layout.REGISTRY_FILE}", trusted)
    for word in words[1:]:
        _check_argument(root, word, trusted)
    folder, program = root, words[0]
    *folders, name = program.removeprefix("/").split("/")
    if program.startswith("/"):
        folder = opened.enter_context(Folder.open("/"))
        folder.path = ""
        _check(folder.fd, "/", trusted)
    for part in folders:
        path = f"{folder.path}/{part}"
        try:
            folder = opened.enter_context(folder.child(part))
        except OSError as error:
            raise _UnsafeError(path, _why_not_opened(error, "a folder")) from None
        _check(folder.fd, path, trusted)
    fd = _file(folder, name, opened)
    path = f"{folder.path}/{name}"
    _check(fd, path, trusted)
    if not os.fstat(fd).st_mode & 0o111:
        raise _UnsafeError(path, "is not executable", f"ask the steward: chmod +x {shlex.quote(path)}")
    return fd


def _check_argument(root: Folder, word: str, trusted: frozenset[int]) -> None:
    """Say no to an argument that names a file of the registry's which others could have written: a script, perhaps.

    What lies below ``models/`` is left out: it is what the program shall look at, and its author wrote it.

    Raises:
        _UnsafeError: with the path and the reason.
    """
    below = _below(root, word)
    if below is None or below.parts[:1] == (layout.MODELS,):
        return
    with contextlib.ExitStack() as opened:
        folder = root
        for at, part in enumerate(below.parts, start=1):
            path = f"{folder.path}/{part}"
            try:
                mode = folder.lstat(part).st_mode
            except OSError:
                return  # it names nothing
            if not stat.S_ISDIR(mode):
                if at == len(below.parts) or stat.S_ISLNK(mode):
                    _check(_file(folder, part, opened), path, trusted)
                return
            folder = opened.enter_context(folder.child(part))
            _check(folder.fd, path, trusted)


def _below(root: Folder, word: str) -> PurePosixPath | None:
    """What a word names below the registry's root, if it names something there."""
    if "\0" in word:
        return None
    for base, path in (
        (root.path, os.path.join(root.path, word)),
        (os.path.realpath(root.path), os.path.realpath(word)),
    ):
        found = PurePosixPath(os.path.relpath(os.path.normpath(path), base))
        if found.parts and found.parts[0] != "..":
            return found
    return None


def _trusted(root: Folder) -> frozenset[int]:
    """Whose things may be run: the steward's and root's; by root only root's own, or the steward would be root."""
    return frozenset({ROOT}) if os.geteuid() == ROOT else stewards(root)


def _file(folder: Folder, name: str, opened: contextlib.ExitStack) -> int:
    try:
        fd = folder.open_file(name)
    except OSError as error:
        raise _UnsafeError(f"{folder.path}/{name}", _why_not_opened(error, "a regular file")) from None
    opened.callback(os.close, fd)
    return fd


def _why_not_opened(error: OSError, wanted: str) -> str:
    import errno  # noqa: PLC0415 - only for the one who has to be told

    if error.errno in {errno.ELOOP, errno.EINVAL, errno.ENOTDIR}:
        return f"is not {wanted}: symlinks and other things are not followed on the way to a guard's program"
    return f"cannot be opened: {(error.strerror or str(error)).lower()}"


def _check(fd: int, path: str, trusted: frozenset[int]) -> None:
    """Say no where somebody but the trusted could have written this.

    Raises:
        _UnsafeError: with the path and the reason.
    """
    _refuse(open_to_others(fd, path, trusted))


def _refuse(found: Open | None) -> None:
    if found:
        raise _UnsafeError(found.path, found.why, found.advice)


# --- running it


def _started(root: Folder, words: Sequence[str], program: int) -> subprocess.Popen[bytes]:
    path = words[0] if words[0].startswith("/") else f"{root.path}/{words[0]}"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "STACKROOM_COMMAND": path}
    try:
        # Through the descriptors: neither the program nor the folder can be another than was checked. An interpreter
        # that is named by #! opens the same descriptor, which is why it stays open in the child.
        return subprocess.Popen(  # noqa: S603 - the steward's own program, checked above; no shell
            [path, *words[1:]],
            executable=f"/proc/self/fd/{program}",
            pass_fds=(program,),
            cwd=f"/proc/self/fd/{root.fd}",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise _UnsafeError(path, f"cannot be started: {why}", "does its #! line name a program?") from None


def _verdict(process: subprocess.Popen[bytes], seconds: float, progress: Progress) -> Ran:
    output = bytearray()
    try:
        in_time = _wait(process, output, time.monotonic() + seconds, progress)
    finally:
        # Before it is reaped: until then nobody else can have the number of its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdout:
            process.stdout.close()
        process.wait()
    said = _shown(bytes(output))
    if not in_time:
        return Ran(passed=False, seen=f"took longer than {seconds:g} s and was killed{said}", advice=_ASK)
    passed = process.returncode == 0
    return Ran(passed=passed, seen=f"{_ended(process.returncode)}{said}", advice="" if passed else _ASK)


_ASK: Final = "put right what it says, or ask the steward, whose rule it is"


def _ended(code: int) -> str:
    return f"ended with {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


def _wait(process: subprocess.Popen[bytes], output: bytearray, deadline: float, progress: Progress) -> bool:
    """Read what it prints until it ends; False where it did not in time. It is not reaped."""
    stream = process.stdout
    if stream is None:
        return False
    os.set_blocking(stream.fileno(), False)
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    reading = True
    while time.monotonic() < deadline:
        progress(0)
        if reading and poll.poll(_PAUSE * 1000):
            reading = _take(stream.fileno(), output)
        elif not reading:
            time.sleep(_PAUSE)
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            # What is in the pipe yet; not to its end, which a child that lives on may hold open.
            for _ in range(_CHUNKS_LEFT):
                if not reading or not poll.poll(0) or not _take(stream.fileno(), output):
                    break
            return True
    return False


def _take(fd: int, output: bytearray) -> bool:
    """Read what there is, and keep the end of it; False at the end of file."""
    chunk = os.read(fd, _CHUNK)
    output += chunk
    del output[:-_OUTPUT_KEPT]
    return bool(chunk)


def _shown(output: bytes) -> str:
    """The end of an output as one line that does nothing to a terminal."""
    lines = (visible(line.strip()) for line in output.decode(errors="surrogateescape").splitlines())
    text = " | ".join(line for line in lines if line)
    if len(text) > _OUTPUT_SHOWN:
        text = "…" + text[-_OUTPUT_SHOWN:]
    return f": {text}" if text else ""
