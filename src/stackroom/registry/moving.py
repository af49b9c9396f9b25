"""Moves: judged against what is on disk, and made by one new name in a ledger.

The order is the kernel's permission, then the guards, then the write. What was judged is what is written: the event
pins the digests of the artifacts, metadata and card that the guards saw, and its number is the one that the ledger had
free then, so that a move made meanwhile wins and this one is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Validity
from stackroom.core.guards import Candidate, Situation, Verdict, judge
from stackroom.core.ledger import Event, Ledger, Move, event_name, event_place, prev_of
from stackroom.core.metadata import Record
from stackroom.core.names import Ref, StageName, parse_ref, version_ref
from stackroom.core.policy import Guards, Stage
from stackroom.errors import ConflictError, GuardRefusedError, IntegrityError, NotFoundError, RegistryError
from stackroom.registry.reading import listed
from stackroom.store import layout
from stackroom.store.access import Access, access_to
from stackroom.store.digest import Progress, artifacts_digest, read_sums, silent, verify_version
from stackroom.store.folder import Folder, explained
from stackroom.store.ledgers import append_move, project, read_ledger
from stackroom.store.scan import ModelListing, read_card, read_revisions, text_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
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
class MoveResult:
    """A move that was made, or with ``--dry-run`` would have been.

    Attributes:
        judgement: what it rests on.
        made: whether an event was written.
        event: its name in the ledger.
        origin: the version that held the stage before, or None.
        live_trouble: why ``live/`` could not be brought in step, or empty; the move stands all the same.
    """

    judgement: Judgement
    made: bool
    event: str = ""
    origin: Ref | None = None
    live_trouble: str = ""

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``promote --json``."""
        to = self.judgement.ref
        return {
            "stage": self.judgement.stage,
            "to": None if to.kind == "model" else str(to),
            "from": str(self.origin) if self.origin else None,
            "made": self.made,
            "event": self.event,
            "already": self.judgement.already,
            "live_trouble": self.live_trouble,
            "changes": list(self.judgement.changes),
            "verdicts": [verdict.document() for verdict in self.judgement.verdicts],
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


@dataclass(frozen=True, slots=True)
class _Pins:
    """The digests that an event states about its version."""

    digest: str = ""
    metadata: str = ""
    card: str = ""


@dataclass(slots=True)
class _Scene:
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
        return self.listing.name

    def access(self) -> Access:
        """Whether the caller may make names in the ledger; a missing folder is its parent's question."""
        stages = f"{self.reader.path}/{layout.STAGES}"
        found = access_to(f"{stages}/{self.stage.name}")
        if not found.exists:
            parent = access_to(stages)
            return parent if parent.exists else access_to(str(self.reader.path))
        return found

    def holder(self) -> Ref | None:
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
        scene = _scene(reader, root, folder, listing, stage)
        return _judge(scene, version, options or Options(), scene.stage.guards)


def promote(reader: Reader, ref: str | Ref, stage: str, options: Options) -> MoveResult:
    """Make a version hold a stage.

    Raises:
        PermissionDeniedError: the kernel refuses.
        GuardRefusedError: a guard refuses; its facts hold every verdict.
        ConflictError: somebody was faster, or the holder is not the one expected.
        IntegrityError: the version's metadata cannot be read.
    """
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    version = reader.version(parsed)
    with reader.model_folder(version.model) as (root, folder, listing):
        scene = _scene(reader, root, folder, listing, stage)
        return _move(scene, version, options, scene.stage.guards)


def rollback(reader: Reader, model: str, stage: str, options: Options) -> MoveResult:
    """Make the version that held a stage before the present one hold it again.

    It met the guards when it was promoted; what is asked of it now is that it is still the same, and a reason where the
    stage wants one. A rollback must not fail because the old version is worse.

    Raises:
        NotFoundError: nothing held the stage before.
        IntegrityError: what held it is gone, or is not what was promoted.
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody was faster.
    """
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = _scene(reader, root, folder, listing, stage)
        previous = scene.ledger.previous_holder()
        if previous is None or previous.move is None or previous.move.to is None:
            raise NotFoundError(
                f"nothing held {stage} of {scene.model} before {scene.holder() or 'now'}",
                hint=f"stackroom history {scene.model} --stage {stage}",
                facts={"model": scene.model, "stage": stage},
            )
        ref = version_ref(scene.model, previous.move.to)
        if previous.move.to not in scene.listing.numbers:
            raise IntegrityError(f"{ref} held {stage} before, and its folder is missing", facts={"ref": str(ref)})
        version = reader.version(ref)
        if version.seal and version.seal.digest != previous.move.digest:
            raise IntegrityError(
                f"{ref} is not what held {stage} before: its artifacts have another digest",
                hint=f"stackroom verify {ref}",
                facts={"ref": str(ref), "promoted": previous.move.digest, "found": version.seal.digest},
            )
        asked = scene.stage.guards
        return _move(scene, version, options, Guards(verify=asked.verify, reason=asked.reason))


def clear(reader: Reader, model: str, stage: str, options: Options) -> MoveResult:
    """Make nothing hold a stage.

    Raises:
        NotFoundError: nothing does.
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody was faster.
    """
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = _scene(reader, root, folder, listing, stage)
        if scene.ledger.holder is None:
            if not options.dry_run and scene.ledger.events and scene.access().allowed:
                # Whoever cleared it may have been killed before the pointer went.
                _bring_in_step(scene)
            raise NotFoundError(f"nothing of {scene.model} holds {stage}", facts={"model": scene.model, "stage": stage})
        return _move(scene, None, options, Guards(reason=scene.stage.guards.reason))


def _scene(reader: Reader, root: Folder, folder: Folder, listing: ModelListing, stage: str) -> _Scene:
    if reader.policy_error:
        raise reader.policy_error
    name = reader.check_stage(stage)
    declared = reader.policy.stage(name) or Stage(name=name)
    ledgers = {one: read_ledger(root, reader.id, one, listing.name) for one in reader.stages}
    # Listed again: the holder may have been registered after the first look and promoted before this one.
    return _Scene(reader, root, folder, listed(folder, listing.name), declared, ledgers[name], ledgers)


def _judge(scene: _Scene, version: Version | None, options: Options, guards: Guards) -> Judgement:
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
        _check_readable(version)
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


def _check_readable(version: Version) -> None:
    broken = next((problem for problem in version.problems if problem.severity == "error"), None)
    if broken or version.seal is None:
        message = broken.message if broken else "its metadata cannot be read"
        raise IntegrityError(
            f"{version.ref} cannot move: {message}",
            hint=f"stackroom show {version.ref}",
            facts={"ref": str(version.ref), "place": broken.place if broken else ""},
        )


def _situation(scene: _Scene, version: Version, options: Options, guards: Guards) -> Situation:
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


def _holder_as_promoted(scene: _Scene, candidate: int) -> tuple[Candidate | None, str]:
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


def _move(scene: _Scene, version: Version | None, options: Options, guards: Guards) -> MoveResult:
    access = scene.access()
    what = f"move {version.ref} to {scene.stage.name}" if version else f"clear {scene.stage.name} of {scene.model}"
    if not access.allowed:
        raise access.refusal(what, you=scene.reader.who)
    _check_expected(scene, options)
    judgement = _judge(scene, version, options, guards)
    if judgement.failed:
        raise _refusal(judgement)
    if judgement.already or options.dry_run:
        trouble = "" if options.dry_run else _bring_in_step(scene)
        return MoveResult(judgement=judgement, made=False, origin=judgement.holder, live_trouble=trouble)
    pins = _pins(scene, version) if version else _Pins()
    number = scene.ledger.next_number
    move = Move(
        to=version.number if version else None,
        origin=scene.ledger.holder,
        by=scene.reader.who,
        at=scene.reader.clock(),
        why=options.reason.strip(),
        digest=pins.digest,
        metadata=pins.metadata,
        card=pins.card,
        prev=_prev(scene.ledger),
        event=event_place(scene.reader.id, scene.stage.name, scene.model, number),
    )
    try:
        append_move(scene.root, scene.stage.name, scene.model, number, move)
    except ConflictError as error:
        raise _who_was_faster(scene, error) from None
    return MoveResult(
        judgement=judgement,
        made=True,
        event=f"{scene.stage.name}/{event_name(scene.model, number)}",
        origin=judgement.holder,
        live_trouble=_bring_in_step(scene),
    )


def _prev(ledger: Ledger) -> str:
    return prev_of(ledger.events[-1].text) if ledger.events and ledger.events[-1].text else ""


def _check_expected(scene: _Scene, options: Options) -> None:
    head = scene.ledger.head
    if options.seen is not None and options.seen != (head.text if head else ""):
        raise _who_was_faster(scene, None)
    if options.expect is None:
        return
    asked = parse_ref(options.expect)
    # A number needs no looking up, and the holder that is expected may be missing.
    expected = asked if asked.kind == "number" else scene.reader.version(asked).ref
    present = scene.holder()
    if present != expected:
        raise ConflictError(
            f"{scene.stage.name} of {scene.model} is held by {present or 'nobody'}, and {expected} was expected",
            hint=f"stackroom history {scene.model} --stage {scene.stage.name}",
            facts={"expected": str(expected), "holder": str(present) if present else None},
        )


def _who_was_faster(scene: _Scene, error: ConflictError | None) -> ConflictError:
    """The conflict, told with the event that won."""
    winner = read_ledger(scene.root, scene.reader.id, scene.stage.name, scene.model).head
    if winner is None or winner.move is None:
        return error or ConflictError(f"{scene.stage.name} of {scene.model} changed while you looked at it")
    to = (
        f"moved {scene.model}:{winner.move.to} to {scene.stage.name}"
        if winner.move.to
        else f"cleared {scene.stage.name}"
    )
    return ConflictError(
        f"{winner.move.by.label} was faster: {to} ({winner.name})"
        + (f", saying {winner.move.why!r}" if winner.move.why else ""),
        hint=f"look at it with: stackroom history {scene.model} --stage {scene.stage.name}; then decide again",
        facts={"event": winner.name, "by": str(winner.move.by), "to": winner.move.to, "stage": scene.stage.name},
    )


def _refusal(judgement: Judgement) -> GuardRefusedError:
    first, *others = judgement.failed
    more = (
        f" (and {len(others)} more guards refuse)"
        if len(others) > 1
        else " (and one more guard refuses)"
        if others
        else ""
    )
    what = (
        f"{judgement.ref.model} cannot be cleared from {judgement.stage}"
        if judgement.ref.kind == "model"
        else f"{judgement.ref} cannot move to {judgement.stage}"
    )
    return GuardRefusedError(
        f"{what}: {first.sentence()}{more}",
        hint=first.advice or f"stackroom can {judgement.ref} {judgement.stage} shows every guard",
        facts={"verdicts": [verdict.document() for verdict in judgement.verdicts], "stage": judgement.stage},
    )


def _pins(scene: _Scene, version: Version) -> _Pins:
    """The digests of what is being promoted, taken from the disk now."""
    try:
        with scene.folder.child(str(version.number)) as inside:
            text, _ = read_sums(inside)
        card = read_card(scene.folder, scene.listing, version.number)
    except OSError as error:
        raise explained(error, "read", f"{scene.folder.path}/{version.number}") from error
    digest = artifacts_digest(text)
    if version.seal is None or digest != version.seal.digest:
        raise IntegrityError(
            f"{version.ref}: {layout.SHA256_FILE} is not the one that was sealed",
            hint=f"stackroom verify {version.ref}",
            facts={"ref": str(version.ref), "found": digest},
        )
    return _Pins(digest, version.metadata_digest, text_digest(card) if card is not None else "")


def _bring_in_step(scene: _Scene) -> str:
    """Make ``live/`` show the holder; says why where that fails, because the move stands whatever comes of it."""
    try:
        project(scene.root, scene.reader.id, scene.stage.name, scene.model)
    except RegistryError as error:
        return str(error)
    return ""
