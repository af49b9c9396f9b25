"""What would come of a move: everything that the guards look at, read from the disk, and their verdicts.

Nothing here writes to the ledger. What was judged is what is written: :class:`Scene` holds the ledger, and so the
number that was free then, and :class:`Judgement` the digests of the artifacts, metadata and card that the guards saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Validity
from stackroom.core.guards import Candidate, Situation, Verdict, judge
from stackroom.core.ledger import Event, Ledger, event_name
from stackroom.core.metadata import Record
from stackroom.core.names import Ref, StageName, parse_ref, version_ref
from stackroom.core.policy import Guards, Stage
from stackroom.registry.pinning import check_readable
from stackroom.registry.reading import listed
from stackroom.store import layout
from stackroom.store.attested import access_to_stage
from stackroom.store.digest import Progress, silent, verify_version
from stackroom.store.ledgers import read_ledger
from stackroom.store.scan import ModelListing, read_revisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
    from stackroom.store.access import Access
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What would come of a move, at the moment of asking.

    Attributes:
        ref: the version that would hold the stage; the model where the stage would be cleared.
        stage: which.
        holder: who holds it now, or None.
        access: the kernel's side: whether the caller may make names in the ledger.
        verdicts: the guards' side.
        already: the version holds the stage already, and its event is attested: there is nothing to do.
        changes: the names that would be made or replaced, below the registry's root.
        head: the text of the newest event that the judgement rests on; empty for none.
    """

    ref: Ref
    stage: StageName
    holder: Ref | None
    access: Access
    verdicts: tuple[Verdict, ...] = ()
    already: bool = False
    changes: tuple[str, ...] = ()
    head: str = ""

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The guards that refuse."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    @property
    def allowed(self) -> bool:
        """Whether the kernel and every guard agree."""
        return self.access.allowed and not self.failed

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``can --json``."""
        return {
            "ref": str(self.ref),
            "stage": self.stage,
            "holder": str(self.holder) if self.holder else None,
            "allowed": self.allowed,
            "already": self.already,
            "access": self.access.document(),
            "verdicts": [verdict.document() for verdict in self.verdicts],
            "changes": list(self.changes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a move is made.

    Attributes:
        reason: what the mover says.
        expect: who must hold the stage now, as a reference; None asks for nothing.
        dry_run: judge, and write nothing.
        progress: is told about the bytes that the guard ``verify`` reads.
        seen: the head that the user decided upon; another one is a conflict.
    """

    reason: str = ""
    expect: str | None = None
    dry_run: bool = False
    progress: Progress = silent
    seen: str | None = None


@dataclass(slots=True)
class Scene:
    """A model and a stage, open and read: what one judgement looks at."""

    reader: Reader
    root: Folder
    folder: Folder
    listing: ModelListing
    stage: Stage
    ledger: Ledger
    held: Mapping[StageName, Ledger] = field(default_factory=dict)

    @property
    def model(self) -> ModelName:
        """Whose move."""
        return self.listing.name

    def access(self) -> Access:
        """Whether the caller may make names in the ledger."""
        return access_to_stage(str(self.reader.path), layout.STAGES, self.stage.name)

    def holder(self) -> Ref | None:
        """Who holds the stage, whether or not it still exists."""
        number = self.ledger.holder
        return version_ref(self.model, number) if number is not None else None

    def changes(self) -> tuple[str, ...]:
        """The names that a move would make or replace."""
        name = event_name(self.model, self.ledger.next_number)
        return (
            f"{layout.STAGES}/{self.stage.name}/{name}",
            f"{layout.LIVE}/{self.stage.name}/{self.model}",
        )


