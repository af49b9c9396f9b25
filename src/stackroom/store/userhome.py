"""Where the user's own settings lie, and what the program remembers between two runs.

Settings are written by a person and only ever read here. What is remembered is written by the program: each file as a
whole, by a temporary name and a rename, for the user alone, so that two processes at once leave one of two good files.
What is read back is bounded and nothing but bytes: whoever asked for it decides whether it makes sense.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from stackroom.errors import NotFoundError
from stackroom.store.folder import explained
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_VARIABLE: Final = "STACKROOM_CONFIG"
"""Names the file of settings itself."""

STATE_LIMIT: Final = 64 * 1024
"""Bytes of one remembered file."""

_FILES_LIMIT: Final = 1000
"""Names of a folder that are looked at."""

_OWN: Final = "stackroom"


def config_path() -> Path:
    """``$STACKROOM_CONFIG``, else ``stackroom/config.toml`` in ``$XDG_CONFIG_HOME``, else in ``~/.config``."""
    from pathlib import Path  # noqa: PLC0415 - as in state_path

    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    return Path(_base("XDG_CONFIG_HOME", "~/.config"), _OWN, "config.toml")


def read_config(path: Path, limit: int) -> bytes | None:
    """The settings; None where nobody has made any.

    Raises:
        NotFoundError: ``$STACKROOM_CONFIG`` names a file that is not there.
        InvalidInputError: it is no regular file, is longer than ``limit`` bytes, or cannot be read.
    """
    from stackroom.store.userfiles import read_user_file  # noqa: PLC0415 - commands that remember start no editor

    try:
        return read_user_file(str(path), limit)
    except NotFoundError:
        if os.environ.get(CONFIG_VARIABLE):
            raise
        return None


def write_config(path: Path, content: bytes) -> None:
    """Write the settings, because the user edited them; a symlink to them stays one.

    Raises:
        RegistryError: they cannot be written; what was there is there.
    """
    from stackroom.store.userfiles import write_user_file  # noqa: PLC0415 - as in read_config

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise explained(error, "make", str(path.parent)) from error
    write_user_file(str(path.resolve()), content, replace=True)


def state_folder() -> str:
    """``stackroom`` in ``$XDG_STATE_HOME``, else in ``~/.local/state``.

    Raises:
        OSError: nobody knows where the home is.
    """
    return os.path.join(_base("XDG_STATE_HOME", "~/.local/state"), _OWN)


def state_path() -> Path:
    """The same as a path; errors as :func:`state_folder`."""
    from pathlib import Path  # noqa: PLC0415 - 5 ms, which every list of models would wait for

    return Path(state_folder())


def read_state(*names: str) -> bytes | None:
    """What was remembered under a name; None where nothing readable of a sane size is there."""
    try:
        fd = os.open(state_path().joinpath(*names), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        content = b""
        while len(content) <= STATE_LIMIT and (part := os.read(fd, STATE_LIMIT + 1)):
            content += part
    except OSError:
        return None
    finally:
        os.close(fd)
    return content if len(content) <= STATE_LIMIT else None


def write_state(content: bytes, *names: str) -> None:
    """Remember something under a name, for the user alone; whoever was faster is replaced as a whole.

    Raises:
        OSError: it cannot be written; what was there is there.
    """
    path = state_path().joinpath(*names)
    check_own_way(path.parent)
    check_own(path.parent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def state_names(folder: str) -> list[str]:
    """The names below a folder of remembered files, sorted; none where it is not there."""
    try:
        with os.scandir(state_path() / folder) as entries:
            found = [entry.name for entry, _ in zip(entries, range(_FILES_LIMIT), strict=False)]
    except OSError:
        return []
    return sorted(name for name in found if not name.startswith("."))


def forget_state(*names: str) -> bool:
    """Remember it no longer; False where it was not there.

    Raises:
        OSError: it cannot be taken away.
    """
    path = state_path().joinpath(*names)
    check_own_way(path.parent)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def check_own(path: str | os.PathLike[str]) -> None:
    """Root with another's HOME, as sudo leaves it, must not leave folders of root's there.

    Args:
        path: of a folder that is to be made; it, or the nearest one above it that is there, has to be the caller's.

    Raises:
        PermissionError: it is somebody else's.
    """
    nearest = os.path.abspath(path)
    while not os.path.isdir(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    if os.stat(nearest).st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "it is another user's home", nearest)


def check_own_way(path: str | os.PathLike[str]) -> None:
    """Root with another's HOME must not be led anywhere by what the other has put there, a symlink for one.

    Args:
        path: below the base of the state; every step from there on, as far as there are any, belongs to the caller or
            to root.

    Raises:
        PermissionError: one is somebody else's.
        OSError: one cannot be looked at.
    """
    step = _base("XDG_STATE_HOME", "~")
    trusted = {0, os.geteuid()}
    for part in ("", *os.path.relpath(path, step).split("/")):
        step = os.path.join(step, part) if part else step
        try:
            owners = {os.stat(step).st_uid, os.lstat(step).st_uid}
        except FileNotFoundError:
            return
        if not owners <= trusted:
            raise PermissionError(errno.EACCES, "it is another user's", step)


def _base(variable: str, fallback: str) -> str:
    """What the variable names, if that is an absolute path, as the XDG specification asks."""
    named = os.environ.get(variable, "")
    found = os.path.expanduser(named if named.startswith("/") else fallback)
    if not os.path.isabs(found):
        raise FileNotFoundError(errno.ENOENT, "nobody knows where the home is", found)
    return found
