"""Time that is fair to a busy machine: what somebody waited for a processor does not count.

A limit in seconds says what the program may take. On a machine with more to do than processors it also measures what
the others do, and fails for their sake. Linux counts for every thread how long it could have run and was not let.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


class FairClock:
    """Seconds since it was made, without those that this process, or one of the given ones, waited for a processor.

    On an idle machine that is the time on the wall. Threads that wait at the same moment count twice, so under load a
    limit is looser than it says, never tighter.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = (os.getpid(), *pids)
        self._known: dict[tuple[int, int], int] = {}
        self._started = time.monotonic()
        self._before = self._waited()

    def seconds(self) -> float:
        """How much has passed; asked now and then, it also knows of threads that have ended by then."""
        return time.monotonic() - self._started - (self._waited() - self._before)

    def has_passed(self, seconds: float) -> bool:
        """Whether so much has passed; looks at the threads only once it has on the wall."""
        return time.monotonic() - self._started >= seconds and self.seconds() >= seconds

    def _waited(self) -> float:
        for pid in self._pids:
            for folder in _threads(pid):
                try:
                    fields = (folder / "schedstat").read_text(encoding="ascii").split()
                except OSError:  # it has ended, or this kernel does not count
                    continue
                self._known[pid, int(folder.name)] = int(fields[1])
        return sum(self._known.values()) / 1e9


_PACE_SECONDS = 0.0055
"""What the work of :func:`pace` takes where the limits of the tests were measured: 2 cores of a server, idle."""


def pace() -> float:
    """How many times longer Python's work takes now than where the limits were measured, and at least once as long.

    Limits in seconds of the processor are multiplied by it: neighbours on the same cores take their caches.
    """
    spent = []
    for _ in range(3):
        started = time.process_time()
        texts = {number: (f"v{number}", number) for number in range(20_000)}
        sum(len(text) for text, _ in texts.values())
        spent.append(time.process_time() - started)
    return max(1.0, sorted(spent)[1] / _PACE_SECONDS)


def _threads(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def child_of(pid: int) -> int:
    """The first process that a process has started.

    Raises:
        IndexError: it has none.
    """
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
