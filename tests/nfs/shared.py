"""What the scenarios share: people, a registry of theirs on a client's mount, and what that mount asked the server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stackroom.core.names import StageName
from stackroom.store.setup import make_registry
from stackroom.store.tree import Plan
from support.users import User, run_as

AUTHORS, RELEASERS = 62_001, 62_002
STEWARD = User(uid=61_000, gid=61_000, groups=(AUTHORS, RELEASERS), name="steward")
ALICE = User(uid=61_001, gid=61_001, groups=(AUTHORS,), name="alice")
BOB = User(uid=61_002, gid=61_002, groups=(AUTHORS,), name="bob")
CAROL = User(uid=61_003, gid=61_003, groups=(AUTHORS, RELEASERS), name="carol")
DAVE = User(uid=61_004, gid=61_004, groups=(AUTHORS, RELEASERS), name="dave")


def registry(a: Path) -> str:
    """A team's registry below a client's folder, made by an ordinary account: root is squashed here."""
    plan = Plan(path=str(a / "registry"), authors=AUTHORS, stages={StageName("production"): RELEASERS})

    def make() -> None:
        make_registry(plan, datetime.now(UTC))
        (a / "registry" / "registry.toml").chmod(0o644)

    run_as(STEWARD, make)
    return "registry"


def artifact(folder: Path, content: str) -> str:
    path = folder / "model.bin"
    path.write_text(content, encoding="ascii")
    path.chmod(0o644)
    return str(path)


def requests(mount: str) -> int:
    """How many of them a client's mount has sent to the server so far."""
    text = Path("/proc/self/mountstats").read_text(encoding="ascii")
    own = next(part for part in text.split("device ") if f" mounted on {mount} " in part.partition("\n")[0])
    operations = own.partition("per-op statistics\n")[2].splitlines()
    return sum(int(line.split()[1]) for line in operations if line.strip())
