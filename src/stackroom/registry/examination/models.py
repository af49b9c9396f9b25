"""The models' folders: who owns them, which names lie in them, which numbers are used up, and what was deleted."""

from __future__ import annotations

import contextlib
import stat
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from stackroom.core import show
from stackroom.core.findings import Finding
from stackroom.core.names import NUMBER_DIGITS, is_model_name, similarity_key
from stackroom.core.values import dataclass
from stackroom.registry.examination.deletions import examine_deletions
from stackroom.registry.examination.guards import past_the_guards
from stackroom.registry.examination.holders import missing_holders, missing_models
from stackroom.registry.examination.revisions import examine_revisions
from stackroom.registry.examination.tour import foreign, who
from stackroom.registry.examination.versions import examine_version
from stackroom.store import layout
from stackroom.store.access import group_name
from stackroom.store.publish import model_mode
from stackroom.store.scan import list_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.core.names import ModelName
    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.folder import Folder
    from stackroom.store.scan import ModelListing
    from stackroom.store.sights import Sight

FAR: Final = 1_000
"""A number this far above the next lower one was hardly reached by counting."""

LAST_NUMBER: Final = 10**NUMBER_DIGITS - 1
"""The last number that the format has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A model's folder, open, with what one look at it told."""

    folder: Folder
    place: str
    listing: ModelListing
    sights: tuple[Sight, ...]


def examine_models(tour: Tour, stages: Stages) -> Iterator[Finding]:
    """Everything below ``models/``."""
    try:
        models = tour.root.child(layout.MODELS)
    except FileNotFoundError:
        return
    except OSError as error:
        yield tour.unreadable(layout.MODELS, error, tour.root)
        return
    with models:
        try:
            sights = tour.seen(models, layout.MODELS)
        except OSError as error:
            yield tour.unreadable(layout.MODELS, error, tour.root)
            return
        names: list[str] = []
        for sight in sights:
            if sight.is_folder and is_model_name(sight.name):
                names.append(sight.name)
                yield from _model(tour, models, sight, stages)
            elif not sight.name.startswith("."):
                yield foreign(sight)
        yield from _too_similar(names)
        yield from missing_models(stages, names)
    for uid, amount in sorted(tour.bytes_kept.items()):
        owner = who(uid)
        message = f"deleted versions of {owner.label} keep {show.long_size(amount)}"
        command = tour.command("purge", "--yes") if uid == tour.me else ""
        yield Finding(kind="trash-kept", place=layout.MODELS, message=message, owner=owner, command=command)


def _too_similar(names: Sequence[str]) -> Iterator[Finding]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[similarity_key(name)].append(name)
    for group in alike.values():
        if len(group) > 1:
            yield Finding(
                kind="model-similar",
                place=f"{layout.MODELS}/{group[-1]}",
                message=f"looks like {', '.join(group[:-1])}",
            )


def _model(tour: Tour, models: Folder, sight: Sight, stages: Stages) -> Iterator[Finding]:
    try:
        folder = models.child(sight.name)
    except OSError as error:
        yield tour.unreadable(sight.place, error, models)
        return
    with folder:
        yield from _model_folder(tour, models, folder, sight)
        name: ModelName = sight.name  # type: ignore[assignment]  # checked by is_model_name
        try:
            sights = tuple(tour.seen(folder, sight.place))
            listing = list_model(folder, name)
        except OSError as error:
            yield tour.unreadable(sight.place, error, models)
            return
        model = _Opened(folder=folder, place=sight.place, listing=listing, sights=sights)
        yield from _names(tour, model)
        yield from _numbers(model)
        yield from examine_deletions(tour, stages, folder, listing, sights)
        yield from examine_revisions(tour, folder, listing, sights)
        yield from missing_holders(tour, stages, name, listing)
        yield from past_the_guards(tour, stages, folder, name)
        for number in listing.numbers:
            yield from examine_version(tour, stages, folder, listing, number)


