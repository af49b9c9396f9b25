"""Where the registry is that a user stands in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from stackroom.store import layout

REGISTRY_VARIABLE: Final = "STACKROOM_REGISTRY"


def find_registry() -> Path | None:
    """``$STACKROOM_REGISTRY``, else the nearest parent of the working directory that holds a ``registry.toml``."""
    named = os.environ.get(REGISTRY_VARIABLE)
    if named:
        return Path(named).expanduser()
    try:
        here = Path.cwd()
    except OSError:
        # The working directory was removed under us, or is on a file server that is gone.
        return None
    return next((folder for folder in (here, *here.parents) if (folder / layout.REGISTRY_FILE).is_file()), None)