def judge_move(reader: Reader, ref: str | Ref, stage: str, options: Options | None = None) -> Judgement:
    """What would come of moving a version into a stage; reads every byte where the guard ``verify`` asks for it.

    Raises:
        NotFoundError: no such version or stage.
        InvalidInputError: ``registry.toml`` is wrong.
        IntegrityError: the version's metadata cannot be read.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    version = reader.version(parsed)
    with reader.model_folder(version.model) as (root, folder, listing):
        scene = scene_of(reader, root, folder, listing, stage)
        return judgement_of(scene, version, options or Options(), scene.stage.guards)


def scene_of(reader: Reader, root: Folder, folder: Folder, listing: ModelListing, stage: str) -> Scene:
    """Open everything that one judgement looks at.

    Raises:
        NotFoundError: there is no such stage.
        InvalidInputError: ``registry.toml`` is wrong.
    """
    if reader.policy_error:
        raise reader.policy_error
    name = reader.check_stage(stage)
    declared = reader.policy.stage(name) or Stage(name=name)
    ledgers = {one: read_ledger(root, reader.id, one, listing.name) for one in reader.stages}
    # Listed again: the holder may have been registered after the first look and promoted before this one.
    return Scene(reader, root, folder, listed(folder, listing.name), declared, ledgers[name], ledgers)


def judgement_of(scene: Scene, version: Version | None, options: Options, guards: Guards) -> Judgement:
    """What would come of a move; without a version, of clearing the stage."""
    access = scene.access()
    head = scene.ledger.head
    already = (
        version is not None
        and version.seal is not None
        and head is not None
        and head.validity is Validity.ATTESTED
        and _made_it_hold(head, version.number, version.seal.digest)
    )
    ref = version.ref if version else Ref(scene.model)
    if version is not None:
        check_readable(version)
        verdicts = () if already else judge(_situation(scene, version, options, guards))
    else:
        situation = Situation(
            candidate=Candidate(ref=ref, record=Record()),
            stage=Stage(name=scene.stage.name, guards=guards),
            policy=scene.reader.policy,
            reason=options.reason,
        )
        verdicts = judge(situation)
    return Judgement(
        ref=ref,
        stage=scene.stage.name,
        holder=scene.holder(),
        access=access,
        verdicts=verdicts,
        already=already,
        changes=() if already else scene.changes(),
        head=head.text if head else "",
    )


def _situation(scene: Scene, version: Version, options: Options, guards: Guards) -> Situation:
    digest = version.seal.digest if version.seal else ""
    candidate = Candidate(
        ref=version.ref,
        record=version.record,
        has_card=version.has_card,
        held=frozenset(
            stage
            for stage, ledger in scene.held.items()
            if any(_made_it_hold(event, version.number, digest) for event in ledger.counting())
        ),
    )
    holder, trouble = _holder_as_promoted(scene, version.number)
    damage: tuple[str, ...] | None = None
    if guards.verify:
        with scene.folder.child(str(version.number)) as inside:
            damage = verify_version(inside, digest, options.progress).damage
    return Situation(
        candidate=candidate,
        stage=Stage(name=scene.stage.name, guards=guards),
        policy=scene.reader.policy,
        holder=holder,
        holder_trouble=trouble,
        reason=options.reason,
        damage=damage,
    )


def _made_it_hold(event: Event, number: int, digest: str) -> bool:
    """Whether an event made this very version hold its stage: a number alone could be a folder put there later."""
    return event.move is not None and event.move.to == number and event.move.digest == digest


def _holder_as_promoted(scene: Scene, candidate: int) -> tuple[Candidate | None, str]:
    """The holder with the metadata that it had when it was promoted: editing it afterwards must not lower the bar."""
    head = scene.ledger.head
    if head is None or head.move is None or head.move.to is None or head.move.to == candidate:
        return None, ""
    number = head.move.to
    ref = version_ref(scene.model, number)
    nobody = Candidate(ref=ref, record=Record())
    if number not in scene.listing.numbers:
        return nobody, f"{ref} holds the stage, and its folder is missing"
    for revision in read_revisions(scene.folder, scene.listing, number):
        if revision.digest == head.move.metadata and revision.record is not None:
            return Candidate(ref=ref, record=revision.record, has_card=bool(head.move.card)), ""
    return nobody, f"{ref} has no metadata any more as it was promoted with"
