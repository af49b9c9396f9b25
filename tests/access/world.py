"""The registry of the matrix: made once by the people themselves, through the command line, and then copied.

Nobody needs root on the registry's file system to make it. Root copies it where the bytes really lie (``truth``), which
is the same folder locally and the server's side of an export in the laboratory, where root on a client is nobody.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import nullcontext
from dataclasses import dataclass, replace
from glob import glob
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from access.acting import perform
from access.checks import CHECKS
from support import registries
from support.actors import Actor
from support.registries import ALICE, BOB, CAROL, DAVE, EVE, GROUPS, MONITORS, READERS, RELEASERS, STEWARD
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

EX_RELEASER: Final = replace(registries.ERIN, groups=tuple(gid for gid in registries.ERIN.groups if gid != RELEASERS))
PEOPLE: Final[Mapping[str, User]] = {
    "steward": STEWARD,
    "alice": ALICE,
    "bob": BOB,
    "carol": CAROL,
    "dave": DAVE,
    "frank": User(uid=61014, gid=61014, groups=DAVE.groups, name="frank"),
    "erin": EX_RELEASER,
    "erin-before": registries.ERIN,
    "mona": User(uid=61007, gid=61007, groups=(MONITORS,), name="mona"),
    "rita": User(uid=61008, gid=61008, groups=(READERS,), name="rita"),
    "eve": EVE,
    "root": User(uid=0, gid=0, name="root"),
}
"""Who is who: alice and bob are authors, carol reviews, dave and frank release, erin did so once, mona watches."""

_POLICY: Final = "[stages.staging]\n[stages.production]\n"
_HINT: Final = "feed/20261123T042200.123456Z-0123456789ab-fraud"

OBJECTS: Final[Mapping[str, str]] = {
    "the root": ".",
    "registry.toml": "registry.toml",
    "models/": "models",
    "alice's model": "models/fraud",
    "the steward's model": "models/churn",
    "alice's version": "models/fraud/2",
    "alice's artifact": "models/fraud/2/model.bin",
    "alice's version.toml": "models/fraud/2/version.toml",
    "alice's SHA256SUMS": "models/fraud/2/SHA256SUMS",
    "alice's loose version": "models/fraud/5",
    "alice's version in churn": "models/churn/1",
    "bob's version": "models/fraud/3",
    "alice's label": "models/fraud/1.0.0",
    "alice's revision": "models/fraud/1@1.toml",
    "alice's newest revision": "models/fraud/1@2.toml",
    "alice's card": "models/fraud/1@1.md",
    "bob's label": "models/fraud/3.0.0",
    "bob's revision": "models/fraud/3@1.toml",
    "model@1.toml": "models/fraud/model@1.toml",
    "tombstone": "models/fraud/4@deleted",
    "trash": "models/fraud/.trash-4-*",
    "stages/": "stages",
    "stages/staging": "stages/staging",
    "stages/production": "stages/production",
    "carol's event": "stages/staging/fraud@2",
    "erin's event": "stages/production/fraud@1",
    "erin's newest event": "stages/production/churn@1",
    "dave's older event": "stages/production/fraud@2",
    "frank's event": "stages/production/fraud@3",
    "dave's newest event": "stages/production/fraud@4",
    "live/": "live",
    "live/production": "live/production",
    "pointer": "live/production/fraud",
    "erin's pointer": "live/production/churn",
    "approvals/": "approvals",
    "approvals/production": "approvals/production",
    "carol's word": "approvals/production/fraud:3@1",
    "observations/": "observations",
    "mona's observations": "observations/fraud:2.*.jsonl",
    "feed/": "feed",
    "alice's hint": _HINT,
}
"""What is tried on: every kind of thing that the format knows, by a name for people; a ``*`` stands for a nonce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where registries are made.

    Attributes:
        here: as the people see it.
        truth: as the file system has it; root may do there what he likes.
        elsewhere: as another host sees it.
    """

    here: Path
    truth: Path
    elsewhere: Path

    @classmethod
    def local(cls, folder: Path) -> Ground:
        """A folder of this machine's own."""
        return cls(here=folder, truth=folder, elsewhere=folder)


