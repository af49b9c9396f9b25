"""The settings while the interface runs: read again, edited, and put in force where they are right."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stackroom.core.settings import SETTINGS_LIMIT, Settings, nearest
from stackroom.registry.settings import load_settings
from stackroom.store.userfiles import edited
from stackroom.store.userhome import config_path, read_config, write_config
from stackroom.tui.changing import Changing
from stackroom.tui.keymap import Keymap
from stackroom.tui.places import Personal, Places
from stackroom.tui.present import settings as present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.settings import SavedView
    from stackroom.tui.screens.page import Page

_LATER: Final = ("mouse", "ascii", "colours")
"""Looks that are chosen once, before the screen is drawn for the first time."""


class Settling(Changing):
    """What the user's settings say, and what becomes of it.

    Attributes:
        personal: what the user brings along.
        keymap: the keys of all actions.
        places: the registries that have names.
        accent: the colour of the present one.
        settings_problems: what is wrong in the settings.
        plain_theme: where the settings name none.
    """

    personal: Personal
    keymap: Keymap
    places: Places
    accent: str
    settings_problems: tuple[str, ...]
    plain_theme: str

    @abstractmethod
    def pages(self) -> list[Page]:
        """All screens."""

    @abstractmethod
    def views(self) -> Sequence[SavedView]:
        """The views of the settings, and those that were saved."""

    def wear(self) -> None:
        """The theme of the settings, if there is one of that name."""
        wrong = self._theme_problem(self.personal.settings)
        self.settings_problems = (*self.settings_problems, *wrong)
        self.theme = (not wrong and self.personal.settings.looks.theme) or self.plain_theme

    def tell_settings(self) -> None:
        """What is wrong in the settings; the rest of them is followed."""
        if self.settings_problems and self.page is not None:
            self.page.say(present.told(self.settings_problems), tone="warn")

    def show_settings(self) -> None:
        """What the settings say by now, and what is wrong in them."""
        reread = self.personal.reread
        if reread is None:
            self._tell_all("")
        else:
            self._work.run("settings", lambda _task: reread())

    def edit_settings(self) -> None:
        """Edit the file of settings, and put in force what it says then."""
        outcome = self.suspended(_edit)
        if isinstance(outcome, Settings):
            self.settle_in(outcome)
        else:
            self.show_refusal("not saved", outcome)

    def settle_in(self, found: Settings, *, show: bool = False) -> None:
        """The settings were read again: those that are right are in force from here on.

        Args:
            found: what was read.
            show: whether all of them are shown, and not only what is wrong.
        """
        told = self._take(found)
        for page in self.pages():
            page.show_bars()
        if show or self.settings_problems:
            self._tell_all(told)
        elif self.page is not None and told:
            self.page.say(told, tone="good")

    def _tell_all(self, told: str) -> None:
        self.show_text("settings", present.lines(self.personal, self.settings_problems, self.views()))
        if self.page is not None and told:
            self.page.say(told, tone="warn" if self.settings_problems else "good")

    def _theme_problem(self, settings: Settings) -> tuple[str, ...]:
        theme = settings.looks.theme
        if not theme or theme in self.available_themes:
            return ()
        return (settings.problem(("ui", "theme"), f"there is no such theme{nearest(theme, self.available_themes)}"),)

    def _take(self, settings: Settings) -> str:
        """Put settings in force; what is said about it, or nothing where they are what they were.

        Settings that are wrong in any place change nothing: the ones from before stay, and what is wrong is told with
        its line and key.
        """
        before = self.personal.settings
        keymap = Keymap(settings)
        problems = (*settings.problems, *keymap.problems, *self._theme_problem(settings))
        self.settings_problems = problems
        if problems:
            return "the settings from before stay"
        if settings == before:
            return ""
        self.personal = replace(self.personal, settings=settings)
        self.keymap = keymap
        self.set_keymap(keymap.changed())
        self.places = Places(self.personal, self.places.current)
        self.accent = self.places.accent()
        self.wear()
        later = [name for name in _LATER if getattr(settings.looks, name) != getattr(before.looks, name)]
        return "the settings have been read again" + (f"; {', '.join(later)} from the next start on" if later else "")


def _edit() -> Settings:
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
