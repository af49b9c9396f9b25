"""What a register is asked to publish: every file of the sources, checked before the first byte is copied.

Regular files and directories only. A symlink, FIFO, socket or device, a name that cannot stand in a SUMS file, two
sources with one name, and the names that belong to the format are refused with their path.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from stackroom.core.text import is_plain_name
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError, NotFoundError
from stackroom.store import layout
from stackroom.store.digest import Progress, digest_file, silent
from stackroom.store.hashing import TwoDigests
from stackroom.store.sums import DEPTH_LIMIT, artifacts_digest, is_too_deep, sums_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to publish.

    Attributes:
        source: where it lies now.
        target: its path below the version's folder.
        size: in bytes, when it was looked at.
    """

    source: str
    target: str
    size: int


def gather(sources: Sequence[str], *, follow: bool = False) -> tuple[SourceFile, ...]:
    """All files of the sources, by target path. The contents of a directory land in the version's folder itself.

    Args:
        sources: files and directories.
        follow: read what symlinks point at, where that is a regular file, as in a Hugging Face snapshot.

    Raises:
        InvalidInputError: something that a version cannot hold; names its path.
        NotFoundError: a source is not there.
    """
    found: dict[str, SourceFile] = {}
    for source in sources:
        for file in _files_of(source, follow=follow):
            _check_target(file, found)
            found[file.target] = file
    if not found:
        raise InvalidInputError(
            "there is nothing to register: the sources hold no files", facts={"sources": list(sources)}
        )
    _check_overlap(found)
    return tuple(found[target] for target in sorted(found))


def _files_of(source: str, *, follow: bool) -> Iterator[SourceFile]:
    if "\0" in source:
        raise InvalidInputError(f"{source!r} is no path", facts={"path": source})
    try:
        status = os.lstat(source)
    except OSError as error:
        raise NotFoundError(
            f"cannot read {source}: {(error.strerror or str(error)).lower()}", facts={"path": source}
        ) from None
    if stat.S_ISLNK(status.st_mode) and os.path.isdir(source):
        # The user named this link: following it is what he asked for.
        yield from _below(source, "", follow=follow)
    elif stat.S_ISDIR(status.st_mode):
        yield from _below(source, "", follow=follow)
    else:
        yield _file(source, os.path.basename(os.path.normpath(source)), follow=follow)


def _below(directory: str, prefix: str, *, follow: bool) -> Iterator[SourceFile]:
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        message = f"cannot read {directory}: {(error.strerror or str(error)).lower()}"
        raise InvalidInputError(message, facts={"path": directory}) from None
    for entry in entries:
        target = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            _check_name(entry.name, entry.path)
            _check_depth(entry.path, prefix)
            yield from _below(entry.path, f"{target}/", follow=follow)
        else:
            yield _file(entry.path, target, follow=follow)


def _file(path: str, target: str, *, follow: bool) -> SourceFile:
    _check_name(target.rpartition("/")[2], path)
    try:
        status = os.stat(path, follow_symlinks=follow)
    except OSError as error:
        message = f"cannot read {path}: {(error.strerror or str(error)).lower()}"
        raise InvalidInputError(message, facts={"path": path}) from None
    if not stat.S_ISREG(status.st_mode):
        kind, hint = _kind(status.st_mode)
        raise InvalidInputError(
            f"{path} is {kind}, and a version holds files and folders only", hint=hint, facts={"path": path}
        )
    return SourceFile(source=path, target=target, size=status.st_size)


def _kind(mode: int) -> tuple[str, str]:
    if stat.S_ISLNK(mode):
        return "a symlink", "add --follow to copy what symlinks point at"
    if stat.S_ISDIR(mode):
        return "a symlink to a folder", "name that folder as a source of its own"
    if stat.S_ISFIFO(mode):
        return "a FIFO", ""
    return ("a socket", "") if stat.S_ISSOCK(mode) else ("a device", "")


def _check_name(name: str, path: str) -> None:
    if not is_plain_name(name):
        raise InvalidInputError(
            f"{path}: a file name may hold no control or hidden characters, no backslash, and must be UTF-8",
            hint="rename it",
            facts={"path": path},
        )


def _check_depth(path: str, prefix: str) -> None:
    """What verification would not look into is damage as soon as it is published."""
    if is_too_deep(prefix):
        raise InvalidInputError(
            f"{path}: a folder nested more than {DEPTH_LIMIT} deep, and a version holds no such folder",
            hint="pack it into one file, such as a .tar",
            facts={"path": path},
        )


def _check_target(file: SourceFile, found: dict[str, SourceFile]) -> None:
    if file.target in layout.UNLISTED_FILES or ("/" not in file.target and file.target.endswith("SUMS")):
        raise InvalidInputError(
            f"{file.source}: the name {file.target} belongs to the format",
            hint="rename it",
            facts={"path": file.source},
        )
    if file.target in found:
        raise InvalidInputError(
            f"two sources with one name: {found[file.target].source} and {file.source}",
            hint="rename one of them, or give a folder that holds both",
            facts={"path": file.source, "other": found[file.target].source},
        )


def _check_overlap(found: Iterable[str]) -> None:
    """A file cannot have the name of a folder that another source brings."""
    names = set(found)
    for target in names:
        parts = target.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in names:
                raise InvalidInputError(f"{'/'.join(parts[:depth])} is a file in one source and a folder in another")


def prospective_digest(files: Sequence[SourceFile], card: bytes | None, progress: Progress = silent) -> str:
    """What ``[artifacts] digest`` would say if these files were registered; reads every byte.

    Raises:
        InvalidInputError: a file cannot be read.
    """
    lines: list[tuple[str, str]] = []
    for file in files:
        try:
            fd = os.open(file.source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                lines.append((file.target, digest_file(fd, file.target, progress).sha256))
            finally:
                os.close(fd)
        except OSError as error:
            message = f"cannot read {file.source}: {(error.strerror or str(error)).lower()}"
            raise InvalidInputError(message, facts={"path": file.source}) from None
    if card is not None:
        digests = TwoDigests()
        digests.update(memoryview(card))
        lines.append((layout.CARD_FILE, digests.of(layout.CARD_FILE).sha256))
    return artifacts_digest(sums_text(lines))
