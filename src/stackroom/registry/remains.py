"""What lies in the trash: whether it is what was deleted, or what a stage holds under another number.

Who owns the folder of a model can rename what others put there, into the trash of another number and out of it. Names
say nothing here: only digests do, and who owns what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.store.removal import remains_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.ledger import Ledger
    from stackroom.core.names import StageName
    from stackroom.store.folder import Folder
    from stackroom.store.records import Deletion


def not_what_was_deleted(folder: Folder, deletion: Deletion) -> str:
    """Why a folder in the trash is not, or not surely, what its tombstone speaks of; or empty.

    Args:
        folder: the model's.
        deletion: with a tombstone that counts.
    """
    tombstone, what = deletion.tombstone, deletion.folder
    if tombstone is None or not what:
        return ""
    if tombstone.digest == deletion.digest:
        maker, owner = tombstone.owner, deletion.owner
        if deletion.digest or (owner and maker in {0, owner.uid}):
            return ""
        return f"has a tombstone that names no artifacts, and not its owner made it: nothing tells what {what} is"
    if not tombstone.digest:
        return f"has a tombstone that names no artifacts, and {what} has some: it is not what was deleted"
    if deletion.digest:
        return f"is not in {what}: other artifacts are there than the tombstone names"
    if deletion.state == "purging" and _is_empty(folder, what):
        return ""
    return f"has a tombstone that names its artifacts, and nothing tells which {what} has"


def _is_empty(folder: Folder, name: str) -> bool:
    try:
        with folder.child(name) as inside:
            return not inside.names()
    except OSError:
        return False


def held_as(folder: Folder, deletion: Deletion, ledgers: Mapping[StageName, Ledger]) -> tuple[StageName, int] | None:
    """The stage that a folder in the trash holds, and its number there; None where it holds none.

    It does if that number is its own. It does if an event pins its artifacts for another number, and either pins its
    metadata too, or nothing with these artifacts is under that number: several versions may have the same.

    Args:
        folder: the model's.
        deletion: with the folder.
        ledgers: of the model.
    """
    for stage, ledger in ledgers.items():
        holder, move = ledger.holder, ledger.head.move if ledger.head else None
        if holder is None or move is None:
            continue
        if holder == deletion.number:
            return stage, holder
        if not deletion.digest or move.digest != deletion.digest:
            continue
        if move.metadata == deletion.metadata or remains_of(folder, str(holder)).digest != deletion.digest:
            return stage, holder
    return None
