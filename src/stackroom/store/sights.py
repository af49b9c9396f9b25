"""Looking at everything in a registry without opening what is in it: names with their owners, modes and times.

For who examines a tree, as ``doctor`` does. What cannot be looked at is a :class:`Sight` with its error and hides
nothing else; no symlink is followed, and nothing is written.
"""

from __future__ import annotations

import contextlib
import errno
import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.values import dataclass
from stackroom.store import layout

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from stackroom.store.folder import Folder

_OVERFLOW_UID: Final = "/proc/sys/kernel/overflowuid"
_NOBODY: Final = 65_534
"""The anonymous user of NFS servers and user namespaces, where the kernel does not say another."""

_NO_FSYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})

_DEPTH: Final = 100
"""Folders in folders that are looked at: every one of them takes a descriptor, and a process has about a thousand."""

WITHOUT_MODES: Final = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "cifs", "smb3", "fuseblk"})
"""Types of file systems that make owners and modes up from their mount options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A name that was looked at.

    Attributes:
        place: below the registry's root.
        name: its last part.
        status: without following a symlink; None where even that was refused.
        error: why it could not be looked at or, for a folder, looked into.
    """

    place: str
    name: str
    status: os.stat_result | None = None
    error: OSError | None = None

    @property
    def mode(self) -> int:
        """Its permission bits; 0 where they are not known."""
        return stat.S_IMODE(self.status.st_mode) if self.status else 0

    @property
    def owner(self) -> int:
        """Its owner's uid; -1 where it is not known."""
        return self.status.st_uid if self.status else -1

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return self.status is not None and stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.status is not None and stat.S_ISREG(self.status.st_mode)

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symlink."""
        return self.status is not None and stat.S_ISLNK(self.status.st_mode)

    @property
    def what(self) -> str:
        """What kind of thing it is, in a word."""
        if self.is_folder:
            return "folder"
        return "symlink" if self.is_symlink else "file" if self.is_file else "special file"


def look(folder: Folder, place: str) -> list[Sight]:
    """Every name in a folder, sorted; what disappeared meanwhile is left out.

    Raises:
        OSError: the folder cannot be listed.
    """
    found: list[Sight] = []
    for name in sorted(folder.names()):
        below = f"{place}/{name}" if place else name
        try:
            found.append(Sight(place=below, name=name, status=folder.lstat(name)))
        except FileNotFoundError:
            continue
        except OSError as error:
            found.append(Sight(place=below, name=name, error=error))
    return found


def look_below(folder: Folder, place: str) -> Iterator[Sight]:
    """Everything below a folder, folders before what is in them; a folder that cannot be read carries its error."""
    try:
        if place.count("/") > _DEPTH:
            raise OSError(errno.ENAMETOOLONG, "nested too deep to look at")  # noqa: TRY301 - one answer for all that fails here
        sights = look(folder, place)
    except OSError as error:
        yield Sight(place=place, name=place.rpartition("/")[2], status=folder.status(), error=error)
        return
    for sight in sights:
        if not sight.is_folder:
            yield sight
            continue
        try:
            with folder.child(sight.name) as inside:
                yield sight
                yield from look_below(inside, sight.place)
        except OSError as error:
            yield Sight(place=sight.place, name=sight.name, status=sight.status, error=error)


def newest_time(sight: Sight, folder: Folder) -> float:
    """The latest time of change of a name in a folder and of all below it, as far as that can be read."""
    latest = sight.status.st_ctime if sight.status else 0.0
    if sight.is_folder:
        with contextlib.suppress(OSError), folder.child(sight.name) as inside:
            for below in look_below(inside, sight.place):
                latest = max(latest, below.status.st_ctime if below.status else 0.0)
    return latest


def anonymous_uid() -> int:
    """The uid that stands for users whom the file server or the user namespace does not know."""
    with contextlib.suppress(OSError, ValueError), open(_OVERFLOW_UID, encoding="ascii") as file:
        return int(file.read())
    return _NOBODY


def flushes_folders(folder: Folder) -> bool:
    """Whether the file system flushes a directory when it is asked to."""
    try:
        folder.sync()
    except OSError as error:
        return error.errno not in _NO_FSYNC
    return True


def ignores_case(root: Folder) -> bool:
    """Whether ``registry.toml`` is also found in capital letters, as one and the same file."""
    swapped = layout.REGISTRY_FILE.swapcase()
    try:
        one, other = root.lstat(layout.REGISTRY_FILE), root.lstat(swapped)
        # A second name that somebody gave the file would be listed.
        return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino) and not root.has(swapped)
    except OSError:
        return False
