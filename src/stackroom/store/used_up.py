"""Numbers that are used up: who owns the name with the last one, and who can take it away."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from stackroom.core.names import NUMBER_DIGITS
from stackroom.errors import IntegrityError
from stackroom.store.access import user_name

if TYPE_CHECKING:
    from stackroom.store.folder import Folder


def used_up(folder: Folder, name: str, *, what: str) -> IntegrityError:
    """What is said to somebody who would need a number after the last.

    Args:
        folder: where the names lie.
        name: the one that has the last number.
        what: an event, an approval, a revision.
    """
    import shlex  # noqa: PLC0415 - only for advice

    owner, may = owner_and_others(folder, name)
    return IntegrityError(
        f"{name} is {what} with the last number that {NUMBER_DIGITS} digits can say, and nothing can follow it; "
        f"it belongs to {owner}",
        hint=f"{may} can take it away: rm {shlex.quote(f'{folder.path}/{name}')}",
        facts={"name": name, "directory": folder.path, "owner": owner},
    )


def owner_and_others(folder: Folder, name: str) -> tuple[str, str]:
    """Whose a name is, and who can take it away, in words: its owner and, where it is sticky, the folder's."""
    try:
        owner, above = folder.lstat(name).st_uid, folder.status()
    except OSError:
        return "somebody who cannot be told", "its owner"
    mine, theirs = user_name(owner) or str(owner), user_name(above.st_uid) or str(above.st_uid)
    if not above.st_mode & stat.S_ISVTX:
        return mine, f"{mine}, like everybody who may write to {folder.path},"
    return mine, mine if owner == above.st_uid else f"{mine}, or {theirs}, who owns {folder.path},"
