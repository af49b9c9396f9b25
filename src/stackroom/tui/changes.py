"""The actions of those who write: editing, tags, what is new, and what is archived or deleted."""

from __future__ import annotations

from typing import Final

from stackroom.tui.scopes import Action, Scope

CHANGING: Final[frozenset[Scope]] = frozenset({"edit", "conflict", "bulk"})
"""Where something is being changed."""

_CHANGEABLE: Final[frozenset[Scope]] = frozenset({"models", "versions", "version"})
"""Where something of the registry is shown that can be changed."""

_MENDABLE: Final[frozenset[Scope]] = _CHANGEABLE | {"move"}
"""The same, and where a guard may refuse what is lacking there."""

CHANGES: Final[tuple[Action, ...]] = (
    Action(
        id="edit",
        keys=("e",),
        label="edit",
        order=7,
        writes=True,
        doing="edit metadata",
        help="Edit the metadata, field by field.",
        screens=_MENDABLE,
    ),
    Action(
        id="editor",
        keys=("E",),
        label="editor",
        order=17,
        writes=True,
        doing="edit metadata",
        help="Edit the metadata in $EDITOR.",
        screens=_CHANGEABLE | {"edit"},
    ),
    Action(
        id="card",
        keys=("C",),
        label="card",
        order=18,
        writes=True,
        doing="edit a card",
        help="Write the card in $EDITOR, or go on with it.",
        screens=_MENDABLE,
    ),
    Action(
        id="tags",
        keys=("t",),
        label="tags",
        order=10,
        writes=True,
        doing="change tags",
        help="Add tags to what is marked, or to the cursor's row, and take some away.",
        screens=_CHANGEABLE,
        words="TAG… -TAG…",
        told="Add tags, and take those away that have a minus before them.",
    ),
    Action(
        id="new",
        keys=("n",),
        label="new model",
        order=11,
        writes=True,
        doing="make a model",
        help="Make a model.",
        screens=frozenset({"models"}),
        words="NAME",
        told="Make a model.",
    ),
    Action(
        id="register",
        keys=("n",),
        label="new version",
        order=11,
        writes=True,
        doing="register a version",
        help="Register a version from a file or a folder.",
        screens=frozenset({"versions"}),
        words="PATH",
        told="Register a version of the model that is shown.",
    ),
    *(
        Action(id=id_, keys=(), label=id_, writes=True, help=help_, screens=_CHANGEABLE, words=words, told=told)
        for id_, help_, words, told in (
            ("archive", "Archive what is marked, or the cursor's row.", "REF…", "Archive versions or models."),
            ("unarchive", "Take it out of the archive again.", "REF…", "Take versions out of the archive again."),
            (
                "delete",
                "Delete what is marked, or the cursor's version, once that is typed.",
                "REF…",
                "Delete versions.",
            ),
            ("restore", "Choose a deleted version, and bring it back.", "REF…", "Bring deleted versions back."),
        )
    ),
    *(
        Action(id=id_, keys=keys, label=label, order=order, help=help_, screens=frozenset({"edit"}))
        for id_, keys, label, order, help_ in (
            ("change", ("enter",), "change", 1, "Type what the cursor's line shall say."),
            ("add_field", ("a",), "add a field", 3, "Add a field by its name, such as metrics.auc."),
            ("unset", ("x",), "take away", 4, "Take the cursor's field away."),
            ("undo_change", ("u",), "as it was", 5, "Let the cursor's field say again what it said."),
        )
    ),
    Action(
        id="write",
        keys=("w",),
        label="write",
        order=2,
        help="Write what was changed: one revision, one model or one version; in a conflict, mine on top of theirs.",
        screens=CHANGING,
    ),
    *(
        Action(id=id_, keys=keys, label=label, order=order, help=help_, screens=frozenset({"conflict"}))
        for id_, keys, label, order, help_ in (
            ("again", ("e",), "edit again", 3, "Edit again, from what they wrote, with mine on top."),
            ("keep", ("f",), "keep in a file", 4, "Keep what I typed in a file, and leave."),
            ("discard", (), "discard", 6, "Forget what I typed, and leave."),
        )
    ),
)
"""A part of the table of actions."""
