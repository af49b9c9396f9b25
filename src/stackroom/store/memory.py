"""What this user saw of a registry, kept outside of it: the newest event of each ledger, and what has vanished since.

One small JSON file for each registry and place, in the user's own state folder. It is a memory, and no truth: a file
that is garbage, belongs to somebody else or cannot be written is as good as none, and nobody is told. Two processes
that write at once do not wait for each other: each merges what it finds, writes a whole file, and renames it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import EVENT_LIMIT
from stackroom.core.ledger import prev_of
from stackroom.core.metadata import as_utc, iso
from stackroom.core.names import is_model_name, is_stage_name, parse_number
from stackroom.core.sha256 import sha256
from stackroom.core.values import dataclass, field
from stackroom.store.folder import Folder
from stackroom.store.stamps import stamp_of
from stackroom.store.userhome import check_own, check_own_way, state_folder
from stackroom.store.uuids import uuid4

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_FORMAT: Final = 1
_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of a memory that is read: some 6,000 ledgers with the longest texts."""

_HEADS_LIMIT: Final = 5000
"""Ledgers that are remembered, those seen last first."""

_VANISHED_LIMIT: Final = 200
"""Events that are remembered although they vanished, until somebody says that this is known."""

_SEEN: Final = "seen"
"""How the file beside a memory ends that says of which folders everything is in it."""

_MARK_LIMIT: Final = 64 * 1024
"""Bytes of that file: a hundred for each stage."""

_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest event of a ledger that counts, as it was seen.

    Attributes:
        number: of the event.
        text: its text.
        seen: when, by this host's clock.
    """

    number: int
    text: str
    seen: datetime

    @property
    def digest(self) -> str:
        """Of the text, as the next event's ``prev`` would say it."""
        return prev_of(self.text)

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"number": self.number, "digest": self.digest, "text": self.text, "seen": iso(self.seen)}


Place = tuple[str, str]
"""A stage and a model: whose ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was seen of a registry.

    Attributes:
        heads: the newest event of each ledger.
        vanished: events that were gone, or had another text, when somebody looked again.
    """

    heads: Mapping[Place, Head] = field(default_factory=dict)
    vanished: Mapping[Place, tuple[Head, ...]] = field(default_factory=dict)


def recall(registry: str | os.PathLike[str], registry_id: str, models: Collection[str] = ()) -> Memory:
    """What this user remembers of a registry at a place; nothing where the file is missing or not to be trusted.

    Args:
        registry: its path.
        registry_id: what its ``registry.toml`` says.
        models: of which to; of all where none is named.
    """
    try:
        with _opened() as folder:
            return _recalled(folder, _name(registry, registry_id), models)
    except (OSError, ValueError, RecursionError):
        return Memory()


