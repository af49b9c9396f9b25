from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.core.names import ModelName
from stackroom.store import mounts, watch
from stackroom.store.demo import unpack_demo
from stackroom.store.folder import Folder
from stackroom.store.watch import Alarm, Watch

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return stackroom.open(unpack_demo(str(tmp_path / "demo")))


def _artifact(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    return path


def test_a_first_look_changes_nothing(registry: Registry) -> None:
    seen = Watch(str(registry.path))
    assert not seen.poll()
    assert not seen.poll()


def test_a_registered_version_is_noticed_with_and_without_a_feed(registry: Registry, tmp_path: Path) -> None:
    for feed in (False, True):
        if feed:
            (registry.path / "feed").mkdir()
        seen = Watch(str(registry.path))
        seen.poll()
        seen._next_sweep = 0.0
        registry.register("wine-origin", _artifact(tmp_path))
        assert seen.poll().models == {ModelName("wine-origin")}


def test_an_approval_is_noticed_without_a_sweep(registry: Registry) -> None:
    registry.approve("wine-origin:1", "staging")
    seen = Watch(str(registry.path))
    seen.poll()
    seen._next_sweep = float("inf")
    registry.reject("wine-origin:1", "staging")
    assert seen.poll().models == {ModelName("wine-origin")}


def test_a_hint_names_the_model_without_a_sweep(registry: Registry, tmp_path: Path) -> None:
    (registry.path / "feed").mkdir()
    seen = Watch(str(registry.path))
    seen.poll()
    seen._next_sweep = float("inf")
    registry.register("wine-origin", _artifact(tmp_path))
    assert seen.poll().models == {ModelName("wine-origin")}
    assert not seen.poll()


def test_a_move_and_a_new_model_are_noticed(registry: Registry) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    registry.promote("diabetes-progression:4", "production", reason="better")
    assert seen.poll().models == {ModelName("diabetes-progression")}
    registry.new("brand-new")
    assert seen.poll().models == {ModelName("brand-new")}


def test_two_changes_within_one_tick_are_both_noticed(registry: Registry) -> None:
    ledger = registry.path / "stages" / "production"
    seen = Watch(str(registry.path))
    seen.poll()
    before = ledger.stat()
    registry.promote("diabetes-progression:4", "production", reason="better")
    assert seen.poll().models
    registry.rollback("diabetes-progression", "production", reason="back")
    # As a server with a coarse clock would have it: the second change left no trace in the directory's time.
    os.utime(ledger, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert seen.poll().models == {ModelName("diabetes-progression")}


def test_a_changed_policy_is_noticed(registry: Registry) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    with (registry.path / "registry.toml").open("a", encoding="ascii") as file:
        file.write("\n# a remark\n")
    assert seen.poll().policy
    assert not seen.poll().policy


def test_a_registry_that_is_gone_is_trouble_and_no_crash(registry: Registry, tmp_path: Path) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    os.chmod(registry.path / "models", 0o700)
    shutil.move(registry.path, tmp_path / "elsewhere")
    assert seen.poll().trouble == "no such file or directory"
    shutil.move(tmp_path / "elsewhere", registry.path)
    assert not seen.poll().trouble


def test_polling_an_unchanged_registry_lists_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    seen = Watch(str(registry.path))
    seen.poll()
    moment[0] += watch._SETTLED + 1
    seen.poll()
    moment[0] += 1
    listed: list[str] = []
    list_names = Folder.names

    def names(folder: Folder) -> list[str]:
        listed.append(folder.path)
        return list_names(folder)

    monkeypatch.setattr(Folder, "names", names)
    seen._next_sweep = float("inf")
    seen.poll()
    # The one that holds the stages' names is listed every time: it has no more than a few.
    assert listed == [f"{registry.path}/stages"]


def test_an_alarm_wakes_on_a_change_and_not_on_looking(registry: Registry) -> None:
    seen = Watch(str(registry.path))
    alarm = Alarm(seen.directories())
    try:
        seen.poll()
        registry.promote("diabetes-progression:4", "production", reason="better")
        assert alarm._event.wait(5), "inotify said nothing"
        assert alarm.wait(5)
    finally:
        alarm.stop()
    assert not alarm.wait(5)


def test_a_mount_table_is_read_by_the_longest_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:20 / / rw - ext4 /dev/vda rw\n"
        "23 22 0:21 / /srv rw shared:1 - nfs4 server:/srv ro,sec=sys\n"
        "24 22 0:22 / /srv/with\\040space rw - ext4 /dev/vdb rw\n",
        encoding="ascii",
    )
    monkeypatch.setattr(mounts, "MOUNT_TABLE", str(table))
    assert mounts.file_system_of("/srv/registry") == mounts.FileSystem(
        "nfs4", "/srv", local=False, options=frozenset({"rw", "ro", "sec=sys"})
    )
    assert mounts.file_system_of("/srv/with space/r").local
    assert mounts.file_system_of("/srvx").type == "ext4"
    monkeypatch.setattr(mounts, "MOUNT_TABLE", str(tmp_path / "none"))
    assert not mounts.file_system_of("/").local


def test_a_ledger_that_is_gone_or_closed_changes_every_model_in_it(registry: Registry) -> None:
    ledger = registry.path / "stages" / "production"
    seen = Watch(str(registry.path))
    seen.poll()
    seen._next_sweep = float("inf")
    ledger.rename(ledger.with_name(".aside"))
    held = {"diabetes-progression", "digit-reader", "tumor-screening", "wine-origin"}
    assert seen.poll().models == held
    assert not seen.poll()
    ledger.with_name(".aside").rename(ledger)
    assert seen.poll().models == held
