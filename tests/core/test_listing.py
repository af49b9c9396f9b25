"""A list as Markdown, CSV and JSON: whole, and nothing in it is obeyed."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.listing import Listing, Value, listed

WHEN = datetime(2026, 5, 3, 14, tzinfo=UTC)


def listing(text: str, head: str = "description") -> Listing:
    rows: list[list[Value]] = [
        ["fraud", 3, 0.123456789, WHEN, None, True, text],
        ["churn", None, float("nan"), None, None, False, ""],
    ]
    columns = ["model", "latest", "auc", "updated", "nothing", "archived", head]
    return Listing(columns=columns, rows=rows, document={"text": text})


def test_csv_has_whole_values_and_markdown_short_ones() -> None:
    lines = list(csv.reader(io.StringIO(listed(listing("a, b"), "csv"))))
    assert lines[1] == ["fraud", "3", "0.123456789", "2026-05-03T14:00:00Z", "", "true", "a, b"]
    assert lines[2] == ["churn", "", "nan", "", "", "false", ""]
    shown = listed(listing("a, b"), "markdown").splitlines()
    assert shown[2] == "| fraud | 3 | 0.123457 | 2026-05-03T14:00:00Z | - | true | a, b |"
    assert json.loads(listed(listing("\x9b"), "json")) == {"text": "\x9b"}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\uff1d1+1"]
)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    (head, first, _) = csv.reader(io.StringIO(listed(listing(text, head=text), "csv")))
    for cell in (head[-1], first[-1]):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))


@given(st.text(), st.text())
def test_no_text_breaks_a_line_or_a_table(text: str, head: str) -> None:
    lines = list(csv.reader(io.StringIO(listed(listing(text, head), "csv"))))
    assert [len(line) for line in lines] == [7, 7, 7]
    shown = listed(listing(text, head), "markdown").split("\n")
    assert len(shown) == 6
    assert not any("\x1b" in line or "\x9b" in line for line in shown)
