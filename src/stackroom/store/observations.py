"""The folder of observations: one file for each process that writes, to which that process alone appends.

The only files of a registry that change. A name of its own for each process is what makes that safe: ``O_APPEND`` is
not atomic between the clients of a file server. What one write did not finish is a torn last line, which readers leave
out; the next observation begins a new file, so that nothing is ever joined to half a line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Who
from stackroom.core.observations import Observation, Source, file_name, parse_file_name, parse_line
from stackroom.core.values import dataclass, replace
from stackroom.store import layout
from stackroom.store.access import access_to, refused, user_name
from stackroom.store.attested import access_to_missing, check_owner, ensured
from stackroom.store.folder import GONE, Folder, changed_at, explained
from stackroom.store.records import Problem
from stackroom.store.scan import os_problem
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stackroom.core.attested import Validity
    from stackroom.core.names import ModelName
    from stackroom.core.observations import FileName
    from stackroom.store.access import Access

FILE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one file that are read, from its end, and after which a writer begins another one: some 50,000 lines."""

TOTAL_LIMIT: Final = 64 * 1024 * 1024
"""Bytes that one reading takes, of the files that changed last; what is left out is told."""

FILES_LIMIT: Final = 10_000
"""Files that one reading opens, those that changed last; what is left out is told."""

MODE: Final = 0o644

_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_own: dict[tuple[int, int, int, str, int], str] = {}
"""The names of this process's own files, by process, folder (device and inode), model and version.

By process, because a fork that went on writing to its parent's file would be a second writer.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedFile:
    """A file of observations, and what it yields.

    Attributes:
        place: below the registry's root.
        name: what its name spells.
        owner: the file's owner.
        validity: what its lines are worth.
        mode: its permission bits.
        observations: in the order of the file.
        broken: how many lines could not be understood.
        first_broken: the first of them, counted from 1 from where reading began; 0 where there is none.
        unread: bytes at its beginning that were left out.
    """

    place: str
    name: FileName
    owner: Who
    validity: Validity
    mode: int
    observations: tuple[Observation, ...]
    broken: int = 0
    first_broken: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationReading:
    """The folder, or what of it was asked for.

    Attributes:
        files: by name.
        problems: what has no place there, or could not be read.
        left_out: files that were not read, because there are too many or they are too large.
    """

    files: tuple[ObservedFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: int = 0

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All of them, oldest first."""
        return tuple(sorted((one for file in self.files for one in file.observations), key=lambda one: one.when))


def access_to_observations(root: str) -> Access:
    """Whether the caller may record observations; a missing folder as :func:`access_to_missing` has it."""
    found = access_to(f"{root}/{layout.OBSERVATIONS}")
    if found.exists:
        return found
    above = access_to(root)
    missing = access_to_missing(found.directory, above, "record")
    if missing is above:
        return above
    return replace(missing, remedy=f"{above.owner.label} makes it: stackroom doctor prints the commands")


# --- writing


def append_observation(root: Folder, model: ModelName, version: int, line: bytes) -> str:
    """Append a line to this process's own file, durably; costs two flushes for the first one and one for each other.

    Args:
        root: the registry.
        model: of which.
        version: of which.
        line: with its line feed.

    Returns:
        The file's name below the registry's root.

    Raises:
        PermissionDeniedError: the kernel refuses, or the file system recorded another owner.
        InvalidInputError: the disk is full; what was written of the line counts for nothing.
    """
    doing = f"record an observation of {model}:{version}"
    path = f"{root.path}/{layout.OBSERVATIONS}"
    try:
        folder = ensured(root, layout.OBSERVATIONS)
    except OSError as error:
        raise refused(error, root.path, doing) or explained(error, "open", path) from error
    with folder:
        status = folder.status()
        own = (os.getpid(), status.st_dev, status.st_ino, model, version)
        try:
            name = _own.get(own)
            # Taken away until the line is whole: after a write that failed the file ends in half a line.
            _own.pop(own, None)
            if name is None or not _appended(folder, name, line):
                name = _made(folder, (model, version), line, doing)
        except OSError as error:
            raise refused(error, path, doing) or explained(error, "write to", path) from error
        _own[own] = name
    return f"{layout.OBSERVATIONS}/{name}"


