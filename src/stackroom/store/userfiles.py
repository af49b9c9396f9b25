"""Files of the user's own, outside any registry: what a command is told to read, and what an editor is given.

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
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from stackroom.errors import InvalidInputError, NotFoundError, RegistryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT: Final = "-"
"""The path that means standard input."""

EDITOR_VARIABLES: Final = ("VISUAL", "EDITOR")
"""What names the editor, the first that is set; else ``vi``."""

_EDITED_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a text that comes back from an editor: more than any text of the format, so that the format's own limit
speaks and the text is kept."""


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


@contextmanager
def edited(text: str, suffix: str) -> Iterator[str]:
    """The text as it comes back from the user's editor.

    The file that was edited goes when the block ends well. When the block fails, or the editor does after it changed
    the text, the file stays: the error gets a note that says where, and a ``kept`` fact.

    Args:
        text: what the editor starts with.
        suffix: of the file, such as ``.toml``, by which editors choose their colours.

    Raises:
        UsageError: there is no such editor, or it failed.
        InvalidInputError: what came back is not UTF-8.
    """
    fd, path = tempfile.mkstemp(prefix="stackroom-", suffix=suffix)
    with os.fdopen(fd, "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
    try:
        _run_editor(path)
        yield read_user_file(path, _EDITED_LIMIT).decode()
    except UnicodeDecodeError as error:
        wrong = InvalidInputError(f"the edited text is not UTF-8 at byte {error.start}", facts={"file": path})
        _keep(path, text, wrong)
        raise wrong from None
    except BaseException as error:
        _keep(path, text, error)
        raise
    else:
        _forget(path)


def _run_editor(path: str) -> None:
    named = next((os.environ[name] for name in EDITOR_VARIABLES if os.environ.get(name, "").strip()), "vi")
    try:
        command = [*shlex.split(named), path]
        with _deaf_to_interrupts():
            status = subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own editor, and no shell
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


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Leave ctrl+c to the editor, in which it is a key like any other; the terminal sends it to both."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A function and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _keep(path: str, before: str, error: BaseException) -> None:
    try:
        unchanged = read_user_file(path, _EDITED_LIMIT) == before.encode(errors="surrogateescape")
    except RegistryError:
        unchanged = False
    if unchanged:
        _forget(path)
        return
    if isinstance(error, RegistryError):
        error.facts["kept"] = path
    error.add_note(f"what you typed is kept in {path}")


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
