"""Rebuild ``sample_registry/`` and the archive that the wheel carries, through the product itself.

Usage, as root, because every move is made under the number of the person who makes it::

    .venv/bin/pip install -e '.[dev,sample]'
    .venv/bin/python tests/sample/build.py

Trains every model, registers the versions and makes the moves of :mod:`sample.story` in the order of a made-up
calendar, and then writes the tree as git keeps it: symlinks, but neither owners nor modes nor empty folders.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
import tarfile
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample.story import POLICY, STORY, Step
from sample.train import train_all
from stackroom.core.attested import Who
from stackroom.core.names import StageName
from stackroom.registry.facade import Registry
from stackroom.store import setup, tree
from stackroom.store.provenance import provenance
from support.users import User, run_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from sample.records import SampleModel, SampleVersion

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "sample_registry"
ARCHIVE = ROOT / "src" / "stackroom" / "data" / "sample_registry.tar.gz"

GROUP = 62000
PEOPLE = {
    name: User(uid=61001 + index, gid=61001 + index, groups=(GROUP,), name=name)
    for index, name in enumerate(("ada", "edsger", "grace", "tim"))
}
HEAD = """\
format = 1
id = "stackroom-sample"
name = "sample models"
description = "Small models that were really trained, on the data sets that ship with scikit-learn"

"""
START = datetime(2026, 8, 3, 8, 12, 40, tzinfo=UTC)
"""When the first version of the first model was registered, by the made-up calendar."""


class Calendar:
    """A clock that everybody shares, and that only moves when something happens."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._steps = 0

    def advance(self, days: float) -> datetime:
        self._steps += 1
        self.now += timedelta(days=days, minutes=17 * (self._steps % 23), seconds=11 * (self._steps % 47))
        return self.now


def build(work: Path) -> Path:
    """Train, register and move below a working folder; returns the registry."""
    models = train_all(work / "artifacts")
    for path in (work / "artifacts").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    root = work / "registry"
    source = {key: value for key, value in provenance().items() if key in {"git_commit", "git_dirty"}}
    stages = {StageName("staging"): GROUP, StageName("production"): GROUP}
    setup.make_registry(tree.Plan(path=str(root), authors=GROUP, stages=stages), START)
    (root / "registry.toml").write_text(HEAD + POLICY)
    for index, model in enumerate(models):
        calendar = Calendar(START + timedelta(days=2 * index, hours=index))
        _live(root, model, [step for step in STORY if step.model == model.name], calendar, source)
    return root


def _live(root: Path, model: SampleModel, steps: list[Step], calendar: Calendar, source: dict[str, Any]) -> None:
    """One model's life: versions are registered before the first step that names them."""
    first = model.versions[0].author
    made = {"description": model.description, "team": model.team, "tags": list(model.tags)}
    _as(root, first, calendar.now, lambda registry: registry.new(model.name, metadata={"author": first, **made}))
    registered = 0
    for step in steps:
        while registered < step.version:
            _register(root, model.versions[registered], calendar.advance(6), source)
            registered += 1
        _as(root, step.who, calendar.advance(1.1), partial(_take, step=step))
    for version in model.versions[registered:]:
        _register(root, version, calendar.advance(6), source)


def _register(root: Path, version: SampleVersion, when: datetime, source: dict[str, Any]) -> None:
    metadata: dict[str, Any] = {
        "author": version.author,
        "team": version.team,
        "description": version.description,
        "tags": list(version.tags),
        "framework": version.framework,
        "source": {**source, "host": "trainer", "command": "tests/sample/build.py"},
        "lineage": {"parents": [f"{version.model}:{parent}" for parent in version.parents]},
        "signature": dict(version.signature),
    }
    if version.license:
        metadata["license"] = version.license
    _as(
        root,
        version.author,
        when,
        lambda registry: registry.register(
            version.model,
            version.artifacts_dir,
            metrics=version.metrics,
            hyperparameters=version.hyperparameters,
            datasets=version.datasets,
            metadata=metadata,
            card=version.card,
        ),
    )


def _take(registry: Registry, step: Step) -> object:
    ref = f"{step.model}:{step.version}"
    match step.kind:
        case "promote":
            return registry.promote(ref, step.stage, reason=step.reason)
        case "rollback":
            result = registry.rollback(step.model, step.stage, reason=step.reason)
            if str(result.judgement.ref) != ref:
                raise SystemExit(f"the story rolls back to {ref}, and the product to {result.judgement.ref}")
            return result
        case "clear":
            return registry.clear(step.model, step.stage, reason=step.reason)
        case "archive":
            return registry.archive(ref, reason=step.reason)
        case "label":
            return registry.label(ref, step.label)


def _as(root: Path, who: str, when: datetime, action: Callable[[Registry], object]) -> None:
    person = PEOPLE[who]

    def act() -> None:
        action(Registry(root, clock=lambda: when, who=Who(person.uid, person.name)))

    run_as(person, act)


def write_tree(registry: Path, target: Path) -> None:
    """The registry as git keeps it."""
    if target.exists():
        shutil.rmtree(target)
    for folder, _, names in os.walk(registry):
        relative = Path(folder).relative_to(registry)
        if relative.parts[:1] in {("feed",), ("observations",)}:
            continue
        for name in [*names, *(found for found in os.listdir(folder) if Path(folder, found).is_symlink())]:
            source, copy = Path(folder, name), target / relative / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                if not copy.is_symlink():
                    copy.symlink_to(source.readlink())
            else:
                copy.write_bytes(source.read_bytes())


def write_archive(tree: Path, archive: Path) -> None:
    """The tree as one archive, the same bytes for the same tree."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        found = [Path(folder, name) for folder, *inside in os.walk(tree) for name in (*inside[0], *inside[1])]
        for path in sorted(found):
            info = tar.gettarinfo(path, str(path.relative_to(tree)))
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if info.isdir() else 0o644
            if info.isreg():
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(gzip.compress(raw.getvalue(), 9, mtime=0))


def main() -> None:
    """Rebuild both."""
    if os.geteuid() != 0:
        raise SystemExit("run as root: every move is made under the number of the person who makes it")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.chmod(0o755)
        write_tree(build(work), TARGET)
    write_archive(TARGET, ARCHIVE)


if __name__ == "__main__":
    main()
