from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.cursor import Cursor, Mark, mark_of, parse_cursor
from stackroom.core.names import ModelName, StageName
from stackroom.errors import InvalidInputError, UsageError

STAGES = st.sampled_from([StageName("staging"), StageName("production"), StageName("a.b-c")])
MODELS = st.sampled_from([ModelName("fraud"), ModelName("a.b_c-1"), ModelName("x" * 64)])
MARKS = st.builds(mark_of, st.integers(1, 999_999_999), st.text())


@given(
    registry=st.text(alphabet="0123456789abcdef-", min_size=1),
    stage=st.none() | STAGES,
    marks=st.dictionaries(st.tuples(STAGES, MODELS), MARKS),
)
def test_a_cursor_is_one_printable_word_that_says_the_same_when_it_is_read(
    registry: str, stage: StageName | None, marks: dict[tuple[StageName, ModelName], Mark]
) -> None:
    cursor = Cursor(registry=registry, stage=stage, marks=marks)
    text = str(cursor)
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(" -'\"$`\\*") - {"-"}
    read = parse_cursor(f"{text}\n")
    assert (read.registry, read.stage, dict(read.marks)) == (registry, stage, marks)


def packed(content: bytes) -> str:
    return "1-" + base64.urlsafe_b64encode(zlib.compress(content)).rstrip(b"=").decode()


WHOLE = str(Cursor(registry="id", marks={(StageName("production"), ModelName("fraud")): Mark(3, "00ff")}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1-",
        "end",
        "é",
        WHOLE[:-3],
        WHOLE + "AAAA",
        "2" + WHOLE[1:],
        packed(b""),
        packed(b"id"),
        packed(b"\n*\n"),
        packed(b"id\n*\nproduction\n../x 1.00ff"),
        packed(b"id\n*\nproduction\nfraud 1.00ff 2.00ff"),
        packed(b"id\n*\nproduction\nfraud 0.00ff"),
        packed(b"id\n*\nproduction\nfraud 1"),
        packed(b"id\n*\n" + b"x" * 17_000_000),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no cursor"):
        parse_cursor(text)


@given(st.text() | st.binary().map(packed))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        parse_cursor(text)
    except InvalidInputError:
        return


def test_a_cursor_serves_its_own_registry_and_no_more_stages_than_it_is_about() -> None:
    staging, production = StageName("staging"), StageName("production")
    marks = {(staging, ModelName("fraud")): Mark(1, "0000"), (production, ModelName("fraud")): Mark(2, "0000")}
    every = Cursor(registry="id", marks=marks)
    one = every.narrowed("id", production)
    assert list(one.marks) == [(production, "fraud")]
    assert one.narrowed("id", production) == one
    for cursor, registry, stage in ((every, "other", None), (one, "id", None), (one, "id", staging)):
        with pytest.raises(UsageError):
            cursor.narrowed(registry, stage)
    assert not parse_cursor("start").narrowed("id", None).marks
