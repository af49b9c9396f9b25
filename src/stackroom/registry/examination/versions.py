"""One version: what it says, what lies in it, whether it can still be changed, and whether what holds a stage was.

Only names, modes and times are looked at, and the three texts that every version has. Artifacts are read where a
stage is held and something is younger than the event: whoever writes to a file cannot set the time of that back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.findings import Finding
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.registry.examination.holders import move_away
from stackroom.registry.examination.tour import who
from stackroom.registry.holdings import not_as_promoted
from stackroom.registry.verifying import card_digests, verify
from stackroom.store import layout
from stackroom.store.scan import read_revisions, read_version
from stackroom.store.sights import Sight, look_below
from stackroom.store.sums import artifacts_digest, read_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.registry.examination.tour import Tour
    from stackroom.registry.holdings import Stages
    from stackroom.store.folder import Folder
    from stackroom.store.records import Holding, Version
    from stackroom.store.scan import ModelListing


def examine_version(
    tour: Tour, stages: Stages, folder: Folder, listing: ModelListing, number: int
) -> Iterator[Finding]:
    """One version's folder, and all that lies in it."""
    place = f"{layout.MODELS}/{listing.name}/{number}"
    try:
        with folder.child(str(number)) as inside:
            top = Sight(place=place, name=str(number), status=inside.status())
            below = tuple(look_below(inside, place))
            for sight in below:
                if sight.error:
                    yield tour.unreadable(sight.place, sight.error)
            if any(sight.place == place and sight.error for sight in below):
                return
            if not any(sight.place == f"{place}/{layout.VERSION_FILE}" for sight in below):
                message = f"a folder without {layout.VERSION_FILE}: nobody registered it"
                # Only where nothing is lost: what lies in it is its owner's to judge.
                command = "" if below else f"rmdir {tour.path(place)}"
                yield Finding(
                    kind="number-squatted", place=place, message=message, owner=who(top.owner), command=command
                )
                return
            version = read_version(folder, listing, number)
            yield from _texts(version, place)
            yield from _seal(version, inside, place, below)
    except OSError as error:
        yield tour.unreadable(place, error, folder)
        return
    yield from _modes(tour, top, below)
    yield from _holding(
        tour, _Held(version=version, sights=(top, *below), stages=stages, folder=folder, listing=listing)
    )


def _texts(version: Version, place: str) -> Iterator[Finding]:
    seal = version.seal
    if seal is None:
        message = version.problems[0].message if version.problems else f"{layout.VERSION_FILE} says too little"
        yield Finding(kind="version-unreadable", place=place, message=message, owner=version.owner)
    elif seal.model != version.model:
        message = f"registered for model {seal.model!r}, and lies in {version.model!r}"
        yield Finding(kind="version-elsewhere", place=place, message=message, owner=version.owner)


def _seal(version: Version, inside: Folder, place: str, below: Sequence[Sight]) -> Iterator[Finding]:
    """Names and sizes against the seal; no artifact is read."""
    try:
        text, sums = read_sums(inside)
    except (OSError, InvalidInputError) as error:
        said = str(error) if isinstance(error, InvalidInputError) else (error.strerror or str(error)).lower()
        message = f"{layout.SHA256_FILE} cannot be read: {said}"
        yield Finding(kind="seal-broken", place=f"{place}/{layout.SHA256_FILE}", message=message, owner=version.owner)
        return
    if version.seal and artifacts_digest(text) != version.seal.digest:
        message = f"{layout.SHA256_FILE} is not the one that {layout.VERSION_FILE} names"
        yield Finding(kind="seal-broken", place=place, message=message, owner=version.owner)
    files = {sight.place.removeprefix(f"{place}/"): sight for sight in below if not sight.is_folder}
    artifacts = {path: sight for path, sight in files.items() if path not in layout.UNLISTED_FILES}
    for path, sight in artifacts.items():
        if not sight.is_file and sight.status is not None:
            message = f"a {sight.what}, and a version holds files and folders only"
        elif path not in sums:
            message = f"extra: {layout.SHA256_FILE} does not list it"
        else:
            continue
        yield Finding(kind="seal-broken", place=sight.place, message=message, owner=who(sight.owner))
    missing = sorted(sums.keys() - artifacts.keys())
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        message = f"missing: {', '.join(missing[:3])}{more}"
        yield Finding(kind="seal-broken", place=place, message=message, owner=version.owner)
    size = sum(sight.status.st_size for sight in artifacts.values() if sight.status and sight.is_file)
    if version.seal and not missing and artifacts.keys() == sums.keys() and size != version.seal.bytes:
        message = f"its artifacts have {size:,} bytes, and {version.seal.bytes:,} were sealed"
        yield Finding(kind="seal-broken", place=place, message=message, owner=version.owner)


