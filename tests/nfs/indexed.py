"""The index on a file server: what lists and searches of one client show of what the other did, and what they cost."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nfs.shared import ALICE, AUTHORS, BOB, CAROL, DAVE, artifact, registry, requests
from stackroom.cli.main import run
from stackroom.registry.facade import Registry
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable

    Versions = dict[str, dict[str, Any]]

PLAIN = 10
"""Models that only make a registry larger: the list of a small one does without an index."""

MANY = 200
"""Models of which a list is counted."""


def _made(client: Path, *models: str) -> str:
    """A team's registry with one version of each of these models: the first is registered, the others are copies."""
    name = registry(client)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    run_as(ALICE, lambda: Registry(client / name).register(models[0], source, metrics={"auc": 0.5}).number)
    there = Path(os.environ["LAB_SERVER_DIR"]) / client.name / name / "models"
    for model in models[1:]:
        shutil.copytree(there / models[0], there / model)
        sealed = there / model / "1" / "version.toml"
        text = sealed.read_text(encoding="utf-8")
        sealed.write_text(text.replace(f'model = "{models[0]}"', f'model = "{model}"'), encoding="utf-8")
        for folder, _, files in os.walk(there / model):
            for path in (folder, *(f"{folder}/{file}" for file in files)):
                os.chown(path, ALICE.uid, AUTHORS)
    return name


def _did(user: User, root: Path, *argv: str, **environment: str) -> str:
    """What a command prints that a user runs where the artifacts are, in a process of its own."""

    def act() -> str:
        os.chdir(os.environ["TMPDIR"])
        os.environ.update(environment)
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
            code = run(["-R", str(root), *argv], lambda _paths: 0)
        assert code == 0, argv
        return out.getvalue()

    return run_as(user, act)


def _answers(root: Path, *environments: dict[str, str], user: User = ALICE) -> list[dict[str, Any]]:
    """What a process of its own says of all models and versions, in each of these environments."""

    def ask() -> list[dict[str, Any]]:
        return [_answer(root, environment) for environment in environments]

    return run_as(user, ask)


def _answer(root: Path, environment: dict[str, str]) -> dict[str, Any]:
    os.environ.pop("STACKROOM_CACHE", None)
    os.environ.update(environment)
    with redirect_stdout(io.StringIO()) as out:
        code = run(["-R", str(root), "list"], lambda _paths: 0)
    found = [version.document() for version in Registry(root).search("", archived=True)]
    return {"code": code, "list": out.getvalue(), "versions": {one["ref"]: one for one in found}}


def _in(cache: Path | str) -> dict[str, str]:
    return {"STACKROOM_CACHE": str(cache)}


OFF = _in("off")


def _settle(root: Path, cache: Path) -> None:
    """Ask until the index believes all that it has, which it does two seconds after it saw it first."""
    end = time.monotonic() + 20
    while True:
        _did(ALICE, root, "search", **_in(cache))
        (path,) = cache.glob("*.index")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            doubted = [
                name
                for table, name in (("models", "name"), ("folders", "place"))
                for (name,) in database.execute(f"SELECT {name} FROM {table} WHERE NOT settled")  # noqa: S608 - two tables
            ]
        if not doubted:
            return
        assert time.monotonic() < end, doubted
        time.sleep(0.25)


STEPS: tuple[tuple[User, tuple[str, ...], Callable[[Versions], bool]], ...] = (
    (ALICE, ("register", "registered", "model.bin"), lambda found: "registered:2" in found),
    (
        ALICE,
        ("edit", "edited:1", "--set", "description=by b"),
        lambda found: bool(found["edited:1"]["metadata"].get("description") == "by b"),
    ),
    (ALICE, ("label", "labelled:1", "2.1.0"), lambda found: bool(found["labelled:1"]["labels"] == ["2.1.0"])),
    (ALICE, ("archive", "archived:1"), lambda found: bool(found["archived:1"]["archived"])),
    (ALICE, ("delete", "deleted:1"), lambda found: "deleted:1" not in found),
    (CAROL, ("promote", "promoted:1", "production"), lambda found: found["promoted:1"]["stages"] == ["production"]),
    (CAROL, ("clear", "cleared", "production"), lambda found: found["cleared:1"]["stages"] == []),
)