class World:
    """The people, and the registries on a ground; number 0 is the template that nobody touches."""

    def __init__(self, ground: Ground, *, umask: int = 0o077, durable: bool = False) -> None:
        """Make the template; the people stay until :meth:`close`.

        Args:
            ground: where.
            umask: the people's.
            durable: wait for the disk as the product does. That takes most of the time, and is not what is tried here.
        """
        self.ground = ground
        self._copies = 0
        self._material = 0
        with nullcontext() if durable else patch.object(os, "fsync", lambda _descriptor: None):
            self.actors = {name: Actor(user, perform, umask=umask) for name, user in PEOPLE.items()}
        self._prepare()
        self._build()
        self._places = {name: self._found(place) for name, place in OBJECTS.items()}

    def close(self) -> None:
        """Send the people home."""
        for actor in self.actors.values():
            actor.close()

    def root(self, copy: int = 0) -> str:
        """A registry's folder, as the people see it."""
        return f"{self.ground.here}/{copy}/registry"

    def path(self, what: str, copy: int) -> str:
        """An object in a copy."""
        return os.path.normpath(f"{self.root(copy)}/{self._places[what]}")

    def _found(self, place: str) -> str:
        template = f"{self.ground.truth}/0/registry"
        return os.path.relpath(glob(f"{template}/{place}")[0], template) if "*" in place else place

    def call(self, how: str, path: str, who: str) -> dict[str, Any]:
        """The request for a system call or an attack, with a fresh path of the actor's own."""
        self._material += 1
        return {"how": how, "path": path, "own": f"{self.ground.here}/own/{PEOPLE[who].uid}/{self._material}"}

    def command(self, words: str, copy: int) -> dict[str, Any]:
        """The request for a command; ``SOURCE`` and ``CARD`` stand for files, ``REGISTRY`` for the registry."""
        places = {"SOURCE": f"{self.ground.here}/source/model.bin", "CARD": f"{self.ground.here}/source/card.md"}
        argv = [places.get(word, word.replace("REGISTRY", self.root(copy))) for word in words.split()]
        return {"argv": ["-R", self.root(copy), *argv]}

    def ask(self, who: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """Have somebody do something, and be told what came of it."""
        return self.actors[who].ask(*requests)

    def step(self, who: str, words: str, copy: int) -> dict[str, Any]:
        """A command, or with ``+`` something done by hand, and what came of it."""
        by_hand = words.startswith("+")
        request = self.call(words[1:], self.root(copy), who) if by_hand else self.command(words, copy)
        return self.ask(who, request)[0]

    def look(self, copy: int, checks: Iterable[str] = CHECKS) -> dict[str, Any]:
        """What the checks tell a reader who sits at another host."""
        request = {"look": f"{self.ground.elsewhere}/{copy}/registry", "checks": list(checks)}
        return self.ask("rita", request)[0]

    def holders(self, copy: int) -> dict[str, Any]:
        """Who holds production, as a reader at another host sees it."""
        return self.ask("rita", {"holders": f"{self.ground.elsewhere}/{copy}/registry"})[0]

    def listing(self, copy: int) -> dict[str, tuple[Any, ...]]:
        """Everything that ``ls -lR`` tells, and inodes; the very same where nothing was done."""
        return listing(f"{self.ground.truth}/{copy}")

    def fresh(self) -> int:
        """One more copy of the template, with its owners, modes and times."""
        self._copies += 1
        _copy(f"{self.ground.truth}/0", f"{self.ground.truth}/{self._copies}")
        return self._copies

    def drop(self, copy: int) -> None:
        """Remove a copy: a file system in memory may be a small one. A server has room."""
        if self.ground.truth == self.ground.here:
            shutil.rmtree(f"{self.ground.truth}/{copy}")

    def _prepare(self) -> None:
        truth = self.ground.truth
        for name, mode in (("", 0o777), ("own", 0o777), ("source", 0o755)):
            folder = f"{truth}/{name}".rstrip("/")
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, mode)
        for name, content in (("model.bin", b"weights"), ("card.md", b"# What it is for\n")):
            with open(f"{truth}/source/{name}", "wb") as stream:
                stream.write(content)
            os.chmod(f"{truth}/source/{name}", 0o644)
        for uid in {user.uid for user in PEOPLE.values()}:
            os.mkdir(f"{truth}/own/{uid}")
            os.chown(f"{truth}/own/{uid}", uid, uid)
            os.chmod(f"{truth}/own/{uid}", 0o755)
        for seen in (self.ground.here, self.ground.elsewhere):
            os.listdir(seen)  # asks the server, where a look at a name alone may be answered from a cache

    def _build(self) -> None:
        def init() -> None:
            os.mkdir(os.path.dirname(self.root()))
            os.chmod(os.path.dirname(self.root()), 0o755)
            registries.make(self.ground.here / "0" / "registry", _POLICY, **GROUPS)
            os.chmod(f"{self.root()}/registry.toml", 0o644)

        run_as(STEWARD, init)
        for who, words in _STORY:
            answer = self.step(who, words, 0)
            assert not any((answer.get("errno"), answer.get("code"))), (who, words, answer)


