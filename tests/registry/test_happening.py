"""What happened, put together from what the files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stackroom.errors import NotFoundError
from stackroom.registry.editing import Edit
from stackroom.registry.happening import activity
from support.registries import artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


def register(registry: Registry, tmp_path: Path, name: str = "fraud", times: int = 1) -> None:
    for number in range(times):
        registry.register(name, artifacts(tmp_path / f"{name}{number}"), metadata={"description": "x"})


def test_every_revision_is_told_and_the_newest_comes_first(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path)
    for team in ("red", "blue"):
        registry.edit("fraud:1", Edit(put={"team": team}, reason=f"to {team}"))
    registry.edit("fraud", Edit(put={"description": "finds fraud"}, reason="say what it is"))
    found = activity(registry, "fraud")
    assert sorted((one.kind, one.why) for one in found.happenings) == [
        ("created", "register"),
        ("edited", "say what it is"),
        ("edited", "to blue"),
        ("edited", "to red"),
        ("registered", ""),
    ]
    whens = [one.when for one in found.happenings]
    assert whens == sorted(whens, reverse=True)
    assert len({one.place for one in found.happenings}) == 5


def test_what_is_told_is_bounded_and_says_how_much_is_left_off(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path, times=3)
    for number in (1, 2, 3):
        registry.edit(f"fraud:{number}", Edit(put={"team": "red"}, reason="one"))
    found = activity(registry, limit=2)
    assert len(found.happenings) == 2
    assert found.left_off == 5


def test_a_stage_that_cannot_be_read_hides_nothing_else(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path)
    stage = registry.stages[0]
    folder = registry.path / "stages" / stage
    for name in folder.iterdir():
        name.unlink()
    folder.rmdir()
    folder.write_text("no folder")
    found = activity(registry)
    assert [one.kind for one in found.happenings] == ["registered", "created"]
    assert any(stage in trouble for trouble in found.troubles)


def test_reading_is_watched_and_can_be_given_up(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path)
    register(registry, tmp_path, "churn")
    seen: list[tuple[int, int]] = []
    activity(registry, watch=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2)]

    def give_up(done: int, _total: int) -> None:
        if done:
            raise LookupError

    with pytest.raises(LookupError):
        activity(registry, watch=give_up)
    with pytest.raises(NotFoundError):
        activity(registry, "nothing")
