"""What the table of actions feeds: Textual's bindings, the footer, the help; and how keys are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.binding import Binding

from stackroom.tui.actions import Action, actions_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.tui.actions import Scope, Screen

NO_KEY: Final = "<ignore>"
"""What Textual calls a key that is never pressed: an action without keys is bound to it."""

KeysOf = Callable[[Action], tuple[str, ...]]
"""Says which keys an action has."""


class Hint(NamedTuple):
    """One entry of the footer.

    Attributes:
        id: of the action.
        key: as it is shown.
        label: what it does.
        enabled: a disabled one is greyed; its key still answers, with the reason.
    """

    id: str
    key: str
    label: str
    enabled: bool = True


class HelpRow(NamedTuple):
    """One line of the help screen: the keys as they are shown, the words for the command, the sentence."""

    keys: str
    id: str
    help: str
    writes: bool


def bindings_for(scope: Scope, *, act: str = "act") -> list[Binding]:
    """Textual's bindings for a class: a screen's call ``action_act(id)``, a list's call its own methods.

    With priority, so that they are acted upon in the order of the keys: without, a key first travels through the queues
    of the widgets, and what is typed ahead after ``:`` or ``/`` arrives before the line that should take it. For that
    they stand on what has the focus and never on the screen itself, whose questions need the same keys.

    Every screen action goes through one door, so that a greyed one can say why when its key is pressed: Textual drops
    the key of a disabled binding without a word.

    Args:
        scope: of the class.
        act: the method that is called with the id.
    """
    return [
        Binding(
            key=",".join(action.keys) or NO_KEY,
            action=action.id if scope == "list" else f"{act}({action.id!r})",
            description=action.label,
            id=action.id,
            show=False,
            priority=True,
        )
        for action in actions_of(scope)
    ]


def own_keys(action: Action) -> tuple[str, ...]:
    """The keys that the table gives an action; the user's settings may give it others."""
    return action.keys


def footer_hints(
    screen: Screen, *, enabled: Callable[[Action], bool] = lambda _action: True, keys: KeysOf = own_keys
) -> tuple[Hint, ...]:
    """The footer's entries for a screen, the most wanted first; ``? more`` is the footer's own.

    Args:
        screen: which one.
        enabled: whether an action can be done now; others are greyed, never hidden.
        keys: which keys an action has; without any, it is not in the footer.
    """
    shown = sorted((action for action in actions_of(screen) if action.order), key=lambda action: action.order)
    return tuple(
        Hint(action.id, key_text(keys(action)[0]), action.label, enabled(action)) for action in shown if keys(action)
    )


def help_rows(screen: Screen, *, keys: KeysOf = own_keys) -> tuple[HelpRow, ...]:
    """The lines of the help screen: what works on a screen, then how every list moves."""
    return tuple(
        HelpRow(keys_text(keys(action)) or f":{action.id}", action.id, action.help, action.writes)
        for scope in (screen, "list")
        for action in actions_of(scope)
    )


def keys_text(keys: Iterable[str]) -> str:
    """Keys as people write them, with blanks between."""
    return " ".join(key_text(key) for key in keys)


_KEY_NAMES: Final = {
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "backspace": "bksp",
    "shift+tab": "S-tab",
    "full_stop": ".",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "equals_sign": "=",
    "percent_sign": "%",
    "plus": "+",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "comma": ",",
}


def key_text(key: str) -> str:
    """A key as people write it: ``^d`` for ``ctrl+d``, ``esc`` for ``escape``; ASCII only."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return _KEY_NAMES.get(key, key)
