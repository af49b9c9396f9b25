from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from stackroom.core.canonical import read_canonical
from support.fair import FairClock

if TYPE_CHECKING:
    import random

SAMPLE = Path(__file__).resolve().parents[2] / "sample_registry"

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]), max_size=12)
NAMES = st.text(alphabet="abcxyz-_019", min_size=1, max_size=6)
SCALARS = st.one_of(
    PLAIN,
    st.booleans(),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.floats(),
    st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
ITEMS = st.lists(st.one_of(PLAIN, st.booleans(), st.integers(-99, 99), st.floats()), max_size=4)
TABLES = st.dictionaries(NAMES, st.one_of(SCALARS, ITEMS), max_size=4)
SIMPLE = st.dictionaries(NAMES, st.one_of(SCALARS, ITEMS, TABLES), max_size=5)
ROWS = st.lists(TABLES.filter(bool), min_size=1, max_size=2)
DOCUMENTS = st.dictionaries(NAMES, st.one_of(SCALARS, ITEMS, TABLES, ROWS), max_size=5)

PIECES = st.sampled_from(
    [
        *(
            "a = 1",
            'a = ""',
            "a = 1.5",
            "a = 00",
            "a = -0",
            "a = 1e5",
            "a = 1_0",
            "a = 0x1",
            "a = +1",
            "a = nan",
            "a=1",
        ),
        *("a = [", "a = []", "a = [1, 2]", "    1,", "    2", "]", "b = [ [1] ]", 'b = ["]", "#"] # c', "a = [,]"),
        *(
            "a = {}",
            "a = { b = 1 }",
            "a = { b = 1, }",
            "a = { b = 1, b = 2 }",
            "a = { b = { c = 1 } }",
            'a = { b = ["x"] }',
        ),
        *(
            "a = [{ b = 1 }, { c = [1] }]",
            "a = [{}, 1]",
            "a = [\n    { b = 1 },\n]",
            "a = [{ b = [{}] }]",
            "a = [{ b = 1,\n }]",
        ),
        *("[a]", "[a.b]", "[[a]]", "[[a.b]]", "[b]", '["a"]', "[ a ]", "[a] # c", "[a]b = 1", "[a.b.c]", "[[b]]"),
        *("a.b = 1", '"a" = 1', '"a b" = 1', "'a' = 1", '"" = 1', '"a\\n" = 1', 'a = "\\u0041"', "a = '''", 'a = """'),
        *(
            "a = [\n    1,\n]",
            'a = [\n    "x",\n]',
            'a = [\n    "x",\n    1,\n]',
            'a = [\n    1,\n    "x",\n]',
            "a = 1.0\na = 1.0",
        ),
        *("a = 2025-01-01 24:00:00+00:00", "a = 2025-02-29 00:00:00+00:00", "a = 2025-01-01 00:00:00.120000+00:00"),
        *("a = false", "b = 1e999", "b = -0.0", 'b = ""', "b = 123456789012345678", "b = 1234567890123456789"),
        *("a = 2025-01-01 00:00:00Z", "a = 2025-13-01T00:00:00Z", "a = 2025-01-01", "a = 2025-01-01T24:00:00Z"),
        *("a = 2025-01-01T00:00:60Z", "a = 2025-01-01 00:00:00.5Z", "a = 2025-01-01T00:00:00.123456+00:00"),
        *(
            "a = 9223372036854775807",
            "a = 99999999999999999999",
            "a = true",
            "a = True",
            "a = 1 2",
            "a = 1. ",
            "a = .5",
        ),
        *(
            "# c",
            "  # c",
            "\t",
            "",
            "# \x07",
            'a = "\t"',
            'a = "\x7f"',
            "a = 1\r",
            "\ufeff",
            "\x85",
            "a = 1 # \u2028",
            "a",
        ),
    ]
)


def same(one: object, other: object) -> bool:
    """Equal, in the same types and order; a NaN is a NaN."""
    return repr(one) == repr(other) and type(one) is type(other)


def by_the_standard_library(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def check(text: str) -> None:
    found = read_canonical(text)
    assert found is None or same(found, by_the_standard_library(text)), text


@given(SIMPLE)
def test_what_the_tool_writes_is_understood_and_as_the_standard_library_does(document: dict[str, Any]) -> None:
    text = tomli_w.dumps(document, multiline_strings=False)
    assert same(read_canonical(text), tomllib.loads(text))


@given(st.lists(PIECES, max_size=8).map("\n".join))
@example("a = []\n[[a]]")
@example("a = { b = 1 }\n[a.c]")
@example("[a.b]\n[a]\nc = 1")
@example("[[a]]\n[a.b]\n[[a]]\n[a.b]")
@example("[a]\nb = 1\n[a.b]")
def test_it_never_answers_otherwise_than_the_standard_library(text: str) -> None:
    check(text)


@given(DOCUMENTS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_nor_of_a_text_that_was_damaged(document: dict[str, Any], chance: random.Random, times: int) -> None:
    text = tomli_w.dumps(document)
    for _ in range(times):
        at, end = chance.randint(0, len(text)), chance.randint(0, 3)
        text = text[:at] + chance.choice('"\\[]\n.0=,#{} ') + text[at + end :]
    check(text)


@given(st.text(alphabet='ab01.-_+:"[]{}=,# \n\tTZ\\', max_size=30))
def test_nor_of_any_other_text(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "path",
    # No rglob: Python 3.11.2 follows symlinks in it, and an event is no path.
    [
        SAMPLE / "registry.toml",
        *sorted(SAMPLE.glob("models/*/*.toml")),
        *sorted(SAMPLE.glob("models/*/*/version.toml")),
    ],
    ids=lambda path: str(path.relative_to(SAMPLE)),
)
def test_every_file_of_the_sample_is_understood(path: Path) -> None:
    text = path.read_text()
    assert same(read_canonical(text), tomllib.loads(text))


@pytest.mark.parametrize(
    "text", ["a = [" * 5000, "a = " + "9" * 60_000, '"' * 60_000, "[" + "a." * 30_000 + "]", "a = { " * 9000]
)
def test_a_text_that_is_made_to_take_long_is_let_go_at_once(text: str) -> None:
    clock = FairClock()
    assert read_canonical(text) is None
    # The worst of them takes 2 ms.
    assert clock.seconds() < 2
