"""What a line of the table is, and how one line stands for many cells.

``Refused`` names the errnos that may be seen and leaves the tree as it was, to the inode and the nanosecond;
``Allowed`` is somebody's good right, and no check has a word to say about it; ``Hole`` is what succeeds although it
hurts, with the check that reports it. The ids of the holes are those of ``docs/explanation/guarantees.md``.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The kernel says no, or the command does before it asks.

    Attributes:
        errnos: any of these, for a system call.
        code: the exit code, for a command.
    """

    errnos: frozenset[int] = frozenset()
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Somebody's good right.

    Attributes:
        holds: who holds fraud's production then.
    """

    holds: int | None = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """What no mode refuses.

    Attributes:
        id: the anchor in the documentation.
        reports: check to a text that it shows; empty where no look at the tree can tell.
        remembered: whether the reader had looked before, and goes by what he saw then.
        names: whom the report names by his uid; empty where nobody can be named.
        holds: who holds fraud's production then, by the rule of the format.
        churn: who holds churn's.
        then: who makes the next move with which command; for a few, what somebody has to put right before.
        after: who holds fraud's production after that.
        churn_after: who holds churn's.
        before: what others did first.
    """

    id: str
    reports: Mapping[str, str] = field(default_factory=dict)
    names: str = ""
    remembered: bool = False
    holds: int | None = 2
    churn: int | None = 1
    then: tuple[tuple[str, str], ...] = (("frank", "promote fraud:3 production"),)
    after: int | None = 3
    churn_after: int | None = 1
    before: tuple[tuple[str, str], ...] = ()


Expected = Refused | Allowed | Hole
Condition = Literal["unprotected", "no_attributes", "no_access_lists", "nfs"]
"""``fs.protected_hardlinks`` is 0 on this client; the file system has no attributes of users (NFSv3, an older tmpfs) or
no access lists (NFSv4); an export with root squashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One try.

    Attributes:
        who: of :data:`access.world.PEOPLE`.
        how: a system call, an attack, or a command.
        what: of :data:`access.world.OBJECTS`; for a command what it would change.
        expected: locally, with ``fs.protected_hardlinks`` on.
        where: what else is expected, by :data:`Condition`; the first that holds decides.
        is_command: whether ``how`` is the words of a command.
    """

    who: str
    how: str
    what: str
    expected: Expected
    where: Mapping[str, Expected] = field(default_factory=dict)
    is_command: bool = False

    def __str__(self) -> str:
        said = f"`stackroom {self.how}` ({self.what})" if self.is_command else f"{self.how}: {self.what}"
        return f"{self.who}: {said}"


NO: Final = Refused(errnos=frozenset({errno.EACCES, errno.EPERM}))
"""The mode of the folder, the sticky bit, or that somebody else owns it."""
ALLOWED: Final = Allowed()


def or_else(*errnos: int) -> Refused:
    """Refused, where the kind of thing or of file system may be named before the right."""
    return Refused(errnos=NO.errnos | frozenset(errnos))


def calls(who: str, how: str, what: str, expected: Expected, **where: Expected) -> Iterator[Cell]:
    for one, call, thing in product(_words(who), _words(how), _words(what)):
        other = {"nfs": NO_EXCHANGE} if call == "exchange" else where
        yield Cell(who=one, how=call, what=thing, expected=expected, where=other)


def commands(who: str, words: str, what: str, expected: Expected | int) -> Iterator[Cell]:
    wanted = Refused(code=expected) if isinstance(expected, int) else expected
    for one in _words(who):
        yield Cell(who=one, how=words, what=what, expected=wanted, is_command=True)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


NO_EXCHANGE = or_else(errno.EINVAL)
"""On NFS, which knows no exchange, and says so first."""
NO_DIR = or_else(errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST)
NO_FILE = or_else(errno.ENOTDIR)
NO_XATTR = or_else(errno.EOPNOTSUPP)
