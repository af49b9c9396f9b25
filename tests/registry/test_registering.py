from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, RegistryError
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.registering import Registration
from stackroom.store import digest
from stackroom.store.folder import Folder
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.sums import DEPTH_LIMIT
from support.crashes import killed_at_every_step
from support.registries import ALICE, BOB, CAROL, EVE, artifacts, make, set_policy, shared, tree
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return artifacts(tmp_path / "out")


def test_a_register_makes_the_model_the_version_and_the_label(registry: Registry, out: Path) -> None:
    version = registry.register("fraud", out, metrics={"auc": 0.9}, card="# card\n", label="1.0.0")
    assert str(version.ref) == "fraud:1"
    assert registry.version("fraud:1.0.0") == version
    assert registry.version("fraud:latest") == version
    assert registry.card("fraud:1") == "# card\n"
    assert version.path == registry.path / "models/fraud/1"
    assert version.problems == ()
    assert [check.damage + check.warnings for check in registry.verify()] == [()]
    assert registry.model("fraud").problems == ()


@pytest.mark.parametrize("name", ["Fraud", "fraud_detector", "fraud.detector", "frauddetector", "models", "../x"])
def test_a_name_that_is_not_allowed_makes_nothing(registry: Registry, out: Path, name: str) -> None:
    registry.new("fraud-detector")
    before = tree(registry.path)
    with pytest.raises(InvalidInputError):
        registry.register(name, out)
    with pytest.raises(InvalidInputError):
        registry.new(name)
    assert tree(registry.path) == before


def test_the_registry_narrows_names_and_never_widens_them(tmp_path: Path, out: Path) -> None:
    make(tmp_path / "r")
    set_policy(tmp_path / "r", '[names]\npattern = "risk-.*|BAD"\n')
    registry = Registry(tmp_path / "r")
    with pytest.raises(InvalidInputError, match="does not fit this registry's names"):
        registry.register("fraud", out)
    with pytest.raises(InvalidInputError):
        registry.new("BAD")
    assert registry.new("risk-fraud") == "risk-fraud"


def test_a_model_is_made_once(registry: Registry) -> None:
    registry.new("fraud", metadata={"description": "x"})
    with pytest.raises(ConflictError, match="there already"):
        registry.new("fraud")
    with pytest.raises(ConflictError):
        registry.new("fraud", dry_run=True)
    assert registry.model("fraud").record.description == "x"


def test_a_dry_run_writes_nothing(registry: Registry, out: Path) -> None:
    before = tree(registry.path)
    found = registry.publish("fraud", Registration(sources=[out], dry_run=True))
    assert (found.made, found.new_model, found.files) == (False, True, 2)
    registry.new("other", dry_run=True)
    assert tree(registry.path) == before


def test_the_very_same_artifacts_are_recognised(registry: Registry, out: Path) -> None:
    first = registry.register("fraud", out, if_exists="skip")
    assert registry.register("fraud", out, if_exists="skip", label="1.0").ref == first.ref
    assert registry.version("fraud:1.0").ref == first.ref
    with pytest.raises(ConflictError, match="very same artifacts"):
        registry.register("fraud", out, if_exists="fail")
    assert registry.register("fraud", out).number == 2
    (out / "model.bin").write_bytes(b"other")
    assert registry.register("fraud", out, if_exists="fail").number == 3


def test_a_label_that_is_taken_stops_the_register_before_it_copies(registry: Registry, out: Path) -> None:
    registry.register("fraud", out, label="1.0")
    with pytest.raises(ConflictError, match=r"1\.0 belongs to version 1"):
        registry.register("fraud", out, label="1.0")
    with pytest.raises(InvalidInputError):
        registry.register("fraud", out, label="7")
    assert registry.model("fraud").count == 1
    with pytest.raises(ConflictError):
        registry.label(registry.register("fraud", out).ref, "1.0")


