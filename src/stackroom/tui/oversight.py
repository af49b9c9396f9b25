"""The actions of those who decide and look after: approvals, undoing, overriding, and the screens over all models."""

from __future__ import annotations

from typing import Final

from stackroom.tui.scopes import EVERYWHERE, Action, Scope

OVERSEEN: Final[frozenset[Scope]] = frozenset({"activity", "review", "search", "doctor"})
"""Screens over the whole registry."""

_BROWSED: Final[frozenset[Scope]] = OVERSEEN | {"models", "versions", "version", "compare", "plot"}
_VERSIONS: Final[frozenset[Scope]] = frozenset({"versions", "version"})

OVERSIGHT: Final[tuple[Action, ...]] = (
    Action(
        id="undo",
        keys=("z",),
        label="undo",
        order=11,
        writes=True,
        doing="move versions",
        help="Undo your last own move of the model, with a new one, if nobody moved after you.",
        screens=frozenset({"models", "versions", "version"}),
    ),
    Action(
        id="override",
        keys=("space",),
        label="override",
        order=2,
        help="Override a guard that refuses, where registry.toml allows it; once more takes that back.",
        screens=frozenset({"move"}),
    ),
    Action(
        id="approve",
        keys=("a",),
        label="approve",
        order=10,
        writes=True,
        help="Say yes to a version for a stage, as it is now.",
        screens=_VERSIONS,
        words="REF STAGE",
        told="Say yes to a version for a stage.",
    ),
    Action(
        id="reject",
        keys=("A",),
        label="reject",
        writes=True,
        help="Say no to a version for a stage; takes your own approval back.",
        screens=_VERSIONS,
        words="REF STAGE",
        told="Say no to a version for a stage.",
    ),
    Action(
        id="search",
        keys=("S",),
        label="search",
        order=10,
        help="Search the versions of all models: words, tag:x, stage:production, auc>0.9, or a query.",
        screens=_BROWSED,
        words="TEXT",
        told="Show the versions of all models that match.",
    ),
    Action(
        id="activity",
        keys=("L",),
        label="activity",
        order=17,
        help="Everything that happened, newest first; of one model, when opened from its versions.",
        screens=_BROWSED - {"activity"},
    ),
    Action(
        id="review",
        keys=("R",),
        label="review",
        order=18,
        help="What needs attention in all models, each with why and the command that helps.",
        screens=_BROWSED - {"review"},
    ),
    Action(
        id="doctor",
        keys=("D",),
        label="doctor",
        order=19,
        help="Who you are here, and everything that is not as it should be, with its remedy.",
        screens=_BROWSED - {"doctor"},
    ),
    Action(
        id="fix",
        keys=("f",),
        label="fix",
        order=3,
        help="Mend what you may, as doctor --fix does: shows what it would do, and asks for the word.",
        screens=frozenset({"doctor"}),
    ),
    Action(
        id="vanished",
        keys=(),
        label="vanished",
        help="Show the events that you have seen and that are gone.",
        screens=EVERYWHERE,
    ),
)
"""A part of the table of actions."""
