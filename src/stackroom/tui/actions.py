"""Every action of the terminal interface, once: its keys, its words and where it works.

Key bindings, the footer, the help screen, the ``:`` commands and the reference all come from :data:`ACTIONS`. Keys that
terminals eat are not used: ``^h ^i ^j ^m`` are Backspace, Tab and Enter, ``^a`` and ``^b`` belong to tmux and screen,
Alt and Shift+Enter often do not arrive; F1 is only a twin of ``?``.
"""

from __future__ import annotations

from typing import Final

from stackroom.tui.changes import CHANGES, CHANGING
from stackroom.tui.oversight import OVERSEEN, OVERSIGHT
from stackroom.tui.scopes import EVERYWHERE as _EVERYWHERE
from stackroom.tui.scopes import SCREENS, Action, Scope, Screen

__all__ = ["ACTIONS", "BY_ID", "SCREENS", "Action", "Scope", "Screen", "actions_of"]

_LISTS: Final[frozenset[Scope]] = frozenset({"models", "versions"})
_MEASURED: Final[frozenset[Scope]] = frozenset({"models", "versions", "version", "compare", "plot"})
"""Where something of the registry is shown that has metrics."""


def _list(id_: str, keys: tuple[str, ...], help_: str) -> Action:
    return Action(id=id_, keys=keys, label=id_.replace("_", " "), help=help_, screens=frozenset({"list"}))


