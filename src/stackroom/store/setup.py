"""Making a registry: the tree, its owners and modes, and a ``registry.toml`` to start from.

Modes are set explicitly, whatever the umask, and read back: the kernel clears setgid without a word for somebody who is
not in the group. ``registry.toml`` comes last and at once, so that an interrupted init has made no registry, and the
next one goes on where it ended.
"""

from __future__ import annotations

import contextlib
import grp
import os
import shlex
import stat
from itertools import groupby
from typing import TYPE_CHECKING, Final

from stackroom.core.toml import format_toml
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, InvalidInputError, PermissionDeniedError
from stackroom.store import layout
from stackroom.store.access import access_to, current_user, group_members, group_name, user_name
from stackroom.store.folder import GONE, Folder, explained
from stackroom.store.registry_file import read_registry_file
from stackroom.store.survey import Difference, differences, shut_out, survey
from stackroom.store.tree import Found, Plan, Row, expected, look, mode_text, place
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from stackroom.core.names import StageName

DEFAULT_STAGES: Final = ("staging", "production")


def parse_group(text: str) -> int:
    """A group's number from its name or number.

    Raises:
        InvalidInputError: this host knows no such group.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise InvalidInputError(f"there is no group {text!r} on this host", hint="getent group lists them") from None


# --- a registry that is there already


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A registry that is there already, beside what was asked for.

    Attributes:
        stages: what its ``registry.toml`` declares.
        steward: the login or uid of its owner.
        tree: as it is.
        differences: from what was asked for; where nothing was, from what it says itself.
    """

    stages: tuple[StageName, ...]
    steward: str
    tree: tuple[Found, ...]
    differences: tuple[Difference, ...]

    def commands(self) -> tuple[str, ...]:
        """Everything that would put it right, each once."""
        return tuple(dict.fromkeys(command for one in self.differences for command in one.commands))


def compare(plan: Plan, *, asked: bool = True) -> Comparison | None:
    """How a registry that is there departs from a plan; None where there is none. Nothing is changed.

    Args:
        plan: what was asked for.
        asked: whether anything was: else the registry is held against itself alone.

    Raises:
        PermissionDeniedError: it cannot be looked at.
    """
    try:
        with Folder.open(plan.path) as root:
            if layout.REGISTRY_FILE not in root.names():
                return None
            file = read_registry_file(root)
            found = survey(root, file.stages)
            own = differences(root, plan, file.stages) if asked else found.differences
            if file.error:
                wrong = Difference(kind="policy", path=layout.REGISTRY_FILE, message=f"is wrong: {file.error}")
                own = (wrong, *own)
            return Comparison(
                stages=file.stages,
                steward=user_name(found.steward) or str(found.steward),
                tree=found.found,
                differences=own,
            )
    except OSError as error:
        if error.errno in GONE:
            return None
        raise explained(error, "look at", plan.path) from error


# --- a new one


def make_registry(plan: Plan, now: datetime) -> tuple[Found, ...]:
    """Make the tree and ``registry.toml``, or what an interrupted init left out.

    Raises:
        ConflictError: it is a registry already.
        InvalidInputError: something else lies there.
        PermissionDeniedError: the caller is not in a group that it should give folders to.
    """
    check_plan(plan)
    try:
        os.makedirs(plan.path, exist_ok=True)
        with Folder.open(plan.path) as root:
            _check_free(root, plan)
            made = [_make(root, row) for row in expected(plan) if not row.file]
            _publish(root, _registry_text(plan, now))
            return (*made, *(found for found in [look(root, layout.REGISTRY_FILE)] if found))
    except OSError as error:
        raise explained(error, "make a registry in", plan.path) from error


def check_plan(plan: Plan) -> None:
    """Whether the plan can be carried out, as far as can be told without making anything; errors as above."""
    _check_readers(plan)
    present: Mapping[str, Found] = {}
    try:
        with Folder.open(plan.path) as root:
            _check_free(root, plan)
            places = ((row.path, look(root, row.path)) for row in expected(plan))
            present = {path: found for path, found in places if found}
            _check_owner(plan, present[""])
    except FileNotFoundError:
        pass
    except OSError as error:
        raise explained(error, "make a registry in", plan.path) from error
    _check_groups(plan, present)
    if not present:
        _check_parent(plan)


def _check_owner(plan: Plan, root: Found) -> None:
    if root.uid == os.geteuid():
        return
    owner, you = user_name(root.uid) or str(root.uid), current_user().label
    raise PermissionDeniedError(
        f"{plan.path} belongs to {owner}, and you are {you}: a registry's folder belongs to its steward",
        hint=f"run this as {owner}; or as an administrator: chown {shlex.quote(you)} {place(plan.path, '')}",
        facts={"path": plan.path, "owner": owner},
    )


