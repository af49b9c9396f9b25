"""Being told to end by SIGTERM or SIGHUP: what ctrl+c would clean up is cleaned up, too, or the end is no failure."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
"""What a scheduler that cancels a job sends, and a terminal that goes."""


SIGNALLED: Final = 128
"""What is added to the number of the signal that ended something, as a shell has it."""


class ToldToEndError(KeyboardInterrupt):
    """A signal that ends the process, on its way out as ctrl+c is.

    Attributes:
        code: what the process ends with: 128 and the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = SIGNALLED + number


@contextmanager
def cleaned_up() -> Iterator[None]:
    """A block that SIGTERM and SIGHUP leave with :class:`ToldToEndError`; the next one ends the process at once.

    A signal that is ignored, as after ``nohup``, stays so. Does nothing outside of the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    answered = [number for number, handler in before.items() if handler == signal.SIG_DFL]

    def leave(number: int, _frame: object) -> None:
        """Answer once: whoever asks again does not want to wait for any cleaning up."""
        for one in answered:
            signal.signal(one, signal.SIG_DFL)
        raise ToldToEndError(number)

    for number in answered:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in answered:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def ended_well() -> Iterator[None]:
    """A block that SIGTERM ends as if it had come to its end, and SIGHUP, where it is not ignored, with its number.

    A command that runs is in a session of its own: it hears of them from us alone.
    """

    def leave(number: int, _frame: object) -> None:
        """Leave the block from wherever it is."""
        raise SystemExit(0 if number == signal.SIGTERM else SIGNALLED + number)

    caught = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in caught}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
