"""Searching a whole registry without an index: every file is looked at, few are understood, and workers help.

A worker only says which versions of a model may be asked for. Those are read and asked here, with who holds which
stage, so that the answer is the one that reading everything would give.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from stackroom.core.names import ModelName
from stackroom.core.sieve import sieve_of
from stackroom.registry.holdings import with_stages
from stackroom.store.scan import list_model, read_version
from stackroom.store.seeking import candidates
from stackroom.store.workers import Work, shared_out

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stackroom.core.query import Query
    from stackroom.registry.holdings import Stages
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version
    from stackroom.store.workers import Answer


def sought(
    models: Folder, names: Sequence[ModelName], stages: Stages, query: Query, *, archived: bool
) -> list[Version]:
    """The versions that a query asks for, by model and number; a model that cannot be read has none."""
    held = [sorted({one.number for one in stages.holdings(name, ()) if one.number is not None}) for name in names]
    sieve = sieve_of(query.node)

    def chosen(name: ModelName, numbers: Collection[int]) -> list[Version]:
        if not numbers:
            return []
        with models.child(name) as folder:
            listing = list_model(folder, name)
            holdings = stages.holdings(name, listing.numbers)
            present = [number for number in listing.numbers if number in numbers]
            found = [with_stages(read_version(folder, listing, number), holdings, folder) for number in present]
        return [one for one in found if (archived or not one.archived) and query.matches(one.fields())]

    def alone(place: int) -> list[Version]:
        name = names[place]
        try:
            return chosen(name, candidates(models, name, query, sieve, held=held[place], archived=archived))
        except OSError:
            return []

    def together(answer: Answer) -> list[Version] | None:
        match answer.facts:
            case [str(name), list(numbers)]:
                try:
                    return chosen(ModelName(name), numbers)
                except OSError:
                    return []
        # The worker could not read it, or is of a program that replaced this one meanwhile.
        return None

    requests = [{"name": name, "held": numbers} for name, numbers in zip(names, held, strict=True)]
    task = {"task": "seek", "query": query.text, "archived": archived}
    work = Work(models=models, task=task, requests=requests, alone=alone, together=together)
    with contextlib.closing(shared_out(work)) as each:
        return sorted((version for found in each for version in found), key=lambda one: (one.model, one.number))