_STORY: Final = (
    ("steward", "new churn"),
    ("alice", "register fraud SOURCE --metric auc=0.1 --label 1.0.0"),
    ("alice", "register fraud SOURCE --metric auc=0.2"),
    ("bob", "register fraud SOURCE --metric auc=0.3 --label 3.0.0"),
    ("alice", "register fraud SOURCE --metric auc=0.4"),
    ("alice", "register fraud SOURCE --metric auc=0.5"),
    ("alice", "register churn SOURCE"),
    ("alice", "register churn SOURCE"),
    ("alice", "register churn SOURCE"),
    ("alice", "edit fraud:1 --set team=risk"),
    ("alice", "edit fraud:1 --set team=fraud"),
    ("alice", "edit fraud:1 --card SOURCE"),
    ("bob", "edit fraud:3 --set team=risk"),
    ("carol", "promote fraud:1 staging"),
    ("carol", "promote fraud:2 staging"),
    ("carol", "promote fraud:3 staging"),
    ("erin-before", "promote fraud:1 production"),
    ("dave", "promote fraud:2 production"),
    ("frank", "promote fraud:1 production"),
    ("dave", "promote fraud:2 production"),
    ("erin-before", "promote churn:1 production"),
    ("carol", "approve fraud:3 production --reason fine"),
    ("alice", "delete fraud:4 --reason wrong"),
    ("alice", "+leave a hint"),
    ("mona", "observe fraud:2 auc=0.9"),
)
"""How the template came about: a command, or with ``+`` something done by hand."""


def listing(root: str) -> dict[str, tuple[Any, ...]]:
    """Everything below a folder: mode, owner, size, times of change, inode and a symlink's text."""
    found: dict[str, tuple[Any, ...]] = {}
    waiting = [root]
    while waiting:
        path = waiting.pop()
        status = os.lstat(path)
        text = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        numbers = (status.st_mode, status.st_uid, status.st_gid, status.st_size)
        times = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_nlink)
        found[path] = (*numbers, *times, text)
        if stat.S_ISDIR(status.st_mode):
            waiting += [f"{path}/{name}" for name in os.listdir(path)]
    return found


def _copy(source: str, target: str) -> None:
    """``cp -a``, for root: owners, modes and times stay."""
    status = os.lstat(source)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o700)
        for name in sorted(os.listdir(source)):  # models before stages: what was promoted is older than its event
            _copy(f"{source}/{name}", f"{target}/{name}")
    else:
        with open(source, "rb") as stream, open(target, "xb") as copied:
            copied.write(stream.read())
    os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