def _check_parent(plan: Plan) -> None:
    """Whether the folder can be made at all; also where nothing is to be made yet."""
    above = os.path.dirname(os.path.abspath(plan.path))
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    access = access_to(above)
    if access.allowed:
        return
    where, you = place(plan.path, ""), current_user().label
    raise PermissionDeniedError(
        f"you may not make {plan.path}: {access.seen()}, and you are {you}",
        hint=f"as an administrator: (umask 022; mkdir -p {where}) && chown {shlex.quote(you)} {where}; "
        "then run this again",
        facts=access.document(),
    )


def _check_free(root: Folder, plan: Plan) -> None:
    """Whether there is nothing yet but what an init of one's own that was interrupted has made."""
    present = root.names()
    if layout.REGISTRY_FILE in present:
        raise ConflictError(
            f"{root.path} is a registry already",
            hint=f"open it with: stackroom {root.path}",
            facts={"path": root.path},
        )
    own = {row.path for row in expected(plan) if not row.file}
    foreign = sorted(_not_of_init(root, "", own))
    if foreign:
        raise InvalidInputError(
            f"{root.path} is not empty, and a registry needs a folder of its own",
            hint="name a new folder",
            facts={"path": root.path, "found": foreign[:5]},
        )


def _is_left_over(name: str) -> bool:
    return layout.model_entry(name).kind == "temporary"


def _not_of_init(folder: Folder, path: str, own: set[str]) -> Iterable[str]:
    """What lies there that an init of the caller's would not have made: anything but its own empty folders."""
    for entry in list(folder.entries()):
        inside = f"{path}{entry.name}"
        mine = entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        if not path and _is_left_over(entry.name) and mine and entry.is_file(follow_symlinks=False):
            continue
        if inside not in own or not mine or not entry.is_dir(follow_symlinks=False):
            yield inside
            continue
        with folder.child(entry.name) as deeper:
            yield from _not_of_init(deeper, f"{inside}/", own)


def _check_groups(plan: Plan, present: Mapping[str, Found]) -> None:
    mine = {os.getegid(), *os.getgroups()}
    if os.geteuid() == 0 or set(plan.groups()) <= mine:
        return
    # What an administrator has made already needs no membership any more.
    lacking = [
        row
        for row in expected(plan)
        if row.gid is not None and row.gid not in mine and not _as_asked(row, present.get(row.path))
    ]
    if not lacking:
        return
    groups = [group_name(gid) for gid in dict.fromkeys(row.gid for row in lacking if row.gid is not None)]
    you = current_user().label
    add = f"usermod -aG {','.join(shlex.quote(group) for group in groups)} {shlex.quote(you)}"
    raise PermissionDeniedError(
        f"you are not in {', '.join(groups)}, and only a member can give folders to a group; nothing was made",
        hint=f"as an administrator: {add}; then log in again. Or let him make those folders once, and run this again",
        facts={
            "groups": groups,
            "recipes": [
                {"what": f"an administrator adds {you} to the groups, and {you} logs in again", "commands": [add]},
                {
                    "what": "or an administrator makes those folders once, on the host that holds them",
                    "commands": list(_recipe(plan, lacking, present)),
                },
            ],
        },
    )


def _as_asked(row: Row, found: Found | None) -> bool:
    return found is not None and found.folder and found.gid == row.gid and found.mode == row.mode


def _recipe(plan: Plan, lacking: Sequence[Row], present: Mapping[str, Found]) -> tuple[str, ...]:
    """What root runs to make some folders and those above them; ``chgrp`` may clear setgid, so ``chmod`` is last."""
    wanted = {row.path for row in lacking}
    above = {"", *(row.parent for row in lacking)}
    rows = [row for row in expected(plan) if row.path in wanted | above]
    rows = [row for row in rows if row.path in wanted or row.path not in present]
    new = [row for row in rows if row.path not in present]
    commands = []
    if new:
        paths = _places(plan.path, new)
        # The folders above are nobody's affair but have to let the steward through.
        commands = [f"(umask 022; mkdir -p {paths})", f"chown -h {shlex.quote(current_user().label)} {paths}"]
    given = sorted((row for row in rows if row.gid is not None), key=lambda row: row.gid or 0)
    for gid, rows_of in groupby(given, key=lambda row: row.gid):
        some = tuple(rows_of)
        # The registry itself may be reached by a symlink; what lies in it may not.
        itself = "-h " if all(row.path for row in some) else ""
        commands.append(f"chgrp {itself}{shlex.quote(group_name(gid or 0))} {_places(plan.path, some)}")
    for mode, alike in groupby(sorted(rows, key=mode_text), key=mode_text):
        commands.append(f"chmod {mode} {_places(plan.path, alike)}")
    return tuple(commands)


def _places(root: str, rows: Iterable[Row]) -> str:
    return " ".join(place(root, row.path) for row in rows)


