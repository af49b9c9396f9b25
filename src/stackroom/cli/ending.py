"""Being told to end while something is written: what ctrl+c would clean up, SIGTERM and SIGHUP clean up, too."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
"""What a scheduler that cancels a job sends, and a terminal that goes."""


class ToldToEndError(KeyboardInterrupt):
    """A signal that ends the process, on its way out as ctrl+c is.

    Attributes:
        code: what the process ends with: 128 and the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


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
