"""Files of the user's own, outside any registry: what is read and written on request, and what an editor is given.

What is not promised: that a file stays as it was read. What is: nothing that somebody typed into an editor is lost. The
text lies in a private file until everything that was to be done with it has been done, and where that fails the error
says where the file is.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, RegistryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STANDARD_INPUT: Final = "-"
"""The path that means standard input."""

EDITOR_VARIABLES: Final = ("VISUAL", "EDITOR")
"""What names the editor, the first that is set; else ``vi``."""

_EDITED_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a text that comes back from an editor: more than any text of the format, so that the format's own limit
speaks and the text is kept."""


def stand_in_for_closed_streams() -> None:
    """Put something in the place of the standard streams that are closed, before a file of ours gets their numbers.

    stdin and stdout then fail when they are used, as closed ones do; what goes to stderr vanishes.
    """
    # The lowest free number is given, so that each stand-in gets the number of what it stands in for.
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY), "r", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)


def drain(stream: TextIO) -> None:
    """Let what a stream that cannot be written still holds go nowhere, so that the end of the process does not fail."""
    # A stream that is no file, as in a test, has nothing to drain.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def read_user_file(path: str, limit: int) -> bytes:
    """The content of a file that the user named; ``-`` is standard input.

    Raises:
        NotFoundError: it is not there.
        InvalidInputError: it is no regular file or FIFO, is longer than ``limit`` bytes, or cannot be read.
    """
    facts = {"file": path}
    try:
        if path == STANDARD_INPUT:
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with open(path, "rb") as file:
                if stat.S_ISBLK(os.fstat(file.fileno()).st_mode):
                    raise InvalidInputError(f"{path} is a device", facts=facts)
                content = file.read(limit + 1)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", facts=facts) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidInputError(f"cannot read {path}: {reason.lower()}", facts=facts) from None
    if len(content) > limit:
        raise InvalidInputError(f"{path} holds more than {limit:,} bytes", facts=facts)
    return content


def write_user_file(path: str, content: bytes, *, replace: bool = False) -> str:
    """Write a file where the user asked for it, whole or not at all; returns its path with ``~`` spelled out.

    Args:
        path: where; ``~`` is the user's home.
        content: of the file.
        replace: put it in the place of a regular file that is there; another kind of thing is never replaced.

    Raises:
        UsageError: there is no path.
        ConflictError: something is there already.
        NotFoundError: its folder is not there.
        InvalidInputError: it cannot be written.
    """
    target = os.path.expanduser(path)
    facts = {"file": target}
    if not target or target.endswith("/"):
        raise UsageError("name a file to write", facts=facts)
    try:
        if replace and os.path.isfile(target):
            _write_over(target, content)
        else:
            _write_new(target, content)
    except FileExistsError:
        raise ConflictError(f"{target} is there already", facts=facts) from None
    except FileNotFoundError:
        raise NotFoundError(f"there is no folder {os.path.dirname(target)}", facts=facts) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidInputError(f"cannot write {target}: {reason.lower()}", facts=facts) from None
    return target


def _write_new(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
    except BaseException:
        _forget(path)
        raise


def _write_over(path: str, content: bytes) -> None:
    """What was there stays until all of the new content is on the disk; its mode stays."""
    import tempfile  # noqa: PLC0415 - 4 ms, which commands that write no file of the user's do not wait for

    path = os.path.realpath(path)
    fd, fresh = tempfile.mkstemp(prefix=".stackroom-", dir=os.path.dirname(path))
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(fd, stat.S_IMODE(os.stat(path).st_mode))
            os.fsync(fd)
        os.replace(fresh, path)
    except BaseException:
        _forget(fresh)
        raise


@contextmanager
def edited(text: str, suffix: str) -> Iterator[str]:
    """The text as it comes back from the user's editor.

    The file that was edited goes when the block ends well. When the block fails, or the editor does after it changed
    the text, the file stays: the error gets a note that says where, and a ``kept`` fact.

    Args:
        text: what the editor starts with.
        suffix: of the file, such as ``.toml``, by which editors choose their colours.

    Raises:
        UsageError: there is no such editor, it failed, or it left no file.
        InvalidInputError: what came back is not UTF-8, or says nothing where the text said something.
    """
    path = _private_file(text, suffix)
    try:
        with _told_to_end():
            _run_editor(path)
            after = _what_is_left(path).decode()
            _check_not_emptied(text, after, suffix)
            yield after
    except UnicodeDecodeError as error:
        wrong = InvalidInputError(f"the edited text is not UTF-8 at byte {error.start}", facts={"file": path})
        _keep(path, text, wrong)
        raise wrong from None
    except BaseException as error:
        _keep(path, text, error)
        raise
    else:
        _forget(path)


@contextmanager
def kept_on_failure(text: str, suffix: str) -> Iterator[None]:
    """A block that does something with a text that lies nowhere else, such as one from standard input.

    When the block fails, the text is put into a private file that the error names, as :func:`edited` does.
    """
    try:
        with _told_to_end():
            yield
    except BaseException as error:
        try:
            path = _private_file(text, suffix)
        except RegistryError as trouble:
            error.add_note(str(trouble))
        else:
            _say_kept(path, error)
        raise


def keep_text(text: str, suffix: str) -> str:
    """Put a text that lies nowhere else into a new file that only the user can read; returns its path.

    Raises:
        InvalidInputError: it cannot be made, or the disk is full.
    """
    return _private_file(text, suffix)


def forget_text(path: str) -> None:
    """Take away a file in which a text was kept that lies elsewhere by now."""
    _forget(path)


def paths_like(beginning: str) -> list[str]:
    """The files and folders that the beginning of a path may become, folders with a slash at the end; in order.

    Args:
        beginning: as typed; ``~`` is the user's home. What starts with a dot is named only where a dot was typed.
    """
    typed, _, name = beginning.rpartition("/")
    folder = f"{typed}/" if typed or beginning.startswith("/") else ""
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            return sorted(
                f"{folder}{entry.name}{'/' * entry.is_dir()}"
                for entry in entries
                if entry.name.startswith(name) and (name or not entry.name.startswith("."))
            )
    except (OSError, ValueError):
        return []


def _private_file(text: str, suffix: str) -> str:
    """A new file that only the user can read.

    Raises:
        InvalidInputError: it cannot be made, or the disk is full.
    """
    import tempfile  # noqa: PLC0415 - as above

    path = ""
    try:
        fd, path = tempfile.mkstemp(prefix="stackroom-", suffix=suffix)
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode(errors="surrogateescape"))
    except OSError as error:
        if path:
            _forget(path)
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(
            f"cannot make a file for your text in {tempfile.gettempdir()}: {reason}",
            hint="set TMPDIR to a folder with some space",
        ) from None
    return path


