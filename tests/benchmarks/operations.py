"""What is measured: an operation of ours, and what it is measured against."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.timing import process, shell
from benchmarks.trees import METRICS, Size, model_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.rivals import Rival

STACKROOM: Final = str(Path(sys.executable).with_name("stackroom"))
QUERY: Final = f"metrics.{METRICS[0]} > 0.95"
_READ_ALL: Final = """\
import os, sys
from concurrent.futures import ProcessPoolExecutor
def read(folder):
    return sum(len(open(entry.path + "/version.toml", "rb").read()) for entry in os.scandir(folder) if entry.is_dir())
if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(read, [entry.path for entry in os.scandir(sys.argv[1])], chunksize=50)))
"""


_SCRIPT: Final = "read_all.py"
_SMALL: Final = "small"


def prepare(scratch: Path) -> None:
    """Make what the operations work with; they themselves write nothing until they are run."""
    (scratch / _SCRIPT).write_text(_READ_ALL, encoding="ascii")
    (scratch / _SMALL).mkdir(exist_ok=True)
    (scratch / _SMALL / "model.bin").write_bytes(os.urandom(1024))


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What an operation is measured against.

    Attributes:
        name: for the table.
        work: one run of it.
        limit: the largest ratio of ours to this that is wanted; None where it only stands there for orientation.
    """

    name: str
    work: Callable[[], float]
    limit: float | None = None


_MANY: Final = 100_000
"""Versions in whose files a search is held against grep's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that people do.

    Attributes:
        name: as it is typed.
        ours: one run of it.
        against: what else is run, in turns with it.
        runs: how often, where that is not the number asked for: what takes seconds is run less.
    """

    name: str
    ours: Callable[[], float]
    against: tuple[Against, ...]
    runs: int | None = None


def bare_python(limit: float | None = None) -> Against:
    """The least that a program in Python costs."""
    return Against(name="python -c pass", work=process([sys.executable, "-c", "pass"]), limit=limit)


def ours(root: Path, *words: str, **environment: str) -> Callable[[], float]:
    """One run of a command of ours on a registry."""
    return process([STACKROOM, "-R", str(root), *words], **environment)


