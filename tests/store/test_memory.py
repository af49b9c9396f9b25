"""What a user remembers of a registry: private, bounded, never in the way, and never believed when it is odd."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.store.memory import Head, Memory, memorize, recall
from support.registries import ALICE, BOB
from support.users import run_as, start_as

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
PLACE = ("production", "fraud")
SIX = Head(number=6, text="to=7 by=1003:dave", seen=NOW)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "r").mkdir()
    return tmp_path / "state" / "stackroom" / "heads"


def files(state: Path) -> list[Path]:
    return sorted(state.iterdir()) if state.is_dir() else []


def keep(registry: Path, *heads: Head, registry_id: str = "id") -> None:
    memorize(registry, registry_id, Memory(heads=dict.fromkeys([PLACE], heads[-1])))


def test_what_was_seen_is_recalled_from_a_private_file(state: Path, tmp_path: Path) -> None:
    keep(tmp_path / "r", SIX)
    assert recall(tmp_path / "r", "id").heads == {PLACE: SIX}
    (file,) = files(state)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert list((tmp_path / "r").iterdir()) == []


@pytest.mark.usefixtures("state")
def test_another_registry_here_and_the_same_elsewhere_are_other_memories(tmp_path: Path) -> None:
    keep(tmp_path / "r", SIX)
    (tmp_path / "other").mkdir()
    assert recall(tmp_path / "r", "another id").heads == {}
    assert recall(tmp_path / "other", "id").heads == {}
    (tmp_path / "way").symlink_to(tmp_path / "r")
    assert recall(tmp_path / "way", "id").heads == {PLACE: SIX}


def test_an_id_that_is_a_path_stays_in_the_folder(state: Path, tmp_path: Path) -> None:
    for odd in ("../../evil", "/etc/x", "", "x" * 9000, "a\0b", "\ud800"):
        keep(tmp_path / "r", SIX, registry_id=odd)
    assert all(file.parent == state and file.suffix == ".json" for file in files(state))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r", "state"]


def test_seeing_the_same_again_on_the_same_day_writes_nothing(state: Path, tmp_path: Path) -> None:
    keep(tmp_path / "r", SIX)
    before = files(state)[0].stat()
    keep(tmp_path / "r", replace(SIX, seen=NOW + timedelta(hours=1)))
    assert files(state)[0].stat().st_ino == before.st_ino
    keep(tmp_path / "r", replace(SIX, seen=NOW + timedelta(days=1)))
    assert recall(tmp_path / "r", "id").heads[PLACE].seen == NOW + timedelta(days=1)


@pytest.mark.usefixtures("state")
def test_a_process_that_saw_less_does_not_make_others_forget(tmp_path: Path) -> None:
    keep(tmp_path / "r", SIX)
    keep(tmp_path / "r", replace(SIX, number=5, text="to=6", seen=NOW + timedelta(days=9)))
    assert recall(tmp_path / "r", "id").heads == {PLACE: SIX}
    memorize(tmp_path / "r", "id", Memory(heads={PLACE: replace(SIX, number=5)}), forget=True)
    assert recall(tmp_path / "r", "id").heads[PLACE].number == 5


GARBAGE: list[Any] = [
    b"",
    b"\xff\x00",
    b"[" * 100_000,
    b"[]",
    b'{"format": 2}',
    b'{"format": 1, "heads": [], "vanished": 7}',
    b'{"format": 1, "heads": {"production/fraud": {"number": 1e400}}}',
    b'{"format": 1, "heads": {"../x/fraud": {"number": 1}, "production/fraud": {"number": true}}}',
    json.dumps(
        {
            "format": 1,
            "heads": {"production/fraud": {"number": 6, "text": "\ud800", "digest": "x", "seen": "2026-01-01"}},
        }
    ).encode(),
    json.dumps({"format": 1, "heads": {"production/fraud": SIX.document() | {"text": "to=8 by=1003:dave"}}}).encode(),
    json.dumps({"format": 1, "heads": {"production/fraud": SIX.document() | {"number": 10**9}}}).encode(),
    json.dumps({"format": 1, "heads": {"production/fraud": SIX.document() | {"seen": "9" * 5000}}}).encode(),
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_memory_and_is_written_over(state: Path, tmp_path: Path, content: bytes) -> None:
    keep(tmp_path / "r", replace(SIX, number=9))
    (file,) = files(state)
    file.write_bytes(content)
    assert recall(tmp_path / "r", "id") == Memory()
    keep(tmp_path / "r", SIX)
    assert recall(tmp_path / "r", "id").heads == {PLACE: SIX}
    assert files(state) == [file]


@given(
    content=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text()),
            lambda inner: st.one_of(
                st.lists(inner),
                st.dictionaries(
                    st.sampled_from(
                        ["format", "heads", "vanished", "production/fraud", "number", "text", "seen", "digest"]
                    ),
                    inner,
                ),
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_content_of_the_file_is_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        keep(folder, SIX)
        next((folder / "stackroom" / "heads").iterdir()).write_bytes(content)
        recall(folder, "id")


def _symlink(file: Path) -> None:
    file.rename(file.with_name("aside"))
    file.symlink_to("aside")


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("spoil", [_symlink, _fifo, lambda file: file.parent.chmod(0o777)])
def test_what_is_no_plain_file_of_ones_own_is_not_read(state: Path, tmp_path: Path, spoil: Any) -> None:  # noqa: ANN401 - one of three
    keep(tmp_path / "r", SIX)
    spoil(files(state)[0])
    assert recall(tmp_path / "r", "id") == Memory()
    keep(tmp_path / "r", SIX)


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for home in ("/proc/nowhere", "/dev/null", str(tmp_path / ("x" * 300))):
        monkeypatch.setenv("XDG_STATE_HOME", home)
        keep(tmp_path, SIX)
        assert recall(tmp_path, "id") == Memory()


def test_the_file_does_not_grow_without_end(state: Path, tmp_path: Path) -> None:
    heads = {("production", f"m{number}"): replace(SIX, text="x" * 800) for number in range(5200)}
    gone = {PLACE: tuple(replace(SIX, text=f"to={number}") for number in range(1, 400))}
    memorize(tmp_path / "r", "id", Memory(heads=heads, vanished=gone))
    found = recall(tmp_path / "r", "id")
    assert len(found.heads) == 5000
    assert len(found.vanished[PLACE]) == 200
    assert files(state)[0].stat().st_size < 8 * 1024 * 1024


@pytest.mark.root
def test_processes_that_write_at_once_leave_a_whole_file_and_the_highest_number(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)

    def act(number: int) -> Any:  # noqa: ANN401 - an action
        def action() -> None:
            os.environ["XDG_STATE_HOME"] = str(reachable_path / "state")
            for _ in range(5):
                keep(reachable_path, replace(SIX, number=number))

        return action

    run_as(ALICE, (reachable_path / "state").mkdir)
    outcomes = start_as([(ALICE, act(number)) for number in (5, 6, 7, 8)])
    assert outcomes == [None] * 4

    def look() -> list[Any]:
        os.environ["XDG_STATE_HOME"] = str(reachable_path / "state")
        keep(reachable_path, replace(SIX, number=8))
        left = [name for name in os.listdir(reachable_path / "state/stackroom/heads") if name.startswith(".")]
        return [recall(reachable_path, "id").heads[PLACE].number, left]

    assert run_as(ALICE, look) == [8, []]


@pytest.mark.root
def test_nobody_is_given_a_memory_by_somebody_else(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    state = reachable_path / "state"

    def plant() -> None:
        os.environ["XDG_STATE_HOME"] = str(state)
        state.mkdir(mode=0o777)
        state.chmod(0o777)
        keep(reachable_path, SIX)
        for folder, _, names in os.walk(state):
            Path(folder).chmod(0o777)
            for name in names:
                Path(folder, name).chmod(0o666)

    def look() -> bool:
        os.environ["XDG_STATE_HOME"] = str(state)
        keep(reachable_path, SIX)
        return recall(reachable_path, "id") == Memory()

    run_as(BOB, plant)
    assert run_as(ALICE, look)


@pytest.mark.root
@pytest.mark.parametrize("step", [".local", ".local/state", ".local/state/stackroom", ".local/state/stackroom/heads"])
def test_root_in_anothers_home_is_led_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    home, target = tmp_path / "home", tmp_path / "roots"
    (home / step).parent.mkdir(parents=True)
    target.mkdir(mode=0o700)
    below = os.path.relpath(".local/state/stackroom/heads", step)
    (target / below).mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / step).symlink_to(target)
    for path in (home, *home.rglob("*")):
        os.chown(path, 61001, 61001, follow_symlinks=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    before = sorted(target.rglob("*"))
    memorize(tmp_path / "registry", "id", Memory(heads={}, vanished={}), forget=True)
    assert sorted(target.rglob("*")) == before
