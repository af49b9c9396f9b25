"""Making models, registering versions, and labelling them."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING, Any

from stackroom.core.admission import check_new
from stackroom.core.metadata import (
    Record,
    RevisionNote,
    document_of,
    note_document,
)
from stackroom.core.names import Label, ModelName, Ref, parse_label, parse_model_name, similarity_key
from stackroom.core.toml import format_toml
from stackroom.core.values import dataclass, field, replace
from stackroom.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from stackroom.registry.editing import card_bytes
from stackroom.registry.reading import may_write
from stackroom.store import layout
from stackroom.store.access import access_to, access_to_models, current_user, owner_of, refused
from stackroom.store.digest import Progress, silent
from stackroom.store.folder import explained
from stackroom.store.provenance import provenance
from stackroom.store.publish import Draft, make_model, publish
from stackroom.store.revise import add_label, leave_hint
from stackroom.store.scan import CARD_LIMIT, list_models
from stackroom.store.sources import SourceFile, gather, prospective_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Literal

    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What to register.

    Attributes:
        sources: files and directories; a directory's contents land in the version's folder itself.
        record: the metadata, without what the environment knows.
        card: the text of the model card, or None.
        label: one more name for it, or None.
        move: take the files away from where they are.
        follow: copy what symlinks point at.
        if_exists: what to do where a version with the very same artifacts exists.
        dry_run: check everything, and write nothing.
        progress: is told about the bytes.
    """

    sources: Sequence[str | Path]
    record: Record = field(default_factory=Record)
    card: str | None = None
    label: str | None = None
    move: bool = False
    follow: bool = False
    if_exists: Literal["skip", "fail"] | None = None
    dry_run: bool = False
    progress: Progress = silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What came of it.

    Attributes:
        ref: the version; with ``dry_run`` the model.
        made: whether it was published now; False where it existed already, and with ``dry_run``.
        path: its folder.
        files: how many artifacts.
        bytes: of them.
        new_model: whether the model was made for it.
    """

    ref: Ref
    made: bool
    path: str
    files: int
    bytes: int
    new_model: bool = False

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``register --json``."""
        return {
            "ref": str(self.ref),
            "model": self.ref.model,
            "version": self.ref.number,
            "made": self.made,
            "path": self.path,
            "files": self.files,
            "bytes": self.bytes,
            "new_model": self.new_model,
        }


def check_name(reader: Reader, name: ModelName) -> None:
    """Whether the registry's own pattern and its present models allow a new model of that name.

    Raises:
        InvalidInputError: they do not; names the rule or the neighbour.
    """
    check_name_among(reader, name, ())
    with reader.root() as root:
        try:
            with root.child(layout.MODELS) as models:
                known = list_models(models)[0]
        except OSError:
            return
    check_name_among(reader, name, known)


def check_name_among(reader: Reader, name: ModelName, known: Iterable[str]) -> None:
    """The same, among models that are known already: touches no disk, so that it can be asked for each key.

    Raises:
        InvalidInputError: as :func:`check_name`.
    """
    pattern = reader.policy.pattern
    if pattern and not pattern.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} does not fit this registry's names: {pattern.pattern}",
            hint="[names] pattern in registry.toml says so",
            facts={"name": name, "pattern": pattern.pattern},
        )
    for other in known:
        if other != name and similarity_key(other) == similarity_key(name):
            raise InvalidInputError(
                f"{name!r} is too similar to the model {other!r}: they differ in '-', '_' and '.' alone",
                hint=f"use {other}, or a name that nobody takes for it",
                facts={"name": name, "similar": other},
            )


def new_model(
    reader: Reader, model: str, record: Record, *, steward_owned: bool = False, dry_run: bool = False
) -> ModelName:
    """Make a model.

    Args:
        reader: the registry.
        model: its name.
        record: its metadata.
        steward_owned: its folder shall belong to the steward, which only the steward can bring about.
        dry_run: check, and write nothing.

    Raises:
        ConflictError: it is there already.
        InvalidInputError: the name or the metadata is not allowed.
        PermissionDeniedError: the kernel refuses.
    """
    name = parse_model_name(model)
    check_name(reader, name)
    check_new(record)
    if steward_owned:
        _check_steward(reader, name, record)
    if dry_run:
        _may_make_models(reader, name, record)
        with reader.root() as root:
            made = not (root.has(layout.MODELS) and _has_model(reader, name))
    else:
        made = _make(reader, name, record, "new")
    if not made:
        raise ConflictError(f"the model {name} is there already", hint=f"stackroom list {name}", facts={"model": name})
    return name


