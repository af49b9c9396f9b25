"""Every command of the how-to pages, run by those who are to run it: with made-up numbers for people and groups."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from stackroom.cli import main
from stackroom.cli.catalog import COMMANDS
from stackroom.cli.parsing import command_named
from support.registries import (
    ALICE,
    AUTHORS,
    CAROL,
    DAVE,
    MONITORS,
    READERS,
    RELEASERS,
    REVIEWERS,
    STEWARD,
)
from support.users import User, run_as

pytestmark = pytest.mark.root

TEAM = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "set-up-a-team.md"
ADMINISTRATOR = User(uid=0, gid=0, name="root")
PEOPLE = {"an administrator": ADMINISTRATOR, "mlreg": STEWARD, "alice": ALICE, "carol": CAROL, "dave": DAVE}
NUMBERS = {
    "ml-authors": AUTHORS,
    "ml-reviewers": REVIEWERS,
    "ml-release": RELEASERS,
    "ml-monitors": MONITORS,
    "ml-readers": READERS,
}
ACCOUNTS = ("groupadd", "useradd", "usermod", "gpasswd")
"""Commands that are run on a copy of the account files, with the names that the page gives."""

for _name in COMMANDS.keys() - {"tui"}:
    command_named(_name)  # before somebody is forked who cannot enter the interpreter's folder


def numbered(text: str, root: Path) -> str:
    for name, number in NUMBERS.items():
        text = re.sub(rf"(?<![\w-]){name}(?![\w-])", str(number), text)
    # A number has no login group, which is what the colon alone stands for.
    text = text.replace("mlreg: ", f"{STEWARD.uid}:{STEWARD.gid} ")
    return re.sub(r"\bmlreg\b", str(STEWARD.uid), text).replace("/srv/", f"{root}/srv/")


def said_by(command: str) -> list[object]:
    """The exit code of a command of ours, and what it prints, as data and for people."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run(shlex.split(command)[1:], lambda _paths: 0)
    return [code, out.getvalue(), err.getvalue()]


def done(command: str, who: User, root: Path, umask: int) -> tuple[int, str]:
    """Run one line of a page; its exit code, and what it prints."""
    word = command.split(" ", maxsplit=1)[0]
    if word in ACCOUNTS:
        assert who is ADMINISTRATOR
        etc = shlex.quote(str(root / "accounts"))
        # gpasswd knows no prefix; usermod -r does the same.
        command = re.sub(r"gpasswd -d (\S+) (\S+)", r"usermod -rG \2 \1", command)
        command = command.replace(" ", f" --prefix {etc} ", 1)
    else:
        command = numbered(command, root)

    def act() -> list[object]:
        os.chdir(root / "work")
        if word == "stackroom":
            return said_by(command)
        # An administrator's path, which has what makes accounts.
        env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        ran = subprocess.run(["sh", "-euc", command], capture_output=True, text=True, check=False, env=env)
        return [ran.returncode, ran.stdout, ran.stderr]

    code, out, err = run_as(who, act, umask=umask)
    return int(str(code)), f"{out}{err}"


@pytest.fixture
def site(reachable_path: Path) -> Path:
    """A host in a folder: accounts of its own, a place for registries, and something to register."""
    etc = reachable_path / "accounts" / "etc"
    etc.mkdir(parents=True)
    people = [who for who in PEOPLE if who not in {"an administrator", "mlreg"}] + ["erin"]
    lines = [f"{name}:x:{70_000 + index}:{70_000 + index}::/:/bin/sh\n" for index, name in enumerate(people)]
    (etc / "passwd").write_text("".join(lines))
    (etc / "group").write_text("".join(f"{name}:x:{70_000 + index}:\n" for index, name in enumerate(people)))
    for name in ("shadow", "gshadow", "login.defs"):
        (etc / name).touch()
    (reachable_path / "work").mkdir()
    (reachable_path / "work" / "model.onnx").write_bytes(b"weights")
    (reachable_path / "work" / "model.onnx").chmod(0o644)
    for name in ("srv", "srv/strict", "srv/private"):
        (reachable_path / name).mkdir()
        if name != "srv":
            os.chown(reachable_path / name, STEWARD.uid, STEWARD.gid)
    return reachable_path


