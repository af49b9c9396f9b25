from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.core.names import ModelName
from stackroom.store import mounts, watch
from stackroom.store.demo import unpack_demo
from stackroom.store.folder import Folder
from stackroom.store.looks import Alarm, Looks
from stackroom.store.watch import Watch

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


def test_two_changes_within_one_tick_are_both_noticed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = registry.path / "stages" / "production"
    seen = Watch(str(registry.path))
    seen.poll()
    status = Folder.status

    def coarse(folder: Folder) -> object:
        """As a server has it whose clock stands still: neither change leaves a trace in the directory's times."""
        found = status(folder)
        if folder.path != str(ledger):
            return found
        return SimpleNamespace(st_ino=found.st_ino, st_mtime_ns=0, st_ctime_ns=0)

    def noticed() -> frozenset[ModelName]:
        with monkeypatch.context() as server:
            server.setattr(Folder, "status", coarse)
            return seen.poll().models

    registry.promote("diabetes-progression:4", "production", reason="better")
    assert noticed() == {ModelName("diabetes-progression")}
    registry.rollback("diabetes-progression", "production", reason="back")
    assert noticed() == {ModelName("diabetes-progression")}


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
    assert listed == []


def test_an_alarm_wakes_on_a_change_and_not_on_looking(registry: Registry) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    alarm = Alarm()
    alarm.hear(seen.directories())
    try:
        seen.poll()
        registry.promote("diabetes-progression:4", "production", reason="better")
        assert alarm._woken.wait(5), "inotify said nothing"
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


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is on a file server."""
    monkeypatch.setattr(watch, "file_system_of", lambda path: mounts.FileSystem("nfs4", path, local=False))


def _asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are opened so that a file server would be asked; a file that is opened is closed, too."""
    asked: list[str] = []
    child, open_file = Folder.child, Folder.open_file

    def _child(folder: Folder, name: str) -> Folder:
        opened = child(folder, name)
        asked.append(name)
        return opened

    def _open_file(folder: Folder, name: str) -> int:
        asked.extend([name, name])
        return open_file(folder, name)

    monkeypatch.setattr(Folder, "child", _child)
    monkeypatch.setattr(Folder, "open_file", _open_file)
    return asked


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("stages", [2, 20])
@pytest.mark.parametrize("feed", ["feed", ""])
def test_a_poll_asks_a_file_server_few_things_and_every_place_has_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: int, feed: str
) -> None:
    root = tmp_path / "many"
    for name in ("models", "stages", "approvals", *filter(None, [feed])):
        (root / name).mkdir(parents=True)
    for number in range(stages):
        (root / "stages" / f"s{number}").mkdir()
        (root / "approvals" / f"s{number}").mkdir()
    for number in range(20):
        (root / "models" / f"m{number}").mkdir()
    (root / "registry.toml").touch()
    seen = Watch(str(root))
    seen.poll()
    asked = _asked(monkeypatch)
    counts: dict[str, int] = {}
    for _ in range(60):
        asked.clear()
        assert not seen.poll()
        assert len(asked) < watch.REQUESTS
        for name in asked:
            counts[name] = counts.get(name, 0) + 1
    assert counts["s0"] == 60 + 30 if stages == 2 else counts["s0"] >= 20
    assert counts["."] >= 3
    models = sum(count for name, count in counts.items() if name.startswith("m") and name != "models")
    assert models == 6 if feed else models >= 6


