"""The way to every screen, for tests that go to all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.metadata import with_field
from stackroom.registry.editing import Edit
from stackroom.tui import editing

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry
    from stackroom.tui.actions import Screen
    from tui.browsing import Walk

WAYS: dict[Screen, str] = {
    "models": "",
    "versions": "open tumor-screening",
    "version": "open tumor-screening:3",
    "compare": "compare tumor-screening:3 tumor-screening:4",
    "plot": "plot",
    "metrics": "metrics",
    "move": "move tumor-screening:5 production",
    "edit": "edit",
    "conflict": "",
    "bulk": "archive tumor-screening:1",
    "approve": "approve tumor-screening:5 production",
    "activity": "activity",
    "search": "search auc>0.5",
    "review": "review",
    "doctor": "doctor",
    "text": "help",
}
"""How to reach each screen: the command, from the models."""


def met(registry: Registry) -> editing.Conflict:
    """An edit that came second, and changed nothing yet."""
    start = editing.draft(registry, "tumor-screening:1").start
    registry.edit("tumor-screening:1", Edit(put={"team": f"team {start.revision}"}))
    found = editing.write(registry, start, editing.text_of(start, with_field(start.record, "team", "mine")), "")
    assert isinstance(found, editing.Conflict)
    return found


async def reach(somebody: Walk, scope: Screen) -> None:
    """Go to a screen from wherever one is, unless one is there."""
    app = somebody.app
    if somebody.page.scope != scope:
        while somebody.page is not app._browse:
            app.pop_screen()
        app._browse.go_to("models")
        if scope in {"plot", "metrics", "approve"}:
            app.run_command(somebody.page, "open tumor-screening")
            await somebody.settle()
        if scope == "conflict":
            app.settle(met(app.registry))
        app.run_command(somebody.page, WAYS[scope])
        await somebody.settle()
    assert somebody.page.scope == scope, f"{somebody.page.scope}, not {scope}: {somebody.status}"
