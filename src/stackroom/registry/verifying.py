"""Verification: that every version is as sealed, and that what holds a stage is what was promoted."""

from __future__ import annotations

from dataclasses import dataclass
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
    from stackroom.store.scan import ModelListing


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


def verify(reader: Reader, versions: Sequence[Version], progress: Progress = silent) -> Iterator[VersionCheck]:
    """Re-read versions one after the other; a damaged one never stops the others."""
    models: dict[str, Model] = {}
    for version in versions:
        if version.model not in models:
            models = {version.model: reader.model(version.model)}
        yield _check(reader, models[version.model], version, progress)


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
            for holding in model.holdings:
                if holding.number == version.number:
                    damage += _promoted_damage(folder, listing, holding, found)
    return VersionCheck(
        ref=version.ref,
        damage=tuple(damage),
        warnings=found.warnings if found else (),
        files=found.files if found else 0,
        bytes=found.bytes if found else 0,
    )


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
    for revision in range(1, listing.cards.get(number, 0) + 1):
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
