"""``registry.toml``, the folders of the tree, and names in the root that have no place there."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.findings import Finding
from stackroom.core.observations import parse_file_name
from stackroom.core.show import count
from stackroom.registry.examination.tour import foreign, who
from stackroom.store import layout
from stackroom.store.observations import read_observations
from stackroom.store.programs import why_not_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stackroom.core.policy import Stage
    from stackroom.registry.examination.tour import Tour
    from stackroom.store.observations import ObservedFile
    from stackroom.store.sights import Sight
    from stackroom.store.survey import Difference, Survey
    from stackroom.store.tree import Found, Row

_KINDS: Final = {
    "missing": "folder-missing",
    "not-a-folder": "folder-replaced",
    "unreadable": "unreadable",
    "owner": "folder-owner",
    "group": "folder-group",
    "world-writable": "folder-open",
    "not-sticky": "folder-open",
    "group-writable": "folder-open",
    "no-setgid": "folder-mode",
    "mode": "folder-mode",
    "stage-stray": "stage-undeclared",
}
"""The tree's kinds of differences as kinds of findings; the two that are missing need a plan to differ from."""

_FILE_KINDS: Final = {
    "owner": "registry-file-owner",
    "world-writable": "registry-file-writable",
    "group-writable": "registry-file-writable",
}

_WRITERS: Final = stat.S_IWGRP | stat.S_IWOTH

_ROOT_NAMES: Final = frozenset(
    {
        layout.REGISTRY_FILE,
        layout.MODELS,
        layout.STAGES,
        layout.LIVE,
        layout.APPROVALS,
        layout.OBSERVATIONS,
        layout.FEED,
    }
)


def examine_folders(tour: Tour, survey: Survey) -> Iterator[Finding]:
    """The registry's file and the folders that ``init`` makes."""
    error = tour.reader.policy_error
    if error:
        yield Finding(
            kind="registry-file-wrong", place=layout.REGISTRY_FILE, message=str(error), owner=who(tour.steward)
        )
    programs = tuple(sorted({stage.guards.command.words for stage in _policy(tour) if stage.guards.command}))
    # A guard's program has its place below the root; what else is in that folder is the steward's affair, too.
    own = {word.partition("/")[0] for words in programs for word in words}
    for sight in tour.seen(tour.root, ""):
        if sight.name not in _ROOT_NAMES | own and not sight.name.startswith("."):
            yield foreign(sight)
    yield from _programs(tour, programs)
    for difference in survey.differences:
        finding = _of(tour, survey, difference)
        if finding:
            yield finding


def _policy(tour: Tour) -> tuple[Stage, ...]:
    return () if tour.reader.policy_error else tuple(tour.reader.policy.stages)


def _programs(tour: Tour, programs: Iterable[tuple[str, ...]]) -> Iterator[Finding]:
    for words in programs:
        why, advice = why_not_run(tour.root, words)
        if why:
            place = layout.REGISTRY_FILE if words[0].startswith("/") else words[0]
            message = f"{why}; {advice}" if advice else why
            yield Finding(kind="guard-program", place=place, message=message, owner=who(tour.steward))


def _of(tour: Tour, survey: Survey, difference: Difference) -> Finding | None:
    file = difference.path == layout.REGISTRY_FILE
    kind = (_FILE_KINDS if file else {}).get(difference.kind) or _KINDS.get(difference.kind)
    if kind is None:
        return None
    row = next((one for one in survey.rows if one.path == difference.path), None)
    found = next((one for one in survey.found if one.path == difference.path), None)
    owner = found.uid if found else tour.steward
    # A stage's group that nobody can know is for the steward to name.
    known = row is not None and not any(command.startswith("chgrp -h GROUP ") for command in difference.commands)
    may = tour.may_change(owner) and (difference.by == "steward" or tour.me == 0)
    mends = bool(difference.commands) and known and may and not _widens(survey, row, found)
    return Finding(
        kind=kind,
        place=difference.path,
        message=difference.message,
        owner=who(owner),
        command=" && ".join(difference.commands),
        fixable=mends and kind not in {"folder-owner", "registry-file-owner"},
        mode=row.mode if row else None,
        group=row.gid if row else None,
    )


def _widens(survey: Survey, row: Row | None, found: Found | None) -> bool:
    """Whether a group could write afterwards that cannot now: nobody but a person says which that shall be.

    The pointers of a stage are for those who may write its ledger: they decide nothing that the ledger does not.
    """
    if row is None or not row.mode & _WRITERS:
        return False
    same = found is not None and (row.gid is None or found.gid == row.gid)
    if same and found is not None and not row.mode & ~found.mode & _WRITERS:
        return False
    parent, _, stage = row.path.partition("/")
    ledger = next((one for one in survey.found if one.path == f"{layout.STAGES}/{stage}"), None)
    says = ledger is not None and ledger.gid == row.gid and ledger.mode & _WRITERS == stat.S_IWGRP
    return not (parent == layout.LIVE and says)


def examine_feed(tour: Tour) -> Iterator[Finding]:
    """The hints: only names, because nothing is decided by them."""
    for sight in _names(tour, layout.FEED):
        if isinstance(sight, Finding):
            yield sight
        elif not (sight.is_symlink and layout.parse_feed_name(sight.name) is not None):
            yield foreign(sight)


def examine_observations(tour: Tour) -> Iterator[Finding]:
    """What production measured: whose files they are, and whether they can be understood."""
    known = False
    for sight in _names(tour, layout.OBSERVATIONS):
        if isinstance(sight, Finding):
            yield sight
        elif sight.is_file and parse_file_name(sight.name) is not None:
            known = True
        else:
            yield foreign(sight)
    if not known:
        return
    reading = read_observations(tour.root, lambda _name: True)
    for file in reading.files:
        yield from _observed_file(tour, file)
    for problem in reading.problems:
        # What is no file was told by its name above.
        if problem.severity == "error":
            yield Finding(kind="unreadable", place=problem.place, message=problem.message)


def _observed_file(tour: Tour, file: ObservedFile) -> Iterator[Finding]:
    place, owner = file.place, file.owner
    if not file.validity.counts:
        said = f"says uid {file.name.uid}, and its owner is {owner}"
        yield Finding(kind="observation-forged", place=place, message=said, owner=owner)
    if file.mode & _WRITERS:
        command = f"chmod 644 {tour.path(place)}" if tour.me == owner.uid else ""
        message = f"mode {file.mode:04o}"
        yield Finding(kind="observation-open", place=place, message=message, owner=owner, command=command)
    if file.broken:
        message = f"{count(file.broken, 'line')} cannot be understood, the first is line {file.first_broken}"
        message += f" after byte {file.unread:,}" if file.unread else ""
        yield Finding(kind="observation-broken", place=place, message=message, owner=owner)


def _names(tour: Tour, place: str) -> Iterator[Sight | Finding]:
    """What lies in a folder of the root, without hidden names; that it cannot be listed is a finding."""
    try:
        with tour.root.child(place) as folder:
            sights = tour.seen(folder, place)
    except FileNotFoundError:
        return
    except OSError as error:
        yield tour.unreadable(place, error, tour.root)
        return
    yield from (sight for sight in sights if not sight.name.startswith("."))
