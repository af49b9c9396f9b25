"""Which keys every action has: its own, or those that the user's settings give it.

What cannot work is refused with the reason, and the action keeps its own keys: a name that no action has, a key that no
terminal sends or that one cannot tell from another, and a key that two actions of one screen would share.
"""

from __future__ import annotations

import string
import unicodedata
from typing import TYPE_CHECKING, Final

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from stackroom.core.settings import Settings, nearest
from stackroom.tui.actions import ACTIONS, SCREENS, actions_of
from stackroom.tui.bindings import NO_KEY, key_text, keys_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.tui.actions import Action, Screen

_REASONS: Final = {
    "ctrl+h": "terminals send it for backspace",
    "ctrl+i": "terminals send it for tab",
    "ctrl+j": "terminals send it for enter",
    "ctrl+m": "terminals send it for enter",
    "ctrl+s": "terminals stop their output with it",
    "ctrl+c": "it says how to quit",
    "ctrl+a": "screen waits for a second key after it",
    "ctrl+b": "tmux waits for a second key after it",
    "shift+enter": "most terminals send enter",
    "ctrl+enter": "most terminals send enter",
}
"""Keys that do not arrive as themselves."""

_NEEDED: Final = ("quit", "escape")
"""Actions that always have a key: without, nobody finds the way out."""

_SPELLINGS: Final = {
    "esc": "escape",
    "return": "enter",
    "bksp": "backspace",
    "pgdn": "pagedown",
    "pgup": "pageup",
    "s-tab": "shift+tab",
    "del": "delete",
    "ins": "insert",
    " ": "space",
}
"""How people and our own footer write keys, in lower case, and Textual's name."""


def _long_name(sign: str) -> str:
    name = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


_SIGNS: Final = {_long_name(sign): sign for sign in string.punctuation}
"""Textual's names of signs: ``full_stop`` is the dot."""

_NAMED: Final = {sign: name for name, sign in _SIGNS.items() if sign in ",[]"} | {" ": "space"}
"""Signs that the table of actions writes by name: Textual separates keys by commas."""

_KNOWN: Final = frozenset(key.value for key in Keys if not key.value.startswith("<")) - {"return", "ctrl-at"}


class Keymap:
    """The keys of all actions.

    Attributes:
        problems: what of the settings could not be done, one sentence each.

    Args:
        settings: with the keys that the user wants.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._own: dict[str, tuple[str, ...]] = {}
        self.problems: tuple[str, ...] = ()
        if settings is not None:
            self._take(settings)

    def keys(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the one to show first; none where the user wants none."""
        return self._own.get(action.id, action.keys)

    def changed(self) -> Mapping[str, str]:
        """For Textual: the binding's id and its keys, of every action that has other keys than its own."""
        return {id_: ",".join(keys) or NO_KEY for id_, keys in self._own.items()}

    def _take(self, settings: Settings) -> None:
        known = {action.id: action for action in ACTIONS}
        problems: list[str] = []
        for id_, wanted in settings.keys.items():
            place = ("keys", id_)
            if id_ not in known:
                problems.append(settings.problem(place, f"there is no such action{nearest(id_, known)}"))
                continue
            keys: list[str] = []
            for key in wanted:
                name, wrong = key_named(key)
                if wrong:
                    problems.append(settings.problem(place, wrong))
                else:
                    keys.append(name)
            if wanted and not keys:
                continue
            if not keys and id_ in _NEEDED:
                problems.append(settings.problem(place, "this action needs a key: it is the way out"))
                continue
            self._own[id_] = tuple(dict.fromkeys(keys))
        while (clash := self._clash()) is not None:
            key, screen, loser, winner = clash
            own = keys_text(loser.keys) or "none"
            wrong = f"{key_text(key)} is the key of {winner.id} on the screen {screen}; {loser.id} keeps {own}"
            problems.append(settings.problem(("keys", loser.id), wrong))
            del self._own[loser.id]
        self.problems = tuple(problems)

    def _clash(self) -> tuple[str, Screen, Action, Action] | None:
        """A key that two actions of a screen share: the key, the screen, the one that gives way, the other one.

        An action that was given other keys gives way; of two of them, the later one in the table.
        """
        for screen in SCREENS:
            holders: dict[str, Action] = {}
            for action in (*actions_of("list"), *actions_of(screen)):
                for key in self.keys(action):
                    other = holders.setdefault(key, action)
                    if other.id == action.id:
                        continue
                    loser, winner = (action, other) if action.id in self._own else (other, action)
                    if loser.id in self._own:
                        return key, screen, loser, winner
        return None


def key_named(text: str) -> tuple[str, str]:
    """Textual's name of a key as people write it, and why it cannot be used, or nothing.

    Understood are characters (``x``, ``?``), ``^d`` and ``ctrl+d``, and names such as ``space`` or ``PgDn``.
    """
    if len(text) == 1 and text != " ":
        usable = text.isascii() and text.isprintable()
        return _NAMED.get(text, text), "" if usable else f"{text!r} is not on every keyboard"
    lower = text.lower()
    name = f"ctrl+{lower[1:]}" if lower.startswith("^") and len(lower) == 2 else _SPELLINGS.get(lower, lower)
    if name in _REASONS:
        return name, f"{text} cannot be used: {_REASONS[name]}"
    if name.startswith(("alt+", "meta+", "super+")):
        return name, f"{text} cannot be used: terminals and tmux send something else"
    if name in _SIGNS:
        return _NAMED.get(_SIGNS[name], _SIGNS[name]), ""
    known = name in _KNOWN
    return name, "" if known else f"there is no key {text!r}{nearest(name, [*_KNOWN, *_SPELLINGS, *_SIGNS])}"
