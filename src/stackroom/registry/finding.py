"""Which registry is meant: a path, the environment, or the folder that one stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.errors import NotFoundError
from stackroom.registry.facade import Registry
from stackroom.store.locate import REGISTRY_VARIABLE, find_registry

if TYPE_CHECKING:
    from pathlib import Path


def open_registry(path: str | Path | None = None) -> Registry:
    """Open the registry that is meant.

    Args:
        path: its folder; None for ``$STACKROOM_REGISTRY``, else the nearest parent folder with a ``registry.toml``.

    Raises:
        NotFoundError: there is none.
    """
    if path is not None:
        return Registry(path)
    found = find_registry()
    if found is None:
        raise NotFoundError(
            f"no registry here: no -R, no ${REGISTRY_VARIABLE}, and no registry.toml in this folder or above it",
            hint="name one with -R PATH, make one with: stackroom init PATH, or look around in: stackroom demo",
        )
    return Registry(found)
