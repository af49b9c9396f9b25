"""Textual's driver, for which ``SIGTSTP`` and ``SIGCONT`` may come at any moment.

Measured on Textual 8.2.8, whose driver gives the terminal back and takes it again from its two signal handlers, also
while it is about to do the one or the other, or has done so for an editor: a ``SIGCONT`` that nothing came before
starts a second thread that reads the keys, after which the next editor waits for a key to be opened; and ``^Z`` in an
editor stops the process for ever where no shell waits to wake it up. One byte that is no UTF-8 ends it.
"""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from textual.drivers.linux_driver import LinuxDriver

from stackroom.tui.keyboard import KeyParser

if TYPE_CHECKING:
    from collections.abc import Iterator


_LOOK_SECONDS: Final = 0.1
"""Between two looks at whether an unfinished sequence is to be given up, and the thread to end: Textual's own."""

_AT_ONCE: Final = 4096
"""Bytes that are read at once: Textual's own."""


class TerminalDriver(LinuxDriver):
    """Has the terminal, or has given it to somebody else, and never half of both.

    A signal that comes in between is followed afterwards. Where no shell with job control would notice that we have
    stopped, ``SIGTSTP`` stops nothing, as the kernel has it for every program that does not handle it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # they are the driver's
        self._wanted = False
        """Whether the app draws, or would if it were not stopped."""
        self._drawing = False
        """Whether the terminal is ours: the threads run that read keys and write."""
        self._depth = 0
        """How many of our own calls are at work on the terminal: signals wait until it is none."""
        self._stop_after = self._continued = False
        super().__init__(*arguments, **options)

    # ---- what the app asks for

    def start_application_mode(self) -> None:
        """Take the terminal, unless we have it. From the background, that stops us until we are in the foreground."""
        self._wanted = True
        with self._undisturbed():
            while not self._drawing:
                self._continued, writer = False, self._writer_thread
                super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no types
                self._drawing = self._writer_thread is not writer
                if not self._continued:  # stopped in the background, and not woken up yet: that comes as a signal
                    break

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        with self._undisturbed():
            self._wanted = False
            super().stop_application_mode()

    def close(self) -> None:
        """What is written by now is the last of it."""
        with self._undisturbed():
            super().close()
            self._drawing = False

    def suspend_application_mode(self) -> None:
        """Give the terminal to somebody else until it is taken again."""
        with self._undisturbed():
            super().suspend_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until the app has no use for them; a byte that is no UTF-8 is read as U+FFFD."""
        parser, decode = KeyParser(), codecs.getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = ""
                if selector.select(_LOOK_SECONDS):
                    read = os.read(self.fileno, _AT_ONCE)
                    text = decode(read)
                    if not read:  # nobody types any more, and nobody shall be asked again and again
                        self.exit_event.wait(_LOOK_SECONDS)
                for event in (*(parser.feed(text) if text else ()), *parser.tick()):
                    self.process_message(event)

    # ---- what the signals ask for

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Whoever wants us to stop meanwhile is obeyed at the end."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth and self._stop_after:
                self._stop()

    def _sigtstp_application(self, *_: object) -> None:
        if self._depth:
            self._stop_after = True
        else:
            self._stop()

    def _sigcont_application(self, *_: object) -> None:
        if self._depth:
            self._continued = True
        elif self._wanted:
            self.start_application_mode()

    def _stop(self) -> None:
        """Stop here and now, if anybody sees it; once we are woken up, the terminal is as it was."""
        self._depth += 1
        if self._drawing:
            self.suspend_application_mode()
            self._wanted = self._must_signal_resume = True
        # Not SIGSTOP: the kernel knows whether anybody would wake us up, and ignores this one where nobody does.
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)  # to this thread: it goes not one step further
        signal.signal(signal.SIGTSTP, before)
        self._stop_after = False
        self._depth -= 1
        if self._wanted:
            self.start_application_mode()
