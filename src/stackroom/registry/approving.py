"""Approvals: one person's word for a version and a stage, pinned to what the version is now.

The kernel's permission comes first, then the look at the version. Two people who speak at once do not compete: the one
who lost the number takes the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.core.approvals import Approval, Op, Word, approval_name, approval_place
from stackroom.core.attested import Pins, Validity
from stackroom.core.names import Ref, StageName, parse_ref
from stackroom.core.policy import Stage
from stackroom.core.values import dataclass, replace
from stackroom.errors import ConflictError, IntegrityError, RegistryError
from stackroom.registry.pinning import changed_since, check_metadata_is_its_own, check_readable, pins_of
from stackroom.store import layout
from stackroom.store.approvals import append_approval, read_approvals, read_words
from stackroom.store.attested import access_to_stage
from stackroom.store.folder import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
    from stackroom.store.access import Access
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version
    from stackroom.store.scan import ModelListing

_TRIES: Final = 50
"""How often a number may be lost to somebody else before that is an error; everybody who speaks takes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A word that was given, or with ``--dry-run`` would have been.

    Attributes:
        op: approve or reject.
        ref: of which version.
        stage: for which stage.
        made: whether it was written.
        approval: its name below the registry's root; also where it was not written.
        already: the caller's last word says the same of the same, and stands.
        remarks: why it may have no effect, in words.
    """

    op: Op
    ref: Ref
    stage: StageName
    made: bool
    approval: str
    already: bool = False
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``approve --json``."""
        return {
            "op": self.op.value,
            "ref": str(self.ref),
            "stage": self.stage,
            "made": self.made,
            "approval": self.approval,
            "already": self.already,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What somebody looks at before he speaks about a version and a stage.

    Attributes:
        version: as it is now.
        stage: for which.
        access: whether the caller may speak.
        words: what was said until now, oldest first.
        pins: what a word would name; None where that cannot be had.
        trouble: why the version cannot be spoken about, or empty.
        needed: how many approvals the stage asks for; 0 where it asks for none.
    """

    version: Version
    stage: StageName
    access: Access
    words: tuple[Word, ...]
    pins: Pins | None
    trouble: str = ""
    needed: int = 0


def hearing(reader: Reader, ref: str | Ref, stage: str) -> Hearing:
    """What there is to know before one approves or rejects a version; writes nothing.

    Raises:
        NotFoundError: no such version or stage.
        InvalidInputError: ``registry.toml`` is wrong.
        RegistryError: the folder of approvals cannot be read: that is not silence.
    """
    if reader.policy_error:
        raise reader.policy_error
    name = reader.check_stage(stage)
    version = reader.version(parse_ref(ref) if isinstance(ref, str) else ref)
    pins, trouble = None, ""
    with reader.model_folder(version.model) as (root, folder, listing):
        try:
            check_readable(version, "be approved")
            pins = pins_of(folder, listing, version)
        except IntegrityError as error:
            trouble = str(error)
        said = read_words(root, reader.id, name, version.model, version.number)
    declared = reader.policy.stage(name)
    return Hearing(
        version=version,
        stage=name,
        access=access_to_stage(str(reader.path), layout.APPROVALS, name),
        words=said.weighed(pins),
        pins=pins,
        trouble=trouble,
        needed=declared.guards.approvals if declared else 0,
    )


def speak(  # what is said, and how
    reader: Reader,
    op: Op,
    subject: tuple[str | Ref, str],
    *,
    reason: str = "",
    dry_run: bool = False,
    seen: Pins | None = None,
) -> Spoken:
    """Approve or reject a version for a stage.

    Args:
        reader: the registry.
        op: which of the two.
        subject: the version, and the stage.
        reason: why.
        dry_run: check, and write nothing.
        seen: what the version was when that was decided; None asks for nothing.

    Raises:
        NotFoundError: no such version or stage.
        PermissionDeniedError: the kernel refuses.
        IntegrityError: the version is not as it was sealed.
        ConflictError: it is another than was seen.
    """
    ref, asked = subject
    if reader.policy_error:
        raise reader.policy_error
    stage = reader.check_stage(asked)
    version = reader.version(parse_ref(ref) if isinstance(ref, str) else ref)
    access = access_to_stage(str(reader.path), layout.APPROVALS, stage)
    if not access.allowed:
        raise access.refusal(f"{op} {version.ref} for {stage}", you=reader.who)
    check_readable(version, f"be {op.done}")
    with reader.model_folder(version.model) as (root, folder, listing):
        check_metadata_is_its_own(root, folder, listing, version, f"be {op.done}")
        word = Approval(
            op=op,
            by=reader.who,
            at=reader.clock(),
            why=reason.strip(),
            pins=pins_of(folder, listing, version),
            event="",
        )
        if seen is not None and seen != word.pins:
            raise changed_since(version, seen, word.pins)
        name, already = _given(reader, root, (stage, version), word, dry_run=dry_run)
    return Spoken(
        op=op,
        ref=version.ref,
        stage=stage,
        made=not already and not dry_run,
        approval=f"{layout.APPROVALS}/{stage}/{name}",
        already=already,
        remarks=_remarks(reader, op, version, reader.policy.stage(stage) or Stage(name=stage)),
    )


def _given(
    reader: Reader, root: Folder, subject: tuple[StageName, Version], word: Approval, *, dry_run: bool
) -> tuple[str, bool]:
    """Write a word, unless it is said already; returns its name, and whether it was."""
    stage, version = subject
    tries = _TRIES
    while True:
        said = read_words(root, reader.id, stage, version.model, version.number)
        standing = _standing(reader, said.weighed(word.pins))
        if standing is not None and _says(standing, word):
            return standing.name, True
        name = approval_name(version.model, version.number, said.next_number)
        if dry_run:
            return name, False
        try:
            append_approval(root, stage, name, replace(word, event=approval_place(reader.id, stage, name)))
        except ConflictError:
            tries -= 1
            if not tries:
                raise
        else:
            return name, False


def _standing(reader: Reader, words: Sequence[Word]) -> Word | None:
    return next((word for word in words if word.stands and word.by.uid == reader.who.uid), None)


def _says(word: Word, wanted: Approval) -> bool:
    """Whether a word that stands says this already; one that the kernel does not attest is better said again."""
    said = word.approval
    return (
        said is not None
        and word.validity is Validity.ATTESTED
        and said.op is wanted.op
        and wanted.why in {"", said.why}
    )


def _remarks(reader: Reader, op: Op, version: Version, stage: Stage) -> tuple[str, ...]:
    found = []
    if not stage.guards.approvals:
        found.append(f"{stage.name} has no guard 'approvals': nothing asks for this word yet")
    if op is Op.APPROVE and version.owner.uid == reader.who.uid:
        found.append(f"you registered {version.ref}: an author's own approval does not count")
    return tuple(found)


def approvals(reader: Reader, ref: str | Ref, stage: str | None = None) -> tuple[Word, ...]:
    """What was said about a version, oldest first, each with what has become of it.

    Args:
        reader: the registry.
        ref: the version.
        stage: for one stage; for all, in the order of the lifecycle, without.

    Raises:
        NotFoundError: no such version or stage.
        RegistryError: a folder of approvals cannot be read: that is not silence.
    """
    wanted = _stages(reader, stage)
    version = reader.version(parse_ref(ref) if isinstance(ref, str) else ref)
    with reader.model_folder(version.model) as (root, folder, listing):
        pins = _pins_or_none(folder, listing, version)
        piles = [read_words(root, reader.id, one, version.model, version.number) for one in wanted]
    return tuple(word for pile in piles for word in pile.weighed(pins))


def _stages(reader: Reader, stage: str | None) -> tuple[StageName, ...]:
    if reader.policy_error and not reader.id:
        # Without the registry's id nothing can be told from what was borrowed elsewhere.
        raise reader.policy_error
    return (reader.check_stage(stage),) if stage else reader.stages


def _pins_or_none(folder: Folder, listing: ModelListing, version: Version) -> Pins | None:
    try:
        return pins_of(folder, listing, version)
    except IntegrityError:
        return None


def all_approvals(reader: Reader, model: str | None = None, stage: str | None = None) -> tuple[Word, ...]:
    """What was said about all versions, or those of one model, by time.

    Each word has what has become of it; where the version is gone, what it named is gone, too.

    Raises:
        NotFoundError: no such model or stage.
        RegistryError: a folder of approvals cannot be read.
    """
    name = parse_ref(model).model if model else None
    wanted = _stages(reader, stage)
    if name:
        with reader.model_folder(name):
            pass
    found: list[Word] = []
    now: dict[tuple[ModelName, int], Pins | None] = {}
    with reader.root() as root:
        for one in wanted:
            reading = read_approvals(root, reader.id, one, name)
            if reading.error is not None:
                where = f"{reader.path}/{layout.APPROVALS}/{one}"
                raise explained(reading.error, "read", where) from reading.error
            for subject, pile in reading.piles.items():
                if subject not in now:
                    now[subject] = _pins_of_subject(reader, *subject)
                found += pile.weighed(now[subject])
    return tuple(sorted(found, key=lambda word: (word.when, word.stage, word.name)))


def _pins_of_subject(reader: Reader, model: ModelName, number: int) -> Pins | None:
    try:
        version = reader.version(f"{model}:{number}")
        with reader.model_folder(model) as (_, folder, listing):
            return pins_of(folder, listing, version)
    except RegistryError:
        return None
