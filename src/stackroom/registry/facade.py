"""Registry: what programs, the command line and the interface hold in their hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from stackroom.core.approvals import Op
from stackroom.core.attention import OLDER_THAN
from stackroom.core.metadata import record_of
from stackroom.core.numbers import plain_numbers
from stackroom.core.pruning import Rules, age_of, best_of
from stackroom.registry import (
    approving,
    editables,
    editing,
    judging,
    moving,
    pruning,
    purging,
    registering,
    remembering,
    removing,
    verifying,
)
from stackroom.registry.judging import Judgement, Options
from stackroom.registry.measured import Measured
from stackroom.registry.registering import Registered, Registration
from stackroom.registry.watchable import Watchable
from stackroom.store.digest import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from stackroom.core.approvals import Word
    from stackroom.core.attention import Remark
    from stackroom.core.attested import Pins
    from stackroom.core.findings import Finding
    from stackroom.core.names import ModelName, Ref
    from stackroom.registry.approving import Spoken
    from stackroom.registry.editables import Editable, EditableCard
    from stackroom.registry.editing import Edit, Revised
    from stackroom.registry.listing import Found
    from stackroom.registry.mending import Repair
    from stackroom.registry.moving import MoveResult
    from stackroom.registry.pruning import Prune
    from stackroom.registry.purging import Purge
    from stackroom.registry.remembering import Vanished
    from stackroom.registry.removing import Removed
    from stackroom.registry.verifying import VersionCheck
    from stackroom.registry.whoami import Caller
    from stackroom.store.records import Version


class Registry(Measured, Watchable):
    """A registry to read and to change.

    Every method goes to the disk, and nothing is locked; what lists or searches all models may take from the caller's
    own index what has not changed since (:meth:`models`). All of them raise
    :class:`~stackroom.errors.RegistryError` leaves and nothing else that a caller should expect.
    Safe to use from several threads and processes at once, on one host or on many.

    Attributes:
        folder: its root, as text.
        clock: where the time comes from.
        who: the caller.
    """

    def new(
        self,
        model: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        steward_owned: bool = False,
        dry_run: bool = False,
    ) -> ModelName:
        """Make a model.

        Args:
            model: its name.
            metadata: description, team, tags … as in the file.
            steward_owned: refuse unless the caller is the steward, to whom the model's folder then belongs. Whoever
                owns a folder is not bound by its sticky bit: the maker of a model can rename others' versions away.
            dry_run: check, and write nothing.

        Raises:
            ConflictError: it is there already.
            InvalidInputError: the name or the metadata is not allowed.
            PermissionDeniedError: the kernel refuses; or ``steward_owned``, and the caller is not the steward.
        """
        record = record_of(plain_numbers(metadata or {}))
        return registering.new_model(self, model, record, steward_owned=steward_owned, dry_run=dry_run)

    def register(  # noqa: PLR0913 - the fields that people set most have names of their own
        self,
        model: str,
        *sources: str | Path,
        metrics: Mapping[str, float] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        datasets: Sequence[Mapping[str, Any]] = (),
        metadata: Mapping[str, Any] | None = None,
        card: str | None = None,
        label: str | None = None,
        if_exists: Literal["skip", "fail"] | None = None,
        move: bool = False,
        follow: bool = False,
        progress: Progress = silent,
    ) -> Version:
        """Publish a version, and the model where it is missing.

        Args:
            model: whose.
            sources: files and directories; a directory's contents land in the version's folder itself.
            metrics: name to number; also numpy's and others that Python knows as numbers.
            hyperparameters: name to any TOML value.
            datasets: tables with ``name``, ``uri``, ``digest``, ``split``, ``rows``.
            metadata: everything else, as in ``version.toml``: description, tags, license, lineage …
            card: the text of the model card (Markdown).
            label: one more name for it.
            if_exists: ``skip`` returns, and ``fail`` refuses, where the very same artifacts are a version already.
            move: take the files away from where they are.
            follow: copy what symlinks point at.
            progress: is told about the bytes.

        Raises:
            InvalidInputError: a name, source or value is not allowed; nothing was published.
            ConflictError: ``if_exists="fail"``, or the label is another version's.
            PermissionDeniedError: the kernel refuses.
        """
        document = plain_numbers(metadata or {})
        record_of(document)  # refuses what is no table before something is merged into it
        for key, given in (("metrics", metrics), ("hyperparameters", hyperparameters)):
            if given:
                document[key] = {**document.get(key, {}), **plain_numbers(given)}
        if datasets:
            document["datasets"] = [*document.get("datasets", []), *(plain_numbers(dataset) for dataset in datasets)]
        registration = Registration(
            sources=sources,
            record=record_of(document),
            card=card,
            label=label,
            if_exists=if_exists,
            move=move,
            follow=follow,
            progress=progress,
        )
        return self.version(self.publish(model, registration).ref)

    def publish(self, model: str, registration: Registration) -> Registered:
        """Publish a version, as :meth:`register` does, from one value that says everything."""
        return registering.register(self, model, registration)

    def label(self, ref: str | Ref, label: str, *, dry_run: bool = False) -> tuple[Version, bool]:
        """Give a version one more name, for good; returns it, and whether the name is new.

        Raises:
            ConflictError: the label is another version's.
        """
        return registering.label_version(self, ref, label, dry_run=dry_run)

    def edit(self, ref: str | Ref, change: Edit) -> Revised:
        """Write a revision of the metadata or the card of a version or model.

        Raises:
            ConflictError: somebody wrote one meanwhile; nothing is overwritten.
            InvalidInputError: a field or value is not allowed.
        """
        return editing.edit(self, ref, change)

    def editable(self, ref: str | Ref) -> Editable:
        """What an editor starts from."""
        return editables.editable(self, ref)

    def editable_card(self, ref: str | Ref) -> EditableCard:
        """What an editor of the card starts from."""
        return editables.editable_card(self, ref)

    def revert(
        self, ref: str | Ref, to: int, *, card: bool = False, reason: str = "", dry_run: bool = False
    ) -> Revised:
        """Write a new revision that says what revision ``to`` said; of the metadata, or with ``card`` of the card."""
        back = editing.revert_card if card else editing.revert
        return back(self, ref, to, reason=reason, dry_run=dry_run)

    def archive(self, ref: str | Ref, *, reason: str = "", undo: bool = False, dry_run: bool = False) -> Revised:
        """Mark as archived, or take that back.

        Raises:
            ConflictError: the version holds a stage.
        """
        return editing.archive(self, ref, reason=reason, undo=undo, dry_run=dry_run)

    def delete(self, ref: str | Ref, *, reason: str = "", dry_run: bool = False) -> Removed:
        """Delete a version: it is listed no more and keeps its number; until it is purged it can be restored.

        Raises:
            PermissionDeniedError: it and the model's folder belong to others.
            ConflictError: it holds a stage, is another version's parent, or somebody promoted it meanwhile.
        """
        return removing.delete(self, ref, reason=reason, dry_run=dry_run)

    def restore(self, ref: str | Ref, *, dry_run: bool = False) -> Removed:
        """Bring a deleted version back.

        Raises:
            NotFoundError: it was purged.
            PermissionDeniedError: it and the model's folder belong to others.
        """
        return removing.restore(self, ref, dry_run=dry_run)

    def purge(
        self,
        refs: Sequence[str] = (),
        *,
        older_than: str | timedelta | None = None,
        dry_run: bool = True,
        progress: Progress = silent,
    ) -> Purge:
        """Free the bytes of deleted versions of one's own; what belongs to others is told per owner.

        Args:
            refs: versions, or models for all that was deleted of theirs; everything without.
            older_than: only what was deleted at least so long ago: ``30d``, ``12h``, ``8w``.
            dry_run: say what would be freed, and free nothing; the default.
            progress: is told about the bytes.

        Raises:
            ConflictError: a version that is named is not deleted.
        """
        age = age_of(older_than) if older_than is not None else None
        return purging.purge(self, refs, older_than=age, dry_run=dry_run, progress=progress)

    def prune(
        self,
        models: str | Sequence[str] | None = None,
        *,
        keep_last: int | None = None,
        older_than: str | timedelta | None = None,
        keep_best: Sequence[str] = (),
        reason: str = "",
        dry_run: bool = True,
    ) -> Prune:
        """Delete the versions that every given rule lets go; never what holds a stage, is a parent, or is the newest.

        Args:
            models: one, several, or all.
            keep_last: the newest so many of each model stay.
            older_than: only what was registered at least so long ago goes: ``30d``, ``12h``, ``8w``.
            keep_best: metrics, such as ``auc`` or ``auc:3``, by which the best so many stay.
            reason: why, in every tombstone; else the rules.
            dry_run: say what would go, and delete nothing; the default.

        Raises:
            UsageError: no rule was given.
            InvalidInputError: ``registry.toml`` does not say which way a metric is better.
        """
        named = [models] if isinstance(models, str) else models or ()
        rules = Rules(
            keep_last=keep_last,
            older_than=age_of(older_than) if older_than is not None else None,
            keep_best=tuple(best_of(text) for text in keep_best),
        )
        return pruning.prune(self, named, rules, reason=reason, dry_run=dry_run)

    def can(
        self,
        ref: str | Ref,
        stage: str,
        *,
        reason: str = "",
        progress: Progress = silent,
        override: Sequence[str] = (),
    ) -> Judgement:
        """Whether the caller may move a version into a stage, and what every guard says."""
        options = Options(reason=reason, progress=progress, override=tuple(override))
        return judging.judge_move(self, ref, stage, options)

    def promote(
        self,
        ref: str | Ref,
        stage: str,
        *,
        reason: str = "",
        expect: str | None = None,
        dry_run: bool = False,
        progress: Progress = silent,
        seen: str | None = None,
        override: Sequence[str] = (),
    ) -> MoveResult:
        """Make a version hold a stage.

        Args:
            ref: the version.
            stage: which.
            reason: why; some stages ask for it.
            expect: who must hold the stage now.
            dry_run: judge, and write nothing.
            progress: is told about the bytes that the guard ``verify`` reads.
            seen: :attr:`Judgement.head` of the judgement that was decided upon; a newer one is a conflict.
            override: guards that shall not keep the mover; each must be overridable, and the reason is then asked for.

        Raises:
            PermissionDeniedError: the kernel refuses.
            GuardRefusedError: a guard refuses.
            ConflictError: somebody was faster, or another version holds the stage than expected.
            IntegrityError: the version is not as it was sealed.
        """
        options = Options(
            reason=reason, expect=expect, dry_run=dry_run, progress=progress, seen=seen, override=tuple(override)
        )
        return moving.promote(self, ref, stage, options)

    def rollback(
        self,
        model: str,
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        progress: Progress = silent,
        seen: str | None = None,
        override: Sequence[str] = (),
    ) -> MoveResult:
        """Make the version that held the stage before hold it again; ``seen`` as in :meth:`promote`.

        Raises:
            NotFoundError: nothing held it before.
            IntegrityError: what held it is gone or changed.
            ConflictError: somebody was faster.
        """
        options = Options(reason=reason, dry_run=dry_run, progress=progress, seen=seen, override=tuple(override))
        return moving.rollback(self, model, stage, options)

    def clear(
        self,
        model: str,
        stage: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        seen: str | None = None,
        override: Sequence[str] = (),
    ) -> MoveResult:
        """Make nothing hold the stage; ``seen`` as in :meth:`promote`.

        Raises:
            NotFoundError: nothing does.
            ConflictError: somebody was faster.
        """
        options = Options(reason=reason, dry_run=dry_run, seen=seen, override=tuple(override))
        return moving.clear(self, model, stage, options)

    def approve(
        self, ref: str | Ref, stage: str, *, reason: str = "", dry_run: bool = False, seen: Pins | None = None
    ) -> Spoken:
        """Say yes to a version for a stage: to its artifacts, metadata and card as they are now.

        Args:
            ref: the version.
            stage: for which.
            reason: why.
            dry_run: check, and write nothing.
            seen: what the version was when that was decided; another one is a conflict.

        Raises:
            NotFoundError: no such version or stage.
            PermissionDeniedError: the kernel refuses.
            IntegrityError: the version is not as it was sealed.
            ConflictError: it changed since it was seen.
        """
        return approving.speak(self, Op.APPROVE, (ref, stage), reason=reason, dry_run=dry_run, seen=seen)

    def reject(
        self, ref: str | Ref, stage: str, *, reason: str = "", dry_run: bool = False, seen: Pins | None = None
    ) -> Spoken:
        """Say no to a version for a stage, as :meth:`approve` says yes; the later of one person's words stands."""
        return approving.speak(self, Op.REJECT, (ref, stage), reason=reason, dry_run=dry_run, seen=seen)

    def approvals(self, ref: str | Ref, stage: str | None = None) -> tuple[Word, ...]:
        """What was said about a version for a stage, or for all, oldest first, each with what has become of it.

        Raises:
            NotFoundError: no such version or stage.
            RegistryError: a folder of approvals cannot be read: that is not silence.
        """
        return approving.approvals(self, ref, stage)

    def vanished(self) -> tuple[Vanished, ...]:
        """The newest events that this user saw of the ledgers, and that are gone or say something else now.

        What the tree alone cannot show. Remembers what is there now, in the user's own state folder.
        """
        return remembering.remember(self)

    def acknowledge(self) -> None:
        """Take everything in :meth:`vanished` for known."""
        remembering.forget(self)

    def find(self, query: str, *, limit: int, sort: str = "", archived: bool = False) -> Found:
        """The first versions that :meth:`search` finds, and how many there are; cheap also where they are many."""
        from stackroom.registry.listing import find  # noqa: PLC0415 - listing one model does without

        return find(self, query, sort=sort, archived=archived, limit=limit)

    def to_verify(self, refs: Sequence[str] = ()) -> tuple[Version, ...]:
        """The versions that :meth:`verify` would read: those named, all of a named model, or all."""
        return verifying.planned(self, refs)

    def verify(
        self, refs: Sequence[str] = (), progress: Progress = silent, *, jobs: int | None = None, changed: bool = False
    ) -> Iterator[VersionCheck]:
        """Re-read artifacts against their seals, and stage holders against what was promoted.

        Args:
            refs: versions, or models for all of theirs; everything without.
            progress: is told about the bytes, from several threads.
            jobs: how many files to read at once; None for as many as there are processors, or 16 on a file server.
            changed: leave out large files that look as they did when you last read them.
        """
        yield from verifying.verify(self, self.to_verify(refs), progress, jobs=jobs, changed=changed)
        yield from verifying.missing_holders(self, refs)

    def review(self, *models: str, older_than: str | timedelta = OLDER_THAN) -> tuple[Remark, ...]:
        """What needs attention in the models, the worst first: of their newest versions and of those that hold a stage.

        Args:
            models: which; all without.
            older_than: age from which on what waits is stale: ``30d``, ``12h``, ``8w``.

        Raises:
            NotFoundError: no such model.
        """
        from stackroom.registry import reviewing  # noqa: PLC0415 - as in examine

        return reviewing.review(self, models, older_than=age_of(older_than))

    def whoami(self) -> Caller:
        """Who the caller is here, what he may probably do, and on what file system."""
        from stackroom.registry import whoami  # noqa: PLC0415 - as in examine

        return whoami.whoami(self)

    def examine(self) -> Iterator[Finding]:
        """Everything that is not as it should be; writes nothing, and fails for nothing that is in the registry.

        The first finding may come after a while; ``stackroom.core.findings.worst_first`` sorts them.
        """
        from stackroom.registry import examining  # noqa: PLC0415 - only a doctor needs it, and everybody would load it

        yield from examining.examine(self)

    def fix(self, findings: Iterable[Finding] | None = None, *, dry_run: bool = False) -> Iterator[Repair]:
        """Put right what the caller may put right; never touches evidence.

        Args:
            findings: of :meth:`examine`; without them the registry is examined now.
            dry_run: say what would be done, and do nothing.
        """
        from stackroom.registry import mending  # noqa: PLC0415 - as in examine

        yield from mending.fix(self, tuple(self.examine()) if findings is None else findings, dry_run=dry_run)
