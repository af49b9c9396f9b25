"""What is done to many is done one by one, can be stopped between two, and tells what came of each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from stackroom.core.tagging import TagChange, tag_change
from stackroom.errors import InvalidInputError, PermissionDeniedError
from stackroom.registry import editing
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.tui.bulk import Answers, Outcome, bulk_of, outcomes
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.bulk import BulkPage
from tui.browsing import MIDDLE, NARROW, NOW, Walk, walk
from tui.screen import until

if TYPE_CHECKING:
    from pathlib import Path

SMALL = (60, 16)


async def mark(somebody: Walk, model: str, *numbers: str) -> BrowsePage:
    """Open a model's versions and mark some."""
    await somebody.press(*f":open {model}", "enter")
    page = somebody.page
    assert isinstance(page, BrowsePage)
    page.versions.set_marks(numbers)
    await somebody.settle()
    return page


async def answer(somebody: Walk, *texts: str) -> None:
    for text in texts:
        await somebody.press(*text, "enter")


@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE])
def test_tags_archiving_and_deleting_look_as_they_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await mark(somebody, "tumor-screening", "1", "2", "4")
        await somebody.press("t", *"eu, -tabular")
        somebody.golden("tags-typed")
        await somebody.press("enter")
        somebody.golden("tags-reason")
        await answer(somebody, "as agreed")
        somebody.golden("tags-done")
        await somebody.press("q", *":archive", "enter")
        somebody.golden("archive-asked")
        await answer(somebody, "old")
        somebody.golden("archive-done")
        await somebody.press("q", "V", *":delete", "enter")
        somebody.golden("delete-asked")

    walk(registry, steps, size=size)


def test_marked_versions_are_tagged_each_in_a_revision_of_its_own(registry: Registry) -> None:
    before = {number: registry.version(f"tumor-screening:{number}").record.tags for number in (1, 2)}

    async def steps(somebody: Walk) -> None:
        page = await mark(somebody, "tumor-screening", "1", "2")
        await somebody.press("t")
        await answer(somebody, "eu", "for Europe")
        assert "2 tagged" in somebody.status
        await somebody.press("q")
        assert somebody.page is page

    walk(registry, steps)
    for number in (1, 2):
        version = registry.version(f"tumor-screening:{number}")
        assert (version.revision, version.record.tags) == (1, (*before[number], "eu"))
        note = registry.revisions(version.ref)[-1].note
        assert note is not None
        assert note.reason == "for Europe"


def test_tags_in_use_complete_what_is_typed(registry: Registry) -> None:
    registry.edit("tumor-screening:1", Edit(put={"tags": ["tabular", "team=oncology"]}))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("t", *"eu, -team=o")
        await somebody.press("tab")
        assert somebody.page.prompt.text == "eu, -team=oncology"
        await somebody.press("enter")
        await somebody.press("escape", "escape")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)
    assert registry.version("tumor-screening:5").revision == 0, "nothing is written before the reason is answered"


