"""What would come of a move: everything that the guards look at, read from the disk, and their verdicts.

Nothing here writes to the ledger. What was judged is what is written: :class:`Scene` holds the ledger, and so the
number that was free then, and :class:`Judgement` the digests of the artifacts, metadata and card that the guards saw.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Pins, Validity, Who
from stackroom.core.guards import judge
from stackroom.core.ledger import Event, Ledger, Move, event_name
from stackroom.core.metadata import Record
from stackroom.core.names import Ref, StageName, parse_ref, version_ref
from stackroom.core.policy import Stage
from stackroom.core.soak import Soaked, made_it_hold, soaked
from stackroom.core.values import dataclass, replace
from stackroom.core.verdicts import Candidate, Heard, Ran, Situation, Verdict
from stackroom.errors import IntegrityError, RegistryError
from stackroom.registry.pinning import check_metadata_is_its_own, check_readable, pins_of, sealed_digest
from stackroom.registry.promoted import holder_as_promoted
from stackroom.registry.reading import listed
from stackroom.registry.remembering import vanished
from stackroom.store import layout
from stackroom.store.access import owner_of, user_name
from stackroom.store.approvals import read_words
from stackroom.store.attested import access_to_stage, time_of_the_file_system
from stackroom.store.caveats import Caveat, caveats, policy_caveats
from stackroom.store.digest import Progress, silent, verify_version
from stackroom.store.evidence import there_since, writers_of
from stackroom.store.folder import Folder, explained
from stackroom.store.ledgers import read_ledger
from stackroom.store.programs import run_program, why_not_run
from stackroom.store.readings import Readings
from stackroom.store.registry_file import read_registry_file
from stackroom.store.scan import ModelListing, read_card

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from stackroom.core.approvals import Word
    from stackroom.core.names import ModelName
    from stackroom.core.rules import Command, Guards
    from stackroom.registry.reading import Reader
    from stackroom.store.access import Access
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
        warnings: what makes ``access`` unsure, and what is odd about what was judged.
        words: what people said about it, where the stage has the guard ``approvals``.
        pins: what the version was when it was judged, which is what an event states; None where that cannot be had.
    """

    ref: Ref
    stage: StageName
    holder: Ref | None
    access: Access
    verdicts: tuple[Verdict, ...] = ()
    already: bool = False
    changes: tuple[str, ...] = ()
    head: str = ""
    warnings: tuple[Caveat, ...] = ()
    words: tuple[Word, ...] = ()
    pins: Pins | None = None

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The guards that refuse, and are not overridden."""
        return tuple(verdict for verdict in self.verdicts if verdict.refuses)

    @property
    def pending(self) -> tuple[Verdict, ...]:
        """Those among them that were not asked, because others refuse."""
        return tuple(verdict for verdict in self.failed if verdict.pending)

    @property
    def overridden(self) -> tuple[str, ...]:
        """The names of the guards that refuse and are overridden, in their order."""
        return tuple(dict.fromkeys(verdict.name for verdict in self.verdicts if verdict.overridden))

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
            "warnings": [warning.document() for warning in self.warnings],
            "verdicts": [verdict.document() for verdict in self.verdicts],
            "approvals": [word.document() for word in self.words],
            "changes": list(self.changes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a move is made.

    Attributes:
        reason: what the mover says.
        expect: who must hold the stage now, as a reference; None asks for nothing.
        dry_run: judge, and write nothing.
        progress: is told about the bytes that guards read; while a program runs it is asked whether to go on.
        seen: the head that the user decided upon; another one is a conflict.
        override: the names of guards that shall not keep the mover, where ``registry.toml`` allows that.
        pins: what the version was when that was decided; another one is a conflict. None asks for nothing.
    """

    reason: str = ""
    expect: str | None = None
    dry_run: bool = False
    progress: Progress = silent
    seen: str | None = None
    override: tuple[str, ...] = ()
    pins: Pins | None = None


