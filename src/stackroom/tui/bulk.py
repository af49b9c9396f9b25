"""What is done to one version or many, one after the other: each is written by itself, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.tagging import TagChange
from stackroom.errors import ConflictError, RegistryError
from stackroom.registry.editing import Edit, Revised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.registry.facade import Registry
    from stackroom.registry.removing import Removed

Asked = Literal["tags", "confirm", "reason"]
"""What is asked before anything is done."""

_TRIES: Final = 10
"""Edits of others that may come between reading some tags and writing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was answered.

    Attributes:
        tags: which come and which go.
        reason: why.
    """

    tags: TagChange = field(default_factory=TagChange)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one.

    Attributes:
        kind: ``would``: it can be done, and was not; ``same``: it is so already.
        told: in a sentence.
        hint: what to do about it.
    """

    kind: Literal["would", "done", "same", "refused"]
    told: str
    hint: str = ""


Doing = Callable[["Registry", str, Answers, bool], Outcome]
"""Does it to one, or with True as the last says what would come of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """Something to do.

    Attributes:
        title: as an infinitive, or what it is about.
        past: what is done then, as in "3 archived".
        refs: to what.
        asks: what has to be answered, in this order.
        do: does it.
    """

    title: str
    past: str
    refs: tuple[str, ...]
    asks: tuple[Asked, ...]
    do: Doing

    @property
    def wanted(self) -> str:
        """What has to be typed to confirm."""
        return self.refs[0] if len(self.refs) == 1 else f"{self.title} {len(self.refs)}"


def outcomes(
    registry: Registry, bulk: Bulk, answers: Answers, *, dry_run: bool, given_up: Callable[[], bool]
) -> Iterator[Outcome]:
    """Do it to one after the other, until it is given up; touches the disk. One that fails does not end it."""
    for ref in bulk.refs:
        if given_up():
            return
        try:
            yield bulk.do(registry, ref, answers, dry_run)
        except RegistryError as error:
            yield Outcome(kind="refused", told=str(error), hint=error.hint)
        except Exception as error:  # noqa: BLE001  # whatever it is, the others are still to be done and it is told
            yield Outcome(kind="refused", told=f"{type(error).__name__}: {error}")


def tags_told(before: Sequence[str], after: Sequence[str]) -> str:
    """Which tags come and which go, and what they are then: what changes stands where no narrow screen cuts it off."""
    came = ", ".join(tag for tag in after if tag not in before)
    gone = ", ".join(tag for tag in before if tag not in after)
    what = "; ".join([*([f"adds {came}"] if came else []), *([f"takes away {gone}"] if gone else [])])
    return f"{what} -> {', '.join(after) or 'nothing'}"


def _revised(done: Revised, changes: str = "") -> Outcome:
    changes = changes or "; ".join(
        f"{key}: {old or 'nothing'} -> {new or 'nothing'}" for key, (old, new) in done.changes.items()
    )
    if not done.changes:
        return Outcome(kind="same", told="it is so already")
    if not done.made:
        return Outcome(kind="would", told=changes)
    return Outcome(kind="done", told=f"revision {done.revision}: {changes}")


def _removed(done: Removed, what: str) -> Outcome:
    notes = "".join(f"; {warning}" for warning in done.warnings)
    if done.made:
        return Outcome(kind="done", told=what + notes)
    if done.changes:
        return Outcome(kind="would", told=", ".join(done.changes) + notes)
    return Outcome(kind="same", told=(done.deletion.sentence() if done.deletion else "it is not deleted") + notes)


def _tag(registry: Registry, ref: str, answers: Answers, dry_run: bool) -> Outcome:  # noqa: FBT001  # as Doing says
    for tried in range(_TRIES):
        start = registry.editable(ref)
        tags = answers.tags.applied(start.record.tags)
        if tags == list(start.record.tags):
            return Outcome(kind="same", told="it is so already")
        change = Edit(put={"tags": tags}, base=start.revision, reason=answers.reason, dry_run=dry_run)
        try:
            return _revised(registry.edit(start.ref, change), tags_told(start.record.tags, tags))
        except ConflictError:
            # Somebody wrote a revision in between: these tags come and go in that one just as well.
            if tried == _TRIES - 1:
                raise
    raise AssertionError  # the last round returns or raises


def _archive(registry: Registry, ref: str, answers: Answers, dry_run: bool) -> Outcome:  # noqa: FBT001  # the same
    return _revised(registry.archive(ref, reason=answers.reason, dry_run=dry_run))


def _unarchive(registry: Registry, ref: str, answers: Answers, dry_run: bool) -> Outcome:  # noqa: FBT001  # the same
    return _revised(registry.archive(ref, reason=answers.reason, undo=True, dry_run=dry_run))


def _delete(registry: Registry, ref: str, answers: Answers, dry_run: bool) -> Outcome:  # noqa: FBT001  # the same
    done = registry.delete(ref, reason=answers.reason, dry_run=dry_run)
    return _removed(done, f"deleted; :restore {ref} brings it back")


def _restore(registry: Registry, ref: str, _answers: Answers, dry_run: bool) -> Outcome:  # noqa: FBT001  # the same
    return _removed(registry.restore(ref, dry_run=dry_run), "it is back")


_KINDS: Final = {
    "tags": Bulk(title="tags", past="tagged", refs=(), asks=("tags", "reason"), do=_tag),
    "archive": Bulk(title="archive", past="archived", refs=(), asks=("reason",), do=_archive),
    "unarchive": Bulk(title="unarchive", past="taken out", refs=(), asks=("reason",), do=_unarchive),
    "delete": Bulk(title="delete", past="deleted", refs=(), asks=("confirm", "reason"), do=_delete),
    "restore": Bulk(title="restore", past="restored", refs=(), asks=("confirm",), do=_restore),
}


def bulk_of(id_: str, refs: Sequence[str]) -> Bulk:
    """What an action does, by its id, to some versions."""
    return replace(_KINDS[id_], refs=tuple(dict.fromkeys(refs)))
