"""The model registry that is a folder.

::

    import stackroom

    registry = stackroom.open("/nfs/models")
    version = registry.register("fraud-detector", "out/", metrics={"auc": 0.934}, card="…")
    registry.promote(version.ref, "staging", reason="beats 6 on October")
    best = registry.search("metrics.auc > 0.9", sort="-metrics.auc")[0]
    path = registry.version("fraud-detector@production").path

This module is the public interface and nothing else; what it names is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""What type checkers take for true under this name; importing ``typing`` for it would cost 5 ms."""

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from stackroom.core.approvals import Word
    from stackroom.core.compare import Comparison
    from stackroom.core.ledger import Event
    from stackroom.core.metadata import Record
    from stackroom.core.names import Ref
    from stackroom.errors import (
        ConflictError,
        GuardRefusedError,
        IntegrityError,
        InvalidInputError,
        NotFoundError,
        PermissionDeniedError,
        RegistryError,
        UsageError,
    )
    from stackroom.registry.approving import Spoken
    from stackroom.registry.editing import Edit, Revised
    from stackroom.registry.facade import Registry
    from stackroom.registry.judging import Judgement
    from stackroom.registry.moving import MoveResult
    from stackroom.store.records import Model, Version

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "stackroom.core.compare",
    "ConflictError": "stackroom.errors",
    "Edit": "stackroom.registry.editing",
    "Event": "stackroom.core.ledger",
    "GuardRefusedError": "stackroom.errors",
    "IntegrityError": "stackroom.errors",
    "InvalidInputError": "stackroom.errors",
    "Judgement": "stackroom.registry.judging",
    "Model": "stackroom.store.records",
    "MoveResult": "stackroom.registry.moving",
    "NotFoundError": "stackroom.errors",
    "PermissionDeniedError": "stackroom.errors",
    "Record": "stackroom.core.metadata",
    "Ref": "stackroom.core.names",
    "Registry": "stackroom.registry.facade",
    "RegistryError": "stackroom.errors",
    "Revised": "stackroom.registry.editing",
    "Spoken": "stackroom.registry.approving",
    "UsageError": "stackroom.errors",
    "Version": "stackroom.store.records",
    "Word": "stackroom.core.approvals",
}

__all__ = [
    "Comparison",
    "ConflictError",
    "Edit",
    "Event",
    "GuardRefusedError",
    "IntegrityError",
    "InvalidInputError",
    "Judgement",
    "Model",
    "MoveResult",
    "NotFoundError",
    "PermissionDeniedError",
    "Record",
    "Ref",
    "Registry",
    "RegistryError",
    "Revised",
    "Spoken",
    "UsageError",
    "Version",
    "Word",
    "open",
]


def open(path: str | Path | None = None) -> Registry:  # noqa: A001 - read as stackroom.open
    """Open a registry.

    Args:
        path: its folder; None for ``$STACKROOM_REGISTRY``, else the nearest parent folder with a ``registry.toml``.

    Raises:
        NotFoundError: there is none.
    """
    from stackroom.registry.finding import open_registry  # noqa: PLC0415 - importing stackroom costs nothing

    return open_registry(path)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name is
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - the same

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'stackroom' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