def blocks() -> list[tuple[str, list[str]]]:
    found = re.findall(r"```sh\n# (.+?)\n(.*?)```", TEAM.read_text(encoding="utf-8"), re.DOTALL)
    return [(who, text.strip().split("\n")) for who, text in found]


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_every_command_of_the_page_does_what_it_says(site: Path, umask: int) -> None:
    ended = {}
    said = ""
    for who, commands in blocks():
        for command in commands:
            code, said = done(command, PEOPLE[who], site, umask)
            assert "Traceback" not in said
            ended[f"{who}: {command}"] = code
            if " can " in command:
                assert f"group {RELEASERS} may" in said
    assert "as it should be" in said, "the last command checks the new stage"
    assert {command: code for command, code in ended.items() if code} == {
        "alice: stackroom -R /srv/models can fraud-detector:1 production": 4,
    }
    group = (site / "accounts" / "etc" / "group").read_text()
    assert re.search(r"^ml-release:x:\d+:mlreg,erin$", group, re.MULTILINE)
    assert len(re.findall("```sh", TEAM.read_text(encoding="utf-8"))) == len(blocks())


def test_the_tree_on_the_page_is_the_one_that_init_prints(site: Path) -> None:
    text = TEAM.read_text(encoding="utf-8")
    command = next(line for _, lines in blocks() for line in lines if "init /srv/models" in line and "dry" not in line)
    shown = re.search(r"```text\n(MODE .*?)```", text, re.DOTALL)
    assert shown
    os.chown(site / "srv", STEWARD.uid, STEWARD.gid)
    _, said = done(command, STEWARD, site, 0o077)
    wanted = [line.split() for line in numbered(shown[1], site).strip().split("\n")]
    own = [str(STEWARD.uid) for _ in wanted]
    for row, uid in zip(wanted[1:], own, strict=False):
        row[2] = str(STEWARD.gid) if row[2] == uid else row[2]
    assert [line.split("\t") for line in said.split("\n")[: len(wanted)]] == wanted


def test_the_commands_for_a_missing_group_on_the_page_are_those_that_init_prints(site: Path) -> None:
    recipe = next(lines for who, lines in blocks() if lines[0].startswith("(umask"))
    models = site / "srv" / "models"
    models.mkdir()
    os.chown(models, STEWARD.uid, STEWARD.gid)
    lonely = User(uid=STEWARD.uid, gid=STEWARD.gid, groups=(AUTHORS, REVIEWERS))
    command = (
        "stackroom init /srv/models --authors ml-authors --stage staging=ml-reviewers --stage production=ml-release"
    )
    code, said = done(command, lonely, site, 0o077)
    assert code == 4
    assert [line.strip() for line in said.split("\n") if line.startswith("  ")][1:] == [
        numbered(line, site) for line in recipe
    ]
    for line in recipe:
        assert done(line, ADMINISTRATOR, site, 0o077) == (0, "")
    assert done(command, lonely, site, 0o077)[0] == 0


INITS = [line for _, lines in blocks() for line in lines if " init " in line and "--" in line and "dry-run" not in line]


@pytest.mark.parametrize(
    "primary", [STEWARD.gid, AUTHORS, REVIEWERS, 100], ids=["own", "authors", "reviewers", "users"]
)
@pytest.mark.parametrize("command", sorted(set(INITS)), ids=lambda line: line.split()[2])
def test_what_every_init_of_the_page_makes_is_healthy_and_as_it_should_be(
    site: Path, command: str, primary: int
) -> None:
    steward = User(uid=STEWARD.uid, gid=primary, groups=(*STEWARD.groups, STEWARD.gid))
    for folder in ("srv", "srv/strict", "srv/private"):
        os.chown(site / folder, STEWARD.uid, 0)
    path = command.split()[2]
    assert done(command, steward, site, 0o077)[0] == 0
    for again in (command, f"stackroom init {path}", f"stackroom -R {path} doctor"):
        code, said = done(again, steward, site, 0o077)
        assert code == 0, said
        assert "as it should be" in said or "healthy" in said
    registry = numbered(path, site)
    named = {int(NUMBERS[name]) for name in NUMBERS if name in command}
    for parent, folders, _ in os.walk(registry):
        for status in (os.stat(os.path.join(parent, name)) for name in folders):
            assert status.st_mode & 0o7000 or status.st_gid == primary
            assert not status.st_mode & 0o020 or (status.st_mode & 0o2000 and status.st_gid in named)