def what_one_client_did_is_in_the_lists_and_searches_of_the_other_at_once(a: Path, b: Path) -> None:
    models = [argv[1].partition(":")[0] for _, argv, _ in STEPS]
    name = _made(a, *models, *(f"plain-{number}" for number in range(PLAIN)))
    _did(CAROL, a / name, "promote", "cleared:1", "production")
    cache = Path(os.environ["TMPDIR"]) / "cache-of-a"
    _settle(a / name, cache)
    for user, argv, is_shown in STEPS:
        # Of each step another model: the one before is doubted for two seconds, and would be read anyway.
        _did(user, b / name, *argv)
        indexed, read = _answers(a / name, _in(cache), OFF)
        assert is_shown(indexed["versions"]), argv
        assert indexed == read, argv
    # And once more when all of that is believed.
    _settle(a / name, cache)
    indexed, read = _answers(a / name, _in(cache), OFF)
    assert indexed == read


def an_index_never_lies_on_a_file_server(a: Path, b: Path) -> None:
    name = _made(a, "fraud")
    right = _answers(b / name, OFF)
    (b / "home").mkdir(mode=0o777)
    (b / "home").chmod(0o777)
    aside = Path(f"/var/tmp/stackroom-{ALICE.uid}")  # noqa: S108 - in the laboratory alone
    for variable in ("STACKROOM_CACHE", "XDG_CACHE_HOME", "HOME"):
        shutil.rmtree(aside, ignore_errors=True)
        assert _answers(b / name, {variable: str(b / "home")}) == right
        assert [path.suffix for path in aside.iterdir()] == [".index"]
        assert (stat.S_IMODE(aside.stat().st_mode), aside.stat().st_uid) == (0o700, ALICE.uid)
        assert os.listdir(b / "home") == []
    # Somebody was there first.
    theirs = Path(f"/var/tmp/stackroom-{BOB.uid}")  # noqa: S108 - the same
    shutil.rmtree(theirs, ignore_errors=True)
    theirs.mkdir()
    os.chown(theirs, DAVE.uid, DAVE.gid)
    theirs.chmod(0o777)
    assert _answers(b / name, {"HOME": str(b / "home")}, user=BOB) == right
    assert os.listdir(theirs) == os.listdir(b / "home") == []


def a_list_asks_the_server_once_for_each_model_and_a_few_things_more(a: Path, b: Path) -> None:
    name = _made(a, *(f"m{number}" for number in range(MANY)))
    cache = Path(os.environ["TMPDIR"]) / "cache-of-b"
    costs: dict[str, int] = {}

    def count(kind: str, where: dict[str, str]) -> None:
        before = requests(os.environ["LAB_MOUNT_B"])
        listed = _did(ALICE, b / name, "list", **where)
        costs[kind] = requests(os.environ["LAB_MOUNT_B"]) - before
        assert len(listed.splitlines()) == MANY + 1, listed

    count("first", _in(cache))
    _settle(b / name, cache)
    count("next", _in(cache))
    count("without an index", OFF)
    assert costs["next"] <= MANY + 20, costs


def a_list_waits_for_a_server_that_is_away(a: Path, b: Path) -> None:
    name = _made(b, "fraud")
    argv = [sys.executable, "-m", "stackroom", "-R", str(a / name), "list"]
    right = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    subprocess.run(["lab-ctl", "cut", "A"], check=True)
    try:
        waiting, killed = (
            subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
        )
        try:
            waiting.wait(1)
        except subprocess.TimeoutExpired:
            pass
        else:
            raise AssertionError(waiting.communicate())
        killed.kill()
        assert killed.wait(5) == -signal.SIGKILL
    finally:
        subprocess.run(["lab-ctl", "heal", "A"], check=True)
    assert (*waiting.communicate(timeout=60), waiting.returncode) == (right, "", 0)


SCENARIOS: tuple[Callable[[Path, Path], None], ...] = (
    what_one_client_did_is_in_the_lists_and_searches_of_the_other_at_once,
    an_index_never_lies_on_a_file_server,
    a_list_asks_the_server_once_for_each_model_and_a_few_things_more,
    a_list_waits_for_a_server_that_is_away,
)
