"""On what kind of file system a path lies, as ``/proc/self/mountinfo`` tells it.

Python's ``statvfs`` has no type, and ``st_dev`` misleads on btrfs. What is not known to be local is taken to be remote:
polling a local disk costs little, and trusting inotify on a network file system shows nothing at all.
"""

from __future__ import annotations

import os
import re
from typing import Final

from stackroom.core.values import dataclass

_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "zfs", "overlay", "ramfs", "bcachefs"}
)

MOUNT_TABLE: Final = "/proc/self/mountinfo"


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A mounted file system.

    Attributes:
        type: as the kernel names it.
        mount_point: where it is mounted.
        local: whether it is on this host.
        options: of the mount and of the file system, such as ``ro`` and ``sec=sys``.
    """

    type: str
    mount_point: str
    local: bool
    options: frozenset[str] = frozenset()


def file_system_of(path: str) -> FileSystem:
    """The file system that holds a path; of unknown type, and remote, where that cannot be found out."""
    wanted = os.path.realpath(path)
    best = FileSystem("unknown", "", local=False)
    try:
        with open(MOUNT_TABLE, encoding="utf-8", errors="surrogateescape") as table:
            lines = table.readlines()
    except OSError:
        return best
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 6 or not after:
            continue
        point = _unescaped(fields[4])
        inside = wanted == point or wanted.startswith(point.rstrip("/") + "/")
        # Later lines cover earlier ones at the same place.
        if inside and len(point) >= len(best.mount_point):
            kind, *more = after.split()
            options = frozenset(",".join([fields[5], *more[-1:]]).split(","))
            best = FileSystem(kind, point, local=kind in _LOCAL, options=options)
    return best


def _unescaped(text: str) -> str:
    """The kernel writes space, tab, line feed and backslash as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
