"""Which versions name which as their parents, in the whole registry: what is a parent is not deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.names import Ref, version_named, version_ref
from stackroom.core.values import dataclass
from stackroom.registry.reading import listed
from stackroom.store.scan import may_name_parents, read_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Holding, Version
    from stackroom.store.scan import ModelListing


def relatives(reader: Reader, version: Version) -> tuple[tuple[Holding, ...], tuple[Ref, ...]]:
    """The stages that a version holds, and the versions of its model that name it as a parent by number or label.

    Cost: one read of a small file for every version of the model; those that name parents are understood, too.
    """
    names = {(version.model, name) for name in (str(version.number), *version.labels)}
    with reader.opened_model(version.model) as (root, folder):
        holdings = reader.read_stages(root, version.model)
        listing = listed(folder, version.model)
        children = tuple(
            version_ref(version.model, number)
            for number in listing.numbers
            if may_name_parents(folder, listing, number)
            and names & {version_named(parent) for parent in read_version(folder, listing, number).record.parents}
        )
    held = holdings.holdings(version.model, listing.numbers)
    return tuple(holding for holding in held if holding.number == version.number), children


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
