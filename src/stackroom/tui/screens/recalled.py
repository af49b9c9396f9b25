"""What the first screen takes up again: a saved view, and where somebody was the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.settings import SavedView
from stackroom.tui.memory import Memory
from stackroom.tui.present.filtering import Filter

if TYPE_CHECKING:
    from stackroom.tui.screens.panes import PanesPage


def remembered(page: PanesPage) -> Memory:
    """Where somebody is now; the app adds what is its own."""
    models, versions = page.views
    return Memory(
        pane=page.pane,
        model=page.model or "",
        version=page.versions.cursor_key or "",
        models=models.memory(),
        versions=versions.memory(),
        preview=page.preview_wanted,
        zoom=page.zoomed,
        archived=page.archived,
    )


def prepare(page: PanesPage, memory: Memory) -> None:
    """Before anything is read: sorts, panes, and the filter of the models."""
    models, versions = page.views
    models.restore(memory.models)
    versions.restore(memory.versions)
    page.preview_wanted, page.zoomed, page.archived = memory.preview, memory.zoom, memory.archived


def take_up(page: PanesPage, memory: Memory) -> None:
    """Once the models are read: the model and the version, if they are still there and nobody has gone elsewhere."""
    if memory.model not in page.browser.picture.models or page.model is not None:
        return
    page.models.move_to(memory.model)
    if memory.pane != "versions" and not page.has_panes:
        return
    page.open_model(memory.model, memory.version)
    page.views[1].filter = Filter(memory.versions.filter)
    page.show_versions()
    if memory.pane == "versions" and not page.prompt.question and page.browser.page is page:
        page.go_to("versions")


def view_now(page: PanesPage, name: str) -> SavedView:
    """How the list that has the keys is shown, as a view of a name."""
    view = page.view
    sort = view.sort.partition(":")[2] or view.sort
    return SavedView(name=name, list=page.pane, filter=view.filter.text, sort=f"{'-' if view.descending else ''}{sort}")


def show_view(page: PanesPage, view: SavedView) -> None:
    """Show a saved view; one of versions needs a model, which is the cursor's."""
    if view.list == "models" and page.pane != "models":
        page.go_to("models")
    elif view.list == "versions" and page.pane != "versions":
        if page.models.cursor_key is None:
            page.say(f"{view.name} is a view of versions, and there is no model", tone="warn")
            return
        page.act("open")
    shown = page.view
    shown.filter = Filter(view.filter)
    if view.sort:
        # The columns may not be known yet: the list finds its own when it is filled.
        shown.sort, shown.descending = view.sort.removeprefix("-"), view.sort.startswith("-")
    page.show_lists()
    page.say(f"view {view.name}")
