"""Somebody who stays: a forked child that gave up root once, and then does one thing after the other.

:func:`support.users.run_as` forks for every action. Hundreds of actions ask for one fork for each person instead;
in the laboratory's kernel a fork costs as much as fifty of them. What is to be done travels as JSON, as the answers do.
"""

from __future__ import annotations

import json
import os
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Self

from support.users import become, import_everything

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from support.users import User


_LEAVE = "leave\n"


class Actor:
    """A child that acts as a user until it is closed; modules that it needs are imported before it is made."""

    def __init__(self, user: User, perform: Callable[[Any], Any], *, umask: int = 0o077) -> None:
        """Fork; ``perform`` runs in the child, takes what JSON holds and gives what JSON holds."""
        asked, asking = os.pipe()
        answered, answering = os.pipe()
        import_everything()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads held over a fork: the child takes none
            self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(asking)
                os.close(answered)
                _serve(user, perform, umask, (asked, answering))
            finally:
                os._exit(0)  # without pytest's atexit and finally blocks, which belong to the parent
        os.close(asked)
        os.close(answering)
        self._asking = os.fdopen(asking, "w", encoding="utf-8")
        self._answers = os.fdopen(answered, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, *requests: object) -> list[Any]:
        """Have all of it done, one after the other, and wait for the answers.

        Raises:
            AssertionError: one raised; the traceback is the message. Or the child has died.
        """
        self._asking.write(json.dumps(requests) + "\n")
        self._asking.flush()
        line = self._answers.readline()
        assert line, "the actor left no answer"
        answer = json.loads(line)
        if "failed" in answer:
            raise AssertionError(answer["failed"])
        return list(answer["values"])

    def close(self) -> None:
        """Let the child end, and wait for that."""
        # Said, not left to the end of the pipe: actors that were made later hold its other end, too.
        self._asking.write(_LEAVE)
        self._asking.close()
        self._answers.close()
        os.waitpid(self._pid, 0)


def _serve(user: User, perform: Callable[[Any], Any], umask: int, pipes: tuple[int, int]) -> None:
    become(user, umask)
    with os.fdopen(pipes[0], encoding="utf-8") as requests, os.fdopen(pipes[1], "w", encoding="utf-8") as answers:
        for line in iter(requests.readline, _LEAVE):
            answers.write(json.dumps(_answer(perform, line)) + "\n")
            answers.flush()


def _answer(perform: Callable[[Any], Any], line: str) -> dict[str, Any]:
    try:
        return {"values": [perform(request) for request in json.loads(line)]}
    except BaseException:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        return {"failed": traceback.format_exc()}
