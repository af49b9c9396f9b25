"""Where what can be had again lies: the user's own cache folder, on a disk of this host.

Caches are files that several processes map and change at once, which no network file system stands. So where the cache
folder lies on one, or on what is not known to be local, a folder of the user's below ``/var/tmp`` takes its place.
Whatever is found there is believed only where the user alone could have put it there; else there is no cache, and
nobody is told: everything works without.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Final

from stackroom.store.locate import absolute
from stackroom.store.mounts import file_system_of

CACHE_VARIABLE: Final = "STACKROOM_CACHE"
"""Names the folder of the caches itself; empty or ``off`` for none."""

_OFF: Final = frozenset({"", "off"})
_LOCAL_PARENT: Final = "/var/tmp"  # noqa: S108 - a folder of the user's own is made in it, and checked
_FOLDER_MODE: Final = 0o700


def cache_folder() -> str | None:
    """The folder, made where it is missing; None where there is none that nobody else can write to.

    ``$STACKROOM_CACHE``, else ``stackroom`` in ``$XDG_CACHE_HOME``, else in ``~/.cache``; where that is not on a local
    disk, ``/var/tmp/stackroom-UID``.
    """
    wanted = _wanted()
    if wanted is None:
        return None
    if not file_system_of(wanted).local:
        wanted = f"{_LOCAL_PARENT}/stackroom-{os.geteuid()}"
        if not file_system_of(wanted).local:
            return None
    with contextlib.suppress(OSError, ValueError):
        _make(wanted)
        return wanted
    return None


def _wanted() -> str | None:
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return None if named in _OFF else absolute(os.path.expanduser(named))
    base = os.environ.get("XDG_CACHE_HOME", "")
    base = base if base.startswith("/") else os.path.expanduser("~/.cache")
    # A home that nobody knows leaves the tilde.
    return f"{absolute(base)}/stackroom" if base.startswith("/") else None


def _make(path: str) -> None:
    """Have the folder, private and the caller's own.

    Raises:
        OSError: it is somebody else's, is led elsewhere, or cannot be made.
    """
    parent = os.path.dirname(path)
    if not os.path.isdir(path):
        _check_nearest(parent)
        os.makedirs(parent, mode=_FOLDER_MODE, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _FOLDER_MODE)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        above = os.stat(parent)
    finally:
        os.close(fd)
    mine, trusted = os.geteuid(), {0, os.geteuid()}
    others_may = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    # Whoever owns the folder around it, or may write to it without a sticky bit, could put another in its place.
    replaceable = above.st_uid not in trusted or (
        above.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not above.st_mode & stat.S_ISVTX
    )
    if status.st_uid != mine or others_may or replaceable:
        raise PermissionError(errno.EACCES, "not the caller's alone", path)


def _check_nearest(path: str) -> None:
    """Root with another's home, as sudo leaves it, must not leave folders of root's there.

    Raises:
        PermissionError: the nearest folder that is there is neither the caller's nor one where everybody has his own.
    """
    nearest = path
    while not os.path.isdir(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    status = os.stat(nearest)
    if status.st_uid != os.geteuid() and not status.st_mode & stat.S_ISVTX:
        raise PermissionError(errno.EACCES, "it is another user's home", nearest)
