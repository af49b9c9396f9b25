"""A comparison as Markdown, CSV and JSON: whatever somebody wrote into a registry, nothing in it is obeyed."""

from __future__ import annotations

import csv
import io
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.compare import Comparison, Subject, compare
from stackroom.core.export import FORMATS, Format, exported
from stackroom.core.files import FileFact
from stackroom.core.metadata import Dataset, Record
from stackroom.core.names import parse_ref
from stackroom.core.policy import policy_of

POLICY = policy_of(
    tomllib.loads('format=1\nid="r"\n[metrics.auc]\nbetter="higher"\n[metrics.ms]\nbetter="lower"\nunit="ms"')
)
VALUES = ({"auc": 0.8, "ms": 0.0, "odd": float("nan")}, {"auc": 0.9, "ms": 2.5}, {"auc": -0.1})


def comparison(*, base: int = 0, description: str = "same", card: str = "one\n") -> Comparison:
    subjects = [
        Subject(
            ref=parse_ref(f"fraud:{place + 1}"),
            record=Record(
                metrics=metrics,
                description=description,
                hyperparameters={"depth": (1, 1.0, "1")[place], "seed": 7},
                datasets=(Dataset(name="t", digest="xxh128:a", split="test"),),
            ),
            files=(FileFact(path="model.onnx", size=7, digest=f"sha256:{place}"),),
            card=card * (place + 1),
        )
        for place, metrics in enumerate(VALUES)
    ]
    return compare(subjects, POLICY, base=base)


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_whole_numbers_and_nothing_for_what_is_missing() -> None:
    lines = {line["name"]: line for line in lines_of(exported(comparison(), "csv"))}
    auc, ms, odd = lines["auc"], lines["ms"], lines["odd"]
    assert (auc["better"], auc["fraud:1"], auc["fraud:3"]) == ("higher", "0.8", "-0.1")
    assert float(auc["fraud:2 change"]) == pytest.approx(0.1)
    assert (auc["fraud:2 outcome"], auc["fraud:3 outcome"]) == ("better", "worse")
    assert (ms["unit"], ms["fraud:1"], ms["fraud:2 ratio"], ms["fraud:3"]) == ("ms", "0.0", "", "")
    assert (odd["fraud:1"], odd["fraud:2"], odd["fraud:2 outcome"], odd["note"]) == ("nan", "", "unknown", "missing")
    assert lines["depth"]["note"] == "type changes (float / int / str)"
    assert lines["seed"]["fraud:1"] == "7"
    assert lines["README.md"]["fraud:3"] == "2 lines added, 0 removed"


def test_what_does_not_differ_is_left_out_on_request() -> None:
    names = [line["name"] for line in lines_of(exported(comparison(), "csv", everything=False))]
    assert "depth" in names
    assert "seed" not in names
    assert "seed" not in exported(comparison(), "markdown", everything=False)
    assert "seed" in exported(comparison(), "markdown")


@pytest.mark.parametrize("form", FORMATS[:2])
def test_the_base_stands_first_whichever_it_is(form: Format) -> None:
    text = exported(comparison(base=1), form)
    head = next(line for line in text.splitlines() if line.startswith(("| metric |", "part,")))
    assert head.index("fraud:2") < head.index("fraud:1") < head.index("fraud:3")
    rows = [line for line in text.splitlines() if "| auc " in line or line.startswith("metrics,auc")]
    assert rows[0].index("0.9") < rows[0].index("0.8")


@given(st.text(), st.text())
def test_every_line_of_a_csv_has_every_column_and_no_text_is_a_formula(description: str, card: str) -> None:
    text = exported(comparison(description=description, card=card), "csv")
    rows = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for cell in row:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                float(cell)


@given(st.text(), st.text())
def test_json_says_everything_and_no_text_is_obeyed(description: str, card: str) -> None:
    shown = comparison(description=description, card=card)
    document = json.loads(exported(shown, "json"))
    assert document["metrics"][0]["values"]["fraud:2"]["best"] is True
    assert document["summary"][0].startswith("fraud:2 against fraud:1: better in 1")
    for form in FORMATS:
        text = exported(shown, form)
        assert text.endswith("\n")
        assert not set(text) & set(map(chr, [*range(10), *range(11, 32), *range(0x7F, 0xA0), 0x202E]))


def test_markdown_shows_a_pipe_and_a_fence_as_they_are() -> None:
    text = exported(comparison(description="=cmd|x", card="```\nrm\n"), "markdown")
    assert "=cmd\\|x" in text
    assert "````diff" in text
    assert "| hyperparameters | fraud:1 | fraud:2 | fraud:3 | note |" in text
