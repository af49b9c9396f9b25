"""The ``:`` line: an action's name, for some of them with words after it, and what Tab makes of its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stackroom.core.export import FORMATS
from stackroom.tui.actions import actions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stackroom.store.records import Model
    from stackroom.tui.actions import Screen

EVERYWHERE: Final = ("open", "compare", "move", "filter", "sort", "help", "quit")
"""Commands that work on every screen, the first five of them with words."""

WITH_WORDS: Final = frozenset({"filter", "sort", "plot", "export"})
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
    """Every command of a screen."""
    return sorted({*EVERYWHERE, *(action.id for action in actions_of(screen))})


def completions(text: str, screen: Screen, models: Iterable[Model], extra: Sequence[str] = ()) -> list[str]:
    """The whole lines that a beginning may become.

    Args:
        text: what was typed.
        screen: where.
        models: to name models and versions from.
        extra: words of the second place and after, such as stages or columns.
    """
    head, space, last = text.rpartition(" ")
    if not space:
        return [name for name in names(screen) if name.startswith(text)]
    command = parse(head)
    if command is None or command.id in {"filter", "help", "quit"}:
        return []
    if command.id == "export":
        words: Iterable[str] = () if command.words else FORMATS
    elif command.id in {"sort", "plot"} or (command.id == "move" and command.words):
        words = extra
    else:
        words = _refs(models, last)
    return [f"{head} {word}" for word in words if word.startswith(last)]


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
