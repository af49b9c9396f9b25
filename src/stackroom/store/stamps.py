"""Whether a directory is what it was when it was last listed: its stamp, and when a stamp may be believed.

Every change of the format makes or takes away a name, and that moves the directory's times. But times move in ticks:
two changes within one tick leave one stamp, and a listing between them is wrong for ever, as git knows of its index. So
a stamp is believed only where it was *settled* when the directory was listed: on this host's own file systems its times
were two seconds old by the clock that makes them, elsewhere the same stamp had been seen two seconds before by a clock
that nobody sets. Until then the directory is listed again each time.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final, Self

from stackroom.core.values import dataclass

if TYPE_CHECKING:
    import os

_SETTLED_NS: Final = 2_000_000_000
"""Nanoseconds. The coarsest times that are in use are those of FAT: two seconds."""

_BOOT: Final = "/proc/sys/kernel/random/boot_id"


def boot_id() -> str:
    """Which start of the host this is; empty where nobody can tell."""
    with contextlib.suppress(OSError), open(_BOOT, encoding="ascii") as file:
        return file.read().strip()
    return ""


def stamp_of(status: os.stat_result) -> str:
    """What changes with every name that is made in a directory or taken away, with its mode and with its owner.

    The time of change is part of it because an owner can set the other one.
    """
    return f"{status.st_ino}:{status.st_mtime_ns}:{status.st_ctime_ns}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a look at directories begins.

    Attributes:
        local: whether their times are made by this host's clock.
        now: that clock, in nanoseconds since 1970.
        ticks: nanoseconds since the host was started.
        boot: which start that was.
    """

    local: bool
    now: int
    ticks: int
    boot: str

    @classmethod
    def present(cls, *, local: bool) -> Self:
        """This one."""
        # Where it cannot be told whether the host was started anew, no stamp is ever settled.
        return cls(local=local, now=time.time_ns(), ticks=time.monotonic_ns(), boot="" if local else boot_id())

    def is_settled(self, stamp: str, since: int) -> bool:
        """Whether a directory that is listed from now on may be believed for as long as its stamp stays.

        Args:
            stamp: of the directory, taken before it is listed.
            since: ticks, of this start of the host, at which this stamp was seen first; -1 where it is new.
        """
        if self.local:
            _, modified, changed = stamp.split(":")
            return max(int(modified), int(changed)) + _SETTLED_NS < self.now
        return bool(self.boot) and since >= 0 and self.ticks - since >= _SETTLED_NS