ACTIONS: Final[tuple[Action, ...]] = (
    _list("row_down", ("j", "down"), "The next line."),
    _list("row_up", ("k", "up"), "The line before."),
    _list("screen_down", ("pagedown",), "One screen down."),
    _list("screen_up", ("pageup",), "One screen up."),
    _list("half_down", ("ctrl+d",), "Half a screen down."),
    _list("half_up", ("ctrl+u",), "Half a screen up."),
    _list("first_row", ("g", "home"), "To the first line."),
    _list("last_row", ("G", "end"), "To the last line."),
    Action(
        id="open",
        keys=("enter", "l", "right"),
        label="open",
        order=1,
        help="Open what the cursor is on.",
        screens=_LISTS | {"activity", "review", "search"},
        words="REF",
        told="Open a model or a version, such as fraud:7 or fraud@production.",
    ),
    Action(
        id="details",
        keys=("enter",),
        label="whole row",
        order=5,
        help="Show the row in full; on the card, its differences line by line.",
        screens=frozenset({"compare", "conflict", "bulk", "doctor"}),
    ),
    Action(
        id="choose",
        keys=("enter",),
        label="go on",
        order=1,
        help="Take the stage under the cursor; then, when nothing is in the way, make the move or give your word.",
        screens=frozenset({"move", "approve"}),
    ),
    Action(
        id="other",
        keys=("tab", "shift+tab"),
        label="other line",
        help="From the reason to the confirmation, and back.",
        screens=frozenset({"move"}),
    ),
    Action(
        id="columns_right",
        keys=("l", "right"),
        label="more columns",
        help="Scroll to the versions at the right.",
        screens=frozenset({"compare"}),
    ),
    Action(
        id="columns_left",
        keys=("h", "left"),
        label="fewer columns",
        help="Scroll to the versions at the left.",
        screens=frozenset({"compare"}),
    ),
    Action(
        id="next_tab",
        keys=("tab", "right_square_bracket", "l", "right"),
        label="next tab",
        order=2,
        help="To the next tab.",
        screens=frozenset({"version"}),
    ),
    Action(
        id="previous_tab",
        keys=("shift+tab", "left_square_bracket"),
        label="tab before",
        help="To the tab before.",
        screens=frozenset({"version"}),
    ),
    *(
        Action(
            id=f"tab_{number}",
            keys=(str(number),),
            label=f"tab {number}",
            help=f"To the tab {title}.",
            screens=frozenset({"version"}),
        )
        for number, title in enumerate(("Overview", "Metrics", "Hyperparameters", "Card", "Files", "History"), 1)
    ),
    Action(
        id="plot",
        keys=("M",),
        label="metric history",
        order=13,
        help="Plot the metric that the cursor or the sort is on over all versions, or leave the plot.",
        screens=_MEASURED,
        words="METRIC",
        told="Plot a metric over the versions of the model that is shown.",
    ),
    Action(
        id="metrics",
        keys=("m",),
        label="metrics",
        order=9,
        help="Choose the metrics that are shown; in a plot, the one.",
        screens=frozenset({"versions", "compare", "plot"}),
    ),
    *(
        Action(id=id_, keys=keys, label=label, order=order, help=help_, screens=frozenset({"metrics"}))
        for id_, keys, label, order, help_ in (
            ("toggle", ("space",), "show or hide", 1, "Show the cursor's metric, or hide it, and go one down."),
            ("take", ("enter",), "take", 2, "Show what was chosen."),
            ("toggle_all", ("V",), "all or none", 3, "Show all metrics that the filter lets through, or none."),
        )
    ),
    *(
        Action(id=id_, keys=keys, label=label, order=order, help=help_, screens=frozenset({"plot"}))
        for id_, keys, label, order, help_ in (
            ("point_left", ("h", "left"), "version before", 1, "To the version before."),
            ("point_right", ("l", "right"), "next version", 2, "To the next version."),
            ("next_metric", ("n", "tab"), "next metric", 3, "To the next metric."),
            ("previous_metric", ("N", "shift+tab"), "metric before", 0, "To the metric before."),
            ("open_point", ("enter",), "open", 4, "Open the version under the cursor."),
            ("axis", ("o",), "time or versions", 5, "Put versions where they were registered in time, or in a row."),
            ("scale", ("%",), "scale", 6, "Equal steps, or ten-fold ones, on the axis of values."),
        )
    ),
    Action(
        id="export",
        keys=("x",),
        label="export",
        order=20,
        help="Write what is shown to a file: Markdown, CSV or JSON.",
        screens=frozenset({"models", "versions", "compare", "plot", "activity", "search", "review", "doctor"}),
        words="FORMAT FILE",
        told="Write what is shown as markdown, csv or json.",
    ),
    Action(
        id="back",
        keys=("q", "backspace"),
        label="back",
        order=60,
        help="Back to where you came from.",
        screens=_EVERYWHERE - {"models"},
    ),
    Action(
        id="leave",
        keys=("h", "left"),
        label="back",
        help="Back to where you came from.",
        screens=OVERSEEN | {"versions", "version", "text"},
    ),
    Action(
        id="escape",
        keys=("escape",),
        label="back",
        help="Give up the question, then the filter, the marks, what is being read, then go back; never quits.",
        screens=_EVERYWHERE,
    ),
    Action(id="quit_here", keys=("q",), label="quit", order=9, help="Quit.", screens=frozenset({"models"})),
    Action(id="quit", keys=("ctrl+q",), label="quit", help="Quit, from anywhere.", screens=_EVERYWHERE),
    Action(id="help", keys=("?", "f1"), label="more", help="Every key of this screen.", screens=_EVERYWHERE - {"text"}),
    Action(
        id="command",
        keys=(":",),
        label="command",
        order=70,
        help="Type a command; Tab completes it, the arrows bring back earlier ones.",
        screens=_EVERYWHERE,
    ),
    Action(
        id="palette",
        keys=("ctrl+p",),
        label="palette",
        help="Find an action, a model or a version by a part of its name.",
        screens=_EVERYWHERE,
    ),
    Action(
        id="filter",
        keys=("/",),
        label="filter",
        order=6,
        help="Show only what matches: words, !word, tag:x, stage:production, auc>0.9, or a query; in a text: find.",
        screens=_EVERYWHERE - CHANGING - {"move", "approve", "plot"},
        words="TEXT",
        told="Show only what matches.",
    ),
    Action(
        id="next_match",
        keys=("n",),
        label="next",
        help="The next place in a text.",
        screens=frozenset({"version", "text"}),
    ),
    Action(
        id="previous_match",
        keys=("N",),
        label="previous",
        help="The place before in a text.",
        screens=frozenset({"version", "text"}),
    ),
    Action(
        id="mark",
        keys=("space",),
        label="mark",
        order=2,
        help="Mark the cursor's version, or unmark it, and go one down.",
        screens=frozenset({"versions", "search"}),
    ),
    Action(
        id="mark_range",
        keys=("v",),
        label="range",
        help="Start marking every version that the cursor passes; once more keeps them.",
        screens=frozenset({"versions", "search"}),
    ),
    Action(
        id="unmark_all",
        keys=("V",),
        label="unmark",
        help="No version is marked any more.",
        screens=frozenset({"versions", "search"}),
    ),
    Action(
        id="compare",
        keys=("c",),
        label="compare",
        order=3,
        help="Compare what is marked; without marks, the cursor's version against the holder of the last stage.",
        screens=frozenset({"versions", "version", "plot", "search"}),
        words="REF REF…",
        told="Compare versions.",
    ),
    Action(
        id="baseline",
        keys=("b",),
        label="base",
        order=2,
        help="Measure the others against the next version.",
        screens=frozenset({"compare"}),
    ),
    Action(
        id="only_differences",
        keys=("=",),
        label="only differences",
        order=3,
        help="Hide what is the same, or show it again.",
        screens=frozenset({"compare"}),
    ),
    Action(
        id="delta_form",
        keys=("%",),
        label="delta",
        order=4,
        help="Show differences as values, as per cent, or both.",
        screens=frozenset({"compare"}),
    ),
    Action(
        id="move",
        keys=("s",),
        label="stage",
        order=4,
        writes=True,
        doing="move versions",
        help="Move (promote) a version to a stage, with every guard in view.",
        screens=frozenset({"versions", "version"}),
        words="REF STAGE",
        told="Judge a move, and make it; :promote does the same.",
    ),
    Action(
        id="rollback",
        keys=("U",),
        label="roll back",
        order=12,
        writes=True,
        doing="move versions",
        help="Roll back: give a stage to its holder before.",
        screens=frozenset({"models", "versions", "version"}),
    ),
    *OVERSIGHT,
    *CHANGES,
    Action(
        id="refresh",
        keys=("r",),
        label="refresh",
        order=50,
        help="Read again what is shown.",
        screens=_EVERYWHERE - CHANGING - {"text", "metrics"},
    ),
    Action(
        id="sort",
        keys=("o",),
        label="sort",
        order=14,
        help="Sort by the next column.",
        screens=_LISTS | {"search"},
        words="COLUMN",
        told="Sort by a column; a minus before it turns it around.",
    ),
    Action(id="reverse", keys=("O",), label="reverse", help="Turn the sort around.", screens=_LISTS | {"search"}),
    Action(
        id="copy",
        keys=("y",),
        label="copy",
        order=8,
        help="Copy a ref, a path, a command or a comparison.",
        screens=_EVERYWHERE - CHANGING - {"move", "approve", "text", "metrics"},
    ),
    Action(id="preview", keys=("p",), label="preview", order=15, help="Show or hide the preview.", screens=_LISTS),
    Action(
        id="next_pane",
        keys=("tab",),
        label="other pane",
        help="To the other pane.",
        screens=_LISTS,
    ),
    *(
        Action(id=f"pane_{number}", keys=(str(number),), label=label, help=help_, screens=_LISTS)
        for number, label, help_ in (
            (1, "models", "To the models."),
            (2, "versions", "To the versions of the cursor's model."),
            (3, "preview", "To the preview, which then scrolls."),
            (4, "version", "To the cursor's version; on the models, to the newest one of the cursor's model."),
        )
    ),
    Action(id="zoom", keys=("+",), label="zoom", help="This pane alone, or all of them.", screens=_LISTS),
    Action(
        id="archived", keys=(".",), label="archived", help="Show or hide what is archived.", screens=_LISTS | {"search"}
    ),
    Action(
        id="view",
        keys=("'",),
        label="views",
        order=16,
        help="Choose a saved view: a filter and a sort with a name.",
        screens=_LISTS,
        words="NAME",
        told="Show a saved view, of the settings or of your own.",
    ),
    Action(
        id="save",
        keys=(),
        label="save view",
        help="Save the filter and the sort under a name.",
        screens=_LISTS,
        words="NAME",
        told="Save the filter and the sort under a name, for every registry.",
    ),
    Action(
        id="forget",
        keys=(),
        label="forget view",
        help="Take a view away that was saved.",
        screens=_LISTS,
        words="NAME",
        told="Take a view away that was saved with :save.",
    ),
    Action(
        id="registry",
        keys=("ctrl+o",),
        label="registry",
        help="Go to another registry: one that was named at the start, or in the settings.",
        screens=_EVERYWHERE,
        words="NAME",
        told="Go to another registry.",
    ),
    Action(
        id="settings",
        keys=(),
        label="settings",
        help="Read the settings again, and show what they say and what is wrong in them.",
        screens=_EVERYWHERE,
        words="[edit]",
        told="Edit the settings in your editor, and read them again.",
    ),
    Action(
        id="suspend",
        keys=("ctrl+z",),
        label="suspend",
        help="Give the terminal back to the shell; fg goes on.",
        screens=_EVERYWHERE,
    ),
)
"""The table. A test proves that no screen binds one key twice."""


BY_ID: Final = {action.id: action for action in ACTIONS}
"""The table by id."""


def actions_of(scope: Scope) -> tuple[Action, ...]:
    """What works on a screen, in the table's order; for ``"list"``, what works in every list."""
    return tuple(action for action in ACTIONS if scope in action.screens)
