"""Every screen at the sizes at which its own tests do not look: one walk, and at each stop the window changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from tui.browsing import NOW, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SMALL, NARROW, MIDDLE, WIDE = (60, 16), (80, 24), (120, 40), (200, 50)
EDGES = (SMALL, WIDE)
ALL = (SMALL, NARROW, MIDDLE, WIDE)


async def look(somebody: Walk, name: str, sizes: Sequence[tuple[int, int]] = EDGES) -> None:
    """Compare what is shown at some sizes; the window is as it was afterwards."""
    for size in sizes:
        await somebody.pilot.resize_terminal(*size)
        await somebody.settle()
        somebody.golden(name)
    await somebody.pilot.resize_terminal(*NARROW)
    await somebody.settle()


async def enter(somebody: Walk, *texts: str) -> None:
    """Type lines, and take each of them."""
    for text in texts:
        await somebody.press(*text, "enter")


def test_lists_versions_and_comparisons_at_every_size(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k")
        await look(somebody, "models", (SMALL,))
        await somebody.press("question_mark")
        await look(somebody, "help-models", (SMALL, MIDDLE, WIDE))
        await somebody.press("q", "ctrl+p", *"tum")
        await look(somebody, "palette-typed", ALL)
        await somebody.press("escape")
        await enter(somebody, ":open tumor-screening")
        await look(somebody, "versions", (SMALL,))
        await somebody.press("space", "space", "j")
        await look(somebody, "versions-marked", ALL)
        await somebody.press("c")
        await look(somebody, "compare-marked", ALL)
        await somebody.press("m")
        await look(somebody, "metrics-compare", ALL)
        await somebody.press("q", "q", "V", "j", "enter")
        for key, tab in zip(
            "123456", ("overview", "metrics", "hyperparameters", "card", "files", "history"), strict=True
        ):
            await somebody.press(key)
            await look(somebody, f"version-tab-{tab}", EDGES)

    walk(registry, steps)


def test_moves_words_and_oversight_at_every_size(registry: Registry, sample: Path) -> None:
    file = sample / "registry.toml"
    file.write_text(file.read_text().replace("reason = true", "reason = true\napprovals = 2"))
    registry.refresh()

    async def steps(somebody: Walk) -> None:
        await enter(somebody, ":open tumor-screening")
        await somebody.press("s")
        await look(somebody, "move-choice", ALL)
        await somebody.press("enter")
        await look(somebody, "move-judged", ALL)
        await somebody.press("q", "q", "a")
        await look(somebody, "approve-word", ALL)
        await somebody.press("escape", "escape", "q")
        await enter(somebody, ":activity", "/moved")
        await look(somebody, "activity-moved", EDGES)

    walk(registry, steps)


def test_forms_conflicts_and_clean_up_at_the_largest_size(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await enter(somebody, ":open iris-species")
        await somebody.press("e")
        await somebody.press("g", "enter")
        await somebody.press("ctrl+u", *"a new sentence", "enter")
        await look(somebody, "edit-one", (WIDE,))
        Registry(sample, clock=lambda: NOW).edit("iris-species:3", Edit(put={"description": "another sentence"}))
        await somebody.press("w")
        await somebody.press("enter")
        await look(somebody, "conflict-one", EDGES)
        await enter(somebody, ":discard")
        await somebody.press("y")
        await enter(somebody, ":archive")
        await look(somebody, "archive-one", (WIDE,))
        await somebody.press("escape", "escape")
        await somebody.press("n")
        await look(somebody, "register-one", EDGES)
        await somebody.press("escape")
        await somebody.press("q")
        await enter(somebody, ":settings")
        await look(somebody, "settings", ALL)

    walk(registry, steps)
