"""Small registries for tests: made in a folder, with artifacts, and a way to see whether anything changed."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackroom.core.names import StageName
from stackroom.registry.facade import Registry
from stackroom.store.setup import make_registry
from stackroom.store.tree import Plan
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
"""An instant for everything that takes one."""

ID = "11111111-2222-3333-4444-555555555555"


def make(path: Path, policy: str = "[stages.staging]\n[stages.production]\n", **plan: Any) -> Registry:  # noqa: ANN401 - fields of Plan
    """A registry of one person with a known id and the given stages, guards and metrics."""
    groups = plan.pop("stages", None) or dict.fromkeys(_stages(policy))
    make_registry(Plan(path=str(path), stages=groups, **plan), NOW)
    set_policy(path, policy)
    return Registry(path)


def _stages(policy: str) -> list[StageName]:
    import tomllib  # noqa: PLC0415 - only here

    return [StageName(name) for name in tomllib.loads(policy).get("stages", {})]


def set_policy(path: Path, policy: str) -> None:
    """Write registry.toml: the id, and what is given."""
    (path / "registry.toml").write_text(f'format = 1\nid = "{ID}"\n{policy}')


def artifacts(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """A folder of artifacts; two of them where nothing is said."""
    for name, content in (files or {"model.bin": b"weights", "sub/vocab.txt": b"words"}).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Everything below a folder: mode, owner, times of change, and content; equal only where nothing was written."""
    found: dict[str, tuple[Any, ...]] = {}
    for folder, folders, files in os.walk(root):
        for name in [".", *folders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            found[os.path.relpath(path, root)] = (
                oct(status.st_mode),
                status.st_uid,
                status.st_gid,
                status.st_mtime_ns,
                status.st_ctime_ns,
                content,
            )
    return found


def unseal(version: Path) -> None:
    """What an author can do to her own version: make it writable again."""
    version.chmod(0o755)
    for path in version.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def plant_revision(root: Path, model: str, number: int, text: str, revision: int = 1) -> Path:
    """A revision by hand: what an older program, or a person, may have left."""
    path = root / "models" / model / f"{number}@{revision}.toml"
    path.write_text(f'revised = 2026-11-23T04:22:00Z\nrevised_by = "{os.geteuid()}"\n{text}')
    return path


def left_over(model: Path) -> list[str]:
    """Unfinished things in a model's folder."""
    return sorted(name for name in os.listdir(model) if name.startswith(".tmp-"))


AUTHORS, REVIEWERS, RELEASERS, MONITORS, READERS = 62001, 62002, 62003, 62004, 62005
STEWARD = User(uid=61000, gid=62000, groups=(AUTHORS, REVIEWERS, RELEASERS, MONITORS, READERS), name="mlreg")
ALICE = User(uid=61001, gid=61001, groups=(AUTHORS,), name="alice")
BOB = User(uid=61002, gid=61002, groups=(AUTHORS,), name="bob")
CAROL = User(uid=61003, gid=61003, groups=(AUTHORS, REVIEWERS), name="carol")
DAVE = User(uid=61004, gid=61004, groups=(AUTHORS, RELEASERS), name="dave")
ERIN = User(uid=61005, gid=61005, groups=(AUTHORS, RELEASERS), name="erin")
EVE = User(uid=61006, gid=61006, name="eve")
GROUPS: dict[str, Any] = {
    "authors": AUTHORS,
    "reviewers": REVIEWERS,
    "monitors": MONITORS,
    "stages": {StageName("staging"): REVIEWERS, StageName("production"): RELEASERS},
}


def shared(reachable_path: Path, **plan: Any) -> Path:  # noqa: ANN401 - fields of Plan
    """A registry with groups, made by its steward; root only opens the folder."""
    # Sticky: nobody but the steward can put another registry in its place.
    reachable_path.chmod(0o1777)
    root = reachable_path / "registry"

    def init() -> None:
        make(root, "[stages.staging]\n[stages.production]\n", **(GROUPS | plan))
        (root / "registry.toml").chmod(0o644)

    run_as(STEWARD, init)
    return root
