"""What is new in a record is held to rules that what is read is not."""

from __future__ import annotations

import pytest

from stackroom.core.admission import NAME_LIMIT, check_new
from stackroom.core.metadata import record_of
from stackroom.errors import InvalidInputError


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"metrics": {"a\x1bb": 1}}, "metrics.a\x1bb"),
        ({"metrics": {"a\u202eb": 1}}, "metrics.a\u202eb"),
        ({"metrics": {"": 1}}, "metrics."),
        ({"metrics": {" auc": 1}}, "metrics. auc"),
        ({"metrics": {"x" * (NAME_LIMIT + 1): 1}}, "metrics." + "x" * (NAME_LIMIT + 1)),
        ({"hyperparameters": {"opt": {"l\nr": 1}}}, "hyperparameters.opt.l\nr"),
        ({"metrics": {"auc": float("nan")}}, "metrics.auc"),
        ({"metrics": {"auc": float("-inf")}}, "metrics.auc"),
    ],
)
def test_a_name_or_metric_that_nobody_should_write_is_refused_with_its_key_and_can_still_be_read(
    document: dict[str, dict[str, object]], key: str
) -> None:
    record = record_of(document)
    with pytest.raises(InvalidInputError) as caught:
        check_new(record)
    assert caught.value.facts["key"] == key
    check_new(record, before=record)


def test_names_that_people_and_other_tools_use_pass() -> None:
    metrics = {"val.auc": 0.9, "top-5 error": 1, "f1/macro": 0, "größe": -1.5, "x" * NAME_LIMIT: 0}
    check_new(record_of({"metrics": metrics, "hyperparameters": {"opt": {"lr": float("inf")}}}))


def test_another_value_that_is_no_number_is_new() -> None:
    nan, infinite = (record_of({"metrics": {"auc": float(text)}}) for text in ("nan", "inf"))
    check_new(nan, before=nan)
    with pytest.raises(InvalidInputError, match="finite"):
        check_new(infinite, before=nan)
