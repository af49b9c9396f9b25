from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.attested import Validity, Who
from stackroom.core.ledger import Move, event_place
from stackroom.core.names import ModelName, StageName
from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, RegistryError
from stackroom.store import ledgers
from stackroom.store.folder import Folder
from stackroom.store.ledgers import append_move, project, read_ledger, read_live, read_stage
from support.registries import ID, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAUD = ModelName("fraud")
STAGING = StageName("staging")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Folder]:
    make(tmp_path / "r")
    with Folder.open(str(tmp_path / "r")) as folder:
        yield folder


def move(number: int, to: int | None, **changes: object) -> Move:
    made = Move(
        to=to, origin=None, by=Who(os.geteuid()), at=datetime.now(UTC), event=event_place(ID, STAGING, FRAUD, number)
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of Move


def test_an_event_is_made_once_and_read_back(root: Folder) -> None:
    append_move(root, STAGING, FRAUD, 1, move(1, 7, why="a b"))
    ledger = read_ledger(root, ID, STAGING, FRAUD)
    assert (ledger.holder, ledger.next_number, ledger.alarms) == (7, 2, ())
    assert ledger.events[0].validity is Validity.ATTESTED
    assert ledger.events[0].owner == os.geteuid()
    with pytest.raises(ConflictError, match="fraud@1 is taken"):
        append_move(root, STAGING, FRAUD, 1, move(1, 8))
    assert read_ledger(root, ID, STAGING, FRAUD).holder == 7


def test_the_very_same_event_is_a_retransmission(root: Folder) -> None:
    same = move(1, 7)
    append_move(root, STAGING, FRAUD, 1, same)
    append_move(root, STAGING, FRAUD, 1, same)
    assert len(read_ledger(root, ID, STAGING, FRAUD).events) == 1


def test_an_event_whose_owner_is_somebody_else_is_taken_back(root: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(PermissionDeniedError, match="recorded uid"):
        append_move(root, STAGING, FRAUD, 1, move(1, 7))
    assert os.listdir(f"{root.path}/stages/staging") == []


def test_an_event_that_cannot_be_made_sure_of_is_one_of_our_errors(
    root: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: Folder) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Folder, "sync", failing)
    with pytest.raises(RegistryError, match="input/output error"):
        append_move(root, STAGING, FRAUD, 1, move(1, 7))


def test_a_reason_that_is_too_long_makes_nothing(root: Folder) -> None:
    with pytest.raises(InvalidInputError):
        append_move(root, STAGING, FRAUD, 1, move(1, 7, why="ü" * 600))
    assert os.listdir(f"{root.path}/stages/staging") == []


def test_foreign_names_are_reported_and_hidden_ones_are_not(root: Folder) -> None:
    for name in ("notes", "fraud@x", ".nfs1", "fraud@01"):
        os.symlink("x", f"{root.path}/stages/staging/{name}")
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    reading = read_stage(root, ID, STAGING)
    assert list(reading.ledgers) == ["fraud"]
    assert sorted(problem.place for problem in reading.problems) == [
        "stages/staging/fraud@01",
        "stages/staging/fraud@x",
        "stages/staging/notes",
    ]


def test_a_missing_folder_is_an_empty_ledger_and_is_made_by_the_first_move(root: Folder) -> None:
    for path in ("stages/staging", "live/staging"):
        os.rmdir(f"{root.path}/{path}")
    assert read_stage(root, ID, STAGING).ledgers == {}
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    project(root, ID, STAGING, FRAUD)
    assert read_live(root, STAGING) == {"fraud": 7}
    assert os.stat(f"{root.path}/stages/staging").st_mode & 0o7777 == 0o755


def test_where_the_registry_has_groups_the_steward_makes_a_missing_folder(root: Folder) -> None:
    os.rmdir(f"{root.path}/stages/staging")
    os.chmod(f"{root.path}/stages/production", 0o2700)
    with pytest.raises(NotFoundError):
        append_move(root, STAGING, FRAUD, 1, move(1, 7))
    assert not os.path.exists(f"{root.path}/stages/staging")


def test_the_pointer_follows_the_ledger_and_not_the_mover(root: Folder) -> None:
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    project(root, ID, STAGING, FRAUD)
    append_move(root, STAGING, FRAUD, 2, move(2, 8))
    assert read_live(root, STAGING) == {"fraud": 7}
    project(root, ID, STAGING, FRAUD)
    assert read_live(root, STAGING) == {"fraud": 8}
    append_move(root, STAGING, FRAUD, 3, move(3, None))
    project(root, ID, STAGING, FRAUD)
    assert read_live(root, STAGING) == {}
    assert os.listdir(f"{root.path}/live/staging") == []


def test_a_slower_mover_does_not_put_the_pointer_back(root: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    plain = ledgers._point
    raced: list[Any] = []

    def slow(folder: Folder, model: ModelName, number: int | None) -> None:
        if not raced:
            raced.append(number)
            append_move(root, STAGING, FRAUD, 2, move(2, 8))
            plain(folder, model, 8)
        plain(folder, model, number)

    monkeypatch.setattr(ledgers, "_point", slow)
    project(root, ID, STAGING, FRAUD)
    assert raced == [7]
    assert read_live(root, STAGING) == {"fraud": 8}


def test_something_in_the_pointers_place_is_said_and_not_removed(root: Folder) -> None:
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    os.makedirs(f"{root.path}/live/staging/fraud/inside")
    with pytest.raises(RegistryError, match="is a directory"):
        project(root, ID, STAGING, FRAUD)
    assert os.listdir(f"{root.path}/live/staging") == ["fraud"]


def test_a_pointer_elsewhere_is_no_pointer(root: Folder) -> None:
    os.symlink("/etc/passwd", f"{root.path}/live/staging/fraud")
    os.symlink("../../models/other/1", f"{root.path}/live/staging/churn")
    assert read_live(root, STAGING) == {}
    append_move(root, STAGING, FRAUD, 1, move(1, 7))
    project(root, ID, STAGING, FRAUD)
    assert read_live(root, STAGING) == {"fraud": 7}
