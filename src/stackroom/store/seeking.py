"""Looking for versions in a model's folder, without understanding more of them than a search needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.toml import METADATA_LIMIT
from stackroom.store import layout
from stackroom.store.scan import list_model, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from stackroom.core.names import ModelName
    from stackroom.core.query import Query
    from stackroom.store.folder import Folder
    from stackroom.store.scan import ModelListing


_FEW: Final = 4
"""Where the sieve leaves no more than one version in so many, whoever asks may as well read them all himself."""


def candidates(
    models: Folder,
    name: ModelName,
    query: Query,
    sieve: Callable[[bytes], bool],
    *,
    held: Container[int],
    archived: bool,
) -> list[int]:
    """The versions of a model that a query may ask for.

    Args:
        models: the folder of the models.
        name: of the model.
        query: what is asked for.
        sieve: what can be told of it by a file's bytes.
        held: the versions that hold a stage: of these more has to be known than stands in their folders.
        archived: whether archived ones are asked for.

    Raises:
        OSError: the model's folder cannot be read.
    """
    found: list[int] = []
    with models.child(name) as folder:
        listing = list_model(folder, name)
        left = [number for number in listing.numbers if _may_be(folder, listing, number, sieve)]
        if len(left) * _FEW <= len(listing.numbers):
            return left
        for number in left:
            if number not in held:
                version = read_version(folder, listing, number)
                if (version.archived and not archived) or not query.matches(version.fields()):
                    continue
            found.append(number)
    return found


def _may_be(folder: Folder, listing: ModelListing, number: int, sieve: Callable[[bytes], bool]) -> bool:
    if number in listing.revisions:
        return True
    try:
        with folder.child(str(number)) as inside:
            return sieve(inside.read(layout.VERSION_FILE, METADATA_LIMIT))
    except OSError:
        return True
