"""Measures stackroom: ``.venv/bin/python tests/benchmarks`` prints a table; ``--help`` says what can be chosen.

Every number is a median of fresh processes that take turns with what they are measured against. Registries and MLflow's
environment are kept in the work folder, so that the second run begins at once.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import operations, timing
from benchmarks.report import Row, machine, table
from benchmarks.rivals import mlflow_rivals
from benchmarks.trees import Size, registry_of


def main() -> int:
    """Run what is asked for; 0 where every limit is kept."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for total in options.versions:
        rows += _measured(Size.of(total), options)
    if options.large:
        rows += _run(
            "1 GiB", operations.large(_copy(registry_of(Size.of(500), options.work)), options.work), options, 7
        )
    if options.mlflow:
        rows += _beside_mlflow(options)
    text = table(rows)
    print(machine(), text, sep="\n\n")
    if options.write:
        options.write.write_text(f"{machine()}\n\n{text}\n", encoding="utf-8")
    return 1 if any(row.too_slow for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/benchmarks", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--versions", type=int, nargs="*", default=[500, 10_000], help="sizes of the registries")
    parser.add_argument("--runs", type=int, default=7, help="of everything (default 7)")
    parser.add_argument("--only", default="", help="operations whose name holds this text")
    parser.add_argument("--cold", action="store_true", help="also with an empty page cache (as root)")
    parser.add_argument("--large", action="store_true", help="also a gigabyte")
    parser.add_argument("--mlflow", action="store_true", help="also beside MLflow, which is installed on its own")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/stackroom-benchmarks"), help="keeps registries")  # noqa: S108 - named on the command line
    parser.add_argument("--write", type=Path, help="a file for the table")
    return parser.parse_args()


def _measured(size: Size, options: argparse.Namespace) -> list[Row]:
    root = registry_of(size, options.work)
    title = f"{size.total:,} versions"
    reading = operations.reading(root, size, options.work)
    rows = _run(title, reading, options)
    if options.cold:
        why = timing.why_not_cold()
        if why:
            print(f"not measured with an empty cache: {why}", file=sys.stderr)
        else:
            rows += _run(f"{title}, empty cache", reading, options, cold=True)
    return rows + _run(title, operations.changing(_copy(root), options.work), options)


def _copy(root: Path) -> Path:
    """A registry that may be changed."""
    copy = root.with_name(f"{root.name}-changed")
    if copy.exists():
        subprocess.run(["chmod", "-R", "u+w", copy], check=True)
        shutil.rmtree(copy)
    subprocess.run(["cp", "-a", "--reflink=auto", root, copy], check=True)
    return copy


def _beside_mlflow(options: argparse.Namespace) -> list[Row]:
    size = Size.of(500)
    root = registry_of(size, options.work)
    every = operations.reading(root, size, options.work) + operations.changing(_copy(root), options.work)
    return _run("500 versions", operations.against_mlflow(every, mlflow_rivals(size, options.work)), options)


def _run(
    title: str, every: list[operations.Operation], options: argparse.Namespace, runs: int = 0, *, cold: bool = False
) -> list[Row]:
    rows: list[Row] = []
    for operation in every:
        if options.only not in operation.name:
            continue
        print(f"{title}: {operation.name}", file=sys.stderr)
        before = timing.empty_page_cache if cold else None
        took = timing.side_by_side(
            runs or options.runs, operation.ours, *(other.work for other in operation.against), before=before
        )
        for other, theirs in zip(operation.against, took[1:], strict=True):
            # An empty cache is the disk's time: the limits are about warm ones.
            limit = None if cold else other.limit
            rows.append(
                Row(title=title, name=operation.name, ours=took[0], other=other.name, theirs=theirs, limit=limit)
            )
    return rows


if __name__ == "__main__":
    sys.exit(main())
