"""Every action of the table, pressed or typed as a person does it, on a real registry; and what has come of it there.

What an action does in full is tested beside its screen. Here each of them is done at least once, through the keys, the
real store and real files, and an action without such a run is an error.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.tui.actions import ACTIONS, actions_of
from stackroom.tui.screens.page import Page
from stackroom.tui.widgets.line_view import LineView
from support.registries import artifacts
from tui.browsing import MIDDLE, NOW, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

ELSEWHERE: Final = {
    "card": "test_edit_screen.py::test_the_card_that_a_guard_misses_is_written_from_the_move_and_the_move_goes_on",
    "editor": "test_tmux.py::test_metadata_is_edited_in_the_editor_and_the_keyboard_lives_on",
    "suspend": "test_terminal_manners.py::test_control_z_goes_back_to_the_shell_and_fg_goes_on",
}
"""What needs a terminal or an editor of its own, and the test that gives it one."""


class Doing:
    """Somebody who says what each key is for.

    Attributes:
        done: the ids of the actions that were done, by key or by command.
    """

    def __init__(self, somebody: Walk, done: list[str]) -> None:
        self.somebody = somebody
        self.done = done

    async def __call__(self, id_: str, *keys: str, then: str = "", where: str = "") -> None:
        """Press keys, the last of which does the action; the screen then shows a text, and is that screen."""
        before = len(self.done)
        await self.somebody.press(*keys)
        assert id_ in self.done[before:], f"{keys} did {self.done[before:]} and not {id_}\n{self.somebody.text}"
        assert then in self.somebody.text, f"{id_}: {then!r} is not shown\n{self.somebody.text}"
        assert where in {"", self.somebody.where()}, id_

    async def type(self, *texts: str) -> None:
        """Type lines, and take each of them."""
        for text in texts:
            await self.somebody.press(*text, "enter")


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The ids of actions, as they are done without an exception."""
    done: list[str] = []
    act = Page.act

    def recording(page: Page, id_: str, words: Sequence[str] = ()) -> None:
        act(page, id_, words)
        done.append(id_)

    def moving(name: str) -> None:
        real = getattr(LineView, f"action_{name}")

        def recording_move(view: LineView) -> None:
            real(view)
            done.append(name)

        monkeypatch.setattr(LineView, f"action_{name}", recording_move)

    monkeypatch.setattr(Page, "act", recording)
    for action in actions_of("list"):
        moving(action.id)
    yield done


async def browsing(does: Doing) -> None:
    """Lists, panes, filters and views."""
    await does("row_down", "j", then=">  digit-reader")
    await does("row_up", "k", then=">  diabetes-progression")
    await does("last_row", "G", then=">  wine-origin")
    await does("first_row", "g", then=">  diabetes-progression")
    await does("half_down", "ctrl+d", then=">  wine-origin")
    await does("half_up", "ctrl+u", then=">  diabetes-progression")
    await does("screen_down", "pagedown", then=">  wine-origin")
    await does("screen_up", "pageup", then=">  diabetes-progression")
    await does("sort", "o", then="sort LATEST")
    await does("reverse", "O", then="sort LATEST ▲")
    await does("save", *":save mine", "enter", then="saved as mine")
    await does.type(":sort model")
    await does("view", *":view mine", "enter", then="sort LATEST ▲")
    await does("forget", *":forget mine", "enter", then="mine is forgotten")
    await does("filter", "/", *"wine", "enter", then="filter: wine")
    await does("escape", "escape", then="5 models")
    await does("archived", ".", then="archived too")
    await does("preview", "p")
    await does("zoom", "+", then="METRIC")
    await does("zoom", "+")


