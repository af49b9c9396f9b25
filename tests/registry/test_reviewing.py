"""What needs attention: each rule with a registry that breaks it, and none for one that does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.core import attention
from stackroom.core.attention import KINDS
from stackroom.errors import NotFoundError
from stackroom.registry.facade import Registry
from stackroom.registry.reviewing import review
from support.registries import artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.core.attention import Remark

COMPLETE = {"description": "a model", "metrics": {"auc": 0.9}}


def declare(registry: Registry, stages: str) -> None:
    file = registry.path / "registry.toml"
    head = file.read_text().partition("[stages")[0]
    file.write_text(head + stages)
    registry.refresh()


def register(registry: Registry, tmp_path: Path, name: str = "fraud", *, card: str | None = "# card\n") -> None:
    registry.register(name, artifacts(tmp_path / name), metadata=COMPLETE, card=card)


def later(registry: Registry, days: int) -> Registry:
    return Registry(registry.path, clock=lambda: registry.clock() + timedelta(days=days))


def told(remarks: tuple[Remark, ...]) -> list[tuple[str, str]]:
    return [(one.kind, str(one.ref)) for one in remarks]


def test_a_young_complete_version_needs_no_attention(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path)
    assert review(registry) == ()
    assert registry.review("fraud", older_than="30d") == ()


def test_what_is_missing_is_named_with_the_command_that_puts_it_there(registry: Registry, tmp_path: Path) -> None:
    declare(registry, '[stages.staging]\nguards = { require = ["description", "license", "card"] }\n')
    register(registry, tmp_path, card=None)
    found = review(registry)
    assert told(found) == [("no-metadata", "fraud:1"), ("no-card", "fraud:1")]
    assert found[0].why == "license missing"
    assert found[0].command == "stackroom edit fraud:1 --set license=…"


def test_what_waits_is_stale_after_the_age_and_not_before(registry: Registry, tmp_path: Path) -> None:
    declare(registry, "[stages.staging]\n[stages.production]\nguards = { verify = true }\n")
    register(registry, tmp_path)
    assert told(review(later(registry, 29))) == []
    assert told(review(later(registry, 31))) == [("never-promoted", "fraud:1")]
    assert told(review(later(registry, 31), older_than=timedelta(weeks=8))) == []
    registry.promote("fraud:1", "staging")
    assert told(review(later(registry, 29))) == []
    found = review(later(registry, 31))
    assert told(found) == [("stale", "fraud:1")]
    assert found[0].command == "stackroom can fraud:1 production"
    registry.promote("fraud:1", "production")
    assert told(review(later(registry, 31))) == []


def test_a_holder_of_the_last_stage_whose_bytes_no_guard_read_is_told(registry: Registry, tmp_path: Path) -> None:
    declare(registry, "[stages.production]\n")
    register(registry, tmp_path)
    registry.promote("fraud:1", "production")
    found = review(registry)
    assert told(found) == [("unverified", "fraud:1")]
    assert found[0].command == "stackroom verify fraud:1"


def test_huge_versions_are_told(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(registry, tmp_path)
    monkeypatch.setattr("stackroom.registry.reviewing.HUGE", 1)
    assert told(review(registry)) == [("huge", "fraud:1")]
    assert attention.HUGE == 10_000_000_000


def test_damage_comes_first_and_hides_nothing(registry: Registry, tmp_path: Path) -> None:
    declare(registry, "[stages.production]\n")
    register(registry, tmp_path)
    register(registry, tmp_path, "churn", card=None)
    registry.promote("fraud:1", "production")
    folder = registry.path / "models" / "fraud" / "1"
    folder.chmod(0o755)
    (folder / "version.toml").chmod(0o644)
    (folder / "version.toml").write_text("format = ")
    found = review(registry)
    assert found[0].kind == "damaged"
    assert ("no-card", "churn:1") in told(found)


def test_a_forged_event_is_told_and_archived_versions_are_left_out(registry: Registry, tmp_path: Path) -> None:
    declare(registry, "[stages.production]\nguards = { verify = true }\n")
    register(registry, tmp_path)
    register(registry, tmp_path, "churn", card=None)
    registry.archive("churn:1")
    registry.promote("fraud:1", "production")
    stage = registry.path / "stages" / "production"
    (stage / "fraud@2").symlink_to((stage / "fraud@1").readlink())
    found = review(registry)
    assert {kind for kind, _ in told(found)} == {"forged"}
    assert found[0].command == "stackroom history fraud"


def test_a_model_that_is_not_there_is_an_error(registry: Registry) -> None:
    with pytest.raises(NotFoundError):
        review(registry, ["nothing"])


def test_every_kind_has_a_severity_and_a_meaning_and_they_are_in_order() -> None:
    order = [("error", "warning", "note").index(kind.severity) for kind in KINDS.values()]
    assert order == sorted(order)
    assert all(kind.meaning for kind in KINDS.values())
