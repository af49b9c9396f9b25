"""Noticing what others change, by looking at a constant handful of directories.

``open`` and ``fstat`` of ``feed/``, ``models/`` and every stage's folders tell whether a name was made there; only
those that changed are listed. Hints in ``feed/`` and the names of events and approvals say which model to read again.
What was done by hand, or lost its hint, is found by a sweep over the model folders.

On a network file system every look at a directory is one request: ``open`` asks the server, where ``stat`` and what
is opened with ``O_PATH`` are answered from a cache. So the folders take turns there, the ledgers and the feed in every
poll, what only a steward changes in every tenth, and one poll costs :data:`REQUESTS` at most while nothing changes.
"""

from __future__ import annotations

import contextlib
import errno
import os
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
    from collections.abc import Iterator, Mapping

REQUESTS: Final = 10
"""To a file server, for one poll of a registry in which nothing changes, however large it is."""

_ON_THE_WAY: Final = 1
"""Requests of a poll that are left to the folders above the registry, which the kernel asks about once a minute."""

_SETTLED: Final = 2.0
"""Seconds for which a directory's stamp must have been the same when it is listed, to be believed from then on: two
changes within one tick of the server's clock leave one mtime (as git treats its index)."""

_OFTEN: Final = 1
_SOMETIMES: Final = 2
_SELDOM: Final = 10
"""Polls from one look to the next, on a network file system; where there are more folders than requests, the one that
has waited longest beyond its time goes first."""

_REMOTE_SWEEP: Final = 10
"""Polls from one model folder to the next, where hints tell what changes: six requests a minute, however many models
there are. Without a feed the sweep gets every request that a poll has left."""

_SWEEP_REST: Final = 200.0
_SWEEP_REST_UNHINTED: Final = 50.0
"""On a local file system all models are swept at once, after a pause of this many times what that took: 0.5 % of the
time, or 2 % where nobody can leave hints, as after a git clone, and the sweep is all there is."""

_LOCAL_PAUSE: Final = 1.0
"""Seconds between two such sweeps at least."""

_PER_STAGE: Final = {
    layout.STAGES: (parse_event_name, _OFTEN),
    layout.APPROVALS: (parse_approval_name, _SOMETIMES),
}
"""What has a folder for every stage, what understands the names in it, and how often it is looked at."""

