"""Taking a move back whose version was deleted in the same moment.

A delete renames the folder and then looks at the ledgers; a move makes its event and then looks at the folder.
Whichever of the two is later sees the other: a version never holds a stage and lies in the trash without somebody being
told.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stackroom.core.ledger import Ledger, Move, event_place, format_move, prev_of
from stackroom.core.names import version_ref
from stackroom.core.values import replace
from stackroom.errors import ConflictError, RegistryError
from stackroom.store import layout
from stackroom.store.ledgers import append_move, project

if TYPE_CHECKING:
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder


def withdraw_if_deleted(reader: Reader, root: Folder, ledger: Ledger, move: Move) -> None:
    """Move the stage back to what it held before where the version of a move just made is gone.

    Args:
        reader: the registry.
        root: its folder.
        ledger: as it was when the move was judged.
        move: the event that was made.

    Raises:
        ConflictError: the version is gone; the stage is held as before, unless somebody moved it on meanwhile.
    """
    if move.to is None or _is_here(root, ledger.model, move.to):
        return
    ref = version_ref(ledger.model, move.to)
    number = ledger.next_number + 1
    before = ledger.head.move if ledger.head else None
    back = replace(
        move,
        to=move.origin,
        origin=move.to,
        at=reader.clock(),
        why=f"{ref} was deleted while it was moved",
        override=(),
        digest=before.digest if before else "",
        metadata=before.metadata if before else "",
        card=before.card if before else "",
        prev=prev_of(format_move(move)),
        extra={},
        event=event_place(reader.id, ledger.stage, ledger.model, number),
    )
    with suppress(ConflictError):
        # A conflict: somebody has moved the stage on, and what they want stands.
        append_move(root, ledger.stage, ledger.model, number, back)
    with suppress(RegistryError):
        project(root, reader.id, ledger.stage, ledger.model)
    raise ConflictError(
        f"{ref} was deleted while you moved it to {ledger.stage}; the move was taken back",
        hint=f"stackroom restore {ref}, then move it again",
        facts={"ref": str(ref), "stage": ledger.stage},
    )


def _is_here(root: Folder, model: str, number: int) -> bool:
    """Whether the folder is there, by a listing that is asked for now; what cannot be listed is not called gone."""
    try:
        with root.child(layout.MODELS) as models, models.child(model) as folder:
            return folder.has(str(number))
    except OSError:
        return True
