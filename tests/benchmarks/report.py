"""The table, in Markdown, and the machine that it is from."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import stackroom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.timing import Took


BEGIN: Final = "<!-- measured: what stands until the end was written by tests/benchmarks -->"
END: Final = "<!-- measured: end -->"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is measured by itself.

    Attributes:
        title: on what.
        name: what it is.
        value: in the unit.
        unit: of it.
        limit: the largest value that is wanted.
    """

    title: str
    name: str
    value: float
    unit: str
    limit: float

    @property
    def too_slow(self) -> bool:
        """Whether it breaks its limit."""
        return self.value > self.limit


def machine() -> str:
    """Where the numbers are from, and from when."""
    system = os.uname()
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with stackroom {stackroom.__version__} and Python "
        f"{platform.python_version()} on {len(os.sched_getaffinity(0))} processors ({_processor()}), "
        f"{system.sysname} {system.release}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return os.uname().machine
    named = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return named[1].strip() if named else os.uname().machine


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


def facts_table(facts: Iterable[Fact]) -> str:
    """The facts in Markdown."""
    lines = ["| registry | in the interface | measured | wanted |", "| --- | --- | ---: | ---: |"]
    lines += [
        f"| {fact.title} | `{fact.name}` | {fact.value:,.1f} {fact.unit} "
        f"| <= {fact.limit:g} {fact.unit}{' **missed**' if fact.too_slow else ''} |"
        for fact in facts
    ]
    return "\n".join(lines)


def report(rows: Sequence[Row], facts: Sequence[Fact]) -> str:
    """All that was measured, and where."""
    return "\n\n".join([machine(), *([table(rows)] if rows else []), *([facts_table(facts)] if facts else [])])


def write_into(page: Path, text: str) -> None:
    """Put it between the two marks of a page, in the place of what was measured before.

    Raises:
        ValueError: the page has no such marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{page} has no marks to write between"
        raise ValueError(message)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
