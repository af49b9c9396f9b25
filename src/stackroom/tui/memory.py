"""What the interface remembers of a registry between two runs, and the views that were saved.

What is read back is untrusted, like everything else on a disk that is shared: it is bounded, each part that is not what
it should be is left out, and what remains is only ever shown as text and looked up, never obeyed.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.settings import SavedView, is_name
from stackroom.errors import InvalidInputError, NotFoundError, RegistryError
from stackroom.store.userhome import forget_state, read_state, state_names, write_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackroom.registry.reading import Reader

HISTORY: Final = 50
"""Commands that are remembered."""

_TEXT_LIMIT: Final = 1000
"""Characters of a remembered text."""

_NAMES_LIMIT: Final = 64
"""Names in a remembered list."""

_REGISTRIES: Final = "registries"
_VIEWS: Final = "views"
_SUFFIX: Final = ".json"

_LEAVE_SECONDS: Final = 0.3
"""For what is remembered to reach the disk when the program ends; a home that hangs must not hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMemory:
    """How one list was shown.

    Attributes:
        sort: the column, or empty.
        descending: which way.
        filter: what was typed.
    """

    sort: str = ""
    descending: bool = False
    filter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Where somebody was.

    Attributes:
        pane: which list had the keys: ``models`` or ``versions``.
        model: whose versions were shown, or empty.
        version: under the cursor, or empty.
        models: how the models were shown.
        versions: how the versions were shown.
        preview: shown, hidden, or as the size has it.
        zoom: whether one pane was shown alone.
        archived: whether the archived ones were shown.
        metrics: the metrics that are shown, in their order; none for all.
        history: of commands, the oldest first.
    """

    pane: str = "models"
    model: str = ""
    version: str = ""
    models: ListMemory = field(default_factory=ListMemory)
    versions: ListMemory = field(default_factory=ListMemory)
    preview: bool | None = None
    zoom: bool = False
    archived: bool = False
    metrics: tuple[str, ...] = ()
    history: tuple[str, ...] = ()


def memory_of(content: bytes | None) -> Memory:
    """What was remembered; what is no memory is none."""
    document = _document(content)
    preview = document.get("preview")
    return Memory(
        pane="versions" if document.get("pane") == "versions" else "models",
        model=_text(document, "model"),
        version=_text(document, "version"),
        models=_list_memory(document.get("models")),
        versions=_list_memory(document.get("versions")),
        preview=preview if isinstance(preview, bool) else None,
        zoom=document.get("zoom") is True,
        archived=document.get("archived") is True,
        metrics=_texts(document, "metrics")[:_NAMES_LIMIT],
        history=_texts(document, "history")[-HISTORY:],
    )


def _document(content: bytes | None) -> Mapping[str, Any]:
    try:
        document = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _list_memory(value: object) -> ListMemory:
    table = value if isinstance(value, dict) else {}
    return ListMemory(
        sort=_text(table, "sort"), descending=table.get("descending") is True, filter=_text(table, "filter")
    )


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) and _is_text(value) else ""


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    return tuple(text for text in value if _is_text(text)) if isinstance(value, list) else ()


def _is_text(value: object) -> bool:
    """Short, of one line, and possible in a file: what nobody could have typed is left out."""
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        return False
    return value.isprintable() and value.encode(errors="replace").decode() == value


class Keeper:
    """Reads and writes what is remembered of one registry; of every one in a file of its own.

    Args:
        registry: whose.
    """

    def __init__(self, registry: Reader) -> None:
        name = f"{registry.id}\0{registry.path}".encode(errors="surrogateescape")
        self._file = f"{hashlib.sha256(name).hexdigest()[:32]}{_SUFFIX}"
        self._memory: Memory | None = None
        self._thread: threading.Thread | None = None

    def read(self) -> Memory:
        """What is remembered; touches the disk."""
        return memory_of(read_state(_REGISTRIES, self._file))

    def write(self, memory: Memory, *, wait: bool = True) -> None:
        """Remember it; whether the disk takes it is nobody's trouble.

        Args:
            memory: what is remembered now; nothing is written where it was before.
            wait: for the disk, for a moment: the program is about to end. Else what is still being written goes first,
                and this call is without effect.
        """
        before = self._thread
        if before is not None and before.is_alive():
            before.join(_LEAVE_SECONDS if wait else 0)
        if memory == self._memory or (before is not None and before.is_alive()):
            return
        self._memory = memory
        content = json.dumps(asdict(memory)).encode()

        def work() -> None:
            try:
                write_state(content, _REGISTRIES, self._file)
            except OSError:
                # A home that cannot be written, or is full: the next start is a fresh one.
                return

        self._thread = threading.Thread(target=work, name="stackroom-memory", daemon=True)
        self._thread.start()
        if wait:
            self._thread.join(_LEAVE_SECONDS)


def saved_views() -> tuple[SavedView, ...]:
    """The views that were saved, by name; touches the disk."""
    found = []
    for file in state_names(_VIEWS):
        name = file.removesuffix(_SUFFIX)
        document = _document(read_state(_VIEWS, file))
        view = SavedView(
            name=name,
            list="models" if document.get("list") == "models" else "versions",
            filter=_text(document, "filter"),
            sort=_text(document, "sort"),
        )
        if is_name(name) and file.endswith(_SUFFIX) and (view.filter or view.sort):
            found.append(view)
    return tuple(found)


def save_view(view: SavedView) -> None:
    """Save a view; one of the same name is replaced. Touches the disk.

    Raises:
        InvalidInputError: the name is none.
        RegistryError: it cannot be written.
    """
    if not is_name(view.name):
        raise InvalidInputError(
            f"{view.name!r} is no name for a view", hint="letters, digits, dots, underscores and dashes, at most 64"
        )
    content = json.dumps({"list": view.list, "filter": view.filter, "sort": view.sort}).encode()
    try:
        write_state(content, _VIEWS, f"{view.name}{_SUFFIX}")
    except OSError as error:
        raise RegistryError(f"the view cannot be saved: {(error.strerror or str(error)).lower()}") from None


def forget_view(name: str) -> None:
    """Take a saved view away; touches the disk.

    Raises:
        NotFoundError: none was saved under this name.
        RegistryError: it cannot be taken away.
    """
    try:
        gone = is_name(name) and forget_state(_VIEWS, f"{name}{_SUFFIX}")
    except OSError as error:
        raise RegistryError(f"the view cannot be taken away: {(error.strerror or str(error)).lower()}") from None
    if not gone:
        raise NotFoundError(f"no view was saved as {name}")
