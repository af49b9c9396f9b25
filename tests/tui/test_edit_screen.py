"""Metadata is edited field by field, judged for each key, and written as one revision or not at all."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.tui import editing
from stackroom.tui.app import Browser
from stackroom.tui.screens.conflict import ConflictPage
from stackroom.tui.screens.edit import EditPage
from stackroom.tui.screens.version import VersionPage
from support.users import User, run_as
from tui.browsing import MIDDLE, NARROW, NOW, Walk, everything_imported, walk
from tui.screen import until

if TYPE_CHECKING:
    from stackroom.registry.editables import Editable
    from stackroom.registry.editing import Revised

SMALL = (60, 16)


async def edit(somebody: Walk, ref: str) -> EditPage:
    await somebody.press(*f":open {ref}", "enter")
    await somebody.press("e")
    page = somebody.page
    assert isinstance(page, EditPage)
    return page


async def say(somebody: Walk, field: str, text: str) -> None:
    """Make a field say something else, by its name."""
    await somebody.press("a", *field, "enter")
    await somebody.press("ctrl+u", *text, "enter")


@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE])
def test_the_form_and_the_conflict_look_as_they_did(registry: Registry, sample: Path, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await edit(somebody, "iris-species:1")
        somebody.golden("edit")
        await say(somebody, "license", "MIT")
        await somebody.press("a", *"metrics.accuracy", "enter")
        await somebody.press(*"x")
        somebody.golden("edit-typing")
        await somebody.press("escape")
        await say(somebody, "tags", "flowers, small")
        somebody.golden("edit-changed")
        other = Registry(sample, clock=lambda: NOW)
        other.edit("iris-species:1", Edit(put={"tags": ["eu"], "team": "botany"}, reason="she asked for it"))
        somebody.app.read_model("iris-species")
        await until(lambda: "wrote revision 1" in somebody.text, "the banner")
        await somebody.settle()
        somebody.golden("edit-overtaken")
        await somebody.press("w", *"because", "enter")
        assert isinstance(somebody.page, ConflictPage)
        somebody.golden("conflict")

    walk(registry, steps, size=size)


def test_changes_are_collected_and_written_as_one_revision(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await say(somebody, "metrics.f1", "0.875")
        await say(somebody, "hyperparameters.max_depth", "3")
        await say(somebody, "team", "")
        assert registry.version("iris-species:1").revision == 0
        assert "4 changes, not written" in somebody.status
        await somebody.press("w", *"measured again")
        await somebody.press("enter")
        assert isinstance(somebody.page, VersionPage)
        assert "iris-species:1 edited: " in somebody.page.status.message
        assert "(revision 1)" in somebody.page.status.message

    walk(registry, steps)
    version = registry.version("iris-species:1")
    record = version.record
    assert (version.revision, record.license, record.team) == (1, "MIT", "")
    assert (record.metrics["f1"], record.hyperparameters["max_depth"]) == (0.875, 3)
    note = registry.revisions("iris-species:1")[-1].note
    assert note is not None
    assert note.reason == "measured again"


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("metrics.auc", "abc", "metrics.auc: expected a number, found 'abc'"),
        ("metrics.auc", "nan", "a metric is a finite number"),
        ("archived", "perhaps", "archived: expected true or false"),
        ("datasets", "[{name=", "datasets: not TOML"),
        ("datasets", '[{uri = "x"}]', "datasets[0].name: expected a name"),
        ("lineage.parents", "no ref!", "lineage.parents[0]: expected a reference"),
        ("tags", "x" * 129, "tags[0]: expected 1 to 128 characters"),
    ],
)
def test_the_validator_speaks_while_it_is_typed_and_enter_takes_nothing_wrong(
    registry: Registry, field: str, text: str, told: str
) -> None:
    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await somebody.press("a", *field, "enter")
        await somebody.press("ctrl+u")
        await somebody.press(*text)
        assert told in page.status.message
        await somebody.press("enter")
        assert told in page.status.message
        assert somebody.page.prompt.question == "="
        await somebody.press("escape")
        assert page.changes() == []

    walk(registry, steps)


@pytest.mark.parametrize("field", ["created", "revised_by", ".", "x."])
def test_what_is_sealed_is_no_field(registry: Registry, field: str) -> None:
    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await somebody.press("a", *field, "enter")
        assert "sealed" in page.status.message or "not the name of a field" in page.status.message

    walk(registry, steps)


def test_fields_are_taken_away_and_let_be_as_they_were(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:2")
        await somebody.press("x")
        assert page.mine.description == ""
        assert [entry.name for entry in page.changes()] == ["description"]
        await somebody.press("u")
        assert page.changes() == []
        await somebody.press("u", *"jjjjjj", "x", "w")
        assert page.status.message == "nothing is changed"
        await somebody.press("q")
        assert isinstance(somebody.page, VersionPage)

    walk(registry, steps)


def content_of(messages: list[str]) -> str:
    """What lies in the file that the last message names; the file goes."""
    path = Path(messages[-1].rpartition(" ")[2])
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return text


def test_what_is_not_written_is_asked_for_and_kept_in_a_file(registry: Registry) -> None:
    told: list[str] = []

    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press("q")
        assert "1 change not written" in somebody.text
        await somebody.press("escape")
        assert somebody.page is page
        await somebody.press("ctrl+q")
        assert not somebody.left
        await somebody.press("f")
        told.append(somebody.page.status.message)
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press("ctrl+q")
        await somebody.press("ctrl+q")
        assert somebody.left

    walk(registry, steps)
    text = content_of(told)
    assert text.startswith("#: iris-species:1, revision 0.")
    assert 'license = "MIT"' in text
    assert registry.version("iris-species:1").revision == 0


def test_fields_that_nobody_else_changed_go_on_top_of_theirs(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        Registry(sample, clock=lambda: NOW).edit("iris-species:1", Edit(put={"team": "botany"}))
        await somebody.press("w", *"why")
        await somebody.press("enter")
        page = somebody.page
        assert isinstance(page, ConflictPage)
        assert "no field was changed by both" in somebody.status
        await somebody.press("enter")
        assert "botany" in somebody.text
        await somebody.press("q")
        assert somebody.page is page
        await somebody.press("w")
        assert (
            "iris-species:1 edited: license (revision 2); on top of revision 1 by ana" in somebody.page.status.message
        )

    walk(registry, steps)
    version = registry.version("iris-species:1")
    assert (version.revision, version.record.license, version.record.team) == (2, "MIT", "botany")


def test_where_both_changed_a_field_one_edits_again_beside_theirs(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await say(somebody, "team", "mine")
        Registry(sample, clock=lambda: NOW).edit("iris-species:1", Edit(put={"team": "botany"}))
        await somebody.press("w", *"why")
        await somebody.press("enter")
        await somebody.press("w")
        assert "both changed team: e edits again" in somebody.page.status.message
        await somebody.press("e")
        page = somebody.page
        assert isinstance(page, EditPage)
        assert "both changed team" in somebody.text
        assert {(entry.name, entry.base, entry.mine) for entry in page.changes()} == {
            ("license", None, "MIT"),
            ("team", "botany", "mine"),
        }
        await somebody.press("j", "j", "j", "u", "w")
        await somebody.press("enter")
        assert "iris-species:1 edited: license (revision 2)" in somebody.page.status.message

    walk(registry, steps)
    version = registry.version("iris-species:1")
    assert (version.revision, version.record.license, version.record.team) == (2, "MIT", "botany")


def test_a_conflict_is_left_only_with_an_answer(registry: Registry, sample: Path) -> None:
    told: list[str] = []

    async def steps(somebody: Walk) -> None:
        for answer in ("d", "f"):
            await edit(somebody, "iris-species:1")
            await say(somebody, "license", answer)
            Registry(sample, clock=lambda: NOW).edit("iris-species:1", Edit(put={"team": f"botany {answer}"}))
            await somebody.press("w")
            await somebody.press("enter")
            assert somebody.where() == "conflict"
            await somebody.press("escape")
            await somebody.press("escape")
            assert somebody.where() == "conflict"
            await somebody.press("q", answer)
            assert somebody.where() == "version"
        told.append(somebody.page.status.message)

    walk(registry, steps)
    assert 'license = "f"' in content_of(told)
    assert registry.version("iris-species:1").revision == 2


def test_a_conflict_that_is_discarded_is_asked_for_once_more(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        Registry(sample, clock=lambda: NOW).edit("iris-species:1", Edit(put={"team": "botany"}))
        await somebody.press("w")
        await somebody.press("enter")
        await somebody.type(":discard")
        await somebody.press("enter")
        assert "forget what you typed" in somebody.text
        await somebody.press("y")
        assert "nothing was written" in somebody.page.status.message
        await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        Registry(sample, clock=lambda: NOW).edit("iris-species:1", Edit(put={"team": "physics"}))
        await somebody.press("w")
        await somebody.press("enter")
        await somebody.press("ctrl+q")
        assert not somebody.left
        await somebody.press("ctrl+q")
        assert somebody.left

    walk(registry, steps)
    assert registry.version("iris-species:1").record.license == ""


def test_nothing_that_was_typed_goes_because_somebody_goes_elsewhere(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press(*":open wine-origin", "enter")
        assert somebody.page is page
        assert "not written yet: 1 change of iris-species 1 edit" in page.status.message
        await somebody.press(*":open wine-origin:1", "enter")
        assert somebody.where() == "version"
        await somebody.press("q")
        assert somebody.page is page

    walk(registry, steps)


def test_what_is_written_while_a_help_text_is_open_leaves_both(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press("w")
        page.entered("=", "")
        page.act("help")
        await somebody.settle()
        assert somebody.where() == "version"
        assert "iris-species:1 edited: license" in somebody.page.status.message

    walk(registry, steps)
    assert registry.version("iris-species:1").record.license == "MIT"


def test_nothing_more_is_changed_while_it_is_written(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, write = threading.Event(), editing.write

    def slow(registry: Registry, start: Editable, text: str, reason: str) -> Revised | editing.Conflict:
        go_on.wait()
        return write(registry, start, text, reason)

    monkeypatch.setattr(editing, "write", slow)

    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press("w")
        page.entered("=", "")
        for id_ in ("change", "add_field", "unset", "undo_change", "editor"):
            page.act(id_)
            assert not page.prompt.display
            assert page.status.message == "it is being written"
        assert page.mine.license == "MIT"
        go_on.set()
        await somebody.settle()
        assert somebody.where() == "version"

    walk(registry, steps)


@pytest.mark.root
@pytest.mark.parametrize("place", ["models", "models/iris-species"])
def test_who_may_not_edit_is_told_the_folder_the_group_and_whom_to_ask(sample: Path, place: str) -> None:
    if place != "models":
        (sample / "models").chmod(0o777)  # somebody who may change something, and not this

    def look() -> list[str]:
        shown: list[str] = []

        async def steps(somebody: Walk) -> None:
            await somebody.press(*":open iris-species:1", "enter")
            await somebody.press("e")
            shown.append("".join(somebody.text.split()))
            assert somebody.where() == "text"

        walk(Registry(sample, clock=lambda: NOW), steps)
        return shown

    everything_imported(Registry(sample, clock=lambda: NOW))
    (text,) = run_as(User(uid=4711, gid=4711), look)
    assert f"{sample}/{place}isroot" in text
    assert "read-only" in text
    assert "group" in text


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that replaces the team; a test has no terminal to give back."""
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nsed -i \'s/^team = .*/team = "risk"/\' "$1"\n')
    script.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.setattr(Browser, "suspend", lambda _app: nullcontext())
    return script