def _run_editor(path: str) -> None:
    named = next((os.environ[name] for name in EDITOR_VARIABLES if os.environ.get(name, "").strip()), "")
    if not named and not (os.isatty(0) and os.isatty(1)):
        # An editor that somebody named may need no terminal; vi would write to the pipe, and read from it.
        raise UsageError(
            "there is no terminal for an editor",
            hint="set $EDITOR to one that needs none, or name the change: --set FIELD=VALUE, --card FILE",
        )
    named = named or "vi"
    try:
        status = _ran([*shlex.split(named), path])
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(
            f"the editor {named!r} cannot be run: {reason.lower()}",
            hint="set $EDITOR to the name of one, or use --set key=value",
            facts={"editor": named},
        ) from None
    if status != 0:
        raise UsageError(
            f"the editor {named!r} ended with {status}, so nothing was changed",
            facts={"editor": named, "status": status},
        )


def _ran(command: list[str]) -> int:
    """Run the editor; returns its status.

    ctrl+c is the editor's, in which it is a key like any other; the terminal sends it to both. Who is told to end
    while the editor is open tells the editor, which saves what it holds or not, as it always does, and then ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own editor, and no shell
    told: list[int] = []
    with subprocess.Popen(command) as editor:  # noqa: S603 - the user's own editor, and no shell

        def pass_on(number: int, _frame: object) -> None:
            told.append(number)
            editor.send_signal(number)

        # Functions and not SIG_IGN, which the editor would inherit.
        with _answering(dict.fromkeys(_ENDING, pass_on) | {signal.SIGINT: lambda _number, _frame: None}):
            status = editor.wait()
    if told:
        raise KeyboardInterrupt
    return status


_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
"""What a process is told to end with: by a person, or by a terminal that goes."""


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Take a request to end for ctrl+c, so that what was typed is kept, and told, on the way out."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    with _answering(dict.fromkeys(_ENDING, interrupt)):
        yield


@contextmanager
def _answering(handlers: Mapping[signal.Signals, Callable[[int, object], None]]) -> Iterator[None]:
    """Answer signals in another way for a while; one that is ignored, as after ``nohup``, stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}
    try:
        for number, handler in handlers.items():
            if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _what_is_left(path: str) -> bytes:
    """The content of the file after the editor had it; never waits for a writer.

    Raises:
        UsageError: the editor left no file there.
        InvalidInputError: it is longer than any text of the format, or cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise _nothing_left(path)
            content = _read_all(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if not os.path.isfile(path):
            raise _nothing_left(path) from None
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"cannot read {path}: {reason}", facts={"file": path}) from None
    if len(content) > _EDITED_LIMIT:
        raise InvalidInputError(f"{path} holds more than {_EDITED_LIMIT:,} bytes", facts={"file": path})
    return content


def _read_all(fd: int) -> bytes:
    """What an open file holds, and no more than one byte over the limit."""
    with os.fdopen(os.dup(fd), "rb") as file:
        return file.read(_EDITED_LIMIT + 1)


def _nothing_left(path: str) -> UsageError:
    return UsageError(f"nothing was changed: the editor left no file at {path}", facts={"file": path})


def _check_not_emptied(before: str, after: str, suffix: str) -> None:
    """Take a text that was emptied for a change of mind, as other tools do that open an editor.

    Raises:
        InvalidInputError: nothing is left of something.
    """
    if _says_something(before, suffix) and not _says_something(after, suffix):
        raise InvalidInputError(
            "nothing was changed: the text is empty",
            hint="to take a field away: stackroom edit REF --unset FIELD" if suffix == ".toml" else "",
        )


def _says_something(text: str, suffix: str) -> bool:
    """Whether there is more than white space; in TOML, more than comments."""
    lines = (line.strip() for line in text.splitlines())
    return any(line and not (suffix == ".toml" and line.startswith("#")) for line in lines)


def _keep(path: str, before: str, error: BaseException) -> None:
    """Say where the typed text is; where there is none, leave nothing behind."""
    try:
        content = _what_is_left(path)
    except RegistryError:
        if not os.path.isfile(path):
            return
    else:
        old = before.encode(errors="surrogateescape")
        if content == old or not _typed_in(content, old):
            _forget(path)
            return
    _say_kept(path, error)


def _say_kept(path: str, error: BaseException) -> None:
    if isinstance(error, RegistryError):
        error.facts["kept"] = path
    error.add_note(f"what you typed is kept in {path}")


def _typed_in(content: bytes, before: bytes) -> bool:
    """Whether a text has anything worth keeping: more than comments that were there before, or white space."""
    known = set(before.split(b"\n"))
    lines = [line for line in content.split(b"\n") if line.strip()]
    return any(line not in known or not line.startswith(b"#") for line in lines)


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
