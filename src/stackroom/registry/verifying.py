"""Verification: that every version is as sealed, and that what holds a stage is what was promoted."""

from __future__ import annotations

from collections import deque
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import text_digest
from stackroom.core.metadata import iso
from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.core.values import dataclass
from stackroom.errors import NotFoundError
from stackroom.registry.doubts import Doubt, doubts_about, trace_of_revision
from stackroom.registry.holdings import Stages
from stackroom.store import layout
from stackroom.store.digest import WORTH_A_THREAD, Mapped, Progress, Verification, silent, verify_version
from stackroom.store.mounts import file_system_of
from stackroom.store.readings import Readings
from stackroom.store.scan import CARD_LIMIT, read_card, read_revisions
from stackroom.store.sidebyside import AT_ONCE, processors
from stackroom.store.traces import THE_FOLDER, Trace, strays_with, trace_of, traces_beside, traces_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.core.attested import Who
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Holding, Version
    from stackroom.store.scan import ModelListing, RevisionText

_NAMED: Final = 6
"""Files that a line about a holder names; the rest is in the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """What verifying one version found.

    Attributes:
        ref: which.
        damage: what is not as it was sealed or promoted; names the file, whose it is, when the file system says that
            it changed, and the event that promoted it.
        warnings: what could be changed unnoticed.
        files: how many artifacts were read.
        bytes: of them.
        remembered: those among the bytes that this user has read before, and that were not read now.
        evidence: the files and folders that the damage is about, as the kernel knows them.
    """

    ref: Ref
    damage: tuple[str, ...]
    warnings: tuple[str, ...]
    files: int
    bytes: int
    remembered: int = 0
    evidence: tuple[Trace, ...] = ()

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``verify --json``."""
        return {
            "ref": str(self.ref),
            "ok": not self.damage,
            "damage": list(self.damage),
            "warnings": list(self.warnings),
            "files": self.files,
            "bytes": self.bytes,
            "remembered": self.remembered,
            "evidence": [trace.document() for trace in self.evidence],
        }


def planned(reader: Reader, refs: Sequence[str]) -> tuple[Version, ...]:
    """The versions to verify: those named, all of a named model, or all there are."""
    if not refs:
        return tuple(version for model in reader.models(every_version=True).models for version in model.versions)
    found: dict[str, Version] = {}
    for ref in refs:
        parsed = parse_ref(ref)
        if parsed.kind == "model":
            versions = reader.model(parsed.model).versions
        elif any(str(check.ref) == str(parsed) for check in missing_holders(reader, (parsed.model,))):
            # It is not there, and it should be: that is damage, and told as such.
            continue
        else:
            versions = (reader.version(parsed),)
        found |= {str(version.ref): version for version in versions}
    return tuple(found.values())


def verify(
    reader: Reader,
    versions: Sequence[Version],
    progress: Progress = silent,
    *,
    jobs: int | None = None,
    changed: bool = False,
) -> Iterator[VersionCheck]:
    """Re-read versions, ``jobs`` files at once, in the versions' order; a damaged one never stops the others.

    With ``changed``, a large file that this user has read before is not read again while it looks as it did.

    What is small is read in between, by the thread that also looks after the rest: handing it over takes longer. On a
    network file system everything is handed over, because each file waits for its server.
    """
    local = file_system_of(reader.folder).local
    jobs = (processors() if local else AT_ONCE) if jobs is None else jobs
    with Readings(reader.folder, believed=changed) as readings:
        check = partial(_check, readings=readings, apart=WORTH_A_THREAD if local else 0)
        if jobs == 1:
            for version, look in _looked_at(reader, versions):
                yield check(reader, look, version, progress)
        else:
            yield from _side_by_side(reader, versions, progress, check, jobs)


def _side_by_side(
    reader: Reader, versions: Sequence[Version], progress: Progress, check: partial[VersionCheck], jobs: int
) -> Iterator[VersionCheck]:
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - 8 ms, which others do not wait for

    left = Event()
    apart: int = check.keywords["apart"]

    def watched(amount: int, /) -> None:
        if left.is_set():
            raise _LeftError
        progress(amount)

    # Those who look after a version wait for those who read its files, and do nothing else meanwhile.
    with ThreadPoolExecutor(jobs) as files, ThreadPoolExecutor(jobs) as pool:
        check = partial(check, mapped=files.map)
        waiting: deque[Future[VersionCheck]] = deque()
        try:
            for version, look in _looked_at(reader, versions):
                if version.seal and version.seal.bytes < apart:
                    waiting.append(Future())
                    waiting[-1].set_result(check(reader, look, version, progress))
                else:
                    waiting.append(pool.submit(check, reader, look, version, watched))
                while waiting and (waiting[0].done() or len(waiting) > jobs * 2):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Whoever stops listening, or presses ctrl+c, does not wait for gigabytes that nobody wants any more.
            left.set()
            pool.shutdown(wait=False, cancel_futures=True)
            files.shutdown(wait=False, cancel_futures=True)


class _LeftError(Exception):
    """Ends the reading of a version that nobody waits for any more."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a model's folder, and which of its versions hold what."""

    listing: ModelListing
    holdings: tuple[Holding, ...]


