"""The registries that somebody can go to, by name, and how the present one is told from the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackroom.core.settings import NamedRegistry, Settings, nearest
from stackroom.errors import NotFoundError
from stackroom.registry.facade import Registry
from stackroom.tui.memory import Keeper, Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stackroom.core.settings import SavedView

_COLOURS: Final = {
    "red": "#b3261e",
    "orange": "#b45309",
    "yellow": "#d4a72c",
    "green": "#2e7d32",
    "cyan": "#0e7490",
    "blue": "#1d4ed8",
    "magenta": "#a21caf",
}
"""What the names of accents mean; with text in black or white on them, whichever is read better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What somebody brings along: settings, saved views, where else to go.

    Attributes:
        settings: of the user.
        saved: the views that were saved.
        named: the registries of the command line, which come before those of the settings.
        remembers: whether what is shown is remembered for the next time.
        reread: reads the settings again; None where they come from no file.
    """

    settings: Settings = field(default_factory=Settings)
    saved: tuple[SavedView, ...] = ()
    named: tuple[NamedRegistry, ...] = ()
    remembers: bool = False
    reread: Callable[[], Settings] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A registry, ready to be shown.

    Attributes:
        registry: itself.
        memory: what is remembered of it.
        name: by which it was asked for; empty for none.
    """

    registry: Registry
    memory: Memory
    name: str


class Places:
    """The registries with names.

    Attributes:
        current: the name of the present one, or empty.

    Args:
        personal: what the user brings along.
        current: the name of the one that is shown first.
    """

    def __init__(self, personal: Personal, current: str = "") -> None:
        self.current = current
        self._remembers = personal.remembers
        self._kept: tuple[Registry, Keeper] | None = None
        self._accent = personal.settings.looks.accent
        named: Iterable[NamedRegistry] = (*personal.named, *personal.settings.registries)
        self._known: dict[str, NamedRegistry] = {}
        for place in named:
            self._known.setdefault(place.name, place)

    def names(self) -> list[str]:
        """All names, in the order in which they were given."""
        return list(self._known)

    def path(self, name: str) -> str:
        """Where the registry of a name is.

        Raises:
            NotFoundError: nobody has named one so.
        """
        if name not in self._known:
            hint = ", ".join(self._known) or "stackroom A B, or [registries] in the settings, name some"
            raise NotFoundError(f"there is no registry {name}{nearest(name, self._known)}", hint=hint)
        return str(Path(self._known[name].path).expanduser())

    def open(self, name: str) -> Opened:
        """Open the registry of a name; touches the disk.

        Raises:
            NotFoundError: there is none.
            RegistryError: it cannot be opened.
        """
        registry = Registry(self.path(name))
        memory = Keeper(registry).read() if self._remembers else Memory()
        return Opened(registry=registry, memory=memory, name=name)

    def keep(self, registry: Registry, memory: Memory, *, wait: bool = True) -> None:
        """Remember what is shown of a registry, where that is wanted; ``wait`` as in :meth:`Keeper.write`."""
        if not self._remembers:
            return
        if self._kept is None or self._kept[0] is not registry:
            self._kept = (registry, Keeper(registry))
        self._kept[1].write(memory, wait=wait)

    def accent(self) -> str:
        """The colour of the present registry, as Textual reads it, or nothing."""
        place = self._known.get(self.current)
        name = (place.accent if place else "") or self._accent
        return _COLOURS.get(name, name)

    def title(self, registry: Registry) -> str:
        """What the present registry is called in the first line: its own name, and the user's name for it."""
        own = self.current if self.accent() and self.current not in {"", registry.name} else ""
        return f"{registry.name} [{own}]" if own else registry.name


def names_of(paths: Iterable[str], settings: Settings) -> tuple[NamedRegistry, ...]:
    """The registries of a command line: folders by their last name, with a number where that is taken, or names.

    Args:
        paths: as they were typed; a folder goes before a name of the settings.
        settings: of the user.
    """
    found: list[NamedRegistry] = []
    taken = {place.name: place for place in settings.registries}
    for path in paths:
        place = taken.get(path)
        if place is None:
            folder = Path(path).absolute()
            known = next((one for one in taken.values() if Path(one.path).expanduser() == folder), None)
            name, number = folder.name or "/", 2
            while known is None and name in taken:
                name, number = f"{folder.name}-{number}", number + 1
            place = known or NamedRegistry(name=name, path=str(folder))
        taken[place.name] = place
        found.append(place)
    return tuple(found)
