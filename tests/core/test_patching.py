"""A text that is changed in a few lines keeps the rest, or is given up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.test_metadata import DOCUMENTS
from stackroom.core.metadata import document_of, record_of, with_field, without_field
from stackroom.core.patching import patched
from stackroom.core.threeway import leaves
from stackroom.core.toml import comments_in, format_toml, parse_toml

TEXT = """\
# who asked for it: bo
team = "risk"   # since October
tags = ["a#b", "c"] # two

[metrics]
# on the test split
auc = 0.9 # by hand
"f 1" = 1

[hyperparameters.opt]
lr = 0.1
"""


def said(text: str) -> Any:  # noqa: ANN401 - TOML's values
    return document_of(record_of(parse_toml(text.encode(), where="x")))


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("team", "fraud # 1", 'team = "fraud # 1"   # since October'),
        ("tags", ["x"], 'tags = ["x"] # two'),
        ("metrics.auc", 0.95, "auc = 0.95 # by hand"),
        ("metrics.f 1", 2, '"f 1" = 2'),
        ("metrics.val.auc", 2, '"val.auc" = 2'),
        ("description", "a\nb", 'description = "a\\nb"'),
        ("source.run", "7", 'run = "7"'),
    ],
)
def test_one_field_changes_one_line_and_every_comment_stays(key: str, value: object, line: str) -> None:
    wanted = with_field(record_of(said(TEXT)), key, value)
    text = patched(TEXT, wanted)
    assert text is not None
    assert line in text.split("\n")
    assert comments_in(text) == comments_in(TEXT)
    assert said(text) == document_of(wanted)


def test_a_field_that_goes_takes_its_line_with_it() -> None:
    text = patched(TEXT, without_field(record_of(said(TEXT)), "metrics.f 1"))
    assert text == TEXT.replace('"f 1" = 1\n', "")


def test_a_value_of_several_lines_is_given_up() -> None:
    text = 'team = """\na = 1\n"""\n# why\n'
    assert patched(text, record_of({"team": "x"})) is None
    assert patched("not toml [", record_of({"team": "x"})) is None


@given(before=DOCUMENTS, after=DOCUMENTS, commented=st.booleans())
def test_what_comes_out_says_exactly_what_was_wanted(
    before: dict[str, Any], after: dict[str, Any], *, commented: bool
) -> None:
    text = format_toml(before)
    if commented:
        text = "# first\n" + text.replace("\n", " # x\n", 1) if "\n" in text else text
    wanted = record_of(after)
    try:
        parse_toml(text.encode(), where="x")
    except ValueError:
        return
    made = patched(text, wanted)
    assert made is None or leaves(record_of(said(made))) == leaves(wanted)
