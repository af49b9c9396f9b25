"""What a table cannot hold: a refusal letter by letter, and rights that somebody had a moment ago."""

from __future__ import annotations

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from access.leaving import through_an_old_descriptor
from access.world import PEOPLE, Ground, World, listing
from stackroom.__main__ import main
from stackroom.store.access import group_members, group_name
from support.registries import ALICE, CAROL, EVE, RELEASERS
from support.users import User, become, import_everything

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("scenarios")]  # one process: their world is made once


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="stackroom-scenarios-"))
    folder.chmod(0o755)
    made = World(Ground.local(folder))
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture
def copy(world: World) -> Iterator[int]:
    made = world.fresh()
    yield made
    world.drop(made)


def _long_list(root: str) -> str:
    return subprocess.run(["ls", "-laR", "--full-time", root], capture_output=True, text=True, check=True).stdout


def _program(user: User, argv: Sequence[str], folder: Path) -> tuple[int, str, str]:
    """The whole program in a process of its own, with three real streams; the releasers' group has a name there."""
    import_everything()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads held over a fork: the child takes none
        pid = os.fork()
    if pid == 0:
        code = 99
        try:
            for name in ("stdout", "stderr"):
                setattr(sys, name, open(folder / name, "w", encoding="utf-8"))  # noqa: SIM115 - open until it ends
            sys.argv = ["stackroom", *argv]
            known = grp.struct_group(("ml-release", "x", RELEASERS, ["dave", "frank"]))
            found = grp.getgrgid
            setattr(grp, "getgrgid", lambda gid: known if gid == RELEASERS else found(gid))  # noqa: B010 - typeshed calls the parameter id
            for kept in (group_name, group_members):
                kept.cache_clear()
            become(user, 0o077)
            code = main()
            sys.stdout.close()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), (folder / "stdout").read_text(), (folder / "stderr").read_text()


@pytest.mark.parametrize("user", [ALICE, CAROL, PEOPLE["erin"], EVE], ids=lambda user: user.name)
def test_an_unauthorised_promote_names_the_group_and_its_members_and_leaves_no_trace(
    world: World, tmp_path: Path, user: User
) -> None:
    root = world.root()
    before = _long_list(root), listing(root)
    code, out, err = _program(user, ["-R", root, "promote", "fraud:3", "production"], tmp_path)
    assert code == 4
    assert out == ""
    assert f"you may not move fraud:3 to production: {root}/stages/production is" in err
    assert "ml-release 3775" in err
    assert "group ml-release may (dave, frank); ask one of them" in err
    assert (_long_list(root), listing(root)) == before


def test_whoever_left_the_group_gains_nothing_from_a_descriptor_that_he_opened_before(world: World, copy: int) -> None:
    folder = f"{world.root(copy)}/stages/production"
    found = through_an_old_descriptor(folder, "fraud@1", before=PEOPLE["erin-before"], after=PEOPLE["erin"])
    assert found.pop("fchmod") == found.pop("fchown") == "EPERM"
    assert set(found.values()) == {"EACCES"}, found
    assert world.holders(copy)["holders"]["fraud"] == 2


def test_one_command_names_who_wrote_to_what_is_in_production(world: World, copy: int) -> None:
    assert world.step("alice", "+rewrite the artifact", copy)["errno"] == 0
    answer = world.step("rita", "verify fraud@production --json", copy)
    assert answer["code"] == 7
    (check,) = json.loads(answer["out"])["versions"]
    assert "model.bin: sha256 is" in check["damage"][0]
    assert str(ALICE.uid) in check["damage"][0]
    assert {trace["owner"]["uid"] for trace in check["evidence"]} == {ALICE.uid}
