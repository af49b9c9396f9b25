"""Moves: judged against what is on disk, and made by one new name in a ledger.

The order is the kernel's permission, then the guards, then the write. What was judged is what is written: the event
pins the digests of the artifacts, metadata and card that the guards saw, and its number is the one that the ledger had
free then, so that a move made meanwhile wins and this one is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Pins
from stackroom.core.ledger import Move, event_name, event_place, prev_of
from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.core.rules import GUARD_NAMES, Guards
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, GuardRefusedError, IntegrityError, NotFoundError, RegistryError, UsageError
from stackroom.registry.judging import Judgement, Options, Scene, judgement_of, pins_to_state, scene_of
from stackroom.registry.pinning import changed_since
from stackroom.registry.promoted import as_pinned
from stackroom.registry.resolving import missing_holder
from stackroom.registry.withdrawing import withdraw_if_deleted
from stackroom.store.caveats import ABOUT_THE_MOVE
from stackroom.store.ledgers import append_move, project, read_ledger
from stackroom.store.scan import read_version

if TYPE_CHECKING:
    from stackroom.registry.reading import Reader
    from stackroom.store.caveats import Caveat
    from stackroom.store.records import Version


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

    @property
    def warnings(self) -> tuple[Caveat, ...]:
        """What is odd about what the move rests on."""
        return tuple(one for one in self.judgement.warnings if one.kind in ABOUT_THE_MOVE)

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
            "warnings": [warning.document() for warning in self.warnings],
            "changes": list(self.judgement.changes),
            "verdicts": [verdict.document() for verdict in self.judgement.verdicts],
            "override": list(self.judgement.overridden),
        }


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
        scene = scene_of(reader, root, folder, listing, stage)
        return _move(scene, version, options, scene.stage.guards)


def rollback(reader: Reader, model: str, stage: str, options: Options) -> MoveResult:
    """Make the version that held a stage before the present one hold it again.

    It met the guards when it was promoted; what is asked of it now is that it is still the same, and a reason where the
    stage wants one. A rollback must not fail because the old version is worse, nor because of what anybody has written
    about it since: it goes back to the metadata and the card that the event named.

    Raises:
        NotFoundError: nothing held the stage before.
        IntegrityError: what held it is gone, or is not what was promoted.
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody was faster.
    """
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = scene_of(reader, root, folder, listing, stage)
        return _move(scene, _before(scene), options, _of_rollback(scene))


def judge_rollback(reader: Reader, model: str, stage: str, options: Options) -> Judgement:
    """What would come of a rollback, whoever asks; raises as :func:`rollback` where nothing can be given back."""
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = scene_of(reader, root, folder, listing, stage)
        return judgement_of(scene, _before(scene), options, _of_rollback(scene))


def judge_clear(reader: Reader, model: str, stage: str, options: Options) -> Judgement:
    """What would come of clearing a stage, whoever asks."""
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = scene_of(reader, root, folder, listing, stage)
        return judgement_of(scene, None, options, _of_clear(scene))


def _before(scene: Scene) -> Version:
    """The version that held the stage before the present holder, still what it was."""
    stage = scene.stage.name
    previous = scene.ledger.previous_holder()
    if previous is None or previous.move is None or previous.move.to is None:
        raise _nothing_before(scene)
    ref = version_ref(scene.model, previous.move.to)
    if previous.move.to not in scene.listing.numbers:
        what = f"{ref} held {stage} before"
        raise missing_holder(scene.reader, scene.folder, scene.listing, ref, what=what, stage=stage)
    version = read_version(scene.folder, scene.listing, previous.move.to)
    if version.seal and version.seal.digest != previous.move.digest:
        raise IntegrityError(
            f"{ref} is not what held {stage} before: its artifacts have another digest",
            hint=f"stackroom verify {ref}",
            facts={"ref": str(ref), "promoted": previous.move.digest, "found": version.seal.digest},
        )
    scene.back_to = previous.move
    version, since = as_pinned(scene.folder, scene.listing, version, previous.move)
    scene.odd += since
    return version


def _of_rollback(scene: Scene) -> Guards:
    asked = scene.stage.guards
    return Guards(verify=asked.verify, reason=asked.reason, overridable=asked.overridable)


def _of_clear(scene: Scene) -> Guards:
    asked = scene.stage.guards
    return Guards(reason=asked.reason, overridable=asked.overridable)


def _nothing_before(scene: Scene) -> NotFoundError:
    """That no event tells what held the stage before; where one that is missing did, what it was."""
    stage, present = scene.stage.name, scene.ledger.holder
    now = scene.holder() or "now"
    said = f"nothing held {stage} of {scene.model} before {now}"
    hint = f"stackroom history {scene.model} --stage {stage}"
    for event in reversed(scene.ledger.counting()):
        origin = event.move.origin if event.move else None
        if origin is not None and origin != present:
            before = version_ref(scene.model, origin)
            said = (
                f"what held {stage} of {scene.model} before {now} is not known: {stage}/{event.name}"
                f" replaced {before}, and the event that made that hold it is missing"
            )
            hint = f"if {before} is what you want back: stackroom promote {before} {stage}"
            break
    return NotFoundError(said, hint=hint, facts={"model": scene.model, "stage": stage})


def clear(reader: Reader, model: str, stage: str, options: Options) -> MoveResult:
    """Make nothing hold a stage.

    Raises:
        NotFoundError: nothing does.
        PermissionDeniedError: the kernel refuses.
        ConflictError: somebody was faster.
    """
    with reader.model_folder(parse_ref(model).model) as (root, folder, listing):
        scene = scene_of(reader, root, folder, listing, stage)
        if scene.ledger.holder is None:
            if not options.dry_run and scene.ledger.events and scene.access().allowed:
                # Whoever cleared it may have been killed before the pointer went.
                _bring_in_step(scene)
            raise NotFoundError(f"nothing of {scene.model} holds {stage}", facts={"model": scene.model, "stage": stage})
        return _move(scene, None, options, _of_clear(scene))


def _move(scene: Scene, version: Version | None, options: Options, guards: Guards) -> MoveResult:
    _check_override(options)
    access = scene.access()
    what = f"move {version.ref} to {scene.stage.name}" if version else f"clear {scene.stage.name} of {scene.model}"
    if not access.allowed:
        raise access.refusal(what, you=scene.reader.who)
    _check_overridable(scene, options, guards)
    _check_expected(scene, options)
    judgement = judgement_of(scene, version, options, guards, exact=not options.dry_run)
    if version and options.pins and judgement.pins and judgement.pins != options.pins:
        raise changed_since(version, options.pins, judgement.pins)
    if judgement.failed:
        raise _refusal(judgement)
    if judgement.already or options.dry_run:
        trouble = "" if options.dry_run else _bring_in_step(scene)
        return MoveResult(judgement=judgement, made=False, origin=judgement.holder, live_trouble=trouble)
    pins = judgement.pins
    if pins is None:
        pins = pins_to_state(scene, version) if version else Pins()
    number = scene.ledger.next_number
    before = scene.ledger.events[-1].text if scene.ledger.events else ""
    move = Move(
        to=version.number if version else None,
        origin=scene.ledger.holder,
        by=scene.reader.who,
        at=scene.reader.clock(),
        why=options.reason.strip(),
        override=judgement.overridden,
        digest=pins.digest,
        metadata=pins.metadata,
        card=pins.card,
        prev=prev_of(before) if before else "",
        event=event_place(scene.reader.id, scene.stage.name, scene.model, number),
    )
    try:
        append_move(scene.root, scene.stage.name, scene.model, number, move)
    except ConflictError as error:
        raise _who_was_faster(scene, error) from None
    withdraw_if_deleted(scene.reader, scene.root, scene.ledger, move)
    return MoveResult(
        judgement=judgement,
        made=True,
        event=f"{scene.stage.name}/{event_name(scene.model, number)}",
        origin=judgement.holder,
        live_trouble=_bring_in_step(scene),
    )


def _check_override(options: Options) -> None:
    """What makes no sense, whatever the registry holds."""
    unknown = [name for name in options.override if name not in GUARD_NAMES]
    if unknown:
        raise UsageError(
            f"there is no guard {unknown[0]!r} that could be overridden",
            hint=f"the guards are {', '.join(GUARD_NAMES)}",
            facts={"guard": unknown[0]},
        )
    if options.override and not options.reason.strip():
        raise UsageError("who overrides a guard says why", hint="add --reason '…': it stays in the event for ever")


def _check_overridable(scene: Scene, options: Options, guards: Guards) -> None:
    """Only what ``registry.toml`` says may be overridden is; asking for more is refused, also where it would pass."""
    refused = [name for name in options.override if name not in guards.overridable]
    if refused:
        stage, allowed = scene.stage.name, sorted(guards.overridable)
        raise GuardRefusedError(
            f"the guard {refused[0]!r} of {stage} cannot be overridden: registry.toml does not say that it may",
            hint=f"what may be overridden there: {', '.join(allowed)}" if allowed else f"nothing of {stage} may be",
            facts={"guard": refused[0], "overridable": allowed, "stage": stage, "verdicts": []},
        )


def _check_expected(scene: Scene, options: Options) -> None:
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


def _who_was_faster(scene: Scene, error: ConflictError | None) -> ConflictError:
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
    first, *others = [verdict for verdict in judgement.failed if not verdict.pending] or judgement.failed
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


def _bring_in_step(scene: Scene) -> str:
    """Make ``live/`` show the holder; says why where that fails, because the move stands whatever comes of it."""
    try:
        project(scene.root, scene.reader.id, scene.stage.name, scene.model)
    except RegistryError as error:
        return str(error)
    return ""