def test_what_cannot_be_a_tag_stays_in_the_line_with_the_reason(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("t", *f"{'x' * 129}", "enter")
        page = somebody.page
        assert isinstance(page, BulkPage)
        assert "tags[0]: expected 1 to 128 characters" in page.status.message
        assert page.prompt.question == "="

    walk(registry, steps)


def test_what_holds_a_stage_is_refused_and_the_others_are_archived(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await mark(somebody, "tumor-screening", "1", "2", "4")
        await answer(somebody, ":archive", "superseded")
        assert "2 archived" in somebody.status
        assert "1 refused" in somebody.status
        await somebody.press("G", "enter")
        assert "holds production, and what holds a stage cannot be archived" in " ".join(somebody.text.split())
        await somebody.press("q", "q")
        await answer(somebody, ":unarchive tumor-screening:1 tumor-screening:3", "after all")
        assert "1 taken out" in somebody.status
        assert "1 unchanged" in somebody.status

    walk(registry, steps)
    archived = [registry.version(f"tumor-screening:{number}").record.archived for number in (1, 2, 4)]
    assert archived == [False, True, False]


def test_a_version_is_deleted_once_it_is_typed_and_comes_back(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species:1", "enter")
        await answer(somebody, ":delete", "iris-species:2")
        assert "type iris-species:1 to confirm" in somebody.page.status.message
        await somebody.press("ctrl+u")
        await answer(somebody, "iris-species:1", "a mistake")
        assert "1 deleted" in somebody.status
        assert [version.number for version in registry.model("iris-species").versions] == [2, 3]
        await somebody.press("q", "q")
        await answer(somebody, ":restore")
        assert "iris-species:1" in somebody.text
        await somebody.press("enter")
        await answer(somebody, "iris-species:1")
        assert "1 restored" in somebody.status

    walk(registry, steps)
    assert [version.number for version in registry.model("iris-species").versions] == [1, 2, 3]


def test_a_model_whose_versions_are_all_deleted_offers_those_alone(registry: Registry) -> None:
    for ref in ("iris-species:1", "iris-species:2", "iris-species:3"):
        if registry.version(ref).stages:
            registry.clear("iris-species", registry.version(ref).stages[0], reason="gone soon")
        registry.delete(ref, reason="a mistake")
    registry.delete("wine-origin:1", reason="another one")

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await answer(somebody, ":restore")
        assert "iris-species:3" in somebody.text
        assert "wine-origin:1" not in somebody.text

    walk(registry, steps)


def test_several_are_deleted_by_their_number_and_a_holder_stays(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await mark(somebody, "tumor-screening", "1", "4")
        await answer(somebody, ":delete", "delete 2", "")
        assert "1 deleted" in somebody.status
        assert "1 refused" in somebody.status

    walk(registry, steps)
    assert [version.number for version in registry.model("tumor-screening").versions] == [2, 3, 4, 5]


def test_escape_stops_between_two_and_says_what_was_not_begun(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    real = editing.archive

    def slow(reader: Registry, ref: str, *, reason: str = "", undo: bool = False, dry_run: bool = False) -> object:
        if not dry_run:
            at_work.set()
            go_on.wait(10)
        return real(reader, ref, reason=reason, undo=undo, dry_run=dry_run)

    monkeypatch.setattr(editing, "archive", slow)

    async def steps(somebody: Walk) -> None:
        await mark(somebody, "tumor-screening", "1", "2", "3")
        await answer(somebody, ":archive")
        somebody.page.prompt.put("")
        somebody.page.entered("=", "")
        await until(at_work.is_set, "the first is being archived")
        somebody.page.act("escape")
        assert isinstance(somebody.page, BulkPage)
        go_on.set()
        await somebody.settle()
        assert "1 archived" in somebody.status
        assert "2 not begun" in somebody.status
        await somebody.press("w")
        assert "it was done" in somebody.page.status.message

    walk(registry, steps)
    archived = [registry.version(f"tumor-screening:{number}").record.archived for number in (1, 2, 3)]
    assert archived == [True, False, False]


def test_tags_of_another_that_come_in_between_stay(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Registry(sample, clock=lambda: NOW)
    real = registry.editable
    came: list[str] = []

    def overtaken(ref: str) -> object:
        start = real(ref)
        if not came:
            came.append(ref)
            other.edit(ref, Edit(put={"tags": ["theirs"]}))
        return start

    monkeypatch.setattr(registry, "editable", overtaken)
    answers = Answers(tags=TagChange(add=("mine",)))
    (outcome,) = outcomes(registry, bulk_of("tags", ["wine-origin:1"]), answers, dry_run=False, given_up=lambda: False)
    assert outcome.kind == "done"
    assert registry.version("wine-origin:1").record.tags == ("theirs", "mine")


def test_one_that_fails_does_not_hide_the_others(registry: Registry) -> None:
    def failing(_registry: Registry, ref: str, _answers: Answers, _dry_run: bool) -> Outcome:  # noqa: FBT001  # as Doing
        if ref == "a:1":
            raise PermissionDeniedError("you may not", hint="ask bo")
        if ref == "a:2":
            raise OSError(5, "the disk is gone")
        return Outcome(kind="done", told="well")

    from dataclasses import replace  # noqa: PLC0415  # only here

    bulk = replace(bulk_of("archive", ["a:1", "a:2", "a:3"]), do=failing)
    found = list(outcomes(registry, bulk, Answers(), dry_run=False, given_up=lambda: False))
    assert [(one.kind, one.hint) for one in found] == [("refused", "ask bo"), ("refused", ""), ("done", "")]
    assert "the disk is gone" in found[1].told


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("eu", ["a"], ["a", "eu"]),
        ("eu, a, eu", ["a"], ["a", "eu"]),
        ("-a", ["a", "b"], ["b"]),
        ("- a, team=nlp", ["a", "b"], ["b", "team=nlp"]),
        ("-missing", ["b"], ["b"]),
    ],
)
def test_tags_come_and_go(text: str, before: list[str], after: list[str]) -> None:
    assert tag_change(text).applied(before) == after


@pytest.mark.parametrize("text", ["", " , ", "-", "a, -a", "x" * 129])
def test_what_is_no_change_of_tags(text: str) -> None:
    with pytest.raises(InvalidInputError):
        tag_change(text)
