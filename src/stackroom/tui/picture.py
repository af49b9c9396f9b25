"""What the interface knows of the registry: the models as they were last read, the newest reading of each."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from stackroom.errors import NotFoundError, RegistryError
from stackroom.registry.glancing import first_models
from stackroom.store import layout
from stackroom.store.access import Access, access_to, access_to_models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.registry.facade import Registry
    from stackroom.store.records import Model, Problem

_SPEAKING: Final = frozenset({"approve", "reject"})
"""What is written to the folders of approvals."""

BATCH_SECONDS: Final = 0.25
"""Between two parts of what is being read: four redraws a second are seen as going on and cost 6 KB each at most."""

_FIRST: Final = 64
"""Models of the first look: more than any screen has rows."""

_MOVING: Final = frozenset({"move", "rollback", "undo"})
"""What is written to the folders of stages; everything else to those of models."""

_TICKETS: Final = itertools.count(1)
"""Each reading takes one when it starts: what was read from an older start never replaces what is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Models that were read; None for one that is gone.

    Attributes:
        ticket: when it was started, as a number that grows.
        models: by name.
        extent: ``all`` there are, each with its newest version and its holders; a ``part`` of them, as long as all
            are not read; or ``some``, each with all its versions.
        total: how many models there are; with ``part`` alone.
        problems: outside the models; with ``all`` alone.
        access: whether names can be made in ``models/`` and in each stage's folders; None where nobody looked.
        stages: that are known; with ``all`` alone.
    """

    ticket: int
    models: Mapping[str, Model | None]
    extent: Literal["all", "part", "some"] = "some"
    total: int = 0
    problems: tuple[Problem, ...] = ()
    access: Mapping[str, Access] | None = None
    stages: frozenset[str] = frozenset()


def read_all(registry: Registry, grown: Callable[[Reading], None] | None = None) -> Reading:
    """Everything that the list of models needs; touches the disk.

    Args:
        registry: to read.
        grown: is handed what was read since the last time, four times a second; what it raises ends the reading.
    """
    ticket = next(_TICKETS)
    told, told_at = 0, time.monotonic()

    def watch(found: Sequence[Model], total: int) -> None:
        nonlocal told, told_at
        if grown is None or time.monotonic() - told_at < BATCH_SECONDS:
            return
        fresh: dict[str, Model | None] = {model.name: model for model in found[told:]}
        grown(Reading(ticket=ticket, models=fresh, extent="part", total=total))
        told, told_at = len(found), time.monotonic()

    registry.refresh()
    listing = registry.models(watch=watch)
    return Reading(
        ticket=ticket,
        models={model.name: model for model in listing.models},
        extent="all",
        problems=listing.problems,
        access=_access(registry),
        stages=frozenset(registry.stages),
    )


def read_first(registry: Registry, also: str) -> Reading:
    """What fills the first screen of a registry of any size, and one more model; touches the disk."""
    ticket = next(_TICKETS)
    models, total = first_models(registry, _FIRST, also=also)
    found: dict[str, Model | None] = {model.name: model for model in models}
    return Reading(ticket=ticket, models=found, extent="part", total=total, access=_access(registry))


def _access(registry: Registry) -> dict[str, Access]:
    parents = (layout.STAGES, layout.APPROVALS)
    places = [f"{parent}/{stage}" for parent in parents for stage in registry.stages]
    found = {place: access_to(f"{registry.path}/{place}") for place in places}
    return {layout.MODELS: access_to_models(str(registry.path)), **found}


def read_some(registry: Registry, names: frozenset[str] | set[str]) -> Reading:
    """Some models with all their versions; touches the disk."""
    ticket = next(_TICKETS)
    found: dict[str, Model | None] = {}
    for name in sorted(names):
        try:
            found[name] = registry.model(name)
        except NotFoundError:
            found[name] = None
        except RegistryError:
            # It cannot be entered: the listing has a record of it that says why.
            found[name] = next((model for model in registry.models().models if model.name == name), None)
    return Reading(ticket=ticket, models=found)


class Picture:
    """The models as last read. For the screen's thread alone.

    Attributes:
        ready: whether all models were read yet.
        total: how many models there are, as far as known before they are all read.
        models: all of them, by name; each as far as it was read.
        opened: those of them that were read with all their versions.
        problems: outside the models.
        access: to ``models/`` and the stages' folders.
        stages: that were known when all models were last read.
    """

    def __init__(self) -> None:
        self.ready = False
        self.total = 0
        self.models: dict[str, Model] = {}
        self.opened: dict[str, Model] = {}
        self.problems: tuple[Problem, ...] = ()
        self.access: Mapping[str, Access] = {}
        self.stages: frozenset[str] = frozenset()
        self._tickets: dict[str, int] = {}
        self._whole_ticket = 0

    @property
    def read_only(self) -> Access | None:
        """The access that is lacking, when the caller may change nothing at all; else None."""
        if not self.access or any(one.allowed for one in self.access.values()):
            return None
        return self._last(layout.STAGES) or self.access[layout.MODELS]

    def lacking(self, action: str) -> Access | None:
        """The access that an action lacks, when the caller may change nothing at all; else None."""
        lacking = self.read_only
        if lacking is None or action in _MOVING:
            return lacking
        return (self._last(layout.APPROVALS) or lacking) if action in _SPEAKING else self.access[layout.MODELS]

    def _last(self, parent: str) -> Access | None:
        found = [one for place, one in self.access.items() if place.startswith(f"{parent}/") and one.exists]
        return found[-1] if found else None

    def take(self, reading: Reading, tell: Callable[[str, Model | None, Model | None], None]) -> set[str]:
        """Put a reading in; returns the names of the models that are not as they were.

        Args:
            reading: what was read.
            tell: is called with each name, and the model before and after.
        """
        whole = reading.extent == "all"
        if reading.extent == "part":
            if self.ready:
                return set()
            self.total = reading.total
        if whole:
            if reading.ticket < self._whole_ticket:
                return set()
            self._whole_ticket = reading.ticket
            self.problems, self.stages = reading.problems, reading.stages
        if reading.access is not None:
            self.access = reading.access
        changed: set[str] = set()
        gone = set(self.models) - set(reading.models) if whole else set()
        for name in {*reading.models, *gone}:
            if reading.ticket < self._tickets.get(name, 0):
                continue
            self._tickets[name] = reading.ticket
            if self._put(name, reading.models.get(name), tell, opened=reading.extent == "some"):
                changed.add(name)
        self.ready = self.ready or whole
        return changed

    def _put(
        self,
        name: str,
        model: Model | None,
        tell: Callable[[str, Model | None, Model | None], None],
        *,
        opened: bool,
    ) -> bool:
        before = self.models.get(name)
        same = before is not None and model is not None and _same(before, model)
        if opened or not same:
            self.models.pop(name, None)
            self.opened.pop(name, None)
            if model is not None:
                self.models[name] = model
                if opened:
                    self.opened[name] = model
        if same:
            return False
        if self.ready:
            tell(name, before, model)
        return True


def _same(one: Model, other: Model) -> bool:
    """Whether two readings of a model agree, as far as both have read its versions."""
    if one is other:
        return True
    numbers = {version.number for version in one.versions} & {version.number for version in other.versions}
    parts = [
        replace(model, versions=tuple(version for version in model.versions if version.number in numbers))
        for model in (one, other)
    ]
    return parts[0] == parts[1]