async def going(does: Doing) -> None:
    """Panes, and what is beside the lists."""
    await does("pane_2", "2", where="versions")
    await does("pane_1", "1", where="models")
    await does("pane_3", "3", then="the keys scroll the preview")
    await does("pane_1", "1", where="models")
    await does("pane_4", "4", where="version")
    await does("back", "q", where="models")
    await does("next_pane", "tab", where="versions")
    await does("leave", "h", where="models")
    await does("copy", "y", "r", then="copied: ")
    await does("refresh", "r", then="read")
    await does("help", "?", then="Keys of this screen", where="text")
    await does("leave", "h", where="models")
    await does("command", ":")
    await does.somebody.press("escape")
    await does("settings", *":settings", "enter", where="text")
    await does("back", "backspace", where="models")
    await does("vanished", *":vanished", "enter", where="text")
    await does("back", "q")
    await does("palette", "ctrl+p", then="palette")
    await does.somebody.press("escape")
    await does("registry", "ctrl+o", then="registry")
    await does.somebody.press("escape")


async def reading(does: Doing) -> None:
    """A version, a comparison, a plot, and what happened."""
    await does.type(":open tumor-screening")
    await does("open", "enter", then="Overview", where="version")
    for number, shown in enumerate(("framework", "accuracy", "max_iter", "#", "model.", "registered"), 1):
        await does(f"tab_{number}", str(number), then=shown if number != 3 else "")
    await does("previous_tab", "shift+tab")
    await does("next_tab", "tab")
    await does("tab_4", "4")
    await does.type("/model")
    await does("next_match", "n")
    await does("previous_match", "N")
    await does("back", "q", where="versions")
    await does("mark", "space", then="1 marked")
    await does("unmark_all", "V", then="5 versions · sort")
    await does("mark_range", "v", "j", "v", then="2 marked")
    await does("compare", "c", where="compare")
    await does("only_differences", "=")
    await does("delta_form", "%")
    await does("baseline", "b")
    await does("columns_right", "l")
    await does("columns_left", "h")
    await does("details", "enter", where="text")
    await does.somebody.press("q")
    await does("export", "x", then="v CSV")
    await does.somebody.press("v")
    await does("export", "enter", then="written: ")
    await does("metrics", "m", where="metrics")
    await does("toggle_all", "V")
    await does("toggle", "space")
    await does("take", "enter", where="compare")
    await does("plot", "M", where="plot")
    await does("next_metric", "n")
    await does("previous_metric", "N")
    await does("point_left", "h")
    await does("point_right", "l")
    await does("axis", "o")
    await does("scale", "%")
    await does("open_point", "enter", where="version")


async def overseeing(does: Doing) -> None:
    """What happened, what is found, what needs attention."""
    await does("activity", "L", where="activity")
    await does("search", "S", *"tumor", "enter", then="tumor-screening:5", where="search")
    await does("review", "R", where="review")
    await does("doctor", "D", where="doctor")
    await does("fix", "f", then="sealed-writable", where="bulk")
    await does.type("fix")
    assert "finished" in does.somebody.text


async def deciding(does: Doing) -> None:
    """Words, moves, and moves taken back."""
    await does.type(":open iris-species")
    await does("approve", "a", then="approve iris-species:3", where="approve")
    await does.type("fast enough")
    assert "iris-species:3 approved for staging" in does.somebody.text
    await does("reject", "A", where="approve")
    await does.type("too slow")
    assert "iris-species:3 rejected for staging" in does.somebody.text
    await does("move", "s", then="choose the stage", where="move")
    await does("choose", "g", "enter", then="iris-species:3 → staging")
    await does("override", "space", then="OVERRIDES approvals")
    await does.somebody.press(*"an outage")
    await does("other", "tab")
    await does.type("iris-species:3")
    assert "iris-species:3 moved to staging" in does.somebody.text
    await does("undo", "z", where="move")
    await does.somebody.press("escape")
    await does.somebody.press("escape")
    await does.type(":open tumor-screening")
    await does("rollback", "U", where="move")


