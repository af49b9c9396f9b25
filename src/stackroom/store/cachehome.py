"""Where a user's caches lie: for one user alone, on a disk of this host, and never in a registry.

What lies there was found out once and can be found out again: deleting it changes no answer. It is private because
whoever could write there could make this user's answers wrong; it is local because a database wants locks that work,
and because asking a server for what saves asking a server saves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import Final

from stackroom.store import layout
from stackroom.store.mounts import file_system_of

CACHE_VARIABLE: Final = "STACKROOM_CACHE"
"""Names the folder itself; empty or ``off`` for no cache at all."""

PATIENCE: Final = 10.0
"""Seconds for which a writer of a cache waits for another, who is done many times a second."""

_OFF: Final = frozenset({"", "off"})
_MODE: Final = 0o700
_SHARED: Final = "/var/tmp"  # noqa: S108 - every user has a folder of his own in it, which is looked at before use
"""Local on every host, and kept over a restart."""

_DAY: Final = 24 * 3600
_UNUSED: Final = 60 * _DAY
"""Seconds after which a file that nobody has used goes: its registry was moved, or its program has another version."""


def cache_folder() -> str | None:
    """The folder for caches, made where it is not there yet; None where none is wanted, or none can be trusted.

    It is ``$STACKROOM_CACHE``, else ``stackroom`` in ``$XDG_CACHE_HOME``, else in ``~/.cache``; where that lies on a
    network file system, or a home cannot be used, ``/var/tmp/stackroom-UID``, unless that lies on one, too. The
    caller's own, and nobody else can write to it or put another in its place; never in a registry. A relative
    ``$STACKROOM_CACHE`` is one below the working directory. Nothing in it is promised to be there the next time.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None and named in _OFF:
        return None
    try:
        wanted = os.path.abspath(os.path.expanduser(named)) if named else _in_home()
    except OSError:
        # The working directory was removed under us.
        return None
    if not os.path.isabs(wanted) or not file_system_of(wanted).local:
        return _aside()
    found = _made(wanted)
    # Who names a folder that cannot be used gets none: caches in another place would be a surprise.
    return found if found is not None or named else _aside()


def _aside() -> str | None:
    # A host without a disk may have /var/tmp from a server, too, and share it with others.
    return _made(os.path.join(_SHARED, f"stackroom-{os.geteuid()}")) if file_system_of(_SHARED).local else None


def _in_home() -> str:
    named = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(named if named.startswith("/") else os.path.expanduser("~/.cache"), "stackroom")


def _made(path: str) -> str | None:
    """The folder's real path, if it is there or can be made, is the caller's alone, and lies in no registry."""
    try:
        if _is_in_registry(os.path.realpath(path)):
            return None
        _make(path)
        real = os.path.realpath(path, strict=True)
        own = os.lstat(real)
        if not stat.S_ISDIR(own.st_mode) or own.st_uid != os.geteuid() or own.st_mode & 0o022:
            return None
        # A symlink under its name in a folder for everybody is somebody's who would choose where the caches lie.
        trusted = _is_safe_way(os.path.dirname(real)) and _is_safe_way(os.path.dirname(os.path.abspath(path)))
        return real if trusted and os.lstat(path).st_uid == own.st_uid and os.access(real, os.W_OK) else None
    except (OSError, ValueError):
        return None


def _make(path: str) -> None:
    """Make it with what is missing above it, in what is the caller's: sudo shall leave nothing in another's home."""
    if os.path.isdir(path):
        return
    nearest = os.path.dirname(path)
    while not os.path.isdir(nearest):
        nearest = os.path.dirname(nearest)
    status = os.stat(nearest)
    if status.st_uid != os.geteuid() and not (status.st_uid == 0 and status.st_mode & stat.S_ISVTX):
        raise PermissionError(errno.EACCES, "it is another user's", nearest)
    os.makedirs(path, _MODE, exist_ok=True)


def _is_in_registry(path: str) -> bool:
    while not os.path.lexists(os.path.join(path, layout.REGISTRY_FILE)):
        if path == "/":
            return False
        path = os.path.dirname(path)
    return True


def _is_safe_way(path: str) -> bool:
    """Whether nobody but root and the caller can rename any folder on the way to a path."""
    while True:
        status = os.stat(path)
        everybody = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid not in {0, os.geteuid()} or everybody:
            return False
        above = os.path.dirname(path)
        if above == path:
            return True
        path = above


def own_file(path: str) -> bool:
    """Whether a file of the cache may be used: a file of the caller's that has no other name.

    It is made, empty and for the caller alone, where there is none: others may be allowed to look into the folder, and
    what a private registry says is not for them. That it is in use is noted once a day.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        return True
    if time.time() - status.st_mtime > _DAY:
        with contextlib.suppress(OSError):
            os.utime(path, follow_symlinks=False)
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_nlink == 1


def remove_unused(folder: str, suffix: str) -> None:
    """Take the files with a suffix away that were not used for two months, and what belongs to them."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            name = entry.name
            if not name.endswith(suffix) or time.time() - entry.stat(follow_symlinks=False).st_mtime < _UNUSED:
                continue
            for part in (f"{entry.path}-wal", f"{entry.path}-shm", entry.path):
                with contextlib.suppress(OSError):
                    os.unlink(part)
