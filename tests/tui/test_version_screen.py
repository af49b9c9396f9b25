"""One version in its tabs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.version import VersionPage
from tui.browsing import MIDDLE, NARROW, NOW, Walk, walk

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry

TABS = ("overview", "metrics", "hyperparameters", "card", "files", "history")


async def open_version(somebody: Walk, ref: str) -> VersionPage:
    await somebody.press(*f":open {ref}", "enter")
    page = somebody.page
    assert isinstance(page, VersionPage)
    return page


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_every_tab_looks_as_it_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await open_version(somebody, "tumor-screening:3")
        for number, name in enumerate(TABS, 1):
            await somebody.press(str(number))
            somebody.golden(f"version-{name}")

    walk(registry, steps, size=size)


def test_tabs_turn_around_and_can_be_clicked(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await open_version(somebody, "iris-species:latest")
        await somebody.press("tab", "right_square_bracket", "l", "l")
        assert page.tab == 4
        await somebody.press("tab", "tab")
        assert page.tab == 0
        await somebody.press("shift+tab", "left_square_bracket")
        assert page.tab == 4
        await somebody.pilot.click("TabBar", offset=(20, 0))
        await somebody.settle()
        assert page.tab == 1
        await somebody.press("h")
        assert somebody.page is somebody.app._browse

    walk(registry, steps)


def test_text_is_found_and_tables_are_filtered(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await open_version(somebody, "tumor-screening:5")
        await somebody.press("4", *"/evaluation")
        await somebody.press("enter")
        assert "## Evaluation" in somebody.text
        await somebody.press("n")
        assert "no more 'evaluation'" in somebody.status
        await somebody.press("N", "3", *"/l1")
        await somebody.press("enter")
        assert "l1_ratio" in somebody.text
        assert "max_iter" not in somebody.text
        await somebody.press("escape")
        assert "max_iter" in somebody.text

    walk(registry, steps)


def test_c_compares_with_the_holder_and_says_so_when_there_is_none(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await open_version(somebody, "iris-species:1")
        await somebody.press("c")
        assert "nobody else holds production" in somebody.status
        await somebody.press("q")
        await open_version(somebody, "wine-origin:1")
        await somebody.press("c")
        assert isinstance(somebody.page, ComparePage)
        assert [str(ref) for ref in somebody.page.refs] == ["wine-origin:4", "wine-origin:1"]

    walk(registry, steps)


def test_a_version_whose_seal_is_broken_still_opens(registry: Registry, sample: Path) -> None:
    (sample / "models/tumor-screening/1/SHA256SUMS").unlink()
    (sample / "models/tumor-screening/1/version.toml").write_text("metrics = 3\n")

    async def steps(somebody: Walk) -> None:
        await open_version(somebody, "tumor-screening:1")
        assert "version.toml" in somebody.text
        for number in "23456":
            await somebody.press(number)
        await somebody.press("5")
        assert "SHA256SUMS" in somebody.text

    walk(registry, steps)


def test_a_version_that_goes_while_it_is_read_says_so(registry: Registry, sample: Path) -> None:
    import shutil  # noqa: PLC0415  # only here

    async def steps(somebody: Walk) -> None:
        await open_version(somebody, "iris-species:2")
        shutil.rmtree(sample / "models/iris-species/2")
        somebody.app.read_model("iris-species")
        await somebody.settle()
        assert "iris-species:2 is gone" in somebody.text
        for key in ("s", "c", "y", "2", "q"):
            await somebody.press(key)
        assert somebody.page is somebody.app._browse

    walk(registry, steps)


def test_the_overview_tells_what_production_measured_and_holds_it_against_the_monitor(
    registry: Registry, sample: Path
) -> None:
    file = sample / "registry.toml"
    monitor = '[stages.production.monitor]\nmetrics = ["accuracy >= 0.95", "f1 > 0"]\n'
    file.write_text(f"{file.read_text()}\n{monitor}")
    registry.refresh()
    registry.observe("tumor-screening:4", {"accuracy": 0.91}, at=NOW - timedelta(hours=2))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening:4", "enter")
        text = somebody.text
        assert re.search(r"accuracy +0\.91 +2h ago by ana on \S+, 1 observation", text)
        assert re.search(r"production +degraded: accuracy >= 0\.95 within 24 h, 0\.91 in 1 observation", text)
        assert re.search(r"production +silent: f1 > 0 within 24 h, nothing was observed", text)
        (sample / "observations").rename(sample / "away")
        (sample / "observations").write_text("no folder")
        await somebody.press("r")
        assert "cannot read" in somebody.text

    walk(registry, steps, size=MIDDLE)
