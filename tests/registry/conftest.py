from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.registries import make

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


@pytest.fixture(autouse=True)
def _no_provenance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking git costs more than a register."""
    monkeypatch.setattr("stackroom.registry.registering.provenance", dict)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return make(tmp_path / "registry")