def test_the_editor_gets_what_was_changed_and_gives_it_back_unwritten(registry: Registry, editor: Path) -> None:
    nonsense = editor.with_name("nonsense")
    nonsense.write_text('#!/bin/sh\necho "metrics = 3" > "$1"\n')
    nonsense.chmod(0o755)

    async def steps(somebody: Walk) -> None:
        page = await edit(somebody, "iris-species:1")
        await say(somebody, "license", "MIT")
        await somebody.press("E")
        assert {(entry.name, entry.mine) for entry in page.changes()} == {("license", "MIT"), ("team", "risk")}
        os.environ["EDITOR"] = str(nonsense)  # taken back with what the fixture has set
        await somebody.press("E")
        told.append(" ".join(somebody.text.split()))
        assert somebody.where() == "text"
        assert "e open the editor again with your text" in somebody.text
        nonsense.write_text('#!/bin/sh\nsed -i \'s/^metrics = .*/team = "eu"/\' "$1"\n')
        await somebody.press("e")
        assert ("team", "eu") in {(entry.name, entry.mine) for entry in page.changes()}

    told: list[str] = []
    walk(registry, steps)
    assert "metrics: expected a table" in told[0]
    assert not Path(told[0][: told[0].index(".toml") + 5].rpartition(" ")[2]).exists()
    assert registry.version("iris-species:1").revision == 0


