"""Which registry is meant: a path, the environment, or the folder that one stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.errors import NotFoundError
from stackroom.store.locate import REGISTRY_VARIABLE, find_registry

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry
    from stackroom.registry.reading import Reader


def open_registry(path: str | Path | None = None) -> Registry:
    """Open the registry that is meant.

    Args:
        path: its folder; None for ``$STACKROOM_REGISTRY``, else the nearest parent folder with a ``registry.toml``.

    Raises:
        NotFoundError: there is none.
    """
    from stackroom.registry.facade import Registry  # noqa: PLC0415 - who only reads does not wait for what writes

    return Registry(registry_path(path))


def open_reader(path: str | Path | None = None) -> Reader:
    """Open the registry that is meant for reading alone, which loads half the code; errors as :func:`open_registry`."""
    from stackroom.registry.reading import Reader  # noqa: PLC0415 - the same

    return Reader(registry_path(path))


def registry_path(path: str | Path | None = None) -> str | Path:
    """The folder that is meant; errors as :func:`open_registry`."""
    if path is not None:
        return path
    found = find_registry()
    if found is None:
        raise NotFoundError(
            f"no registry here: no -R, no ${REGISTRY_VARIABLE}, and no registry.toml in this folder or above it",
            hint="name one with -R PATH, make one with: stackroom init PATH, or look around in: stackroom demo",
        )
    return found
