"""What comes from a file system that may hang: read in a thread of its own, so that ctrl+c and deadlines still work."""

from __future__ import annotations

import threading
import time
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final, TypeVar

from stackroom.cli import streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stackroom.cli.context import Context

_SILENCE: Final = 10.0
"""Seconds without an answer after which that is said."""

_TICK: Final = 1.0
"""Seconds between two looks at whether anybody reads stdout still."""

_AHEAD: Final = 100
"""Items that are read before the first is dealt with; all else waits in the registry."""

Item = TypeVar("Item")


def from_thread(
    context: Context, make: Callable[[], Iterator[Item]], *, seconds: float | None = None
) -> Iterator[Item]:
    """What an iterator gives that is made and asked in a daemon thread; what it raises is raised here.

    Args:
        context: is told where nothing comes for long.
        make: the iterator; one that hangs is left behind.
        seconds: after which this ends, whether anything came or not, with a little patience for a last answer.

    Raises:
        BrokenPipeError: nobody reads stdout any more.
    """
    box: Queue[Item | BaseException | None] = Queue(_AHEAD)

    def run() -> None:
        """Ask it, here where a hang holds up nobody; None after its end, or what it raised."""
        try:
            for item in make():
                box.put(item)
            box.put(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the main thread says it
            box.put(error)

    threading.Thread(target=run, name="stackroom-watch", daemon=True).start()
    started = heard = time.monotonic()
    told = False
    while seconds is None or time.monotonic() - started < seconds + _TICK:
        if streams.reader_is_gone():
            raise BrokenPipeError
        try:
            item = box.get(timeout=_TICK)
        except Empty:
            if not told and time.monotonic() - heard > _SILENCE:
                told = True
                context.warn(f"no answer from the file system for {_SILENCE:.0f} s; waiting on")
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        heard, told = time.monotonic(), False
        yield item
        heard = time.monotonic()