class Scene:
    """A model and a stage, open and read: what one judgement looks at.

    Attributes:
        reader: the registry.
        root: its folder.
        folder: the model's.
        listing: one look at that.
        stage: which, with its guards.
        held: the model's ledgers in all stages.
        ledger: that of the stage.
        back_to: the move that a rollback goes back to: what it named is judged and pinned, whatever was written since.
        odd: what the mover should know about what is judged.
    """

    def __init__(
        self,
        reader: Reader,
        root: Folder,
        folder: Folder,
        listing: ModelListing,
        stage: Stage,
        *,
        held: Mapping[StageName, Ledger],
    ) -> None:
        self.reader = reader
        self.root = root
        self.folder = folder
        self.listing = listing
        self.stage = stage
        self.held = held
        self.ledger = held[stage.name]
        self.back_to: Move | None = None
        self.odd: tuple[Caveat, ...] = ()

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
    """What would come of moving a version into a stage.

    Reads every byte where the guard ``verify`` asks for it or an approval stands, and runs the program of the guard
    ``command`` where everything else agrees.

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
    scene = Scene(reader, root, folder, listed(folder, listing.name), declared, held=ledgers)
    scene.odd = policy_caveats(root)
    return scene


def judgement_of(
    scene: Scene, version: Version | None, options: Options, guards: Guards, *, exact: bool = False
) -> Judgement:
    """What would come of a move; without a version, of clearing the stage.

    Args:
        scene: what it looks at.
        version: the one that would move.
        options: what the mover says.
        guards: those that are asked.
        exact: the move is about to be made: what time it is says the file system, and not this host, and what was read
            before is read again.
    """
    access = scene.access()
    head = scene.ledger.head
    if version is None:
        situation, already = _clearing(scene, options, guards), False
    else:
        check_readable(version)
        if scene.back_to is None:
            check_metadata_is_its_own(scene.root, scene.folder, scene.listing, version)
        already = head is not None and head.validity is Validity.ATTESTED and _holds(head, version)
        situation = _situation(scene, version, options, guards)
    verdicts: tuple[Verdict, ...] = ()
    pins = _pins_or_none(scene, version) if version and not already else None
    if version is not None and not already:
        situation = replace(situation, mover=scene.reader.who if access.allowed else None)
        situation = _with_people(scene, version, situation, pins)
        situation = _with_damage(scene, version, situation, options.progress, exact=exact)
        verdicts = _verdicts(scene, version, situation, options, exact=exact and access.allowed)
    elif version is None:
        verdicts = judge(situation, frozenset(options.override))
    return Judgement(
        ref=situation.candidate.ref,
        stage=scene.stage.name,
        holder=scene.holder(),
        access=access,
        verdicts=verdicts,
        already=already,
        changes=() if already else scene.changes(),
        head=head.text if head else "",
        warnings=(*caveats(access.directory), *scene.odd),
        words=situation.heard.words,
        pins=pins,
    )


def _holds(head: Event, version: Version) -> bool:
    return version.seal is not None and made_it_hold(head, version.number, version.seal.digest)


def _pins_or_none(scene: Scene, version: Version) -> Pins | None:
    try:
        return pins_to_state(scene, version)
    except IntegrityError:
        return None


def pins_to_state(scene: Scene, version: Version) -> Pins:
    """What the event of a move says that the version is.

    Raises:
        IntegrityError: SHA256SUMS is not the one that was sealed.
    """
    if scene.back_to is None:
        return pins_of(scene.folder, scene.listing, version)
    return Pins(sealed_digest(scene.folder, version), version.metadata_digest, scene.back_to.card)


def _clearing(scene: Scene, options: Options, guards: Guards) -> Situation:
    return Situation(
        candidate=Candidate(ref=Ref(scene.model), record=Record()),
        stage=Stage(name=scene.stage.name, guards=guards),
        policy=scene.reader.policy,
        reason=options.reason,
    )


def _situation(scene: Scene, version: Version, options: Options, guards: Guards) -> Situation:
    """What costs next to nothing to look at."""
    digest = version.seal.digest if version.seal else ""
    candidate = Candidate(
        ref=version.ref,
        record=version.record,
        has_card=version.has_card and _says_something(scene, version),
        held=frozenset(
            stage
            for stage, ledger in scene.held.items()
            if any(made_it_hold(event, version.number, digest) for event in ledger.counting())
        ),
        author=version.owner,
        writers=writers_of(scene.folder, version),
    )
    last = scene.ledger.last_holder()
    holder, trouble = holder_as_promoted(scene.folder, scene.listing, last, version.number)
    owner = scene.listing.owner
    return Situation(
        candidate=candidate,
        stage=Stage(name=scene.stage.name, guards=guards),
        policy=scene.reader.policy,
        holder=holder,
        holder_trouble=trouble,
        held_until=scene.ledger.empty_since(),
        reason=options.reason,
        soaked=_soaked(scene, version, scene.reader.clock()) if guards.soak_hours else Soaked(),
        soak_trouble=_soak_trouble(scene, guards),
        steward=owner_of(scene.root),
        model_place=shlex.quote(scene.folder.path),
        model_owner=Who(owner, user_name(owner)),
    )


def _says_something(scene: Scene, version: Version) -> bool:
    """Whether the card is more than white space; read only where the stage asks for a card."""
    if scene.back_to is not None or "card" not in scene.stage.guards.require:
        return True
    try:
        card = read_card(scene.folder, scene.listing, version.number)
    except OSError as error:
        raise explained(error, "read the card of", str(version.ref)) from error
    return bool((card or b"").strip())


def _soaked(scene: Scene, version: Version, now: datetime) -> Soaked:
    ledgers = [scene.held[stage] for stage in scene.reader.policy.soaks_in(scene.stage.name)]
    since = there_since(scene.folder, version)
    return soaked(ledgers, version.number, version.seal.digest if version.seal else "", now, since=since)


def _soak_trouble(scene: Scene, guards: Guards) -> str:
    """Why this mover knows better than the ledgers for how long it was: he saw an event that is gone, or empty."""
    if not guards.soak_hours:
        return ""
    stages = scene.reader.policy.soaks_in(scene.stage.name)
    gone = [one for one in vanished(scene.reader, {scene.model}) if one.stage in stages]
    return gone[0].message if gone else ""


def _with_people(scene: Scene, version: Version, situation: Situation, pins: Pins | None) -> Situation:
    """With what people said, where the stage asks for it."""
    if not situation.stage.guards.approvals:
        return situation
    stage = scene.stage.name
    access = access_to_stage(str(scene.reader.path), layout.APPROVALS, stage)
    speakers, where = access.who_may(), f"{layout.APPROVALS}/{stage}"
    try:
        said = read_words(scene.root, scene.reader.id, stage, version.model, version.number)
    except RegistryError as error:
        advice = f"ask the owner of {where} to let you read it"
        return replace(situation, heard=Heard(trouble=str(error), advice=advice, speakers=speakers))
    if said.full:
        # Whoever would reject it cannot, so what was said until now is not what people have to say.
        owner = Who(said.words[-1].owner, user_name(said.words[-1].owner)).label
        trouble = (
            f"{said.full}, which belongs to {owner}, has the last number: nobody can approve or reject it any more"
        )
        advice = f"ask {owner}, or {access.owner.label}, who owns {where}, to take it away: rm {where}/{said.full}"
        return replace(
            situation, heard=Heard(words=said.weighed(pins), trouble=trouble, advice=advice, speakers=speakers)
        )
    return replace(situation, heard=Heard(words=said.weighed(pins), speakers=speakers))


def _with_damage(scene: Scene, version: Version, situation: Situation, progress: Progress, *, exact: bool) -> Situation:
    """With what re-reading the artifacts finds, where a guard depends on it.

    An approval names the list of the artifacts' digests. That the files still are what the list says, only reading
    them tells; so they are read where anybody's approval stands. Who only asks what would come of a move, again and
    again, is answered from what he has read before; the move itself reads every byte.
    """
    approved = any(word.stands for word in situation.heard.words)
    if not situation.stage.guards.verify and not approved:
        return situation
    seal = version.seal
    digest, size = (seal.digest, seal.bytes) if seal else ("", None)
    with scene.folder.child(str(version.number)) as inside, Readings(inside.path, believed=not exact) as readings:
        found = verify_version(inside, digest, progress, sealed_bytes=size, readings=readings)
    return replace(situation, damage=found.damage, remembered=found.remembered > 0)


def _verdicts(
    scene: Scene, version: Version, situation: Situation, options: Options, *, exact: bool
) -> tuple[Verdict, ...]:
    """Every guard's, those last that cost more than reading: each of these only if nothing else refuses."""
    override = frozenset(options.override)
    verdicts = judge(situation, override)
    guards = situation.stage.guards
    if exact and guards.soak_hours and not _refusing(verdicts):
        # This host's clock is its user's. It may be late here, and then the mover waits a little longer; never early.
        now = time_of_the_file_system(scene.root, scene.stage.name)
        situation = replace(situation, soaked=_soaked(scene, version, now))
        verdicts = judge(situation, override)
    if guards.command and situation.mover is not None and not _refusing(verdicts):
        situation = replace(situation, ran=_ran(scene, version, guards.command, options.progress))
        verdicts = judge(situation, override)
    elif guards.command:
        # What keeps it from being run at all is told at once, and not only to the one who has met every other guard.
        why, advice = why_not_run(scene.root, _filled(guards.command, scene, version))
        unsafe = Ran(passed=False, seen=f"not run: {why}", advice=advice) if why else None
        verdicts = judge(replace(situation, ran=unsafe), override)
    return verdicts


def _refusing(verdicts: tuple[Verdict, ...]) -> bool:
    """Whether a guard refuses, not counting the program, which was not run yet."""
    return any(verdict.refuses for verdict in verdicts if verdict.name != "command")


def _ran(scene: Scene, version: Version, command: Command, progress: Progress) -> Ran:
    stage = scene.stage.name
    try:
        policy = read_registry_file(scene.root).policy
    except OSError as error:
        raise explained(error, "read", f"{scene.root.path}/{layout.REGISTRY_FILE}") from error
    declared = policy.stage(stage) if policy else None
    if declared is None or declared.guards.command != command:
        # What was read when the registry was opened may have been somebody else's text: run only what stands there now.
        return Ran(
            passed=False, seen=f"not run: {layout.REGISTRY_FILE} has changed since it was read", advice="try again"
        )
    return run_program(scene.root, _filled(command, scene, version), seconds=command.seconds, progress=progress)


def _filled(command: Command, scene: Scene, version: Version) -> tuple[str, ...]:
    """The words of the guard's program about a version."""
    values = {
        "path": version.folder,
        "ref": str(version.ref),
        "model": str(version.model),
        "version": str(version.number),
        "stage": str(scene.stage.name),
    }
    return tuple(command.filled(values))
