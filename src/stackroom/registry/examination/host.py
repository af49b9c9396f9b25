"""The file system, the clocks and the caller: what no single place in the tree can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import CLOCK_SLACK
from stackroom.core.findings import Finding
from stackroom.core.show import duration
from stackroom.store.caveats import caveats
from stackroom.store.mounts import file_system_of
from stackroom.store.sights import WITHOUT_MODES, flushes_folders, ignores_case
from stackroom.store.trust import open_ways, stewards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.registry.examination.tour import Tour


def examine_host(tour: Tour) -> Iterator[Finding]:
    """What the file system under the registry does not do."""
    system = file_system_of(str(tour.reader.path))
    if system.type in WITHOUT_MODES:
        message = f"{system.type}, mounted at {system.mount_point}"
        yield Finding(kind="modes-not-kept", place="", message=message)
    for way in open_ways(str(tour.reader.path), stewards(tour.root)):
        yield Finding(kind="way-open", place="", message=str(way))
    if not flushes_folders(tour.root):
        yield Finding(kind="fsync-missing", place="", message=f"{system.type} does not flush a directory")
    if ignores_case(tour.root):
        yield Finding(kind="case-insensitive", place="", message=f"{system.type} finds REGISTRY.TOML, too")


def examine_caller(tour: Tour) -> Iterator[Finding]:
    """What makes it unsure what the caller may do: each caveat once, at the first folder that it is about."""
    said: set[str] = set()
    for place in ("", *tour.shared):
        for caveat in caveats(f"{tour.reader.path}/{place}" if place else str(tour.reader.path)):
            # That a folder is not sticky is told of the folder.
            if caveat.kind == "not-sticky" or caveat.message in said:
                continue
            said.add(caveat.message)
            yield Finding(kind="permission-unsure", place=place, message=str(caveat))


def examine_clock(tour: Tour) -> Iterator[Finding]:
    """Whether the newest time in the registry has not come yet by this host's clock."""
    ahead = tour.newest - tour.now
    if ahead > CLOCK_SLACK:
        message = f"something here changed {duration(ahead)} from now by the clock of this host"
        yield Finding(kind="clock-ahead", place="", message=message)
