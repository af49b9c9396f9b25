"""What the parts of an examination share: whose registry it is, who asks, and what was noticed on the way.

One :class:`Tour` is one walk. Some findings cannot be told before it has ended: whether a left-over is stale depends on
the newest time of the file system, and what belongs to nobody is told once.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Who
from stackroom.core.findings import Finding
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.mending import cannot_be_published
from stackroom.store.scan import os_problem
from stackroom.store.sights import Sight, anonymous_uid, look, newest_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.core.names import StageName
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder

STALE_SECONDS: Final = 24 * 3600
"""A left-over is stale when the file system has seen something a day newer than it."""

STALE_HERE_SECONDS: Final = 7 * 24 * 3600
"""Or when it is a week old by this host's clock, in a registry where nothing happens any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOver:
    """An unfinished thing: what it is, the newest time in it, and whether it is surely none that was published."""

    sight: Sight
    newest: float
    surely: bool


@dataclass(slots=True, kw_only=True)
class Tour:
    """One walk through a registry.

    Attributes:
        reader: the registry.
        root: its folder, open.
        steward: the uid that owns the root.
        team: whether others than the steward may change anything.
        authors: the gid that may add versions; None where only the steward may.
        shared: the places of the folders that a group may write to.
        me: the caller's uid.
        now: this host's clock, in seconds.
        newest: the latest time of change that was seen so far.
        moved: for a stage and the name of an event, the file system's time of it in nanoseconds.
        bytes_kept: by uid, of deleted versions in the trash.
        left_overs: what writers left unfinished.
        nobodys: the places that belong to the anonymous user.
    """

    reader: Reader
    root: Folder
    steward: int
    team: bool
    authors: int | None
    shared: tuple[str, ...]
    me: int
    now: float
    newest: float = 0.0
    moved: dict[tuple[StageName, str], int] = field(default_factory=dict)
    bytes_kept: Counter[int] = field(default_factory=Counter)
    left_overs: list[LeftOver] = field(default_factory=list)
    nobodys: list[Sight] = field(default_factory=list)
    _anonymous: int = field(default_factory=anonymous_uid)

    def seen(self, folder: Folder, place: str) -> list[Sight]:
        """Every name in a folder, remembered for what can be told only at the end; left-overs are taken out.

        Raises:
            OSError: it cannot be listed.
        """
        found: list[Sight] = []
        for sight in look(folder, place):
            self.notice(sight)
            if layout.parse_temporary_name(sight.name) is None:
                found.append(sight)
            else:
                surely = cannot_be_published(sight, folder, self.steward)
                self.left_overs.append(LeftOver(sight=sight, newest=newest_time(sight, folder), surely=surely))
        return found

    def notice(self, sight: Sight) -> None:
        """Remember the time of a thing, and that it belongs to nobody."""
        if sight.status is None:
            return
        self.newest = max(self.newest, sight.status.st_ctime)
        if sight.owner == self._anonymous:
            self.nobodys.append(sight)

    def path(self, place: str) -> str:
        """A place as a word for a shell; it is absolute, so that no option can be mistaken for it."""
        return shlex.quote(os.path.join(self.reader.path, place) if place else str(self.reader.path))

    def command(self, *words: str) -> str:
        """A command of ours for this registry, for a shell."""
        return shlex.join(("stackroom", "-R", str(self.reader.path), *words))

    def may_change(self, owner: int) -> bool:
        """Whether the caller may change the mode of what that user owns."""
        return self.me in {0, owner}

    def may_share(self, owner: int, gid: int) -> bool:
        """Whether the caller may give what that user owns to a group, and the setgid bit: the kernel asks for both."""
        return self.me == 0 or (self.me == owner and gid in {os.getegid(), *os.getgroups()})

    def is_stale(self, time: float) -> bool:
        """Whether something that changed last at that time was left by a writer that is no more."""
        return self.newest - time > STALE_SECONDS or self.now - time > STALE_HERE_SECONDS

    def unreadable(self, place: str, error: OSError, folder: Folder | None = None) -> Finding:
        """The finding for what could not be read."""
        return Finding(kind="unreadable", place=place, message=os_problem(place, error, folder).message)


def who(uid: int) -> Who:
    """A person by number, with the login that this host knows."""
    return Who(uid, user_name(uid))


def foreign(sight: Sight) -> Finding:
    """The finding for a name that fits no rule."""
    message = f"foreign {sight.what}: no rule of the format allows this name here"
    return Finding(kind="foreign-name", place=sight.place, message=message, owner=who(sight.owner))


def told_at_the_end(tour: Tour) -> Iterator[Finding]:
    """What depends on everything that was seen: left-overs, and what belongs to nobody."""
    for left in tour.left_overs:
        yield _left_over(tour, left)
    for sight in tour.nobodys:
        message = f"belongs to {sight.owner}, the user that stands for users who are not known"
        yield Finding(kind="owner-squashed", place=sight.place, message=message, owner=who(sight.owner))


def _left_over(tour: Tour, left: LeftOver) -> Finding:
    sight = left.sight
    owner = who(sight.owner)
    hours = max(0.0, max(tour.newest, tour.now) - left.newest) / 3600
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else "minutes"
    message = f"unfinished {sight.what} of {owner.label}, last changed {age} ago"
    if not tour.is_stale(left.newest):
        return Finding(kind="temporary-young", place=sight.place, message=message, owner=owner)
    if not left.surely:
        message += "; look into it first: somebody could have renamed something published so"
    where = tour.path(sight.place)
    mine = sight.owner == tour.me == layout.parse_temporary_name(sight.name)
    # No chmod of what is in it: somebody can put a symlink there, which rm does not follow.
    command = f"rm -rf {where}" if sight.is_folder else f"rm -f {where}"
    return Finding(
        kind="temporary-stale",
        place=sight.place,
        message=message,
        owner=owner,
        command=command,
        fixable=mine and left.surely,
        changed=left.newest,
    )