def test_the_card_that_a_guard_misses_is_written_from_the_move_and_the_move_goes_on(
    registry: Registry, editor: Path
) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":move digit-reader:6 production", "enter")
        assert "C writes it here, or: stackroom edit digit-reader:6 --card README.md" in somebody.text
        await somebody.press("C")
        assert "the card of digit-reader:6 is unchanged" in somebody.text
        os.environ["EDITOR"] = str(writer)  # taken back with what the fixture has set
        await somebody.press("C")
        assert "card is there" in somebody.text
        assert "changed meanwhile" not in somebody.text
        assert "Type digit-reader:6 to confirm:" in somebody.text

    editor.write_text("#!/bin/sh\n")
    writer = editor.with_name("writer")
    writer.write_text('#!/bin/sh\necho "# Digit reader" > "$1"\n')
    writer.chmod(0o755)
    walk(registry, steps)
    assert registry.card("digit-reader:6") == "# Digit reader\n"


def test_a_card_that_came_second_is_kept_in_a_file_and_the_other_one_stays(registry: Registry, editor: Path) -> None:
    editor.write_text(
        f'#!/bin/sh\necho mine > "$1"\n{sys.executable} -c \'import sys, stackroom;'
        'stackroom.open(sys.argv[1]).edit("iris-species:1", stackroom.Edit(card="theirs"))'
        f"' {registry.path}\n"
    )

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species:1", "enter")
        await somebody.press("C")
        told.append(" ".join(somebody.text.split()))

    told: list[str] = []
    walk(registry, steps)
    assert "stackroom edit iris-species:1 --card FILE --base 1" in told[0]
    assert content_of([told[0][: told[0].rindex(".md") + 3]]) == "mine\n"
    assert registry.card("iris-species:1") == "theirs"


