"""Artifacts as facts, apart from comparing them: who shows a version compares nothing."""

from __future__ import annotations

from stackroom.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """An artifact as its version's seal lists it: path below the folder, size in bytes (None: gone), digest."""

    path: str
    size: int | None
    digest: str
