"""Work on files, off the screen's thread: daemon threads that end in a message.

Why not Textual's thread workers: they run in an executor that the interpreter joins at exit, so one ``stat`` that hangs
in a dead NFS mount keeps the process alive after ``q``. A daemon thread is left behind.

What is not promised: a thread cannot be stopped from outside. A piece of work that was superseded or cancelled runs to
its end unless it asks :attr:`Task.cancelled`; what it then says is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from textual.message import Message

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

T = TypeVar("T")

BATCH_SECONDS: Final = 0.25
"""Between two messages with progress: four redraws a second are seen as live and cost a slow link 2 KB/s."""

LANES: Final = 3
"""Threads that may be at work under one name. A hung mount holds them; the newest request then waits for one to end,
so that pressing ``r`` for an hour leaves three threads behind and not a thousand."""


class _News(Message):
    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.name = task.name

    @property
    def is_current(self) -> bool:
        """Whether nothing newer was asked for under this name; a handler that gets False does nothing."""
        return self.task.is_current


class Done(_News, Generic[T]):
    """A piece of work has ended well. Subclass it for a handler of your own.

    Attributes:
        name: under which it ran.
        value: what it returned.
    """

    def __init__(self, task: Task, value: T) -> None:
        super().__init__(task)
        self.value = value


class Failed(_News):
    """A piece of work has raised.

    Attributes:
        name: under which it ran.
        error: what it raised.
    """

    def __init__(self, task: Task, error: Exception) -> None:
        super().__init__(task)
        self.error = error


class Progress(_News):
    """What a running piece of work has reported since the last such message.

    Attributes:
        name: under which it runs.
        latest: the last value of each kind.
    """

    def __init__(self, task: Task, latest: dict[str, Any]) -> None:
        super().__init__(task)
        self.latest = latest


class Task:
    """One piece of work, as its function sees it.

    Attributes:
        name: what it was started as.
        generation: grows with each start under the name.
        started: seconds of the monotonic clock: for "reading since 4 s".
    """

    def __init__(self, background: Background, name: str, generation: int) -> None:
        self.name = name
        self.generation = generation
        self.started = time.monotonic()
        self._background = background
        self._lock = threading.Lock()
        self._latest: dict[str, Any] = {}
        self._posted = float("-inf")
        self._timer: threading.Timer | None = None
        self._ended = False

    @property
    def is_current(self) -> bool:
        """Whether nothing newer was started under this name and nobody cancelled it."""
        return self._background.is_current(self.name, self.generation)

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: long work looks here and returns early."""
        return not self.is_current

    def report(self, value: object, *, kind: str = "") -> None:
        """Say how far it is. At most four messages a second go out; each carries the latest value of each kind.

        The last report before a pause arrives too, a quarter of a second late.
        """
        with self._lock:
            if self._ended:
                return
            self._latest[kind] = value
            if self._timer is not None:
                return
            wait = self._posted + BATCH_SECONDS - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self._flush)
                self._timer.daemon = True
                self._timer.start()
                return
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, {}
            self._timer = None
            if self._ended or not latest:
                return
            self._posted = time.monotonic()
            # Posted under the lock: progress must not overtake the end.
            self._background.post(Progress(self, latest))

    def _end(self, message: Message) -> None:
        with self._lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()
            if self._latest:
                self._background.post(Progress(self, self._latest))
            self._background.post(message)


Work = Callable[[Task], T]


class Background:
    """Runs work in daemon threads and posts what comes of it.

    One name stands for one thing that is wanted, for example ``"versions"``: a new start under a name makes all earlier
    results stale. All methods are for the screen's thread.

    Args:
        target: a widget, screen or app that gets the messages. :class:`Done`, :class:`Failed` and :class:`Progress`
            arrive as ``on_done``, ``on_failed`` and ``on_progress``.
    """

    def __init__(self, target: MessagePump) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._generations: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._waiting: dict[str, Callable[[], None]] = {}
        self._stopped = False

    def run(self, name: str, work: Work[T], done: Callable[[Task, T], Done[T]] = Done) -> Task:
        """Start a piece of work; whatever ran under this name is stale from now on.

        Args:
            name: of what is wanted.
            work: called in a thread of its own; touches files, never a widget.
            done: makes the message from the result: :class:`Done` or a subclass.
        """
        with self._lock:
            generation = self._generations.get(name, 0) + 1
            self._generations[name] = generation
            task = Task(self, name, generation)

            def start() -> None:
                thread = threading.Thread(
                    target=self._work, args=(task, work, done), name=f"stackroom-{name}", daemon=True
                )
                thread.start()

            if self._running.get(name, 0) >= LANES:
                self._waiting[name] = start
            else:
                self._running[name] = self._running.get(name, 0) + 1
                start()
        return task

    def cancel(self, name: str) -> None:
        """Whatever runs under this name is stale from now on; nothing is started."""
        with self._lock:
            self._generations[name] = self._generations.get(name, 0) + 1
            self._waiting.pop(name, None)

    def stop(self) -> None:
        """Post nothing any more: the target goes away. Threads end when their files answer, or with the process."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()

    def is_current(self, name: str, generation: int) -> bool:
        """Whether a generation is the newest of its name and the target still listens."""
        return not self._stopped and self._generations.get(name) == generation

    def is_busy(self, name: str) -> bool:
        """Whether a thread is at work under this name, be it for a stale result."""
        return self._running.get(name, 0) > 0

    def post(self, message: _News | Message) -> None:
        """Hand a message to the target, from any thread, unless it is stale."""
        if isinstance(message, _News) and not message.is_current:
            return
        self._target.post_message(message)

    def _work(self, task: Task, work: Work[T], done: Callable[[Task, T], Done[T]]) -> None:
        message: Message
        try:
            if task.cancelled:
                return
            message = done(task, work(task))
        except Exception as error:  # noqa: BLE001  # whatever it is, the screen must hear of it and live on
            message = Failed(task, error)
        finally:
            self._free(task.name)
        task._end(message)  # noqa: SLF001  # a task and its background are one mechanism

    def _free(self, name: str) -> None:
        with self._lock:
            waiting = self._waiting.pop(name, None)
            if waiting is None:
                self._running[name] -= 1
            else:
                waiting()
