"""One look at a registry after the other, each as soon as it is worth it: what every watcher's thread goes through.

inotify, through watchdog, merely wakes the same look sooner, and only on local file systems: it says nothing about what
another NFS client does, and its queue overflows silently. Correctness never rests on it.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stackroom.store.watch import Changes, Watch

INTERVAL: Final = 1.0
"""Seconds between two looks while nothing changes."""

_BATCH_SECONDS: Final = 0.25
"""After what a look found was dealt with, until the next one: a job array that registers sixteen versions makes four
batches a second."""


class Looks:
    """The looks of one watch, until they are stopped.

    What is not promised: that stopping ends a look that hangs in the file system. Iterate in a thread of its own where
    that matters.

    Args:
        watch: what looks.
        interval: seconds between two looks.
        seconds: after which the last one is made; None for no end.
    """

    def __init__(self, watch: Watch, *, interval: float = INTERVAL, seconds: float | None = None) -> None:
        self._watch = watch
        self._interval = interval
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self._alarm = Alarm()

    def __iter__(self) -> Iterator[Changes]:
        """Every look's changes, also where there are none: that the file system answers is news, too."""
        try:
            while not self._alarm.stopped:
                yield self._watch.poll()
                self._alarm.hear(self._watch.directories() if self._watch.local else ())
                left = self._end - time.monotonic()
                if left <= 0:
                    return
                self._alarm.pause(min(_BATCH_SECONDS, self._interval, left))
                self._alarm.wait(min(self._interval, left) - _BATCH_SECONDS)
        finally:
            self._alarm.stop()

    def stop(self) -> None:
        """End the pause, and the iteration after it."""
        self._alarm.stop()


class Alarm:
    """Waits until something may have changed, or until it is time to look anyway.

    Attributes:
        stopped: whether nobody shall wait any more.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._woken = threading.Event()
        self._end = threading.Event()
        self._heard: tuple[tuple[str, int], ...] = ()
        self._observer: object | None = None

    def hear(self, directories: tuple[tuple[str, int], ...]) -> None:
        """Be woken by changes in these directories, each with its inode number; costs nothing where they are known."""
        if directories == self._heard:
            return
        self._heard = directories
        self._deaf()
        self._observer = self._observe(path for path, _ in directories)

    def _observe(self, directories: Iterable[str]) -> object | None:
        import logging  # noqa: PLC0415 - comes with watchdog

        from watchdog.events import FileSystemEvent, FileSystemEventHandler  # noqa: PLC0415 - costs 20 ms to import
        from watchdog.observers import Observer  # noqa: PLC0415 - the same

        logger = logging.getLogger("watchdog")
        if not logger.handlers:
            # It complains on stderr of what concerns nobody: that it was stopped, that its queue overflowed.
            logger.addHandler(logging.NullHandler())
        woken = self._woken

        class Ring(FileSystemEventHandler):
            """Any event at all is a reason to look."""

            def on_any_event(self, _event: FileSystemEvent) -> None:
                if _event.event_type not in {"opened", "closed_no_write"}:
                    # Our own looking opens directories; that must not wake us.
                    woken.set()

        observer = Observer()
        try:
            for directory in directories:
                # One that was removed since it was seen is not there to hear, and hides no other.
                with contextlib.suppress(FileNotFoundError):
                    observer.schedule(Ring(), directory, recursive=False)
            observer.start()
        except OSError:
            # No more watches or instances allowed here: polling alone is slower and just as right.
            return None
        return observer

    def pause(self, seconds: float) -> None:
        """Sleep for that long, whatever wakes us; less once stopped."""
        if seconds > 0:
            self._end.wait(seconds)

    def wait(self, seconds: float) -> bool:
        """Sleep until woken, or for that long; False once stopped."""
        if not self.stopped and seconds > 0:
            self._woken.wait(seconds)
        self._woken.clear()
        return not self.stopped

    def stop(self) -> None:
        """Wake whoever waits, for the last time. Does not wait for watchdog's threads, which are daemons."""
        self.stopped = True
        self._end.set()
        self._woken.set()
        self._deaf()

    def _deaf(self) -> None:
        stop = getattr(self._observer, "stop", None)
        if stop:
            stop()
        self._observer = None
