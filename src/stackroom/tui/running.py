"""Doing what was typed after the colon or chosen in the palette; and what the palette has to offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.errors import RegistryError
from stackroom.tui import commands
from stackroom.tui.actions import BY_ID, actions_of
from stackroom.tui.bindings import keys_text
from stackroom.tui.present import palette
from stackroom.tui.present.palette import Entry

if TYPE_CHECKING:
    from stackroom.tui.app import Browser
    from stackroom.tui.screens.page import Page

_NOT_OFFERED = frozenset({"palette", "command", "escape", "leave"})
"""What nobody looks for in the palette: it is how one came there, or goes away."""


def run_command(app: Browser, page: Page, text: str) -> None:
    """Do a command on a screen, or say why not."""
    command = commands.parse(text)
    if command is None:
        return
    known = {action.id for action in actions_of(page.scope)}
    try:
        match command.id:
            case "open" if command.words:
                app.open_text(command.words[0])
            case "compare" if command.words:
                app.compare_texts(command.words)
            case "move" if command.words:
                app.move_text(command.words)
            case "quit":
                app.exit()
            case id_ if id_ in known:
                page.act(id_, command.words if id_ in commands.WITH_WORDS else ())
            case id_ if id_ in {action.id for action in actions_of("list")} and page.focused is not None:
                page.run_on_list(id_)
            case id_ if id_ in commands.EVERYWHERE:
                page.say(f":{text.strip()} needs to know which: {BY_ID[id_].words}", tone="warn")
            case id_:
                page.say(f"no command {id_} here; Tab shows them, ? explains them", tone="warn")
    except RegistryError as error:
        page.complain(error)


def entries(app: Browser, page: Page, text: str) -> list[Entry]:
    """The actions of a screen, then registries, views, models and versions."""
    keys = app.keymap.keys
    actions = [
        Entry(action.id, action.id, action.help, keys_text(keys(action)), page.why_not(action))
        for action in actions_of(page.scope)
        if action.id not in _NOT_OFFERED
    ]
    models = (model for _, model in sorted(app.picture.models.items()))
    offered = [*actions, *registry_entries(app), *view_entries(app, page), *palette.refs(models, text)]
    return palette.matching(offered, text)


def registry_entries(app: Browser) -> list[Entry]:
    """The registries that have names; the present one says that it is."""
    return [
        Entry(
            f"registry {name}", f"registry {name}", app.places.path(name), "", "is shown" * (name == app.places.current)
        )
        for name in app.places.names()
    ]


def view_entries(app: Browser, page: Page | None = None) -> list[Entry]:
    """The saved views; none on a screen that shows no list."""
    if page is not None and page.scope not in {"models", "versions"}:
        return []
    return [
        Entry(f"view {view.name}", f"view {view.name}", f"{view.list}: {view.filter}  {view.sort}".rstrip())
        for view in app.views()
    ]
