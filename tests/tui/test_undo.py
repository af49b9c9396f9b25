"""One's own last move is undone by a new one, and only while nobody moved after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stackroom.core.attested import Who
from stackroom.core.undoing import undo_of
from stackroom.errors import ConflictError, NotFoundError
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.move import MovePage
from tui.browsing import MIDDLE, NARROW, Walk, walk

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry


async def open_model(somebody: Walk, name: str) -> None:
    await somebody.press(*f":open {name}", "enter")


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_a_move_that_replaced_a_holder_gives_the_stage_back(registry: Registry, size: tuple[int, int]) -> None:
    before = registry.version("diabetes-progression@production").number
    registry.promote("diabetes-progression:4", "production", reason="better")

    async def steps(somebody: Walk) -> None:
        await open_model(somebody, "diabetes-progression")
        await somebody.press("z")
        somebody.golden("undo-asked")
        await somebody.press("enter")
        page = somebody.page
        assert isinstance(page, MovePage)
        assert f"type diabetes-progression:{before} to confirm" in page.status.message or page._typed.has_focus
        await somebody.press(*f"diabetes-progression:{before}", "enter")
        assert isinstance(somebody.page, BrowsePage)
        assert f"diabetes-progression:{before} moved to production" in somebody.status

    walk(registry, steps, size=size)
    assert registry.version("diabetes-progression@production").number == before
    move = registry.ledger("diabetes-progression", "production").events[-1].move
    assert move is not None
    assert move.why == "undoes production/diabetes-progression@2, which moved 4 to production"


def test_a_move_into_an_empty_stage_is_undone_by_clearing_it(registry: Registry) -> None:
    registry.promote("iris-species:3", "staging")

    async def steps(somebody: Walk) -> None:
        await open_model(somebody, "iris-species")
        await somebody.press("z")
        assert "staging of iris-species is cleared" in somebody.text
        assert "before it, nothing held it" in " ".join(somebody.text.split())
        await somebody.press("enter")
        assert "staging of iris-species cleared" in somebody.status

    walk(registry, steps)
    head = registry.ledger("iris-species", "staging").head
    assert head is not None
    assert head.move is not None
    assert (head.number, head.move.to) == (2, None)


def test_who_moved_nothing_is_told_so(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await open_model(somebody, "iris-species")
        await somebody.press("z")
        assert "you moved nothing of iris-species" in somebody.page.status.message

    walk(registry, steps)


def test_nothing_is_written_without_the_confirmation(registry: Registry) -> None:
    registry.promote("diabetes-progression:4", "production", reason="better")

    async def steps(somebody: Walk) -> None:
        await open_model(somebody, "diabetes-progression")
        await somebody.press("z")
        await somebody.press("enter", "enter", "escape")
        assert isinstance(somebody.page, BrowsePage)

    walk(registry, steps)
    assert len(registry.ledger("diabetes-progression", "production").events) == 2


def test_somebody_who_moved_after_me_is_named(registry: Registry) -> None:
    registry.promote("diabetes-progression:4", "production", reason="better")
    ledger = registry.ledger("diabetes-progression", "production")
    with pytest.raises(NotFoundError, match="you moved nothing"):
        undo_of([ledger], "diabetes-progression", Who(4321, "bo"))
    from dataclasses import replace  # noqa: PLC0415  # only here

    head = ledger.events[-1]
    theirs = replace(head, number=3, owner=4321, move=replace(head.move, by=Who(4321, "bo"), to=2))  # type: ignore[type-var]  # it has one
    with pytest.raises(ConflictError, match="bo moved after you"):
        undo_of(
            [replace(ledger, events=(*ledger.events, theirs), head=theirs, holder=2)],
            "diabetes-progression",
            registry.who,
        )


def test_a_move_that_only_attested_the_holder_changes_nothing_to_undo(registry: Registry) -> None:
    holder = registry.version("diabetes-progression@production")
    registry.promote(holder.ref, "production", reason="attest it")
    with pytest.raises(NotFoundError, match="before your last move, too"):
        undo_of([registry.ledger("diabetes-progression", "production")], "diabetes-progression", registry.who)


def test_a_move_made_meanwhile_keeps_an_undo_from_being_made(registry: Registry) -> None:
    registry.promote("iris-species:3", "staging")

    async def steps(somebody: Walk) -> None:
        await open_model(somebody, "iris-species")
        await somebody.press("z")
        page = somebody.page
        registry.promote("iris-species:2", "staging")
        await somebody.press("enter")
        assert somebody.page is page
        assert "you moved iris-species again meanwhile" in " ".join(somebody.text.split())
        await somebody.press("enter")
        assert somebody.page is page

    walk(registry, steps)
    assert registry.version("iris-species@staging").number == 2
