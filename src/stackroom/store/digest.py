"""Digests of artifacts: checking a version's folder against its SUMS files.

Two algorithms, one pass. xxh3-128 finds accidents at disk speed and proves nothing against people; sha256 is what an
event pins, because the adversary is the author after the review.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final, Protocol

from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.store import layout
from stackroom.store.hashing import FileDigest, digested
from stackroom.store.readings import now
from stackroom.store.sums import FoundFile, artifacts_digest, read_sums, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stackroom.store.folder import Folder
    from stackroom.store.readings import Readings

WORTH_A_THREAD: Final = 1024 * 1024
"""Bytes of what is read beside others; what is smaller is read before it has been handed out. (Python's threads take
turns at everything but reading and hashing: 10,000 files of 1 KiB take twice as long in two threads as in one.)"""

_HOLES: Final = 64
"""Where nothing says what was sealed: so many times larger than on disk is no compression, but a hole."""

_HOLLOW: Final = 1024
"""Whatever was sealed: so many times larger than what of it is no hole, artifacts are not read beyond a gibibyte. Who
wants others to hash for days has to spend a thousandth of it on her own quota."""

_GIBIBYTE: Final = 1024**3

_PATH_SHOWN: Final = 120

NOT_SEALED: Final = "the folder is writable: not sealed, or copied without its modes (git clone, rsync)"


class Progress(Protocol):
    """Is told how many more bytes were done; may raise to cancel."""

    def __call__(self, amount: int, /) -> None:
        """Called after every chunk; with 0 while something runs that has no bytes."""


class Mapped(Protocol):
    """``map``, or that of a pool."""

    def __call__(self, check: Callable[[FoundFile], _FileCheck], files: Iterable[FoundFile], /) -> Iterator[_FileCheck]:
        """The result for every file, in their order."""


def silent(_amount: int, /) -> None:
    """A progress that nobody watches."""


def digest_file(fd: int, path: str, progress: Progress = silent) -> FileDigest:
    """Read a descriptor to its end."""
    return digested(fd, lambda chunk: progress(len(chunk)), expected=os.fstat(fd).st_size).of(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What re-reading a version found.

    Attributes:
        damage: what is not as sealed, in words that name the file; empty where all is.
        warnings: what is as sealed and could be changed unnoticed: write permission, a second name.
        files: how many artifacts were read.
        bytes: of them.
        remembered: those among the bytes that were read before, and not now.
        digest: ``sha256:…`` of the file SHA256SUMS, or empty where that cannot be read.
    """

    damage: tuple[str, ...]
    warnings: tuple[str, ...]
    files: int
    bytes: int
    remembered: int
    digest: str


def verify_version(
    version: Folder,
    sealed_digest: str,
    progress: Progress = silent,
    *,
    mapped: Mapped = map,
    apart: int = WORTH_A_THREAD,
    sealed_bytes: int | None = None,
    readings: Readings | None = None,
) -> Verification:
    """Read every artifact again and compare with both SUMS files, and these with the seal.

    Args:
        version: the version's folder.
        sealed_digest: what ``version.toml`` says about SHA256SUMS; empty where that is broken.
        progress: is told about the bytes.
        mapped: what goes through the large files, as ``map`` does; that of a pool reads several at once.
        apart: bytes of a file that is large.
        sealed_bytes: what all artifacts have together, by ``version.toml``; of no file more is read. A file with holes
            can seem larger than any disk, and reading it would keep whoever verifies for days.
        readings: what was read before; what is read now is remembered there.

    Raises:
        OSError: only for the folder itself; everything below it becomes damage.
    """
    damage: list[str] = []
    digest, wanted = _wanted_digests(version, sealed_digest, damage)
    files = [one for one in walk(version) if not (one.path in layout.UNLISTED_FILES and one.is_regular)]
    told = {one.path: problem for one in files if (problem := _unlisted(one, wanted))}
    # The largest first: what is read last is what everybody waits for.
    listed = sorted((one for one in files if one.path not in told), key=lambda one: (-one.status.st_size, one.path))
    larger = _larger(listed, sealed_bytes) or hollow(version, listed)
    if larger:
        damage.append(f"{larger}: not read")
        read: list[FoundFile] = []
    else:
        read = listed
    most = sealed_bytes

    def check(one: FoundFile) -> _FileCheck:
        capped = _Capped(progress, most) if most is not None else progress
        return _check_file(version, one, wanted[one.path], capped, readings)

    checks = _checked(check, read, mapped, apart)
    told |= {one.path: one.problem for one in checks if one.problem}
    damage += [told[path] for path in sorted(told)]
    damage += [f"{path}: missing" for path in sorted(wanted.keys() - {one.path for one in files})]
    warnings = [text for one in sorted(listed, key=lambda one: one.path) for text in _file_warnings(one)]
    if version.status().st_mode & 0o222:
        warnings.append(NOT_SEALED)
    return Verification(
        damage=tuple(damage),
        warnings=tuple(warnings),
        files=len(files),
        bytes=sum(one.bytes for one in checks),
        remembered=sum(one.bytes for one in checks if one.remembered),
        digest=digest,
    )


