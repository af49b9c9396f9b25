"""Models as the list of all shows them: one line for each, and no more of it than the line says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stackroom.core.metadata import iso
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackroom.core.names import ModelName, StageName
    from stackroom.registry.holdings import Stages
    from stackroom.store.records import Holding, Model, Problem

    Chosen = Callable[[Sequence[str]], Sequence[str]]


class ModelLine(NamedTuple):
    """A model as the list shows it; a tuple, because there are thousands.

    Attributes:
        name: of the model.
        versions: how many it has.
        latest: the number of the newest; None where there is none.
        holders: for each stage of the registry the number of its holder, None where there is none, and all that is
            known where the holder is missing or not known.
        metrics: of the newest version, those that were chosen.
        created: when the newest was registered, as :func:`~stackroom.core.metadata.iso` has it; empty where that is
            not known.
        description: of the model, or else of the newest version.
        archived: whether the model's metadata says so.
        problems: what is wrong with the model and the versions that were read.
    """

    name: ModelName
    versions: int
    latest: int | None
    holders: tuple[int | Holding | None, ...]
    metrics: tuple[tuple[str, float], ...]
    created: str
    description: str
    archived: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All models, as the list shows them.

    Attributes:
        lines: by name.
        stages: who holds what.
        problems: what is wrong outside of the models.
    """

    lines: tuple[ModelLine, ...]
    stages: Stages
    problems: tuple[Problem, ...]


def line_of(model: Model, stages: Sequence[StageName], chosen: Chosen) -> ModelLine:
    """The line of a model.

    Args:
        model: which.
        stages: of the registry, in their order.
        chosen: of the names of a version's metrics those to show, in their order.
    """
    latest = model.latest
    holdings = {holding.stage: holding for holding in model.holdings}
    held = (holdings.get(stage) for stage in stages)
    return ModelLine(
        name=model.name,
        versions=model.count,
        latest=latest.number if latest else None,
        holders=tuple(one and (one if one.unread or one.missing else one.number) for one in held),
        metrics=tuple((name, latest.metrics[name]) for name in chosen([*latest.metrics])) if latest else (),
        created=iso(latest.created) if latest and latest.created else "",
        description=model.record.description or (latest.record.description if latest else ""),
        archived=model.record.archived,
        problems=model.all_problems,
    )
