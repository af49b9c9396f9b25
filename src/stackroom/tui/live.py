"""One daemon thread that notices what others change, reads it again and hands it to the screen.

It may hang for as long as a file server does; the screen's thread only ever looks at :attr:`Live.beat`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from textual.message import Message

from stackroom.errors import RegistryError
from stackroom.store.looks import INTERVAL, Looks
from stackroom.store.watch import Watch
from stackroom.tui.picture import Reading, read_all, read_some

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from stackroom.registry.facade import Registry
    from stackroom.store.watch import Changes
    from stackroom.tui.widgets.crumbs import Live as State

_SLOW_SECONDS: Final = 3.0
_STALE_SECONDS: Final = 10.0
"""Without a look, after which the picture is said to be old."""


class Watching(Message):
    """The thread has looked for the first time: what is read from now on misses nothing.

    Attributes:
        source: who watches.
    """

    def __init__(self, source: Live) -> None:
        super().__init__()
        self.source = source


class Fresh(Message):
    """Something changed and was read again.

    Attributes:
        reading: what it is now.
        source: who noticed.
        spoken: the models about which words came or went, which no record of a model tells; None for all models,
            where it was the rules that changed.
    """

    def __init__(self, reading: Reading, source: Live, spoken: frozenset[str] | None = frozenset()) -> None:
        super().__init__()
        self.reading = reading
        self.source = source
        self.spoken = spoken


class Live:
    """Watches one registry for one app.

    Attributes:
        beat: when the last look ended, in seconds of the monotonic clock.
        trouble: why the last look failed, in words, or empty.

    Args:
        registry: what is watched.
        target: gets :class:`Watching` once and :class:`Fresh` for each change.
    """

    def __init__(self, registry: Registry, target: MessagePump) -> None:
        self._registry = registry
        self._target = target
        self._looks: Looks | None = None
        self._stopped = False
        self._missed = False
        self._policy = False
        self._models: set[str] = set()
        self._spoken: set[str] = set()
        self.beat = time.monotonic()
        self.trouble = ""

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="stackroom-live", daemon=True).start()

    def stop(self) -> None:
        """Post nothing any more; the thread ends when its files answer, or with the process."""
        self._stopped = True
        if self._looks is not None:
            self._looks.stop()

    def state(self) -> tuple[State, str]:
        """How old the picture is, and the interval or the reason; the same while nothing changes."""
        silent = time.monotonic() - self.beat
        if self.trouble:
            return "stale", self.trouble
        if silent > _STALE_SECONDS:
            return "stale", "no answer from the file system"
        return ("slow", "") if silent > _SLOW_SECONDS else ("live", f"{INTERVAL:.0f}s")

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._watch()
            except Exception as error:  # noqa: BLE001  # nobody else would ever hear of it; the screen names it
                self.trouble = f"{type(error).__name__}: {error}"
                self._missed = True
                time.sleep(INTERVAL)

    def _watch(self) -> None:
        """Look for as long as nothing unforeseen happens."""
        self._looks = Looks(Watch(str(self._registry.path)), interval=INTERVAL)
        first = True
        for changes in self._looks:
            if self._stopped:
                return
            self._take(changes)
            if first:
                first = False
                if not self._missed:
                    self._post(Watching(self))
                # What happened before the first look that succeeds is not known: then everything is read.
                self._policy = self._missed or bool(changes.trouble)
                self._missed = False
            elif self._policy or self._models:
                self._read()

    def _take(self, changes: Changes) -> None:
        """Remember what is to be read; what could not be read before is tried again."""
        self.beat = time.monotonic()
        self._policy = self._policy or changes.policy
        self._models |= changes.models
        self._spoken |= changes.spoken
        if changes.trouble or not (self._policy or self._models):
            self.trouble = changes.trouble

    def _read(self) -> None:
        """Read what has changed; it stays to be read until that succeeds."""
        try:
            if self._policy:
                self._post(Fresh(read_all(self._registry), self, None))
                self._policy = False
            if self._models:
                reading = read_some(self._registry, self._models)
                self._post(Fresh(reading, self, frozenset(self._spoken)))
                self._models, self._spoken = set(), set()
            self.trouble = ""
        except RegistryError as error:
            self.trouble = str(error)
        self.beat = time.monotonic()

    def _post(self, message: Message) -> None:
        if not self._stopped:
            self._target.post_message(message)
