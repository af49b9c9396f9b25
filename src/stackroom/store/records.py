"""What reading a registry yields: frozen records of models, versions and stage holders, with what is wrong about them.

A problem never replaces a record: a version whose ``version.toml`` is broken is still a row, with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from stackroom.core.metadata import Record, RevisionNote, Seal, as_utc, document_of, flat, iso, jsonable
from stackroom.core.names import Ref, version_ref
from stackroom.core.values import Unfolding, dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from stackroom.core.attested import Who
    from stackroom.core.ledger import Event
    from stackroom.core.names import Label, ModelName, StageName
    from stackroom.core.tombstones import Tombstone


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as the format says.

    Attributes:
        place: below the registry's root.
        message: what, in words; untrusted text may be part of it.
        severity: ``error`` where something cannot be read or trusted, ``warning`` elsewhere.
        hint: what to do.
    """

    place: str
    message: str
    severity: Literal["error", "warning"] = "error"
    hint: str = ""

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"place": self.place, "message": self.message, "severity": self.severity, "hint": self.hint}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Unfolding):
    """A version as it stands.

    Attributes:
        model: whose.
        number: its number.
        folder: its folder, as text.
        owner: the folder's owner, which is the evidence for who registered it.
        seal: what was written when it was published; None where ``version.toml`` cannot be read.
        record: the current metadata.
        note: what the current revision says about itself; None where nobody has edited.
        revision: the number of the current metadata revision, 0 as registered.
        metadata_digest: ``sha256:…`` of the current metadata's text.
        labels: its other names.
        card_revision: the number of the current card's revision; 0 as registered, -1 where there is none.
        stages: which it holds.
        problems: what is wrong with it.
        registered: its folder has a ``version.toml``: without one somebody made a folder of that name, and no version.
    """

    model: ModelName
    number: int
    folder: str
    owner: Who
    seal: Seal | None = None
    record: Record = field(default_factory=Record)
    note: RevisionNote | None = None
    revision: int = 0
    metadata_digest: str = ""
    labels: tuple[Label, ...] = ()
    card_revision: int = -1
    stages: tuple[StageName, ...] = ()
    problems: tuple[Problem, ...] = ()
    registered: bool = True

    @property
    def path(self) -> Path:
        """Its folder."""
        from pathlib import Path  # noqa: PLC0415 - 5 ms, which a table of versions does without

        return Path(self.folder)

    @property
    def ref(self) -> Ref:
        """The canonical reference, ``model:number``."""
        return version_ref(self.model, self.number)

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics of the current metadata."""
        return self.record.metrics

    @property
    def hyperparameters(self) -> Mapping[str, Any]:
        """The hyperparameters of the current metadata."""
        return self.record.hyperparameters

    @property
    def created(self) -> datetime | None:
        """When it was registered; None where that cannot be read."""
        return self.seal.created if self.seal else None

    @property
    def has_card(self) -> bool:
        """Whether it has a model card."""
        return self.card_revision >= 0

    @property
    def archived(self) -> bool:
        """Whether its metadata says so."""
        return self.record.archived

    @property
    def state(self) -> str:
        """The stages it holds, or ``archived``, or ``development``: a word for showing."""
        return ", ".join(self.stages) or ("archived" if self.archived else "development")

    def fields(self) -> dict[str, Any]:
        """What queries and sorting see: every field of the metadata by its dotted name, and what the tool knows."""
        found = flat(document_of(self.record))
        for tag in self.record.tags:
            key, equals, value = tag.partition("=")
            if equals:
                found[f"tags.{key}"] = value
        found |= {
            "model": self.model,
            "version": self.number,
            "ref": str(self.ref),
            "label": self.labels,
            "stage": self.stages or ("archived" if self.archived else "development",),
            "tags": self.record.tags,
            "tag": self.record.tags,
            "datasets": tuple(dataset.name for dataset in self.record.datasets),
            "archived": self.archived,
            "card": self.has_card,
            "owner": self.owner.label,
            "problems": len(self.problems),
        }
        if self.seal:
            found |= {"created": self.seal.created, "size": self.seal.bytes, "bytes": self.seal.bytes}
            found |= {"files": self.seal.files, "digest": self.seal.digest}
        return found

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``show --json`` and of the rows of ``list`` and ``search``."""
        seal = self.seal
        return {
            "ref": str(self.ref),
            "model": self.model,
            "version": self.number,
            "labels": list(self.labels),
            "stages": list(self.stages),
            "state": self.state,
            "path": self.folder,
            "owner": {"uid": self.owner.uid, "name": self.owner.name},
            "created": iso(seal.created) if seal else None,
            "files": seal.files if seal else None,
            "bytes": seal.bytes if seal else None,
            "digest": seal.digest if seal else None,
            "revision": self.revision,
            "card": self.has_card,
            "archived": self.archived,
            "metadata": jsonable(document_of(self.record)),
            "problems": [problem.document() for problem in self.problems],
        }


