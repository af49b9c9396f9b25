"""Who watches is told of every move that counts exactly once, and of all else as far as it can be known."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from stackroom.core.cursor import parse_cursor
from stackroom.core.names import StageName
from stackroom.errors import ConflictError, NotFoundError, UsageError
from stackroom.registry import watching
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.watching import Told, news
from stackroom.store.folder import Folder
from stackroom.store.watch import Watch
from support.registries import ID, artifacts, make, set_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stackroom.store.watch import Changes


@pytest.fixture(scope="module")
def _moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of two versions that were moved about."""
    folder = tmp_path_factory.mktemp("moved")
    registry = make(folder / "registry")
    source = artifacts(folder / "out")
    for model in ("fraud", "churn"):
        for number in (1, 2):
            registry.register(model, source)
            registry.promote(f"{model}:{number}", "staging")
    registry.promote("fraud:1", "production")
    registry.promote("churn:1", "production")
    registry.promote("fraud:2", "production")
    registry.rollback("fraud", "production")
    registry.clear("churn", "production")
    return folder


@pytest.fixture
def moved(_moved: Path, tmp_path: Path) -> Iterator[Registry]:
    shutil.copytree(_moved, tmp_path, symlinks=True, dirs_exist_ok=True)
    yield Registry(tmp_path / "registry")
    for folder, _, _ in os.walk(tmp_path):
        os.chmod(folder, 0o700)


class Watcher:
    """Somebody who watches, one look at a time."""

    def __init__(self, registry: Registry, since: str | None = None, stage: str | None = None) -> None:
        self._registry = Registry(registry.folder)
        name = StageName(stage) if stage else None
        self._watch = Watch(registry.folder, name)
        cursor = parse_cursor(since).narrowed(registry.id, name) if since else None
        self._teller = watching._Teller(self._registry, cursor, name)

    def look(self) -> list[Told]:
        return self.tell(self.poll())

    def poll(self) -> Changes:
        return self._watch.poll()

    def tell(self, changes: Changes) -> list[Told]:
        return list(self._teller.tell(changes))

    @property
    def cursor(self) -> str:
        return str(self._teller.cursor)

    @property
    def trouble(self) -> str:
        return self._teller.trouble


def events(told: list[Told]) -> list[str]:
    return [f"{one.event.stage}/{one.event.name}" for one in told if one.event]


def kinds(told: list[Told]) -> list[tuple[str, str]]:
    return [(one.happening.kind, str(one.ref or one.happening.model)) for one in told]


def test_whoever_goes_on_from_any_event_is_told_the_rest_once_each_in_order(moved: Registry) -> None:
    told = Watcher(moved, "start").look()
    whole = events(told)
    assert sorted(whole) == sorted(f"{event.stage}/{event.name}" for event in moved.history())
    assert len(set(whole)) == len(whole) == 9
    for at, one in enumerate(told):
        rest = Watcher(moved, str(one.cursor))
        assert events(rest.look()) == whole[at + 1 :]
        assert rest.look() == []


def test_what_happens_while_nobody_watches_is_told_to_who_comes_back(moved: Registry, tmp_path: Path) -> None:
    before = Watcher(moved)
    assert before.look() == []
    moved.promote("churn:2", "production")
    moved.register("young", artifacts(tmp_path / "young"))
    moved.promote("young:1", "staging")
    set_policy(moved.path, "[stages.staging]\n[stages.production]\n[stages.canary]\n")
    Registry(moved.folder).promote("fraud:2", "canary")
    back = Watcher(Registry(moved.folder), before.cursor)
    assert events(back.look()) == ["production/churn@3", "staging/young@1", "canary/fraud@1"]
    assert back.look() == []
    assert events(before.look()) == ["production/churn@3", "staging/young@1", "canary/fraud@1"]


def test_a_ledger_is_told_in_its_order_whatever_its_clocks_say(moved: Registry) -> None:
    watcher = Watcher(moved)
    watcher.look()
    moved.promote("churn:2", "production")
    moved.rollback("churn", "production")
    for name, stamp in (("churn@3", 2_000_000_000), ("churn@4", 1)):
        os.utime(moved.path / "stages/production" / name, (stamp, stamp), follow_symlinks=False)
    assert events(watcher.look()) == ["production/churn@3", "production/churn@4"]


def test_a_forged_event_is_never_told_and_hides_none_that_takes_its_number(moved: Registry) -> None:
    ledger = moved.path / "stages/production"
    watcher = Watcher(moved)
    watcher.look()
    (ledger / "fraud@4").symlink_to("to=1 from=- by=4711:eve at=2026-11-23T04:22:00Z event=elsewhere")
    assert watcher.look() == []
    assert Watcher(moved, watcher.cursor).look() == []
    (ledger / "fraud@4").unlink()
    moved.promote("fraud:2", "production")
    # No name came or went, and the folder's times alone say that something happened.
    assert events(watcher.look()) == ["production/fraud@4"]


def test_an_event_that_was_told_and_is_taken_away_is_told_with_who_holds_the_stage_now(moved: Registry) -> None:
    ledger = moved.path / "stages/production"
    watcher = Watcher(moved, stage="production")
    watcher.look()
    before = watcher.cursor
    (ledger / "fraud@3").unlink()
    assert kinds(watcher.look()) == kinds(Watcher(moved, before, "production").look()) == [("vanished", "fraud:2")]
    assert watcher.look() == []
    moved.clear("fraud", "production")
    assert kinds(watcher.look()) == [("cleared", "fraud")]
    # Whoever was told of another event under that number is told of this one.
    assert kinds(Watcher(moved, before, "production").look()) == [("cleared", "fraud")]