def test_an_editor_that_came_second_leads_to_the_same_conflict(registry: Registry, editor: Path) -> None:
    editor.write_text(
        f"{editor.read_text()}{sys.executable} -c 'import sys, stackroom;"
        'stackroom.open(sys.argv[1]).edit("iris-species:1", stackroom.Edit(put={"license": "MIT"}))'
        f"' {registry.path}\n"
    )

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species:1", "enter")
        await somebody.press("E")
        page = somebody.page
        assert isinstance(page, ConflictPage)
        assert "no field was changed by both" in somebody.status
        await somebody.press("w")
        assert "iris-species:1 edited: team" in somebody.page.status.message

    walk(registry, steps)
    record = registry.version("iris-species:1").record
    assert (record.team, record.license) == ("risk", "MIT")


def test_who_is_told_to_end_while_the_editor_is_open_ends_and_the_keyboard_is_given_back(
    registry: Registry, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert editor.exists()
    terminal = StringIO()
    monkeypatch.setattr(Browser, "suspend", lambda _app: redirect_stderr(terminal))

    def ended(*_args: object) -> str:
        error = KeyboardInterrupt()
        error.add_note("what you typed is kept in /somewhere")
        raise error

    monkeypatch.setattr(editing, "edit_and_save", ended)

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species:1", "enter")
        await somebody.press("E")
        assert somebody.left

    app = walk(registry, steps)
    assert app.return_code == 130
    assert "/somewhere" in terminal.getvalue()
