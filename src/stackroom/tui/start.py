"""The way in: settings and environment first, then Textual, which reads its environment while it is imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from stackroom.registry.finding import registry_path
from stackroom.registry.settings import load_settings
from stackroom.tui import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.settings import Settings

_SWITCH_SECONDS: Final = 0.0005
"""For which a thread that reads files may keep the screen's thread waiting; Python's own 5 ms, several times for each
key, are felt while a large registry is searched."""


def browse(paths: list[str]) -> int:
    """Open the terminal interface.

    Args:
        paths: of registries, or their names in the settings; none for the one that is meant.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no terminal.
        NotFoundError: there is no registry.
    """
    terminal.require_terminal(os.environ.get("TERM"))
    sys.setswitchinterval(_SWITCH_SECONDS)
    settings = load_settings()
    terminal.prepare(os.environ, "none" if terminal.wants_no_colour(os.environ) else settings.looks.colours)
    from stackroom.tui import places  # noqa: PLC0415  # reads what was prepared
    from stackroom.tui.app import Browser  # noqa: PLC0415  # the same
    from stackroom.tui.glyphs import ASCII, terminal_glyphs  # noqa: PLC0415  # the same
    from stackroom.tui.memory import saved_views  # noqa: PLC0415  # the same

    named = places.names_of(paths or [str(_meant(settings))], settings)
    remembers = not is_on(os.environ, "STACKROOM_NO_STATE")
    saved = saved_views() if remembers else ()
    personal = places.Personal(settings=settings, named=named, remembers=remembers, saved=saved, reread=load_settings)
    opened = places.Places(personal).open(named[0].name)
    wants_ascii = settings.looks.ascii and "STACKROOM_ASCII" not in os.environ
    glyphs = ASCII if wants_ascii else terminal_glyphs(os.environ, sys.__stderr__.encoding if sys.__stderr__ else None)
    app = Browser(
        opened.registry,
        glyphs=glyphs,
        no_colour=terminal.wants_no_colour(os.environ),
        personal=personal,
        memory=opened.memory,
        place=opened.name,
    )
    no_mouse = is_on(os.environ, "STACKROOM_NO_MOUSE") if "STACKROOM_NO_MOUSE" in os.environ else None
    wants_mouse = settings.looks.mouse is not False if no_mouse is None else not no_mouse
    return terminal.run(app, mouse=wants_mouse)


def _meant(settings: Settings) -> object:
    """The registry that is meant where none is named: the first one of the settings where there is no other.

    Raises:
        NotFoundError: there is none at all.
    """
    from stackroom.errors import NotFoundError  # noqa: PLC0415  # only where nothing is named

    try:
        return registry_path(None)
    except NotFoundError:
        if settings.registries:
            return settings.registries[0].name
        raise


def is_on(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable is set to anything but nothing and 0."""
    return environ.get(name, "0") not in {"", "0"}
