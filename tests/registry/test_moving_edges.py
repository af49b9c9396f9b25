"""Moves where something went wrong before, or goes wrong just now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.attested import Validity
from stackroom.errors import ConflictError, IntegrityError, NotFoundError, RegistryError
from stackroom.registry.facade import Registry
from stackroom.store import ledgers
from stackroom.store.folder import Folder
from support.crashes import killed_at_every_step
from support.registries import artifacts, make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def three(registry: Registry, tmp_path: Path) -> Registry:
    for _ in range(3):
        registry.register("fraud", artifacts(tmp_path / "out"))
    return registry


def live(registry: Registry, stage: str = "staging") -> int | None:
    pointer = registry.path / "live" / stage / "fraud"
    return int(os.readlink(pointer).rpartition("/")[2]) if pointer.is_symlink() else None


def test_a_move_killed_at_any_step_leaves_the_old_holder_or_the_new(three: Registry) -> None:
    three.promote("fraud:1", "staging")
    for step, acknowledged in killed_at_every_step(lambda: three.promote("fraud:2", "staging")):
        ledger = three.ledger("fraud", "staging")
        assert ledger.alarms == ()
        assert ledger.holder in {1, 2}, step
        assert live(three) in {1, 2}
        assert not acknowledged or (ledger.holder, live(three)) == (2, 2)
    assert step >= 3
    assert len(three.ledger("fraud", "staging").events) == 2, "the holder is not promoted twice"


def test_a_clear_killed_before_the_pointer_went_is_finished_by_the_next(three: Registry) -> None:
    three.promote("fraud:1", "staging")
    for _, acknowledged in killed_at_every_step(lambda: _cleared(three)):
        if acknowledged:
            break
    assert three.ledger("fraud", "staging").holder is None
    assert live(three) is None


def _cleared(registry: Registry) -> None:
    try:
        registry.clear("fraud", "staging")
    except NotFoundError:
        return


def test_a_stale_pointer_of_an_empty_stage_is_mended_by_clear(three: Registry) -> None:
    three.promote("fraud:1", "staging")
    three.clear("fraud", "staging")
    (three.path / "live/staging/fraud").symlink_to("../../models/fraud/1")
    with pytest.raises(NotFoundError):
        three.clear("fraud", "staging")
    assert live(three) is None


def test_an_event_number_that_somebody_used_up_is_an_error_and_no_lost_move(three: Registry) -> None:
    (three.path / "stages/staging/fraud@999999999").symlink_to("x")
    with pytest.raises(IntegrityError, match="the last number that 9 digits can say"):
        three.promote("fraud:1", "staging")
    assert os.listdir(three.path / "stages/staging") == ["fraud@999999999"]


def test_a_ledger_that_cannot_be_read_is_no_empty_one(three: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    three.promote("fraud:1", "staging")
    plain = Folder.names

    def failing(self: Folder) -> list[str]:
        if self.path.endswith("stages/staging"):
            raise OSError(5, "Input/output error")
        return plain(self)

    monkeypatch.setattr(Folder, "names", failing)
    for act in (
        lambda: three.promote("fraud:2", "staging"),
        lambda: three.can("fraud:2", "staging"),
        lambda: three.clear("fraud", "staging"),
        lambda: three.rollback("fraud", "staging"),
        lambda: three.version("fraud@staging"),
    ):
        with pytest.raises(RegistryError, match="input/output error"):
            act()
    monkeypatch.undo()
    assert live(three) == 1


def test_a_pointer_that_cannot_be_replaced_does_not_undo_the_move(
    three: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledgers, "_point", full)
    made = three.promote("fraud:1", "staging")
    assert made.made
    assert "no space left on device" in made.live_trouble
    monkeypatch.undo()
    assert live(three) is None
    assert three.version("fraud@staging").number == 1
    three.promote("fraud:1", "staging")
    assert live(three) == 1


def test_the_expected_holder_may_be_missing(three: Registry) -> None:
    three.promote("fraud:1", "staging")
    os.rename(three.path / "models/fraud/1", three.path / "models/fraud/.gone")
    assert three.promote("fraud:2", "staging", expect="fraud:1").made
    with pytest.raises(ConflictError, match="held by fraud:2, and fraud:1 was expected"):
        three.promote("fraud:3", "staging", expect="fraud:1")


def test_promoting_an_unattested_holder_again_attests_it(three: Registry) -> None:
    three.promote("fraud:1", "staging")
    event = three.path / "stages/staging/fraud@1"
    text = os.readlink(event).replace(f"by={os.geteuid()}", "by=61777")
    event.unlink()
    event.symlink_to(text)
    assert [found.validity for found in three.history("fraud")] == [Validity.UNATTESTED]
    assert three.promote("fraud:1", "staging").made
    assert [found.validity for found in three.history("fraud")] == [Validity.UNATTESTED, Validity.ATTESTED]
    assert not three.promote("fraud:1", "staging").made


def test_the_holder_is_worth_what_it_was_promoted_with_also_after_it_was_promoted_while_one_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = '[metrics.auc]\nbetter = "higher"\n[stages.staging]\nguards = { not_worse = { auc = 0.0 } }\n'
    registry = make(tmp_path / "r", policy)
    registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": 0.5})
    other = Registry(registry.path)
    plain = ledgers.read_ledger

    def slow(*args: Any) -> Any:  # noqa: ANN401 - what it takes and gives
        monkeypatch.undo()
        monkeypatch.setattr("stackroom.registry.registering.provenance", dict)
        other.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": 0.9})
        other.promote("fraud:2", "staging")
        return plain(*args)

    monkeypatch.setattr("stackroom.registry.judging.read_ledger", slow)
    verdict = registry.can("fraud:1", "staging").verdicts[0]
    assert (verdict.passed, verdict.seen, verdict.wanted) == (
        False,
        "auc is 0.5",
        ">= 0.9 (fraud:2 has 0.9, tolerance 0)",
    )
