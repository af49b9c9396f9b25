"""A metric's history, and the choice of metrics, in the whole interface."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from stackroom.registry.facade import Registry
from stackroom.tui.glyphs import ASCII
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.metrics import MetricsPage
from stackroom.tui.screens.page import Page
from stackroom.tui.screens.plot import PlotPage
from stackroom.tui.screens.version import VersionPage
from tui.browsing import MIDDLE, NARROW, NOW, WIDE, Measured, Walk, walk
from tui.screen import until

if TYPE_CHECKING:
    from pathlib import Path

P = TypeVar("P", bound=Page)

SMALLEST = (60, 16)


def is_page(somebody: Walk, kind: type[P]) -> P:
    page = somebody.page
    assert isinstance(page, kind)
    return page


async def plot_tumor(somebody: Walk, metric: str = "accuracy") -> PlotPage:
    await somebody.press(*":open tumor-screening", "enter")
    await somebody.press(*f":plot {metric}", "enter")
    return is_page(somebody, PlotPage)


def said(somebody: Walk) -> str:
    """About the version under the cursor."""
    return somebody.text.splitlines()[2]


def chosen(somebody: Walk) -> tuple[str, ...]:
    return somebody.app.chosen_metrics


@pytest.mark.parametrize("size", [SMALLEST, NARROW, MIDDLE, WIDE])
def test_a_history_looks_as_it_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await plot_tumor(somebody)
        await somebody.press("h")
        somebody.golden("history")
        await somebody.press("n", "n", "o")
        somebody.golden("history-by-time")

    walk(registry, steps, size=size)


def test_a_history_in_ascii_is_ascii(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await plot_tumor(somebody)
        assert somebody.text.isascii()
        somebody.golden("history-ascii")
        await somebody.press("o")
        assert somebody.text.isascii()

    walk(registry, steps, glyphs=ASCII)


def test_what_production_measured_is_marked_with_a_legend_and_told_of_the_version(registry: Registry) -> None:
    for days, value in ((9, 0.97), (5, 0.95), (1, 0.91)):
        registry.observe("tumor-screening:4", {"accuracy": value}, at=NOW - timedelta(days=days))

    async def steps(somebody: Walk) -> None:
        await plot_tumor(somebody)
        await somebody.press("h")
        assert "observed" in somebody.text.splitlines()[1]
        somebody.golden("history-observed")
        await somebody.press("o")
        somebody.golden("history-observed-by-time")

    walk(registry, steps, size=MIDDLE)
    walk(registry, steps)

    async def in_ascii(somebody: Walk) -> None:
        await plot_tumor(somebody)
        somebody.golden("history-observed-ascii")
        assert somebody.text.isascii()

    walk(registry, in_ascii, glyphs=ASCII)


def test_the_cursor_goes_over_the_versions_and_says_what_they_are(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await plot_tumor(somebody)
        assert said(somebody).startswith(" 5  0.903509  5d ago by tim  staging? since 3d ago")
        await somebody.press("left")
        assert said(somebody).startswith(" 4 2.1.0  0.97807*  17d ago by grace  production? since 11d ago")
        await somebody.press("g")
        assert said(somebody).startswith(" 1 1.0.0  0.925439")
        await somebody.press("h", "l", "down")
        assert said(somebody).startswith(" 3 2.0.0")
        await somebody.press("G", "pageup")
        assert said(somebody).startswith(" 4 2.1.0")
        await somebody.press("enter")
        assert str(is_page(somebody, VersionPage).ref) == "tumor-screening:4"
        await somebody.press("q", "h", "c")
        assert [str(ref) for ref in is_page(somebody, ComparePage).refs] == ["tumor-screening:4", "tumor-screening:3"]

    walk(registry, steps)


def test_a_click_goes_to_the_nearest_version(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await plot_tumor(somebody)
        await somebody.pilot.click(page._sheet, offset=(35, 8))
        await somebody.settle()
        assert page.number == 2

    walk(registry, steps)


def test_metrics_are_gone_through_and_chosen_and_the_scale_is_told(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await plot_tumor(somebody)
        await somebody.press("n")
        assert page.metric == "auc"
        await somebody.press("N", "N")
        assert page.metric == "size_kb"
        await somebody.press("percent_sign")
        assert "logarithmic" in somebody.text
        await somebody.press("percent_sign")
        assert "logarithmic" not in somebody.text
        await somebody.press("m")
        await somebody.press(*"/loss", "enter")
        await somebody.press("enter")
        assert somebody.page is page
        assert page.metric == "log_loss"
        await somebody.press(*":plot nosuch", "enter")
        assert "has no metric nosuch" in somebody.status
        await somebody.press(*":plot lat", "tab")
        await somebody.press("enter")
        assert somebody.page.steps() == ["tumor-screening", "latency_ms"]
        await somebody.press("M")
        is_page(somebody, BrowsePage)

    walk(registry, steps)


def test_the_key_plots_what_the_cursor_or_the_sort_is_on(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k", "M")
        assert somebody.page.steps() == ["tumor-screening", "accuracy"]
        await somebody.press("q", *":open tumor-screening", "enter")
        await somebody.press(*":sort log_loss", "enter")
        await somebody.press("M")
        assert somebody.page.steps() == ["tumor-screening", "log_loss"]
        await somebody.press("q", *":open tumor-screening:3", "enter")
        await somebody.press("2", "j", "M")
        assert somebody.page.steps() == ["tumor-screening", "auc"]
        assert is_page(somebody, PlotPage).number == 3
        await somebody.press("q", "q", *":compare tumor-screening:2 tumor-screening:4", "enter")
        await somebody.press("j", "j", "M")
        assert somebody.page.steps() == ["tumor-screening", "log_loss"]

    walk(registry, steps)


def test_a_version_that_somebody_registers_appears_and_the_cursor_stays(sample: Path, ana: None) -> None:  # noqa: ARG001  # the fixture works by being there
    registry = Registry(sample, clock=lambda: NOW)

    async def steps(somebody: Walk) -> None:
        page = await plot_tumor(somebody)
        await somebody.press("h")
        Registry(sample, clock=lambda: NOW).register("tumor-screening", __file__, metrics={"accuracy": 0.99})
        await somebody.press("r")
        assert page.number == 4
        assert "6 versions" in somebody.status
        await somebody.press("G")
        assert " 6  0.99*" in somebody.text

    walk(registry, steps)


def test_a_model_without_any_metric_and_a_history_that_cannot_be_read_are_said(sample: Path, ana: None) -> None:  # noqa: ARG001  # the fixture works by being there
    registry = Registry(sample, clock=lambda: NOW)
    registry.new("bare")
    registry.register("bare", __file__)

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open bare", "enter")
        await somebody.press("M")
        assert "no version of bare has a metric" in somebody.status
        await somebody.press("m")
        assert "no metrics here" in somebody.status
        (sample / "stages/production").rename(sample / "stages/gone")
        (sample / "stages/production").write_text("no folder")
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("M")
        assert "●" in somebody.text
        assert "production" in somebody.status

    walk(registry, steps)


def test_chosen_metrics_are_the_columns_and_the_rows_and_stay_chosen(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("m")
        somebody.golden("metrics")
        await somebody.press("space", "space", "space", "enter")
        assert chosen(somebody) == ("latency_ms", "size_kb")
        head = somebody.text.splitlines()[1]
        assert "LATENCY_MS" in head
        assert "ACCURACY" not in head
        somebody.golden("versions-chosen")
        await somebody.press("M")
        assert somebody.page.steps() == ["tumor-screening", "latency_ms"]
        assert "metric 1 of 2" in somebody.status
        await somebody.press("q", *":compare tumor-screening:4 tumor-screening:5", "enter")
        assert "2 of 5 metrics" in somebody.status
        assert "accuracy" not in somebody.text
        await somebody.press("m", "V", "enter")
        assert not chosen(somebody)
        assert "of 5 metrics" not in somebody.status
        await somebody.press("g")
        assert "accuracy" in somebody.text

    walk(registry, steps)


def test_a_choice_can_be_filtered_and_given_up_and_is_never_empty(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("m")
        await somebody.press(*"/acc", "enter")
        await somebody.press("V")
        assert "4 of 5 metrics shown" in somebody.status
        await somebody.press("escape", "q")
        assert not chosen(somebody)
        await somebody.press("m", "V", "enter")
        is_page(somebody, MetricsPage)
        assert "choose one at least" in somebody.status
        await somebody.press("G", "space", "enter")
        assert chosen(somebody) == ("size_kb",)

    walk(registry, steps)


def test_what_two_keys_mark_at_once_stays_and_the_screen_comes_to_rest(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("m")
        page = somebody.page
        assert isinstance(page, MetricsPage)
        page.do_toggle()
        page.do_toggle()
        await somebody.settle()
        assert "3 of 5 metrics shown" in somebody.status
        await somebody.pilot.click(offset=(1, 2))
        await somebody.settle()
        assert "4 of 5 metrics shown" in somebody.status

    walk(registry, steps)


def test_the_choice_for_one_model_leaves_the_others_as_they_are(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("m", "V", "space", "enter")
        assert chosen(somebody) == ("accuracy",)
        await somebody.press(*":open diabetes-progression", "enter")
        columns = [column.label.split()[0] for column in somebody.app._browse.versions.columns]
        assert len([label for label in columns if label in {"MAE", "RMSE", "R2", "LATENCY_MS"}]) > 1

    walk(registry, steps)


def test_a_step_over_the_points_costs_less_than_700_bytes(registry: Registry) -> None:
    app = Measured(registry)

    async def main() -> None:
        async with app.run_test(size=NARROW) as pilot:
            await until(lambda: app.picture.ready, "the registry is read")
            somebody = Walk(pilot, app)
            await somebody.settle()
            await plot_tumor(somebody)
            costs = []
            for key in "hhhhlllhll":
                app.taken.clear()
                await somebody.press(key)
                costs.append(len("".join(app.taken).encode()))
            assert min(costs) > 0
            assert max(costs) < 700, costs
            app.taken.clear()
            await somebody.press("l")
            assert not app.taken

    asyncio.run(main())
