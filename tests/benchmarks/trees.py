"""Registries of any size, written straight to the disk: what a hundred thousand registers would have left behind.

The files are what the product writes, byte by byte (a test registers one version and compares), but without fsync and
without a copy: a registry of 100,000 versions takes about a minute instead of an hour. Everything is drawn from one
seed, so that two runs measure the same registry.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import xxhash

from stackroom.core.attested import Who, text_digest
from stackroom.core.ledger import Move, event_name, event_place, format_move
from stackroom.core.metadata import Record, Seal, record_of, sealed_document
from stackroom.core.names import ModelName, StageName
from stackroom.core.toml import format_toml
from stackroom.store import layout
from stackroom.store.hashing import FileDigest, TwoDigests
from stackroom.store.setup import make_registry
from stackroom.store.sums import artifacts_digest, sums_text
from stackroom.store.tree import Plan
from stackroom.store.uuids import uuid7

if TYPE_CHECKING:
    from pathlib import Path

METRICS: Final = (
    "auc",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "logloss",
    "brier",
    "ece",
    "latency_ms",
    "size_mb",
    "train_loss",
    "valid_loss",
)
"""Twelve of them, as in the registries of people who keep their metrics."""

HYPERPARAMETERS: Final = tuple(f"parameter_{number:02}" for number in range(20))
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
_MADE: Final = "made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a registry is: models, and versions of each."""

    models: int
    versions: int

    @classmethod
    def of(cls, total: int) -> Size:
        """About as many versions as asked for, fifty to a model."""
        each = min(50, total)
        return cls(models=max(1, total // each), versions=each)

    @property
    def total(self) -> int:
        """All versions."""
        return self.models * self.versions


def registry_of(size: Size, folder: Path) -> Path:
    """A registry of that size below a folder, made where it is not there yet."""
    root = folder / f"registry-{size.models}x{size.versions}"
    if (root.with_suffix("." + _MADE)).exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    stages = (StageName("staging"), StageName("production"))
    make_registry(Plan(path=str(root), stages=dict.fromkeys(stages)), START)
    policy = "".join(f'[metrics.{name}]\nbetter = "{_direction(name)}"\n' for name in METRICS)
    with (root / layout.REGISTRY_FILE).open("a", encoding="utf-8") as file:
        file.write(policy)
    registry_id = _registry_id(root)
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(write_model, root, registry_id, number, size.versions) for number in range(size.models)]
        for job in jobs:
            job.result()
    root.with_suffix("." + _MADE).touch()
    return root


def changed_copy(root: Path) -> Path:
    """A registry like that one which may be changed: made once, and put right again where it has been changed.

    What was not touched keeps its folder's time of modification, and is left as it is: that makes it seconds instead of
    minutes.
    """
    copy = root.with_name(f"{root.name}-changed")
    made = copy.with_name(f"{copy.name}.{_MADE}")
    if not made.exists():
        _remove(copy)
        # Of a symlink to a registry the symlink would be copied, and the registry itself be changed.
        _copy(root.resolve(), copy)
        made.touch()
        return copy
    _put_right(root, copy, depth=2)
    return copy


def _put_right(original: Path, copy: Path, depth: int) -> None:
    """Replace what differs: folders of this depth as a whole, those above them entry by entry."""
    for name in {*os.listdir(original), *os.listdir(copy)}:
        one, other = original / name, copy / name
        if not one.exists():
            _remove(other)
        elif not other.exists() or (depth == 1 and one.lstat().st_mtime_ns != other.lstat().st_mtime_ns):
            _remove(other)
            _copy(one, other)
        elif depth > 1 and one.is_dir():
            _put_right(one, other, depth - 1)


def _copy(one: Path, other: Path) -> None:
    subprocess.run(["cp", "-a", "--reflink=auto", one, other], check=True)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    for parent, _, _ in os.walk(path):
        os.chmod(parent, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def _direction(metric: str) -> str:
    return "higher" if metric in {"auc", "accuracy", "precision", "recall", "f1"} else "lower"


def _registry_id(root: Path) -> str:
    found: str = tomllib.loads((root / layout.REGISTRY_FILE).read_text(encoding="utf-8"))["id"]
    return found


def model_name(number: int) -> ModelName:
    """What the models are called."""
    return ModelName(f"model-{number:04}")


def write_model(root: Path, registry_id: str, number: int, versions: int) -> None:
    """A model with its versions; the last but one holds production, the last staging."""
    chance = random.Random(number)  # noqa: S311 - the same registry every time is what is wanted
    name = model_name(number)
    folder = root / layout.MODELS / name
    folder.mkdir()
    (folder / layout.metadata_name(None, 1)).write_text('revised = 2025-01-01T00:00:00Z\nauthor = "ana"\n')
    pins = [write_version(folder, version, chance) for version in range(1, versions + 1)]
    for stage, holder in (("production", max(1, versions - 1)), ("staging", versions)):
        _write_move(root, registry_id, stage, name, holder, pins[holder - 1])


def write_version(folder: Path, number: int, chance: random.Random) -> tuple[str, str]:
    """A sealed version; returns the digests that an event pins: of the artifacts and of the metadata."""
    version = folder / str(number)
    version.mkdir()
    weights = chance.randbytes(256)
    (version / "model.bin").write_bytes(weights)
    digest = _digest(weights)
    strong, quick = sums_text([("model.bin", digest.sha256)]), sums_text([("model.bin", digest.xxh128)])
    (version / layout.SHA256_FILE).write_bytes(strong)
    (version / layout.XXH128_FILE).write_bytes(quick)
    created = START + timedelta(minutes=chance.randrange(700_000))
    seal = Seal(
        model=folder.name,
        uid=uuid7(created),
        created=created,
        files=1,
        bytes=len(weights),
        digest=artifacts_digest(strong),
    )
    text = format_toml(sealed_document(seal, record(chance))).encode()
    (version / layout.VERSION_FILE).write_bytes(text)
    for file in version.iterdir():
        file.chmod(layout.SEALED_FILE_MODE)
    version.chmod(layout.SEALED_FOLDER_MODE)
    return seal.digest, text_digest(text)


def _digest(content: bytes) -> FileDigest:
    digests = TwoDigests()
    digests.update(memoryview(content))
    return digests.of("model.bin")


def record(chance: random.Random) -> Record:
    """The metadata of one version: twelve metrics, twenty hyperparameters, two datasets."""
    data = xxhash.xxh3_128_hexdigest(b"%d" % chance.randrange(20))
    return record_of(
        {
            "author": chance.choice(("ana", "bo", "cem", "dora")),
            "team": chance.choice(("risk", "vision", "nlp")),
            "description": "Retrained with the features of the month, and a longer schedule",
            "tags": ["tabular", chance.choice(("gbdt", "linear", "mlp"))],
            "license": "Apache-2.0",
            "framework": "scikit-learn 1.7.2",
            "source": {"git_commit": f"{chance.getrandbits(160):040x}", "host": f"gpu{chance.randrange(40):02}"},
            "datasets": [
                {"name": "transactions", "digest": f"xxh128:{data}", "split": split, "rows": chance.randrange(10**6)}
                for split in ("train", "test")
            ],
            "hyperparameters": {name: round(chance.random(), 4) for name in HYPERPARAMETERS},
            "metrics": {name: round(chance.random(), 6) for name in METRICS},
        }
    )


def _write_move(
    root: Path, registry_id: str, stage: str, model: ModelName, holder: int, pins: tuple[str, str], /
) -> None:
    move = Move(
        to=holder,
        origin=None,
        by=Who(os.geteuid()),
        at=START,
        why="best of the month",
        digest=pins[0],
        metadata=pins[1],
        event=event_place(registry_id, stage, model, 1),
    )
    (root / layout.STAGES / stage / event_name(model, 1)).symlink_to(format_move(move))
    (root / layout.LIVE / stage / model).symlink_to(layout.live_text(model, holder))
