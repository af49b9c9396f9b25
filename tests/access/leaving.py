"""Somebody who is in a group when he opens a folder, and not any more when he uses the descriptor."""

from __future__ import annotations

import errno
import os
import warnings
from typing import TYPE_CHECKING

from support.users import become

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.users import User


def through_an_old_descriptor(folder: str, own: str, *, before: User, after: User) -> dict[str, str]:
    """Open a folder as a member, leave the group, and try everything with the descriptor, in one process.

    Args:
        folder: of a stage.
        own: the name in it of an event of one's own.
        before: with the group.
        after: without it.

    Returns:
        For each call the name of its error, or ``succeeded``.
    """
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads held over a fork: the child takes none
        pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            os.write(writer, _leave_and_try(folder, own, before, after).encode())
        finally:
            os._exit(0)  # without pytest's atexit and finally blocks, which belong to the parent
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return dict(pair.split("=") for pair in text.split())


def _leave_and_try(folder: str, own: str, before: User, after: User) -> str:
    os.setgroups(list(before.groups))
    os.setegid(before.gid)
    os.seteuid(before.uid)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    # At this moment it is allowed, or the refusals below would say nothing.
    os.symlink("made=before", "before", dir_fd=descriptor)
    os.unlink("before", dir_fd=descriptor)
    os.fchdir(descriptor)
    os.seteuid(0)
    become(after, 0o022)
    tries: dict[str, Callable[[], object]] = {
        "symlinkat": lambda: os.symlink("made=after", "fraud@5", dir_fd=descriptor),
        "symlink": lambda: os.symlink("made=after", "fraud@5"),
        "mkdirat": lambda: os.mkdir("fraud@5", dir_fd=descriptor),
        "openat": lambda: os.open("fraud@5", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor),
        "linkat": lambda: os.link(own, "fraud@5", src_dir_fd=descriptor, dst_dir_fd=descriptor, follow_symlinks=False),
        "renameat": lambda: os.rename(own, "fraud@5", src_dir_fd=descriptor, dst_dir_fd=descriptor),
        "unlinkat": lambda: os.unlink(own, dir_fd=descriptor),
        "fchmod": lambda: os.fchmod(descriptor, 0o777),
        "fchown": lambda: os.fchown(descriptor, after.uid, -1),
    }
    return " ".join(f"{name}={_tried(call)}" for name, call in tries.items())


def _tried(call: Callable[[], object]) -> str:
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "succeeded"