def reading(root: Path, size: Size, scratch: Path) -> list[Operation]:
    """Operations that read a registry."""
    models = shlex.quote(str(root / "models"))
    some = model_name(size.models // 2)
    script = scratch / _SCRIPT
    tool, line = grep(models)
    reads = process([sys.executable, str(script), str(root / "models")])
    newest = (
        f"find {models} -mindepth 2 -maxdepth 2 -name '[0-9]*' | sort -V | "
        "awk -F/ '{a[$(NF-1)]=$NF} END {for (m in a) print m, a[m]}'"
    )
    return [
        Operation(name="--version", ours=process([STACKROOM, "--version"]), against=(bare_python(3),)),
        Operation(
            name="list",
            ours=ours(root, "list"),
            against=(bare_python(10), Against(name="find | sort | awk", work=shell(newest))),
        ),
        Operation(name="list MODEL", ours=ours(root, "list", some), against=(bare_python(5),)),
        Operation(name="show REF", ours=ours(root, "show", f"{some}:1"), against=(bare_python(5),)),
        Operation(name="diff REF REF", ours=ours(root, "diff", f"{some}:1", f"{some}:2"), against=(bare_python(),)),
        Operation(
            name=f"search '{QUERY}'",
            ours=ours(root, "search", QUERY),
            against=(bare_python(12),),
        ),
        Operation(
            name=f"search '{QUERY}'",
            ours=ours(root, "search", QUERY),
            against=(
                # The start of a program is no part of what grep does: it tells nothing of a few files.
                Against(name=tool, work=shell(line), limit=0.2 if size.total >= _MANY else None),
                Against(name="read every file, 2 processes", work=reads),
            ),
        ),
        Operation(
            name=f"search '{QUERY}' without an index",
            ours=ours(root, "search", QUERY, STACKROOM_CACHE=""),
            against=(Against(name="read every file, 2 processes", work=reads, limit=4),),
        ),
        Operation(
            name=f"search '{QUERY}' with a first index",
            ours=_first_index(root, scratch / "first-index"),
            # Six seconds, where reading takes 0.55.
            against=(Against(name="read every file, 2 processes", work=reads, limit=11),),
        ),
    ]


def _first_index(root: Path, cache: Path) -> Callable[[], float]:
    search = ours(root, "search", QUERY, STACKROOM_CACHE=str(cache))

    def run() -> float:
        shutil.rmtree(cache, ignore_errors=True)
        return search()

    return run


def grep(models: str) -> tuple[str, str]:
    """The same search with the tool that people would take."""
    pattern = f"^{METRICS[0]} = 0.9[5-9]"
    if shutil.which("rg"):
        return "rg", f"rg --no-ignore -g version.toml {shlex.quote(pattern)} {models}"
    return "grep -r", f"grep -r --include=version.toml -E {shlex.quote(pattern)} {models}"


def changing(root: Path, scratch: Path) -> list[Operation]:
    """Operations that change a registry, which is therefore a copy; in a process that is already running."""
    source = scratch / _SMALL
    numbers = count()
    first, second = (f"{model_name(0)}:{number}" for number in (1, 2))

    def changed() -> float:
        ours(root, "edit", first, "--set", f"metrics.edited={next(numbers)}")()
        return ours(root, "search", QUERY)()

    def promote() -> float:
        ref = (first, second)[next(numbers) % 2]
        return ours(root, "promote", ref, "staging", "--reason", "measured")()

    return [
        Operation(
            name=f"search '{QUERY}' after one version changed",
            ours=changed,
            against=(Against(name="nothing changed", work=ours(root, "search", QUERY)),),
        ),
        Operation(name="promote", ours=promote, against=(bare_python(),)),
        Operation(
            name="register, 1 KiB", ours=ours(root, "register", model_name(1), str(source)), against=(bare_python(),)
        ),
        Operation(
            name="Registry.register, 1 KiB",
            ours=_register_inside(root, source),
            against=(Against(name="its fsyncs and git alone", work=_fsyncs(root.parent / "fsyncs"), limit=3),),
        ),
    ]


def _register_inside(root: Path, source: Path) -> Callable[[], float]:
    from stackroom.registry.facade import Registry  # noqa: PLC0415 - reading operations need none of it

    def run() -> float:
        registry = Registry(root)
        started = time.perf_counter()
        registry.register(model_name(2), source, metrics=dict.fromkeys(METRICS, 0.5))
        return time.perf_counter() - started

    return run


def _fsyncs(folder: Path) -> Callable[[], float]:
    """What a register cannot do without: four small files on disk, their folder and its parent, a rename, and git."""
    numbers = count()

    def run() -> float:
        folder.mkdir(exist_ok=True)
        started = time.perf_counter()
        number = next(numbers)
        temporary = folder / f".tmp-{os.getpid()}-{number}"
        temporary.mkdir()
        for name in ("model.bin", "version.toml", "SHA256SUMS", "XXH128SUMS"):
            fd = os.open(temporary / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(fd, b"x" * 1024)
            os.fsync(fd)
            os.close(fd)
        _sync_folder(temporary)
        temporary.rename(folder / f"{os.getpid()}-{number}")
        _sync_folder(folder)
        subprocess.run(["git", "status", "--porcelain=v2"], capture_output=True, check=False)
        took = time.perf_counter() - started
        shutil.rmtree(folder)
        return took

    return run


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(fd)
    os.close(fd)


def watching(root: Path) -> list[Operation]:
    """What it costs to be up to date while nothing happens."""
    return [
        Operation(
            name="Watch.poll, nothing new",
            ours=_polling(root),
            against=(Against(name="open and fstat of the same folders", work=_looking(root)),),
        )
    ]


_POLLS: Final = 100
"""Looks that are taken together: a single one is too short to be measured."""


def _polling(root: Path) -> Callable[[], float]:
    from stackroom.store.watch import Watch  # noqa: PLC0415 - as below

    def run() -> float:
        watch = Watch(str(root))
        watch.poll()
        started = time.perf_counter()
        for _ in range(_POLLS):
            watch.poll()
        return (time.perf_counter() - started) / _POLLS

    return run


def _looking(root: Path) -> Callable[[], float]:
    def run() -> float:
        folders = [root / "models", *(root / "stages").iterdir(), *(root / "approvals").iterdir(), root / "feed"]
        started = time.perf_counter()
        for _ in range(_POLLS):
            for folder in folders:
                fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                os.fstat(fd)
                os.close(fd)
        return (time.perf_counter() - started) / _POLLS

    return run


BESIDE_MLFLOW: Final = {
    "list": "every_model",
    "list MODEL": "one_model",
    "show REF": "one_version",
    f"search '{QUERY}'": "search",
    "promote": "promote",
    "register, 1 KiB": "register",
}
"""Our operation -> MLflow's."""


def against_mlflow(operations: Sequence[Operation], rivals: Sequence[Rival]) -> list[Operation]:
    """The operations that both have, measured against MLflow: ten times as fast is what is wanted."""
    return [
        Operation(
            name=operation.name,
            ours=operation.ours,
            against=tuple(
                Against(name=rival.name, work=rival.work(BESIDE_MLFLOW[operation.name]), limit=0.1) for rival in rivals
            ),
        )
        for operation in operations
        if operation.name in BESIDE_MLFLOW
    ]
