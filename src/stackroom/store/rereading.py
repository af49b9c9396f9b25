"""A model's folder, read again where it is not as it was: what there is to remember of it, and what is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.values import dataclass
from stackroom.store.keeping import identity_of, read_known
from stackroom.store.scan import ModelListing, list_model, model_record, read_version
from stackroom.store.stamps import stamp_of
from stackroom.store.told import said, told_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stackroom.core.metadata import Record
    from stackroom.core.names import ModelName
    from stackroom.store.folder import Folder
    from stackroom.store.forms import Forms
    from stackroom.store.records import Problem, Version
    from stackroom.store.remembered import KnownVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A model that was read from its folder, but for what is remembered of it.

    Attributes:
        listing: of the folder.
        stamp: of the folder, before it was listed.
        own: the model's own metadata, the number of its revision, and what is wrong with it.
        kept: the versions that are as they are remembered.
        fresh: those that were read, ready to be remembered.
        flawed: those that were read and are not to be remembered, because something is wrong with them.
    """

    listing: ModelListing
    stamp: str
    own: tuple[Record, int, tuple[Problem, ...]]
    kept: tuple[int, ...]
    fresh: tuple[KnownVersion, ...]
    flawed: Mapping[int, Version]

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong: else it is read again each time, because what is wrong may be put right."""
        return not (self.listing.problems or self.own[2] or self.flawed)

    @property
    def full(self) -> bool:
        """Whether every version is remembered from now on."""
        return len(self.kept) + len(self.fresh) == len(self.listing.numbers)


def reread(
    folder: Folder,
    name: ModelName,
    known: Mapping[int, str],
    wanted: Callable[[ModelListing], Iterable[int]],
    forms: Forms,
) -> Reread:
    """Read a model's folder, and of its versions those that are wanted and not as they are remembered.

    Args:
        folder: the model's.
        name: of the model.
        known: the numbers of the versions that are remembered, and their identities.
        wanted: the numbers, of those in a listing.
        forms: of the texts that were read before.

    Raises:
        OSError: the folder cannot be listed.
    """
    stamp = stamp_of(folder.status())
    listing = list_model(folder, name)
    # Of what nobody asks for and nobody remembers, nothing has to be known.
    same = [(number, identity_of(folder, listing, number)) for number in listing.numbers if number in known]
    kept = tuple(number for number, identity in same if identity and known[number] == identity)
    fresh: list[KnownVersion] = []
    flawed: dict[int, Version] = {}
    for number in sorted({*wanted(listing)}.difference(kept)):
        version = read_known(folder, listing, number, forms)
        if version is None:
            flawed[number] = read_version(folder, listing, number)
        else:
            fresh.append(version)
    own = model_record(folder, listing)
    return Reread(listing=listing, stamp=stamp, own=own, kept=kept, fresh=tuple(fresh), flawed=flawed)


def packed_model(models: Folder, name: ModelName, known: Mapping[int, str], forms: Forms) -> tuple[Any, bytes]:
    """What a worker says of a model: what there is to remember, or nothing where something is wrong with it.

    Args:
        models: the folder of the models.
        name: of the model.
        known: as in :func:`reread`.
        forms: likewise.

    Raises:
        OSError: it cannot be read.
    """
    with models.child(name) as folder:
        found = reread(folder, name, known, all_of, forms)
    return said(told_of(found)) if found.sound else (None, b"")


def all_of(listing: ModelListing) -> Iterable[int]:
    """The numbers of every version, for whoever wants them all."""
    return listing.numbers
