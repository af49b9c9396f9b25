"""What the process owes to its terminal: to refuse one it cannot use, to leave it as it was, to end when it is gone.

Measured on Textual 8.2.8: SIGTERM leaves the alternate screen and mouse reports on; SIGHUP ends the process without a
``finally``; and when SIGHUP is ignored (``nohup``), a vanished terminal means 100 % CPU for ever. So signals ask the
app to exit, and a daemon thread ends the process when it does not, or when the terminal hangs up.

Importing this module does not import Textual: :func:`prepare` sets what Textual reads while it is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import signal
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

from stackroom.core.text import visible
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from types import FrameType

    from textual.app import App

    Restore = Callable[[int, FrameType | None], Any] | int | None

GRACE_SECONDS: Final = 0.6
"""Between the wish that the app exits and the end of the process: Textual needs 0.3 s on a loaded machine."""

_LOOK_SECONDS: Final = 0.5
"""How long one wait for the terminal's end takes before the thread sees whether it is still wanted."""

_RESET: Final = b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""Mouse, paste and focus reports off, wrapping on, the normal screen, a cursor: what Textual sends when it ends."""

_TERMINAL: Final = 0
"""The descriptor that keys come from: Textual reads standard input."""

_SCREEN: Final = 2
"""The descriptor that is drawn to: Textual writes to standard error."""

_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)

_HINT: Final = "every screen is also a command: try `stackroom list`, `stackroom show REF`, `stackroom --help`"


class Leaving(Protocol):
    """What an app is asked to do; Textual's ``App`` does it."""

    def exit(self, result: None = None, return_code: int = 0) -> None:
        """End the app with an exit code."""


TITLE_KEPT: Final = "\x1b[22;0t"
TITLE_BACK: Final = "\x1b]2;\x07\x1b[23;0t"
"""Keep the title of the window; take ours away and bring that one back, where the terminal has kept it."""

_TITLE_LIMIT: Final = 100
_TITLELESS: Final = ("linux", "vt1", "vt2", "vt3", "vt4", "vt5", "ansi", "cons25", "dumb", "eterm", "sun")
"""Values of TERM, or their beginnings, of terminals that show a title as garbage or not at all."""


def title(text: str, term: str | None) -> str:
    """What sets the title of the window; nothing where the terminal has none.

    Args:
        text: untrusted.
        term: the value of ``TERM``.
    """
    if not term or term.startswith(_TITLELESS):
        return ""
    return f"\x1b]2;{visible(text)[:_TITLE_LIMIT]}\x07"


def can_suspend() -> bool:
    """Whether a shell with job control waits for the process to stop; without one, nobody could wake it up."""
    try:
        parent = os.getppid()
        return os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:
        return False


def run(app: App[Any], *, mouse: bool = True) -> int:
    """Run an app to its end, watched, and return its exit code.

    Args:
        app: built after :func:`prepare`.
        mouse: whether the terminal reports it; without, the terminal's own selection works.
    """
    app.animation_level = "none"
    watch = Watch(app)

    async def watched() -> None:
        watch.start(asyncio.get_running_loop())
        try:
            await app.run_async(mouse=mouse)
        finally:
            _take_title_away()
            watch.stop()

    try:
        asyncio.run(watched())
    except BaseException:
        _leave_nobody_behind(1)
        raise
    _let_go(sys.__stderr__, sys.__stdout__)
    code = app.return_code or 0
    _leave_nobody_behind(code)
    return code


