"""The user's settings, read: one reader for every front end."""

from __future__ import annotations

from pathlib import Path

from stackroom.core.settings import SETTINGS_LIMIT, Settings, settings_of
from stackroom.errors import RegistryError
from stackroom.store.userhome import config_path, read_config


def load_settings() -> Settings:
    """The settings of the user; those of nobody where there are none. Never fails: ``problems`` says what is wrong."""
    path = config_path()
    try:
        content = read_config(path, SETTINGS_LIMIT)
    except RegistryError as error:
        return Settings(file=str(path), problems=(str(error),))
    return Settings() if content is None else settings_of(content, file=str(path))


def path_of(name: str, settings: Settings) -> Path | None:
    """The folder of a registry that the user has given a name; None where nobody has."""
    found = settings.registry(name)
    return None if found is None else Path(found.path).expanduser()
