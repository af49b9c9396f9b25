"""Numbers of versions that are none: which number is the newest all the same, and who can give one back.

Whoever may add versions can make a folder with a number for its name, and so use the number up. In a sticky folder not
everybody who may write there can take it away.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stackroom.core.attested import Who
from stackroom.store import layout
from stackroom.store.access import owner_of, user_name

if TYPE_CHECKING:
    from stackroom.store.folder import Folder
    from stackroom.store.scan import ModelListing


def newest_number(folder: Folder, listing: ModelListing) -> int | None:
    """The highest number under which anybody registered a version; an empty folder of a number is none.

    What cannot be looked into counts: nobody knows that it is none.
    """
    for number in reversed(listing.numbers):
        try:
            with folder.child(str(number)) as inside:
                inside.lstat(layout.VERSION_FILE)
        except FileNotFoundError:
            continue
        except OSError:
            pass
        return number
    return None


def who_can_free(folder: Folder, number: int | None, revision: int = 0) -> str:
    """Which names in a model's folder hold a number, and who can take them away, as half a sentence.

    Args:
        folder: the model's.
        number: of the version; None for the model's own revisions.
        revision: that is meant; 0 for the number of the version itself.
    """
    holder = owner_of(folder)
    names: dict[Who, list[str]] = {}
    for name in sorted(folder.names()):
        if _holds(folder, name, number, revision):
            with suppress(OSError):
                uid = folder.lstat(name).st_uid
                names.setdefault(Who(uid, user_name(uid)), []).append(name)
    parts = [
        f"{', '.join(own)} is {owner}'s, who can take it away"
        + (f", as can {holder}, whose folder {folder.path} is" if owner.uid != holder.uid else "")
        for owner, own in names.items()
    ]
    return "; ".join(parts) or f"ask {holder}, whose folder {folder.path} is"


def _holds(folder: Folder, name: str, number: int | None, revision: int) -> bool:
    entry = layout.model_entry(name)
    if revision:
        return (entry.number, entry.revision) == (number, revision)
    if entry.kind == "label":
        with suppress(OSError):
            return layout.parse_label_text(folder.read_link(name)) == number
        return False
    return entry.number == number