def _appended(folder: Folder, name: str, line: bytes) -> bool:
    """Append to a file that this process made; False where that is no longer there, or has grown enough."""
    try:
        fd = os.open(name, _APPEND, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in {*GONE, errno.ELOOP, errno.ENXIO, errno.EACCES}:
            return False
        raise
    with _closed(fd):
        status = os.fstat(fd)
        same = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_nlink == 1
        if not same or status.st_size + len(line) > FILE_LIMIT:
            return False
        _write(fd, line)
    return True


def _made(folder: Folder, subject: tuple[ModelName, int], line: bytes, doing: str) -> str:
    name = file_name(*subject, host=os.uname().nodename, uid=os.geteuid(), nonce=uuid4())
    fd = folder.create_empty(name)
    with _closed(fd):
        # Whatever the umask: an observation that nobody else can read is none.
        os.fchmod(fd, MODE)
        check_owner(folder, name, doing)
        _write(fd, line)
    folder.sync()
    return name


@contextlib.contextmanager
def _closed(fd: int) -> Iterator[None]:
    """Closes it, and lets an error of that be heard: NFS reports a full disk there."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(fd)
        raise
    os.close(fd)


def _write(fd: int, line: bytes) -> None:
    written = os.write(fd, line)
    if written < len(line):
        # The rest would follow at the wrong place if another thread had written meanwhile.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(fd)


# --- reading


def read_observations(root: Folder, wanted: Callable[[FileName], bool]) -> ObservationReading:
    """Read the files that are wanted; a missing folder is an empty one.

    Args:
        root: the registry.
        wanted: by what their names spell.

    Raises:
        OSError: the folder cannot be listed.
    """
    try:
        folder = root.child(layout.OBSERVATIONS)
    except FileNotFoundError:
        return ObservationReading()
    problems: list[Problem] = []
    files: list[ObservedFile] = []
    with folder:
        owner = folder.status().st_uid
        found = list(_found(folder, wanted, problems))
        found.sort(key=lambda one: (one[0].st_ctime_ns, one[1]), reverse=True)
        room, left_out = TOTAL_LIMIT, max(0, len(found) - FILES_LIMIT)
        for status, name, spelled in found[:FILES_LIMIT]:
            if room <= 0:
                left_out += 1
                continue
            source = Source(
                name=spelled,
                owner=Who(status.st_uid, user_name(status.st_uid)),
                folder_owner=owner,
                changed=changed_at(status),
            )
            place = f"{layout.OBSERVATIONS}/{name}"
            try:
                file, taken = _read(folder, name, source, place)
            except OSError as error:
                if error.errno not in GONE:
                    problems.append(os_problem(place, error, folder))
                continue
            room -= taken
            files.append(file)
    if left_out:
        message = f"{left_out:,} files are left out: only those that changed last are read"
        problems.append(Problem(place=layout.OBSERVATIONS, message=message, severity="warning"))
    return ObservationReading(
        files=tuple(sorted(files, key=lambda one: one.place)), problems=tuple(problems), left_out=left_out
    )


def _found(
    folder: Folder, wanted: Callable[[FileName], bool], problems: list[Problem]
) -> Iterator[tuple[os.stat_result, str, FileName]]:
    for name in folder.names():
        spelled = parse_file_name(name)
        if spelled is None or not wanted(spelled):
            continue
        try:
            status = folder.lstat(name)
        except OSError as error:
            if error.errno not in GONE:
                problems.append(os_problem(f"{layout.OBSERVATIONS}/{name}", error, folder))
            continue
        if stat.S_ISREG(status.st_mode):
            yield status, name, spelled
        else:
            message = "foreign: not a regular file"
            problems.append(Problem(place=f"{layout.OBSERVATIONS}/{name}", message=message, severity="warning"))


def _read(folder: Folder, name: str, source: Source, place: str) -> tuple[ObservedFile, int]:
    """A file's lines, and how many bytes were read; the last line only where it is whole."""
    fd = folder.open_file(name)
    try:
        status = os.fstat(fd)
        start = max(0, status.st_size - FILE_LIMIT)
        text = os.pread(fd, FILE_LIMIT, start)
    finally:
        os.close(fd)
    lines = text.split(b"\n")
    # After the last line feed stands nothing, or what a writer is still writing, or never finished; and where reading
    # began in the middle of the file, the first line is the end of one.
    lines = lines[1 if start else 0 : -1]
    good: list[Observation] = []
    broken = first_broken = 0
    for number, line in enumerate(lines, 1):
        observation = parse_line(line, source)
        if observation is not None:
            good.append(observation)
        else:
            broken, first_broken = broken + 1, first_broken or number
    file = ObservedFile(
        place=place,
        name=source.name,
        owner=source.owner,
        validity=source.validity,
        mode=stat.S_IMODE(status.st_mode),
        observations=tuple(good),
        broken=broken,
        first_broken=first_broken,
        unread=start,
    )
    return file, len(text)
