"""Observations on a real disk: written by one process into one file, and read whatever anybody left there."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.core.attested import Validity
from stackroom.errors import IntegrityError, InvalidInputError, NotFoundError, PermissionDeniedError, RegistryError
from stackroom.registry.facade import Registry
from stackroom.store import observations as stored
from support.registries import ALICE, EVE, MONITORS, STEWARD, artifacts, shared
from support.users import User, run_as

if TYPE_CHECKING:
    from pathlib import Path

MONITOR = '[stages.production]\nmonitor = { metrics = ["auc >= 0.88"], window_hours = 24 }\n'
NONCE = "01234567-89ab-4cde-8f01-23456789abcd"


@pytest.fixture
def held(registry: Registry, tmp_path: Path) -> Registry:
    """Two versions, of which the second holds production after the first."""
    file = registry.path / "registry.toml"
    file.write_text(file.read_text().partition("[stages")[0] + MONITOR)
    registry.refresh()
    for content in (b"one", b"two"):
        source = artifacts(tmp_path / content.decode(), {"m": content})
        registry.register("fraud", source, metadata={"description": "x"}, card="# x\n")
    registry.promote("fraud:1", "production")
    registry.promote("fraud:2", "production")
    return registry


def files(registry: Registry) -> list[str]:
    return sorted(os.listdir(registry.path / "observations"))


def at(registry: Registry, hours: float) -> datetime:
    return registry.clock() + timedelta(hours=hours)


def plant(registry: Registry, name: str, text: bytes) -> None:
    (registry.path / "observations" / name).write_bytes(text)


def kinds(registry: Registry) -> set[str]:
    return {one.kind for one in registry.examine() if one.place.startswith("observations")}


def test_one_process_appends_to_one_file_of_a_version_and_the_owner_attests_it(held: Registry) -> None:
    first = held.observe("fraud@production", {"auc": 0.9})
    again = Registry(held.path).observe("fraud:2", {"auc": 0.91, "f1": 0.5}, at=at(held, -1))
    other = held.observe("fraud:1", {"auc": 0.8})
    assert first.file == again.file != other.file
    assert len(files(held)) == 2
    assert (held.path / first.file).stat().st_mode & 0o777 == 0o644
    found = held.observations("fraud:2").observations
    assert [dict(one.metrics) for one in found] == [{"auc": 0.91, "f1": 0.5}, {"auc": 0.9}]
    assert {one.validity for one in found} == {Validity.ATTESTED}
    assert {one.by.uid for one in found} == {os.geteuid()}
    assert len(held.observations("fraud").observations) == len(held.observations().observations) == 3
    assert kinds(held) == set()


@pytest.mark.root
def test_a_forked_process_begins_a_file_of_its_own(held: Registry) -> None:
    held.observe("fraud:2", {"auc": 0.9})
    run_as(User(uid=os.geteuid(), gid=os.getegid()), lambda: held.observe("fraud:2", {"auc": 0.8}).file)
    held.observe("fraud:2", {"auc": 0.7})
    assert len(files(held)) == 2
    assert len(held.observations("fraud:2").observations) == 3


def test_what_a_full_disk_tore_is_left_out_and_nothing_is_joined_to_it(
    held: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.observe("fraud:2", {"auc": 0.9})
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, line: write(fd, line[:10]))
        with pytest.raises(InvalidInputError, match="space"):
            held.observe("fraud:2", {"auc": 0.8})
    held.observe("fraud:2", {"auc": 0.7})
    assert len(files(held)) == 2
    assert [one.metrics["auc"] for one in held.observations("fraud:2").observations] == [0.9, 0.7]
    assert kinds(held) == set()


def test_a_file_that_has_grown_enough_is_followed_by_another(held: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FILE_LIMIT", 100)
    for _ in range(3):
        held.observe("fraud:2", {"auc": 0.9})
    assert len(files(held)) == 3
    assert len(held.observations("fraud:2").observations) == 3


def test_a_file_that_was_taken_away_or_swapped_is_not_written_to(held: Registry) -> None:
    first = held.path / held.observe("fraud:2", {"auc": 0.9}).file
    first.unlink()
    victim = held.path / "registry.toml"
    before = victim.read_bytes()
    first.symlink_to(victim)
    second = held.path / held.observe("fraud:2", {"auc": 0.8}).file
    second.unlink()
    os.link(victim, second)
    held.observe("fraud:2", {"auc": 0.7})
    assert victim.read_bytes() == before
    assert "foreign-name" in kinds(held)


def test_broken_lines_are_counted_and_hide_nothing(held: Registry) -> None:
    name = f"fraud:2.host-{os.geteuid()}-{NONCE}.jsonl"
    good = json.dumps({"at": "2026-05-03T14:00:00Z", "metrics": {"auc": 0.9}, "more": 1}).encode()
    plant(held, name, b"\n".join([good, b"\x1b]52;c;x\x07", b"{", good, b'{"at": "torn']))
    reading = held.observations("fraud:2")
    assert len(reading.observations) == 2
    assert [(file.broken, file.first_broken) for file in reading.files] == [(2, 2)]
    assert kinds(held) == {"observation-broken"}
    assert held.monitor().broken == 2


def test_reading_is_bounded_and_says_what_it_left_out(held: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = os.geteuid()
    line = json.dumps({"at": "2026-05-03T14:00:00Z", "metrics": {"auc": 0.9}}).encode() + b"\n"
    for digit in "0123":
        plant(held, f"fraud:2.host-{uid}-{NONCE[:-1]}{digit}.jsonl", line * 10)
    monkeypatch.setattr(stored, "FILE_LIMIT", len(line) * 3)
    monkeypatch.setattr(stored, "FILES_LIMIT", 3)
    monkeypatch.setattr(stored, "TOTAL_LIMIT", len(line) * 4)
    reading = held.observations("fraud:2")
    # The first line of what is read of a file may be the end of one.
    assert len(reading.observations) == 2 * 2
    assert reading.left_out == 2
    assert "2 files are left out" in reading.problems[-1].message


@pytest.mark.parametrize("kind", ["folder", "fifo", "symlink", "foreign", "open"])
def test_what_is_no_file_of_observations_is_told_and_never_opened(held: Registry, kind: str) -> None:
    held.observe("fraud:2", {"auc": 0.9})
    path = held.path / "observations" / f"fraud:2.host-{os.geteuid()}-{NONCE}.jsonl"
    match kind:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "symlink":
            path.symlink_to("/etc/passwd")
        case "foreign":
            (path.parent / "notes.jsonl").write_text("x")
        case _:
            path.write_text("")
            path.chmod(0o666)
    assert len(held.observations("fraud:2").observations) == 1
    assert kinds(held) == ({"observation-open"} if kind == "open" else {"foreign-name"})


def test_a_time_that_is_still_to_come_and_a_version_that_is_not_there_are_refused(held: Registry) -> None:
    with pytest.raises(InvalidInputError, match="still to come"):
        held.observe("fraud:2", {"auc": 0.9}, at=at(held, 1))
    with pytest.raises(NotFoundError):
        held.observe("fraud:9", {"auc": 0.9})
    with pytest.raises(InvalidInputError, match="expected a number"):
        held.observe("fraud:2", {"auc": "high"})  # type: ignore[dict-item]  # the mistake
    assert held.observe("fraud:2", {"auc": 0.9}, dry_run=True).file == ""
    assert files(held) == []
    assert held.observations("fraud:9").observations == ()


def test_a_degraded_holder_is_told_with_the_way_back_and_a_silent_one_is_not_well(held: Registry) -> None:
    (row,) = held.monitor().rows
    assert (str(row.ref), row.state, row.why()) == ("fraud:2", "silent", "auc >= 0.88: nothing was observed")
    assert "degraded" not in {one.kind for one in held.review()}
    later = Registry(held.path, clock=lambda: datetime.now(UTC) + timedelta(hours=25))
    assert "unobserved" in {one.kind for one in later.review()}
    held.observe("fraud:1", {"auc": 0.99})  # another version's
    for value in (0.9, 0.8):
        held.observe("fraud@production", {"auc": value})
    (row,) = held.monitor("fraud", "production").rows
    assert (row.state, row.command, str(row.back)) == ("degraded", "stackroom rollback fraud production", "fraud:1")
    assert row.readings[0].mean == pytest.approx(0.85)
    (remark,) = [one for one in held.review() if one.kind == "degraded"]
    assert remark.command == "stackroom rollback fraud production"
    assert remark.why == "production: auc >= 0.88: 0.85 in 2 observations (0.8 to 0.9)"
    held.rollback("fraud", "production")
    assert [one.state for one in held.monitor().rows] == ["ok"]
    with pytest.raises(NotFoundError):
        held.monitor(stage="nowhere")


def test_where_nothing_was_before_a_degraded_holder_is_to_be_cleared(held: Registry) -> None:
    held.register("churn", held.path / "registry.toml")
    held.promote("churn:1", "production")
    held.observe("churn:1", {"auc": 0.1})
    assert held.monitor("churn").rows[0].command == "stackroom clear churn production"


def test_observations_that_cannot_be_read_are_no_health(held: Registry) -> None:
    folder = held.path / "observations"
    folder.rmdir()
    folder.write_text("no folder")
    with pytest.raises(RegistryError):
        held.monitor()
    assert "unobserved" in {one.kind for one in held.review()}
    folder.unlink()
    assert [row.state for row in held.monitor().rows] == ["silent"]
    held.observe("fraud:2", {"auc": 0.9})  # in a registry of one person the folder is made
    assert len(files(held)) == 1
    stage = held.path / "stages" / "production"
    stage.rename(stage.parent / "away")
    stage.write_text("no folder")
    with pytest.raises(IntegrityError, match="not known"):
        held.monitor()


@pytest.mark.root
def test_only_monitors_record_and_their_owner_is_the_evidence(reachable_path: Path) -> None:
    root = shared(reachable_path)
    mona = User(uid=61007, gid=61007, groups=(MONITORS,), name="mona")
    source = artifacts(reachable_path / "source")

    def publish() -> None:
        Registry(root).register("fraud", source)

    run_as(ALICE, publish)
    run_as(mona, lambda: Registry(root).observe("fraud:1", {"auc": 0.9}).file, umask=0o077)

    def refused() -> str:
        with pytest.raises(PermissionDeniedError) as caught:
            Registry(root).observe("fraud:1", {"auc": 0.1})
        return str(caught.value)

    for user in (ALICE, EVE):
        assert "observations is 61000:62004 3775" in run_as(user, refused)
    name = f"fraud:1.host-{mona.uid}-{NONCE}.jsonl"
    forged = json.dumps({"at": "2026-05-03T14:00:00Z", "metrics": {"auc": 0.1}}) + "\n"
    (root / "observations" / name).write_text(forged)
    os.chown(root / "observations" / name, ALICE.uid, -1)
    reading = Registry(root).observations("fraud:1")
    assert sorted((one.by.uid, one.validity.value) for one in reading.observations) == [
        (ALICE.uid, "forged"),
        (mona.uid, "attested"),
    ]
    assert "observation-forged" in kinds(Registry(root))
    os.rename(root / "observations", root / "gone")

    def missing() -> str:
        with pytest.raises(PermissionDeniedError) as caught:
            Registry(root).observe("fraud:1", {"auc": 0.1})
        return str(caught.value)

    assert "is missing, and which group may record is the steward's to say" in run_as(STEWARD, missing)
