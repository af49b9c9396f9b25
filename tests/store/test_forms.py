"""A text whose form is known says what it says to whoever reads it word by word, and no wrong text has a known form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stackroom.core.metadata import Seal, record_of, sealed_document
from stackroom.core.toml import format_toml
from stackroom.store import forms
from stackroom.store.forms import Forms

SEAL = Seal(
    model="fraud", uid="u", created=datetime(2026, 1, 2, 3, tzinfo=UTC), files=1, bytes=2, digest="sha256:" + "0" * 64
)
SAYS: tuple[dict[str, Any], ...] = (
    {"metrics": {"auc": 0.5, "f1": 1.0}, "hyperparameters": {"lr": 1e-3, "depth": 2.0}},
    {
        "metrics": {"auc": 0.5, "steps": 7, "a.b": 1.0},
        "tags": ["x", "y=z"],
        "author": "ana",
        "lineage": {"parents": ["a:1"]},
    },
    {
        "hyperparameters": {"lr": 0.5, "opt": "adam", "deep": {"er": 3, "on": True}, "layers": [1, 2]},
        "datasets": [{"name": "d", "rows": 3, "digest": "x" * 99}, {"name": "e", "split": "test"}],
        "source": {"host": "h", "took": 1.5},
        "team": "risk",
        "archived": True,
        "note": "of a team",
    },
)


def text_of(said: dict[str, Any]) -> str:
    return format_toml(sealed_document(SEAL, record_of(said)))


TEXTS = tuple(map(text_of, SAYS))


@pytest.fixture(scope="module")
def trained() -> Forms:
    found = Forms()
    for text in TEXTS * forms._OFTEN:
        found.said(text.encode())
    assert sum(form is not None for form in found._known.values()) == len(TEXTS)
    return found


_BITS = (
    *(
        '"',
        "\n",
        "#",
        "[",
        "]",
        " ",
        "=",
        "-",
        ".",
        "e5",
        "0",
        "7",
        "1.5",
        "nan",
        "true",
        "'",
        "\\",
        "é",
        "\0",
        ",",
        "::",
    ),
    *(
        "[metrics]\n",
        "[ metrics ]\n",
        '["metrics"]\n',
        "[[datasets]]\n",
        "[hyperparameters.deep]\n",
        "[x]\n",
        "a.b = 1.0\n",
    ),
    *("auc = 0.5\n", "auc = 1e999\n", "auc = 9007199254740993\n", "rows = -1\n", 'name = ""\n', "model = 'other'\n"),
    *(
        '    " ",\n',
        '    "a:0",\n',
        "99999999999999999999",
        "2026-02-30 00:00:00+00:00",
        '"deep.er" = 4\n',
        "er = 0.5\n",
    ),
)
EDITS = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from([0, 0, 1, 2, 8, 30]), st.sampled_from(_BITS)), max_size=3
)


@given(text=st.sampled_from(TEXTS), edits=EDITS, lines=st.booleans())
@example(text=TEXTS[0], edits=[(TEXTS[0].index("0.5"), 3, "1e999")], lines=False)
@example(text=TEXTS[1], edits=[(TEXTS[1].index("7"), 1, "9007199254740993")], lines=False)
@example(text=TEXTS[1], edits=[(TEXTS[1].index('"x"'), 3, '" "')], lines=False)
@example(text=TEXTS[1], edits=[(TEXTS[1].index('"y=z"'), 5, '"x"')], lines=False)
@example(text=TEXTS[1], edits=[(TEXTS[1].index("a:1"), 3, "a:0")], lines=False)
@example(text=TEXTS[2], edits=[(TEXTS[2].index('"d"'), 3, '""')], lines=False)
@example(text=TEXTS[2], edits=[(TEXTS[2].index("2026-01-02"), 10, "2026-02-30")], lines=False)
def test_a_text_says_the_same_whether_its_form_is_known_or_not(
    trained: Forms, text: str, edits: list[tuple[int, int, str]], *, lines: bool
) -> None:
    for place, length, put in edits:
        start = place % len(text)
        if lines:
            # At the beginning of a line, where it has a chance to be right.
            start = text.rfind("\n", 0, start) + 1
        text = text[:start] + put + text[start + length :]
    # As text, because True equals 1.
    assert repr(trained.said(text.encode())) == repr(Forms().said(text.encode()))


@pytest.mark.parametrize("text", TEXTS)
def test_other_values_of_the_same_kinds_are_read_without_a_parser(
    trained: Forms, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = text.replace("0.5", "-0.25e-7").replace("fraud", "churn").replace("2026-01-02 03:", "2025-12-31 23:")
    expected = Forms().said(other.encode())
    monkeypatch.setattr(forms, "understood", None)
    assert expected is not None
    assert trained.said(other.encode()) == expected


def test_texts_that_all_differ_cost_no_patterns() -> None:
    found = Forms()
    for number in range(forms._WATCHED + forms._OFTEN):
        found.said(text_of({"metrics": {f"m{number}": 0.5}}).encode())
    assert not found._known
    assert len(found._seen) <= forms._WATCHED


def test_a_dotted_name_that_may_be_two_keys_has_no_form() -> None:
    text = text_of({"hyperparameters": {"deep.er": 1.0, "deep": {"er": 2.0}}}).encode()
    found = Forms()
    for _ in range(forms._OFTEN):
        found.said(text)
    assert {*found._known.values()} == {None}


def test_bytes_that_are_no_text_say_nothing(trained: Forms) -> None:
    assert trained.said(b"\xff" + TEXTS[0].encode()) is None
