"""Deleting, restoring and purging versions: what is refused, what stays, and what a crash leaves."""

from __future__ import annotations

import os
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.errors import ConflictError, IntegrityError, NotFoundError, PermissionDeniedError, RegistryError
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.store.ledgers import append_move
from stackroom.store.removal import add_tombstone, hide, take_tombstone
from support.crashes import killed_at_every_step
from support.registries import ID, NOW, artifacts, make, set_policy, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def fraud(tmp_path: Path) -> Registry:
    """Three versions: 2 is a child of 1, and 3 has a label."""
    registry = make(tmp_path / "registry")
    source = artifacts(tmp_path / "out")
    registry.register("fraud", source)
    registry.register("fraud", source, metadata={"lineage": {"parents": ["fraud:1"]}})
    registry.register("fraud", source, label="1.0.0")
    return registry


def names(registry: Registry) -> list[str]:
    return sorted(os.listdir(registry.path / "models" / "fraud"))


def here(registry: Registry) -> list[int]:
    return [version.number for version in registry.model("fraud").versions]


def states(registry: Registry) -> dict[int, str]:
    return {deletion.number: deletion.state for deletion in registry.deleted("fraud").versions}


def hand_made(registry: Registry, name: str, text: str) -> Path:
    path = registry.path / "models" / "fraud" / name
    path.symlink_to(text)
    return path


def test_a_deleted_version_is_gone_from_lists_and_can_be_restored(fraud: Registry) -> None:
    before = (fraud.path / "models/fraud/3/model.bin").read_bytes()
    removed = fraud.delete("fraud:1.0.0", reason="the wrong month")
    assert removed.made
    assert str(removed.ref) == "fraud:3"
    assert here(fraud) == [1, 2]
    assert [str(version.ref) for version in fraud.search("")] == ["fraud:1", "fraud:2"]
    assert not fraud.model("fraud").all_problems
    (deletion,) = fraud.deleted().versions
    assert (deletion.state, deletion.bytes, deletion.labels) == ("deleted", 12, ("1.0.0",))
    assert deletion.by == fraud.who
    assert deletion.tombstone is not None
    assert (deletion.tombstone.why, deletion.tombstone.validity) == ("the wrong month", "attested")
    assert fraud.restore("fraud:1.0.0").made
    assert here(fraud) == [1, 2, 3]
    assert (fraud.path / "models/fraud/3/model.bin").read_bytes() == before
    assert not fraud.deleted().versions
    assert not [check for check in fraud.verify() if check.damage]
    assert not [name for name in names(fraud) if "deleted" in name or name.startswith(".")]


def test_the_tombstone_says_who_when_why_what_and_where(fraud: Registry) -> None:
    seal = fraud.version("fraud:3").seal
    registry = Registry(fraud.path, clock=lambda: NOW)
    registry.delete("fraud:3", reason="too old")
    text = os.readlink(fraud.path / "models/fraud/3@deleted")
    assert seal is not None
    (trash,) = (fraud.path / "models/fraud").glob(".trash-3-*")
    assert text == (
        f"op=delete by={registry.who} at=2026-11-23T04:22:00Z why=too%20old digest={seal.digest} "
        f"trash={trash.name.removeprefix('.trash-3-')} event={ID}/models/fraud/3@deleted"
    )


@pytest.mark.parametrize("ref", ["fraud:3", "fraud:1.0.0", "fraud/3"])
def test_a_reference_to_a_deleted_version_says_by_whom_and_how_it_comes_back(fraud: Registry, ref: str) -> None:
    fraud.delete("fraud:3", reason="too old")
    for ask in (fraud.version, fraud.card, fraud.revisions, lambda one: fraud.edit(one, Edit(put={"team": "x"}))):
        with pytest.raises(NotFoundError, match=rf"deleted by {fraud.who.label} on .* UTC: too old") as caught:
            ask(ref)
        assert caught.value.hint == "stackroom restore fraud:3"
    fraud.purge(dry_run=False)
    with pytest.raises(NotFoundError, match="deleted and purged by"):
        fraud.version(ref)


def test_deleting_twice_and_restoring_what_is_here_change_nothing(fraud: Registry) -> None:
    assert not fraud.restore("fraud:3").made
    fraud.delete("fraud:3")
    before = tree(fraud.path)
    assert not fraud.delete("fraud:3").made
    assert tree(fraud.path) == before


