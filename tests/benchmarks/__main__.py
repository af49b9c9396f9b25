"""Measures stackroom: ``.venv/bin/python tests/benchmarks`` prints a table; ``--help`` says what can be chosen.

Every number is a median of fresh processes that take turns with what they are measured against. Registries and MLflow's
environment are kept in the work folder, so that the second run begins at once.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import artifacts, interface, operations, timing
from benchmarks.report import Fact, Row, report, write_into
from benchmarks.rivals import mlflow_rivals
from benchmarks.trees import Size, changed_copy, registry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "speed.md"
"""Where the numbers stand for everybody."""

_EVERY_SIZE: Final = (500, 10_000, 100_000)
_BESIDE_MLFLOW: Final = 500
"""Versions: filling MLflow with more takes hours."""


@dataclass(slots=True)
class Measuring:
    """What is measured, and what came of it."""

    options: argparse.Namespace
    rows: list[Row] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    @property
    def too_slow(self) -> bool:
        """Whether anything breaks its limit."""
        return any(row.too_slow for row in self.rows) or any(fact.too_slow for fact in self.facts)

    def everything_asked_for(self) -> None:
        """In the order of the tables."""
        for total in self.options.versions:
            self.registry(Size.of(total))
        if self.options.large:
            self.bytes()
        if self.options.mlflow:
            self.beside_mlflow()
        if self.options.interface:
            size = Size.of(max(self.options.versions))
            self.facts += interface.interface(registry_of(size, self.options.work), size, timing.FEWEST_RUNS)

    def registry(self, size: Size) -> None:
        """What reads and what changes a registry of a size."""
        work = self.options.work
        root, title = registry_of(size, work), f"{size.total:,} versions"
        reading = [*operations.reading(root, size, work), *operations.watching(root)]
        self.run(title, reading)
        why = timing.why_not_cold() if self.options.cold else ""
        if why:
            print(f"not measured with an empty cache: {why}", file=sys.stderr)
        elif self.options.cold:
            self.run(f"{title}, empty cache", reading, cold=True)
        self.run(title, operations.changing(changed_copy(root), work))

    def bytes(self) -> None:
        """Gigabytes in one file and in many, and many small files; they are gone afterwards."""
        root, work = changed_copy(registry_of(Size.of(500), self.options.work)), self.options.work
        try:
            artifacts.prepare(work)
            self.run("artifacts", artifacts.copying(root, work))
        finally:
            artifacts.discard(root, work)

    def beside_mlflow(self) -> None:
        """What both can do."""
        work, size = self.options.work, Size.of(_BESIDE_MLFLOW)
        root = registry_of(size, work)
        every = [*operations.reading(root, size, work), *operations.changing(changed_copy(root), work)]
        self.run(f"{size.total:,} versions", operations.against_mlflow(every, mlflow_rivals(size, work)))

    def run(self, title: str, every: Sequence[operations.Operation], *, cold: bool = False) -> None:
        """Run the operations that were chosen."""
        for operation in every:
            if self.options.only not in operation.name:
                continue
            print(f"{title}: {operation.name}", file=sys.stderr)
            took = timing.side_by_side(
                self.options.runs,
                operation.ours,
                *(other.work for other in operation.against),
                before=timing.empty_page_cache if cold else None,
                seconds=self.options.seconds,
            )
            for other, theirs in zip(operation.against, took[1:], strict=True):
                # An empty cache is the disk's time: the limits are about warm ones.
                limit = None if cold else other.limit
                self.rows.append(
                    Row(title=title, name=operation.name, ours=took[0], other=other.name, theirs=theirs, limit=limit)
                )


def main() -> int:
    """Run what is asked for; 0 where every limit is kept."""
    options = _options()
    if options.everything:
        options.versions, options.large, options.mlflow, options.interface = list(_EVERY_SIZE), True, True, True
        options.write = options.write or PAGE
    options.work.mkdir(parents=True, exist_ok=True)
    operations.prepare(options.work)
    measuring = Measuring(options)
    measuring.everything_asked_for()
    text = report(measuring.rows, measuring.facts)
    print(text)
    if options.write:
        write_into(options.write, text)
    return 1 if measuring.too_slow else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/benchmarks", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--versions", type=int, nargs="*", default=[500, 10_000], help="sizes of the registries")
    parser.add_argument("--runs", type=int, default=7, help="of everything (default 7)")
    parser.add_argument("--seconds", type=float, default=8, help="after which three runs of one thing are enough")
    parser.add_argument("--only", default="", help="operations whose name holds this text")
    parser.add_argument("--cold", action="store_true", help="also with an empty page cache (as root)")
    parser.add_argument("--large", action="store_true", help="also gigabytes, and many small files")
    parser.add_argument("--mlflow", action="store_true", help="also beside MLflow, which is installed on its own")
    parser.add_argument("--interface", action="store_true", help="also the terminal interface, on the largest registry")
    parser.add_argument("--everything", action="store_true", help="all of that but --cold, and write it into the page")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/stackroom-benchmarks"), help="keeps registries")  # noqa: S108 - named on the command line
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for the tables, such as speed.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
