"""The matrix on local file systems: the table that ``access.table`` is, tried cell by cell with real users."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from access.attacks import ATTACKS
from access.cells import Allowed, Hole, Refused
from access.operations import CALLS
from access.running import Trial
from access.table import CELLS
from access.world import OBJECTS, PEOPLE, Ground, World
from stackroom.cli.catalog import COMMANDS
from stackroom.cli.parsing import command_named, parser_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
GUARANTEES = ROOT / "docs" / "explanation" / "guarantees.md"

HOLES = [each for cell in CELLS for each in (cell.expected, *cell.where.values()) if isinstance(each, Hole)]
pytestmark = pytest.mark.xdist_group("matrix")  # one process: its world is made once for each kind

KINDS = {"temporary folder": 0o077, "/dev/shm": 0o000}  # noqa: S108 - a file system in memory is what is wanted
"""Where, and with which umask the people work: a hostile one, and a careless one."""


def _folder(kind: str) -> Path:
    if kind == "temporary folder":
        return Path(tempfile.mkdtemp(prefix="stackroom-matrix-"))
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    if [kind, "tmpfs"] not in mounts:
        pytest.skip(f"{kind} is no tmpfs here")
    return Path(tempfile.mkdtemp(prefix="stackroom-matrix-", dir=kind))


@pytest.fixture(scope="module", params=KINDS)
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    folder = _folder(request.param)
    folder.chmod(0o755)
    world = World(Ground.local(folder), umask=KINDS[request.param])
    yield Trial(world)
    world.close()
    shutil.rmtree(folder)


@pytest.mark.root
@pytest.mark.parametrize("who", PEOPLE)
def test_everybody_may_what_the_table_says(trial: Trial, who: str) -> None:
    assert trial.run(cell for cell in CELLS if cell.who == who) == []


def test_the_table_is_large_and_uses_everybody_and_everything() -> None:
    assert len(CELLS) >= 3000
    assert len(set(map(str, CELLS))) == len(CELLS)
    helpers = {name.removeprefix("+") for hole in HOLES for _, name in hole.before}
    assert {cell.who for cell in CELLS} == PEOPLE.keys()
    assert {cell.what for cell in CELLS} == OBJECTS.keys()
    tried = {cell.how for cell in CELLS if not cell.is_command} | helpers
    assert CALLS.keys() - tried == set()
    assert tried - CALLS.keys() - ATTACKS.keys() == set()


def test_the_table_holds_refusals_rights_and_holes() -> None:
    counts = Counter(type(cell.expected) for cell in CELLS)
    assert counts[Refused] >= 2000
    assert counts[Allowed] >= 20
    assert counts[Hole] >= 50


def test_every_command_that_changes_something_is_tried_with_and_without_the_right() -> None:
    changing = {
        name
        for name in COMMANDS
        if COMMANDS[name][0]
        and "--dry-run"
        in {text for action in parser_for(name, command_named(name))._actions for text in action.option_strings}
    }
    assert {"register", "promote"} <= changing
    commands = [cell for cell in CELLS if cell.is_command]
    refused = {cell.how.split()[0] for cell in commands if isinstance(cell.expected, Refused)}
    assert changing - refused == set()
    allowed = {cell.how.split()[0] for cell in commands if isinstance(cell.expected, Allowed)}
    assert changing - allowed == {"demo", "init"}  # whoever tries these on a registry that is there has no right to


def test_every_hole_is_told_in_the_documentation_and_nothing_else_is() -> None:
    text = GUARANTEES.read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(told) == sorted({hole.id for hole in HOLES})


def test_the_documentation_names_the_check_that_reports_a_hole() -> None:
    lines = dict(
        re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", GUARANTEES.read_text(encoding="utf-8"), re.MULTILINE)
    )
    for hole in HOLES:
        assert set(re.findall(r"`(\w+)`", lines[hole.id])) == set(hole.reports), hole.id