def _checked(
    check: Callable[[FoundFile], _FileCheck], files: Sequence[FoundFile], mapped: Mapped, apart: int
) -> list[_FileCheck]:
    """What every file's check found; the files come with the largest first, and the small ones are read meanwhile."""
    large = [one for one in files if one.status.st_size >= apart]
    waited_for = mapped(check, large)
    return [*(check(one) for one in files[len(large) :]), *waited_for]


def _wanted_digests(version: Folder, sealed_digest: str, damage: list[str]) -> tuple[str, dict[str, tuple[str, str]]]:
    """The digest of SHA256SUMS, and for every path that either file lists both digests."""
    try:
        text, strong = read_sums(version)
        _, quick = read_sums(version, layout.XXH128_FILE)
    except (OSError, InvalidInputError) as error:
        damage.append(_sums_trouble(error))
        return "", {}
    digest = artifacts_digest(text)
    if sealed_digest and digest != sealed_digest:
        damage.append(f"{layout.SHA256_FILE}: {digest}, and {layout.VERSION_FILE} says {sealed_digest}")
    if strong.keys() != quick.keys():
        odd = ", ".join(sorted(strong.keys() ^ quick.keys())[:3])
        damage.append(f"{layout.XXH128_FILE}: does not list what {layout.SHA256_FILE} lists: {odd}")
    return digest, {path: (strong[path], quick.get(path, "")) for path in strong}


def _sums_trouble(error: OSError | InvalidInputError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or layout.SHA256_FILE}: {(error.strerror or str(error)).lower()}"
    return str(error)


def _unlisted(found: FoundFile, wanted: dict[str, tuple[str, str]]) -> str:
    if stat.S_ISDIR(found.status.st_mode):
        return f"{_short(found.path)}: a folder nested too deep to look into"
    if not found.is_regular:
        kind = "a symlink" if stat.S_ISLNK(found.status.st_mode) else "neither file nor folder"
        return f"{found.path}: {kind}, and a version holds files and folders only"
    return "" if found.path in wanted else f"{found.path}: extra, no SUMS file lists it"


def _short(path: str) -> str:
    """A path by its ends, where it is nested too deep to be read by anybody."""
    return path if len(path) <= _PATH_SHOWN else f"{path[: _PATH_SHOWN // 2]}…{path[-_PATH_SHOWN // 2 :]}"


def _larger(files: Sequence[FoundFile], sealed_bytes: int | None) -> str:
    """The damage where artifacts, the largest first, have more bytes than were sealed; then none has to be read."""
    size = sum(found.status.st_size for found in files)
    on_disk = sum(found.status.st_blocks for found in files) * 512
    if size <= (on_disk * _HOLES + WORTH_A_THREAD if sealed_bytes is None else sealed_bytes):
        return ""
    that = f"{on_disk:,} on disk" if sealed_bytes is None else f"{sealed_bytes:,} were sealed"
    largest = files[0]
    return f"{largest.path}: {largest.status.st_size:,} bytes; the artifacts have {size:,}, and {that}"


def may_be_hollow(size: int) -> bool:
    """Whether artifacts of so many bytes together may be :func:`hollow`; fewer are read whatever they are."""
    return size > _GIBIBYTE


