"""The ``:`` line: an action's name, for some of them with words after it, and what Tab makes of its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stackroom.tui.actions import ACTIONS, actions_of
from stackroom.tui.memory import HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stackroom.store.records import Model
    from stackroom.tui.actions import Screen

EVERYWHERE: Final = ("open", "compare", "move", "help", "quit")
"""Commands that work on every screen, the first three of them with words."""

_WORDLESS: Final = frozenset({"filter", "search", "tags", "help", "quit", "save", "new", "register", "restore"})
"""Commands after which nothing can be completed: no model is meant there."""

_STAGED: Final = frozenset({"move", "approve", "reject"})
"""Commands that take a stage after the version."""

WITH_WORDS: Final = frozenset(action.id for action in ACTIONS if action.words) - {"open", "compare", "move"}
"""Actions that take the words after them themselves."""

_ALIASES: Final = {"q": "quit", "e": "open", "promote": "move", "h": "help"}


class Command(NamedTuple):
    """What was typed: the action and the words after it."""

    id: str
    words: tuple[str, ...]


def parse(text: str) -> Command | None:
    """The command of a line; None for an empty one."""
    words = text.split()
    if not words:
        return None
    return Command(_ALIASES.get(words[0], words[0]), tuple(words[1:]))


def names(screen: Screen) -> list[str]:
    """Every command of a screen, and the word that the command line has for one of them."""
    return sorted({*EVERYWHERE, "promote", *(action.id for action in actions_of(screen))})


def completions(
    text: str, screen: Screen, models: Iterable[Model], words: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """The whole lines that a beginning may become.

    Args:
        text: what was typed.
        screen: where.
        models: to name models and versions from.
        words: for a command what may stand after it; for one that takes a version and a stage, after the version.
    """
    head, space, last = text.rpartition(" ")
    if not space:
        return [name for name in names(screen) if name.startswith(text)]
    command = parse(head)
    if command is None or command.id in _WORDLESS:
        return []
    known = words or {}
    if command.id == "export" and command.words:
        return []
    if command.id in known and (command.id not in _STAGED or command.words):
        found: Iterable[str] = known[command.id]
    else:
        found = _refs(models, last)
    return [f"{head} {word}" for word in found if word.startswith(last)]


def _refs(models: Iterable[Model], last: str) -> list[str]:
    name, colon, _ = last.partition(":")
    found: list[str] = []
    for model in models:
        if not colon:
            found.append(model.name)
        elif model.name == name:
            found += [str(version.ref) for version in model.versions]
    return found


def common_start(lines: Sequence[str]) -> str:
    """The longest beginning that all lines share."""
    first, last = min(lines), max(lines)
    same = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(same, min(len(first), len(last)))]


class History:
    """The commands that were typed, for the arrow keys.

    Attributes:
        lines: the oldest first.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = list(lines)
        self._back = 0
        self._typed = ""

    def add(self, line: str) -> None:
        """One more; the same one again moves to the end."""
        line = line.strip()
        if line:
            self.lines = [*(old for old in self.lines if old != line), line][-HISTORY:]
        self.rewind()

    def rewind(self) -> None:
        """The next step starts from the newest."""
        self._back = 0

    def step(self, back: int, typed: str) -> str | None:
        """An earlier line, or a later one when negative; what was typed itself comes after the newest.

        Args:
            back: 1 or -1.
            typed: what stands in the line now.
        """
        if self._back == 0:
            self._typed = typed
        place = self._back + back
        if not 0 <= place <= len(self.lines):
            return None
        self._back = place
        return self.lines[-place] if place else self._typed
