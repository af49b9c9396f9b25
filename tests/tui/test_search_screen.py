"""Versions of all models, found while one types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.query import Query
from stackroom.registry.editing import Edit
from stackroom.tui.present.filtering import Filter, as_query, searchable
from stackroom.tui.screens import search
from stackroom.tui.screens.search import SearchPage
from stackroom.tui.screens.version import VersionPage
from tui.browsing import NARROW, Walk, walk

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry


def _refs(somebody: Walk) -> list[str]:
    page = somebody.page
    assert isinstance(page, SearchPage)
    return list(page._found)


def test_a_search_finds_versions_of_all_models_while_one_types(registry: Registry) -> None:
    every = [str(one.ref) for one in registry.search("", sort="-created")]

    async def steps(somebody: Walk) -> None:
        await somebody.press("S")
        assert _refs(somebody) == every
        assert f"{len(every)} versions" in somebody.status
        await somebody.type("auc>0.9")
        assert {str(one.ref) for one in registry.search("auc > 0.9")} == set(_refs(somebody)) != set(every)
        await somebody.type(" !tumor stage:production")
        found = registry.search('auc > 0.9 and not "tumor" and stage = production')
        assert {str(one.ref) for one in found} == set(_refs(somebody))
        await somebody.press("escape")
        assert _refs(somebody) == every

    walk(registry, steps)


@pytest.mark.parametrize("size", [(60, 16), NARROW, (120, 40), (200, 50)])
def test_a_search_looks_as_it_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":search accuracy>0.9 and not archived", "enter")
        somebody.golden("search")

    walk(registry, steps, size=size)


def test_what_is_found_is_sorted_marked_compared_and_opened(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":search accuracy>0", "enter")
        await somebody.press(*":sort accuracy", "enter")
        page = somebody.page
        assert isinstance(page, SearchPage)
        values = [version.metrics["accuracy"] for version in page._found.values() if "accuracy" in version.metrics]
        assert values == sorted(values, reverse=True)
        await somebody.press("O")
        values = [version.metrics["accuracy"] for version in page._found.values() if "accuracy" in version.metrics]
        assert values == sorted(values)
        await somebody.press("c")
        assert "mark two versions" in somebody.status
        first, second = _refs(somebody)[:2]
        await somebody.press("g", "space", "space")
        assert "2 marked" in somebody.status
        await somebody.press("c")
        assert somebody.where() == "compare"
        await somebody.press("q", "V", "g", "j", "enter")
        assert isinstance(somebody.page, VersionPage)
        assert str(somebody.page.ref) == second != first

    walk(registry, steps)


def test_a_search_follows_what_others_change_and_its_cursor_stays(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":search stage:production", "enter")
        await somebody.press("j")
        page = somebody.page
        assert isinstance(page, SearchPage)
        key, before = page.table.cursor_key, len(page._found)
        registry.promote("iris-species:3", "staging", reason="a try")
        registry.edit("iris-species:3", Edit(put={"tags": ["fresh"]}))
        await somebody.press(*"/ fresh", "enter")
        assert _refs(somebody) == []
        await somebody.press("/", "ctrl+u", *"fresh", "enter")
        assert _refs(somebody) == ["iris-species:3"]
        registry.edit("iris-species:3", Edit(put={"tags": ["stale"]}))
        somebody.app.read_model("iris-species")
        await somebody.settle()
        assert _refs(somebody) == []
        await somebody.press("escape")
        assert len(_refs(somebody)) > before
        assert key in _refs(somebody)

    walk(registry, steps)


def test_more_than_anybody_reads_is_counted_and_not_shown(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LIMIT", 3)
    total = len(registry.search(""))

    async def steps(somebody: Walk) -> None:
        await somebody.press("S")
        assert len(_refs(somebody)) == 3
        assert f"the first 3 of {total} versions" in somebody.status

    walk(registry, steps)


def test_a_query_that_is_not_finished_counts_as_far_as_it_is_and_says_why(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("S", *"auc > 0.9 and (")
        assert "expected a field" in somebody.status
        assert {str(one.ref) for one in registry.search("auc > 0.9")} == set(_refs(somebody))

    walk(registry, steps)


_FIELDS = {
    "ref": "fraud:7",
    "model": "fraud",
    "label": ("2.1.0",),
    "description": 'Größe "big" isn\'t it',
    "tags": ("nlp", "team=risk"),
    "tags.team": "risk",
    "stage": ("production",),
    "metrics.auc": 0.93,
    "author": "ana",
}
_WORDS = st.sampled_from(
    ["fraud", "!fraud", "auc>0.9", "!auc>=0.95", "tag:nlp", "stage:production", "!x", "größe", '"big"', "isn't", "!"]
)


@given(st.lists(_WORDS | st.text("ab!:>='\"(. ", max_size=6), max_size=4).map(" ".join))
def test_a_line_finds_what_it_filters(line: str) -> None:
    query, _ = as_query(line)
    wanted = Filter(line)
    if query and "'" not in line and '"' not in line:  # of quotes around a word, the query drops some
        assert Query(query).matches(_FIELDS) == wanted.passes(searchable(_FIELDS)), (line, query)


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("fraud created>2026-1", '"fraud"'),
        ("auc > 0.5 and created > 2026-1", "auc > 0.5 and created"),
        ("!version:x", ""),
        ("size>1.5GB", 'size > "1.5GB"'),
    ],
)
def test_what_is_typed_halfway_to_a_time_or_a_number_does_not_count_yet(line: str, query: str) -> None:
    found, problem = as_query(line)
    assert found == query
    assert bool(problem) is ("GB" not in line)
    wanted = Filter(line)
    assert wanted.problem == problem
    assert wanted.passes(searchable(_FIELDS | {"created": datetime(2026, 10, 1, tzinfo=UTC), "size": 2e9}))
