"""The page about speed says everything that is measured, where, and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import artifacts, interface, operations
from benchmarks.report import BEGIN, END, Fact, Row, report, write_into
from benchmarks.timing import Took
from benchmarks.trees import Size

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "speed.md"


def test_the_page_has_a_row_for_everything_that_is_measured() -> None:
    text = PAGE.read_text(encoding="utf-8")
    measured = text[text.index(BEGIN) : text.index(END)]
    nowhere = Path("/nonexistent")
    every = [
        *operations.reading(nowhere, Size.of(500), nowhere),
        *operations.watching(nowhere),
        *operations.changing(nowhere, nowhere),
        *artifacts.copying(nowhere, nowhere),
    ]
    names = {operation.name for operation in every} | set(interface.NAMES)
    assert {name for name in names if f"| `{name}` |" not in measured} == set()
    assert {name for name in operations.BESIDE_MLFLOW if not _beside_mlflow(measured, name)} == set()
    assert re.search(
        r"^Measured on \d{4}-\d\d-\d\d with stackroom \S+ and Python \S+ on \d+ processors", measured, re.MULTILINE
    )


def _beside_mlflow(measured: str, name: str) -> bool:
    return all(
        any(line.count(f"`{name}`") and f"| MLflow, {store} |" in line for line in measured.splitlines())
        for store in ("files", "SQLite")
    )


def test_what_is_measured_replaces_what_was_measured_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Speed\n\n{BEGIN}\nold\n{END}\n\nmore\n")
    took = Took(runs=(1.0, 2.0, 3.0))
    row = Row(title="500 versions", name="list", ours=took, other="find | sort", theirs=took, limit=0.5)
    fact = Fact(title="500 versions", name="memory", value=2.0, unit="MB", limit=3)
    for _ in range(2):
        write_into(page, report([row], [fact]))
    text = page.read_text()
    assert text.startswith(f"# Speed\n\n{BEGIN}\n\nMeasured on ")
    assert "old" not in text
    assert text.count("| `list` | 2,000.0 ms | find \\| sort | 2,000.0 ms | 1.00 | <= 0.5 **missed** |") == 1
    assert "| `memory` | 2.0 MB | <= 3 MB |" in text
    assert text.endswith(f"\n\n{END}\n\nmore\n")
    page.write_text("# No marks\n")
    with pytest.raises(ValueError, match="no marks"):
        write_into(page, "x")
