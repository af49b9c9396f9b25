"""The first models of a registry are those of the list of all, without what the others cost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stackroom.registry.glancing import first_models
from stackroom.store.folder import Folder
from support.registries import artifacts, make

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_first_look_shows_what_the_list_of_all_shows_and_reads_no_event_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make(tmp_path / "registry")
    folder = artifacts(tmp_path / "files")
    for name in ("a", "b", "c", "d"):
        registry.register(name, folder, metrics={"auc": 0.5})
        registry.promote(f"{name}:1", "production")
    (tmp_path / "registry/models/b/1/version.toml").unlink()
    os.rename(tmp_path / "registry/models/c", tmp_path / "registry/models/bad!name")
    read: list[str] = []
    real = Folder.read_link

    def watched(folder: Folder, name: str) -> str:
        read.append(name)
        return real(folder, name)

    monkeypatch.setattr(Folder, "read_link", watched)
    found, total = first_models(registry, 1, also="b")
    assert {name.partition("@")[0].partition(".")[0] for name in read} == {"a", "b"}
    every = {str(model.name): model for model in registry.models().models}
    assert (found, total) == ((every["a"], every["b"]), 3)
    assert found[1].all_problems


def test_where_nothing_can_be_read_a_first_look_finds_nothing(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    os.rename(tmp_path / "registry/models", tmp_path / "registry/gone")
    assert first_models(registry, 9) == ((), 0)
    os.rename(tmp_path / "registry", tmp_path / "elsewhere")
    assert first_models(registry, 9) == ((), 0)
