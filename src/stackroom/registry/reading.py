"""Reading a registry: models with who holds what, versions by any reference, histories and comparisons.

Nothing is kept between calls but the path and ``registry.toml``: every answer is read from the disk when it is asked
for, lists of everything with the help of the caller's index (:mod:`stackroom.registry.listing`), and no answer fails
because of one bad file.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stackroom.core.attested import Who
from stackroom.core.names import ModelName, Ref, StageName, parse_ref, version_ref
from stackroom.core.policy import Policy
from stackroom.errors import IntegrityError, InvalidInputError, NotFoundError, RegistryError, UsageError
from stackroom.registry.holdings import Stages, check_as_promoted, holding_problems, missing_model, with_stages
from stackroom.registry.resolving import number_named, number_of
from stackroom.store import layout
from stackroom.store.access import access_to, current_user, user_name
from stackroom.store.folder import GONE, Folder, explained
from stackroom.store.ledgers import StageReading, read_ledger, read_stage
from stackroom.store.locate import absolute
from stackroom.store.records import Holding, Listing, Model, Problem, Version
from stackroom.store.registry_file import RegistryFile, read_registry_file
from stackroom.store.scan import (
    ModelListing,
    RevisionText,
    list_model,
    list_models,
    model_record,
    os_problem,
    read_card,
    read_revisions,
    read_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from stackroom.core.compare import Comparison, Subject
    from stackroom.core.files import FileFact
    from stackroom.core.ledger import Event, Ledger
    from stackroom.core.metadata import Record
    from stackroom.registry.deletions import Deletions


def utc_now() -> datetime:
    """The time, in whole microseconds of UTC."""
    return datetime.now(UTC)


class Reader:
    """A registry to read.

    Attributes:
        folder: its root, as text.
        clock: where the time comes from.
        who: the caller.
        progress: is told how many models were read for an index, of how many.
    """

    def __init__(self, path: str | Path, *, clock: Callable[[], datetime] = utc_now, who: Who | None = None) -> None:
        self.folder = absolute(path)
        self.clock = clock
        self.who = who or current_user()
        self.progress: Callable[[int, int], None] | None = None
        self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.folder!r})"

    @property
    def path(self) -> Path:
        """Its root."""
        from pathlib import Path  # noqa: PLC0415 - 5 ms, which reading does without

        return Path(self.folder)

    @contextmanager
    def root(self) -> Iterator[Folder]:
        """The registry's folder, open."""
        try:
            folder = Folder.open(self.folder)
        except OSError as error:
            raise explained(error, "open the registry", self.folder) from error
        with folder:
            yield folder

    @contextmanager
    def opened_model(self, model: ModelName) -> Iterator[tuple[Folder, Folder]]:
        """The registry's folder, and the model's.

        Raises:
            NotFoundError: there is no such model.
        """
        with self.root() as root:
            try:
                with root.child(layout.MODELS) as models:
                    folder = models.child(model)
            except OSError as error:
                if error.errno in GONE:
                    raise self._no_such_model(root, model) from None
                raise explained(error, "open", f"{self.folder}/{layout.MODELS}/{model}") from error
            with folder:
                yield root, folder

    @contextmanager
    def model_folder(self, model: ModelName) -> Iterator[tuple[Folder, Folder, ModelListing]]:
        """The registry's folder, the model's, and one look at it; errors as :meth:`opened_model`."""
        with self.opened_model(model) as (root, folder):
            yield root, folder, listed(folder, model)

    def _no_such_model(self, root: Folder, model: ModelName) -> NotFoundError:
        import difflib  # noqa: PLC0415 - only for the one who mistyped

        try:
            with root.child(layout.MODELS) as models:
                known = [str(name) for name in list_models(models)[0]]
        except OSError:
            known = []
        near = difflib.get_close_matches(model, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "stackroom list shows the models"
        return NotFoundError(f"there is no model {model}", hint=hint, facts={"model": model})

    # --- what the registry says about itself

    def refresh(self) -> RegistryFile:
        """Read ``registry.toml``, which has to be there; what it says from now on is what everything here goes by."""
        with self.root() as root:
            try:
                self._file = read_registry_file(root)
            except OSError as error:
                if error.errno in GONE:
                    import shlex  # noqa: PLC0415 - only for advice

                    raise NotFoundError(
                        f"{self.folder} is no registry: it has no {layout.REGISTRY_FILE}",
                        hint=f"make one with: stackroom init {shlex.quote(self.folder)}",
                        facts={"path": self.folder},
                    ) from None
                raise explained(error, "read", f"{self.folder}/{layout.REGISTRY_FILE}") from error
        return self._file

    @property
    def policy(self) -> Policy:
        """What ``registry.toml`` says; an empty policy with the stages' names where it is wrong."""
        return self._file.policy or Policy(id=self._file.id)

    @property
    def policy_error(self) -> InvalidInputError | None:
        """What is wrong with ``registry.toml``, or None."""
        return self._file.error

    @property
    def id(self) -> str:
        """The id that binds events to this registry."""
        return self._file.id

    @property
    def stages(self) -> tuple[StageName, ...]:
        """The names of the stages, in the order of the lifecycle."""
        return self._file.stages

    @property
    def name(self) -> str:
        """What people call it: its name, or its folder's."""
        return self.policy.name or os.path.basename(self.folder)

    def check_stage(self, stage: str) -> StageName:
        """The name, if the registry declares such a stage.

        Raises:
            NotFoundError: it does not.
            InvalidInputError: ``registry.toml`` is so wrong that nobody knows.
        """
        if self.policy_error and not (self.id and self.stages):
            # Without the id no event can be judged, and without the names none can be found: that is not "nobody".
            raise self.policy_error
        if stage in self.stages:
            return StageName(stage)
        raise NotFoundError(
            f"there is no stage {stage!r}",
            hint=f"the stages are {', '.join(self.stages) or 'none: registry.toml declares none'}",
            facts={"stage": stage, "stages": list(self.stages)},
        )

    # --- models and versions

    def read_stages(self, root: Folder, *models: ModelName) -> Stages:
        """Who holds which stage, of all models or of some."""
        return Stages.read(root, self.id, self.stages, models or None)

    def models(
        self,
        *,
        every_version: bool = False,
        afresh: bool = False,
        watch: Callable[[Sequence[Model], int], None] | None = None,
    ) -> Listing:
        """All models, sorted by name.

        The caller's own index may answer for folders that have not changed since they were read; see
        ``docs/explanation/guarantees.md`` for what that cannot see.

        Args:
            every_version: read all versions, not only the newest and the holders of stages; from the registry itself.
            afresh: read everything from the registry itself.
            watch: is told now and then which were read, and how many there are; what it raises ends the reading.
                While the index is brought up to date none is.
        """
        from stackroom.registry.listing import listing_of  # noqa: PLC0415 - a command about one model does without

        return listing_of(self, every_version=every_version, afresh=afresh or every_version, watch=watch)

    def model(self, name: str) -> Model:
        """A model with all its versions.

        Raises:
            NotFoundError: there is no such model.
        """
        parsed = parse_ref(name).model
        with self.opened_model(parsed) as (root, folder):
            stages = self.read_stages(root, parsed)
            # Listed after the ledgers, so that a version registered and promoted just now is not missing.
            return self._joined(folder, listed(folder, parsed), stages, every_version=True)

    def model_of(self, models: Folder, name: ModelName, stages: Stages, *, every_version: bool) -> Model:
        """A model of the open folder ``models/``; one that cannot be read has a problem and no versions."""
        try:
            with models.child(name) as folder:
                return self._joined(folder, list_model(folder, name), stages, every_version=every_version)
        except OSError as error:
            return self.unread(models, name, stages, error)

    def unread(self, models: Folder, name: ModelName, stages: Stages, error: OSError) -> Model:
        """What is known of a model whose folder cannot be read."""
        problem = os_problem(f"{layout.MODELS}/{name}", error, models)
        holdings = stages.holdings(name, ())
        missing = holding_problems(name, holdings, self.clock()) if error.errno in GONE else ()
        return Model(
            name=name,
            folder=f"{self.folder}/{layout.MODELS}/{name}",
            owner=Who(-1),
            holdings=holdings,
            problems=(problem, *missing),
        )

    def _joined(self, folder: Folder, listing: ModelListing, stages: Stages, *, every_version: bool) -> Model:
        own = model_record(folder, listing)
        holdings = stages.holdings(listing.name, listing.numbers)
        found = {
            number: read_version(folder, listing, number)
            for number in (listing.numbers if every_version else shown_numbers(listing.numbers, holdings))
        }
        for number in reversed(listing.numbers):
            # Where the highest number is a folder that nobody registered, the latest version stands below it.
            if number not in found:
                found[number] = read_version(folder, listing, number)
            if found[number].registered:
                break
        return joined(listing, own, holdings, found, self.clock(), folder=folder)

    def version(self, ref: str | Ref) -> Version:
        """The version that a reference names: a number, a label, a stage's holder or the latest.

        Raises:
            NotFoundError: there is none.
            IntegrityError: a stage's holder is missing, or is not what was promoted.
            UsageError: the reference names a whole model.
        """
        parsed = parse_ref(ref) if isinstance(ref, str) else ref
        try:
            return self._version(parsed)
        except NotFoundError:
            if parsed.kind == "stage" and (number := self.ledger(parsed.model, parsed.value).holder) is not None:
                # Not "nothing holds it": the whole model has gone, and its stage with it for whoever believes that.
                raise missing_model(parsed, number) from None
            raise

    def _version(self, parsed: Ref) -> Version:
        with self.opened_model(parsed.model) as (root, folder):
            stages = self.read_stages(root, parsed.model)
            listing = listed(folder, parsed.model)
            holdings = stages.holdings(parsed.model, listing.numbers)
            if parsed.kind == "stage":
                _check_read(self, stages.readings.get(self.check_stage(parsed.value)), parsed.value)
            number = number_of(self, folder, parsed, listing, holdings)
            version = with_stages(read_version(folder, listing, number), holdings, folder)
            if parsed.kind == "stage":
                check_as_promoted(parsed, version, holdings, folder)
        return version

    def deleted(self, model: str | None = None) -> Deletions:
        """The versions that were deleted or are being deleted, of one model or all.

        Raises:
            NotFoundError: there is no such model.
        """
        from stackroom.registry.deletions import deletions_of  # noqa: PLC0415 - loads what deletes

        return deletions_of(self, model)

    def search(self, query: str, *, sort: str = "", archived: bool = False) -> tuple[Version, ...]:
        """The versions of all models that a query asks for.

        Args:
            query: as :mod:`stackroom.core.query` describes; empty for all.
            sort: fields to sort by, such as ``-metrics.auc``; else by model and number.
            archived: also those that are archived (a query that says ``archived`` finds them anyway).

        Raises:
            InvalidInputError: the text is not a query.
        """
        from stackroom.registry.listing import search  # noqa: PLC0415 - as in models

        return search(self, query, sort=sort, archived=archived)

    # --- texts of a version

    def card(self, ref: str | Ref) -> str | None:
        """The model card of a version, or of a model; None where there is none."""
        parsed = parse_ref(ref) if isinstance(ref, str) else ref
        number = None if parsed.kind == "model" else number_named(self, parsed)
        with self.model_folder(parsed.model) as (_, folder, listing):
            try:
                text = read_card(folder, listing, number)
            except OSError as error:
                raise explained(error, "read the card of", str(parsed)) from error
        return None if text is None else text.decode(errors="replace")

    def files(self, ref: str | Ref) -> tuple[FileFact, ...]:
        """The artifacts of a version as its seal lists them, with their present sizes.

        Raises:
            IntegrityError: SHA256SUMS cannot be read.
        """
        from stackroom.core.files import FileFact  # noqa: PLC0415 - listing reads no artifacts
        from stackroom.store.sums import each_size, read_sums  # noqa: PLC0415 - the same

        parsed = parse_ref(ref) if isinstance(ref, str) else ref
        found = version_ref(parsed.model, number_named(self, parsed))
        with self.opened_model(parsed.model) as (_, folder):
            try:
                with folder.child(found.value) as inside:
                    _, sums = read_sums(inside)
                    size = each_size(inside)
            except (OSError, InvalidInputError) as error:
                raise IntegrityError(
                    f"{found}: {layout.SHA256_FILE} cannot be read: {error}",
                    hint=f"stackroom verify {found}",
                ) from error
        return tuple(FileFact(path=path, size=size(path), digest=f"sha256:{digest}") for path, digest in sums.items())

    def revisions(self, ref: str | Ref) -> tuple[RevisionText, ...]:
        """The chain of metadata of a version, or of a model, oldest first."""
        parsed = parse_ref(ref) if isinstance(ref, str) else ref
        number = None if parsed.kind == "model" else number_named(self, parsed)
        with self.model_folder(parsed.model) as (_, folder, listing):
            return read_revisions(folder, listing, number)

    # --- ledgers

    def ledger(self, model: str, stage: str) -> Ledger:
        """A model's moves in a stage."""
        name, checked = parse_ref(model).model, self.check_stage(stage)
        with self.root() as root:
            return read_ledger(root, self.id, checked, name)

    def history(self, model: str | None = None, stage: str | None = None) -> tuple[Event, ...]:
        """Every event, oldest first: of one model or all, of one stage or all."""
        name = parse_ref(model).model if model else None
        wanted = (self.check_stage(stage),) if stage else self.stages
        events = [event for ledger in self._ledgers(wanted, name) for event in ledger.events]
        if name and not events:
            with self.model_folder(name):
                pass
        order = {found: index for index, found in enumerate(self.stages)}
        return tuple(sorted(events, key=lambda event: (event.when, order[event.stage], event.model, event.number)))

    def held_at(self, when: datetime, model: str | None = None, stage: str | None = None) -> tuple[Event, ...]:
        """For every model and stage the event that decided at that instant, where there was one.

        Raises:
            NotFoundError: there is no such model, and there are no events of one.
        """
        name = parse_ref(model).model if model else None
        wanted = (self.check_stage(stage),) if stage else self.stages
        ledgers = self._ledgers(wanted, name)
        if name and not any(ledger.events for ledger in ledgers):
            # A model whose folder is gone is known by its events; one without either is a typing mistake.
            with self.model_folder(name):
                pass
        heads = [ledger.head_at(when) for ledger in ledgers]
        return tuple(sorted((head for head in heads if head), key=lambda head: (head.model, head.stage)))

    def _ledgers(self, stages: Sequence[StageName], model: ModelName | None) -> list[Ledger]:
        """The ledgers of some stages; one that cannot be read is an error, and never empty."""
        if self.policy_error and not self.id:
            raise self.policy_error
        found: list[Ledger] = []
        with self.root() as root:
            for stage in stages:
                reading = read_stage(root, self.id, stage, (model,) if model else None)
                _check_read(self, reading, stage)
                found += reading.ledgers.values()
        return found

    # --- comparing

    def compare(self, refs: Sequence[str | Ref], *, base: int = 0) -> Comparison:
        """Two or more versions side by side.

        Raises:
            UsageError: fewer than two.
        """
        if len(refs) < 2:
            raise UsageError("a comparison needs two versions at least")
        if not 0 <= base < len(refs):
            raise UsageError(f"there is no version {base} among the {len(refs)} to measure against")
        from stackroom.core.compare import compare  # noqa: PLC0415 - costs 8 ms, and listing compares nothing

        return compare([self._subject(ref) for ref in refs], self.policy, base=base)

    def _subject(self, ref: str | Ref) -> Subject:
        from stackroom.core.compare import Subject  # noqa: PLC0415 - as above

        version = self.version(ref)
        try:
            files = self.files(version.ref)
        except IntegrityError:
            files = ()
        try:
            card = self.card(version.ref) or ""
        except RegistryError:
            card = ""
        return Subject(ref=version_ref(version.model, version.number), record=version.record, files=files, card=card)


def shown_numbers(numbers: Sequence[int], holdings: Sequence[Holding]) -> list[int]:
    """The versions that a list of models shows something of: the newest and the holders of stages."""
    held = {holding.number for holding in holdings}
    return [number for number in numbers if number in held or number == numbers[-1]]


def joined(
    listing: ModelListing,
    own: tuple[Record, int, tuple[Problem, ...]],
    holdings: tuple[Holding, ...],
    versions: Mapping[int, Version],
    now: datetime,
    *,
    folder: Folder | None = None,
) -> Model:
    """A model, from what was read of it: its own metadata, who holds its stages, some versions; ``folder`` is its."""
    return Model(
        name=listing.name,
        folder=listing.path,
        owner=Who(listing.owner, user_name(listing.owner)),
        record=own[0],
        revision=own[1],
        versions=tuple(with_stages(versions[number], holdings, folder) for number in sorted(versions)),
        count=len(listing.numbers),
        holdings=holdings,
        problems=(*listing.problems, *own[2], *holding_problems(listing.name, holdings, now, listing.trash)),
    )


def listed(folder: Folder, model: ModelName) -> ModelListing:
    """One look at a model's folder.

    Raises:
        RegistryError: it cannot be listed.
    """
    try:
        return list_model(folder, model)
    except OSError as error:
        raise explained(error, "list", folder.path) from error


def _check_read(reader: Reader, reading: StageReading | None, stage: str) -> None:
    """Say no where a stage's folder could not be read: who holds it is then not known, which is not nobody."""
    if reading is not None and reading.error is not None:
        raise explained(reading.error, "read", f"{reader.folder}/{layout.STAGES}/{stage}") from reading.error


def may_write(reader: Reader, model: ModelName, doing: str) -> None:
    """Say no where the caller could not make a name in a model's folder.

    Raises:
        PermissionDeniedError: as far as this host can tell, the kernel would refuse.
    """
    access = access_to(f"{reader.folder}/{layout.MODELS}/{model}")
    if not access.allowed:
        raise access.refusal(doing, you=reader.who)
