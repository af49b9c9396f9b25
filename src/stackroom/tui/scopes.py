"""What an action of the interface is, and where a person can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Screen = Literal[
    "models",
    "versions",
    "version",
    "compare",
    "plot",
    "metrics",
    "move",
    "edit",
    "conflict",
    "bulk",
    "approve",
    "activity",
    "search",
    "review",
    "doctor",
    "text",
]
"""Where a person can be; ``plot`` is a metric's history, ``metrics`` the picker of metrics, ``edit`` every form,
``conflict`` two edits of one record, ``bulk`` what is done to many versions, ``approve`` where one's word is given,
also a no; ``text`` the help and every other text that is only read."""

Scope = Screen | Literal["list"]
"""Where a key is bound: on a screen, or on the focused list of any screen."""

SCREENS: Final[tuple[Screen, ...]] = get_args(Screen)

EVERYWHERE: Final[frozenset[Scope]] = frozenset(SCREENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that a key, a command or a click on the footer does.

    Attributes:
        id: stable; the name of the ``:`` command.
        keys: by Textual's names; the first one is shown.
        label: one or two words, for the footer.
        help: one sentence, for the help screen and the reference.
        screens: where it works.
        order: of the footer's entries; those with the smallest number are the last to give way. 0: not in the footer.
        doing: what somebody may not do who may not do it, after "you may not"; the label where that says it.
        writes: whether it changes the registry: greyed, with the reason, for readers.
        words: what may be typed after its name, as the help writes it; empty where nothing may.
        told: what it does with those words.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: frozenset[Scope]
    order: int = 0
    doing: str = ""
    writes: bool = False
    words: str = ""
    told: str = ""