Removal = Literal["deleted", "deleting", "purging", "purged", "unmarked"]
"""How far a version is deleted.

``deleting``: it has a tombstone and is here all the same, because a delete or a restore was interrupted, or because the
tombstone's maker may do no more; ``purging``: its bytes are being freed; ``unmarked``: it lies in the trash, and no
tombstone says who put it there.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What is known about a version that was deleted, or is being deleted.

    Attributes:
        model: whose.
        number: its number, which is never given again.
        state: how far it got.
        tombstone: who deleted it, when and why; None where there is none, or it vanished.
        folder: the name of what is left of it, in the model's folder; empty where nothing is.
        owner: of that folder: who can free its bytes.
        bytes: of its artifacts, or of what is left of them; None where nothing is left or it cannot be read.
        digest: of the artifacts as its seal, or else SHA256SUMS, has it; empty where neither can be read.
        metadata: ``sha256:…`` of the text of its ``version.toml``; empty where that cannot be read.
        identity: device and inode of the folder.
        labels: its other names, which stay.
    """

    model: ModelName
    number: int
    state: Removal
    tombstone: Tombstone | None = None
    folder: str = ""
    owner: Who | None = None
    bytes: int | None = None
    digest: str = ""
    metadata: str = ""
    identity: tuple[int, int] | None = None
    labels: tuple[Label, ...] = ()

    @property
    def ref(self) -> Ref:
        """The canonical reference, ``model:number``."""
        return version_ref(self.model, self.number)

    @property
    def by(self) -> Who | None:
        """Who deleted it, by a tombstone that counts; else None."""
        return self.tombstone.by if self.tombstone and self.tombstone.validity.counts else None

    def sentence(self) -> str:
        """What became of it, as the rest of a sentence: ``deleted by bob on 2026-11-23 04:22 UTC: too old``."""
        word = {"deleting": "being deleted", "purging": "deleted and being purged", "purged": "deleted and purged"}
        what = word.get(self.state, "deleted")
        if self.tombstone is None or self.by is None:
            return f"{what}, and nothing attests by whom"
        why = f": {self.tombstone.why}" if self.tombstone.why else ""
        return f"{what} by {self.by.label} on {as_utc(self.tombstone.when):%Y-%m-%d %H:%M} UTC{why}"

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``list --deleted --json``."""
        tombstone = self.tombstone
        return {
            "ref": str(self.ref),
            "model": self.model,
            "version": self.number,
            "state": self.state,
            "labels": list(self.labels),
            "validity": tombstone.validity.value if tombstone else None,
            "by": str(tombstone.by) if tombstone and tombstone.by else None,
            "at": iso(tombstone.when) if tombstone else None,
            "reason": tombstone.why if tombstone else "",
            "trouble": tombstone.trouble if tombstone else "",
            "folder": self.folder,
            "owner": {"uid": self.owner.uid, "name": self.owner.name} if self.owner else None,
            "bytes": self.bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding(Unfolding):
    """Who holds a stage, for one model.

    Attributes:
        stage: which.
        event: the event that decides; None where nothing was ever moved there.
        number: the version, or None where the stage is empty.
        missing: that version's folder is not there.
        live: what ``live/<stage>/<model>`` points at; None where there is no pointer.
        alarms: what is wrong with the ledger.
        unread: why the ledger could not be read, or empty; it is then not known who holds the stage.
    """

    stage: StageName
    event: Event | None = None
    number: int | None = None
    missing: bool = False
    live: int | None = None
    alarms: tuple[str, ...] = ()
    unread: str = ""

    @property
    def behind(self) -> bool:
        """Whether the pointer does not show the holder: a mover was killed between the two steps."""
        return self.live != self.number

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        event = self.event
        return {
            "stage": self.stage,
            "version": self.number,
            "missing": self.missing,
            "validity": event.validity.value if event else None,
            "since": iso(event.when) if event else None,
            "by": str(event.move.by) if event and event.move else None,
            "reason": event.move.why if event and event.move else "",
            "live": self.live,
            "alarms": list(self.alarms),
            "unread": self.unread,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as it stands.

    Attributes:
        name: of the model.
        folder: its folder, as text.
        owner: the folder's owner.
        record: the model's own metadata.
        revision: the number of that metadata's revision; 0 where there is none.
        versions: those that were read, oldest first: all of them, or the newest and the holders of stages.
        count: how many there are.
        holdings: who holds what, in the order of the stages.
        problems: what is wrong with the model, its ledgers and the versions that were read.
    """

    name: ModelName
    folder: str
    owner: Who
    record: Record = field(default_factory=Record)
    revision: int = 0
    versions: tuple[Version, ...] = ()
    count: int = 0
    holdings: tuple[Holding, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> Path:
        """Its folder."""
        from pathlib import Path  # noqa: PLC0415 - as for a version

        return Path(self.folder)

    @property
    def latest(self) -> Version | None:
        """The version with the highest number that anybody registered."""
        return next((version for version in reversed(self.versions) if version.registered), None)

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The model's problems and those of its versions."""
        return self.problems + tuple(problem for version in self.versions for problem in version.problems)

    def version(self, number: int) -> Version | None:
        """The version of that number, if it was read."""
        return next((version for version in self.versions if version.number == number), None)

    def holding(self, stage: str) -> Holding | None:
        """Who holds a stage; None where nothing was ever moved there."""
        return next((holding for holding in self.holdings if holding.stage == stage), None)

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of a row of ``list --json``."""
        latest = self.latest
        return {
            "model": self.name,
            "path": self.folder,
            "owner": {"uid": self.owner.uid, "name": self.owner.name},
            "metadata": jsonable(document_of(self.record)),
            "versions": self.count,
            "latest": latest.document() if latest else None,
            "stages": {holding.stage: holding.document() for holding in self.holdings},
            "problems": [problem.document() for problem in self.all_problems],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All models of a registry, and what is wrong outside them.

    Attributes:
        models: by name, each with its newest version and the holders of its stages read, or with all.
        problems: of ``registry.toml`` and of names that have no place.
    """

    models: tuple[Model, ...]
    problems: tuple[Problem, ...]
