"""Deleted versions as rows: what became of them, when, by whom and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING
from stackroom.core import show

if TYPE_CHECKING:
    from stackroom.cli.context import Context
    from stackroom.registry.deletions import Deletions
    from stackroom.store.records import Deletion


def put_deletions(context: Context, deletions: Deletions) -> None:
    """Print them as a table, or in JSON, and on stderr what is wrong about them."""
    if context.json:
        rows = [deletion.document() for deletion in deletions.versions]
        context.document({"deleted": rows, "problems": [problem.document() for problem in deletions.problems]})
        return
    exact = not context.terminal
    columns = [
        Column(title="REF"),
        Column(title="STATE", priority=1),
        Column(title="SIZE", right=True, priority=4),
        Column(title="DELETED", priority=2),
        Column(title="BY", priority=3, least=6),
        Column(title="EVENT", priority=6),
        Column(title="LABELS", priority=7, least=6),
        Column(title="REASON", priority=5, least=14),
    ]
    context.table(columns, [_row(deletion, exact=exact) for deletion in deletions.versions])
    context.warn_of(deletions.problems)
    for deletion in deletions.versions:
        _say_what_is_wrong(context, deletion)
    if not deletions.versions:
        context.say("nothing was deleted")


def _row(deletion: Deletion, *, exact: bool) -> list[Piece]:
    tombstone = deletion.tombstone
    sound = tombstone is not None and tombstone.validity.counts
    return [
        str(deletion.ref),
        Styled(deletion.state, "yellow") if deletion.state in {"deleting", "unmarked"} else deletion.state,
        size_text(deletion.bytes, exact=exact),
        moment(tombstone.when if tombstone else None, exact=exact),
        tombstone.by.label if tombstone and tombstone.by else MISSING,
        MISSING
        if tombstone is None
        else tombstone.validity.value
        if sound
        else Styled(tombstone.validity.value, "red"),
        ", ".join(deletion.labels) or MISSING,
        (tombstone.why if tombstone else "") or MISSING,
    ]


def size_text(size: int | None, *, exact: bool) -> str:
    """Bytes: whole for a program, with a unit for people; ``-`` where nobody knows."""
    return MISSING if size is None else str(size) if exact else show.long_size(size)


def _say_what_is_wrong(context: Context, deletion: Deletion) -> None:
    ref, tombstone = deletion.ref, deletion.tombstone
    if tombstone and tombstone.trouble:
        context.warn(f"the tombstone of {ref} is worth nothing: {tombstone.trouble}")
    if deletion.state == "deleting":
        again = context.runnable(f"stackroom delete {ref} goes on, stackroom restore {ref} takes the tombstone away")
        context.warn(f"{ref} has a tombstone and is here all the same: {again}")