def test_a_listing_that_lacks_an_event_hides_none(moved: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(moved)
    watcher.look()
    moved.promote("churn:2", "production")
    moved.rollback("churn", "production")
    changes = watcher.poll()
    names = Folder.names
    listings: list[str] = []

    def some(folder: Folder) -> list[str]:
        listings.append(folder.path)
        # As a listing page by page can have it: a name is made in a page that was read, a later one in the next.
        return [name for name in names(folder) if len(listings) > 1 or name != "churn@3"]

    monkeypatch.setattr(Folder, "names", some)
    assert events(watcher.tell(changes)) == ["production/churn@3", "production/churn@4"]
    assert listings == [f"{moved.folder}/stages/production"] * 2


def test_a_stage_that_cannot_be_read_holds_up_no_other_and_is_told_later(moved: Registry) -> None:
    watcher = Watcher(moved)
    watcher.look()
    stages = moved.path / "stages"
    moved.promote("churn:2", "production")
    (stages / "production").rename(stages / ".aside")
    moved.promote("churn:1", "staging")
    assert events(watcher.look()) == ["staging/churn@3"]
    assert watcher.trouble.endswith("stages/production is missing, and it had events")
    (stages / ".aside").rename(stages / "production")
    assert events(watcher.look()) == ["production/churn@3"]
    assert not watcher.trouble


def test_another_registry_in_its_place_tells_nothing(moved: Registry) -> None:
    watcher = Watcher(moved)
    watcher.look()
    text = (moved.path / "registry.toml").read_text()
    (moved.path / "registry.toml").write_text(text.replace(ID, ID[::-1]))
    moved.promote("churn:2", "production")
    assert events(watcher.look()) == []
    assert "another registry" in watcher.trouble
    (moved.path / "registry.toml").write_text(text)
    assert events(watcher.look()) == ["production/churn@3"]


def test_everything_that_leaves_a_name_is_told_as_it_happens(registry: Registry, tmp_path: Path) -> None:
    source = artifacts(tmp_path / "out")
    watcher = Watcher(registry)
    watcher.look()
    steps: list[tuple[Callable[[], object], list[tuple[str, str]]]] = [
        (lambda: registry.register("fraud", source), [("created", "fraud"), ("registered", "fraud:1")]),
        (lambda: registry.register("fraud", source), [("registered", "fraud:2")]),
        (lambda: registry.label("fraud:1", "1.0.0"), [("labelled", "fraud:1")]),
        (lambda: registry.edit("fraud:1", Edit(put={"team": "x"}, reason="y")), [("edited", "fraud:1")]),
        (lambda: registry.archive("fraud:1"), [("archived", "fraud:1")]),
        (lambda: registry.archive("fraud:1", undo=True), [("unarchived", "fraud:1")]),
        (lambda: registry.approve("fraud:2", "staging"), [("approved", "fraud:2")]),
        (lambda: registry.delete("fraud:1", reason="old"), [("deleted", "fraud:1")]),
        (lambda: registry.restore("fraud:1"), [("restored", "fraud:1")]),
        (lambda: registry.delete("fraud:1"), [("deleted", "fraud:1")]),
        (lambda: registry.purge(dry_run=False), [("purged", "fraud:1")]),
        (lambda: registry.new("churn"), [("created", "churn")]),
        (lambda: (registry.path / "models/churn").rename(tmp_path / "churn"), [("vanished", "churn")]),
    ]
    for step, wanted in steps:
        step()
        assert kinds(watcher.look()) == wanted
        assert watcher.look() == []


def test_who_watches_one_stage_is_told_its_moves_alone(moved: Registry, tmp_path: Path) -> None:
    watcher = Watcher(moved, "start", "production")
    assert {name.partition("/")[0] for name in events(watcher.look())} == {"production"}
    moved.register("fraud", artifacts(tmp_path / "more"))
    moved.promote("fraud:3", "staging")
    assert watcher.look() == []


def test_looking_goes_on_by_itself_and_ends_in_time(moved: Registry) -> None:
    began = time.monotonic()
    cursor = str(next(news(moved, seconds=0)).cursor)
    moved.promote("churn:2", "production")
    assert [str(told.ref) for told in moved.watch(since=cursor, seconds=0)] == ["churn:2"]
    assert time.monotonic() - began < 5
    with pytest.raises(NotFoundError):
        next(moved.watch(stage="nowhere"))
    one_stage = str(next(news(moved, stage="staging", seconds=0)).cursor)
    with pytest.raises(UsageError, match="about staging alone"):
        next(moved.watch(since=one_stage))


def test_waiting_ends_with_the_holder_and_with_changed_with_another_one(moved: Registry) -> None:
    assert str(moved.wait("fraud@production", timeout=0)) == "fraud:1"
    with pytest.raises(ConflictError, match=r"nothing held churn@production within 0 s"):
        moved.wait("churn@production", timeout=0)
    with pytest.raises(ConflictError, match=r"nothing else came to hold"):
        moved.wait("fraud@production", changed=True, timeout=0)
    with pytest.raises(NotFoundError):
        moved.wait("fraud@nowhere", timeout=0)
    with pytest.raises(UsageError):
        moved.wait("fraud:1", timeout=0)
    looks = watching.waits(moved, "fraud@production", changed=True)
    assert next(looks).ref is None
    moved.clear("fraud", "production")
    assert next(looks).ref is None
    moved.promote("fraud:2", "production")
    assert str(next(found.ref for found in looks if found.ref)) == "fraud:2"


def test_a_registry_that_cannot_be_looked_at_is_named(registry: Registry) -> None:
    os.rename(registry.folder, f"{registry.folder}-gone")
    (found,) = news(registry, seconds=0)
    assert found.trouble == f"{registry.folder}: no such file or directory"