def _looked_at(reader: Reader, versions: Sequence[Version]) -> Iterator[tuple[Version, _Look]]:
    """Every version with a look at its model, which versions of one model that follow each other share."""
    names = {version.model for version in versions}
    with reader.root() as root:
        stages = Stages.read(root, reader.id, reader.stages, names if len(names) == 1 else None)
    look: _Look | None = None
    for version in versions:
        if look is None or look.listing.name != version.model:
            # Listed after the ledgers, so that what an event of theirs names is there.
            with reader.model_folder(version.model) as (_, _, listing):
                look = _Look(listing, stages.holdings(version.model, listing.numbers))
        yield version, look


def missing_holders(reader: Reader, refs: Sequence[str] = ()) -> Iterator[VersionCheck]:
    """A check for every stage that is held by a version whose folder is not there.

    Args:
        reader: the registry.
        refs: models, or versions by number, that are meant; everything without.
    """
    parsed = [parse_ref(ref) for ref in refs]
    names = dict.fromkeys(ref.model for ref in parsed)
    models = [reader.model(name) for name in names] if refs else reader.models(afresh=True).models
    for model in models:
        for holding in model.holdings:
            if not holding.missing or holding.number is None:
                continue
            ref = version_ref(model.name, holding.number)
            if not refs or any(one in {ref, Ref(model.name)} for one in parsed):
                yield _missing(reader, ref, holding)


def _missing(reader: Reader, ref: Ref, holding: Holding) -> VersionCheck:
    """A holder without a folder: who promoted it, whose the model is, and where the folder may have gone."""
    try:
        return _without_folder(reader, ref, holding)
    except NotFoundError:
        message = f"holds {holding.stage}, and the whole model is missing{_promoted_by(holding)}"
        return VersionCheck(ref=ref, damage=(message,), warnings=(), files=0, bytes=0)


def _without_folder(reader: Reader, ref: Ref, holding: Holding) -> VersionCheck:
    digest = holding.event.move.digest if holding.event and holding.event.move else ""
    with reader.model_folder(ref.model) as (_, folder, _listing):
        model = trace_of(THE_FOLDER, folder.status())
        since = holding.event.changed if holding.event else None
        # Another version may have the same artifacts by right, unless it came to its name after the promotion.
        strays = [
            one
            for one in strays_with(folder, digest)
            if layout.model_entry(one.place).kind != "version" or since is None or one.changed > since
        ]
    gone = "".join(
        f"; the same artifacts lie in {layout.MODELS}/{ref.model}/{one.place}, a folder of {one.owner} that changed"
        f" at {iso(one.changed)}"
        for one in strays
    )
    place = f"{layout.MODELS}/{ref.model}"
    message = f"holds {holding.stage}, and its folder is missing{_promoted_by(holding)}; {place} is {model}{gone}"
    return VersionCheck(ref=ref, damage=(message,), warnings=(), files=0, bytes=0, evidence=(model, *strays))


def _promoted_by(holding: Holding) -> str:
    """Which event decides, whose it is and when it was made, as half a sentence."""
    event = holding.event
    if event is None or event.move is None:
        return ""
    return f": {holding.stage}/{event.name} by {event.move.by} promoted it at {iso(event.when)}"


def _check(
    reader: Reader,
    look: _Look,
    version: Version,
    progress: Progress,
    *,
    mapped: Mapped = map,
    apart: int,
    readings: Readings,
) -> VersionCheck:
    damage: list[str] = []
    doubtful: list[str] = []
    named: list[Trace] = []
    found: Verification | None = None
    listing, holdings = look.listing, look.holdings
    with reader.opened_model(version.model) as (_, folder):
        traces: tuple[Trace, ...] = ()
        try:
            with folder.child(str(version.number)) as inside:
                seal = version.seal
                size = seal.bytes if seal else None
                digest = seal.digest if seal else ""
                found = verify_version(
                    inside, digest, progress, mapped=mapped, apart=apart, sealed_bytes=size, readings=readings
                )
                traces = traces_in(inside)
        except OSError as error:
            damage.append(f"the folder cannot be read: {(error.strerror or str(error)).lower()}")
        beside = traces_beside(folder, listing, version.number)
        damage, named = _named(_problems(version, beside), damage + list(found.damage if found else ()), traces)
        if found:
            held = [one for one in holdings if one.number == version.number]
            # Where there is no revision, none contradicts another, and nobody asks what was promoted.
            asked_for = held or listing.revisions.get(version.number)
            chain = read_revisions(folder, listing, version.number) if asked_for else ()
            doubts = doubts_about(reader, version.ref, chain)
            asked = [_Promoted(folder, listing, one, (*traces, *beside)).damage(found, chain) for one in held]
            # What an event pinned and what is there are the same: then no revision makes the holder another one.
            pinned = bool(held) and not any(told for told, _ in asked)
            proven = [doubt for doubt in doubts if not doubt.witness and not pinned]
            doubtful = [_doubted(doubt) for doubt in doubts if doubt not in proven]
            damage += [_doubted(doubt) for doubt in proven]
            named += [trace for doubt in proven for trace in doubt.traces()]
            for holding, (told, since) in zip(held, asked, strict=True):
                damage += told or ([f"it holds {holding.stage}{_promoted_by(holding)}"] if damage else [])
                named += since
    unread = tuple(f"what {one.stage} promoted was not compared: {one.unread}" for one in holdings if one.unread)
    return VersionCheck(
        ref=version.ref,
        damage=tuple(damage),
        warnings=(*(found.warnings if found else ()), *doubtful, *unread),
        files=found.files if found else 0,
        bytes=found.bytes if found else 0,
        remembered=found.remembered if found else 0,
        evidence=tuple(dict.fromkeys(named)) if damage else (),
    )


