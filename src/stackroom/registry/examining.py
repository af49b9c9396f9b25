"""``doctor``: one walk through a registry, and everything that is not as it should be.

No part fails as a whole: what cannot be read is a finding like any other. Nothing is written, and no more permission is
needed than for reading.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stackroom.core.findings import Finding
from stackroom.errors import RegistryError
from stackroom.registry.examination.approvals import examine_approvals
from stackroom.registry.examination.folders import examine_feed, examine_folders, examine_observations
from stackroom.registry.examination.host import examine_caller, examine_clock, examine_host
from stackroom.registry.examination.ledgers import examine_ledgers, examine_memory
from stackroom.registry.examination.models import examine_models
from stackroom.registry.examination.tour import Tour, told_at_the_end
from stackroom.registry.holdings import Stages
from stackroom.store import layout
from stackroom.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.registry.reading import Reader


def examine(reader: Reader) -> Iterator[Finding]:
    """Everything that is not as it should be, as it is found.

    Cost: every name is looked at once, and the texts of every version are read; artifacts only where a stage's holder
    was touched after it was promoted. About a millisecond for a version.
    """
    try:
        reader.refresh()
    except RegistryError as error:
        # Somebody took it away since the registry was opened: what it said then is still the best that is known.
        yield Finding(kind="registry-file-wrong", place=layout.REGISTRY_FILE, message=str(error))
    with reader.root() as root:
        tree = survey(root, reader.stages)
        tour = Tour(
            reader=reader,
            root=root,
            steward=tree.steward,
            team=tree.team,
            authors=tree.plan.authors,
            shared=tuple(row.path for row in tree.rows if row.gid is not None and row.path),
            me=os.geteuid(),
            now=reader.clock().timestamp(),
        )
        stages = Stages.read(root, reader.id, reader.stages)
        parts = (
            examine_host(tour),
            examine_caller(tour),
            examine_folders(tour, tree),
            examine_ledgers(tour, stages),
            examine_memory(tour),
            examine_approvals(tour),
            examine_models(tour, stages),
            examine_feed(tour),
            examine_observations(tour),
            told_at_the_end(tour),
            examine_clock(tour),
        )
        for part in parts:
            yield from _unfailing(tour, part)


def _unfailing(tour: Tour, part: Iterator[Finding]) -> Iterator[Finding]:
    """A part that breaks off is a finding, and the others go on."""
    try:
        yield from part
    except OSError as error:
        yield tour.unreadable(os.fsdecode(error.filename or ""), error)
    except RegistryError as error:
        yield Finding(kind="unreadable", place="", message=str(error))
