"""What a process that helps :mod:`stackroom.store.workers` does: it reads what it is asked to, and says what it found.

Its input is one line of JSON with a task, and one for each model; for each it answers once. It ends with its input, or
where nobody listens any more. It writes no file, and it never decides what is wrong with something: that it leaves to
its maker, who reads it again.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.query import Query
from stackroom.core.sieve import sieve_of
from stackroom.store.folder import Folder
from stackroom.store.forms import Forms
from stackroom.store.rereading import packed_model
from stackroom.store.seeking import candidates
from stackroom.store.workers import FRAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stackroom.core.sieve import Sieve

    Reply = tuple[Any, bytes]

NOTHING: Final = (None, b"")
"""The answer of one who leaves it to his maker."""


def main() -> None:
    """Work until there is nothing to do; arguments are the descriptor of the models' folder and its path."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is read holds no cycles, and looking for some takes a tenth of the time.
    gc.disable()
    models = Folder(int(sys.argv[1]), sys.argv[2])
    lines = sys.stdin.buffer
    task = json.loads(lines.readline())
    do = _TASKS[task["task"]]
    for line in iter(lines.readline, b""):
        try:
            facts, content = do(models, task, json.loads(line))
        except OSError:
            facts, content = NOTHING
        told = json.dumps(facts).encode()
        try:
            _say(FRAME.pack(len(told), len(content)) + told + content)
        except BrokenPipeError:
            return


def _say(text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(1, left) :]


def _remember(models: Folder, _: Mapping[str, Any], request: Mapping[str, Any]) -> Reply:
    known = {int(number): one for number, one in request["known"].items()}
    return packed_model(models, request["name"], known, _forms())


@cache
def _forms() -> Forms:
    """One for all that is read."""
    return Forms()


@cache
def _asked(text: str) -> tuple[Query, Sieve]:
    query = Query(text)
    return query, sieve_of(query.node)


def _seek(models: Folder, task: Mapping[str, Any], request: Mapping[str, Any]) -> Reply:
    query, sieve = _asked(task["query"])
    found = candidates(models, request["name"], query, sieve, held=request["held"], archived=task["archived"])
    return [request["name"], found], b""


_TASKS: Final[dict[str, Callable[[Folder, Mapping[str, Any], Mapping[str, Any]], Reply]]] = {
    "remember": _remember,
    "seek": _seek,
}
