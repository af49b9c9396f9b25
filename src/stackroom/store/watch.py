"""Noticing what others change, by looking at a constant handful of directories.

``open`` and ``fstat`` of ``feed/``, ``models/`` and every stage's folders tell whether a name was made there; only
those that changed are listed. Hints in ``feed/`` and the names of events and approvals say which model to read again.
What was done by hand, or lost its hint, is found by a sweep over the model folders whose pace follows its cost.

inotify, through watchdog, merely wakes the same code sooner, and only on local file systems: it says nothing about what
another NFS client does, and its queue overflows silently. Correctness never rests on it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stackroom.core.approvals import parse_approval_name
from stackroom.core.ledger import parse_event_name
from stackroom.core.names import ModelName, is_model_name
from stackroom.store import layout
from stackroom.store.folder import Folder
from stackroom.store.mounts import file_system_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTLED: Final = 2.0
"""Seconds for which a directory's mtime must stay the same before it is believed: two changes within one tick of the
server's clock leave one mtime (as git treats its index)."""

_SWEEP_SHARE: Final = 50.0
"""A sweep is followed by a pause of this many times its own duration: 2 % of the time at most."""

_LOCAL_PAUSE: Final = 1.0
_REMOTE_PAUSE: Final = 60.0
"""Seconds between sweeps at least; a remote one costs the server a request per model."""


_PER_STAGE: Final = {layout.STAGES: parse_event_name, layout.APPROVALS: parse_approval_name}
"""What has a folder for every stage, and what understands the names in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a poll noticed.

    Attributes:
        models: to be read again.
        policy: ``registry.toml`` changed.
        trouble: what could not be looked at, in words; empty where all could.
    """

    models: frozenset[ModelName] = frozenset()
    policy: bool = False
    trouble: str = ""

    def __bool__(self) -> bool:
        return bool(self.models or self.policy)


@dataclass(slots=True)
class _Seen:
    """A directory as last looked at."""

    stamp: tuple[int, int] = (0, 0)
    since: float = 0.0
    names: frozenset[str] = field(default_factory=frozenset)