def test_a_dry_run_changes_nothing_and_names_what_would_change(fraud: Registry) -> None:
    before = tree(fraud.path)
    removed = fraud.delete("fraud:3", dry_run=True)
    assert removed.changes == ("models/fraud/3@deleted", "models/fraud/3")
    assert tree(fraud.path) == before
    fraud.delete("fraud:3")
    before = tree(fraud.path)
    assert fraud.restore("fraud:3", dry_run=True).changes == ("models/fraud/3", "models/fraud/3@deleted")
    assert fraud.purge().bytes == 12
    assert tree(fraud.path) == before


def test_readers_are_told_by_a_hint_in_the_feed(fraud: Registry) -> None:
    fraud.delete("fraud:3")
    fraud.restore("fraud:3")
    fraud.delete("fraud:3")
    fraud.purge(dry_run=False)
    hints = [os.readlink(path) for path in (fraud.path / "feed").iterdir()]
    for op, times in (("delete", 2), ("restore", 1), ("purge", 1)):
        assert hints.count(f"op={op} ref=fraud:3") == times


# --- what is refused


def test_what_holds_a_stage_is_not_deleted(fraud: Registry) -> None:
    fraud.promote("fraud:3", "staging")
    before = tree(fraud.path)
    with pytest.raises(ConflictError, match="fraud:3 holds staging, and what holds a stage is not deleted"):
        fraud.delete("fraud:3")
    assert tree(fraud.path) == before
    fraud.clear("fraud", "staging")
    assert fraud.delete("fraud:3").made


@pytest.mark.parametrize(
    "parent", ["fraud:3", "fraud:1.0.0", "fraud/3", "models:/fraud/3", "fraud:latest"], ids=lambda parent: parent
)
def test_a_parent_of_any_version_of_any_model_is_not_deleted(fraud: Registry, tmp_path: Path, parent: str) -> None:
    fraud.register("other", tmp_path / "out", metadata={"lineage": {"parents": [parent]}})
    with pytest.raises(ConflictError, match=r"fraud:3 is a parent of other:1, and a parent is not deleted"):
        fraud.delete("fraud:3")
    fraud.edit("other:1", Edit(drop=("lineage.parents",)))
    assert fraud.delete("fraud:3").made


def test_a_child_that_is_deleted_protects_its_parent_no_more(fraud: Registry) -> None:
    with pytest.raises(ConflictError, match="parent of fraud:2"):
        fraud.delete("fraud:1")
    fraud.delete("fraud:2")
    assert fraud.delete("fraud:1").made


def test_a_ledger_that_cannot_be_read_forbids_to_delete(fraud: Registry) -> None:
    (fraud.path / "stages" / "staging").rmdir()
    (fraud.path / "stages" / "staging").write_text("no folder")
    before = tree(fraud.path)
    for attempt in (lambda: fraud.delete("fraud:3"), lambda: fraud.prune("fraud", keep_last=1, dry_run=False)):
        with pytest.raises(RegistryError, match="stages/staging"):
            attempt()
    assert tree(fraud.path) == before


def test_without_the_registrys_id_nothing_is_deleted(fraud: Registry) -> None:
    (fraud.path / "registry.toml").write_text("format = 1\n[stages.staging]\n")
    registry = Registry(fraud.path)
    for attempt in (lambda: registry.delete("fraud:3"), lambda: registry.purge(dry_run=False)):
        with pytest.raises(RegistryError, match="id"):
            attempt()


def test_a_version_whose_parents_are_not_known_is_told_and_stops_nobody(fraud: Registry) -> None:
    version = fraud.path / "models/fraud/2"
    version.chmod(0o755)
    (version / "version.toml").chmod(0o644)
    (version / "version.toml").write_text("broken = ")
    assert fraud.delete("fraud:3").warnings == ("models/fraud/2 cannot be read: nobody knows its parents",)


# --- tombstones that others made, and left-overs


