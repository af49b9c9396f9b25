"""Records become rows and lines, and lines become news: without an app."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.attested import Who
from stackroom.core.names import StageName
from stackroom.core.show import age
from stackroom.errors import PermissionDeniedError
from stackroom.registry.editing import Edit
from stackroom.store.records import Holding
from stackroom.tui.glyphs import ASCII, UNICODE
from stackroom.tui.picture import Picture, Reading, read_all, read_some
from stackroom.tui.present import models as model_list
from stackroom.tui.present import versions as version_list
from stackroom.tui.present.filtering import Filter
from stackroom.tui.present.models import by_value
from stackroom.tui.present.move import refusal
from stackroom.tui.present.news import changed_versions, news
from stackroom.tui.present.words import short
from tui.browsing import NOW

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry

NOBODY = Who(4711, "zoe")
FIELDS: dict[str, Any] = {
    "ref": "fraud:7",
    "model": "fraud",
    "description": "Finds Fraud",
    "tags": ("team=nlp", "eu"),
    "tag": ("team=nlp", "eu"),
    "stage": ("production",),
    "metrics.auc": 0.93,
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("fraud", True),
        ("FINDS eu", True),
        ("!eu", False),
        ("!", False),
        ("tag:eu", True),
        ("tag:us", False),
        ("!tag:us", True),
        ("stage:production", True),
        ("stage:staging", False),
        ("auc>0.9", True),
        ("auc>0.95", False),
        ("auc>", False),
        ("auc>=0.93 tag:eu !staging", True),
        ("nosuch>1", False),
        ("description~FINDS", True),
        ("fraud:7", False),
        ("ref:fraud:7", True),
        ("[red", False),
        ('"', False),
    ],
)
def test_the_filter_line_means(text: str, *, matches: bool) -> None:
    assert Filter(text).matches(FIELDS) is matches


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "–"),  # noqa: RUF001  # the glyph for nothing
        (0.903508772, "0.9035"),
        (0.5, "0.5000"),
        (0.0124, "0.0124"),
        (0.00085, "0.00085"),
        (1.0, "1"),
        (11.348, "11.35"),
        (1234.5678, "1235"),
        (-0.25, "-0.2500"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (3, "3"),
        (10**15, "1000000000000000"),
        (10**16, "1e+16"),
        (-1e308, "-1e+308"),
        (1.234567e-300, "1.235e-300"),
    ],
)
def test_a_metric_in_a_list(value: float | None, told: str) -> None:
    assert short(value, UNICODE) == told


def test_what_has_no_value_comes_last_in_either_direction() -> None:
    values = [3, None, 1, float("nan"), 2]
    assert by_value(values, lambda one: one, descending=False)[:3] == [1, 2, 3]
    assert by_value(values, lambda one: one, descending=True)[:3] == [3, 2, 1]


def test_a_version_without_metrics_does_not_hide_the_metric_of_its_model(registry: Registry) -> None:
    model = registry.model("tumor-screening")
    known = model_list.key_metric(model, registry.policy)
    assert known is not None
    *older, newest = model.versions
    unmeasured = replace(newest, record=replace(newest.record, metrics={}))
    lacking = replace(model, versions=(*older, unmeasured))
    found = model_list.key_metric(lacking, registry.policy)
    assert found == (known[0], older[-1].metrics[known[0]])
    cells = model_list.row(lacking, (), registry.policy, NOW, UNICODE).cells
    assert [cell.style for cell in cells if cell.text.startswith(known[0])] == ["dim"]


def test_best_is_one_on_the_newest_data_with_a_direction(registry: Registry) -> None:
    model = registry.model("tumor-screening")
    best = version_list.best_of(model, registry.policy)
    assert best["accuracy"] == 4
    assert best["log_loss"] == 4
    assert best["size_kb"] == 5
    for metric in ("made_up", "accuracy"):
        tied = tuple(
            replace(one, record=replace(one.record, metrics={**one.metrics, metric: 0.5})) for one in model.versions
        )
        assert metric not in version_list.best_of(replace(model, versions=tied), registry.policy)


def test_rows_have_a_cell_for_each_column(registry: Registry) -> None:
    for name in ("tumor-screening", "wine-origin"):
        model = registry.model(name)
        for glyphs in (UNICODE, ASCII):
            columns = version_list.columns(model, registry.policy, glyphs)
            rows = version_list.Rows(model, registry.policy, NOW, glyphs)
            assert all(
                len(rows.row(str(one.number)).cells) in {len(columns), len(columns) + 1} for one in model.versions
            )
            row = model_list.row(model, registry.stages, registry.policy, NOW, glyphs)
            assert len(row.cells) == len(model_list.columns(registry.stages))


def test_models_are_sorted_by_every_column(registry: Registry) -> None:
    models = registry.models().models
    for column in model_list.columns(registry.stages):
        there = model_list.sorted_models(models, column.key, registry.policy, descending=False)
        back = model_list.sorted_models(models, column.key, registry.policy, descending=True)
        assert {model.name for model in there} == {model.name for model in back}


def test_news_of_every_kind(registry: Registry) -> None:
    before = registry.model("iris-species")
    registry.register("iris-species", __file__, metadata={"author": "eva"})
    registry.promote("iris-species:3", "staging", reason="x")
    after = registry.model("iris-species")
    moved = f"iris-species:3 moved to staging by ana {age(NOW, NOW)}"
    assert news("iris-species", before, after, NOW, you=NOBODY) == [moved, "iris-species:4 registered by eva"]
    assert "moved to staging by you" in news("iris-species", before, after, NOW, you=registry.who)[0]
    assert news("iris-species", before, after, NOW, you=registry.who, own=True) == ["iris-species:4 registered by eva"]
    assert changed_versions(before, after) == {"3", "4"}
    registry.label("iris-species:4", "2.0")
    labelled = registry.model("iris-species")
    assert news("iris-species", after, labelled, NOW, you=NOBODY) == ["iris-species:4 labelled 2.0"]
    registry.archive("iris-species:1", reason="old")
    edited = registry.model("iris-species")
    assert news("iris-species", labelled, edited, NOW, you=NOBODY) == ["iris-species:1 edited by ana"]
    registry.edit("iris-species:2", Edit(card="# Iris"))
    carded = registry.model("iris-species")
    assert news("iris-species", edited, carded, NOW, you=NOBODY) == ["the card of iris-species:2 edited"]
    assert news("iris-species", edited, None, NOW, you=NOBODY) == ["iris-species is gone"]
    assert news("iris-species", None, None, NOW, you=NOBODY) == []
    fewer = replace(edited, count=2, revision=9)
    assert news("iris-species", edited, fewer, NOW, you=NOBODY) == [
        "iris-species has 2 fewer versions",
        "iris-species edited",
    ]
    empty = replace(edited, versions=(), holdings=(), count=0)
    assert news("iris-species", None, empty, NOW, you=NOBODY) == ["iris-species is new"]
    assert changed_versions(None, after) == frozenset()


def test_a_reading_that_was_started_earlier_replaces_nothing_newer(registry: Registry) -> None:
    picture = Picture()
    told: list[str] = []

    def tell(name: str, _before: object, _after: object) -> None:
        told.append(name)

    early = read_all(registry)
    late = read_all(registry)
    registry.register("iris-species", __file__)
    latest = read_some(registry, {"iris-species", "no-such"})
    picture.take(latest, tell)
    picture.take(late, tell)
    assert picture.models["iris-species"].count == 4
    assert picture.take(early, tell) == set()
    assert len(picture.models) == 5
    told.clear()
    picture.take(read_some(registry, {"iris-species"}), tell)
    picture.take(read_all(registry), tell)
    assert told == []
    assert picture.opened["iris-species"] is picture.models["iris-species"]
    picture.take(Reading(ticket=10**9, models={"iris-species": None}), tell)
    assert told == ["iris-species"]
    assert "iris-species" not in picture.models


def test_a_refusal_names_every_fact_it_carries() -> None:
    error = PermissionDeniedError(
        "you may not", hint="ask", facts={"directory": "/d", "group": "g", "members": ["bo", "eva"], "owner": ""}
    )
    text = "\n".join("".join(cell.text for cell in line) for line in refusal(error))
    assert [word for word in ("/d", "g", "bo, eva", "ask", "you may not") if word not in text] == []
    assert "owner" not in text


def test_ages_are_counted_to_the_time_that_was_passed(registry: Registry) -> None:
    model = registry.model("iris-species")
    first = model_list.preview(model, NOW), version_list.preview(model, model.versions[0], NOW)
    later = NOW + timedelta(days=400)
    second = model_list.preview(model, later), version_list.preview(model, model.versions[0], later)
    assert first[1] != second[1]


def test_a_stage_that_cannot_be_read_is_not_empty(registry: Registry) -> None:
    model = registry.models().models[0]
    closed = replace(model, holdings=(Holding(stage=StageName("production"), unread="no permission to read it"),))
    row = model_list.row(closed, registry.stages, registry.policy, NOW, UNICODE)
    assert "unread" in [cell.text for cell in row.cells]
    lines = model_list.preview(closed, NOW)
    assert any("no permission to read it" in cell.text for line in lines for cell in line)