def test_a_first_look_opens_no_model_twice(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _asked(monkeypatch)
    Watch(str(registry.path)).poll()
    models = os.listdir(registry.path / "models")
    assert len(models) > 2
    assert sorted(name for name in asked if name in models) == sorted(models)


def test_a_first_look_that_failed_is_made_anew(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Watch(str(registry.path))
    child = Folder.child

    def fails(folder: Folder, name: str) -> Folder:
        if name == "wine-origin":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return child(folder, name)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "child", fails)
        assert seen.poll() == watch.Changes(trouble="input/output error")
    registry.register("iris-species", _artifact(tmp_path))
    registry.register("wine-origin", _artifact(tmp_path))
    assert seen.poll() == watch.Changes()
    seen._next_sweep = 0.0
    assert seen.poll() == watch.Changes()


def test_a_second_change_that_leaves_no_trace_in_a_time_is_found_at_the_next_look_however_late(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    status = Folder.status

    def coarse(folder: Folder) -> SimpleNamespace:
        """As with a clock that has not moved on since the registry was made."""
        found = status(folder)
        return SimpleNamespace(st_dev=found.st_dev, st_ino=found.st_ino, st_mtime_ns=0, st_ctime_ns=0)

    seen = Watch(str(registry.path))
    found = []
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(Folder, "status", coarse)
            found.append(seen.poll().models)
        registry.register("wine-origin", _artifact(tmp_path))
        moment[0] += 1000
        seen._next_sweep = 0.0
    assert found == [frozenset(), {ModelName("wine-origin")}]


@pytest.mark.usefixtures("remote")
def test_on_a_file_server_a_change_without_a_hint_is_found_by_the_sweep(registry: Registry, tmp_path: Path) -> None:
    (registry.path / "feed").mkdir()
    seen = Watch(str(registry.path))
    seen.poll()
    registry.register("wine-origin", _artifact(tmp_path))
    for hint in (registry.path / "feed").iterdir():
        hint.unlink()
    found = next((changes for changes in (seen.poll() for _ in range(10 * 7)) if changes), None)
    assert found is not None
    assert found.models == {ModelName("wine-origin")}


def test_what_was_seen_before_a_failure_is_not_lost(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    registry.promote("diabetes-progression:4", "production", reason="better")
    child = Folder.child
    found = []
    for broken in ("staging", None):

        def fails(folder: Folder, name: str, broken: str | None = broken) -> Folder:
            if name == broken:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            return child(folder, name)

        monkeypatch.setattr(Folder, "child", fails)
        found.append(seen.poll())
    assert [one.trouble for one in found] == ["stale file handle", ""]
    assert found[0].models | found[1].models == {ModelName("diabetes-progression")}


def test_a_hint_that_could_not_be_followed_is_followed_later(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (registry.path / "feed").mkdir()
    seen = Watch(str(registry.path))
    seen.poll()
    seen._next_sweep = float("inf")
    for model in ("iris-species", "wine-origin"):
        registry.register(model, _artifact(tmp_path))
    child = Folder.child

    def fails(folder: Folder, name: str) -> Folder:
        if name == "iris-species":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return child(folder, name)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "child", fails)
        first = seen.poll()
    assert first.trouble == "input/output error"
    assert first.models == {"iris-species", "wine-origin"}
    later = seen.poll()
    assert {place for place in later.came if place != "feed"} == {"models/iris-species", "models/wine-origin"}
    assert not later.trouble


def test_a_registry_that_is_unmounted_has_lost_nothing(registry: Registry, tmp_path: Path) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    registry.path.rename(tmp_path / "aside")
    registry.path.mkdir()
    empty = seen.poll()
    assert not empty
    assert not empty.went
    assert empty.trouble == "there is no registry.toml any more"
    registry.path.rmdir()
    (tmp_path / "aside").rename(registry.path)
    registry.promote("diabetes-progression:4", "production", reason="better")
    back = seen.poll()
    assert back.models == {ModelName("diabetes-progression")}
    assert not back.trouble


def test_folders_that_appear_later_are_watched_and_heard(registry: Registry, tmp_path: Path) -> None:
    seen = Watch(str(registry.path))
    seen.poll()
    (registry.path / "feed").mkdir()
    (registry.path / "stages" / "canary").mkdir()
    (registry.path / "stages" / "canary" / "wine-origin@1").symlink_to("x")
    assert seen.poll().models == {ModelName("wine-origin")}
    assert f"{registry.path}/feed" in [path for path, _ in seen.directories()]
    registry.register("iris-species", _artifact(tmp_path))
    assert seen.poll().models == {ModelName("iris-species")}


def test_the_looks_of_one_stage_see_nothing_else(registry: Registry, tmp_path: Path) -> None:
    seen = Watch(str(registry.path), stage="production")
    seen.poll()
    registry.register("wine-origin", _artifact(tmp_path))
    registry.approve("wine-origin:1", "staging")
    assert not seen.poll()
    registry.promote("diabetes-progression:4", "production", reason="better")
    changes = seen.poll()
    assert changes.came == {"stages/production": {"diabetes-progression@2"}}


def test_a_change_ends_the_pause_between_two_looks(registry: Registry) -> None:
    looks = Looks(Watch(str(registry.path)), interval=60.0)
    began = time.monotonic()
    each = iter(looks)
    next(each)
    made = threading.Timer(0.5, lambda: registry.promote("diabetes-progression:4", "production", reason="better"))
    made.start()
    while not next(each):
        pass
    made.join()
    assert time.monotonic() - began < 30
    looks.stop()
    assert list(each) == []