def _has_model(reader: Reader, name: ModelName) -> bool:
    with reader.root() as root, root.child(layout.MODELS) as models:
        return models.has(name)


def _check_steward(reader: Reader, name: ModelName, record: Record) -> None:
    with reader.root() as root:
        steward = owner_of(root)
    you = current_user()
    if steward.uid != you.uid:
        raise PermissionDeniedError(
            f"you are {you.label}, and only {steward.label}, the steward, can make a model that belongs to the "
            "steward: the kernel gives a folder to whoever makes it",
            hint=f"send {steward.label}: {_steward_command(reader, name, record)}",
            facts={"model": name, "owner": str(steward)},
        )


def _steward_command(reader: Reader, name: ModelName, record: Record) -> str:
    """What the steward runs to make a model as somebody else wanted it."""
    said = [("--description", record.description), ("--team", record.team), *(("--tag", tag) for tag in record.tags)]
    options = [word for option, value in said if value for word in (option, value)]
    return shlex.join(["stackroom", "-R", str(reader.path), "new", name, "--steward-owned", *options])


def _may_make_models(reader: Reader, name: ModelName, record: Record) -> None:
    """Say no where the caller could not make a name in ``models/``; in a strict registry only the steward can.

    Raises:
        PermissionDeniedError: as far as this host can tell, the kernel would refuse.
    """
    access = access_to_models(str(reader.path))
    if not access.exists:
        access = access_to(str(reader.path))
    if access.allowed:
        return
    refusal = access.refusal(f"make the model {name}", you=reader.who)
    if access.group_may or access.reason:
        raise refusal
    steward = access.owner.label
    raise PermissionDeniedError(
        f"{refusal}: only the steward makes models here",
        hint=f"send {steward}: {_steward_command(reader, name, record)}",
        facts=refusal.facts,
    )


def _models(root: Folder) -> Folder:
    """The folder of the models, made where it is missing.

    Raises:
        RegistryError: it cannot be made, or is no folder.
    """
    try:
        try:
            return root.child(layout.MODELS)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                root.make_folder(layout.MODELS, root.status().st_mode & 0o777)
            return root.child(layout.MODELS)
    except OSError as error:
        place = f"{root.path}/{layout.MODELS}"
        refusal = refused(error, root.path, f"make {place}")
        raise refusal or explained(error, "use", place) from error


def _make(reader: Reader, name: ModelName, record: Record, op: str) -> bool:
    now = reader.clock()
    note = RevisionNote(revised=now, revised_by=str(reader.who), reason=op)
    text = format_toml(note_document(note) | document_of(record))
    with reader.root() as root:
        with _models(root) as models:
            try:
                made = make_model(models, name, text)
            except PermissionDeniedError:
                # The kernel has spoken; who could, and how, is said where that can be told.
                _may_make_models(reader, name, record)
                raise
        if made:
            leave_hint(root, name, op, name, now)
    return made


def register(reader: Reader, model: str, registration: Registration) -> Registered:
    """Publish a version; makes the model where it is missing.

    Raises:
        InvalidInputError: a name, a source or the metadata is not allowed.
        ConflictError: with ``if_exists="fail"``, or where the label is another version's.
        PermissionDeniedError: the kernel refuses.
    """
    name = parse_model_name(model)
    label = parse_label(registration.label) if registration.label is not None else None
    card = card_bytes(registration.card) if registration.card is not None else None
    check_new(registration.record)
    files = gather([str(source) for source in registration.sources], follow=registration.follow)
    _check_card_size(files, card)
    if card is not None and any(file.target == layout.CARD_FILE for file in files):
        raise InvalidInputError(
            f"two sources with one name: the card, and {layout.CARD_FILE} among the sources",
            hint=f"leave the card out: {layout.CARD_FILE} is the card",
        )
    known = _model_is_there(reader, name)
    if not known:
        check_name(reader, name)
    elif registration.if_exists and (same := _same_artifacts(reader, name, files, registration)):
        return _existing(reader, same, registration, label)
    if known and label is not None:
        _label_is_free(reader, name, label)
    if registration.dry_run:
        return _only_checked(reader, name, files, known=known)
    made = not known and _make(reader, name, Record(author=reader.who.label), "register")
    record = registration.record
    record = replace(record, author=record.author or reader.who.label, source={**provenance(), **record.source})
    with reader.opened_model(name) as (root, folder):
        draft = Draft(model=name, record=record, created=reader.clock(), files=files, card=card, move=registration.move)
        published = publish(folder, draft, registration.progress)
        ref = Ref(name, "number", str(published.number))
        leave_hint(root, name, "register", str(ref), draft.created)
        if label is not None:
            _label_new(folder, ref, published.number, label)
        return Registered(
            ref=ref,
            made=True,
            path=f"{folder.path}/{published.number}",
            files=published.seal.files,
            bytes=published.seal.bytes,
            new_model=made,
        )