def test_a_planted_tombstone_takes_nothing_away_and_is_in_the_way_of_a_delete(fraud: Registry) -> None:
    hand_made(fraud, "3@deleted", "op=delete by=0:root at=2026-01-01T00:00:00Z event=elsewhere")
    assert here(fraud) == [1, 2, 3]
    version = fraud.version("fraud:3")
    assert [problem.message for problem in version.problems] == ["version 3 has a tombstone, and is here all the same"]
    (deletion,) = fraud.deleted("fraud").versions
    assert (deletion.state, deletion.by) == ("deleting", None)
    with pytest.raises(ConflictError, match="worth nothing, is in the way of fraud:3: names another place"):
        fraud.delete("fraud:3")
    assert fraud.restore("fraud:3").made
    assert fraud.delete("fraud:3").made


def test_a_tombstone_copied_from_another_version_is_forged(fraud: Registry) -> None:
    fraud.delete("fraud:3")
    hand_made(fraud, "2@deleted", os.readlink(fraud.path / "models/fraud/3@deleted"))
    (two, _) = fraud.deleted("fraud").versions
    assert two.tombstone is not None
    assert two.tombstone.validity == "forged"


def test_a_folder_in_the_trash_without_a_tombstone_is_flagged_and_never_purged(fraud: Registry) -> None:
    folder = fraud.path / "models/fraud"
    (folder / "3").rename(folder / ".trash-3-0a")
    (problem,) = [problem for problem in fraud.model("fraud").problems if "trash" in problem.place]
    assert problem.message == "version 3 is in the trash without a tombstone"
    assert states(fraud) == {3: "unmarked"}
    (row,) = fraud.purge(dry_run=False).rows
    assert "has no tombstone" in row.why
    assert fraud.delete("fraud:3", reason="by hand").made
    assert states(fraud) == {3: "deleted"}
    assert fraud.restore("fraud:3").made
    assert here(fraud) == [1, 2, 3]


def test_a_trashed_version_with_a_forged_tombstone_is_not_purged(fraud: Registry) -> None:
    folder = fraud.path / "models/fraud"
    (folder / "3").rename(folder / ".trash-3-0a")
    hand_made(fraud, "3@deleted", "op=delete by=7:mallory at=2026-01-01T00:00:00Z event=elsewhere")
    (row,) = fraud.purge(dry_run=False).rows
    assert "worth nothing" in row.why
    assert (folder / ".trash-3-0a").exists()


def test_what_is_not_what_was_deleted_is_not_restored(fraud: Registry, tmp_path: Path) -> None:
    fraud.register("fraud", artifacts(tmp_path / "other", {"model.bin": b"other"}))
    fraud.delete("fraud:3")
    folder = fraud.path / "models/fraud"
    (trash,) = folder.glob(".trash-3-*")
    trash.rename(folder / "elsewhere")
    (folder / "4").rename(trash)
    with pytest.raises(IntegrityError, match="not what was deleted"):
        fraud.restore("fraud:3")


def test_a_folder_that_is_planted_in_the_trash_is_not_what_comes_back(fraud: Registry) -> None:
    fraud.delete("fraud:3")
    for name in (".trash-3-00", ".trash-3-ff"):
        (fraud.path / "models/fraud" / name).mkdir()
    assert "another version 3" in fraud.model("fraud").problems[0].message
    assert fraud.restore("fraud:3").made
    assert not [check for check in fraud.verify(["fraud:3"]) if check.damage]


def test_two_folders_in_the_trash_that_no_tombstone_names_are_not_restored(fraud: Registry) -> None:
    for name in (".trash-3-00", ".trash-3-0a"):
        (fraud.path / "models/fraud" / name).mkdir()
    (fraud.path / "models/fraud/3").rename(fraud.path / "models/fraud/.trash-3-0b")
    with pytest.raises(ConflictError, match="3 folders of fraud:3"):
        fraud.restore("fraud:3")
    assert "another version 3" in fraud.model("fraud").problems[0].message


def test_a_tombstone_of_a_copied_tree_counts_as_its_events_do(fraud: Registry) -> None:
    fraud.delete("fraud:3")
    text = os.readlink(fraud.path / "models/fraud/3@deleted")
    path = fraud.path / "models/fraud/3@deleted"
    path.unlink()
    path.symlink_to(text.replace(f"by={fraud.who}", "by=4321:alice"))
    (deletion,) = fraud.deleted("fraud").versions
    assert deletion.tombstone is not None
    assert deletion.tombstone.validity == "unattested"
    assert deletion.by is not None
    assert deletion.by.label == "alice"
    assert fraud.purge(dry_run=False).freed > 0


