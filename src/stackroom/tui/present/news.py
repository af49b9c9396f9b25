"""What has changed between two looks at a model, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.show import age
from stackroom.tui.present.versions import author

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from stackroom.core.attested import Who
    from stackroom.store.records import Holding, Model


def news(
    name: str,
    before: Model | None,
    after: Model | None,
    now: datetime,
    *,
    you: Who,
    own: bool = False,
    stages: Collection[str] | None = None,
    made: Collection[str] = (),
) -> list[str]:
    """What to tell about a model that was read again; the most telling first, nothing when nothing shows.

    Args:
        name: of the model.
        before: as it was; None where it was not there.
        after: as it is; None where it is gone.
        now: what ages are counted to.
        you: whose moves are "yours".
        own: whether you have just changed it yourself: your move or edit is said already.
        stages: that were known before; who holds another one is no news, it could not be seen. None for all.
        made: versions and models that you have made here: that is said already.
    """
    if after is None:
        return [f"{name} is gone"] if before is not None else []
    moved = _moved(before, after, stages)
    told = [_move(after, held, now, you) for held in moved if not (own and _by_you(held, you))]
    old = before.latest.number if before and before.latest else 0
    fresh = (version for version in after.versions if version.number > old and str(version.ref) not in made)
    told.extend(f"{version.ref} registered by {author(version)}" for version in fresh)
    if before is None:
        return told or ([] if name in made else [f"{name} is new"])
    return told or ([] if own else _edits(name, before, after))


def _edits(name: str, before: Model, after: Model) -> list[str]:
    told = []
    known = {version.number: version for version in before.versions}
    for version in after.versions:
        earlier = known.get(version.number)
        if earlier and earlier.revision != version.revision:
            by = version.note.revised_by.partition(":")[2] if version.note else ""
            told.append(f"{version.ref} edited" + (f" by {by}" if by else ""))
        elif earlier and earlier.card_revision != version.card_revision:
            told.append(f"the card of {version.ref} edited")
        elif earlier and earlier.labels != version.labels:
            told.append(f"{version.ref} labelled {', '.join(sorted(set(version.labels) - set(earlier.labels)))}")
    if after.count < before.count:
        told.append(f"{name} has {before.count - after.count} fewer versions")
    if before.revision != after.revision:
        told.append(f"{name} edited")
    return told


def _moved(before: Model | None, after: Model, stages: Collection[str] | None) -> list[Holding]:
    """The stages whose newest move is another than the one that was known, or the first of all."""
    found = []
    for held in after.holdings:
        if held.event is None or held.event.move is None or (stages is not None and held.stage not in stages):
            continue
        earlier = before.holding(held.stage) if before else None
        known = earlier.event if earlier else None
        # Where none was known, an old one has only become readable.
        new = held.event.number != known.number if known else before is None or held.event.number == 1
        if new:
            found.append(held)
    return found


def _by_you(held: Holding, you: Who) -> bool:
    return held.event is not None and held.event.move is not None and held.event.move.by.uid == you.uid


def _move(model: Model, held: Holding, now: datetime, you: Who) -> str:
    move = held.event.move if held.event else None
    by = "you" if _by_you(held, you) else move.by.label if move else ""
    what = (
        f"{model.name}:{held.number} moved to {held.stage}" if held.number else f"{held.stage} of {model.name} cleared"
    )
    return f"{what} by {by} {age(move.at, now)}" if move else what


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