def _leave_nobody_behind(code: int) -> None:
    """End the process at once where a thread outlives the app: Python would wait for it, for ever.

    Textual's own threads do when the terminal vanishes while it ends them, and one of them then reads "nothing" from it
    over and over.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                os._exit(code)


def _take_title_away() -> None:
    """The window is called what it was called before."""
    with contextlib.suppress(OSError):
        if title("", os.environ.get("TERM")):
            os.write(_SCREEN, TITLE_BACK.encode())


def _let_go(*streams: TextIO | None) -> None:
    """What a closed terminal never took goes nowhere: Python would try again at the end, and exit with 120."""
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                _, unread = os.pipe()  # takes more than the stream can have kept, until the process ends
                os.dup2(unread, stream.fileno())  # type: ignore[union-attr]  # it was there to be flushed


def require_terminal(term: str | None) -> None:
    """Refuse to start where a screen cannot be drawn.

    Args:
        term: the value of ``TERM``.

    Raises:
        UsageError: when input or output is no terminal, or it says that it cannot move its cursor.
    """
    if not _is_terminal(sys.__stdin__) or not _is_terminal(sys.__stderr__):
        raise UsageError("the terminal interface needs a terminal for its input and for stderr", hint=_HINT)
    if term == "dumb":
        raise UsageError("this terminal says that it cannot move its cursor (TERM=dumb)", hint=_HINT)


_COLOUR_SYSTEMS: Final = {"16": "standard", "256": "256", "truecolor": "truecolor"}
"""How Textual calls them."""


def prepare(environ: MutableMapping[str, str], colours: str = "auto") -> None:
    """Set what Textual reads while it is imported; what the user has set stays.

    No animations and no smooth scrolling; over SSH, 30 frames a second instead of 60. An empty ``NO_COLOR`` is none, as
    https://no-color.org says, but Textual takes it for one.

    Args:
        environ: of the process.
        colours: how many the user wants: ``auto``, ``none``, ``16``, ``256`` or ``truecolor``.
    """
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)  # exported once, they would be believed and the terminal would not, also when resized
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if "SSH_CONNECTION" in environ or "SSH_TTY" in environ:
        environ.setdefault("TEXTUAL_FPS", "30")
    if environ.get("NO_COLOR") == "":
        del environ["NO_COLOR"]
    if colours == "none":
        environ["NO_COLOR"] = "1"
    elif colours in _COLOUR_SYSTEMS:
        environ.setdefault("TEXTUAL_COLOR_SYSTEM", _COLOUR_SYSTEMS[colours])


def wants_no_colour(environ: Mapping[str, str]) -> bool:
    """Whether to build the app with ``ansi_color=True``: only then is ``NO_COLOR`` no colour and not grey."""
    return bool(environ.get("NO_COLOR"))


class Watch:
    """From :meth:`start` to :meth:`stop`, signals and a hang-up end the app, and if need be the process.

    The exit codes: 129 for a hang-up, 143 for SIGTERM, 130 for SIGINT. An app that does not exit within the grace, say
    because the terminal takes no more output, is ended from the watching thread: the terminal is put back as far as it
    takes bytes, and the process ends at once, without ``finally`` and ``atexit``.

    Args:
        app: what is asked to exit.
        grace_seconds: how long it may take.
    """

    def __init__(self, app: Leaving, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self._app = app
        self._grace_seconds = grace_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._asked_at: float | None = None
        self._code = 0
        self._before: dict[int, Restore] = {}
        self._attributes: list[Any] | None = None
        self._woken, self._wake = os.pipe()  # two descriptors until the process ends: a closed one could be reused

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, from the main thread with its running loop, before Textual has changed the terminal.

        Signals that the caller was started to ignore (``nohup``) stay ignored; the hang-up is noticed all the same.
        """
        self._loop = loop
        with contextlib.suppress(termios.error):
            self._attributes = termios.tcgetattr(_TERMINAL)
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                # Not loop.add_signal_handler: a loop that is blocked, writing to a stuck terminal, would never see it.
                signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch, name="stackroom-terminal", daemon=True).start()

    def stop(self) -> None:
        """End: the process goes on without the app. Not called when the process is to end with the app."""
        self._stopped.set()
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()
        self._poke()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _keyboard_interrupts():
            return  # ^C for a program that runs in our place, say an editor: the app itself gets ^C as a key
        self._ask(128 + number)

    def _ask(self, code: int) -> None:
        """Wish that the app exits; the first wish counts."""
        if self._asked_at is not None:
            return
        self._asked_at, self._code = time.monotonic(), code
        with contextlib.suppress(RuntimeError):  # the loop has just been closed: the app is gone
            if self._loop is not None:
                self._loop.call_soon_threadsafe(lambda: self._app.exit(return_code=code))
        self._poke()

    def _poke(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake, b"!")

    def _watch(self) -> None:
        """Sleep until the terminal hangs up or somebody asks; asks for no input, so that keys do not wake it."""
        poller = select.poll()
        poller.register(_TERMINAL, 0)
        poller.register(self._woken, select.POLLIN)
        while not self._stopped.is_set() and self._asked_at is None:
            gone = any(number == _TERMINAL for number, _ in poller.poll(_LOOK_SECONDS * 1000))
            if gone or not _has_foreground():
                self._ask(128 + signal.SIGHUP)
        if self._asked_at is None:
            return
        if self._stopped.wait(self._asked_at + self._grace_seconds - time.monotonic()):
            return
        self._put_back()
        os._exit(self._code)

    def _put_back(self) -> None:
        """Leave the alternate screen, if the terminal takes bytes; a stuck one must not hold the end up."""
        with contextlib.suppress(OSError, termios.error, ValueError):
            writable = select.poll()
            writable.register(_SCREEN, select.POLLOUT)
            if any(event & select.POLLOUT for _, event in writable.poll(0)):
                os.write(_SCREEN, _RESET)
                _take_title_away()
            if self._attributes is not None:
                termios.tcsetattr(_TERMINAL, termios.TCSANOW, self._attributes)


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]  # None when the descriptor was closed before the start
    except (AttributeError, ValueError, OSError):
        return False


def _keyboard_interrupts() -> bool:
    """Whether the terminal turns ^C into a signal now; while the app draws, it does not."""
    with contextlib.suppress(termios.error):
        return bool(termios.tcgetattr(_TERMINAL)[3] & termios.ISIG)
    return False


def _has_foreground() -> bool:
    """Whether the terminal still has a foreground process group: EIO says that it was hung up.

    ENOTTY says that this is no terminal, or not this session's: nothing follows from it.
    """
    try:
        os.tcgetpgrp(_TERMINAL)
    except OSError as error:
        return error.errno != errno.EIO
    return True