def _doubted(doubt: Doubt) -> str:
    return f"{doubt.about.name}: {doubt.sentence()} ({doubt.whose()})"


def _problems(version: Version, beside: Sequence[Trace]) -> Iterator[tuple[str, Trace | None]]:
    """What was found wrong when the version was read, with the file beside its folder that it is about."""
    for problem in version.problems:
        if problem.severity == "error":
            place = problem.place.removeprefix(f"{layout.MODELS}/{version.model}/")
            about = next((trace for trace in beside if trace.place == place), None)
            named = about is None or problem.message.startswith(place)
            yield problem.message if named else f"{place}: {problem.message}", about


def _named(
    problems: Iterator[tuple[str, Trace | None]], damage: Sequence[str], traces: Sequence[Trace]
) -> tuple[list[str], list[Trace]]:
    """Every line with whose file it is about, or, where the file is not there, whose folder; and these."""
    told: list[str] = []
    named: list[Trace] = []
    for line, known in (*problems, *((line, None) for line in damage)):
        about = (
            known
            or next((trace for trace in traces if line.startswith(f"{trace.place}:")), None)
            or next(iter(traces), None)
        )
        told.append(f"{line} ({about})" if about else line)
        named += [about] if about else []
    return told, named


@dataclass(frozen=True, slots=True)
class _Promoted:
    """A version that holds a stage, against the event that made it."""

    folder: Folder
    listing: ModelListing
    holding: Holding
    traces: tuple[Trace, ...]

    def damage(self, found: Verification, chain: Sequence[RevisionText]) -> tuple[list[str], list[Trace]]:
        """What of the holder is not what the event pinned, and what changed since the event was made."""
        event = self.holding.event
        move = event.move if event else None
        if event is None or move is None or move.to is None:
            return [], []
        name = f"{self.holding.stage}/{event.name}"
        by = f"by {move.by} at {iso(event.when)}"
        told: list[str] = []
        named: list[Trace] = []
        cards = {
            layout.CARD_FILE,
            *(trace.place for trace in self.traces if trace.place.endswith(".md") and "@" in trace.place),
        }
        if found.digest and move.digest != found.digest:
            since = [trace for trace in self.traces if "@" not in trace.place and trace.changed >= event.changed]
            told.append(
                f"artifacts are {found.digest[:19]}…, and {name} {by} promoted {move.digest[:19]}…{_since(since)}"
            )
            named += since
        if move.metadata not in {revision.digest for revision in chain}:
            since = [
                trace
                for revision in chain
                if (revision.note is None or revision.note.revised <= move.at)
                and (trace := trace_of_revision(revision))
                and trace.changed >= event.changed
            ]
            told.append(f"no metadata revision is the one that {name} promoted, {by}{_since(since)}")
            named += since
        if move.card and move.card not in card_digests(self.folder, self.listing, move.to):
            since = [trace for trace in self.traces if trace.place in cards and trace.changed >= event.changed]
            told.append(f"no card is the one that {name} promoted, {by}{_since(since)}")
            named += since
        return told, named


def _since(traces: Sequence[Trace]) -> str:
    """What changed after the promotion, by owner: the file system's clock dates the event and the files alike."""
    owners: dict[Who, list[Trace]] = {}
    for trace in traces:
        owners.setdefault(trace.owner, []).append(trace)
    parts: list[str] = []
    for owner, own in owners.items():
        shown = ["the folder itself" if one.place == THE_FOLDER else one.place for one in own]
        some = ", ".join(shown[:_NAMED]) + (f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else "")
        parts.append(f"{some} of {owner}, the last at {iso(max(one.changed for one in own))}")
    return f"; changed since: {'; '.join(parts)}" if parts else ""


def card_digests(folder: Folder, listing: ModelListing, number: int) -> set[str]:
    """The digests of every card that a version has or had."""
    digests: set[str] = set()
    for revision in listing.card_revisions.get(number, ()):
        try:
            digests.add(text_digest(folder.read(layout.card_name(number, revision), CARD_LIMIT)))
        except OSError:
            continue
    try:
        with folder.child(str(number)) as inside:
            digests.add(text_digest(inside.read(layout.CARD_FILE, CARD_LIMIT)))
    except OSError:
        pass
    try:
        current = read_card(folder, listing, number)
    except OSError:
        current = None
    return digests | ({text_digest(current)} if current is not None else set())
