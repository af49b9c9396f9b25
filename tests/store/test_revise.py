from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.core.names import Label, ModelName
from stackroom.errors import ConflictError, InvalidInputError
from stackroom.store.folder import Folder
from stackroom.store.revise import add_card, add_label, add_metadata, leave_hint
from stackroom.store.scan import CARD_LIMIT
from support.crashes import killed_at_every_step
from support.registries import NOW, left_over, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(str(tmp_path)) as folder:
        yield folder


def test_a_revision_can_be_won_once(tmp_path: Path, model: Folder) -> None:
    add_metadata(model, 2, 1, "first")
    with pytest.raises(ConflictError, match=r"wrote 2@1\.toml while you edited"):
        add_metadata(model, 2, 1, "second")
    assert (tmp_path / "2@1.toml").read_text() == "first"
    assert (tmp_path / "2@1.toml").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "2@1.toml").stat().st_nlink == 1
    assert left_over(tmp_path) == []


def test_the_very_same_text_is_a_retransmission(tmp_path: Path, model: Folder) -> None:
    add_card(model, None, 1, b"# card")
    add_card(model, None, 1, b"# card")
    assert os.listdir(tmp_path) == ["model@1.md"]


def test_what_lies_in_the_way_is_never_overwritten(tmp_path: Path, model: Folder) -> None:
    (tmp_path / "2@1.toml").symlink_to("nowhere")
    (tmp_path / "2@2.toml").mkdir()
    for revision in (1, 2):
        with pytest.raises(ConflictError):
            add_metadata(model, 2, revision, "x")
    assert sorted(os.listdir(tmp_path)) == ["2@1.toml", "2@2.toml"]


@pytest.mark.parametrize("revision", [10**9, 10**30])
def test_a_revision_beyond_nine_digits_is_refused_and_not_lost(tmp_path: Path, model: Folder, revision: int) -> None:
    with pytest.raises(InvalidInputError, match="more than 9 digits"):
        add_metadata(model, 2, revision, "x")
    with pytest.raises(InvalidInputError, match="more than 9 digits"):
        add_card(model, 2, revision, b"x")
    assert os.listdir(tmp_path) == []


def test_a_text_that_could_not_be_read_back_is_refused(tmp_path: Path, model: Folder) -> None:
    with pytest.raises(InvalidInputError):
        add_metadata(model, 2, 1, "x" * 65_537)
    with pytest.raises(InvalidInputError):
        add_card(model, 2, 1, b"x" * (CARD_LIMIT + 1))
    assert os.listdir(tmp_path) == []


def test_a_revision_killed_at_any_step_is_whole_or_not_there(tmp_path: Path, model: Folder) -> None:
    for step, acknowledged in killed_at_every_step(lambda: add_metadata(model, 2, 1, "whole")):
        there = (tmp_path / "2@1.toml").exists()
        assert there or not acknowledged, step
        if there:
            assert (tmp_path / "2@1.toml").read_text() == "whole"
        assert {name for name in os.listdir(tmp_path) if not name.startswith(".tmp-")} <= {"2@1.toml"}
    assert step > 5


def test_a_label_belongs_to_one_version_for_good(tmp_path: Path, model: Folder) -> None:
    assert add_label(model, 2, Label("1.0.0"))
    assert not add_label(model, 2, Label("1.0.0"))
    with pytest.raises(ConflictError, match=r"1\.0\.0 belongs to version 2"):
        add_label(model, 3, Label("1.0.0"))
    assert os.readlink(tmp_path / "1.0.0") == "2"


def test_hints_are_left_and_ones_own_old_ones_taken_away(tmp_path: Path) -> None:
    registry = make(tmp_path / "r")
    feed = tmp_path / "r" / "feed"
    with registry.root() as root:
        leave_hint(root, ModelName("fraud"), "register", "fraud:7", NOW)
        leave_hint(root, ModelName("fraud"), "edit", "fraud:7", NOW + timedelta(seconds=1))
    first, second = sorted(os.listdir(feed))
    assert first.startswith("20261123T042200.000000Z-")
    assert first.endswith("-fraud")
    assert os.readlink(feed / second) == "op=edit ref=fraud:7"


def test_a_hint_that_cannot_be_left_is_no_error(tmp_path: Path) -> None:
    registry = make(tmp_path / "r")
    (tmp_path / "r" / "feed").rmdir()
    with registry.root() as root:
        leave_hint(root, ModelName("fraud"), "edit", "fraud:7", NOW)
