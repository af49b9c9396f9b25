from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.names import (
    ModelName,
    Ref,
    is_label,
    is_model_name,
    is_stage_name,
    parse_label,
    parse_model_name,
    parse_number,
    parse_ref,
    parse_stage_name,
    similarity_key,
)
from stackroom.errors import InvalidInputError

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True).filter(is_model_name).map(ModelName)
STAGES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?", fullmatch=True).filter(is_stage_name)
LABELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,20}", fullmatch=True).filter(is_label)
NUMBERS = st.integers(1, 999_999_999)
REFS = st.one_of(
    st.builds(Ref, NAMES),
    st.builds(lambda name, number: Ref(name, "number", str(number)), NAMES, NUMBERS),
    st.builds(lambda name, label: Ref(name, "label", label), NAMES, LABELS),
    st.builds(lambda name, stage: Ref(name, "stage", stage), NAMES, STAGES),
    NAMES.map(lambda name: Ref(name, "latest")),
)
NEARLY = st.text(alphabet="ab7-_.:/@ A\u0661\n", max_size=12)


@given(REFS)
def test_a_reference_is_read_back_as_it_is_written(ref: Ref) -> None:
    assert parse_ref(str(ref)) == ref


@given(REFS.filter(lambda ref: ref.kind in {"number", "label", "stage", "latest"}))
def test_the_spelling_of_mlflow_means_the_same(ref: Ref) -> None:
    assert parse_ref(f"models:/{str(ref).replace(':', '/')}") == ref


@given(st.one_of(st.text(), NEARLY))
def test_a_parser_of_names_raises_nothing_but_its_own_error_and_accepts_what_the_format_allows(text: str) -> None:
    for parse in (parse_model_name, parse_stage_name, parse_label, parse_ref):
        try:
            parsed = parse(text)
        except InvalidInputError:
            continue
        assert str(parsed).isascii()
        assert not set(str(parsed)) & set(" \n\t\0\\%")


@given(st.one_of(st.text(), NEARLY))
def test_a_model_name_that_is_accepted_keeps_every_rule(text: str) -> None:
    if not is_model_name(text):
        return
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert text[0] not in "._-"
    assert text[-1] not in "._-"
    assert ".." not in text
    assert len(text) <= 64
    assert text not in {"model", "models"}


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "a-", "a..b", "a b", "a/b", "model", "models", "a" * 65, "é", "a\n", "a@b", ".tmp"]
)
def test_the_format_forbids_the_model_name(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be a model's name"):
        parse_model_name(name)


def test_a_refused_model_name_comes_with_one_that_would_do() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_model_name("Fraud Detector!")
    assert caught.value.hint == "try fraud-detector"


@pytest.mark.parametrize("text", ["Ünï", "模型-1", "fraud-détecteur"])
def test_a_name_in_other_letters_gets_no_suggestion_that_is_another_word(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_model_name(text)
    assert caught.value.hint == ""


@pytest.mark.parametrize("name", ["development", "archived", "s" * 33, "Prod", "../x"])
def test_the_format_forbids_the_stage_name(name: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_stage_name(name)


@pytest.mark.parametrize(
    "label", ["7", "007", "latest", "model", "", ".hidden", "a/b", "2@1.toml", "3@deleted", "x" * 65]
)
def test_the_format_forbids_the_label(label: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_label(label)


@pytest.mark.parametrize(
    "text", ["0", "01", "-1", "+1", "1_0", " 1", "1\n", "1000000000", "\u0661", "", "9" * 2_000_000]
)
def test_the_format_forbids_the_number(text: str) -> None:
    assert parse_number(text) is None


@given(NUMBERS)
def test_a_number_is_read_back(number: int) -> None:
    assert parse_number(str(number)) == number


@pytest.mark.parametrize(
    "text", ["fraud:", "fraud:0", "fraud:1000000000", "fraud@", "@production", ":7", "fraud:7:8", "fraud:a b"]
)
def test_the_text_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_ref(text)


def test_names_that_differ_in_case_or_separators_alone_are_similar() -> None:
    assert similarity_key("fraud-detector") == similarity_key("fraud_detector") == similarity_key("fraud.detector")
    assert similarity_key("fraud-detector") != similarity_key("fraud-detector2")
