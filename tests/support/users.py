"""Acting as somebody else: fork, give up root for made-up numeric ids, do one thing, report back.

The ids need no entry in ``/etc/passwd`` or ``/etc/group`` and nothing there is touched: the kernel checks numbers.
A child reports in JSON, so only what JSON can hold comes back, and a failure comes back as :class:`ChildFailed`
with the name of the error and its errno. Tests that use this module carry the marker ``root``.

Modules that an action needs are imported before the fork, those too that the product imports when it comes to them: the
interpreter or the checkout may lie below a folder that only root can enter.
"""

from __future__ import annotations

import json
import os
import pkgutil
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import stackroom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody, as the kernel sees them: numbers; the name is what ``$USER`` says and nothing else."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    name: str = ""


class ChildFailed(Exception):  # noqa: N818 - it is an outcome that races count, more often than an error
    """The action raised in the child; what it raised is known by name.

    Attributes:
        type_name: the class of the exception, such as ``PermissionError``.
        message: its text.
        errno: of an ``OSError``, else None.
    """

    def __init__(self, type_name: str, message: str, errno: int | None) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name = type_name
        self.message = message
        self.errno = errno


_LATE = (
    # Not the package alone, which imports what is in it when it is asked for.
    "concurrent.futures.thread",
    "dataclasses",
    "decimal",
    "difflib",
    "fcntl",
    "getpass",
    "inspect",
    "json",
    "pathlib",
    "platform",
    "select",
    "shlex",
    "shutil",
    "signal",
    "sqlite3",
    "subprocess",
    "tempfile",
    "tomli_w",
    "tomllib",
)
"""What the product imports of others' when it comes to it."""


@cache
def import_everything() -> None:
    """Import the product, but for the interface, which no action needs."""
    for found in pkgutil.walk_packages(stackroom.__path__, "stackroom."):
        if not found.name.startswith(("stackroom.tui", "stackroom.__main__")):
            import_module(found.name)
    for name in _LATE:
        import_module(name)


@dataclass(frozen=True, slots=True)
class _Child:
    """A process that was started and has not been asked for its result."""

    pid: int
    results: int


def run_as(user: User, action: Callable[[], T], *, umask: int = 0o077) -> T:
    """What ``action`` returns when ``user`` does it.

    Raises:
        ChildFailed: when the action raised.
    """
    outcome = start_as([(user, action)], umask=umask)[0]
    if isinstance(outcome, ChildFailed):
        raise outcome
    return outcome


def start_as(actions: Sequence[tuple[User, Callable[[], T]]], *, umask: int = 0o077) -> list[T | ChildFailed]:
    """Let everybody begin at the same moment, and collect how each of them fared, in the order given.

    Every child is forked, dressed and waiting at a pipe before the first one acts, so a race is as close as the
    scheduler allows.
    """
    import_everything()
    gate_reader, gate_writer = os.pipe()
    ready_reader, ready_writer = os.pipe()
    children: list[_Child] = []
    try:
        for user, action in actions:
            gate = (gate_reader, gate_writer, ready_writer)
            children.append(_start(user, action, umask=umask, gate=gate))
        waiting = len(children)
        while waiting:
            waiting -= len(os.read(ready_reader, waiting))
    finally:
        for descriptor in (gate_reader, gate_writer, ready_reader, ready_writer):
            os.close(descriptor)
    return [_outcome(child.pid, child.results) for child in children]


def _start(user: User, action: Callable[[], T], *, umask: int, gate: tuple[int, int, int]) -> _Child:
    results, report = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads that hold locks over a fork; the child takes none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.close(results)
            _act(user, action, umask=umask, gate=gate, report=report)
        finally:
            os._exit(0)  # without pytest's atexit and finally blocks, which belong to the parent
    os.close(report)
    return _Child(pid, results)


def _act(user: User, action: Callable[[], object], *, umask: int, gate: tuple[int, int, int], report: int) -> None:
    gate_reader, gate_writer, ready_writer = gate
    os.close(gate_writer)
    answer: dict[str, object]
    try:
        try:
            become(user, umask)
        finally:
            os.write(ready_writer, b".")
            os.read(gate_reader, 1)  # returns at the end of file: when the parent closes its end
        answer = {"value": action()}
        text = json.dumps(answer)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        errno = error.errno if isinstance(error, OSError) else None
        text = json.dumps({"type": type(error).__name__, "message": str(error), "errno": errno})
    with os.fdopen(report, "w", encoding="utf-8") as stream:
        stream.write(text)


def become(user: User, umask: int) -> None:
    """Give up what this process is, for good: only in a child."""
    os.setgroups(list(user.groups))
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    os.umask(umask)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["HOME"] = "/nonexistent"
    # Without a home of theirs, caches would lie in /var/tmp and stay there.
    os.environ["STACKROOM_CACHE"] = "off"
    os.environ["USER"] = os.environ["LOGNAME"] = user.name or str(user.uid)


def _outcome(pid: int, results: int) -> Any | ChildFailed:  # noqa: ANN401 - what JSON held; start_as names the type
    with os.fdopen(results, encoding="utf-8") as stream:
        text = stream.read()
    _, status = os.waitpid(pid, 0)
    if not text:
        return ChildFailed("Killed", f"the child left no report; wait status {status}", None)
    answer = json.loads(text)
    if "type" in answer:
        return ChildFailed(answer["type"], answer["message"], answer["errno"])
    return answer["value"]
