"""The filter line: what it means, and that it keeps up with the keyboard over lists of any length."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.tui.app import Browser
from stackroom.tui.picture import Reading
from stackroom.tui.present.filtering import Filter
from support.fair import pace
from tui.browsing import Walk, key_event
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stackroom.registry.facade import Registry

FIELDS: dict[str, Any] = {
    "ref": "fraud:7",
    "model": "fraud",
    "description": "Boosted trees",
    "metrics.auc": 0.93,
    "stage": ("production",),
    "tags": ("nlp", "eu"),
    "author": "ana",
}
WORDS = st.sampled_from(["fraud", "fra", "f", "x", "!x", "!f", "auc>0.9", "tag:nlp", "stage:pro", "FRAUD", "eu"])


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("fraud trees", True),
        ("fraud !trees", False),
        ("auc>0.9 !x", True),
        ("metrics.auc > 0.9", True),
        ("auc > 0.9 and stage = production", True),
        ("auc > 0.9 and not (author = ana or author = bo)", False),
        ("auc > 0.95 or tags = eu", True),
    ],
)
def test_words_and_queries(text: str, *, matches: bool) -> None:
    wanted = Filter(text)
    assert wanted.matches(FIELDS) is matches
    assert wanted.problem == ""
    assert bool(wanted) is bool(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("auc > 0.95 or", "expected a field"),
        ("auc > 0.95 and stage = ", "expected a value"),
        ("(auc > 0.95", "expected ')'"),
        ("auc>>>", "auc>>>: there is no operator >>>"),
        ("eu !auc>>0.9", "!auc>>0.9: there is no operator >>"),
        ("nosuch>=", "nosuch>=: expected a value after >="),
    ],
)
def test_a_query_counts_as_far_as_it_is_finished_and_says_what_is_missing(text: str, problem: str) -> None:
    assert problem in Filter(text).problem
    assert Filter("auc > 0.95 and ").matches(FIELDS) is False
    assert Filter("auc > 0.9 and ").matches(FIELDS) is True


@given(
    st.lists(WORDS, min_size=1, max_size=3),
    st.sampled_from(["", "u", "raud", "x"]),
    st.lists(WORDS, max_size=2),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), WORDS),
)
def test_what_is_typed_on_lets_pass_no_more(
    before: list[str], grown: str, more: list[str], fields: dict[str, str]
) -> None:
    first = Filter(" ".join(before))
    then = Filter(" ".join([*before[:-1], before[-1] + grown, *more]))
    if then.narrows(first):
        assert first.matches(fields) or not then.matches(fields)


def test_typing_on_is_noticed() -> None:
    assert Filter("fra").narrows(Filter("fr"))
    assert Filter("fra x").narrows(Filter("fra"))
    assert not Filter("fr").narrows(Filter("fra"))
    assert not Filter("!fra").narrows(Filter("!fr"))
    assert not Filter("auc>0").narrows(Filter("auc>"))
    assert not Filter("a or b").narrows(Filter("a or"))


def auc(number: int) -> float:
    """The metric of a version."""
    return number * 7919 % 1000 / 1000


def with_many(registry: Registry, number: int, steps: Callable[[Walk], Awaitable[None]]) -> None:
    """The interface on a model that has so many versions, which no test could register."""
    model = registry.model("tumor-screening")
    first = model.versions[-1]
    versions = tuple(
        replace(
            first,
            number=place,
            stages=(),
            record=replace(first.record, description=f"night {place % 31}", metrics={"auc": auc(place)}),
        )
        for place in range(1, number + 1)
    )
    app = Browser(registry, live=False)

    async def main() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: app.picture.ready, "the registry is read")
            somebody = Walk(pilot, app)
            app.open_text("tumor-screening")
            await somebody.settle()
            app.take(Reading(ticket=10**9, models={model.name: replace(model, versions=versions)}))
            await somebody.press("g")
            await steps(somebody)

    asyncio.run(main())


def test_a_key_in_the_filter_costs_little_over_ten_thousand_versions(registry: Registry) -> None:
    costs: list[float] = []

    async def steps(somebody: Walk) -> None:
        for text in ("/night 12", "/auc>0.995"):
            for key in text:
                started = time.process_time()
                await somebody.press(key)
                costs.append(time.process_time() - started)
            assert "of 10,000 versions" in somebody.status
            await somebody.press("escape")

    with_many(registry, 10_000, steps)
    # Half as much again as is promised, for machines that do other things meanwhile.
    assert statistics.median(costs) < 0.016 * 1.5 * pace()


def test_keys_are_answered_while_a_long_list_is_filtered_and_the_last_filter_wins(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        table = somebody.app._browse.versions
        for key in "/auc>0.5":
            somebody.app.post_message(key_event(key))
        await until(lambda: "looked at" in somebody.text, "the filter is at work")
        before = table.cursor_key
        somebody.app.post_message(key_event("down"))
        await until(lambda: table.cursor_key != before, "the cursor moves")
        assert "looked at" in somebody.text
        await somebody.type("0")
        await until(lambda: "looked at" not in somebody.text, "the filter is done", seconds=30)
        expected = sum(auc(place) > 0.5 for place in range(1, 30_001))
        assert f"{expected:,} of 30,000 versions" in somebody.status
        assert "new" not in somebody.status

    with_many(registry, 30_000, steps)
