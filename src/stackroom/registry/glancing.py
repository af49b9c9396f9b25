"""A first look at a registry of any size: something to show until all of it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.errors import RegistryError
from stackroom.registry.holdings import Stages
from stackroom.store import layout
from stackroom.store.scan import list_models

if TYPE_CHECKING:
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Model


def first_models(reader: Reader, most: int, *, also: str = "") -> tuple[tuple[Model, ...], int]:
    """The first models by name, each as in the list of all, and how many there are.

    Args:
        reader: the registry.
        most: how many.
        also: the name of one more, if there is such a model.

    What is not promised: that it is all there is to say. A model without a folder that holds a stage is missing, as is
    what lies beside the models; where nothing can be read, nothing is found, and whoever reads all of it says why.

    Cost: one listing of ``models/`` and of each stage's folder, and the events and versions of these few.
    """
    try:
        with reader.root() as root, root.child(layout.MODELS) as models:
            names = list_models(models)[0]
            first = [*names[:most], *(name for name in names[most:] if name == also)]
            stages = Stages.read(root, reader.id, reader.stages, first)
            found = [reader.model_of(models, name, stages, every_version=False) for name in first]
    except (OSError, RegistryError):
        return (), 0
    return tuple(found), len(names)
