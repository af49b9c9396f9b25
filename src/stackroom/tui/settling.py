"""The settings while the interface runs: read again, edited, and put in force where they are right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stackroom.core.settings import SETTINGS_LIMIT, Settings, nearest
from stackroom.registry.settings import load_settings
from stackroom.store.userfiles import edited
from stackroom.store.userhome import config_path, read_config, write_config
from stackroom.tui.keymap import Keymap
from stackroom.tui.places import Places

if TYPE_CHECKING:
    from stackroom.tui.app import Browser

_LATER: Final = ("mouse", "ascii", "colours")
"""Looks that are chosen once, before the screen is drawn for the first time."""


def theme_problem(app: Browser, settings: Settings) -> tuple[str, ...]:
    """What is wrong with the theme: nobody but the app knows which there are."""
    theme = settings.looks.theme
    if not theme or theme in app.available_themes:
        return ()
    return (settings.problem(("ui", "theme"), f"there is no such theme{nearest(theme, app.available_themes)}"),)


def take(app: Browser, settings: Settings) -> str:
    """Put settings in force; what is said about it, or nothing where they are what they were.

    Settings that are wrong in any place change nothing: the ones from before stay, and what is wrong is told with its
    line and key.
    """
    before = app.personal.settings
    keymap = Keymap(settings)
    problems = (*settings.problems, *keymap.problems, *theme_problem(app, settings))
    if problems:
        app.settings_problems = problems
        return "the settings from before stay"
    app.settings_problems = ()
    if settings == before:
        return ""
    app.personal = replace(app.personal, settings=settings)
    app.keymap = keymap
    app.set_keymap(keymap.changed())
    app.places = Places(app.personal, app.places.current)
    app.accent = app.places.accent()
    later = [name for name in _LATER if getattr(settings.looks, name) != getattr(before.looks, name)]
    wait = f"; {', '.join(later)} from the next start on" if later else ""
    return f"the settings have been read again{wait}"


def edit() -> Settings:
    """Edit the file of settings in the user's editor, in the foreground, and read it again.

    Raises:
        RegistryError: the editor failed, or the file cannot be written; what was typed is kept in a file.
    """
    path = config_path()
    before = (read_config(path, SETTINGS_LIMIT) or b"").decode(errors="replace")
    with edited(before, ".toml") as text:
        if text != before:
            write_config(path, text.encode(errors="surrogatepass"))
    return load_settings()
