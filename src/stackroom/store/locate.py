"""Where the registry is that a user stands in. Paths are texts here: ``pathlib`` takes half of Python's own start."""

from __future__ import annotations

import os
from typing import Final

from stackroom.store import layout

REGISTRY_VARIABLE: Final = "STACKROOM_REGISTRY"


def absolute(path: str | os.PathLike[str]) -> str:
    """The path from the root, without empty steps and single dots; ``..`` stays, because of symlinks."""
    whole = os.path.join(os.getcwd(), path) if not os.path.isabs(path) else os.fspath(path)
    return "/" + "/".join(step for step in whole.split("/") if step not in {"", "."})


def find_registry() -> str | None:
    """``$STACKROOM_REGISTRY``, else the nearest parent of the working directory that holds a ``registry.toml``."""
    named = os.environ.get(REGISTRY_VARIABLE)
    if named:
        return os.path.expanduser(named)
    try:
        here = os.getcwd()
    except OSError:
        # The working directory was removed under us, or is on a file server that is gone.
        return None
    while not os.path.isfile(os.path.join(here, layout.REGISTRY_FILE)):
        if here == "/":
            return None
        here = os.path.dirname(here)
    return here
