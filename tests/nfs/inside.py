"""What two NFS clients see of each other: run inside the laboratory, prints one JSON object of outcomes.

Each scenario gets a fresh folder of the export as both clients see it, and fails by raising. All of them share one
boot, which takes longer than any of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import stackroom
from access.leaving import through_an_old_descriptor
from access.running import Trial
from access.table import CELLS
from access.world import PEOPLE, Ground, World
from nfs.indexed import SCENARIOS as INDEXED
from nfs.shared import ALICE, AUTHORS, BOB, CAROL, DAVE, RELEASERS, STEWARD, artifact, registry, requests
from stackroom.core.names import ModelName, StageName
from stackroom.registry.facade import Registry
from stackroom.store.caveats import caveats
from stackroom.store.folder import Folder
from stackroom.store.setup import make_registry
from stackroom.store.survey import survey
from stackroom.store.tree import Plan
from stackroom.store.watch import REQUESTS, Watch
from support.users import ChildFailed, User, run_as, start_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def a_file_of_one_client_is_seen_by_the_other(a: Path, b: Path) -> None:
    (a / "from-a").write_text("written by a", encoding="ascii")
    (b / "from-b").write_text("written by b", encoding="ascii")
    assert sorted(os.listdir(a)) == sorted(os.listdir(b)) == ["from-a", "from-b"]
    assert (b / "from-a").read_text(encoding="ascii") == "written by a"
    assert (a / "from-b").read_text(encoding="ascii") == "written by b"


def the_clients_have_caches_of_their_own(a: Path, b: Path) -> None:
    assert a.stat().st_ino == b.stat().st_ino
    assert a.stat().st_dev != b.stat().st_dev


def a_symlink_is_created_by_one_client_only(a: Path, b: Path) -> None:
    for number in range(50):
        name = f"fraud-detector@{number}"
        first, second = (a, b) if number % 2 else (b, a)
        (first / name).symlink_to("first")
        try:
            (second / name).symlink_to("second")
        except FileExistsError:
            pass
        else:
            raise AssertionError(f"both clients created {name}")
        assert os.readlink(second / name) == "first"


EACH = 15


def _register(root: Path, source: str, count: int) -> list[int]:
    there = Registry(root)
    return [there.register("fraud", source, metrics={"auc": index / 100}).number for index in range(count)]


def two_users_on_two_clients_register_at_once(a: Path, b: Path) -> None:
    name = registry(a)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    found = start_as(
        [
            (ALICE, lambda: _register(a / name, source, EACH)),
            (BOB, lambda: _register(b / name, source, EACH)),
        ]
    )
    numbers = [number for one in found if not isinstance(one, ChildFailed) for number in one]
    assert sorted(numbers) == list(range(1, 2 * EACH + 1)), found
    for root in (a / name, b / name):
        assert not [check for check in Registry(root).verify() if check.damage or check.warnings]


def two_users_on_two_clients_promote_at_once(a: Path, b: Path) -> None:
    name = registry(a)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    run_as(ALICE, lambda: _register(a / name, source, 2))

    def promote(root: Path, number: int) -> str:
        return Registry(root).promote(f"fraud:{number}", "production").event

    for turn in range(1, 6):
        # Both judge the same head: each reads it before the other may write.
        heads = [Registry(root).ledger("fraud", "production") for root in (a / name, b / name)]
        assert heads[0].next_number == heads[1].next_number
        outcomes = start_as([(CAROL, lambda: promote(a / name, 1)), (DAVE, lambda: promote(b / name, 2))])
        won = [one for one in outcomes if not isinstance(one, ChildFailed)]
        lost = [one for one in outcomes if isinstance(one, ChildFailed)]
        assert won, outcomes
        assert all(one.type_name == "ConflictError" and "was faster" in one.message for one in lost), outcomes
        for root in (a / name, b / name):
            ledger = Registry(root).ledger("fraud", "production")
            assert not ledger.alarms, (turn, ledger.alarms)
            # As the server has it: a client answers readlink of a replaced symlink from its cache for three seconds.
            pointer = Path(os.environ["LAB_SERVER_DIR"]) / a.name / name / "live" / "production" / "fraud"
            assert os.readlink(pointer) == f"../../models/fraud/{ledger.holder}", turn


def what_one_client_registers_the_other_notices_at_the_next_look(a: Path, b: Path) -> None:
    name = registry(a)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    run_as(ALICE, lambda: _register(a / name, source, 1))
    watch = Watch(str(b / name))
    assert not watch.local
    assert not watch.poll()
    run_as(ALICE, lambda: _register(a / name, source, 1))
    assert watch.poll().models == {ModelName("fraud")}
    run_as(CAROL, lambda: Registry(a / name).promote("fraud:2", "production").event)
    assert watch.poll().models == {ModelName("fraud")}
    assert [str(version.ref) for version in Registry(b / name).search("stage = production")] == ["fraud:2"]


def watching_what_does_not_change_costs_ten_requests_at_most(a: Path, b: Path) -> None:
    server = Path(os.environ["LAB_SERVER_DIR"]) / a.name
    mount = os.environ["LAB_MOUNT_B"]
    for stages, models in ((2, 10), (5, 500)):
        name = f"{stages}-{models}"
        for folder in (
            "feed",
            *(f"models/m{number}/1" for number in range(models)),
            *(f"{parent}/s{number}" for parent in ("stages", "approvals") for number in range(stages)),
        ):
            (server / name / folder).mkdir(parents=True)
        (server / name / "registry.toml").touch()
        os.listdir(b)
        watch, ledger = Watch(str(b / name)), Watch(str(b / name), stage="s0")
        before = requests(mount)
        watch.poll()
        first = requests(mount) - before
        assert first <= 3 * models + 50, (name, first)
        ledger.poll()
        costs = {}
        for kind, one, most in (("every", watch, REQUESTS), ("stage", ledger, 5)):
            counted = [requests(mount)]
            for _ in range(30):
                changes = one.poll()
                assert not changes, changes
                assert not changes.trouble, changes
                counted.append(requests(mount))
            costs[kind] = [after - before for before, after in pairwise(counted)]
            assert max(costs[kind]) <= most, (name, costs)
        assert sum(costs["stage"]) < 60, costs


@contextmanager
def _running(*argv: object) -> Iterator[subprocess.Popen[str]]:
    """The program, as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stackroom", *map(str, argv)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def what_one_client_does_the_other_is_told_within_three_seconds(a: Path, b: Path) -> None:
    name = registry(a)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    run_as(ALICE, lambda: _register(a / name, source, 1))
    steps: tuple[tuple[User, Callable[[], object], str], ...] = (
        (ALICE, lambda: _register(a / name, source, 1), "registered"),
        (CAROL, lambda: Registry(a / name).promote("fraud:2", "production").event, "moved"),
        (CAROL, lambda: Registry(a / name).clear("fraud", "production").event, "cleared"),
    )
    with _running("-R", b / name, "watch", "--json") as one:
        assert one.stdout
        assert json.loads(one.stdout.readline())["kind"] == "watching"
        for user, act, kind in steps:
            run_as(user, act)
            done = time.monotonic()
            assert json.loads(one.stdout.readline())["kind"] == kind
            assert time.monotonic() - done < 3.0, kind


