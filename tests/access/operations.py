"""What somebody tries: system calls by name, and the command line; run in the child that has become that user.

An operation gets the path of the object and a fresh path in the actor's own folder on the same file system, where he
may lay ready whatever he wants to put into the registry's place.
"""

from __future__ import annotations

import codecs
import ctypes
import importlib
import io
import os
import stat
import struct
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.catalog import COMMANDS
from stackroom.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2): both names swap what they name, in one step."""
_HERE: Final = -100
"""AT_FDCWD."""
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

# What a command loads when it is called: the children cannot read an interpreter that lies below root's own folder.
codecs.lookup("ascii")
for _module, _line in COMMANDS.values():
    if _module:
        importlib.import_module(f"stackroom.cli.commands.{_module}")


def _material(like: str, own: str) -> str:
    """Something of one's own of the kind that is there, so that a refusal is not about the kind."""
    try:
        mode = os.lstat(like).st_mode
    except OSError:
        mode = stat.S_IFLNK
    if stat.S_ISDIR(mode):
        os.mkdir(own, 0o755)
    elif stat.S_ISREG(mode):
        _write(own)
    else:
        os.symlink("planted", own)
    return own


def _write(path: str) -> None:
    with open(path, "x", encoding="utf-8") as stream:
        stream.write("planted")


def _below(path: str) -> str:
    return f"{path}/planted"


def _open(path: str, flags: int) -> None:
    os.close(os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK))


def _exchange(path: str, own: str) -> None:
    mine = _material(path, own)
    if _LIBC.renameat2(_HERE, mine.encode(), _HERE, path.encode(), _EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def acl(*entries: tuple[int, int, int]) -> bytes:
    """The value of ``system.posix_acl_access``: tag, permissions, id."""
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, bits, who & 0xFFFFFFFF) for tag, bits, who in entries
    )


def everybody_and(uid: int) -> bytes:
    """An access list that gives one user everything, and everybody else reading."""
    return acl((0x01, 7, -1), (0x02, 7, uid), (0x04, 5, -1), (0x10, 7, -1), (0x20, 5, -1))


def _symlink_in(path: str, own: str) -> None:
    os.symlink(own, _below(path))


def _file_in(path: str, _own: str) -> None:
    _write(_below(path))


def _mkdir_in(path: str, _own: str) -> None:
    os.mkdir(_below(path))


def _link_in(path: str, own: str) -> None:
    _write(own)
    os.link(own, _below(path))


def _rename_in(path: str, own: str) -> None:
    _write(own)
    os.rename(own, _below(path))


def _rename_dir_in(path: str, own: str) -> None:
    os.mkdir(own)
    os.rename(own, _below(path))


CALLS: Final[dict[str, Callable[[str, str], Any]]] = {
    "rename-away": lambda path, _own: os.rename(path, f"{path}.away"),
    "rename-out": os.rename,
    "rename-over": lambda path, own: os.rename(_material(path, own), path),
    "exchange": _exchange,
    "unlink": lambda path, _own: os.unlink(path),
    "rmdir": lambda path, _own: os.rmdir(path),
    "link-out": lambda path, own: os.link(path, own, follow_symlinks=False),
    "open-truncating": lambda path, _own: _open(path, os.O_WRONLY | os.O_TRUNC),
    "open-appending": lambda path, _own: _open(path, os.O_WRONLY | os.O_APPEND),
    "truncate": lambda path, _own: os.truncate(path, 0),
    "chmod": lambda path, _own: os.chmod(path, 0o777),
    "chown": lambda path, _own: os.chown(path, os.getuid(), -1, follow_symlinks=False),
    "chgrp": lambda path, _own: os.chown(path, -1, os.getgid(), follow_symlinks=False),
    "utimens": lambda path, _own: os.utime(path, (1, 1), follow_symlinks=False),
    "setxattr": lambda path, _own: os.setxattr(path, "user.planted", b"1", follow_symlinks=False),
    "setfacl": lambda path, _own: os.setxattr(path, "system.posix_acl_access", everybody_and(os.getuid())),
    "symlink-in": _symlink_in,
    "create-in": _file_in,
    "mkdir-in": _mkdir_in,
    "link-in": _link_in,
    "rename-in": _rename_in,
    "rename-dir-in": _rename_dir_in,
}
"""System calls by name; ``-in`` puts something into the folder that the object is."""


def command(argv: list[str]) -> dict[str, Any]:
    """The command line in this process: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(argv, lambda _paths: 0)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}