def _check_readers(plan: Plan) -> None:
    for gid, people in shut_out(plan):
        raise InvalidInputError(
            f"{', '.join(people)} of group {group_name(gid)} could not read the registry: "
            f"not in {group_name(plan.readers or 0)}",
            hint="the readers' group must hold every author, reviewer, releaser and monitor",
            facts={"group": group_name(gid), "outside": list(people)},
        )


def unchecked(plan: Plan) -> tuple[str, ...]:
    """The groups whose members this host does not know, where the plan depends on who they are."""
    if plan.readers is None:
        return ()
    return tuple(group_name(gid) for gid in plan.groups() if not group_members(gid))


def _make(root: Folder, row: Row) -> Found:
    """One folder of the tree, made or brought to its group and mode, as read back."""
    if row.path:
        with root.child(row.parent or ".") as parent:
            name = row.path.rpartition("/")[2]
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent.fd)
            with parent.child(name) as folder:
                _set(folder, row)
    else:
        _set(root, row)
    found = look(root, row.path)
    if found is None:
        raise ConflictError(f"{root.path}/{row.path} was taken away while the registry was made")
    return found


def _set(folder: Folder, row: Row) -> None:
    before = folder.status()
    if before.st_uid != os.geteuid():
        owner, you = user_name(before.st_uid) or str(before.st_uid), current_user().label
        raise PermissionDeniedError(
            f"{folder.path}: you are {you}, and the file system made it {owner}'s: root is squashed, or ids are mapped",
            hint="run this as an ordinary account that the file server knows",
            facts={"path": folder.path, "owner": owner},
        )
    # What is right already is left alone: a steward outside the group could not set it, and chmod would clear setgid.
    if row.gid is not None and before.st_gid != row.gid:
        os.fchown(folder.fd, -1, row.gid)
    elif row.gid is None and row.path and before.st_gid != os.getegid():
        # Else it has the group of the folder above or of an administrator, and looks as if it were shared with that. A
        # file system that keeps no groups is no reason to make no registry for one person.
        with contextlib.suppress(OSError):
            os.fchown(folder.fd, -1, os.getegid())
    if stat.S_IMODE(folder.status().st_mode) != row.mode:
        os.fchmod(folder.fd, row.mode)
    status = folder.status()
    if stat.S_IMODE(status.st_mode) != row.mode or (row.gid is not None and status.st_gid != row.gid):
        raise PermissionDeniedError(
            f"{folder.path}: asked for group {row.gid} and mode {row.mode:o}, and the file system made it "
            f"{status.st_gid} and {stat.S_IMODE(status.st_mode):o}",
            hint="this file system does not keep groups or setgid as asked; choose another, or leave the groups out",
        )
    folder.sync()


def _publish(root: Folder, text: str) -> None:
    """Write ``registry.toml`` as a whole: half of one would be a registry that nobody can open."""
    temporary = layout.temporary_name(os.geteuid(), uuid4())
    # Those of an init that was killed right here go, too.
    doomed = [temporary, *filter(_is_left_over, root.names())]
    root.create(temporary, text.encode(), 0o644)
    try:
        root.link(temporary, layout.REGISTRY_FILE)
    finally:
        for name in doomed:
            with contextlib.suppress(OSError):
                root.unlink(name)
    root.sync()


def _registry_text(plan: Plan, now: datetime) -> str:
    """A registry.toml to start from: what was asked for, one guard, and examples to uncomment."""
    # A folder's name may be bytes that are no text.
    name = (plan.name or os.path.basename(os.path.abspath(plan.path))).encode(errors="replace").decode()
    head = format_toml({"format": 1, "id": uuid4(), "name": name, "created": now.replace(microsecond=0)})
    lines = [head, _EXAMPLES]
    before: StageName | None = None
    for stage in plan.stages:
        lines.append(f'[stages."{stage}"]' if "." in stage else f"[stages.{stage}]")
        if before and stage == list(plan.stages)[-1]:
            lines.append(f'guards = {{ from = ["{before}"] }}  # only what holds or has held {before}')
        lines.append("")
        before = stage
    return "\n".join(lines)


_EXAMPLES: Final = """\
# Say which way a metric is better, and comparisons know who wins:
# [metrics.auc]
# better = "higher"
# [metrics.latency_ms]
# better = "lower"
# unit = "ms"

# A move into a stage must meet its guards:
# [stages.production.guards]
# from = ["staging"]                              # holds or has held one of these
# require = ["description", "card", "license"]    # must be there
# verify = true                                   # re-read every byte
# metrics = ["auc >= 0.90", "latency_ms <= 20"]
# not_worse = { auc = 0.005, latency_ms = "5%" }  # than the present holder
# same_datasets = "test"                          # measured on the same data as the holder
# four_eyes = true                                # the author does not move it
# approvals = 1                                   # `stackroom approve`, by somebody else than the author
# soak_hours = 24                                 # has held staging for a day
# reason = true                                   # asks for --reason
# command = ["checks/audit", "{path}"]            # a program of yours, here in the registry, ends with 0
"""
