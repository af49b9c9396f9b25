"""A guard's program: which one runs, how it ends, and that nothing else runs."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from stackroom.core.names import parse_ref
from stackroom.registry.facade import Registry
from stackroom.store.folder import Folder
from stackroom.store.programs import run_program
from support.registries import ALICE, CAROL, DAVE, EVE, STEWARD, artifacts, make, set_policy, shared, tree
from support.users import ChildFailed, User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stackroom.core.verdicts import Ran

CHECK = "checks/audit"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """One person's registry with a folder for programs."""
    root = make(tmp_path / "registry").path
    (root / "checks").mkdir(mode=0o755)
    return root


def program(path: Path, text: str, mode: int = 0o755) -> None:
    target = path / CHECK
    target.write_text(text)
    target.chmod(mode)


def run(path: Path, *arguments: str, name: str = CHECK, seconds: float = 10) -> Ran:
    with Folder.open(str(path)) as root:
        return run_program(root, (name, *arguments), seconds=seconds)


# --- running


def test_a_script_runs_with_its_arguments_in_the_registrys_folder(path: Path) -> None:
    program(path, '#!/bin/sh\necho "$# [$1] [$2] in $(pwd) as $STACKROOM_COMMAND"\n')
    ran = run(path, "a b; rm -rf /", "$HOME")
    assert ran.passed
    assert ran.seen == f"ended with 0: 2 [a b; rm -rf /] [$HOME] in {path} as {path}/{CHECK}"


def test_a_binary_runs_and_an_absolute_path_is_checked_from_the_top(path: Path) -> None:
    real = os.path.realpath("/bin/echo")
    assert run(path, "hello", name=real).seen == "ended with 0: hello"


def test_it_gets_no_input_and_a_bare_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_OF_MINE", "x")
    program(path, "#!/bin/sh\ncat\n/usr/bin/env | /usr/bin/cut -d= -f1 | /usr/bin/sort\n")
    names = set(run(path).seen.removeprefix("ended with 0: ").split(" | "))
    assert names - {"_", "PWD", "OLDPWD", "SHLVL"} == {"LANG", "PATH", "STACKROOM_COMMAND"}


def test_it_inherits_no_descriptor_of_the_callers(path: Path, tmp_path: Path) -> None:
    program(path, "#!/bin/sh\nreadlink /proc/$$/fd/*\n")
    secret = tmp_path / "secret"
    secret.touch()
    descriptor = os.open(secret, os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - as os wants it
    seen = run(path).seen
    os.close(descriptor)
    assert "/dev/null" in seen
    assert "secret" not in seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("#!/bin/sh\necho no >&2\nexit 3\n", "ended with 3: no"),
        ("#!/bin/sh\nkill -SEGV $$\n", "was killed by SIGSEGV"),
        ("no shebang\n", "cannot be started: exec format error"),
        ("#!/nowhere/to/be/found\n", "cannot be started: no such file or directory"),
    ],
)
def test_anything_but_0_refuses_and_says_how_it_ended(path: Path, text: str, seen: str) -> None:
    program(path, text)
    ran = run(path)
    assert not ran.passed
    assert seen in ran.seen


def test_hostile_output_is_harmless_and_bounded(path: Path) -> None:
    ending = "\\033]52;c;aGk=\\007\\377\\342\\200\\256"
    program(path, f"#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' 'A'\nprintf '{ending}'\n")
    seen = run(path).seen
    assert len(seen) < 1000
    assert seen.endswith("␛]52;c;aGk=␇\\xff\\u202e")


