"""SUMS files, and the files that they list: what is said about artifacts, without reading one.

Both SUMS files are in GNU's format, sorted by the bytes of the path, and ``sha256sum -c`` and ``xxh128sum -c`` accept
them.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.patterns import pattern
from stackroom.core.sha256 import sha256
from stackroom.core.text import is_plain_name
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.store import layout

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from stackroom.store.folder import Folder

DEPTH_LIMIT: Final = 100
"""Folders in folders that are looked into: every one of them takes a descriptor, and a process has about a thousand."""

SUMS_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a SUMS file: half a million artifacts."""


def sums_text(lines: Iterable[tuple[str, str]]) -> bytes:
    """A SUMS file from pairs of path and hex digest."""
    ordered = sorted((path.encode(), digest) for path, digest in lines)
    return b"".join(digest.encode() + b"  " + path + b"\n" for path, digest in ordered)


_SUMS_LINE: Final = pattern(rb"([0-9a-f]{32}|[0-9a-f]{64}) [ *](.+)")


def parse_sums(text: bytes, *, where: str) -> dict[str, str]:
    """A SUMS file as path to hex digest.

    Raises:
        InvalidInputError: a line is not in the format; names it.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line:
            continue
        match = _SUMS_LINE.fullmatch(line)
        path = match[2].decode(errors="surrogateescape") if match else ""
        if not match or not is_safe_path(path) or path in found:
            raise InvalidInputError(f"{where}:{number}: not a digest and a path", facts={"file": where, "line": number})
        found[path] = match[1].decode()
    return found


def is_safe_path(path: str) -> bool:
    """Whether an artifact's path is relative, stays below its folder, and can stand in a SUMS file."""
    return is_plain_name(path) and all(part not in {"", ".", ".."} for part in path.split("/"))


def artifacts_digest(sha256_sums: bytes) -> str:
    """What an event pins and ``[artifacts] digest`` says: the digest of the file SHA256SUMS."""
    return f"sha256:{sha256(sha256_sums).hexdigest()}"


def read_sums(version: Folder, name: str = layout.SHA256_FILE) -> tuple[bytes, dict[str, str]]:
    """A version's SUMS file: its text, and what it says.

    Raises:
        OSError: it cannot be read.
        InvalidInputError: it is not in the format.
    """
    text = version.read(name, SUMS_LIMIT)
    return text, parse_sums(text, where=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """Something below a version's folder: its path, and its status without following symlinks."""

    path: str
    status: os.stat_result

    @property
    def is_regular(self) -> bool:
        """Whether it is a file and nothing else."""
        return stat.S_ISREG(self.status.st_mode)


def is_too_deep(prefix: str) -> bool:
    """Whether a folder in the folder with this path, which ends in a slash, is nested too deep to be looked into."""
    return prefix.count("/") >= DEPTH_LIMIT


def walk(folder: Folder, prefix: str = "") -> Iterator[FoundFile]:
    """Everything below a folder that is not a directory, in no order; and directories that are nested too deep.

    These are not looked into, and are no regular files: to whoever verifies they are damage.

    Raises:
        OSError: a directory cannot be listed.
    """
    deep = is_too_deep(prefix)
    for entry in list(folder.entries()):
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False) and not deep:
            with folder.child(entry.name) as inside:
                yield from walk(inside, f"{path}/")
        else:
            yield FoundFile(path=path, status=folder.lstat(entry.name))


def each_size(version: Folder) -> Callable[[str], int | None]:
    """The size of an artifact by its path, from one walk; None for what is gone."""
    sizes = {found.path: found.status.st_size for found in walk(version)}
    return sizes.get