class Watch:
    """Remembers what a registry looked like, and says what changed since.

    Not thread-safe: one thread polls. The first poll only looks.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._seen: dict[str, _Seen] = {}
        self._policy: tuple[int, ...] = ()
        self._present: set[str] = set()
        self._stages: dict[str, set[str]] = {}
        self._first = True
        self._local = file_system_of(root).local
        self._next_sweep = 0.0

    @property
    def local(self) -> bool:
        """Whether the registry is on a local file system, where inotify tells the truth."""
        return self._local

    def poll(self) -> Changes:
        """Look once. Cost: an ``open`` and an ``fstat`` for each of the handful, plus a sweep when one is due."""
        try:
            with Folder.open(self._root) as root:
                models = self._look(root)
                policy = self._policy_changed(root)
        except OSError as error:
            return Changes(trouble=(error.strerror or str(error)).lower())
        first, self._first = self._first, False
        return Changes() if first else Changes(models=frozenset(models), policy=policy)

    def directories(self) -> tuple[str, ...]:
        """The handful, for whoever wants to be woken by them."""
        names = [layout.MODELS, layout.FEED]
        for parent in _PER_STAGE:
            with contextlib.suppress(OSError):
                names += [f"{parent}/{name}" for name in sorted(os.listdir(os.path.join(self._root, parent)))]
        paths = [os.path.join(self._root, name) for name in names]
        return tuple(path for path in paths if os.path.isdir(path))

    def _look(self, root: Folder) -> set[ModelName]:
        found: set[ModelName] = set()
        for name in self._changed_names(root, layout.FEED):
            hinted = layout.parse_feed_name(name)
            if hinted and is_model_name(hinted):
                found.add(ModelName(hinted))
        for name in self._changed_names(root, layout.MODELS):
            if is_model_name(name):
                found.add(ModelName(name))
        for parent, parse in _PER_STAGE.items():
            with contextlib.suppress(FileNotFoundError), root.child(parent) as folder:
                present = {name for name in folder.names() if not name.startswith(".")}
                known = self._stages.get(parent, set())
                self._stages[parent] = present
                for stage in sorted(present | known):
                    parsed = [parse(name) for name in self._changed_names(folder, stage)]
                    found |= {one[0] for one in parsed if one}
        return found | self._sweep(root)

    def _changed_names(self, parent: Folder, name: str) -> frozenset[str]:
        """The names that came or went in a directory since the last look: all where it can be entered no more."""
        place = f"{parent.path}/{name}"
        before = self._seen.setdefault(place, _Seen())
        try:
            with parent.child(name) as folder:
                self._present.add(place)
                status = folder.status()
                stamp = (status.st_mtime_ns, status.st_ino)
                now = time.monotonic()
                if stamp == before.stamp and now - before.since >= _SETTLED:
                    return frozenset()
                names = frozenset(folder.names())
        except OSError as error:
            self._present.discard(place)
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
                # Gone, or closed to us: whatever was in it is not what it was.
                self._seen[place] = _Seen()
                return before.names
            raise
        since = before.since if stamp == before.stamp else now
        self._seen[place] = _Seen(stamp, since, names)
        return names ^ before.names

    def _sweep(self, root: Folder) -> set[ModelName]:
        """Models in whose own folder something changed, hinted at or not."""
        start = time.monotonic()
        if start < self._next_sweep:
            return set()
        found: set[ModelName] = set()
        with contextlib.suppress(FileNotFoundError), root.child(layout.MODELS) as models:
            for name in models.names():
                if is_model_name(name) and self._changed_names(models, name):
                    found.add(ModelName(name))
        now = time.monotonic()
        # Without a feed, as after a git clone, nobody can leave hints: then the sweep is all there is.
        hinted = f"{self._root}/{layout.FEED}" in self._present
        pause = _REMOTE_PAUSE if hinted and not self._local else _LOCAL_PAUSE
        self._next_sweep = now + max(pause, (now - start) * _SWEEP_SHARE)
        return found

    def _policy_changed(self, root: Folder) -> bool:
        try:
            fd = root.open_file(layout.REGISTRY_FILE)
        except OSError:
            stamp: tuple[int, ...] = ()
        else:
            status = os.fstat(fd)
            os.close(fd)
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        changed = stamp != self._policy
        self._policy = stamp
        return changed


class Alarm:
    """Waits until something may have changed, or until it is time to look anyway."""

    def __init__(self, directories: Iterable[str]) -> None:
        self._event = threading.Event()
        self._stopped = False
        self._observer = self._observe(tuple(directories))

    def _observe(self, directories: tuple[str, ...]) -> object | None:
        if not directories:
            return None
        from watchdog.events import FileSystemEvent, FileSystemEventHandler  # noqa: PLC0415 - costs 20 ms to import
        from watchdog.observers import Observer  # noqa: PLC0415 - the same

        event = self._event

        class Ring(FileSystemEventHandler):
            """Any event at all is a reason to look."""

            def on_any_event(self, _event: FileSystemEvent) -> None:
                if _event.event_type not in {"opened", "closed_no_write"}:
                    # Our own looking opens directories; that must not wake us.
                    event.set()

        observer = Observer()
        try:
            for directory in directories:
                observer.schedule(Ring(), directory, recursive=False)
            observer.start()
        except OSError:
            # No more watches or instances allowed here: polling alone is slower and just as right.
            return None
        return observer

    def wait(self, seconds: float) -> bool:
        """Sleep until woken, or for that long; False once stopped."""
        self._event.wait(seconds)
        self._event.clear()
        return not self._stopped

    def stop(self) -> None:
        """Wake whoever waits, for the last time. Does not wait for watchdog's threads, which are daemons."""
        self._stopped = True
        self._event.set()
        stop = getattr(self._observer, "stop", None)
        if stop:
            stop()
