"""Which versions name which as their parents, in the whole registry: what is a parent is not deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.names import Ref, version_named, version_ref
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
    from stackroom.store.scan import ModelListing


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """Who names whom, by the current metadata of every version that is here.

    Attributes:
        children: for a model and a number, a label or ``latest``, the versions that name it.
        unread: the places of versions and models whose parents are not known, because they cannot be read.
    """

    children: Mapping[tuple[ModelName, str], tuple[Ref, ...]]
    unread: tuple[str, ...]

    @classmethod
    def read(cls, reader: Reader) -> Families:
        """Read every version. Cost: as ``list`` of all models with all versions."""
        children: dict[tuple[ModelName, str], list[Ref]] = {}
        listing = reader.models(every_version=True)
        unread = [problem.place for problem in listing.problems if problem.place == "models"]
        for model in listing.models:
            if model.owner.uid < 0:
                unread.append(f"models/{model.name}")
            for version in model.versions:
                if version.seal is None and not version.revision:
                    unread.append(f"models/{model.name}/{version.number}")
                for parent in version.record.parents:
                    named = version_named(parent)
                    if named:
                        children.setdefault(named, []).append(version.ref)
        return cls(children={named: tuple(refs) for named, refs in children.items()}, unread=tuple(unread))

    def children_of(self, listing: ModelListing, number: int, newest: int | None) -> tuple[Ref, ...]:
        """The versions that name this one as a parent, by its number, a label, or as the latest where it is."""
        names = [str(number), *listing.labels.get(number, ())]
        if number == newest:
            names.append("latest")
        own = version_ref(listing.name, number)
        found = (ref for name in names for ref in self.children.get((listing.name, name), ()))
        return tuple(dict.fromkeys(ref for ref in found if ref != own))