async def editing(does: Doing) -> None:
    """Metadata, also where two write at once."""
    registry = does.somebody.app.registry
    await does.type(":open iris-species")
    await does("edit", "e", where="edit")
    await does("add_field", "a", *"license", "enter", *"MIT", "enter", then="1 change")
    await does("undo_change", "u")
    await does("change", "g", "enter", "ctrl+u", *"new words", "enter", then="1 change")
    await does("unset", "x")
    await does("change", "enter", "ctrl+u", *"others", "enter")
    await does("write", "w", "enter", then="iris-species:3 edited: ", where="versions")
    for answer, id_ in (("e", "again"), ("f", "keep"), ("d", "discard")):
        await does.somebody.press("e")
        await does.somebody.press("g", "enter")
        await does.somebody.press("ctrl+u", *f"mine {answer}", "enter")
        Registry(registry.path, clock=lambda: NOW).edit("iris-species:3", Edit(put={"description": f"theirs {answer}"}))
        await does.somebody.press("w")
        await does.somebody.press("enter")
        assert does.somebody.where() == "conflict"
        if id_ == "discard":
            await does("discard", *":discard", "enter")
            await does.somebody.press("y")
        else:
            await does(id_, answer)
        if id_ == "again":
            await does("write", "w", "enter", then="iris-species:3 edited: ")


async def changing(does: Doing) -> None:
    """Tags, and clean-up."""
    await does.type(":open iris-species")
    await does("tags", "t", where="bulk")
    await does.type("flowers", "as agreed")
    await does.somebody.press("q")
    for id_, told in (("archive", "1 archived"), ("unarchive", "1 taken out")):
        await does(id_, *f":{id_} iris-species:2", "enter", where="bulk")
        await does.somebody.press("enter")
        assert told in does.somebody.text
        await does.somebody.press("q")
    await does("delete", *":delete iris-species:1", "enter", where="bulk")
    await does.type("iris-species:1", "a mistake")
    assert "1 deleted" in does.somebody.text
    await does.somebody.press("q")
    await does("restore", *":restore", "enter", then="iris-species:1")
    await does.somebody.press("enter")
    await does.type("iris-species:1")
    assert "1 restored" in does.somebody.text


async def making(does: Doing) -> None:
    """A model, and a version of it."""
    await does("new", "n", where="edit")
    await does.type("fresh")
    await does("write", "w", then="fresh is made", where="versions")
    await does("register", "n", where="edit")
    await does.type("output")
    await does("write", "w", then="fresh:1 registered", where="versions")


@pytest.fixture
def prepared(registry: Registry, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The sample, where staging asks for an approval that may be overridden; and something to register."""
    file = sample / "registry.toml"
    text = file.read_text().replace(
        "guards = { require", "guards = { approvals = { value = 2, overridable = true }, require"
    )
    file.write_text(text)
    registry.refresh()
    artifacts(tmp_path / "output")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TMUX", raising=False)
    return registry


async def _walking(journey: Callable[[Doing], Awaitable[None]], done: list[str], somebody: Walk) -> None:
    await journey(Doing(somebody, done))


async def _leaving(key: str, somebody: Walk) -> None:
    await somebody.press(key)
    assert somebody.left


def test_every_action_of_the_table_is_done_on_a_real_registry(
    prepared: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every: set[str] = set()
    with recorded(monkeypatch) as done:
        for journey in (browsing, going, reading, overseeing, deciding, editing, changing, making):
            walk(prepared, partial(_walking, journey, done), size=MIDDLE)
        for key, id_ in (("q", "quit_here"), ("ctrl+q", "quit")):
            walk(prepared, partial(_leaving, key))
            every.add(id_)
        every |= {*done, *ELSEWHERE}
    assert {action.id for action in ACTIONS} - every == set()
    assert not every - {action.id for action in ACTIONS}
    assert [name for name in os.listdir(tmp_path) if name.endswith(".csv")]
    reasons = [event.move.why for event in prepared.ledger("iris-species", "staging").events if event.move]
    assert reasons == ["an outage"]
    version = prepared.version("iris-species:3")
    assert (version.record.description, version.record.tags[-1]) == ("theirs d", "flowers")
    assert [one.number for one in prepared.model("iris-species").versions] == [1, 2, 3]
    assert prepared.version("fresh:1").seal is not None
