"""Verification: that every version is as sealed, and that what holds a stage is what was promoted."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Any

from stackroom.core.names import parse_ref
from stackroom.store import layout
from stackroom.store.digest import Progress, Verification, silent, verify_version
from stackroom.store.scan import CARD_LIMIT, read_card, read_revisions, text_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.core.names import Ref
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Holding, Model, Version
    from stackroom.store.scan import ModelListing, RevisionText


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """What verifying one version found.

    Attributes:
        ref: which.
        damage: what is not as it was sealed or promoted; names the file.
        warnings: what could be changed unnoticed.
        files: how many artifacts were read.
        bytes: of them.
    """

    ref: Ref
    damage: tuple[str, ...]
    warnings: tuple[str, ...]
    files: int
    bytes: int

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``verify --json``."""
        return {
            "ref": str(self.ref),
            "ok": not self.damage,
            "damage": list(self.damage),
            "warnings": list(self.warnings),
            "files": self.files,
            "bytes": self.bytes,
        }


def planned(reader: Reader, refs: Sequence[str]) -> tuple[Version, ...]:
    """The versions to verify: those named, all of a named model, or all there are."""
    if not refs:
        return tuple(version for model in reader.models(every_version=True).models for version in model.versions)
    found: dict[str, Version] = {}
    for ref in refs:
        parsed = parse_ref(ref)
        versions = reader.model(parsed.model).versions if parsed.kind == "model" else (reader.version(parsed),)
        found |= {str(version.ref): version for version in versions}
    return tuple(found.values())


def verify(
    reader: Reader, versions: Sequence[Version], progress: Progress = silent, *, jobs: int = 1
) -> Iterator[VersionCheck]:
    """Re-read versions, ``jobs`` of them at once, in their order; a damaged one never stops the others."""
    if jobs == 1:
        for version, model in _with_models(reader, versions):
            yield _check(reader, model, version, progress)
        return
    left = Event()

    def watched(amount: int, /) -> None:
        if left.is_set():
            raise _LeftError
        progress(amount)

    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[VersionCheck]] = deque()
        try:
            for version, model in _with_models(reader, versions):
                waiting.append(pool.submit(_check, reader, model, version, watched))
                if len(waiting) > jobs * 2:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Whoever stops listening, or presses ctrl+c, does not wait for gigabytes that nobody wants any more.
            left.set()
            pool.shutdown(cancel_futures=True)


class _LeftError(Exception):
    """Ends the reading of a version that nobody waits for any more."""


def _with_models(reader: Reader, versions: Sequence[Version]) -> Iterator[tuple[Version, Model]]:
    model: Model | None = None
    for version in versions:
        if model is None or model.name != version.model:
            model = reader.model(version.model)
        yield version, model


def missing_holders(reader: Reader) -> Iterator[VersionCheck]:
    """A check for every stage that is held by a version whose folder is not there."""
    for model in reader.models().models:
        for holding in model.holdings:
            if holding.missing and holding.number is not None:
                message = f"holds {holding.stage}, and its folder is missing"
                ref = parse_ref(f"{model.name}:{holding.number}")
                yield VersionCheck(ref=ref, damage=(message,), warnings=(), files=0, bytes=0)


def _check(reader: Reader, model: Model, version: Version, progress: Progress) -> VersionCheck:
    damage: list[str] = []
    found: Verification | None = None
    with reader.model_folder(version.model) as (_, folder, listing):
        damage += [problem.message for problem in version.problems if problem.severity == "error"]
        try:
            with folder.child(str(version.number)) as inside:
                found = verify_version(inside, version.seal.digest if version.seal else "", progress)
        except OSError as error:
            damage.append(f"the folder cannot be read: {(error.strerror or str(error)).lower()}")
        if found:
            damage += found.damage
            damage += _broken_chain(read_revisions(folder, listing, version.number))
            for holding in model.holdings:
                if holding.number == version.number:
                    damage += _promoted_damage(folder, listing, holding, found)
    unread = tuple(f"what {one.stage} promoted was not compared: {one.unread}" for one in model.holdings if one.unread)
    return VersionCheck(
        ref=version.ref,
        damage=tuple(damage),
        warnings=(*(found.warnings if found else ()), *unread),
        files=found.files if found else 0,
        bytes=found.bytes if found else 0,
    )


def _broken_chain(chain: Sequence[RevisionText]) -> Iterator[str]:
    """Revisions whose text is not the one that the next revision replaced: their owner has written to them since."""
    for before, after in pairwise(chain):
        said = after.note.previous if after.note else ""
        if said and after.number == before.number + 1 and said != before.digest:
            yield f"{before.name}: its text is not the one that {after.name} replaced"


def _promoted_damage(folder: Folder, listing: ModelListing, holding: Holding, found: Verification) -> Iterator[str]:
    """What of the holder is not what the deciding event pinned."""
    move = holding.event.move if holding.event else None
    if move is None or move.to is None or holding.event is None:
        return
    event = f"{holding.stage}/{holding.event.name}"
    if found.digest and move.digest != found.digest:
        yield f"artifacts are {found.digest[:19]}…, and {event} promoted {move.digest[:19]}…"
    if move.metadata not in {revision.digest for revision in read_revisions(folder, listing, move.to)}:
        yield f"no metadata revision is the one that {event} promoted"
    if move.card and move.card not in _card_digests(folder, listing, move.to):
        yield f"no card is the one that {event} promoted"


def _card_digests(folder: Folder, listing: ModelListing, number: int) -> set[str]:
    digests: set[str] = set()
    for revision in listing.card_revisions.get(number, ()):
        try:
            digests.add(text_digest(folder.read(layout.card_name(number, revision), CARD_LIMIT)))
        except OSError:
            continue
    try:
        with folder.child(str(number)) as inside:
            digests.add(text_digest(inside.read(layout.CARD_FILE, CARD_LIMIT)))
    except OSError:
        pass
    try:
        current = read_card(folder, listing, number)
    except OSError:
        current = None
    return digests | ({text_digest(current)} if current is not None else set())
