from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.toml import METADATA_LIMIT, format_toml, line_of, parse_toml
from stackroom.errors import InvalidInputError

VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.text(max_size=20),
        st.datetimes(),
        st.dates(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=10,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["a", "=", "[", "]", "{", "}", ".", '"', "'", "\n", "\\", "#", " ", "1", "-", ":", "T", "é", "0x", "inf"]
    ),
    max_size=40,
).map("".join)


@given(st.one_of(st.binary(max_size=200), FRAGMENTS.map(str.encode)))
def test_parsing_raises_nothing_but_its_own_error(text: bytes) -> None:
    try:
        parse_toml(text, where="x.toml")
    except InvalidInputError as error:
        refused = error
    else:
        return
    assert str(refused).startswith("x.toml")
    assert refused.facts["file"] == "x.toml"


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_what_is_written_is_read_back(document: dict[str, object]) -> None:
    assert parse_toml(format_toml(document).encode(), where="x") == document


HALF = METADATA_LIMIT // 2
BOMBS = {
    "a dotted key": b"a." * 16_000 + b"a = 1",
    "a dotted header": b"[" + b"a." * 16_000 + b"a]",
    "quoted parts": b'"a".' * 8_000 + b"a = 1",
    "a dotted key behind a multi-line string": b'x = ["""\n""", {' + b"a." * 16_000 + b'a = "x"}]',
    "many dotted keys": b"".join(b".".join([b"a%d" % line] + [b"b"] * 60) + b" = 1\n" for line in range(400)),
    "nested brackets": b"x = " + b"[" * 500 + b"]" * 500,
    "very nested brackets": b"x = " + b"[" * 30_000,
    "nested tables": b"x = " + b"{a=" * 10_000 + b"1" + b"}" * 10_000,
    "a huge integer": b"x = " + b"1" * 60_000,
    "a huge hexadecimal integer": b"x = 0x" + b"f" * 60_000,
    "an integer beyond 64 bits": b"x = 9223372036854775808",
    "escaped quotes that never close": b'"' + b'\\"' * 30_000,
    "quotes that never close": b"x = '" + b'"\\' * 30_000,
    "an unknown encoding": b"\xff\xfe",
    "too large": b"#" * (METADATA_LIMIT + 1),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_or_parsed_at_once(text: bytes) -> None:
    before = time.process_time()
    with contextlib.suppress(InvalidInputError):
        parse_toml(text, where="x")
    assert time.process_time() - before < 1.5


@pytest.mark.parametrize("depth", [70, 150, 300])
def test_deep_nesting_is_refused_before_others_recurse_into_it(depth: int) -> None:
    with pytest.raises(InvalidInputError, match="nested too deep"):
        parse_toml(b"x = " + b"[" * depth + b"]" * depth, where="x")


@pytest.mark.parametrize(
    "text", ["x = 0x" + "f" * 5000, "x = 9223372036854775808", "x = [{ y = -9223372036854775809 }]"]
)
def test_an_integer_that_toml_does_not_promise_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="64 bits"):
        parse_toml(text.encode(), where="x")


def test_an_error_names_file_and_line() -> None:
    with pytest.raises(InvalidInputError, match=r"^a\.toml:2: not TOML") as caught:
        parse_toml(b"x = 1\ny = \n", where="a.toml")
    assert caught.value.facts == {"file": "a.toml", "line": 2}


def test_the_line_of_a_key_is_found() -> None:
    text = 'format = 1\n\n[stages.production]\n[stages.production.guards]\nmetrics = ["auc >= 1"]\n'
    assert line_of(text, ("stages", "production", "guards", "metrics")) == 5
    assert line_of(text, ("stages", "production", "guards", "missing")) == 4
    assert line_of(text, ("nothing",)) is None


@pytest.mark.parametrize(
    "line", ["[" + " " * 60_000 + "x", "a" * 60_000, "a" + " ." * 30_000, "[" * 60_000, "[" + '"' * 60_000]
)
def test_a_hostile_line_does_not_slow_down_the_search_for_a_key(line: str) -> None:
    before = time.process_time()
    line_of(line, ("a", "b"))
    assert time.process_time() - before < 1
