"""The table, in Markdown, and the machine that it is from."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stackroom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.timing import Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison.

    Attributes:
        title: on what.
        name: of the operation.
        ours: how long it took.
        other: what it was measured against.
        theirs: how long that took, in turns with ours.
        limit: the largest ratio that is wanted, or None.
    """

    title: str
    name: str
    ours: Took
    other: str
    theirs: Took
    limit: float | None

    @property
    def ratio(self) -> float:
        """Ours to theirs, of the medians: below 1 we are faster."""
        return self.ours.median / self.theirs.median

    @property
    def too_slow(self) -> bool:
        """Whether it breaks its limit."""
        return self.limit is not None and self.ratio > self.limit


def machine() -> str:
    """Where the numbers are from."""
    return (
        f"stackroom {stackroom.__version__}, Python {platform.python_version()}, {os.cpu_count()} CPUs, "
        f"{platform.system()} {platform.release()}"
    )


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| registry | operation | stackroom | against | takes | ratio | wanted |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.title} | `{row.name}` | {row.ours} | {_cell(row.other)} | {row.theirs} | {row.ratio:.2f} "
        f"| {'' if row.limit is None else f'<= {row.limit:g}'}{' **missed**' if row.too_slow else ''} |"
        for row in rows
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A text that ends no cell."""
    return text.replace("|", "\\|")
