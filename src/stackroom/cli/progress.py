"""A count of bytes, drawn on a terminal: how much of how much, how fast, how long still."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, Final, Self, TextIO

from stackroom.cli.table import cut, width_of
from stackroom.core import show
from stackroom.core.text import visible

if TYPE_CHECKING:
    from types import TracebackType

_PAUSE_SECONDS: Final = 0.1
"""Between two drawings: ten a second look smooth, and cost 600 bytes a second over SSH."""

_BAR: Final = 20
"""Cells of the bar where there is room for it."""

_PATIENCE_SECONDS: Final = 0.3
"""Work that is over by then is not worth a bar."""


class Count:
    """A count of models that were read, on a line of its own that is taken away when all are."""

    def __init__(self, doing: str, what: str, stream: TextIO) -> None:
        self._doing, self._what = doing, what
        self._stream = stream
        self._drawn_at = time.monotonic() + _PATIENCE_SECONDS - _PAUSE_SECONDS
        self._drawn = False

    def __call__(self, done: int, total: int, /) -> None:
        """So many are done; draws now and then."""
        now = time.monotonic()
        if done >= total:
            self.wipe()
        elif now - self._drawn_at >= _PAUSE_SECONDS:
            self._drawn_at = now
            self._drawn = True
            line = cut(f"{self._doing} {done:,} of {total:,} {self._what}", shutil.get_terminal_size().columns - 1, "~")
            self._stream.write(f"\r{line}\x1b[K")
            self._stream.flush()

    def wipe(self) -> None:
        """Take the line off the screen."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False


class Bar:
    """A progress that may be called from several threads; a context manager that leaves a clean line.

    Attributes:
        done: bytes so far.
        total: of all.
    """

    def __init__(self, total: int, doing: str, stream: TextIO | None) -> None:
        self.done = 0
        self.total = total
        self._doing = visible(doing)
        self._stream = stream
        self._started = time.monotonic()
        self._drawn_at = self._started + _PATIENCE_SECONDS - _PAUSE_SECONDS
        self._drawn = False
        self._lock = threading.Lock()

    def __call__(self, amount: int, /) -> None:
        """Count bytes; draws now and then. 0 bytes are a question whether to go on, and nothing to draw."""
        if not amount:
            return
        with self._lock:
            self.done += amount
            now = time.monotonic()
            if self._stream and now - self._drawn_at >= _PAUSE_SECONDS:
                self._drawn_at = now
                self._drawn = True
                self._stream.write(f"\r{self._line(now)}\x1b[K")
                self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()
        self._stream = None

    @property
    def reading(self) -> bool:
        """Whether bytes are still to come: what follows them has not begun."""
        return self.done < self.total

    def wipe(self) -> None:
        """Take the bar off the screen, so that something else can be said; the next drawing brings it back."""
        with self._lock:
            if self._stream and self._drawn:
                self._stream.write("\r\x1b[K")
                self._stream.flush()
                self._drawn = False

    def _line(self, now: float) -> str:
        rate = self.done / max(now - self._started, 1e-6)
        width = shutil.get_terminal_size().columns - 1
        if not self.total:
            return f"{self._doing}  {show.long_size(self.done)}  {show.long_size(rate)}/s"[:width]
        share = min(self.done / self.total, 1.0)
        left = f"  {duration_text((self.total - self.done) / rate)} left" if rate and self.reading else ""
        amount = (
            f"{share:4.0%}  {show.long_size(self.done)} of {show.long_size(self.total)}  {show.long_size(rate)}/s{left}"
        )
        # What is being done gives way first, then the bar: the numbers are what somebody waits for.
        doing = cut(self._doing, max(width - len(amount) - _BAR - 6, 9), "~")
        cells = max(min(_BAR, width - len(amount) - width_of(doing) - 6), 0)
        filled = int(share * cells)
        return f"{doing}  [{'#' * filled}{'.' * (cells - filled)}] {amount}"[:width]


def duration_text(seconds: float) -> str:
    """A duration for people: ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
