"""How long things take: in fresh processes, side by side with what they are measured against.

A machine that is shared makes absolute numbers worthless, so a measurement is always a ratio: the two commands take
turns, and the medians are compared.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CACHES: Final = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long the runs of one thing took, in seconds."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one: a run that the machine disturbed counts for nothing."""
        return statistics.median(self.runs)

    def __str__(self) -> str:
        return f"{self.median * 1000:,.1f} ms" if self.median < 10 else f"{self.median:,.1f} s"


def environment(**changes: str) -> dict[str, str]:
    """This process's variables with some others."""
    variables = {**os.environ, **changes}
    # An installed program has its bytecode: where Python may not write it, every run would compile the source.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


def process(argv: Sequence[str], **changes: str) -> Callable[[], float]:
    """One run of a command in a fresh process, its output read and thrown away.

    Raises:
        subprocess.CalledProcessError: it failed: nothing that fails is fast.
    """
    variables = environment(**changes)

    def run() -> float:
        started = time.perf_counter()
        done = subprocess.run(argv, capture_output=True, env=variables, check=False)
        took = time.perf_counter() - started
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, argv, done.stdout[-500:], done.stderr[-2000:])
        return took

    return run


def shell(line: str) -> Callable[[], float]:
    """One run of a line of shell; fails if any part of a pipe fails, but for a reader that left early."""
    return process(["bash", "-c", line])


FEWEST_RUNS: Final = 3
_WARM: Final = 1.0
"""Seconds of a run that needs none before it."""


def side_by_side(
    runs: int, *works: Callable[[], float], before: Callable[[], None] | None = None, seconds: float = math.inf
) -> list[Took]:
    """Every work as often as asked, taking turns, after one run of each that does not count, unless it takes seconds.

    Args:
        runs: of each.
        works: what to run.
        seconds: after which there are no more runs, if there were three.
        before: done before every single run, uncounted, such as emptying the page cache.
    """
    taken: list[list[float]] = [[] for _ in works]
    started = time.perf_counter()
    if before is None:
        first = [work() for work in works]
        if max(first) > _WARM:
            # Page caches and bytecode make milliseconds, and no difference to what takes so long.
            taken = [[one] for one in first]
    while len(taken[0]) < runs and (len(taken[0]) < FEWEST_RUNS or time.perf_counter() - started < seconds):
        for times, work in zip(taken, works, strict=True):
            if before is not None:
                before()
            times.append(work())
    return [Took(runs=tuple(times)) for times in taken]


def why_not_cold() -> str:
    """Why the page cache cannot be emptied here, or an empty text."""
    try:
        empty_page_cache()
    except OSError as error:
        return f"the page cache cannot be emptied: {(error.strerror or str(error)).lower()}"
    return ""


def empty_page_cache() -> None:
    """Make the next read come from the disk."""
    os.sync()
    _CACHES.write_text("3\n", encoding="ascii")
