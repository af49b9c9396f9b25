"""Reading models and versions: directories become records, and one bad file never hides another.

The unit is a model's folder: one listing says which versions, labels and revisions there are (:func:`list_model`),
and only what is asked for is then opened (:func:`read_version`). A failure becomes a
:class:`~stackroom.store.records.Problem` on the row it belongs to. Nothing here writes.
"""

from __future__ import annotations

import contextlib
import errno
import stat
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stackroom.core.attested import Who, text_digest
from stackroom.core.metadata import Record, note_of, record_in, seal_of
from stackroom.core.names import ModelName, is_model_name
from stackroom.core.toml import METADATA_LIMIT, line_of, parse_toml
from stackroom.core.values import dataclass, field, replace
from stackroom.errors import InvalidInputError
from stackroom.store import layout
from stackroom.store.access import user_name
from stackroom.store.folder import GONE, Folder, changed_at
from stackroom.store.records import Problem, Version

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from stackroom.core.metadata import RevisionNote, Seal
    from stackroom.core.names import Label

CARD_LIMIT = 1024 * 1024
"""Bytes of a model card that are read; a longer one is somebody's mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelListing:
    """What one look at a model's folder tells, without opening anything in it.

    Attributes:
        name: of the model.
        path: its folder.
        owner: its owner (uid).
        mode: its permission bits.
        numbers: of its versions, ascending.
        metadata: for a version's number, or None for the model's own, the highest metadata revision.
        cards: the same for cards.
        card_revisions: for the same keys, all card revisions, ascending.
        revisions: for the same keys, all metadata revisions, ascending.
        labels: for a version's number, its labels.
        tombstones: the numbers that have a tombstone, whatever it is worth.
        trash: for a number, the folders that a delete left, ascending.
        purging: for a number, the folders whose bytes are being freed, ascending.
        highest: the highest number ever used; the next version is called one more.
        temporary: the names of unfinished versions.
        squatted: names of revisions under which lies no file: no revision can have that number.
        problems: what has no place here.
    """

    name: ModelName
    path: str
    owner: int
    mode: int
    numbers: tuple[int, ...] = ()
    metadata: Mapping[int | None, int] = field(default_factory=dict)
    cards: Mapping[int | None, int] = field(default_factory=dict)
    revisions: Mapping[int | None, tuple[int, ...]] = field(default_factory=dict)
    card_revisions: Mapping[int | None, tuple[int, ...]] = field(default_factory=dict)
    labels: Mapping[int, tuple[Label, ...]] = field(default_factory=dict)
    tombstones: frozenset[int] = frozenset()
    trash: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    purging: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    highest: int = 0
    temporary: tuple[str, ...] = ()
    squatted: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    @property
    def removed(self) -> tuple[int, ...]:
        """The numbers whose versions are not here and were deleted, in whatever state that is, ascending."""
        return tuple(sorted({*self.tombstones, *self.trash, *self.purging} - {*self.numbers}))


def list_models(models: Folder) -> tuple[list[ModelName], list[Problem]]:
    """The names of all models, sorted, and what else lies in ``models/``."""
    names: list[ModelName] = []
    problems: list[Problem] = []
    for entry in models.entries():
        if entry.name.startswith("."):
            continue
        if is_model_name(entry.name) and entry.is_dir(follow_symlinks=False):
            names.append(ModelName(entry.name))
        else:
            problems.append(_foreign(f"{layout.MODELS}/{entry.name}", entry))
    return sorted(names), problems


def _foreign(place: str, entry: os.DirEntry[str]) -> Problem:
    kind = "symlink" if entry.is_symlink() else "folder" if entry.is_dir(follow_symlinks=False) else "file"
    return Problem(
        place=place, message=f"foreign {kind}: no rule of the format allows this name here", severity="warning"
    )


class _Sorter:
    """Sorts the entries of a model's folder into the fields of its listing."""

    def __init__(self, folder: Folder, name: ModelName) -> None:
        self._folder = folder
        self._place = f"{layout.MODELS}/{name}"
        self.numbers: list[int] = []
        self.revisions: dict[int | None, list[int]] = {}
        self.cards: dict[int | None, list[int]] = {}
        self.labels: dict[int, list[Label]] = {}
        self.used: set[int] = set()
        self.tombstones: set[int] = set()
        self.trash: dict[int, list[str]] = {}
        self.purging: dict[int, list[str]] = {}
        self.temporary: list[str] = []
        self.squatted: set[str] = set()
        self.problems: list[Problem] = []

    def take(self, entry: os.DirEntry[str]) -> None:
        """Put one entry where it belongs."""
        known = layout.model_entry(entry.name)
        if known.number is not None:
            # Also what is broken or foreign but carries a number uses it up: it is never given again.
            self.used.add(known.number)
        match known.kind:
            case "version" if known.number is not None and entry.is_dir(follow_symlinks=False):
                self.numbers.append(known.number)
            case "metadata" if _is_file(entry):
                self.revisions.setdefault(known.number, []).append(known.revision)
            case "card" if _is_file(entry):
                self.cards.setdefault(known.number, []).append(known.revision)
            case "label" if entry.is_symlink() and (number := self._labelled(entry.name)) is not None:
                self.labels.setdefault(number, []).append(layout.label_of(known))
                self.used.add(number)
            case "tombstone" if known.number is not None and entry.is_symlink():
                self.tombstones.add(known.number)
            case "trash" | "purge" if known.number is not None and entry.is_dir(follow_symlinks=False):
                pile = self.trash if known.kind == "trash" else self.purging
                pile.setdefault(known.number, []).append(entry.name)
            case "hidden":
                pass
            case "temporary":
                self.temporary.append(entry.name)
            case _:
                self._leave(entry, known)

    def _leave(self, entry: os.DirEntry[str], known: layout.ModelEntry) -> None:
        if known.revision:
            self.squatted.add(entry.name)
        self.problems.append(_foreign(f"{self._place}/{entry.name}", entry))

    def out_of_place(self) -> Iterator[Problem]:
        """What the names tell of each other: labels of versions that never were here, folders that nobody deleted."""
        known = {*self.numbers}
        removed = {*self.tombstones, *self.trash, *self.purging}
        for number in sorted(self.labels.keys() - known - removed):
            for label in self.labels[number]:
                yield Problem(place=f"{self._place}/{label}", message=f"label of version {number}, which is not here")
        model = self._place.rpartition("/")[2]
        for number in sorted(self.trash):
            for name in self.trash[number]:
                if number in known or len(self.trash[number]) > 1:
                    message = f"in the trash, and there is another version {number}"
                    yield Problem(place=f"{self._place}/{name}", message=message, severity="warning")
                elif number not in self.tombstones:
                    message = f"version {number} is in the trash without a tombstone"
                    hint = f"stackroom restore {model}:{number} brings it back"
                    yield Problem(place=f"{self._place}/{name}", message=message, severity="warning", hint=hint)

    def _labelled(self, name: str) -> int | None:
        try:
            return layout.parse_label_text(self._folder.read_link(name))
        except OSError:
            return None


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def list_model(folder: Folder, name: ModelName) -> ModelListing:
    """One look at a model's folder.

    Raises:
        OSError: it cannot be listed.
    """
    sorter = _Sorter(folder, name)
    for entry in folder.entries():
        sorter.take(entry)
    status = folder.status()
    problems = [*sorter.problems, *sorter.out_of_place()]
    return ModelListing(
        name=name,
        path=folder.path,
        owner=status.st_uid,
        mode=stat.S_IMODE(status.st_mode),
        numbers=tuple(sorted(sorter.numbers)),
        metadata={number: max(found) for number, found in sorter.revisions.items()},
        cards={number: max(found) for number, found in sorter.cards.items()},
        revisions={number: tuple(sorted(found)) for number, found in sorter.revisions.items()},
        card_revisions={number: tuple(sorted(found)) for number, found in sorter.cards.items()},
        labels={number: tuple(sorted(found)) for number, found in sorter.labels.items()},
        tombstones=frozenset(sorter.tombstones),
        trash={number: tuple(sorted(found)) for number, found in sorter.trash.items()},
        purging={number: tuple(sorted(found)) for number, found in sorter.purging.items()},
        highest=max(sorter.used, default=0),
        temporary=tuple(sorted(sorter.temporary)),
        squatted=frozenset(sorter.squatted),
        problems=tuple(sorted(problems, key=lambda problem: problem.place)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a metadata file's text says.

    Attributes:
        record: the editable part; None where the text is broken.
        seal: of a ``version.toml``.
        note: of a revision.
        error: why the text says nothing.
    """

    record: Record | None
    seal: Seal | None = None
    note: RevisionNote | None = None
    error: InvalidInputError | None = None


@lru_cache(maxsize=4096)
def understood(text: bytes, name: str) -> Understood:
    """What the text of a file of that name says; cached by the text itself, because a sealed file never changes."""
    sealed = name == layout.VERSION_FILE
    try:
        document = parse_toml(text, where=name)
        record = record_in(document)
        if sealed:
            return Understood(record=record, seal=seal_of(document))
        return Understood(record=record, note=note_of(document))
    except InvalidInputError as error:
        line = None
        if "line" not in error.facts and "key" in error.facts:
            line = line_of(text.decode(errors="replace"), tuple(str(error.facts["key"]).split(".")))
        placed = (
            f"{name}:{line}: {error}" if line else str(error) if str(error).startswith(name) else f"{name}: {error}"
        )
        return Understood(record=None, error=InvalidInputError(placed, hint=error.hint, facts=error.facts))


def os_problem(place: str, error: OSError, folder: Folder | None = None) -> Problem:
    """What the operating system said, as a problem; with owner and mode where it refused."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        whose = ""
        if folder is not None:
            try:
                status = folder.lstat(place.rpartition("/")[2])
                mode = f"{stat.S_IMODE(status.st_mode):04o}"
                whose = f" (owner {user_name(status.st_uid) or status.st_uid}, mode {mode})"
            except OSError:
                pass
        return Problem(place=place, message=f"no permission to read it{whose}")
    if error.errno in GONE:
        return Problem(place=place, message="gone: somebody changed it meanwhile")
    if error.errno in {errno.EINVAL, errno.ELOOP}:
        return Problem(place=place, message="not a regular file")
    return Problem(place=place, message=(error.strerror or str(error)).lower())


def read_version(folder: Folder, listing: ModelListing, number: int) -> Version:
    """A version's record, whatever state it is in.

    Cost: three to five system calls and, for a text not seen before, one parse of about 0.3 ms.
    """
    place = f"{layout.MODELS}/{listing.name}/{number}"
    marked = _marked(listing, number)
    known: dict[str, Any] = {
        "model": listing.name,
        "number": number,
        "folder": f"{listing.path}/{number}",
        "labels": listing.labels.get(number, ()),
    }
    try:
        with folder.child(str(number)) as inside:
            owner = inside.status().st_uid
            version = Version(
                owner=Who(owner, user_name(owner)),
                card_revision=card_revision(inside, listing, number),
                **known,
                **_sealed(inside, listing, place, marked),
            )
    except OSError as error:
        whose = Who(listing.owner)
        with contextlib.suppress(OSError):
            # Whoever closed it, or squats the number, and not the maker of the model.
            owner = folder.lstat(str(number)).st_uid
            whose = Who(owner, user_name(owner))
        return Version(owner=whose, problems=(*marked, os_problem(place, error, folder)), **known)
    return _with_revisions(version, folder, listing) if number in listing.revisions else version


def may_name_parents(folder: Folder, listing: ModelListing, number: int) -> bool:
    """Whether a version's metadata may name parents, told from its text alone; yes where that is not certain."""
    if listing.revisions.get(number):
        return True
    try:
        with folder.child(str(number)) as inside:
            text = inside.read(layout.VERSION_FILE, METADATA_LIMIT)
    except OSError:
        return True
    # With an escape in it a key may be spelled in other letters.
    return b"parents" in text or b"\\" in text


def _marked(listing: ModelListing, number: int) -> tuple[Problem, ...]:
    """That a tombstone lies beside a version that is here: it takes nothing away, and somebody began or planted it."""
    if number not in listing.tombstones:
        return ()
    return (
        Problem(
            place=f"{layout.MODELS}/{listing.name}/{layout.tombstone_name(number)}",
            message=f"version {number} has a tombstone, and is here all the same",
            severity="warning",
            hint=f"stackroom list {listing.name} --deleted says whose it is",
        ),
    )


def _sealed(inside: Folder, listing: ModelListing, place: str, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """The fields that ``version.toml`` tells, and what is wrong with it beside what is known to be."""
    try:
        text = inside.read(layout.VERSION_FILE, METADATA_LIMIT)
    except OSError as error:
        missing = error.errno == errno.ENOENT
        problem = os_problem(f"{place}/{layout.VERSION_FILE}", error, inside)
        if missing:
            problem = replace(problem, message="missing: this folder was not registered")
        return {"registered": not missing, "problems": (*problems, problem)}
    parsed = understood(text, layout.VERSION_FILE)
    if parsed.error:
        problems += (Problem(place=place, message=str(parsed.error), hint=parsed.error.hint),)
    elif parsed.seal and parsed.seal.model != listing.name:
        message = f"registered for model {parsed.seal.model!r}, and lies in {listing.name!r}"
        problems += (Problem(place=place, message=message),)
    return {
        "seal": parsed.seal,
        "record": parsed.record or Record(),
        "metadata_digest": text_digest(text),
        "problems": problems,
    }


def card_revision(inside: Folder, listing: ModelListing, number: int) -> int:
    """The number of a version's current card, as :attr:`Version.card_revision`, seen from its folder."""
    revision = listing.cards.get(number)
    if revision is not None:
        return revision
    try:
        return 0 if stat.S_ISREG(inside.lstat(layout.CARD_FILE).st_mode) else -1
    except OSError:
        return -1


def _with_revisions(version: Version, folder: Folder, listing: ModelListing) -> Version:
    """The version with its current metadata: the highest revision, or the next lower one that can be read, flagged."""
    current = True
    for revision in reversed(listing.revisions.get(version.number, ())):
        name = layout.metadata_name(version.number, revision)
        place = f"{layout.MODELS}/{listing.name}/{name}"
        try:
            text = folder.read(name, METADATA_LIMIT)
        except OSError as error:
            version = replace(version, problems=(*version.problems, os_problem(place, error, folder)))
            continue
        if current:
            version = replace(version, metadata_digest=text_digest(text))
            current = False
        parsed = understood(text, name)
        if parsed.record is not None:
            return replace(version, record=parsed.record, note=parsed.note, revision=revision)
        hint = f"an older revision is shown instead; the next mends it: stackroom edit {version.ref} --set FIELD=VALUE"
        problem = Problem(place=place, message=str(parsed.error), hint=hint)
        version = replace(version, problems=(*version.problems, problem))
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionText:
    """One revision of a version's or model's metadata; number 0 is ``version.toml``.

    Attributes:
        number: of the revision.
        name: of the file, below the model's folder.
        text: its content; empty where it could not be read.
        digest: of the text.
        record: what it says; None where it is broken.
        note: what it says about itself; None for number 0.
        owner: of the file, which is the evidence for who wrote it.
        changed: when the file system says that the file changed; None where it could not be read.
        names: how many the file has: with more than one it may be something else of its owner's, linked in.
        problem: what is wrong with it, or None.
    """

    number: int
    name: str
    text: bytes
    digest: str
    record: Record | None
    note: RevisionNote | None
    owner: Who
    changed: datetime | None = None
    names: int = 1
    problem: Problem | None = None


def read_revisions(folder: Folder, listing: ModelListing, number: int | None) -> tuple[RevisionText, ...]:
    """The whole chain of a version's (or, with None, the model's own) metadata, oldest first."""
    names = [] if number is None else [(0, f"{number}/{layout.VERSION_FILE}")]
    names += [(revision, layout.metadata_name(number, revision)) for revision in listing.revisions.get(number, ())]
    return tuple(_read_revision(folder, listing, revision, name) for revision, name in names)


def _read_revision(folder: Folder, listing: ModelListing, revision: int, name: str) -> RevisionText:
    place = f"{layout.MODELS}/{listing.name}/{name}"
    try:
        if revision == 0:
            with folder.child(name.partition("/")[0]) as inside:
                text, owner = inside.read(layout.VERSION_FILE, METADATA_LIMIT), inside.status().st_uid
                status = inside.lstat(layout.VERSION_FILE)
        else:
            text, status = folder.read(name, METADATA_LIMIT), folder.lstat(name)
            owner = status.st_uid
    except OSError as error:
        return RevisionText(
            number=revision,
            name=name,
            text=b"",
            digest="",
            record=None,
            note=None,
            owner=_owner_of(folder, name, listing),
            problem=os_problem(place, error, folder),
        )
    parsed = understood(text, name.rpartition("/")[2])
    return RevisionText(
        number=revision,
        name=name,
        text=text,
        digest=text_digest(text),
        record=parsed.record,
        note=parsed.note,
        owner=Who(owner, user_name(owner)),
        changed=changed_at(status),
        names=status.st_nlink if revision else 1,
        problem=Problem(place=place, message=str(parsed.error)) if parsed.error else None,
    )


def _owner_of(folder: Folder, name: str, listing: ModelListing) -> Who:
    """Whose a revision is that cannot be read; of ``version.toml`` the owner of the version's folder."""
    try:
        uid = folder.lstat(name.partition("/")[0]).st_uid
    except OSError:
        return Who(listing.owner)
    return Who(uid, user_name(uid))


def read_card(folder: Folder, listing: ModelListing, number: int | None) -> bytes | None:
    """The current card's text: the highest revision, or the version's README.md; None where there is none.

    Raises:
        OSError: there is one, and it cannot be read.
    """
    revision = listing.cards.get(number)
    if revision is not None:
        return folder.read(layout.card_name(number, revision), CARD_LIMIT)
    if number is None:
        return None
    with folder.child(str(number)) as inside:
        try:
            return inside.read(layout.CARD_FILE, CARD_LIMIT)
        except FileNotFoundError:
            return None


def model_record(folder: Folder, listing: ModelListing) -> tuple[Record, int, tuple[Problem, ...]]:
    """The model's own metadata, its revision number (0: none), and what is wrong with it."""
    problems: list[Problem] = []
    for revision in reversed(read_revisions(folder, listing, None)):
        if revision.problem:
            problems.append(revision.problem)
        if revision.record is not None:
            return revision.record, revision.number, tuple(problems)
    return Record(), 0, tuple(problems)