def _check_card_size(files: Sequence[SourceFile], card: bytes | None) -> None:
    """A longer card could be registered and never be read: the version could not even be promoted."""
    sizes = [file.size for file in files if file.target == layout.CARD_FILE]
    size = max([*sizes, len(card) if card is not None else 0])
    if size > CARD_LIMIT:
        raise InvalidInputError(
            f"the card ({layout.CARD_FILE}) takes {size:,} bytes, and a card holds at most {CARD_LIMIT:,}",
            hint="keep pictures and tables in files of their own",
        )


def _label_new(folder: Folder, ref: Ref, number: int, label: Label) -> None:
    try:
        add_label(folder, number, label)
    except ConflictError as error:
        # It was free when the register began: the version is published all the same, and must not be published again.
        message = f"{ref} is published, and has no label: {error}"
        raise ConflictError(
            message, hint=f"stackroom label {ref} NAME", facts={**error.facts, "ref": str(ref)}
        ) from None


def _model_is_there(reader: Reader, name: ModelName) -> bool:
    try:
        with reader.opened_model(name):
            return True
    except NotFoundError:
        return False


def _only_checked(reader: Reader, name: ModelName, files: Sequence[SourceFile], *, known: bool) -> Registered:
    directory = f"{reader.path}/{layout.MODELS}/{name}"
    if known:
        access = access_to(directory)
        if not access.allowed:
            raise access.refusal(f"register a version of {name}", you=reader.who)
    else:
        _may_make_models(reader, name, Record())
    return Registered(
        ref=Ref(name),
        made=False,
        path=directory,
        files=len(files),
        bytes=sum(file.size for file in files),
        new_model=not known,
    )


def _label_is_free(reader: Reader, name: ModelName, label: Label) -> None:
    with reader.model_folder(name) as (_, _folder, listing):
        for number, labels in listing.labels.items():
            if label in labels:
                raise ConflictError(
                    f"the label {label} belongs to version {number} already",
                    hint="labels do not move; choose another, or use a stage",
                    facts={"label": label, "version": str(number)},
                )


def _same_artifacts(
    reader: Reader, name: ModelName, files: Sequence[SourceFile], registration: Registration
) -> Version | None:
    """The newest version whose artifacts are the very same files, by digest."""
    card = registration.card.encode() if registration.card is not None else None
    digest = prospective_digest(files, card, registration.progress)
    for version in reversed(reader.model(name).versions):
        if version.seal and version.seal.digest == digest:
            return version
    return None


def _existing(reader: Reader, version: Version, registration: Registration, label: Label | None) -> Registered:
    if registration.if_exists == "fail":
        raise ConflictError(
            f"{version.ref} has the very same artifacts",
            hint="add --if-exists skip to accept it",
            facts={"ref": str(version.ref)},
        )
    if label is not None and label not in version.labels and not registration.dry_run:
        label_version(reader, version.ref, label)
    return Registered(
        ref=version.ref,
        made=False,
        path=version.folder,
        files=version.seal.files if version.seal else 0,
        bytes=version.seal.bytes if version.seal else 0,
    )


def label_version(reader: Reader, ref: str | Ref, label: str, *, dry_run: bool = False) -> tuple[Version, bool]:
    """Give a version one more name; returns it, and whether the name is new.

    Raises:
        ConflictError: the label is another version's.
        PermissionDeniedError: the kernel refuses.
    """
    name = parse_label(label)
    version = reader.version(ref)
    if dry_run:
        if name not in version.labels:
            _label_is_free(reader, version.model, name)
            may_write(reader, version.model, f"make the label {name}")
        return version, name not in version.labels
    with reader.model_folder(version.model) as (root, folder, _listing):
        made = add_label(folder, version.number, name)
        if made:
            leave_hint(root, version.model, "label", str(version.ref), reader.clock())
    return version, made