def a_server_that_does_not_answer_is_said_and_ctrl_c_works(a: Path, b: Path) -> None:
    name = registry(a)
    with _running("-R", b / name, "watch") as one, _running("-R", b / name, "wait", "x@production") as other:
        assert one.stdout
        assert one.stderr
        assert "WHEN" in one.stdout.readline()
        subprocess.run(["lab-ctl", "cut", "B"], check=True)
        try:
            assert "no answer from the file system" in one.stderr.readline()
            for process in (one, other):
                process.send_signal(signal.SIGINT)
                assert process.wait(5) == 130
        finally:
            subprocess.run(["lab-ctl", "heal", "B"], check=True)


def who_is_not_a_releaser_moves_nothing(a: Path, b: Path) -> None:
    name = registry(a)
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    run_as(ALICE, lambda: _register(a / name, source, 1))
    for user in (ALICE, User(uid=0, gid=0)):
        try:
            run_as(user, lambda: Registry(b / name).promote("fraud:1", "production").event)
        except ChildFailed as failure:
            assert failure.type_name == "PermissionDeniedError", failure  # noqa: PT017 - no pytest in the laboratory
        else:
            raise AssertionError(f"{user} moved it")
    assert stackroom.open(a / name).ledger("fraud", "production").holder is None


def a_team_is_set_up_by_an_ordinary_account_and_root_is_nobody(a: Path, b: Path) -> None:
    stages = {StageName("production"): RELEASERS}
    plan = Plan(path=str(a / "team"), authors=AUTHORS, monitors=AUTHORS, stages=stages, strict=True)
    run_as(STEWARD, lambda: len(make_registry(plan, datetime.now(UTC))))
    with Folder.open(str(b / "team")) as root:
        found = survey(root, tuple(stages))
    assert not found.differences, found.differences
    assert found.steward == STEWARD.uid
    assert (found.plan.authors, found.plan.strict, dict(found.plan.stages)) == (AUTHORS, True, stages)
    run_as(STEWARD, lambda: Registry(b / "team").new("fraud", steward_owned=True))
    source = artifact(Path(os.environ["TMPDIR"]), "weights")
    assert run_as(ALICE, lambda: _register(a / "team", source, 1)) == [1]
    try:
        make_registry(Plan(path=str(a / "of-root")), datetime.now(UTC))
    except stackroom.PermissionDeniedError as error:
        assert "root is squashed" in str(error), error  # noqa: PT017 - no pytest in the laboratory
    else:
        raise AssertionError("root made a registry that belongs to nobody")


