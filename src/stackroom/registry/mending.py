"""``doctor --fix``: puts right what the caller may, says what it did, and leaves all evidence alone.

Modes of what the caller owns, folders of the tree that are missing, one's own left-overs and the pointers below
``live/`` are mended. Events, approvals, tombstones, texts of revisions, artifacts, ``version.toml`` and foreign files
are never written or removed, and no version is deleted: who meant what cannot be told from what lies there. Every step
is judged again on what is open, so a second run finds nothing to do, and something that was swapped meanwhile is left
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.core.names import ModelName, StageName
from stackroom.core.values import dataclass
from stackroom.errors import RegistryError
from stackroom.store import layout
from stackroom.store.folder import explained
from stackroom.store.ledgers import project
from stackroom.store.mending import close_file, make_folder, remove_left_over, seal, set_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stackroom.core.findings import Finding
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder

_WRITERS: Final = 0o022
_ALL_BUT_READ: Final = 0o7777 & ~layout.SEALED_FILE_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of one finding.

    Attributes:
        finding: which.
        done: whether it was put right (or, in a dry run, would be).
        message: what was done, or why nothing was.
    """

    finding: Finding
    done: bool
    message: str

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``doctor --fix --json``."""
        return {"kind": self.finding.kind, "place": self.finding.place, "done": self.done, "message": self.message}


def fix(reader: Reader, findings: Iterable[Finding], *, dry_run: bool = False) -> Iterator[Repair]:
    """Put right what can be put right of some findings; those that the caller may not mend are passed over.

    Args:
        reader: the registry.
        findings: as an examination found them.
        dry_run: say what would be done, and do nothing.
    """
    with reader.root() as root:
        for finding in findings:
            mend = _MENDS.get(finding.kind)
            if mend is None or not finding.fixable:
                continue
            words = _words(finding)
            if dry_run:
                yield Repair(finding=finding, done=True, message=f"would {words}")
                continue
            try:
                mend(reader, root, finding)
                yield Repair(finding=finding, done=True, message=_past(words))
            except OSError as error:
                said = explained(error, words, finding.place)
                yield Repair(finding=finding, done=False, message=str(said))
            except (RegistryError, RecursionError) as error:
                yield Repair(finding=finding, done=False, message=str(error))


def _words(finding: Finding) -> str:
    """What mending does, as an imperative."""
    match finding.kind:
        case "live-behind":
            return "bring the pointer in step with the ledger"
        case "temporary-stale":
            return "remove the left-over"
        case "folder-missing":
            return f"make the folder with mode {finding.mode or 0:04o}"
        case "sealed-writable" | "registry-file-writable":
            return "take the write permission away"
        case _:
            return f"set the mode to {finding.mode or 0:04o}" + (
                f" and the group to {finding.group}" if finding.kind == "folder-group" else ""
            )


_PAST: Final = {
    "bring": "brought",
    "remove": "removed",
    "make": "made",
    "take": "took",
    "set": "set",
}


def _past(words: str) -> str:
    verb, _, rest = words.partition(" ")
    return f"{_PAST[verb]} {rest}"


def _owner(finding: Finding) -> int:
    return finding.owner.uid if finding.owner else -1


def _set_folder(_reader: Reader, root: Folder, finding: Finding) -> None:
    set_folder(root, finding.place, _owner(finding), mode=finding.mode or 0, group=finding.group)


def _make_folder(_reader: Reader, root: Folder, finding: Finding) -> None:
    make_folder(root, finding.place, mode=finding.mode or 0, group=finding.group)


def _close_registry_file(_reader: Reader, root: Folder, finding: Finding) -> None:
    close_file(root, finding.place, _owner(finding), without=_WRITERS)


def _seal(_reader: Reader, root: Folder, finding: Finding) -> None:
    parent, _, name = finding.place.rpartition("/")
    if layout.model_entry(name).kind == "version" and parent.count("/") == 1:
        seal(root, finding.place, _owner(finding))
    else:
        close_file(root, finding.place, _owner(finding), without=_ALL_BUT_READ)


def _remove(_reader: Reader, root: Folder, finding: Finding) -> None:
    steward = root.status().st_uid
    remove_left_over(root, finding.place, trusted=steward, before=finding.changed or 0.0)


def _project(reader: Reader, root: Folder, finding: Finding) -> None:
    _, stage, model = finding.place.split("/")
    project(root, reader.id, StageName(stage), ModelName(model))


_MENDS: Final[dict[str, Callable[[Reader, Folder, Finding], None]]] = {
    "registry-file-writable": _close_registry_file,
    "folder-missing": _make_folder,
    "folder-mode": _set_folder,
    "folder-group": _set_folder,
    "folder-open": _set_folder,
    "temporary-stale": _remove,
    "sealed-writable": _seal,
    "live-behind": _project,
}
"""How each kind is put right."""