def _model_folder(tour: Tour, models: Folder, folder: Folder, sight: Sight) -> Iterator[Finding]:
    """The mode, group and owner of one model's folder."""
    status, mode = folder.status(), sight.mode
    owner = who(status.st_uid)
    if tour.team and status.st_uid != tour.steward:
        message = f"was made by {owner.label}, who can rename versions of others in it"
        yield Finding(kind="model-self-made", place=sight.place, message=message, owner=owner)
    group = tour.authors
    # What models/ itself should be is told of models/: here it must not be taken for the measure of what lies in it.
    wanted = model_mode(models) & 0o755 if group is None else layout.SHARED_FOLDER_MODE
    # No chmod of a path: any author can put a symlink in the place of a model of his. --fix goes by what is open.
    command = tour.command("doctor", "--fix")
    # Whom models/ itself does not pass its group on to, nobody is let in for: the authors are a guess then.
    stated = models.status().st_gid == group and bool(models.status().st_mode & stat.S_ISGID)
    may = tour.may_change(status.st_uid) if group is None else stated and tour.may_share(status.st_uid, group)
    if group is not None and status.st_gid != group:
        message = f"is of group {group_name(status.st_gid)} and not of {group_name(group)}"
        yield Finding(
            kind="folder-group",
            place=sight.place,
            message=message,
            owner=owner,
            command=command,
            fixable=may,
            mode=wanted,
            group=group,
        )
    # Closing one's model to others is everybody's own choice, and so are all bits where nobody else writes.
    if mode & 0o7770 == wanted & 0o7770 and not mode & ~wanted & 0o007:
        return
    is_open = bool(mode & 0o022) and not mode & stat.S_ISVTX
    if group is None and not is_open:
        return
    because = "others can rename away what lies in it" if is_open else "as after a copy without modes"
    yield Finding(
        kind="folder-open" if is_open else "folder-mode",
        place=sight.place,
        message=f"is {mode:04o} and not {wanted:04o}: {because}",
        owner=owner,
        command=command,
        fixable=may,
        mode=wanted,
        group=group,
    )


def _names(tour: Tour, model: _Opened) -> Iterator[Finding]:
    """What has no place in a model's folder: foreign names, squatted numbers, labels of nothing."""
    for sight in model.sights:
        entry = layout.model_entry(sight.name)
        match entry.kind:
            case "version" if not sight.is_folder:
                message = f"a {sight.what} called {sight.name}: the number is used up, and there is no version"
                command = f"rm {tour.path(sight.place)}"
                yield Finding(
                    kind="number-squatted", place=sight.place, message=message, owner=who(sight.owner), command=command
                )
            case "label" if sight.is_symlink:
                yield from _label(tour, model, sight)
            case "metadata" | "card" if sight.is_file:
                pass
            case "tombstone" if sight.is_symlink:
                pass
            case "trash" | "purge" if sight.is_folder:
                pass
            case "version" | "hidden" | "temporary":
                pass
            case _:
                yield foreign(sight)


def _label(tour: Tour, model: _Opened, sight: Sight) -> Iterator[Finding]:
    try:
        number = layout.parse_label_text(model.folder.read_link(sight.name))
    except OSError:
        return
    if number is None:
        yield foreign(sight)
    elif number not in (*model.listing.numbers, *model.listing.removed):
        # Labels of deleted versions stay: they belong to the number.
        yield Finding(
            kind="label-dangling",
            place=sight.place,
            message=f"label of version {number}, which is not here",
            owner=who(sight.owner),
            command=f"rm {tour.path(sight.place)}",
        )


def _numbers(model: _Opened) -> Iterator[Finding]:
    """Numbers that were not reached by counting: of versions, and of the revisions of each."""
    used: dict[int, list[Sight]] = defaultdict(list)
    for sight in model.sights:
        entry = layout.model_entry(sight.name)
        if entry.number is not None:
            used[entry.number].append(sight)
        elif entry.kind == "label" and sight.is_symlink:
            with contextlib.suppress(OSError):
                number = layout.parse_label_text(model.folder.read_link(sight.name))
                if number is not None:
                    used[number].append(sight)
        if entry.revision > LAST_NUMBER - FAR:
            yield _running_out(sight, entry.revision, "revision")
    for before, number in pairwise([0, *sorted(used)]):
        if number > LAST_NUMBER - FAR:
            yield from (_running_out(sight, number, "version") for sight in used[number])
        elif number - before > FAR:
            for sight in used[number]:
                message = f"uses up the number {number}, and the one before it is {before}"
                yield Finding(kind="number-far", place=sight.place, message=message, owner=who(sight.owner))


def _running_out(sight: Sight, number: int, what: str) -> Finding:
    message = f"uses up the number {number}: there are {LAST_NUMBER - number} left for another {what}"
    return Finding(kind="numbers-running-out", place=sight.place, message=message, owner=who(sight.owner))