def test_a_label_lost_in_a_race_says_that_the_version_is_published(
    registry: Registry, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register("fraud", out, label="1.0")
    monkeypatch.setattr("stackroom.registry.registering._label_is_free", lambda *_: None)
    with pytest.raises(ConflictError, match=r"fraud:2 is published, and has no label") as caught:
        registry.register("fraud", out, label="1.0")
    assert caught.value.facts["ref"] == "fraud:2"


def test_what_no_file_can_hold_is_refused_and_nothing_is_made(registry: Registry, out: Path) -> None:
    before = tree(registry.path)
    for metadata in ({"description": "\udcff"}, {"metrics": {"auc": 10**400}}, {"hyperparameters": {"seed": None}}):
        with pytest.raises(InvalidInputError):
            registry.register("fraud", out, metadata=metadata)
    with pytest.raises(InvalidInputError, match="half a surrogate"):
        registry.register("fraud", out, card="\ud800")
    with pytest.raises(InvalidInputError, match="a card holds at most"):
        registry.register("fraud", out, card="x" * (CARD_LIMIT + 1))
    artifacts(out, {"README.md": b"x" * (CARD_LIMIT + 1)})
    with pytest.raises(InvalidInputError, match="a card holds at most"):
        registry.register("fraud", out)
    assert tree(registry.path) == before


def test_two_cards_are_one_too_many(registry: Registry, out: Path) -> None:
    artifacts(out, {"README.md": b"# a"})
    with pytest.raises(InvalidInputError, match="two sources with one name"):
        registry.register("fraud", out, card="# b")
    assert registry.card(registry.register("fraud", out).ref) == "# a"


def test_the_environment_is_part_of_the_metadata(
    registry: Registry, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stackroom.store.provenance import provenance  # noqa: PLC0415 - the fixture replaced it

    monkeypatch.setattr("stackroom.registry.registering.provenance", provenance)
    monkeypatch.setenv("SLURM_JOB_ID", "8812345")
    monkeypatch.setitem(os.environ, "MLFLOW_RUN_ID", "run \udcff")
    monkeypatch.setattr("sys.argv", ["train.py", "--fold", "\udcff"])
    source = registry.register("fraud", out, metadata={"source": {"host": "mine"}}).record.source
    assert (source["host"], source["slurm_job"], source["run"]) == ("mine", "8812345", "run ?")
    assert source["command"].startswith("train.py --fold ")


def test_a_registry_without_its_empty_folders_still_works(registry: Registry, out: Path) -> None:
    for name in ("models", "feed", "observations"):
        (registry.path / name).rmdir()
    assert registry.models().models == ()
    with pytest.raises(NotFoundError):
        registry.model("fraud")
    assert registry.register("fraud", out).number == 1


def test_registering_killed_at_any_step_leaves_a_readable_registry(registry: Registry, out: Path) -> None:
    known = 0
    for step, acknowledged in killed_at_every_step(lambda: registry.register("fraud", out, label=None)):
        listing = registry.models(every_version=True)
        assert listing.problems == ()
        count = sum(model.count for model in listing.models)
        assert [model.all_problems for model in listing.models if model.all_problems] == [], step
        assert count >= known + acknowledged
        known = count
    assert [check.damage for check in registry.verify() if check.damage] == []
    assert registry.version("fraud:latest").number == known


# --- several users; races are in test_races.py


@pytest.mark.root
def test_a_number_of_another_user_is_eperm_and_the_next_one_is_taken(reachable_path: Path) -> None:
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out", {"model.bin": b"weights"})
    run_as(ALICE, lambda: Registry(root).register("fraud", source).number)

    def stale() -> int:
        from stackroom.store import publish as publishing  # noqa: PLC0415 - in the child alone

        plain, calls = publishing._next_number, iter([1])
        publishing._next_number = lambda folder: next(calls, 0) or plain(folder)
        return Registry(root).register("fraud", source).number

    assert run_as(BOB, stale) == 2


@pytest.mark.root
def test_who_is_in_no_group_changes_nothing_and_is_told_whom_to_ask(reachable_path: Path) -> None:
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out", {"model.bin": b"weights"})
    run_as(ALICE, lambda: Registry(root).register("fraud", source).number)
    before = tree(root)

    def attempts() -> list[str]:
        registry = Registry(root)
        told = []
        for act in (
            lambda: registry.register("fraud", source),
            lambda: registry.register("other", source),
            lambda: registry.new("third"),
            lambda: registry.label("fraud:1", "1.0"),
            lambda: registry.publish("fraud", Registration(sources=[source], dry_run=True)),
        ):
            with pytest.raises(PermissionDeniedError) as caught:
                act()
            told.append(str(caught.value))
        return told

    for message in run_as(EVE, attempts):
        assert "62001" in message, "the group"
        assert "you are 61006" in message
    assert tree(root) == before


@pytest.mark.root
@pytest.mark.parametrize("user", [ALICE, CAROL])
def test_a_version_belongs_to_who_registered_it_and_to_the_group(reachable_path: Path, user: User) -> None:
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out", {"model.bin": b"weights"})
    owner = run_as(user, lambda: Registry(root).register("fraud", source).owner.uid)
    status = (root / "models/fraud/1").lstat()
    assert owner == status.st_uid == user.uid
    assert status.st_gid == 62001
    assert Registry(root).version("fraud:1").owner.uid == user.uid


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": {"metrics": 3}, "metrics": {"auc": 1}},
        {"metadata": {"hyperparameters": [1]}, "hyperparameters": {"lr": 1}},
        {"metadata": {"datasets": 3}, "datasets": [{"name": "x"}]},
        {"datasets": ["x"]},
    ],
)
def test_what_cannot_be_merged_is_refused_as_any_other_wrong_value(
    registry: Registry, out: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        registry.register("fraud", out, **wrong)


def test_metadata_and_what_is_given_beside_it_are_one(registry: Registry, out: Path) -> None:
    metadata = {"metrics": {"auc": 0.1, "f1": 0.2}, "datasets": ({"name": "a"},), "tags": ("x", "y")}
    version = registry.register("fraud", out, metadata=metadata, metrics={"auc": 0.9}, datasets=[{"name": "b"}])
    assert version.metrics == {"auc": 0.9, "f1": 0.2}
    assert [dataset.name for dataset in version.record.datasets] == ["a", "b"]
    assert version.record.tags == ("x", "y")


def test_a_path_that_is_none_is_refused(registry: Registry) -> None:
    with pytest.raises(InvalidInputError, match="no path"):
        registry.register("fraud", "a\0b")


@pytest.mark.parametrize("kind", ["file", "symlink"])
def test_something_else_in_a_models_place_is_said(registry: Registry, out: Path, kind: str) -> None:
    place = registry.path / "models" / "fraud"
    if kind == "symlink":
        place.symlink_to(out)
    else:
        place.write_text("")
    for act in (lambda: registry.register("fraud", out), lambda: registry.new("fraud")):
        with pytest.raises(ConflictError, match="is no folder"):
            act()


@pytest.mark.parametrize("kind", ["a file", "a symlink"])
def test_something_else_in_the_place_of_models_is_said(registry: Registry, out: Path, kind: str) -> None:
    place = registry.path / "models"
    if place.exists():
        place.rename(registry.path / "away")
    if kind == "a file":
        place.write_text("x")
    else:
        place.symlink_to("away")
    for attempt in (lambda: registry.new("fraud"), lambda: registry.register("fraud", out)):
        with pytest.raises(RegistryError, match="models"):
            attempt()


@pytest.mark.root
def test_where_models_is_missing_who_may_make_it_is_said(reachable_path: Path) -> None:
    root = shared(reachable_path)
    (root / "models").rmdir()
    with pytest.raises(ChildFailed, match="you may not") as caught:
        run_as(ALICE, lambda: Registry(root).new("fraud"))
    assert caught.value.type_name == "PermissionDeniedError"


def test_a_full_disk_is_told_in_a_sentence_with_the_place(
    registry: Registry, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("stackroom.store.publish._claim", full)
    with pytest.raises(InvalidInputError, match=r"register a version of fraud in [^ ]*/fraud: no space left"):
        registry.register("fraud", out)


@pytest.mark.parametrize(
    ("call", "act", "said"),
    [
        ("rename", lambda registry: registry.new("churn"), "make the model churn in {root}/models"),
        ("symlink", lambda registry: registry.label("fraud:1", "first"), "make the label first in {root}/models/fraud"),
        ("create", lambda registry: registry.edit("fraud:1", Edit(put={"team": "x"})), "write 1@1.toml in {root}"),
        ("rename", lambda registry: registry.delete("fraud:1"), "delete version 1 in {root}/models/fraud"),
    ],
)
def test_a_disk_that_is_full_is_told_with_what_was_being_done_and_where(
    registry: Registry,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    act: Callable[[Registry], object],
    said: str,
) -> None:
    registry.register("fraud", out)

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Folder, call, full)
    with pytest.raises(InvalidInputError, match="no space left on device") as caught:
        act(registry)
    assert str(caught.value).startswith(f"cannot {said.format(root=registry.folder)}")


def test_what_verification_would_call_a_hole_is_not_registered(
    registry: Registry, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "_GIBIBYTE", 2**20)
    sparse = out / "model.bin"
    os.truncate(sparse, 2**26)
    mode = sparse.stat().st_mode
    with pytest.raises(InvalidInputError, match=r"^model\.bin: the artifacts have .* of them are holes") as error:
        registry.publish("fraud", Registration(sources=[out], move=True))
    assert error.value.exit_code == 8
    assert error.value.hint.startswith("register it without --move, or write it in full first: cp --sparse=never")
    # Nothing was published or left behind, and the file is whose it was.
    assert os.listdir(registry.path / "models/fraud") == ["model@1.toml"]
    assert sparse.stat().st_mode == mode
    os.truncate(sparse, 2**20 + 2**12)
    sparse.write_bytes(b"x" * 2**13)
    os.truncate(sparse, 2**22)
    assert registry.publish("fraud", Registration(sources=[out], move=True)).made
    assert [check.damage for check in registry.verify(["fraud:1"])] == [()]


def test_a_folder_is_registered_as_deep_as_it_is_verified_and_no_deeper(registry: Registry, out: Path) -> None:
    def nested(depth: int) -> Path:
        folder = out.joinpath(f"{depth}", *["d"] * depth)
        folder.mkdir(parents=True)
        (folder / "model.bin").write_bytes(b"weights")
        return out / f"{depth}"

    registry.register("fraud", nested(DEPTH_LIMIT))
    assert [check.damage for check in registry.verify(["fraud:1"])] == [()]
    with pytest.raises(InvalidInputError, match="/d: a folder nested more than 100 deep") as error:
        registry.register("fraud", nested(DEPTH_LIMIT + 1))
    assert error.value.exit_code == 8
