"""Settings that change while the interface runs, and what is remembered before anybody asks for it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.settings import load_settings
from stackroom.store.userhome import CONFIG_VARIABLE
from stackroom.tui import app as browser
from stackroom.tui.memory import Keeper
from stackroom.tui.places import Personal
from tui.browsing import MIDDLE, Walk, walk
from tui.screen import until

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings."""
    path = tmp_path / "config.toml"
    path.write_text('[keys]\nactivity = "A"\n')
    monkeypatch.setenv(CONFIG_VARIABLE, str(path))
    return path


def say(config: Path, text: str) -> None:
    config.write_text(text)


def test_settings_are_read_again_and_wrong_ones_change_nothing(registry: Registry, config: Path) -> None:
    async def steps(somebody: Walk) -> None:
        app = somebody.app
        say(config, '[keys]\nreview = "W"\n[ui]\ntheme = "nord"\nmouse = false\n')
        await somebody.press(*":settings", "enter")
        assert "the settings have been read again; mouse from the next start on" in somebody.status
        assert app.theme == "nord"
        await somebody.press("q", "W")
        assert somebody.where() == "review"
        await somebody.press("q", "A")
        assert somebody.where() == "models"
        say(config, '[keys]\nreview = "Y"\n\nnonsense = "Z"\n')
        await somebody.press(*":settings", "enter")
        text = " ".join(somebody.text.split())
        assert "config.toml:4: keys.nonsense: there is no such action" in text
        assert "the settings from before stay" in somebody.status
        await somebody.press("q", "Y")
        assert somebody.where() == "models"
        await somebody.press("W")
        assert somebody.where() == "review"
        say(config, "")
        await somebody.press(*":settings", "enter")
        await somebody.press("q", "q", "R")
        assert somebody.where() == "review"
        assert app.theme != "nord"

    walk(registry, steps, size=MIDDLE, personal=Personal(settings=load_settings(), reread=load_settings))


def test_settings_are_edited_in_the_editor_and_in_force_when_it_returns(
    registry: Registry, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf \'[keys]\\nreview = "W"\\n\' > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr(browser.Browser, "suspend", lambda _app: nullcontext())

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":settings edit", "enter")
        assert "the settings have been read again" in somebody.status
        await somebody.press("W")
        assert somebody.where() == "review"
        editor.write_text('#!/bin/sh\nprintf "[keys\\n" > "$1"\n')
        await somebody.press(*":settings edit", "enter")
        assert "the settings from before stay" in somebody.status
        assert "config.toml:1" in somebody.text

    walk(registry, steps, size=MIDDLE, personal=Personal(settings=load_settings(), reread=load_settings))
    assert config.read_text() == "[keys\n"


def test_what_is_shown_is_remembered_while_the_program_runs(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "_KEEP_SECONDS", 0.02)

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":sort updated", "enter")
        await until(lambda: Keeper(registry).read().models.sort == "updated", "it is on the disk")
        await somebody.press(*":open tumor-screening", "enter")
        await until(lambda: Keeper(registry).read().model == "tumor-screening", "it is on the disk")

    walk(registry, steps, personal=Personal(remembers=True))