def hollow(version: Folder, files: Sequence[FoundFile]) -> str:
    """The damage where artifacts, the largest first, are holes and next to nothing else; an empty text where not.

    Whoever publishes asks it before, so that nothing is sealed that nobody would read. Costs nothing below a gibibyte,
    nor where enough of it is on disk; else a look at the holes of each file.
    """
    size = sum(found.status.st_size for found in files)
    most = size // _HOLLOW
    if not may_be_hollow(size) or sum(found.status.st_blocks for found in files) * 512 > most:
        return ""
    # Some file systems know of no blocks, and others compress: what is a hole, they are asked in so many words.
    data = 0
    for found in files:
        with contextlib.suppress(OSError):
            fd = _open_below(version, found.path)
            try:
                data += _data_in(fd, found.status.st_size, most)
            finally:
                os.close(fd)
        if data > most:
            return ""
    return f"{files[0].path}: the artifacts have {size:,} bytes, and all but {data:,} of them are holes"


def _data_in(fd: int, size: int, enough: int) -> int:
    """Bytes of a file that are no hole, until they are enough; all of them where a file system knows no holes."""
    data = end = 0
    while end < size and data <= enough:
        try:
            begin = os.lseek(fd, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                break
            raise
        end = os.lseek(fd, begin, os.SEEK_HOLE)
        data += end - begin
    return data


class _Capped:
    """A progress that ends the reading of a file that grows beyond what was sealed."""

    def __init__(self, progress: Progress, limit: int) -> None:
        self._progress = progress
        self._left = limit

    def __call__(self, amount: int, /) -> None:
        self._progress(amount)
        self._left -= amount
        if self._left < 0:
            raise OSError(errno.EFBIG, "it grows while it is read, beyond what was sealed")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileCheck:
    """What comparing one file with its digests found."""

    path: str
    bytes: int
    remembered: bool = False
    problem: str = ""


def _check_file(
    version: Folder, found: FoundFile, wanted: tuple[str, str], progress: Progress, readings: Readings | None
) -> _FileCheck:
    """Compare one file with its digests."""
    try:
        fd = _open_below(version, found.path)
        try:
            before = os.fstat(fd)
            digest = readings.before(found.path, before) if readings else None
            if digest and not _differs(digest, wanted):
                progress(digest.size)
                return _FileCheck(path=found.path, bytes=digest.size, remembered=True)
            # Damage is nothing that anybody remembers: it is looked at.
            digest = _read_now(fd, found.path, before, progress, readings)
        finally:
            os.close(fd)
    except OSError as error:
        return _FileCheck(path=found.path, bytes=0, problem=f"{found.path}: {(error.strerror or str(error)).lower()}")
    problem = _differs(digest, wanted)
    return _FileCheck(path=found.path, bytes=digest.size, problem=f"{found.path}: {problem}" if problem else "")


def _read_now(fd: int, path: str, before: os.stat_result, progress: Progress, readings: Readings | None) -> FileDigest:
    if readings is None:
        return digest_file(fd, path, progress)
    started = now()
    digest = digest_file(fd, path, progress)
    readings.remember(digest, before, os.fstat(fd), started)
    return digest


def _differs(digest: FileDigest, wanted: tuple[str, str]) -> str:
    """What is not as it was sealed, or an empty text."""
    if digest.sha256 != wanted[0]:
        return f"sha256 is {digest.sha256[:12]}…, and {wanted[0][:12]}… was sealed"
    if wanted[1] and digest.xxh128 != wanted[1]:
        return f"xxh128 is {digest.xxh128[:12]}…, and {wanted[1][:12]}… was sealed"
    return ""


def _open_below(folder: Folder, path: str) -> int:
    """A descriptor on a file below a folder, following no symlink on the way."""
    head, _, rest = path.partition("/")
    if not rest:
        return folder.open_file(head)
    with folder.child(head) as inside:
        return _open_below(inside, rest)


def _file_warnings(found: FoundFile) -> Iterable[str]:
    if found.status.st_nlink > 1:
        yield f"{found.path}: has {found.status.st_nlink} names, and the other may be writable"
