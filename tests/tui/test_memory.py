"""What is remembered between two runs: it comes back, and nothing that lies in its place does harm."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.settings import SavedView
from stackroom.errors import InvalidInputError, NotFoundError, RegistryError
from stackroom.registry.facade import Registry
from stackroom.store.userhome import state_path, write_state
from stackroom.tui.commands import History
from stackroom.tui.memory import HISTORY, Keeper, ListMemory, Memory, forget_view, memory_of, save_view, saved_views
from stackroom.tui.places import Personal
from tui.browsing import MIDDLE, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["pane", "model", "version", "models", "versions", "preview", "zoom", "metrics", "history"])


def test_what_was_written_is_read(registry: Registry) -> None:
    memory = Memory(
        pane="versions",
        model="tumor-screening",
        version="3",
        models=ListMemory(sort="updated", descending=True, filter="tag:x"),
        preview=False,
        zoom=True,
        metrics=("auc", "loss"),
        history=("open a", "sort auc"),
    )
    Keeper(registry).write(memory)
    assert Keeper(registry).read() == memory


def test_a_registry_elsewhere_is_another_one(registry: Registry, tmp_path: Path) -> None:
    Keeper(registry).write(Memory(model="a"))
    (tmp_path / "link").symlink_to(registry.path)
    assert Keeper(Registry(tmp_path / "link")).read() == Memory()


@given(st.binary(max_size=200))
def test_garbage_is_nothing(content: bytes) -> None:
    assert isinstance(memory_of(content), Memory)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_what_is_half_right_is_taken_half(document: dict[str, object]) -> None:
    memory = memory_of(json.dumps(document).encode())
    texts = (memory.model, memory.version, memory.models.filter, memory.versions.sort, *memory.metrics, *memory.history)
    assert all(text.isprintable() and len(text) <= 1000 for text in texts)
    assert memory.pane in {"models", "versions"}


def test_hostile_texts_and_endless_lists_are_left_out() -> None:
    document = {"model": "\x1b]52;c;eA==\x07", "metrics": ["a"] * 1000, "history": ["x\n:quit", *map(str, range(99))]}
    memory = memory_of(json.dumps(document).encode())
    assert memory.model == ""
    assert len(memory.metrics) == 64
    assert memory.history == tuple(map(str, range(99)))[-HISTORY:]
    assert memory_of(b"[" * 100_000) == Memory()


def test_a_home_that_cannot_be_written_is_no_trouble(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("in the way")
    Keeper(registry).write(Memory(model="a"))
    assert Keeper(registry).read() == Memory()
    with pytest.raises(RegistryError, match="cannot be saved: not a directory"):
        save_view(SavedView(name="a", filter="x"))


def test_views_are_saved_each_by_itself_and_taken_away() -> None:
    good = SavedView(name="good", filter="auc>0.9", sort="-auc")
    save_view(good)
    save_view(SavedView(name="all", list="models", sort="updated"))
    write_state(b"garbage", "views", "broken.json")
    write_state(b'{"filter": "x"}', "views", "no name.json")
    assert [view.name for view in saved_views()] == ["all", "good"]
    assert saved_views()[1] == good
    forget_view("good")
    assert [view.name for view in saved_views()] == ["all"]
    with pytest.raises(NotFoundError):
        forget_view("good")
    for name in ("../good", "", "a/b", ".hidden"):
        with pytest.raises(InvalidInputError):
            save_view(SavedView(name=name, filter="x"))
        with pytest.raises(NotFoundError):
            forget_view(name)


def test_the_history_goes_back_and_forth_and_returns_what_was_being_typed() -> None:
    history = History(["one"])
    history.add("two")
    history.add(" one ")
    assert history.lines == ["two", "one"]
    assert [history.step(1, "hal"), history.step(1, "one"), history.step(1, "two")] == ["one", "two", None]
    assert [history.step(-1, "two"), history.step(-1, "one"), history.step(-1, "hal")] == ["one", "hal", None]
    for number in range(100):
        history.add(str(number))
    assert len(history.lines) == HISTORY


def visit(registry: Registry, steps: Callable[[Walk], Awaitable[None]], size: tuple[int, int] = MIDDLE) -> None:
    walk(registry, steps, size=size, personal=Personal(remembers=True))


def test_model_sort_filter_panes_and_history_are_there_the_next_time(registry: Registry) -> None:
    async def first(somebody: Walk) -> None:
        await somebody.type("/t")
        await somebody.press("enter")
        await somebody.press("p")
        await somebody.type(":open tumor-screening")
        await somebody.press("enter")
        await somebody.type(":sort latency_ms")
        await somebody.press("enter")
        await somebody.type("/!nothing")
        await somebody.press("enter")
        await somebody.press("j", "+")
        somebody.app.chosen_metrics = ("accuracy", "latency_ms")
        somebody.app._browse.show_lists()
        await somebody.settle()
        seen.append(somebody.text.split())

    async def second(somebody: Walk) -> None:
        assert somebody.text.split() == seen[0]
        assert somebody.app.chosen_metrics == ("accuracy", "latency_ms")
        await somebody.press("colon", "up")
        assert "sort latency_ms" in somebody.text.splitlines()[-1]
        await somebody.press("up", "up")
        assert "open tumor-screening" in somebody.text.splitlines()[-1]
        await somebody.press("down", "down", "escape")
        await somebody.press("escape", "q")
        assert "filter: t" in somebody.status

    seen: list[list[str]] = []
    visit(registry, first)
    visit(registry, second)
    assert len(os.listdir(state_path() / "registries")) == 1


def test_what_is_gone_since_is_not_looked_for(registry: Registry) -> None:
    Keeper(registry).write(
        Memory(pane="versions", model="gone", version="7", models=ListMemory(sort="nothing", filter="digit"))
    )

    async def steps(somebody: Walk) -> None:
        assert "1 of 5 models" in somebody.status
        assert "sort MODEL" in somebody.status
        await somebody.press("escape", "l")
        assert somebody.where() == "versions"

    visit(registry, steps)
    Keeper(registry).write(Memory(pane="versions", model="tumor-screening", version="99"))

    async def there(somebody: Walk) -> None:
        assert "5 versions" in somebody.status

    visit(registry, there, (80, 24))


def test_nothing_is_remembered_where_that_is_not_wanted(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("l")

    walk(registry, steps)
    assert not state_path().exists()