_ROOT: Final = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a poll noticed.

    Attributes:
        models: to be read again.
        policy: ``registry.toml`` changed.
        came: names that are new, by the place of their folder, such as ``stages/production`` and ``models/fraud``.
        went: names that are gone, likewise.
        stirred: the places in which something happened, also where no name came or went.
        trouble: what could not be looked at, in words; empty where all could.
    """

    models: frozenset[ModelName] = frozenset()
    policy: bool = False
    came: Mapping[str, frozenset[str]] = field(default_factory=dict)
    went: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stirred: frozenset[str] = frozenset()
    trouble: str = ""

    def __bool__(self) -> bool:
        return bool(self.models or self.policy)

    @property
    def spoken(self) -> frozenset[ModelName]:
        """The models about which an approval or a rejection came or went: nothing of the models themselves tells it."""
        names = {
            name for noted in (self.came, self.went) for place in noted if _is_approvals(place) for name in noted[place]
        }
        return frozenset(parsed[0] for name in names if (parsed := parse_approval_name(name)))


def _is_approvals(place: str) -> bool:
    return place.startswith(f"{layout.APPROVALS}/")


@dataclass(slots=True)
class _Seen:
    """A directory as last listed."""

    stamp: tuple[int, ...] = ()
    since: float = 0.0
    settled: bool = False
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Turn:
    """When a place is looked at: every so many polls, next in that one, for so many requests."""

    every: int
    due: int = 0
    requests: int = 1


@dataclass(slots=True)
class _Noted:
    """What a poll has noticed so far."""

    models: set[ModelName] = field(default_factory=set)
    policy: bool = False
    came: dict[str, frozenset[str]] = field(default_factory=dict)
    went: dict[str, frozenset[str]] = field(default_factory=dict)
    stirred: set[str] = field(default_factory=set)

    def changes(self, trouble: str) -> Changes:
        """The same, as it is told; with trouble it is what was noticed before that."""
        return Changes(
            models=frozenset(self.models),
            policy=self.policy,
            came=self.came,
            went=self.went,
            stirred=frozenset(self.stirred),
            trouble=trouble,
        )


class Watch:
    """Remembers what a registry looked like, and says what changed since.

    Not thread-safe: one thread polls. The first poll that succeeds only looks, at everything. What one poll could not
    look at is not lost: the next one that can says what changed.

    Args:
        root: the registry's folder.
        stage: look at this stage's ledger alone, and at what says whether the registry is still there.
    """

    def __init__(self, root: str, stage: str | None = None) -> None:
        self._root = root
        self._stage = stage
        self._seen: dict[str, _Seen] = {}
        self._policy: tuple[int, ...] = ()
        self._known_models: list[str] = []
        self._suspected: set[str] = set()
        self._polls = 0
        self._looked = False
        self._doubtful = False
        self._device = -1
        self._local = file_system_of(root).local
        self._next_sweep = 0.0
        # Two requests: NFSv4 opens and closes a file.
        self._turns = {_ROOT: _Turn(_SELDOM), layout.REGISTRY_FILE: _Turn(_SELDOM, requests=2)}
        self._turns[layout.STAGES] = _Turn(_SELDOM)
        if stage is None:
            self._turns |= {
                layout.FEED: _Turn(_OFTEN),
                layout.MODELS: _Turn(_SOMETIMES),
                layout.APPROVALS: _Turn(_SELDOM),
            }
        else:
            self._turns[f"{layout.STAGES}/{stage}"] = _Turn(_OFTEN)

    @property
    def local(self) -> bool:
        """Whether the registry is on a local file system, where inotify tells the truth."""
        return self._local

    def poll(self) -> Changes:
        """Look once.

        Cost: an ``open`` and an ``fstat`` for each of the handful, plus what the sweep takes; on a network file system
        at most :data:`REQUESTS` requests while nothing changes.
        """
        self._polls += 1
        noted = _Noted()
        trouble = ""
        try:
            with self._entered() as root:
                left = self._requests()
                for place in self._due():
                    left -= self._turns[place].requests
                    self._look(root, place, noted)
                    self._done(place)
                self._look_at_suspects(root, noted)
                self._sweep(root, noted, left)
        except OSError as error:
            self._doubtful = True
            trouble = (error.strerror or str(error)).lower()
        if self._looked:
            return noted.changes(trouble)
        self._looked = not trouble
        if trouble:
            # What it saw is older than the look that will succeed, which has everything from one pass.
            self._seen.clear()
        return Changes(trouble=trouble)

    def directories(self) -> tuple[tuple[str, int], ...]:
        """The handful as far as it is there, each with its inode number, for whoever wants to be woken by them."""
        places = [place for place in self._turns if place not in {_ROOT, layout.REGISTRY_FILE}]
        seen = [(place, self._seen.get(place)) for place in sorted(places)]
        return tuple((f"{self._root}/{place}", one.stamp[0]) for place, one in seen if one)

    # --- which

    @contextlib.contextmanager
    def _entered(self) -> Iterator[Folder]:
        """The registry's folder, to go through; after trouble the server is asked whether it is still the same."""
        if self._doubtful:
            Folder.open(self._root).close()
            self._doubtful = False
        with Folder.way(self._root) as root:
            device = root.status().st_dev
            if device != self._device:
                # Mounted, or mounted over, since: what is local and what is remote may have changed.
                self._local = file_system_of(self._root).local
                self._device = device
            yield root

    def _requests(self) -> int:
        """How many the handful may take in this poll."""
        return REQUESTS - _ON_THE_WAY - self._sweeps_anyway()

    def _sweeps_anyway(self) -> int:
        """How many model folders have their turn in this poll, whatever else is looked at."""
        return int(self._polls % _REMOTE_SWEEP == 0)

    def _due(self) -> Iterator[str]:
        """The places to look at now, those that are found on the way included."""
        everything = self._local or not self._looked
        left = self._requests()
        done: set[str] = set()
        while True:
            waiting = [
                (turn.due, turn.every, place)
                for place, turn in self._turns.items()
                if place not in done and (everything or (turn.due <= self._polls and turn.requests <= left))
            ]
            if not waiting:
                return
            place = min(waiting)[2]
            left -= self._turns[place].requests
            done.add(place)
            yield place

    def _done(self, place: str) -> None:
        turn = self._turns.get(place)
        if turn:
            turn.due = self._polls + turn.every

    # --- looking

    def _look(self, root: Folder, place: str, noted: _Noted) -> None:
        parent, _, _name = place.rpartition("/")
        if place == _ROOT:
            # Asks the server, so that names that are new in it are seen, too.
            root.child(_ROOT).close()
        elif place == layout.REGISTRY_FILE:
            noted.policy = self._policy_changed(root) or noted.policy
        elif place == layout.FEED:
            self._look_at_hints(root, noted)
        elif place == layout.MODELS:
            self._look_at_models(root, noted)
        elif place in _PER_STAGE:
            self._note(root, place, noted)
            self._take_turns(place)
        elif self._note(root, place, noted):
            understood, _ = _PER_STAGE[parent]
            names = noted.came.get(place, frozenset()) | noted.went.get(place, frozenset())
            noted.models |= {parsed[0] for name in names if (parsed := understood(name))}

    def _look_at_hints(self, root: Folder, noted: _Noted) -> None:
        if self._note(root, layout.FEED, noted):
            hinted = map(layout.parse_feed_name, noted.came.get(layout.FEED, frozenset()))
            self._suspect({name for name in hinted if name and is_model_name(name)}, noted)

    def _look_at_models(self, root: Folder, noted: _Noted) -> None:
        if not self._note(root, layout.MODELS, noted):
            return
        present = {name for name in self._names_in(layout.MODELS) if is_model_name(name)}
        # The sweep goes on where it was, however often models are made.
        kept = [name for name in self._known_models if name in present]
        self._known_models = kept + sorted(present.difference(kept))
        self._suspect({name for name in noted.came.get(layout.MODELS, frozenset()) if is_model_name(name)}, noted)
        for name in noted.went.get(layout.MODELS, frozenset()):
            if is_model_name(name):
                noted.models.add(ModelName(name))
                self._seen.pop(f"{layout.MODELS}/{name}", None)

    def _suspect(self, names: set[str], noted: _Noted) -> None:
        """Have these models read again, and their folders looked at as soon as that succeeds."""
        noted.models |= {ModelName(name) for name in names}
        self._suspected |= names

    def _look_at_suspects(self, root: Folder, noted: _Noted) -> None:
        for name in sorted(self._suspected):
            self._note(root, f"{layout.MODELS}/{name}", noted)
            self._suspected.discard(name)

    def _names_in(self, place: str) -> frozenset[str]:
        return self._seen.get(place, _Seen()).names

    def _take_turns(self, parent: str) -> None:
        """Have every stage that has a folder looked at; one that has none any more was noted when it was missed."""
        if self._stage is not None:
            return
        present = {f"{parent}/{name}" for name in self._names_in(parent) if not name.startswith(".")}
        for place in present - self._turns.keys():
            self._turns[place] = _Turn(_PER_STAGE[parent][1])
        for place in [one for one in self._turns if one.startswith(f"{parent}/") and one not in present]:
            if place not in self._seen:
                del self._turns[place]

    def _note(self, root: Folder, place: str, noted: _Noted) -> bool:
        """Look at a directory, and note what came and went; whether something happened in it."""
        before = self._seen.get(place, _Seen())
        now = self._seen_now(root, place, before)
        if now.stamp:
            self._seen[place] = now
        else:
            # Nothing is kept of what is not there: hints may name any number of models that never were.
            self._seen.pop(place, None)
        came, went = now.names - before.names, before.names - now.names
        if came:
            noted.came[place] = noted.came.get(place, frozenset()) | came
        if went:
            noted.went[place] = noted.went.get(place, frozenset()) | went
        happened = bool(came or went) or now.stamp != before.stamp
        if happened:
            noted.stirred.add(place)
        return happened

    def _seen_now(self, root: Folder, place: str, before: _Seen) -> _Seen:
        parent, _, name = place.rpartition("/")
        try:
            with contextlib.ExitStack() as opened:
                above = opened.enter_context(root.way_to(parent)) if parent else root
                folder = opened.enter_context(above.child(name))
                status = folder.status()
                stamp = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
                now = time.monotonic()
                since = before.since if stamp == before.stamp else now
                settled = now - since >= _SETTLED
                if settled and before.settled:
                    return before
                return _Seen(stamp, since, settled=settled, names=frozenset(folder.names()))
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
                raise
            if before.stamp and error.errno != errno.EACCES:
                # Unmounted, or moved away as a whole: then nothing was taken out of it.
                self._check_here(root)
            # Gone, or closed to us: whatever was in it is not what it was.
            return _Seen()

    @staticmethod
    def _check_here(root: Folder) -> None:
        try:
            with root.child(_ROOT):
                os.close(root.open_file(layout.REGISTRY_FILE))
        except FileNotFoundError:
            raise OSError(errno.ENOENT, f"there is no {layout.REGISTRY_FILE} any more") from None

    def _sweep(self, root: Folder, noted: _Noted, left: int) -> None:
        """Look into model folders for what changed in them, hinted at or not."""
        if self._stage is not None or not self._looked:
            # At first each of them is new in models/, and was looked at for that.
            return
        hinted = layout.FEED in self._seen
        start = time.monotonic()
        if self._local and start >= self._next_sweep:
            for name in self._known_models:
                self._sweep_one(root, name, noted)
            now = time.monotonic()
            rest = _SWEEP_REST if hinted else _SWEEP_REST_UNHINTED
            self._next_sweep = now + max(_LOCAL_PAUSE, (now - start) * rest)
        elif not self._local:
            many = self._sweeps_anyway() + (0 if hinted else left)
            for name in self._known_models[:many]:
                self._sweep_one(root, name, noted)
            self._known_models = self._known_models[many:] + self._known_models[:many]

    def _sweep_one(self, root: Folder, name: str, noted: _Noted) -> None:
        place = f"{layout.MODELS}/{name}"
        if self._note(root, place, noted) and (place in noted.came or place in noted.went):
            noted.models.add(ModelName(name))

    def _policy_changed(self, root: Folder) -> bool:
        try:
            fd = root.open_file(layout.REGISTRY_FILE)
        except OSError:
            stamp: tuple[int, ...] = ()
        else:
            status = os.fstat(fd)
            os.close(fd)
            stamp = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        changed = stamp != self._policy
        self._policy = stamp
        return changed
