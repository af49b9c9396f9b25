"""Models are made and versions registered from a form: judged for each key, copied in sight, given up in whole."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.facade import Registry as FullRegistry
from stackroom.store import hashing
from stackroom.store.userfiles import paths_like
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.making import NewPage, RegisterPage
from tui.browsing import MIDDLE, NARROW, Walk, key_event, walk
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stackroom.registry.facade import Registry
    from stackroom.registry.registering import Registration

SMALL = (60, 16)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a training run leaves, in the folder where the program was started."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"x" * 3000)
    (folder / "README.md").write_text("# A card\n")
    (tmp_path / "other.bin").write_bytes(b"y")
    (tmp_path / "card.md").write_text("# Another card\n")
    (tmp_path / ".hidden").mkdir()
    return folder


async def register(somebody: Walk, model: str) -> RegisterPage:
    await somebody.press(*f":open {model}", "enter")
    await somebody.press("n")
    page = somebody.page
    assert isinstance(page, RegisterPage)
    return page


@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE])
def test_the_forms_look_as_they_did(registry: Registry, out: Path, size: tuple[int, int]) -> None:
    assert out.is_dir()

    async def steps(somebody: Walk) -> None:
        await somebody.press("n", *"iris_species")
        somebody.golden("new-too-similar")
        await somebody.press("escape", "q")
        await register(somebody, "iris-species")
        await somebody.press(*"out")
        await somebody.press("tab")
        await somebody.press("enter")
        await until(lambda: "? more" in somebody.text, "the line is closed and laid out")
        somebody.golden("register-looked")

    walk(registry, steps, size=size)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("iris_species", "too similar to the model 'iris-species'"),
        ("iris-species", "is there already"),
        ("Iris", "try iris"),
        ("credit", "does not fit this registry's names"),
        ("model", "reserved"),
    ],
)
def test_a_name_is_judged_while_it_is_typed(registry: Registry, sample: Path, name: str, told: str) -> None:
    with (sample / "registry.toml").open("a", encoding="utf-8") as file:
        file.write('\n[names]\npattern = "[a-z]+[-_][a-z]+|[a-z]{4}"\n')
    registry.refresh()

    async def steps(somebody: Walk) -> None:
        await somebody.press("n", *name)
        assert told in somebody.page.status.message
        await somebody.press("enter")
        assert somebody.page.prompt.question == "="

    walk(registry, steps)
    assert len(registry.models().models) == 5


def test_a_model_is_made_with_what_is_said_about_it_and_a_version_can_follow(registry: Registry, out: Path) -> None:
    assert out.is_dir()

    async def steps(somebody: Walk) -> None:
        await somebody.press("n")
        await somebody.press(*"fraud-detector", "enter")
        await somebody.press("j", "enter")
        await somebody.press(*"Scores card payments", "enter")
        await somebody.press("w")
        page = somebody.page
        assert isinstance(page, BrowsePage)
        assert "fraud-detector is made" in page.status.message
        assert (page.model, page.pane) == ("fraud-detector", "versions")
        await somebody.press("n")
        await somebody.press(*"output", "enter")
        await somebody.press("w")
        assert "fraud-detector:1 registered: 2 files" in somebody.page.status.message
        await somebody.press("q")
        assert page.models.cursor_key == "fraud-detector"

    walk(registry, steps)
    model = registry.model("fraud-detector")
    assert model.record.description == "Scores card payments"
    assert [version.number for version in model.versions] == [1]


def test_a_version_is_registered_with_its_label_card_and_metrics_and_the_cursor_is_there_with_nothing_marked(
    registry: Registry, out: Path
) -> None:
    assert out.is_dir()

    async def steps(somebody: Walk) -> None:
        page = await register(somebody, "iris-species")
        await somebody.press(*"nowhere", "enter")
        assert "cannot read nowhere" in page.status.message
        await somebody.press("g", "enter")
        await somebody.press("ctrl+u")
        await somebody.press(*"other.bin", "enter")
        assert "1 file, 1B, no card" in somebody.status
        await somebody.press("j", "enter")
        await somebody.press(*"9", "enter")
        assert "all digits would read as a version's number" in page.status.message
        await somebody.press("backspace", *"v9", "enter")
        await somebody.press("j", "enter")
        await somebody.press(*"card.md", "enter")
        await somebody.press("a", *"metrics.accuracy", "enter")
        await somebody.press(*"0.99", "enter")
        await somebody.press("w")
        browse = somebody.page
        assert isinstance(browse, BrowsePage)
        assert "iris-species:4 registered: 2 files" in browse.status.message
        assert (browse.versions.cursor_key, browse.versions.marks) == ("4", ())
        assert "~ 4" in somebody.text

    walk(registry, steps)
    version = registry.version("iris-species:v9")
    assert (version.number, version.record.metrics, registry.card(version.ref)) == (
        4,
        {"accuracy": 0.99},
        "# Another card\n",
    )


def test_a_copy_shows_how_far_it_is_and_escape_leaves_nothing_behind(
    registry: Registry, sample: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert out.is_dir()
    at_work, go_on = threading.Event(), threading.Event()

    read = hashing.chunks

    def slow(fd: int, expected: int) -> Iterator[memoryview]:
        for chunk in read(fd, expected):
            yield chunk[:1000]
            at_work.set()
            go_on.wait(10)
            yield chunk[1000:]

    monkeypatch.setattr(hashing, "chunks", slow)
    before = sorted(os.listdir(sample / "models/iris-species"))

    async def steps(somebody: Walk) -> None:
        page = await register(somebody, "iris-species")
        await somebody.press(*"output/model.bin", "enter")
        page.act("write")
        await until(lambda: "copying: 1.00K of 3.00K" in somebody.text, "progress is shown")
        assert "esc gives up" in page.status.message
        page.act("escape")
        assert page.status.message == "giving up"
        go_on.set()
        await somebody.settle()
        assert somebody.page is page
        assert "nothing was registered, and nothing is left of it" in page.status.message

    walk(registry, steps)
    assert sorted(os.listdir(sample / "models/iris-species")) == before


def test_going_back_while_files_are_copied_asks_first(
    registry: Registry, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert out.is_dir()
    at_work, go_on = threading.Event(), threading.Event()

    def publish(_self: Registry, _model: str, registration: Registration) -> None:
        assert registration.progress is not None
        at_work.set()
        go_on.wait(10)
        registration.progress(1)

    monkeypatch.setattr(FullRegistry, "publish", publish)

    async def steps(somebody: Walk) -> None:
        page = await register(somebody, "iris-species")
        await somebody.press(*"output/model.bin", "enter")
        page.act("write")
        await until(at_work.is_set, "it is at work")
        for answer, given_up in (("n", False), ("escape", False), ("y", True)):
            page.act("back")
            assert page.choices.display
            somebody.app.post_message(key_event(answer))
            await until(lambda: not page.choices.display and page.focused is not page.choices, "it is answered")
            assert (page.status.message == "giving up") is given_up
        go_on.set()
        await somebody.settle()
        assert somebody.page is page
        assert "nothing was registered" in page.status.message

    walk(registry, steps)


def test_paths_are_completed_by_folder_and_hidden_ones_only_when_meant(out: Path, tmp_path: Path) -> None:
    assert out.is_dir()
    assert paths_like("") == ["card.md", "other.bin", "output/"]
    assert paths_like("ot") == ["other.bin"]
    assert paths_like("output/") == ["output/README.md", "output/model.bin"]
    assert paths_like(".h") == [".hidden/"]
    assert paths_like(f"{tmp_path}/out") == [f"{tmp_path}/output/"]
    assert paths_like("nowhere/x") == []
    assert paths_like("a\0b/") == []


def test_what_was_typed_for_something_new_is_asked_for_before_it_goes(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("n")
        await somebody.press(*"fraud-detector", "enter")
        page = somebody.page
        assert isinstance(page, NewPage)
        await somebody.press("E")
        assert "make the model first" in page.status.message
        await somebody.press("q")
        assert "1 change not written" in somebody.text
        await somebody.press("d")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)
    assert len(registry.models().models) == 5
