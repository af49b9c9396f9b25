"""Broken, foreign and malicious things in a registry: each is one flagged row, and hides nothing else."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.core.names import ModelName
from stackroom.core.text import visible
from stackroom.errors import IntegrityError, InvalidInputError, NotFoundError
from support.registries import ALICE, BOB, CAROL, artifacts, make, shared, unseal
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from stackroom.registry.facade import Registry

HOSTILE = "\x1b]52;c;ZXZpbA==\x07 \u202e[red]x[/nope] \x9b31m"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = make(tmp_path / "registry")
    source = artifacts(tmp_path / "out")
    for model in ("alpha", "beta"):
        for number in (1, 2, 3):
            made.register(model, source, metrics={"auc": number / 10})
    made.promote("alpha:2", "staging")
    return made


def _fifo_for_metadata(version: Path) -> None:
    (version / "version.toml").unlink()
    os.mkfifo(version / "version.toml")


def _symlink_for_metadata(version: Path) -> None:
    (version / "version.toml").unlink()
    (version / "version.toml").symlink_to("/etc/passwd")


def _folder_for_metadata(version: Path) -> None:
    (version / "version.toml").unlink()
    (version / "version.toml").mkdir()


def _write(text: bytes) -> Callable[[Path], None]:
    def write(version: Path) -> None:
        (version / "version.toml").write_bytes(text)

    return write


DAMAGES: dict[str, Callable[[Path], None]] = {
    "not TOML": _write(b"format = = 1"),
    "empty": _write(b""),
    "not UTF-8": _write(b"\xff\xfe"),
    "too large": _write(b"#" * 100_000),
    "nested": _write(b"a = " + b"[" * 5000),
    "dotted": _write(b"a" + b".a" * 30_000 + b" = 1"),
    "wrong types": _write(b'format = 1\nmetrics = "high"\n'),
    "newer format": _write(b"format = 99\n"),
    "a FIFO": _fifo_for_metadata,
    "a symlink": _symlink_for_metadata,
    "a folder": _folder_for_metadata,
    "missing": lambda version: (version / "version.toml").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_broken_version_is_one_flagged_row(registry: Registry, damage: Callable[[Path], None]) -> None:
    victim = registry.path / "models" / "alpha" / "2"
    unseal(victim)
    damage(victim)
    listing = registry.models(every_version=True)
    assert [model.name for model in listing.models] == ["alpha", "beta"]
    alpha = listing.models[0]
    assert [version.number for version in alpha.versions] == [1, 2, 3]
    assert [bool(version.problems) for version in alpha.versions] == [False, True, False]
    assert alpha.versions[1].stages == ("staging",)
    assert not listing.models[1].all_problems
    problem = alpha.versions[1].problems[0]
    assert problem.place.startswith("models/alpha/2")
    assert len(problem.message) < 400
    assert registry.version("alpha@staging").number == 2
    assert len(registry.search("")) == 6
    assert [check.ref.number for check in registry.verify(["alpha"]) if check.damage] == [2]
    with pytest.raises(stackroom.IntegrityError, match="alpha:2 cannot move"):
        registry.promote("alpha:2", "production")


def test_the_line_and_key_of_a_wrong_value_are_named(registry: Registry) -> None:
    victim = registry.path / "models" / "alpha" / "2"
    unseal(victim)
    text = (victim / "version.toml").read_text(encoding="utf-8").replace("auc = 0.2", 'auc = "high"')
    (victim / "version.toml").write_text(text, encoding="utf-8")
    line = text.split("\n").index('auc = "high"') + 1
    message = registry.version("alpha:2").problems[0].message
    assert message == f"version.toml:{line}: metrics.auc: expected a number, found 'high'"


def test_foreign_things_are_reported_and_in_nobodys_way(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    models = registry.path / "models"
    (models / "alpha" / "notes.txt~").write_text("mine", encoding="ascii")
    (models / "alpha" / "0007").mkdir()
    (models / "alpha" / "12345678901").mkdir()
    (models / "alpha" / "7@2.toml").symlink_to("/etc/passwd")
    (models / "Upper Case").mkdir()
    (models / "loop").symlink_to(".")
    (models / "file").write_text("x", encoding="ascii")
    (models / "alpha" / ".nfs0001").write_text("x", encoding="ascii")
    os.mkfifo(models / "alpha" / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        monkeypatch.chdir(models)
        unix.bind("sock")
    (registry.path / "stages" / "staging" / "junk").write_text("x", encoding="ascii")
    listing = registry.models(every_version=True)
    assert [model.name for model in listing.models] == ["alpha", "beta"]
    places = {problem.place for problem in (*listing.problems, *listing.models[0].problems)}
    assert places >= {
        "models/Upper Case",
        "models/loop",
        "models/file",
        "models/sock",
        "models/alpha/notes.txt~",
        "models/alpha/0007",
        "models/alpha/12345678901",
        "models/alpha/7@2.toml",
        "models/alpha/pipe",
        "stages/staging/junk",
    }
    assert not any(".nfs" in place for place in places)
    assert registry.register("alpha", artifacts(registry.path.parent / "out")).number == 8


def test_names_with_escape_sequences_are_harmless_where_they_are_shown(registry: Registry) -> None:
    (registry.path / "models" / HOSTILE.replace("/", "")).mkdir()
    (registry.path / "models" / "bytes\udcff").mkdir()
    registry.edit("alpha:1", stackroom.Edit(put={"description": HOSTILE}))
    listing = registry.models(every_version=True)
    shown = [visible(problem.place + problem.message) for problem in listing.problems]
    shown += [visible(version.record.description) for version in listing.models[0].versions]
    assert len(listing.problems) == 2
    assert not any(char in text for text in shown for char in "\x1b\x07\x9b\u202e")


@pytest.mark.root
def test_what_one_may_not_read_is_a_row_and_not_empty(reachable_path: Path) -> None:
    registry = make(reachable_path / "registry")
    source = artifacts(reachable_path / "out")
    for model in ("open", "shut"):
        registry.register(model, source)
    (registry.path / "models" / "shut").chmod(0o700)

    def look() -> list[list[str]]:
        models = stackroom.open(registry.path).models().models
        return [[model.name, *(problem.message for problem in model.problems)] for model in models]

    rows = run_as(User(uid=61_006, gid=61_006), look)
    assert rows == [["open"], ["shut", "no permission to read it (owner root, mode 0700)"]]


def test_a_wrong_policy_is_named_with_its_line_and_reading_goes_on(registry: Registry) -> None:
    path = registry.path / "registry.toml"
    path.write_text('format = 1\nid = "x"\n[stages.staging]\n[stages.staging.guards]\nvrify = true\n', encoding="ascii")
    broken = stackroom.open(registry.path)
    assert broken.policy_error is not None
    assert str(broken.policy_error).startswith(
        "registry.toml:5: stages.staging.guards.vrify: expected 'verify' perhaps"
    )
    assert broken.policy_error.facts["line"] == 5
    assert [model.name for model in broken.models().models] == ["alpha", "beta"]
    assert broken.stages == ("staging",)
    with pytest.raises(stackroom.InvalidInputError, match=r"registry\.toml:5"):
        broken.promote("alpha:1", "staging")


def test_a_policy_that_is_no_toml_still_lets_one_read(registry: Registry) -> None:
    (registry.path / "registry.toml").write_bytes(b"format = 1\nid = [\n\xff")
    broken = stackroom.open(registry.path)
    assert "registry.toml" in str(broken.policy_error)
    assert [model.name for model in broken.models().models] == ["alpha", "beta"]
    assert broken.version("alpha:2").number == 2


def test_a_holder_that_is_gone_is_missing_and_never_the_one_before(registry: Registry) -> None:
    registry.promote("alpha:3", "staging")
    unseal(registry.path / "models" / "alpha" / "3")
    shutil.rmtree(registry.path / "models" / "alpha" / "3")
    with pytest.raises(stackroom.IntegrityError, match="its folder is missing"):
        registry.version("alpha@staging")
    holding = registry.model("alpha").holding("staging")
    assert holding is not None
    assert (holding.number, holding.missing) == (3, True)
    assert [str(check.ref) for check in registry.verify() if check.damage] == ["alpha:3"]


@pytest.mark.root
def test_a_copied_tree_counts_unattested_and_another_owners_forged(registry: Registry, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(registry.path, copy, symlinks=True)
    for folder, folders, names in os.walk(copy):
        for name in [*folders, *names]:
            os.lchown(Path(folder, name), 61_001, 61_001)
    event = stackroom.open(copy).ledger("alpha", "staging").head
    assert event is not None
    assert event.validity.value == "unattested"
    os.lchown(copy / "stages" / "staging" / "alpha@1", 61_002, 61_002)
    ledger = stackroom.open(copy).ledger("alpha", "staging")
    assert [found.validity.value for found in ledger.events] == ["forged"]
    assert ledger.holder is None
    assert any("its owner is 61002" in alarm for alarm in ledger.alarms)


def test_gaps_and_broken_chains_are_alarms_and_decide_nothing(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.promote(f"alpha:{number}", "production")
    ledger = registry.path / "stages" / "production"
    (ledger / "alpha@2").unlink()
    found = registry.ledger("alpha", "production")
    assert found.holder == 3
    assert any("gap: event 2 of alpha is missing" in alarm for alarm in found.alarms)
    assert any("broken chain" in alarm for alarm in found.alarms)
    assert any("gap" in problem.message for problem in registry.model("alpha").problems)
    assert registry.promote("alpha:1", "production").event == "production/alpha@4"


def test_a_model_that_is_a_symlink_is_never_followed(registry: Registry, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (registry.path / "models" / "gamma").symlink_to(outside)
    with pytest.raises(stackroom.NotFoundError):
        registry.model("gamma")
    with pytest.raises(stackroom.RegistryError):
        registry.register("gamma", artifacts(tmp_path / "more"))
    assert not os.listdir(outside)
    (registry.path / "models" / "alpha" / "9").symlink_to(outside)
    assert [version.number for version in registry.model("alpha").versions] == [1, 2, 3]
    assert ModelName("gamma") not in [model.name for model in registry.models().models]


def test_a_slip_in_the_policy_hides_no_holder_and_lets_none_be_archived(registry: Registry) -> None:
    path = registry.path / "registry.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\noops = [\n", encoding="utf-8")
    broken = stackroom.open(registry.path)
    assert broken.policy_error is not None
    assert broken.stages == ("staging", "production")
    assert broken.version("alpha@staging").number == 2
    assert [event.name for event in broken.history("alpha")] == ["alpha@1"]
    with pytest.raises(stackroom.ConflictError, match="alpha:2 holds staging"):
        broken.archive("alpha:2")


def test_without_an_id_nobody_knows_who_holds_what(registry: Registry) -> None:
    (registry.path / "registry.toml").write_text("garbage [", encoding="utf-8")
    broken = stackroom.open(registry.path)
    assert {holding.unread for holding in broken.model("alpha").holdings} == {
        "registry.toml does not say which registry this is"
    }
    for ask in (
        lambda: broken.version("alpha@staging"),
        lambda: broken.ledger("alpha", "staging"),
        lambda: broken.archive("alpha:2"),
    ):
        with pytest.raises(stackroom.InvalidInputError, match=r"registry\.toml:1"):
            ask()
    with pytest.raises(stackroom.RegistryError):
        broken.history()


@pytest.mark.root
def test_a_ledger_that_cannot_be_read_is_not_an_empty_one(reachable_path: Path) -> None:
    owner = User(uid=61_006, gid=61_006)
    home = reachable_path / "home"
    home.mkdir()
    os.chown(home, owner.uid, owner.gid)
    source = artifacts(reachable_path / "out")
    source.chmod(0o755)
    for path in source.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)

    def act() -> list[object]:
        registry = make(home / "registry")
        registry.register("alpha", source)
        registry.promote("alpha:1", "production")
        (registry.path / "stages" / "production").chmod(0)
        model = registry.models().models[0]
        refused = ""
        try:
            registry.archive("alpha:1")
        except stackroom.PermissionDeniedError as error:
            refused = str(error)
        warned = [warning for check in registry.verify() for warning in check.warnings]
        holding = model.holding("production")
        return [holding is not None and bool(holding.unread), len(model.problems), refused, warned]

    unread, problems, refused, warned = run_as(owner, act)
    assert unread
    assert problems
    assert "stages/production" in str(refused)
    assert "what production promoted was not compared" in str(warned)


def test_a_holder_does_not_go_with_its_models_folder(registry: Registry) -> None:
    (registry.path / "models" / "alpha").rename(registry.path / "models" / ".gone")
    row = registry.models().models[0]
    assert [problem.message for problem in row.problems][1:] == ["version 2 holds staging, and its folder is missing"]
    (check,) = [check for check in registry.verify() if check.damage]
    assert str(check.ref) == "alpha:2"
    assert "holds staging, and the whole model is missing: staging/alpha@1 by" in check.damage[0]
    with pytest.raises(IntegrityError, match="alpha@staging is version 2, and the whole model is missing"):
        registry.version("alpha@staging")
    assert [event.name for event in registry.history("alpha")] == ["alpha@1"]
    with pytest.raises(NotFoundError, match="no model alpha"):
        registry.version("alpha:2")


def test_a_model_that_holds_nothing_is_not_missed(registry: Registry) -> None:
    registry.clear("alpha", "staging")
    (registry.path / "models" / "alpha").rename(registry.path / "models" / ".gone")
    assert [model.name for model in registry.models().models] == ["beta"]
    assert not [check for check in registry.verify() if check.damage]


# --- a folder that has the name of a version and is none


@pytest.fixture
def squatted(reachable_path: Path) -> Path:
    """Alice made the model and its two versions; bob an empty folder that is called as the last number there is."""
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(ALICE, lambda: [stackroom.open(path).register("fraud", source).number for _ in range(2)])
    run_as(BOB, (path / "models/fraud/999999999").mkdir)
    return path


@pytest.mark.root
def test_who_took_the_last_number_is_named_and_who_else_can_take_it_away(squatted: Path) -> None:
    source = squatted.parent / "out"

    def refused() -> str:
        with pytest.raises(InvalidInputError) as error:
            stackroom.open(squatted).register("fraud", source)
        return error.value.hint

    hint = run_as(CAROL, refused)
    assert f"999999999 is {BOB.uid}'s, who can take it away, as can {ALICE.uid}, whose folder" in hint
    assert "steward" not in hint
    run_as(ALICE, (squatted / "models/fraud/999999999").rmdir)
    assert run_as(CAROL, lambda: stackroom.open(squatted).register("fraud", source).number) == 3


@pytest.mark.root
def test_a_folder_without_metadata_is_neither_the_latest_nor_the_newest(squatted: Path) -> None:
    run_as(BOB, lambda: (squatted / "models/fraud/999999999").chmod(0o755))
    registry = stackroom.open(squatted)
    assert registry.version("fraud:latest").number == 2
    (model,) = registry.models().models
    assert model.latest is not None
    assert (model.latest.number, registry.model("fraud").latest) == (2, registry.model("fraud").version(2))
    assert any("not registered" in problem.message for problem in model.all_problems)
    rows = {row.version.number: row for row in registry.prune(["fraud"], keep_last=1).rows}
    assert (rows[1].goes, rows[2].goes, rows[2].why) == (True, False, "is the newest")
    assert (rows[999999999].goes, rows[999999999].why) == (False, "cannot be read as it was registered")


def test_a_model_of_nothing_but_empty_folders_has_no_latest_version(registry: Registry) -> None:
    registry.new("gamma")
    for number in (1, 7):
        (registry.path / "models/gamma" / str(number)).mkdir()
    with pytest.raises(NotFoundError, match="gamma has no versions yet"):
        registry.version("gamma:latest")
    assert registry.model("gamma").latest is None