def memorize(registry: str | os.PathLike[str], registry_id: str, memory: Memory, *, forget: bool = False) -> None:
    """Keep what was seen, merged with what another process has kept meanwhile; says nothing where that fails.

    Args:
        registry: its path.
        registry_id: what its ``registry.toml`` says.
        memory: what to keep.
        forget: keep just that, and nothing that is remembered already.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError), _opened(make=True) as folder:
        name = _name(registry, registry_id)
        known = Memory() if forget else _or_nothing(folder, name)
        merged = _merged(known, memory)
        if merged == known and not forget:
            return
        _replace(folder, name, _text(merged, registry, registry_id).encode())


def mark_of(registry: str | os.PathLike[str], registry_id: str, seen: str) -> str:
    """What :func:`note` keeps: that this was seen, and the memory is as it is now; empty where there is no memory."""
    try:
        with _opened() as folder:
            return f"{seen} {stamp_of(folder.lstat(_name(registry, registry_id)))}\n"
    except (OSError, ValueError):
        return ""


def is_noted(registry: str | os.PathLike[str], registry_id: str, mark: str) -> bool:
    """Whether this very mark was noted."""
    try:
        with _opened() as folder:
            return folder.read(_name(registry, registry_id, _SEEN), _MARK_LIMIT) == mark.encode()
    except (OSError, ValueError):
        return False


def note(registry: str | os.PathLike[str], registry_id: str, mark: str) -> None:
    """Keep a mark, in the place of the one before; says nothing where that fails."""
    with contextlib.suppress(OSError, ValueError), _opened(make=True) as folder:
        _replace(folder, _name(registry, registry_id, _SEEN), mark.encode())


def _replace(folder: Folder, name: str, content: bytes) -> None:
    temporary = f".tmp-{uuid4()}"
    folder.create(temporary, content, 0o600)
    try:
        folder.rename(temporary, name)
    except BaseException:
        folder.unlink(temporary)
        raise


def _merged(one: Memory, other: Memory) -> Memory:
    heads = dict(one.heads)
    for place, head in other.heads.items():
        known = heads.get(place)
        # The higher number stays, whoever writes last: it is gone from memory only when somebody says so. Seen again
        # on the same day is not written again, so that reading costs no writing.
        newer = known is None or (head.number, head.seen.date()) > (known.number, known.seen.date())
        if newer or (known and head.number == known.number and head.text != known.text and head.seen >= known.seen):
            heads[place] = head
    vanished: dict[Place, tuple[Head, ...]] = dict(one.vanished)
    for place, found in other.vanished.items():
        known_texts = {head.text for head in vanished.get(place, ())}
        vanished[place] = (*vanished.get(place, ()), *(head for head in found if head.text not in known_texts))
    return Memory(heads=heads, vanished=vanished)


def _name(registry: str | os.PathLike[str], registry_id: str, suffix: str = "json") -> str:
    """Another registry at the same place, or the same at another, is another memory."""
    known = registry_id if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", registry_id) else _short(registry_id)
    return f"{known}-{_short(os.path.realpath(registry))}.{suffix}"


def _short(text: str) -> str:
    return sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


@contextlib.contextmanager
def _opened(*, make: bool = False) -> Iterator[Folder]:
    """The folder of the memories, if it is the user's own and nobody else can write to it.

    Raises:
        OSError: it is not, or cannot be opened or made.
    """
    path = os.path.join(state_folder(), "heads")
    check_own_way(path)
    if make and not os.path.isdir(path):
        check_own(path)
        os.makedirs(path, mode=_FOLDER_MODE, exist_ok=True)
        os.chmod(path, _FOLDER_MODE)
    with Folder.open(path) as folder:
        status = folder.status()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(path)
        yield folder


def _or_nothing(folder: Folder, name: str) -> Memory:
    try:
        return _recalled(folder, name)
    except (OSError, ValueError, RecursionError):
        return Memory()


def _recalled(folder: Folder, name: str, models: Collection[str] = ()) -> Memory:
    status = folder.lstat(name)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(name)
    import json  # noqa: PLC0415 - only where something is remembered

    document = json.loads(folder.read(name, _LIMIT))
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(name)
    return Memory(
        heads={place: head for place, value in _told(document, "heads", models) if (head := _head(value))},
        vanished={
            place: tuple(head for one in value if (head := _head(one)))
            for place, value in _told(document, "vanished", models)
            if isinstance(value, list)
        },
    )


def _told(document: dict[str, Any], key: str, models: Collection[str]) -> Iterator[tuple[Place, Any]]:
    """What a table of the file says of some models or of all."""
    table = document.get(key)
    for name, value in table.items() if isinstance(table, dict) else ():
        if (not models or name.partition("/")[2] in models) and (place := _place(name)):
            yield place, value


def _place(key: str) -> Place | None:
    stage, _, model = key.partition("/")
    return (stage, model) if is_stage_name(stage) and is_model_name(model) else None


def _head(value: object) -> Head | None:
    """One remembered event, or None for anything that this program would not have written."""
    if not isinstance(value, dict):
        return None
    number, text, seen = value.get("number"), value.get("text"), value.get("seen")
    if isinstance(number, bool) or not isinstance(number, int) or parse_number(str(number)) is None:
        return None
    if not isinstance(text, str) or not text or len(text) > EVENT_LIMIT or not isinstance(seen, str):
        return None
    try:
        head = Head(number=number, text=text, seen=as_utc(datetime.fromisoformat(seen)))
        return head if value.get("digest") == head.digest else None
    except (ValueError, OverflowError):
        return None


def _text(memory: Memory, registry: str | os.PathLike[str], registry_id: str) -> str:
    newest = sorted(memory.heads.items(), key=lambda item: item[1].seen, reverse=True)[:_HEADS_LIMIT]
    vanished = sorted(
        ((place, head) for place, heads in memory.vanished.items() for head in heads),
        key=lambda item: item[1].seen,
        reverse=True,
    )[:_VANISHED_LIMIT]
    gone: dict[str, list[dict[str, Any]]] = {}
    for place, head in vanished:
        gone.setdefault("/".join(place), []).append(head.document())
    document = {
        "format": _FORMAT,
        "registry": registry_id,
        "path": os.fspath(registry),
        "heads": {"/".join(place): head.document() for place, head in sorted(newest)},
        "vanished": dict(sorted(gone.items())),
    }
    import json  # noqa: PLC0415 - as in reading it

    return json.dumps(document)