# --- moves of what is deleted


def test_a_rollback_to_a_deleted_version_says_so_and_how_to_bring_it_back(fraud: Registry) -> None:
    fraud.promote("fraud:3", "staging")
    fraud.promote("fraud:2", "staging")
    fraud.delete("fraud:3", reason="too old")
    with pytest.raises(IntegrityError, match=r"fraud:3 held staging before, which is deleted by .*: too old") as caught:
        fraud.rollback("fraud", "staging")
    assert caught.value.hint == "stackroom restore fraud:3"
    fraud.restore("fraud:3")
    assert fraud.rollback("fraud", "staging").made


def test_a_move_whose_version_vanishes_meanwhile_is_taken_back(
    fraud: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fraud.promote("fraud:2", "staging")

    def slow(*args: Any) -> None:  # noqa: ANN401 - whatever it takes
        Registry(fraud.path).delete("fraud:3")
        append_move(*args)

    monkeypatch.setattr("stackroom.registry.moving.append_move", slow)
    with pytest.raises(ConflictError, match="fraud:3 was deleted while you moved it to staging"):
        fraud.promote("fraud:3", "staging")
    ledger = fraud.ledger("fraud", "staging")
    assert [event.move.to for event in ledger.events if event.move] == [2, 3, 2]
    assert not ledger.alarms
    assert os.readlink(fraud.path / "live/staging/fraud").endswith("/2")
    assert not fraud.model("fraud").all_problems


def test_a_version_promoted_while_it_is_deleted_is_put_back(fraud: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any) -> None:  # noqa: ANN401 - whatever it takes
        add_tombstone(*args)
        Registry(fraud.path).promote("fraud:3", "staging")

    monkeypatch.setattr("stackroom.registry.removing.add_tombstone", slow)
    with pytest.raises(ConflictError, match="somebody moved fraud:3 to staging while you deleted it; it is back"):
        fraud.delete("fraud:3")
    assert fraud.version("fraud@staging").number == 3
    assert not fraud.model("fraud").all_problems


# --- purge


def test_a_purge_frees_the_bytes_and_keeps_the_tombstone_and_the_number(fraud: Registry, tmp_path: Path) -> None:
    fraud.delete("fraud:3", reason="too old")
    told: list[int] = []
    purge = fraud.purge(["fraud:3"], dry_run=False, progress=told.append)
    assert purge.freed == sum(told) >= 12
    assert [name for name in names(fraud) if name.startswith(".")] == []
    assert states(fraud) == {3: "purged"}
    with pytest.raises(NotFoundError, match=r"deleted and purged by .*: too old"):
        fraud.restore("fraud:3")
    assert fraud.register("fraud", tmp_path / "out").number == 4
    assert not fraud.delete("fraud:3").made
    assert not fraud.purge().rows


def test_a_purge_follows_no_symlink(fraud: Registry, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    version = fraud.path / "models/fraud/3"
    version.chmod(0o755)
    (version / "link").symlink_to(outside)
    (version / "file-link").symlink_to(outside / "precious")
    fraud.delete("fraud:3")
    assert not fraud.purge(dry_run=False).rows[0].left
    assert (outside / "precious").read_text() == "x"


def test_what_holds_a_stage_again_or_has_a_child_again_is_not_purged(fraud: Registry, tmp_path: Path) -> None:
    fraud.delete("fraud:3")
    fraud.register("other", tmp_path / "out", metadata={"lineage": {"parents": ["fraud:1.0.0"]}})
    (row,) = fraud.purge(dry_run=False).rows
    assert row.why == "fraud:3 is a parent of other:1, and a parent is not purged"


def test_only_what_was_deleted_long_enough_ago_is_purged(fraud: Registry) -> None:
    fraud.delete("fraud:3")
    (row,) = fraud.purge(older_than="12h").rows
    assert "ago, and not 12h" in row.why
    (deletion,) = fraud.deleted().versions
    assert deletion.tombstone is not None
    later = deletion.tombstone.when + timedelta(hours=13)
    assert Registry(fraud.path, clock=lambda: later).purge(older_than="12h").rows[0].goes


def test_a_version_that_is_here_is_not_purged(fraud: Registry) -> None:
    with pytest.raises(ConflictError, match="fraud:3 is not deleted"):
        fraud.purge(["fraud:3"], dry_run=False)


def test_what_cannot_be_removed_is_named_and_the_rest_goes(fraud: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    fraud.delete("fraud:3")
    plain = os.unlink

    def stubborn(path: str, *, dir_fd: int | None = None) -> None:
        if path == "vocab.txt":
            raise PermissionError(1, "Operation not permitted")
        plain(path, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", stubborn)
        purge = fraud.purge(dry_run=False)
    (left,) = purge.rows[0].left
    assert left.endswith("/sub/vocab.txt: operation not permitted")
    (others,) = purge.others
    assert others.command == f"stackroom -R {fraud.path} purge fraud:3 --yes"
    assert states(fraud) == {3: "purging"}
    with pytest.raises(NotFoundError, match="being purged"):
        fraud.restore("fraud:3")
    assert not fraud.purge(dry_run=False).rows[0].left
    assert states(fraud) == {3: "purged"}


def test_the_command_for_root_is_safely_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make(tmp_path / "a $(touch x) 'b'")
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.delete("fraud:1")
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    (others,) = registry.purge().others
    assert shlex.split(others.command) == ["stackroom", "-R", str(registry.path), "purge", "fraud:1", "--yes"]


# --- crashes


def _prepared(tmp_path: Path, step: int, *, deleted: bool) -> Registry:
    registry = make(tmp_path / f"registry-{step}")
    source = artifacts(tmp_path / "out")
    registry.register("fraud", source)
    registry.register("fraud", source)
    if deleted:
        registry.delete("fraud:2", reason="before")
    return registry


@pytest.mark.parametrize(
    ("action", "deleted", "end"),
    [
        (lambda registry: registry.delete("fraud:2"), False, {2: "deleted"}),
        (lambda registry: registry.restore("fraud:2"), True, {}),
        (lambda registry: registry.purge(dry_run=False), True, {2: "purged"}),
    ],
    ids=["delete", "restore", "purge"],
)
def test_a_crash_at_any_step_leaves_a_readable_registry_and_the_command_goes_on(
    tmp_path: Path,
    action: Callable[[Registry], Any],
    deleted: bool,  # noqa: FBT001 - one of three cases
    end: dict[int, str],
) -> None:
    registries: list[Registry] = [_prepared(tmp_path, 0, deleted=deleted)]

    def act() -> None:
        action(registries[-1])

    seen: set[str] = set()
    for step, _ in killed_at_every_step(act):
        registry = registries[-1]
        model = registry.model("fraud")
        assert not [problem for problem in model.all_problems if problem.severity == "error"], step
        state = states(registry).get(2, "here")
        seen.add(state)
        assert (2 in here(registry)) == (state in {"here", "deleting"}), step
        if state in {"here", "deleting"}:
            assert not [check for check in registry.verify(["fraud:2"]) if check.damage]
        action(registry)
        assert states(registry) == end, step
        assert registry.register("fraud", tmp_path / "out").number == 3
        registries.append(_prepared(tmp_path, step, deleted=deleted))
    assert seen >= ({"deleting"} if not end or end[2] == "deleted" else {"purging"})


def test_a_killed_delete_can_be_restored_and_a_killed_restore_deleted(tmp_path: Path) -> None:
    registry = _prepared(tmp_path, 0, deleted=False)
    folder = registry.path / "models/fraud"
    registry.delete("fraud:2", reason="first")
    (trash,) = folder.glob(".trash-2-*")
    trash.rename(folder / "2")
    assert states(registry) == {2: "deleting"}
    assert registry.delete("fraud:2", reason="second").made
    (deletion,) = registry.deleted().versions
    assert deletion.tombstone is not None
    assert deletion.tombstone.why == "first"
    (trash,) = folder.glob(".trash-2-*")
    trash.rename(folder / "2")
    assert registry.restore("fraud:2").made
    assert states(registry) == {}


def test_a_tombstone_that_a_restore_takes_away_in_the_same_moment_is_made_again(
    fraud: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: Any) -> str | None:  # noqa: ANN401 - whatever it takes
        (fraud.path / "models/fraud/3@deleted").unlink()
        return hide(*args)

    monkeypatch.setattr("stackroom.registry.removing.hide", slow)
    fraud.delete("fraud:3", reason="x")
    assert states(fraud) == {3: "deleted"}


def test_a_file_under_the_name_of_a_tombstone_is_in_the_way_and_named(fraud: Registry) -> None:
    (fraud.path / "models/fraud/3@deleted").write_text("mine")
    with pytest.raises(ConflictError, match="3@deleted is in the way, and is no tombstone"):
        fraud.delete("fraud:3")
    assert here(fraud) == [1, 2, 3]


def test_a_mover_who_is_killed_before_he_takes_it_back_leaves_what_restore_mends(
    fraud: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        Registry(fraud.path).delete("fraud:3")

    monkeypatch.setattr("stackroom.registry.removing.stages_held", lambda *_: ())
    monkeypatch.setattr("stackroom.registry.moving.withdraw_if_deleted", killed)
    fraud.promote("fraud:3", "staging")
    with pytest.raises(IntegrityError, match=r"fraud@staging is version 3, which is deleted by") as caught:
        fraud.version("fraud@staging")
    assert caught.value.hint == "stackroom restore fraud:3"
    (problem,) = [problem for problem in fraud.model("fraud").problems if problem.severity == "error"]
    assert problem.hint == "it was deleted: stackroom restore fraud:3"
    fraud.restore("fraud:3")
    assert not fraud.model("fraud").all_problems


def test_a_version_that_is_deleted_again_while_it_is_restored_keeps_a_tombstone(
    fraud: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fraud.delete("fraud:3", reason="x")
    folder = fraud.path / "models/fraud"

    def slow(*args: Any) -> None:  # noqa: ANN401 - whatever it takes
        (folder / "3").rename(folder / ".trash-3-0a")
        take_tombstone(*args)

    monkeypatch.setattr("stackroom.registry.removing.take_tombstone", slow)
    with pytest.raises(ConflictError, match="somebody deleted fraud:3 again while you restored it"):
        fraud.restore("fraud:3")
    assert states(fraud) == {3: "deleted"}
    monkeypatch.undo()
    assert fraud.restore("fraud:3").made


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda registry: registry.delete("fraud:2"), ["symlink", "fsync", "rename", "fsync"]),
        (lambda registry: registry.restore("fraud:3"), ["rename", "fsync", "unlink", "fsync"]),
    ],
    ids=["delete", "restore"],
)
def test_every_step_is_on_disk_before_the_next_one(
    fraud: Registry, monkeypatch: pytest.MonkeyPatch, change: Callable[[Registry], Any], wanted: list[str]
) -> None:
    fraud.delete("fraud:3")
    called: list[str] = []

    def recorded(name: str) -> Callable[..., Any]:
        plain = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
            called.append(name)
            return plain(*args, **kwargs)

        return call

    for name in ("symlink", "fsync", "rename", "unlink"):
        monkeypatch.setattr(os, name, recorded(name))
    change(fraud)
    assert called[: len(wanted)] == wanted


# --- archived


def test_what_is_archived_can_be_deleted(fraud: Registry) -> None:
    fraud.archive("fraud:3")
    assert fraud.delete("fraud:3").made


def test_a_registry_with_a_wrong_guard_still_deletes(fraud: Registry) -> None:
    set_policy(fraud.path, "[stages.staging]\nguards = 7\n[stages.production]\n")
    registry = Registry(fraud.path)
    registry.path.joinpath("stages/staging").chmod(0o755)
    assert registry.delete("fraud:3").made


def test_what_the_kernel_forbids_is_told_before_the_stages(fraud: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    fraud.promote("fraud:3", "staging")
    (fraud.path / "models/fraud").chmod(0o1755)
    os.chown(fraud.path / "models/fraud", 4321, 4321)
    os.chown(fraud.path / "models/fraud/3", 4322, 4321)
    monkeypatch.setattr(os, "geteuid", lambda: 4323)
    with pytest.raises(PermissionDeniedError, match="it is 4322's, in a sticky folder of 4321's"):
        fraud.delete("fraud:3")
