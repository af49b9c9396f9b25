"""Killing a process at every system call that changes something, one after the other."""

from __future__ import annotations

import os
import warnings
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHANGING = ("mkdir", "write", "fchmod", "chmod", "fsync", "link", "symlink", "rename", "unlink", "rmdir", "close")
_KILLED = 9


def killed_at_every_step(action: Callable[[], object]) -> Iterator[tuple[int, bool]]:
    """Run the action in a child that dies before its n-th changing call, for n = 1, 2, … until it comes through.

    Yields:
        The step, and whether the action had returned (the last one, and only that).
    """
    for step in count(1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads held over a fork: the child takes none
            pid = os.fork()
        if pid == 0:
            _die_at(step, action)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, _KILLED}:
            message = f"the child failed at step {step} with {code}"
            raise AssertionError(message)
        yield step, code == 0
        if code == 0:
            return


def _die_at(step: int, action: Callable[[], object]) -> NoReturn:
    left = step

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(_KILLED)
            return call(*args, **kwargs)

        return wrapped

    for name in _CHANGING:
        setattr(os, name, deadly(getattr(os, name)))
    code = 1
    try:
        action()
        code = 0
    finally:
        os._exit(code)
