"""Registries that only the steward makes models in, that only readers see, and models that belong to the steward."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from stackroom.cli import main
from stackroom.cli.parsing import command_named
from stackroom.errors import PermissionDeniedError
from stackroom.registry.facade import Registry
from support.registries import (
    ALICE,
    AUTHORS,
    BOB,
    CAROL,
    DAVE,
    EVE,
    MONITORS,
    READERS,
    STEWARD,
    artifacts,
    shared,
)
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.root

command_named("new")  # its module, before somebody is forked who cannot enter the interpreter's folder

UMASKS = pytest.mark.parametrize("umask", [0o077, 0o000])


@pytest.fixture
def source(reachable_path: Path) -> Path:
    folder = artifacts(reachable_path / "out")
    for found in (folder, *folder.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    return folder


def refusal(action: Callable[[], object]) -> list[str]:
    """How the action is refused: the sentence and the hint."""
    with pytest.raises(PermissionDeniedError) as caught:
        action()
    return [str(caught.value), caught.value.hint]


def obey(hint: str, umask: int) -> int:
    """Run the command in a hint as the steward; its exit code."""
    argv = shlex.split(hint[hint.index("stackroom ") :])[1:]
    return run_as(STEWARD, lambda: main.run(argv, lambda _paths: 0), umask=umask)


def listing(root: Path) -> bytes:
    return subprocess.run(["ls", "-lR", "--full-time", root], capture_output=True, check=True).stdout


@UMASKS
def test_in_a_strict_registry_the_steward_makes_models_and_authors_are_told_what_to_send(
    reachable_path: Path, source: Path, umask: int
) -> None:
    root = shared(reachable_path, strict=True)
    before = listing(root)
    attempts: list[Callable[[], object]] = [
        lambda: Registry(root).new("fraud", metadata={"description": "it's; $(rm)", "tags": ["eu"]}),
        lambda: Registry(root).new("fraud", dry_run=True),
        lambda: Registry(root).register("fraud", source),
    ]
    for attempt in attempts:
        message, hint = run_as(ALICE, lambda attempt=attempt: refusal(attempt), umask=umask)  # type: ignore[misc]  # a lambda with a default
        assert f"{root}/models is {STEWARD.uid}:{AUTHORS} 2755, and you are {ALICE.uid}: only the steward" in message
        assert hint.startswith(f"send {STEWARD.uid}: stackroom -R {root} new fraud --steward-owned")
    assert listing(root) == before
    _, hint = run_as(ALICE, lambda: refusal(attempts[0]))
    assert obey(hint, umask) == 0
    assert Registry(root).model("fraud").record.description == "it's; $(rm)"
    assert run_as(ALICE, lambda: Registry(root).register("fraud", source).number, umask=umask) == 1
    assert run_as(BOB, lambda: Registry(root).register("fraud", source).number, umask=umask) == 2


@UMASKS
def test_a_model_of_the_stewards_lets_no_author_move_anothers_version(
    reachable_path: Path, source: Path, umask: int
) -> None:
    root = shared(reachable_path)
    model = root / "models" / "fraud"
    before = listing(root)
    message, hint = run_as(ALICE, lambda: refusal(lambda: Registry(root).new("fraud", steward_owned=True)), umask=umask)
    assert f"you are {ALICE.uid}, and only {STEWARD.uid}, the steward, can make a model that belongs to" in message
    assert run_as(ALICE, lambda: refusal(lambda: Registry(root).new("fraud", steward_owned=True, dry_run=True)))
    assert listing(root) == before
    assert obey(hint, umask) == 0
    status = model.lstat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (STEWARD.uid, AUTHORS, 0o3775)
    run_as(BOB, lambda: Registry(root).register("fraud", source).number, umask=umask)
    with pytest.raises(ChildFailed) as failure:
        run_as(ALICE, lambda: os.rename(model / "1", model / "hidden"))
    assert failure.value.type_name == "PermissionError"


def test_the_maker_of_a_model_can_move_anothers_version_which_is_why_one_wants_the_stewards(
    reachable_path: Path, source: Path
) -> None:
    root = shared(reachable_path)
    model = root / "models" / "fraud"
    run_as(ALICE, lambda: Registry(root).new("fraud"))
    run_as(BOB, lambda: Registry(root).register("fraud", source).number)
    run_as(ALICE, lambda: os.rename(model / "1", model / "hidden"))
    assert (model / "hidden").is_dir()


def test_not_even_root_makes_a_model_of_the_stewards(reachable_path: Path) -> None:
    root = shared(reachable_path)
    message, _ = refusal(lambda: Registry(root).new("fraud", steward_owned=True))
    assert "you are root" in message


def whole_life(root: Path, source: Path) -> list[tuple[User, Callable[[], object]]]:
    """What everybody does in a registry, in turn."""
    return [
        (ALICE, lambda: Registry(root).register("fraud", source, metrics={"auc": 0.9}).number),
        (BOB, lambda: Registry(root).register("fraud", source).number),
        (BOB, lambda: Registry(root).label("fraud:2", "2.0.0")[1]),
        (CAROL, lambda: Registry(root).promote("fraud:1", "staging").event),
        (DAVE, lambda: Registry(root).promote("fraud:1", "production").event),
    ]


@UMASKS
def test_a_private_registry_serves_its_readers_and_shows_outsiders_nothing(
    reachable_path: Path, source: Path, umask: int
) -> None:
    root = shared(reachable_path, readers=READERS)
    for who, action in whole_life(root, source):
        member = User(uid=who.uid, gid=who.gid, groups=(*who.groups, READERS), name=who.name)
        run_as(member, action, umask=umask)
    monitor = User(uid=61_030, gid=61_030, groups=(MONITORS, READERS))
    run_as(monitor, (root / "observations" / "x.jsonl").touch, umask=umask)

    def read() -> list[object]:
        registry = Registry(root)
        files = [open(path, "rb").read() for path in (root / "models/fraud/1/model.bin",)]  # noqa: SIM115 - as a consumer reads
        checks = [check for check in registry.verify() if check.damage]
        return [str(registry.version("fraud@production").ref), len(files[0]), len(checks), len(registry.history())]

    reader = User(uid=61_020, gid=61_020, groups=(READERS,))
    assert run_as(reader, read, umask=umask) == ["fraud:1", 7, 0, 2]

    def pry() -> list[str]:
        found = []
        for name in ("", "registry.toml", "models", "models/fraud/1/model.bin", "stages/production", "live/staging"):
            path = root / name
            try:
                (path.stat() if name else os.listdir(path))
            except PermissionError:
                found.append(name)
        with pytest.raises(PermissionDeniedError):
            Registry(root)
        return found

    assert len(run_as(EVE, pry)) == 6
    outsider_in_a_group = User(uid=EVE.uid, gid=EVE.gid, groups=(AUTHORS,))
    assert len(run_as(outsider_in_a_group, pry)) == 6


def test_a_private_registry_can_be_strict(reachable_path: Path, source: Path) -> None:
    root = shared(reachable_path, readers=READERS, strict=True)
    alice = User(uid=ALICE.uid, gid=ALICE.gid, groups=(AUTHORS, READERS))
    _, hint = run_as(alice, lambda: refusal(lambda: Registry(root).register("fraud", source)))
    assert obey(hint, 0o077) == 0
    assert run_as(alice, lambda: Registry(root).register("fraud", source).number) == 1


def _declared_later(root: Path) -> None:
    """A stage that the steward has written into registry.toml, and not made the folders of."""
    file = root / "registry.toml"
    file.write_text(file.read_text() + "\n[stages.canary]\n")


@pytest.mark.parametrize("user", [STEWARD, ALICE, DAVE], ids=lambda user: user.name)
def test_a_stage_without_folders_is_refused_before_the_move_with_the_commands_that_make_it(
    reachable_path: Path, source: Path, user: User
) -> None:
    root = shared(reachable_path)
    run_as(ALICE, lambda: Registry(root).register("fraud", source).number)
    _declared_later(root)
    before = listing(root)
    assert run_as(user, lambda: Registry(root).can("fraud:1", "canary").allowed) is False
    assert run_as(user, lambda: str(Registry(root).can("fraud:1", "canary").access.who_may())) == "nobody may yet"
    moves: list[Callable[[], object]] = [
        lambda: Registry(root).promote("fraud:1", "canary", dry_run=True),
        lambda: Registry(root).promote("fraud:1", "canary"),
        lambda: Registry(root).approve("fraud:1", "canary"),
    ]
    for move, parent in zip(moves, ("stages", "stages", "approvals"), strict=True):
        message, hint = run_as(user, lambda move=move: refusal(move))  # type: ignore[misc]  # a lambda with a default
        assert f"{root}/{parent}/canary is missing, and which group may" in message
        commands = f"mkdir {root}/{parent}/canary && chgrp -h GROUP {root}/{parent}/canary && chmod 3775 "
        assert f"{STEWARD.uid} makes it" in hint
        assert commands in hint
    may = run_as(user, lambda: Registry(root).whoami().document()["may"])
    assert [one["doing"] for one in may if one["allowed"] and "canary" in one["doing"]] == []
    assert listing(root) == before
    if user is not STEWARD:
        return
    hints = [run_as(user, lambda move=move: refusal(move))[1] for move in moves]  # type: ignore[misc]  # a lambda with a default
    for hint in hints[1:]:
        command = hint[hint.index("mkdir") :].replace("GROUP", str(AUTHORS))
        run_as(user, lambda command=command: subprocess.run(["sh", "-ec", command], check=True).returncode)  # type: ignore[misc]  # a lambda with a default
    assert run_as(ALICE, lambda: Registry(root).can("fraud:1", "canary").allowed)


def test_a_steward_outside_the_authors_is_told_so_and_never_that_he_may_make_models(
    reachable_path: Path, source: Path
) -> None:
    root = shared(reachable_path)
    lonely = User(uid=STEWARD.uid, gid=STEWARD.gid)
    attempts: list[Callable[[], object]] = [
        lambda: Registry(root).new("fraud", dry_run=True),
        lambda: Registry(root).new("fraud"),
        lambda: Registry(root).new("fraud", steward_owned=True, dry_run=True),
        lambda: Registry(root).register("fraud", source),
    ]
    for attempt in attempts:
        message, hint = run_as(lonely, lambda attempt=attempt: refusal(attempt))  # type: ignore[misc]  # a lambda with a default
        assert f"you are {STEWARD.uid} and not in {AUTHORS}, the group of {root}/models" in message
        assert ".tmp-" not in message
        assert f"usermod -aG {AUTHORS} {STEWARD.uid}" in hint
    assert os.listdir(root / "models") == []
    may = run_as(lonely, lambda: Registry(root).whoami().document()["may"])
    assert [one["allowed"] for one in may if one["doing"] == "make models"] == [False]
    assert run_as(STEWARD, lambda: Registry(root).new("fraud")) == "fraud"
