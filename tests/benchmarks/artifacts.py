"""Bytes: registering and verifying artifacts, against the tools that copy and hash them."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING, Final

from benchmarks.operations import STACKROOM, Against, Operation, ours
from benchmarks.timing import shell
from benchmarks.trees import model_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GIGABYTE: Final = 1024**3
_PARTS: Final = 64
_SMALL: Final = 10_000
_LARGE_NAME, _PARTS_NAME, _SMALL_NAME = "large", "parts", "many"


def prepare(scratch: Path) -> None:
    """A gigabyte in one file, another in 64, and 10,000 files of 1 KiB in a hundred folders, where they are missing."""
    _fill(scratch / _LARGE_NAME, {"large.bin": GIGABYTE})
    _fill(scratch / _PARTS_NAME, {f"part-{number:02}.bin": GIGABYTE // _PARTS for number in range(_PARTS)})
    _fill(scratch / _SMALL_NAME, {f"{number // 100:02}/{number % 100:02}.bin": 1024 for number in range(_SMALL)})


def _fill(folder: Path, files: dict[str, int]) -> None:
    made = folder.with_suffix(".made")
    if made.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    for name, size in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(0, size, 2**20):
                file.write(os.urandom(min(size, 2**20)))
    made.touch()


def discard(root: Path, scratch: Path) -> None:
    """Take away what takes gigabytes."""
    for number in (3, 4, 5):
        _keep_newest(root / "models" / model_name(number), 0)
    for name in (_LARGE_NAME, _PARTS_NAME, _SMALL_NAME):
        (scratch / name).with_suffix(".made").unlink(missing_ok=True)
        shutil.rmtree(scratch / name, ignore_errors=True)


def copying(root: Path, scratch: Path) -> list[Operation]:
    """Every operation, in an order in which each finds what it needs."""
    one, parts, small = (scratch / name for name in (_LARGE_NAME, _PARTS_NAME, _SMALL_NAME))
    sums = "sha256sum --quiet -c SHA256SUMS && xxh128sum --quiet -c XXH128SUMS"
    return [
        Operation(
            name="register, 1 GiB",
            ours=_registering(root, 3, one),
            against=(Against(name="cp, sync, sha256sum, xxh128sum", work=shell(_by_hand(one)), limit=1.25),),
        ),
        Operation(
            name="verify, 1 GiB",
            ours=ours(root, "verify", f"{model_name(3)}:latest"),
            against=(Against(name="sha256sum, xxh128sum", work=shell(f"{_cd(root, 3)} && {sums}"), limit=1.11),),
        ),
        Operation(
            name="register, 64 x 16 MiB",
            ours=_registering(root, 4, parts),
            against=(Against(name="cp, sync, sha256sum, xxh128sum", work=shell(_by_hand(parts)), limit=1.25),),
        ),
        Operation(
            name="verify, 64 x 16 MiB",
            ours=ours(root, "verify", f"{model_name(4)}:latest"),
            against=(
                Against(name="sha256sum, xxh128sum", work=shell(f"{_cd(root, 4)} && {sums}")),
                Against(name="the same on all processors", work=shell(f"{_cd(root, 4)} && {_ON_ALL}"), limit=1.11),
            ),
        ),
        Operation(
            name="register, 10,000 x 1 KiB",
            ours=_registering(root, 5, small),
            against=(
                Against(name="cp, sync, sha256sum, xxh128sum", work=shell(_by_hand(small))),
                Against(name="cp, fsync of each file", work=shell(_with_fsyncs(small)), limit=1),
            ),
        ),
        Operation(
            name="verify, 10,000 x 1 KiB",
            ours=ours(root, "verify", f"{model_name(5)}:latest"),
            against=(Against(name="sha256sum, xxh128sum", work=shell(f"{_cd(root, 5)} && {sums}")),),
        ),
    ]


_ON_ALL: Final = (
    "cut -c67- SHA256SUMS | tr '\\n' '\\0' | xargs -0 -n 4 -P $(nproc) sh -c 'sha256sum \"$@\"; xxh128sum \"$@\"' _"
)


def _cd(root: Path, number: int) -> str:
    return f"cd $({STACKROOM} -R {shlex.quote(str(root))} path {model_name(number)}:latest)"


def _by_hand(source: Path) -> str:
    """What people do who have no registry: copy, wait for the disk, write down the digests."""
    named, copy = shlex.quote(str(source)), shlex.quote(f"{source}-copy")
    sums = f"find {copy} -type f -print0 | xargs -0"
    return f"cp -r {named} {copy} && sync -f {copy} && {sums} sha256sum && {sums} xxh128sum && rm -r {copy}"


def _with_fsyncs(source: Path) -> str:
    """The same promise as a register's: each file is on the disk, whatever else is on its way there."""
    named, copy = shlex.quote(str(source)), shlex.quote(f"{source}-copy")
    return f"cp -r {named} {copy} && find {copy} -print0 | xargs -0 sync && rm -r {copy}"


def _registering(root: Path, number: int, source: Path) -> Callable[[], float]:
    """A register into a model in which nothing else is: what was registered before is taken away, unmeasured."""
    model = model_name(number)
    register = ours(root, "register", model, str(source))

    def run() -> float:
        took = register()
        _keep_newest(root / "models" / model, 1)
        return took

    return run


def _keep_newest(model: Path, count: int) -> None:
    versions = sorted((path for path in model.glob("[0-9]*") if path.name.isdigit()), key=lambda path: int(path.name))
    for version in versions[: len(versions) - count]:
        for parent, _, _ in os.walk(version):
            os.chmod(parent, 0o700)
        shutil.rmtree(version)