def test_the_time_limit_kills_the_whole_group(path: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program(path, f"#!/bin/sh\nsleep 600 &\necho $$ $! > {pids}\necho waiting\nwait\n")
    start = time.monotonic()
    ran = run(path, seconds=0.5)
    assert time.monotonic() - start < 5
    assert not ran.passed
    assert ran.seen == "took longer than 0.5 s and was killed: waiting"
    for pid in pids.read_text().split():
        assert is_gone(int(pid))


def test_what_it_leaves_in_the_background_is_killed_too_and_not_waited_for(path: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program(path, f"#!/bin/sh\nsleep 600 &\necho $! > {pids}\necho done\n")
    assert run(path).seen == "ended with 0: done"
    assert is_gone(int(pids.read_text()))


def test_who_gives_up_waiting_kills_it(path: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program(path, f"#!/bin/sh\necho $$ > {pids}\nexec sleep 600\n")

    def give_up(amount: int, /) -> None:
        assert amount == 0
        if pids.exists() and pids.read_text():
            raise KeyboardInterrupt

    with Folder.open(str(path)) as root, pytest.raises(KeyboardInterrupt):
        run_program(root, [CHECK], seconds=60, progress=give_up)
    assert is_gone(int(pids.read_text()))


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or ends now that it was killed."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(5000))
    finally:
        os.close(descriptor)


# --- what is not run


def refused(path: Path, *, name: str = CHECK) -> str:
    marker = path.parent / "ran"
    if (path / CHECK).exists() and not (path / CHECK).is_symlink():
        (path / CHECK).write_text(f"#!/bin/sh\ntouch {marker}\n")
    ran = run(path, name=name)
    assert not ran.passed
    assert not marker.exists()
    return ran.seen


@pytest.mark.parametrize(
    ("name", "mode", "why"),
    [
        (CHECK, 0o775, "can be written by group"),
        (CHECK, 0o757, "can be written by everybody"),
        ("checks", 0o775, "can be written by group"),
        ("checks", 0o1777, "can be written by group"),
        ("registry.toml", 0o664, "can be written by group"),
        (".", 0o775, "can be written by group"),
        (CHECK, 0o644, "is not executable"),
    ],
)
def test_what_others_may_write_is_not_run(path: Path, name: str, mode: int, why: str) -> None:
    program(path, "")
    (path / name).chmod(mode)
    seen = refused(path)
    assert seen.startswith(f"not run: {path if name == '.' else path / name} {why}")


@pytest.mark.root
@pytest.mark.parametrize("name", [CHECK, "checks", "registry.toml"])
def test_what_belongs_to_another_is_not_run(path: Path, name: str) -> None:
    program(path, "")
    os.chown(path / name, ALICE.uid, -1)
    assert f"{path / name} belongs to {ALICE.uid}, and not to root, as you are" in refused(path)


def test_a_symlink_is_not_followed_on_the_way(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    other.chmod(0o755)
    (path / CHECK).symlink_to(other)
    assert f"{path / CHECK} is not a regular file" in refused(path)
    (path / "linked").symlink_to("checks")
    assert f"{path / 'linked'} is not a folder" in refused(path, name="linked/audit")
    os.mkfifo(path / "checks/pipe")
    assert "is not a regular file" in refused(path, name="checks/pipe")


def test_what_is_missing_is_said(path: Path) -> None:
    assert f"{path / CHECK} cannot be opened: no such file or directory" in refused(path)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="needs extended attributes")
def test_an_acl_that_lets_others_write_is_seen_also_behind_its_mask(path: Path) -> None:
    program(path, "")
    entries = [(0x01, 7, -1), (0x02, 7, ALICE.uid), (0x04, 5, -1), (0x10, 5, -1), (0x20, 5, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + (who % 2**32).to_bytes(4, "little")
        for tag, bits, who in entries
    )
    try:
        os.setxattr(path / CHECK, "system.posix_acl_access", acl)
    except OSError as error:
        pytest.skip(f"this file system keeps no ACLs: {error}")
    assert "has an ACL that lets others write it" in refused(path)


def test_it_runs_what_was_checked_although_the_name_is_another_thing_now(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path, "#!/bin/sh\necho checked\n")
    real = subprocess.Popen

    def swapped(*args: object, **kwargs: object) -> object:
        os.rename(path / CHECK, path / "checks/aside")
        (path / CHECK).write_text("#!/bin/sh\necho swapped\n")
        (path / CHECK).chmod(0o777)
        return real(*args, **kwargs)  # type: ignore[call-overload]  # handed through

    monkeypatch.setattr(subprocess, "Popen", swapped)
    assert run(path).seen == "ended with 0: checked"


# --- as a guard


def guard(path: Path, value: str = '["checks/audit", "{path}", "{ref}", "{model}/{version}@{stage}"]') -> None:
    set_policy(path, f"[stages.staging]\n[stages.production.guards]\ncommand = {value}\n")


@pytest.fixture
def team(reachable_path: Path) -> Path:
    """A team's registry with a version of alice's and a program of the steward's that is run for production."""
    root = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(ALICE, lambda: Registry(root).register("fraud", source).number)

    def put() -> None:
        (root / "checks").mkdir()
        (root / "checks").chmod(0o755)
        program(root, '#!/bin/sh\necho "uid $(/usr/bin/id -u): $*"\ntest -f "$1/model.bin"\n')

    run_as(STEWARD, put)
    guard(root)
    return root


def can(root: Path, user: User) -> dict[str, object]:
    document = run_as(user, lambda: Registry(root).can("fraud:1", "production").document())
    verdict: dict[str, object] = document["verdicts"][-1]
    return verdict


@pytest.mark.root
def test_the_stewards_program_runs_as_the_mover_and_says_yes(team: Path) -> None:
    version = team / "models/fraud/1"
    assert can(team, DAVE)["seen"] == f"ended with 0: uid {DAVE.uid}: {version} fraud:1 fraud/1@production"
    assert run_as(DAVE, lambda: Registry(team).promote("fraud:1", "production").made)


@pytest.mark.root
def test_a_program_that_says_no_refuses_with_what_it_said(team: Path) -> None:
    run_as(STEWARD, lambda: program(team, "#!/bin/sh\necho 'group B is 12 points worse'\nexit 1\n"))
    before = tree(team)
    with pytest.raises(ChildFailed, match="ended with 1: group B is 12 points worse") as failed:
        run_as(DAVE, lambda: Registry(team).promote("fraud:1", "production").made)
    assert failed.value.type_name == "GuardRefusedError"
    assert tree(team) == before


@pytest.mark.root
def test_who_may_not_move_runs_nothing(team: Path) -> None:
    assert can(team, CAROL)["seen"] == "not run: only who may move runs it"


@pytest.mark.root
def test_nothing_runs_while_another_guard_refuses(team: Path) -> None:
    set_policy(team, '[stages.staging]\n[stages.production.guards]\nfrom = ["staging"]\ncommand = ["checks/audit"]\n')
    verdict = can(team, DAVE)
    assert (verdict["seen"], verdict["passed"], verdict["pending"]) == (
        "not run, because other guards refuse",
        False,
        True,
    )
    judged = run_as(
        DAVE,
        lambda: [
            len(found) for one in [Registry(team).can("fraud:1", "production")] for found in (one.failed, one.pending)
        ],
    )
    assert judged == [2, 1]


@pytest.mark.root
def test_a_program_that_may_not_be_run_is_told_while_others_refuse_too(team: Path) -> None:
    set_policy(team, '[stages.staging]\n[stages.production.guards]\nfrom = ["staging"]\ncommand = ["checks/audit"]\n')
    (team / CHECK).chmod(0o775)
    verdict = can(team, DAVE)
    assert "audit can be written by" in str(verdict["seen"])
    assert verdict["pending"] is False


@pytest.mark.root
@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda root: os.chown(root / CHECK, DAVE.uid, -1), f"belongs to {DAVE.uid}, and not to the steward"),
        (lambda root: (root / "registry.toml").chmod(0o664), "registry.toml can be written by group"),
        (lambda root: os.chown(root / "registry.toml", ALICE.uid, -1), f"registry.toml belongs to {ALICE.uid}"),
        (lambda root: (root / "checks").chmod(0o2775), "checks can be written by group"),
    ],
    ids=["foreign program", "group-writable registry.toml", "foreign registry.toml", "group-writable folder"],
)
def test_what_others_could_have_put_there_refuses_the_move(
    team: Path, prepare: Callable[[Path], object], why: str
) -> None:
    prepare(team)
    verdict = can(team, DAVE)
    assert verdict["passed"] is False
    assert why in str(verdict["seen"])


@pytest.mark.root
def test_root_runs_nothing_of_an_ordinary_steward(team: Path) -> None:
    verdict = Registry(team).can(parse_ref("fraud:1"), "production").verdicts[-1]
    assert f"{team} belongs to {STEWARD.uid}, and not to root, as you are" in verdict.seen


def test_a_registry_toml_that_has_changed_since_it_was_read_runs_nothing(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    registry.register("fraud", artifacts(tmp_path / "out"))
    guard(registry.path)
    opened = Registry(registry.path)
    guard(registry.path, '["checks/other"]')
    assert "registry.toml has changed" in opened.can("fraud:1", "production").verdicts[0].seen


def test_the_time_limit_is_a_key(tmp_path: Path) -> None:
    registry = make(tmp_path / "registry")
    registry.register("fraud", artifacts(tmp_path / "out"))
    (registry.path / "checks").mkdir(mode=0o755)
    program(registry.path, f"#!{sys.executable} -IS\nimport time\ntime.sleep(600)\n")
    guard(registry.path, '{ value = ["checks/audit"], seconds = 0.2, overridable = true }')
    opened = Registry(registry.path)
    assert "took longer than 0.2 s" in opened.can("fraud:1", "production").verdicts[0].seen
    result = opened.promote("fraud:1", "production", override=["command"], reason="it hangs")
    assert result.judgement.overridden == ("command",)


@pytest.mark.root
def test_nothing_runs_where_another_registry_could_be_put_in_its_place(team: Path, reachable_path: Path) -> None:
    """A folder above that is open and not sticky: eve moves the registry away and puts her copy there."""
    marker = reachable_path / "ran"
    reachable_path.chmod(0o777)

    def swap() -> None:
        os.rename(team, reachable_path / "aside")
        subprocess.run(["/bin/cp", "-r", reachable_path / "aside", team], check=True)
        (team / CHECK).chmod(0o755)
        (team / CHECK).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (team / "stages/production").chmod(0o777)

    run_as(EVE, swap, umask=0o022)
    verdict = can(team, DAVE)
    assert verdict["passed"] is False
    assert f"{reachable_path} can be written by group" in str(verdict["seen"])
    assert not marker.exists()
    found = run_as(EVE, lambda: [one.message for one in Registry(team).examine() if one.kind == "way-open"])
    assert len(found) == 1
    assert str(reachable_path) in found[0]


@pytest.mark.root
def test_a_folder_above_that_is_anothers_is_no_way_to_a_program(team: Path, reachable_path: Path) -> None:
    os.chown(reachable_path, ALICE.uid, -1)
    reachable_path.chmod(0o1777)
    assert f"{reachable_path} belongs to {ALICE.uid}" in str(can(team, DAVE)["seen"])


def swapped(place: Path, aside: Path) -> None:
    os.rename(place, aside)
    place.symlink_to(aside)


@pytest.mark.root
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda root: (root / CHECK).chmod(0o666), "audit can be written by group"),
        (lambda root: (root / "checks").chmod(0o2777), "checks can be written by group"),
        (lambda root: os.chown(root / CHECK, ALICE.uid, -1), f"audit belongs to {ALICE.uid}"),
        (lambda root: swapped(root / CHECK, root / "b"), "symlinks"),
    ],
    ids=["writable script", "writable folder", "foreign script", "symlink"],
)
def test_a_script_that_others_could_have_written_is_given_to_no_interpreter(
    team: Path, prepare: Callable[[Path], object], why: str, *, absolute: bool
) -> None:
    script = f"{team}/{CHECK}" if absolute else CHECK
    shell = os.path.realpath("/bin/sh")
    guard(team, f'["{shell}", "{script}", "{{path}}"]')
    assert can(team, DAVE)["passed"] is True
    prepare(team)
    verdict = can(team, DAVE)
    assert verdict["passed"] is False
    assert "not run: " in str(verdict["seen"])
    assert why in str(verdict["seen"])