def _modes(tour: Tour, top: Sight, below: Sequence[Sight]) -> Iterator[Finding]:
    """Write permission, and other names of the files."""
    writable = [sight for sight in (top, *below) if not sight.is_symlink and sight.mode & 0o222]
    if writable:
        first = writable[0]
        named = "the folder itself" if first is top else first.place.removeprefix(f"{top.place}/")
        more = f" and {len(writable) - 1} more in it" if len(writable) > 1 else ""
        yield Finding(
            kind="sealed-writable",
            place=top.place,
            message=f"{named} is {first.mode:04o}{more}: not sealed, or copied without modes",
            owner=who(first.owner),
            # No chmod of a path: the owner of the model can put a symlink there. --fix goes by what is open.
            command=tour.command("doctor", "--fix"),
            fixable=all(tour.may_change(sight.owner) and not sight.error for sight in (top, *below)),
        )
    for sight in below:
        if sight.is_file and sight.status and sight.status.st_nlink > 1:
            message = f"has {sight.status.st_nlink} names, and the other one may be writable"
            yield Finding(
                kind="version-linked",
                place=sight.place,
                message=message,
                owner=who(sight.owner),
                command=f"find / -xdev -samefile {tour.path(sight.place)}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A version with everything that was seen of it, and the stages, one of which it may hold."""

    version: Version
    sights: tuple[Sight, ...]
    stages: Stages
    folder: Folder
    listing: ModelListing

    @property
    def place(self) -> str:
        return self.sights[0].place

    def holdings(self) -> list[Holding]:
        """The stages that it holds."""
        everybody = self.stages.holdings(self.listing.name, self.listing.numbers)
        return [one for one in everybody if one.number == self.version.number and one.event]


def _holding(tour: Tour, held: _Held) -> Iterator[Finding]:
    """Whether what holds a stage is what was promoted."""
    holdings = held.holdings()
    if not holdings:
        return
    others = [number for number in held.listing.numbers if number != held.version.number]
    command = move_away(tour, held.stages, holdings[0].stage, held.version.model, others)
    different = [problem.message for one in holdings if (problem := not_as_promoted(held.version, one))]
    different += _other_texts(held, holdings)
    if different:
        yield Finding(
            kind="version-changed",
            place=held.place,
            message="; ".join(different),
            owner=held.version.owner,
            command=command,
        )
    else:
        yield from _touched(tour, held, holdings, command)


def _other_texts(held: _Held, holdings: Sequence[Holding]) -> list[str]:
    """Where the metadata or the card that an event promoted are nowhere any more."""
    number = held.version.number
    metadata = {revision.digest for revision in read_revisions(held.folder, held.listing, number)}
    cards = card_digests(held.folder, held.listing, number)
    wrong: list[str] = []
    for one in holdings:
        move = one.event.move if one.event else None
        if move and move.metadata not in metadata:
            wrong.append(f"no metadata revision is the one that was promoted to {one.stage}")
        if move and move.card and move.card not in cards:
            wrong.append(f"no card is the one that was promoted to {one.stage}")
    return wrong


def _touched(tour: Tour, held: _Held, holdings: Sequence[Holding], command: str) -> Iterator[Finding]:
    """Whether something is younger than the event, and if so whether it is still what was promoted."""
    moved = (tour.moved.get((one.stage, one.event.name)) for one in holdings if one.event)
    since = min((when for when in moved if when is not None), default=None)
    # What happened within one tick of the file system's clock has the same time: that is read, too.
    touched = [
        sight for sight in held.sights if since is not None and sight.status and sight.status.st_ctime_ns >= since
    ]
    if since is None or not touched:
        return
    first = max(touched, key=lambda sight: (sight.is_file, sight.status.st_ctime_ns if sight.status else 0))
    stages = ", ".join(one.stage for one in holdings)
    for check in verify(tour.reader, [held.version]):
        about: dict[str, list[str]] = {}
        for damage in check.damage:
            place = f"{held.place}/{damage.partition(': ')[0]}"
            known = any(sight.place == place for sight in touched)
            # What names no file that was touched goes with the first that does.
            about.setdefault(place if known else next(iter(about), first.place), []).append(damage)
        for culprit in (sight for sight in touched if sight.place in about):
            damages = about[culprit.place]
            more = f"; and {len(damages) - 2} more, which verify tells" if len(damages) > 2 else ""
            yield Finding(
                kind="version-changed",
                place=culprit.place,
                message=f"holds {stages}, and was written to by {who(culprit.owner).label} after the promotion: "
                f"{'; '.join(damages[:2])}{more}",
                owner=who(culprit.owner),
                command=command,
            )
        # In a copied tree everything has the time of the copying.
        attested = all(
            one.event and one.event.validity is Validity.ATTESTED and not one.event.remark for one in holdings
        )
        later = [sight for sight in touched if sight.status and sight.status.st_ctime_ns > since]
        if later and attested and not check.damage:
            message = f"holds {stages}, and was touched after the promotion; its bytes are as promoted"
            yield Finding(kind="version-touched", place=first.place, message=message, owner=who(first.owner))