def what_makes_a_prediction_unsure_is_told_on_nfs_alone(a: Path, b: Path) -> None:
    name = registry(a)
    production = str(b / name / "stages" / "production")
    many = User(uid=DAVE.uid, gid=DAVE.gid, groups=(*range(50_000, 50_016), RELEASERS))

    def kinds() -> list[str]:
        return [one.kind for one in caveats(production)]

    assert run_as(DAVE, kinds) == []
    assert run_as(many, kinds) == ["many-groups"]
    assert kinds() == ["root-squash"]
    assert [one.kind for one in caveats(os.environ["LAB_SERVER_DIR"])] in ([], ["not-sticky"])


def a_large_file_is_copied_by_the_server_where_it_can_and_read_back(a: Path, b: Path) -> None:
    name = registry(a)
    (a / "out").mkdir(mode=0o777)
    (a / "out" / "model.bin").write_bytes(os.urandom(4 * 2**20))
    for number in range(40):
        (a / "out" / f"{number}.bin").write_bytes(b"%d" % number)
    for path in (a / "out").iterdir():
        # Closing a file has sent what was written to it.
        path.chmod(0o644)
    (a / "out").chmod(0o755)
    before = _sent(a)
    run_as(ALICE, lambda: [Registry(a / name).register("fraud", a / "out").number])
    sent = _sent(a) - before
    assert (sent < 2**20) is ("vers=4.2" in _mount(a)), f"{sent:,} bytes were sent"
    (check,) = Registry(b / name).verify()
    assert (check.files, check.damage, check.warnings) == (41, (), ())


def _mount(client: Path) -> str:
    """What the kernel says about a client's mount."""
    text = Path("/proc/self/mountstats").read_text(encoding="ascii")
    return next(one for one in text.split("device ") if f" mounted on {client.parent} " in one)


def _sent(client: Path) -> int:
    """Bytes that were sent to the server with writes."""
    line = next(line for line in _mount(client).splitlines() if line.strip().startswith("bytes:"))
    return int(line.split()[6])


def the_matrix_of_access_holds(a: Path, b: Path) -> None:
    """The copies are made on the server, by its root; everything else is done through a client."""
    world = World(Ground(here=a, truth=Path(os.environ["LAB_SERVER_DIR"]) / a.name, elsewhere=b), durable=True)
    try:
        troubles = Trial(world, nfs=True).run(CELLS)
        people = {"before": PEOPLE["erin-before"], "after": PEOPLE["erin"]}
        copy = world.fresh()
        found = through_an_old_descriptor(f"{world.root(copy)}/stages/production", "fraud@1", **people)
        troubles += [
            f"an old descriptor: {call}: {said}" for call, said in found.items() if said not in {"EACCES", "EPERM"}
        ]
    finally:
        world.close()
    assert not troubles, "\n".join(troubles)


SCENARIOS: tuple[Callable[[Path, Path], None], ...] = (
    a_file_of_one_client_is_seen_by_the_other,
    the_clients_have_caches_of_their_own,
    a_symlink_is_created_by_one_client_only,
    two_users_on_two_clients_register_at_once,
    two_users_on_two_clients_promote_at_once,
    what_one_client_registers_the_other_notices_at_the_next_look,
    watching_what_does_not_change_costs_ten_requests_at_most,
    what_one_client_does_the_other_is_told_within_three_seconds,
    a_server_that_does_not_answer_is_said_and_ctrl_c_works,
    who_is_not_a_releaser_moves_nothing,
    a_team_is_set_up_by_an_ordinary_account_and_root_is_nobody,
    what_makes_a_prediction_unsure_is_told_on_nfs_alone,
    a_large_file_is_copied_by_the_server_where_it_can_and_read_back,
    the_matrix_of_access_holds,
    *INDEXED,
)


def main() -> None:
    """Run every scenario; an outcome is an empty text, or the traceback of the failure."""
    mounts = [Path(os.environ[name]) for name in ("LAB_SERVER_DIR", "LAB_MOUNT_A", "LAB_MOUNT_B")]
    outcomes = {}
    for scenario in SCENARIOS:
        server, a, b = (mount / scenario.__name__ for mount in mounts)
        server.mkdir()
        server.chmod(0o777)
        for client in (a, b):
            os.listdir(client.parent)  # asks the server, where a look at the name alone may be answered from a cache
        try:
            scenario(a, b)
        except Exception:  # noqa: BLE001 - one scenario's failure must not hide the others
            outcomes[scenario.__name__] = traceback.format_exc()
        else:
            outcomes[scenario.__name__] = ""
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
