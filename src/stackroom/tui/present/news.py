"""What has changed between two looks at a model, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.show import age
from stackroom.tui.present.versions import author

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.core.ledger import Who
    from stackroom.store.records import Model


def news(
    name: str, before: Model | None, after: Model | None, now: datetime, *, you: Who, own: bool = False
) -> list[str]:
    """What to tell about a model that was read again; the most telling first, nothing when nothing shows.

    Args:
        name: of the model.
        before: as it was; None where it was not there.
        after: as it is; None where it is gone.
        now: what ages are counted to.
        you: whose moves are "yours".
        own: whether you have just changed it yourself: your move or edit is said already.
    """
    if after is None:
        return [f"{name} is gone"] if before is not None else []
    told = _moves(before, after, now, you, own=own)
    old = before.latest.number if before and before.latest else 0
    for version in after.versions:
        if version.number > old:
            told.append(f"{version.ref} registered by {author(version)}")
    if before is None:
        return told or [f"{name} is new"]
    return told or ([] if own else _edits(name, before, after))


def _edits(name: str, before: Model, after: Model) -> list[str]:
    told = []
    known = {version.number: version for version in before.versions}
    for version in after.versions:
        earlier = known.get(version.number)
        if earlier and earlier.revision != version.revision:
            by = version.note.revised_by.partition(":")[2] if version.note else ""
            told.append(f"{version.ref} edited" + (f" by {by}" if by else ""))
        elif earlier and earlier.labels != version.labels:
            told.append(f"{version.ref} labelled {', '.join(sorted(set(version.labels) - set(earlier.labels)))}")
    if after.count < before.count:
        told.append(f"{name} has {before.count - after.count} fewer versions")
    if before.revision != after.revision:
        told.append(f"{name} edited")
    return told


def _moves(before: Model | None, after: Model, now: datetime, you: Who, *, own: bool) -> list[str]:
    told = []
    for held in after.holdings:
        earlier = before.holding(held.stage) if before else None
        event = held.event
        if event is None or event.move is None or (earlier and earlier.event and earlier.event.text == event.text):
            continue
        if own and event.move.by.uid == you.uid:
            continue
        by = "you" if event.move.by.uid == you.uid else event.move.by.label
        what = (
            f"{after.name}:{held.number} moved to {held.stage}"
            if held.number
            else f"{held.stage} of {after.name} cleared"
        )
        told.append(f"{what} by {by} {age(event.move.at, now)}")
    return told


def changed_versions(before: Model | None, after: Model | None) -> frozenset[str]:
    """The numbers of the versions that are new, edited, moved or labelled, as the keys of their rows."""
    if before is None or after is None:
        return frozenset()
    known = {version.number: version for version in before.versions}
    latest = before.latest.number if before.latest else 0
    return frozenset(
        str(version.number)
        for version in after.versions
        if (version.number in known and known[version.number] != version) or version.number > latest
    )
