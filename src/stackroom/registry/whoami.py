"""Who the caller is in a registry, and what the kernel would probably let him do there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from stackroom.core.values import dataclass
from stackroom.store import layout
from stackroom.store.access import access_to, access_to_models, group_name
from stackroom.store.attested import access_to_stage
from stackroom.store.mounts import file_system_of
from stackroom.store.scan import list_models

if TYPE_CHECKING:
    from stackroom.core.attested import Who
    from stackroom.core.names import ModelName
    from stackroom.registry.reading import Reader
    from stackroom.store.access import Access
    from stackroom.store.mounts import FileSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """One thing that somebody may or may not do.

    Attributes:
        doing: what, in words.
        access: what the directory answers.
        allowed: whether he may; in a registry of one person also where the directory is still to be made.
    """

    doing: str
    access: Access
    allowed: bool

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"doing": self.doing, "allowed": self.allowed, "directory": self.access.directory}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller, as this host knows him.

    Attributes:
        who: uid and login.
        groups: gids and names, the primary one first.
        steward: whether he owns the registry.
        owner: who does.
        may: what he may do, as far as can be told here.
        models: how many models he may add versions to, and how many there are.
        system: the file system under the registry.
        read_only: that nobody can change anything from this host, and why; or empty.
    """

    who: Who
    groups: tuple[tuple[int, str], ...]
    steward: bool
    owner: Who
    may: tuple[May, ...]
    models: tuple[int, int]
    system: FileSystem
    read_only: str = ""

    def document(self) -> dict[str, Any]:
        """In JSON's types; the ``you`` of ``doctor --json``."""
        return {
            "uid": self.who.uid,
            "name": self.who.name,
            "groups": [{"gid": gid, "name": name} for gid, name in self.groups],
            "steward": self.steward,
            "owner": {"uid": self.owner.uid, "name": self.owner.name},
            "may": [one.document() for one in self.may],
            "models": {"writable": self.models[0], "all": self.models[1]},
            "file_system": {
                "type": self.system.type,
                "mount_point": self.system.mount_point,
                "options": sorted(self.system.options),
            },
        }


def whoami(reader: Reader) -> Caller:
    """Who the caller is, and what he may do; predictions, as those of :mod:`stackroom.store.access` are."""
    path = reader.path
    root = access_to(str(path))
    primary = os.getegid()
    gids = (primary, *sorted(set(os.getgroups()) - {primary}))
    found = [("make models", access_to_models(str(path)))]
    for doing, parent in (("move into", layout.STAGES), ("approve for", layout.APPROVALS)):
        found += [(f"{doing} {stage}", access_to_stage(str(path), parent, stage)) for stage in reader.stages]
    found += [("record observations", access_to(f"{path}/{layout.OBSERVATIONS}"))]
    models = _models(reader)
    steward = root.owner.uid == reader.who.uid
    may = [
        May(doing=doing, access=access, allowed=access.allowed or (not access.exists and steward and root.allowed))
        for doing, access in found
    ]
    return Caller(
        who=reader.who,
        groups=tuple((gid, group_name(gid)) for gid in gids),
        steward=steward,
        owner=root.owner,
        may=tuple(may),
        models=(sum(access_to(f"{path}/{layout.MODELS}/{name}").allowed for name in models), len(models)),
        system=file_system_of(str(path)),
        read_only=root.reason if root.exists else "",
    )


def _models(reader: Reader) -> list[ModelName]:
    try:
        with reader.root() as root, root.child(layout.MODELS) as models:
            return list_models(models)[0]
    except OSError:
        # Missing or closed: there is no model that he could add a version to.
        return []
