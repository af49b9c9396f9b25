"""Finding one's way: the palette, saved views, other registries, panes, the title of the window."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stackroom.core.settings import NamedRegistry, SavedView, Settings, settings_of
from stackroom.registry.conflicts import metadata_conflict
from stackroom.registry.facade import Registry
from stackroom.store import access
from stackroom.tui import editing, picture, terminal
from stackroom.tui.actions import BY_ID, SCREENS, actions_of
from stackroom.tui.memory import Keeper, saved_views
from stackroom.tui.places import Personal, Places, names_of
from stackroom.tui.running import _NOT_OFFERED, entries
from tui.browsing import MIDDLE, WIDE, Walk, key_event, walk
from tui.screen import screen_styles

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.tui.actions import Screen

TITLED = "\x1b]2;"


# ---- the palette


def test_the_palette_looks_as_it_did_and_does_what_it_offers(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("ctrl+p")
        somebody.golden("palette")
        await somebody.type("tumor")
        assert "tumor-screening" in somebody.text
        await somebody.press("enter")
        assert somebody.where() == "versions"
        assert "5 versions" in somebody.status
        await somebody.press("ctrl+p", *"tumor-screening:4", "enter")
        assert somebody.where() == "version"
        await somebody.press("ctrl+p", *"hyper", "enter")
        assert "learning_rate" in somebody.text or "HYPERPARAMETER" in somebody.text.upper()
        await somebody.press("ctrl+p", *"no such thing")
        assert "nothing has this name" in somebody.text
        await somebody.press("enter", "escape")
        assert somebody.where() == "version"

    walk(registry, steps)


def test_arrows_choose_and_escape_does_nothing(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("ctrl+p", *"pane")
        first = somebody.text
        await somebody.press("down")
        assert somebody.text != first
        await somebody.press("up")
        assert somebody.text == first
        await somebody.press("escape")
        assert somebody.page is somebody.app._browse
        assert not somebody.left
        await somebody.press("ctrl+p", *"pane_2", "enter")
        assert somebody.where() == "versions"

    walk(registry, steps)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_action_of_a_screen_is_in_its_palette(registry: Registry, screen: Screen) -> None:
    ways: dict[Screen, str] = {
        "models": "",
        "versions": "open tumor-screening",
        "version": "open tumor-screening:3",
        "compare": "compare tumor-screening:3 tumor-screening:4",
        "plot": "plot",
        "metrics": "metrics",
        "move": "move tumor-screening:5 production",
        "edit": "edit",
        "conflict": "",
        "bulk": "archive",
        "approve": "approve tumor-screening:5 production",
        "activity": "activity",
        "search": "search auc>0.5",
        "review": "review",
        "doctor": "doctor",
        "text": "help",
    }

    async def steps(somebody: Walk) -> None:
        for command in ("open tumor-screening", ways[screen]):
            somebody.app.run_command(somebody.page, command if screen != "models" else "")
            await somebody.settle()
        if screen == "conflict":
            start = editing.draft(registry, "tumor-screening:1").start
            error = metadata_conflict(start.ref, start.at(0), start.at(0), start.record, who=registry.who)
            somebody.app.settle(editing.conflict(start, start.text, "", error))
            await somebody.settle()
        assert somebody.where() == screen
        offered = {entry.command for entry in entries(somebody.app, somebody.page, "")}
        assert {action.id for action in actions_of(screen)} - _NOT_OFFERED <= offered

    walk(registry, steps)


def test_what_a_reader_cannot_do_is_not_in_the_footer_and_grey_in_help_and_palette_which_say_why(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = access.access_to
    for name in ("access_to", "access_to_models"):
        monkeypatch.setattr(picture, name, lambda path: replace(real(path), allowed=False, group="ml-release"))

    async def steps(somebody: Walk) -> None:
        offered = {hint.id for hint in somebody.page.hints._hints}
        assert {id_ for id_ in offered if BY_ID[id_].writes} <= {"move"}, "that screen tells a reader of every guard"
        assert "open" in offered
        await somebody.press("?", "pagedown")
        assert "(read-only: needs ml-release)" in " ".join(somebody.text.split())
        await somebody.press("q")
        await somebody.press("ctrl+p", *"rollback")
        assert "read-only: needs ml-release" in somebody.text
        await somebody.press("enter")
        assert "read-only" in somebody.text.splitlines()[0]
        assert somebody.where() == "text"

    walk(registry, steps)


# ---- saved views


def test_a_view_is_saved_shown_again_and_forgotten(registry: Registry) -> None:
    settings = settings_of(b'[views]\nscreen = { list = "models", filter = "screen", sort = "-latest" }\n', file="c")

    async def steps(somebody: Walk) -> None:
        await somebody.type(":open tumor-screening")
        for line in ("", "/accuracy>0.95", ":sort accuracy"):
            await somebody.type(line)
            await somebody.press("enter")
        shown = somebody.text.splitlines()[1:-2]
        await somebody.press(*":save good", "enter")
        assert "saved as good" in somebody.status
        assert saved_views() == (SavedView(name="good", filter="accuracy>0.95", sort="-accuracy"),)
        await somebody.press("escape", *":sort version")
        await somebody.press("enter")
        assert somebody.text.splitlines()[1:-2] != shown
        await somebody.press("apostrophe")
        somebody.golden("views")
        await somebody.press(*"good", "enter")
        assert somebody.text.splitlines()[1:-2] == shown
        await somebody.press(*":view screen", "enter")
        assert somebody.where() == "models"
        assert "filter: screen" in somebody.status
        await somebody.press("escape", *":view good", "enter")
        assert somebody.where() == "versions"
        await somebody.press(*":view god", "enter")
        assert "did you mean good?" in somebody.status
        await somebody.press(*":save screen", "enter")
        assert "the settings have a view screen" in somebody.status
        await somebody.press(*":save a/b", "enter")
        assert "is no name for a view" in somebody.status
        await somebody.press(*":forget go")
        await somebody.press("tab")
        await somebody.press("enter")
        assert "good is forgotten" in somebody.status
        assert saved_views() == ()

    walk(registry, steps, personal=Personal(settings=settings))


# ---- registries


@pytest.fixture
def other(sample: Path, tmp_path: Path) -> Path:
    """A second registry, with one model less."""
    shutil.copytree(sample, tmp_path / "other", symlinks=True)
    shutil.rmtree(tmp_path / "other" / "models" / "wine-origin")
    for event in (tmp_path / "other" / "stages").glob("*/wine-origin@*"):
        event.unlink()  # a model that holds a stage is listed also without its folder
    return tmp_path / "other"


def two(sample: Path, other: Path) -> Personal:
    places = (
        NamedRegistry(name="lab", path=str(sample)),
        NamedRegistry(name="production", path=str(other), accent="red"),
    )
    return Personal(named=places, remembers=True)


def test_another_registry_takes_the_place_of_this_one(registry: Registry, sample: Path, other: Path) -> None:
    async def steps(somebody: Walk) -> None:
        app = somebody.app
        await somebody.press("l")
        await somebody.press("ctrl+o")
        assert "is shown" in somebody.text
        await somebody.press(*"none")
        assert "nothing has this name" in somebody.text, "there are others: only not of this name"
        await somebody.press("ctrl+u", *"prod", "enter")
        assert str(app.registry.path) == str(other)
        assert "4 models" in somebody.status
        assert "[production]" in somebody.text.splitlines()[0]
        assert any("#b3261e" in style for style in screen_styles(app, 0))
        assert app.pages() == [app._browse]
        await somebody.press("l")
        await somebody.press(*":registry l")
        await somebody.press("tab")
        await somebody.press("enter")
        assert "[" not in somebody.text.splitlines()[0]
        assert somebody.where() == "versions", "where somebody was is there again"
        await somebody.press(*":registry lba", "enter")
        assert "there is no registry lba; did you mean lab?" in somebody.status

    walk(registry, steps, personal=two(sample, other), place="lab")
    assert Keeper(Registry(other)).read().model


def test_a_registry_that_cannot_be_opened_leaves_the_present_one(registry: Registry, tmp_path: Path) -> None:
    personal = Personal(named=(NamedRegistry(name="none", path=str(tmp_path / "none")),))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":registry none", "enter")
        assert "cannot open the registry" in somebody.status
        assert "wine-origin" in somebody.text
        assert somebody.app.registry is registry

    walk(registry, steps, personal=personal)


def test_what_was_still_being_read_of_the_old_registry_does_not_arrive(
    registry: Registry, sample: Path, other: Path
) -> None:
    async def steps(somebody: Walk) -> None:
        app = somebody.app
        old = app._live
        await somebody.press(*":registry production", "enter")
        app.read()
        await somebody.settle()
        assert app._live is not old or old is None
        assert "wine-origin" not in app.picture.models

    walk(registry, steps, personal=two(sample, other), place="lab")
    walk(registry, steps, personal=two(sample, other), place="lab", live=True)


def test_registries_of_the_command_line_have_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b" / "a").mkdir(parents=True)
    settings = Settings(registries=(NamedRegistry(name="lab", path=str(tmp_path / "a"), accent="blue"),))
    named = names_of(
        [str(tmp_path / "a"), str(tmp_path / "b" / "a"), str(tmp_path / "a" / ".." / "b"), "lab"], settings
    )
    assert [place.name for place in named] == ["lab", "a", "b", "lab"]
    assert named[0].accent == "blue"
    twice = names_of([str(tmp_path / "a"), str(tmp_path / "b" / "a")], Settings())
    assert [place.name for place in twice] == ["a", "a-2"]
    places = Places(Personal(settings=settings, named=named), "lab")
    assert places.names() == ["lab", "a", "b"]
    assert places.accent() == "#1d4ed8"


# ---- panes


def focused(somebody: Walk) -> str:
    """What has the keys."""
    return type(somebody.app.focused).__name__


def test_numbers_go_to_panes_and_the_preview_scrolls(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("2")
        assert somebody.where() == "versions"
        await somebody.press("1")
        assert somebody.where() == "models"
        await somebody.press("3")
        assert focused(somebody) == "Preview"
        cursor = somebody.app._browse.models.cursor_key
        await somebody.press("j", "j")
        assert somebody.app._browse.models.cursor_key == cursor
        await somebody.press("escape")
        assert focused(somebody) == "ModelsTable"
        await somebody.press("3", "c")
        assert "open a model first" in somebody.status
        await somebody.press("2", "3", "p")
        assert focused(somebody) == "VersionsTable"
        await somebody.press("3", "q")
        assert not somebody.left
        assert somebody.where() == "versions"
        await somebody.press("4")
        assert str(getattr(somebody.page, "ref", "")) == "diabetes-progression:4"
        await somebody.press("q", "1", "j", "4")
        assert str(getattr(somebody.page, "ref", "")) == "digit-reader:6"
        await somebody.press("q")

    for size in ((80, 24), MIDDLE, WIDE):
        walk(registry, steps, size=size)


# ---- the window


def test_a_title_is_harmless_short_and_only_where_there_are_titles() -> None:
    assert terminal.title("a\x1b]0;b\x07", "xterm-256color") == f"{TITLED}a␛]0;b␇\x07"
    assert len(terminal.title("x" * 1000, "tmux-256color")) < 120
    assert terminal.title("a", "screen.xterm-256color")
    for term in (None, "", "linux", "vt100", "dumb", "ansi"):
        assert terminal.title("a", term) == ""


def test_colours_of_the_settings_are_asked_for_unless_the_user_asked_before() -> None:
    environ = {"TEXTUAL_COLOR_SYSTEM": "256"}
    terminal.prepare(environ, "16")
    assert environ["TEXTUAL_COLOR_SYSTEM"] == "256"
    for colours, wanted in (("16", "standard"), ("256", "256"), ("truecolor", "truecolor"), ("auto", None)):
        environ = {}
        terminal.prepare(environ, colours)
        assert environ.get("TEXTUAL_COLOR_SYSTEM") == wanted
    terminal.prepare(environ, "none")
    assert terminal.wants_no_colour(environ)


def test_a_size_in_the_environment_is_not_the_size_of_the_terminal() -> None:
    environ = {"COLUMNS": "80", "LINES": "24"}
    terminal.prepare(environ)
    assert not environ.keys() & {"COLUMNS", "LINES"}


@pytest.mark.parametrize("word", ["move", "promote"])
def test_a_move_without_words_says_what_it_needs_where_no_version_is_chosen(registry: Registry, word: str) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*f":{word}", "enter")
        assert somebody.page.status.message == f":{word} needs to know which: REF STAGE"

    walk(registry, steps)


def test_an_escape_from_before_the_palette_was_there_closes_it_and_what_follows_goes_to_the_list(
    registry: Registry,
) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("ctrl+p")
        early = key_event("escape")
        early.time = 0.0
        somebody.app.post_message(early)
        await somebody.press("j", "j")
        assert somebody.where() == "models"
        assert somebody.text.splitlines()[4].startswith(">  iris")

    walk(registry, steps)


def test_a_key_that_was_on_its_way_to_a_palette_that_is_left_is_for_the_screen_below(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("ctrl+p")
        line = somebody.page.focused
        assert line is not None
        somebody.page.act("escape")
        line.post_message(key_event("enter"))
        await somebody.settle()
        assert somebody.where() == "versions"

    walk(registry, steps)


@pytest.mark.parametrize(("way", "leave"), [("ctrl+p", "escape"), ("question_mark", "back"), ("S", "leave")])
def test_what_leaves_a_screen_twice_at_once_leaves_the_one_below_where_it_is(
    registry: Registry, way: str, leave: str
) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(way)
        page = somebody.page
        page.act(leave)
        page.act(leave)
        await somebody.settle()
        assert somebody.app.pages() == [somebody.app._browse]
        await somebody.press("enter")
        assert somebody.where() == "versions"

    walk(registry, steps)
