"""The one thing that the tree cannot show: its newest event was taken away. Who saw it, says so."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.names import ModelName
from stackroom.registry.facade import Registry
from stackroom.registry.remembering import day_text, forget, glance, remember, vanished
from support.registries import ALICE, CAROL, DAVE, ERIN, artifacts, set_policy, shared
from support.users import User, run_as, start_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stackroom.core.ledger import Event

TUESDAY = datetime(2026, 11, 17, 9, tzinfo=UTC)


@pytest.fixture
def moved(registry: Registry, tmp_path: Path) -> Registry:
    """Two versions; the second replaced the first in production, and somebody saw that on a Tuesday."""
    for content in (b"1", b"2"):
        registry.register("fraud", artifacts(tmp_path / content.decode(), {"model.bin": content}))
    registry.promote("fraud:1", "production")
    registry.promote("fraud:2", "production", reason="better")
    registry.clock = lambda: TUESDAY
    assert remember(registry) == ()
    return registry


def head(registry: Registry, number: int = 2) -> Path:
    return registry.path / "stages" / "production" / f"fraud@{number}"


def test_an_event_that_its_owner_took_away_is_told_with_its_day_and_what_it_said(moved: Registry) -> None:
    head(moved).unlink()
    assert moved.ledger("fraud", "production").alarms == (), "nothing in the tree shows it"
    (one,) = vanished(moved)
    assert one.message.startswith(
        "production of fraud was event 2 on Tuesday 17 November 2026, and is 1 now: event 2 (to=2 by "
    )
    assert one.message.endswith("saying 'better') is gone")
    assert (one.number, one.present, one.replaced) == (2, 1, None)


def test_it_is_told_until_somebody_says_that_it_is_known_also_after_other_moves(moved: Registry) -> None:
    head(moved).unlink()
    moved.promote("fraud:2", "production", reason="again")
    moved.promote("fraud:1", "production")
    for _ in range(2):
        (one,) = remember(moved)
        assert one.message.startswith(
            "production of fraud was event 2 on Tuesday 17 November 2026, and event 2 has ano"
        )
        assert one.replaced is not None
        assert "again" in one.replaced
    forget(moved)
    assert vanished(moved) == ()
    head(moved, 3).unlink()
    assert [one.number for one in remember(moved)] == [3]


def test_who_asks_about_one_model_reads_no_other_and_forgets_none(
    moved: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved.register("churn", artifacts(tmp_path / "churn"))
    moved.promote("churn:1", "production")
    remember(moved)
    (moved.path / "stages" / "production" / "churn@1").unlink()
    head(moved).unlink()
    read: list[str] = []
    real = os.readlink

    def reading(path: Any, **named: Any) -> Any:  # noqa: ANN401 - as os.readlink itself
        read.append(os.path.basename(path))
        return real(path, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "readlink", reading)
        assert [one.model for one in vanished(moved, {ModelName("fraud")})] == ["fraud"]
        assert [one.model for one in remember(moved, {ModelName("fraud")})] == ["fraud"]
    assert {*read} == {"fraud@1"}
    assert [one.model for one in remember(moved)] == ["churn", "fraud"]


def test_an_event_that_is_back_is_not_missed(moved: Registry) -> None:
    text = os.readlink(head(moved))
    head(moved).unlink()
    assert len(remember(moved)) == 1
    head(moved).symlink_to(text)
    assert remember(moved) == ()


def test_a_whole_ledger_that_is_gone_is_missed_and_one_that_is_not_declared_or_readable_is_not(
    moved: Registry,
) -> None:
    events = [head(moved, 1), head(moved, 2)]
    texts = [os.readlink(event) for event in events]
    for event in events:
        event.unlink()
    (one,) = remember(moved)
    assert "has no event that counts now" in one.message
    set_policy(moved.path, "[stages.staging]\n")
    assert vanished(Registry(moved.path)) == ()
    set_policy(moved.path, "[stages.staging]\n[stages.production]\n")
    head(moved).parent.rmdir()
    head(moved).parent.write_text("not a folder")
    assert vanished(Registry(moved.path)) == ()
    assert len(texts) == 2


def test_looking_writes_nothing_and_a_glance_remembers_what_is_new(
    moved: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "fresh"))
    assert vanished(moved) == ()
    assert not (tmp_path / "fresh").exists()
    event = moved.model("fraud").holdings[0].event
    assert event is not None
    glance(moved, [event])
    head(moved).unlink()
    assert [one.number for one in vanished(moved)] == [2]


def test_a_glance_at_what_has_not_changed_looks_at_no_event_until_the_day_or_the_memory_is_another(
    moved: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = moved.model("fraud").holdings[0].event
    assert event is not None
    looked: list[str] = []

    def events() -> Iterator[Event]:
        looked.append("looked")
        yield event

    def glances(seen: str) -> int:
        looked.clear()
        glance(moved, events(), seen)
        return len(looked)

    assert [glances("1:2:3"), glances("1:2:3"), glances("1:2:4"), glances("1:2:4"), glances("")] == [1, 0, 1, 0, 1]
    moved.clock = lambda: TUESDAY + timedelta(days=1)
    assert [glances("1:2:4") for _ in range(2)] == [1, 0]
    forget(moved)
    assert [glances("1:2:4"), glances("1:2:4")] == [1, 0]
    monkeypatch.setattr("stackroom.store.memory._SEEN", "seen/none")
    assert [glances("1:2:4"), glances("1:2:4")] == [1, 1], "where it cannot be noted, it is looked at"


def test_what_the_memory_has_no_room_for_is_not_read_again_and_again(
    moved: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved.register("churn", artifacts(tmp_path / "churn"))
    moved.promote("churn:1", "production")
    monkeypatch.setattr("stackroom.store.memory._HEADS_LIMIT", 1)
    events = [event for model in moved.models().models for one in model.holdings if (event := one.event)]
    assert len(events) == 2
    glance(moved, events, "1:2:3")
    monkeypatch.setattr("stackroom.registry.remembering.remember", lambda _: pytest.fail("the ledgers are read"))
    glance(moved, events, "1:2:3")


def test_acknowledging_one_stage_leaves_the_other(moved: Registry) -> None:
    moved.promote("fraud:1", "staging")
    remember(moved)
    head(moved).unlink()
    (moved.path / "stages/staging/fraud@1").unlink()
    found = remember(moved)
    assert [one.stage for one in found] == ["production", "staging"]
    forget(moved, [one for one in found if one.stage == "staging"])
    assert [one.stage for one in remember(moved)] == ["production"]


def test_a_copy_of_the_registry_knows_nothing_of_the_original(moved: Registry, tmp_path: Path) -> None:
    moved.path.rename(tmp_path / "moved-away")
    copy = Registry(tmp_path / "moved-away")
    (copy.path / "stages/production/fraud@2").unlink()
    assert remember(copy) == ()


@pytest.mark.parametrize("shift", range(7))
def test_days_are_told_in_english(shift: int) -> None:
    day = TUESDAY + timedelta(days=shift)
    assert day_text(day).startswith(("Tue", "Wednes", "Thurs", "Fri", "Satur", "Sun", "Mon")[shift])


def as_user(user: User, folder: Path, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - what JSON holds
    def acted() -> Any:  # noqa: ANN401 - the same
        os.environ["XDG_STATE_HOME"] = str(folder / f"state-{user.uid}")
        (folder / f"state-{user.uid}").mkdir(exist_ok=True)
        return action()

    return run_as(user, acted)


@pytest.mark.root
def test_a_releaser_who_takes_her_event_back_is_named_by_everybody_who_saw_it(reachable_path: Path) -> None:
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")

    def register() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stackroom.registry.registering.provenance", dict)
            for _ in range(2):
                Registry(path).register("fraud", source)

    run_as(ALICE, register)
    run_as(DAVE, lambda: Registry(path).promote("fraud:1", "production").event)
    run_as(ERIN, lambda: Registry(path).promote("fraud:2", "production").event)

    def messages() -> list[str]:
        return [one.message for one in remember(Registry(path))]

    assert as_user(CAROL, reachable_path, messages) == []
    run_as(ERIN, (path / "stages/production/fraud@2").unlink)
    (said,) = as_user(CAROL, reachable_path, messages)
    assert f"event 2 (to=2 by {ERIN.uid} at 20" in said
    assert as_user(ALICE, reachable_path, messages) == [], "who never saw it cannot miss it"
    left = run_as(CAROL, lambda: sorted(os.listdir(path)))
    assert left == sorted(["feed", "live", "models", "observations", "approvals", "registry.toml", "stages"])


@pytest.mark.root
def test_readers_and_movers_at_once_raise_no_false_alarm(reachable_path: Path) -> None:
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    reachable_path.joinpath("state").mkdir()
    os.chown(reachable_path / "state", DAVE.uid, DAVE.gid)

    def register() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stackroom.registry.registering.provenance", dict)
            for content in (b"1", b"2"):
                (source / "model.bin").write_bytes(content)
                Registry(path).register("fraud", source)

    for path_of in (source, source / "model.bin"):
        os.chown(path_of, ALICE.uid, ALICE.gid)
    run_as(ALICE, register)

    def acting(*, moves: bool) -> Callable[[], int]:
        def action() -> int:
            os.environ["XDG_STATE_HOME"] = str(reachable_path / "state")
            missed = 0
            for number in range(8):
                if moves:
                    Registry(path).promote(f"fraud:{number % 2 + 1}", "production")
                missed += len(remember(Registry(path)))
            return missed

        return action

    outcomes = start_as([(DAVE, acting(moves=one == 0)) for one in range(4)])
    assert outcomes == [0, 0, 0, 0]
