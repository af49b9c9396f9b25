"""The help, the commands and the reference say what the table of actions says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from stackroom.tui import commands
from stackroom.tui.actions import ACTIONS, SCREENS, Screen, actions_of
from stackroom.tui.glyphs import UNICODE
from stackroom.tui.present.help import commands_with_words, help_lines, reference
from stackroom.tui.screens.activity import ActivityPage
from stackroom.tui.screens.approve import ApprovePage
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.bulk import BulkPage
from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.conflict import ConflictPage
from stackroom.tui.screens.doctor import DoctorPage
from stackroom.tui.screens.edit import EditPage
from stackroom.tui.screens.metrics import MetricsPage
from stackroom.tui.screens.move import MovePage
from stackroom.tui.screens.plot import PlotPage
from stackroom.tui.screens.review import ReviewPage
from stackroom.tui.screens.search import SearchPage
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage
from tui.browsing import UPDATE, Walk, walk
from tui.routes import WAYS, reach

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry
    from stackroom.store.records import Version

KEYS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "keys.md"
PAGES: dict[Screen, type] = {
    "models": BrowsePage,
    "versions": BrowsePage,
    "version": VersionPage,
    "compare": ComparePage,
    "plot": PlotPage,
    "metrics": MetricsPage,
    "move": MovePage,
    "edit": EditPage,
    "conflict": ConflictPage,
    "bulk": BulkPage,
    "approve": ApprovePage,
    "activity": ActivityPage,
    "search": SearchPage,
    "review": ReviewPage,
    "doctor": DoctorPage,
    "text": TextPage,
}


def test_the_reference_is_the_table() -> None:
    if UPDATE:
        KEYS.write_text(reference(), encoding="utf-8")
    assert KEYS.read_text(encoding="utf-8") == reference(), "to accept it, run again with UPDATE_GOLDENS=1"
    for action in ACTIONS:
        assert f"| {action.id} |" in reference()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_action_of_a_screen_is_done_there_and_helped(screen: Screen) -> None:
    text = "\n".join("".join(cell.text for cell in line) for line in help_lines(screen, UNICODE))
    for action in actions_of(screen):
        assert callable(getattr(PAGES[screen], f"do_{action.id}", None)), action.id
        assert action.help in text
        assert action.id in commands.names(screen)


def test_help_looks_as_it_did_and_every_screen_has_its_own(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("question_mark")
        somebody.golden("help-models")
        await somebody.press("q", "l")
        await somebody.press("f1")
        assert "Mark the cursor's version" in somebody.text
        await somebody.press("escape", "l")
        await somebody.press("question_mark")
        assert "To the tab Overview" in somebody.text
        await somebody.press("q", "q", *":compare wine-origin:1 wine-origin:2", "enter")
        await somebody.press("question_mark")
        assert "Measure the others" in somebody.text

    walk(registry, steps)


def test_every_action_of_every_screen_can_be_done(registry: Registry) -> None:
    skipped = {"quit", "quit_here", "editor", "card", "suspend"}
    before = sorted(os.listdir(f"{registry.path}/stages/production"))

    async def steps(somebody: Walk) -> None:
        app = somebody.app
        for scope in WAYS:
            for action in actions_of(scope):
                await reach(somebody, scope)
                if action.id in skipped:
                    continue
                page = somebody.page
                page.act(action.id)
                if action.writes or scope == "conflict":
                    await somebody.settle()  # what it opens, it opens once something was read
                while somebody.page is not page and page in app.screen_stack:
                    app.pop_screen()
            await somebody.settle()

    walk(registry, steps)
    assert sorted(os.listdir(f"{registry.path}/stages/production")) == before


def test_commands_with_words_say_what_they_do_with_them() -> None:
    listed = dict(commands_with_words())
    assert {"open REF", "move REF STAGE", "view NAME", "save NAME", "registry NAME"} <= listed.keys()
    assert all(told.endswith(".") for told in listed.values())


class Named(NamedTuple):
    """As much of a model as completing asks for."""

    name: str
    versions: tuple[Version, ...] = ()


@pytest.mark.parametrize(
    ("text", "screen", "found"),
    [
        ("co", "models", ["command", "compare", "copy"]),
        ("zzz", "models", []),
        ("filter x", "models", []),
        (" x", "models", []),
        ("sort au", "versions", ["sort auc"]),
        ("move m:1 st", "versions", ["move m:1 staging"]),
        ("view ", "models", ["view good"]),
        ("registry x", "models", []),
        ("prom", "models", ["promote"]),
        ("promote x:1 s", "models", ["promote x:1 staging"]),
        ("approve x:1 s", "versions", ["approve x:1 staging"]),
        ("approve ir", "versions", ["approve iris"]),
        ("reject x:1 s", "versions", ["reject x:1 staging"]),
        ("tags ir", "versions", []),
        ("search ir", "models", []),
    ],
)
def test_completions(text: str, screen: Screen, found: list[str]) -> None:
    models: list[Any] = [Named("iris")]
    stages = {name: ["staging"] for name in ("move", "approve", "reject")}
    words = {"sort": ["auc"], **stages, "view": ["good"], "registry": ["production"]}
    assert commands.completions(text, screen, models, words) == found


def test_what_is_certain_is_completed() -> None:
    assert commands.common_start(["abc", "abd", "abcd"]) == "ab"
    assert commands.common_start(["same"]) == "same"
    assert commands.parse("  ") is None
    assert commands.parse("promote a b") == commands.Command("move", ("a", "b"))
