"""A program with a list and a background thread, run by the tests in a terminal of their own.

``demo_app.py [hang] [stuck] [nohup] [stay] [fail]``: with ``hang``, a thread sits in a call that does not return; with
``stuck``, the screen's own thread does; with ``nohup``, SIGHUP is ignored from the start; with ``stay``, a thread
outlives the app that Python would wait for, as Textual's own do when the terminal goes while they are being ended; with
``fail``, the app ends in an error.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time

from stackroom.tui import terminal
from stackroom.tui.background import Background

if "nohup" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
terminal.require_terminal(os.environ.get("TERM"))
terminal.prepare(os.environ)

from textual.app import App, ComposeResult  # noqa: E402  # only after the environment is prepared

from stackroom.tui.widgets.line_table import Cell, Column, LineTable, Row  # noqa: E402  # the same


class Demo(App[None]):
    """A list of a hundred rows; ``q`` quits."""

    BINDINGS = [("q", "quit", "quit"), ("x", "stick", "stick"), ("w", "flood", "flood")]  # noqa: RUF012  # Textual's own declaration

    def compose(self) -> ComposeResult:
        """The list."""
        yield LineTable([Column(key="name", label="READY")])

    def on_mount(self) -> None:
        """Rows, and a thread that hangs."""
        rows = [Row(str(number), (Cell(f"row {number}"),)) for number in range(100)]
        self.query_one(LineTable).set_rows(rows)
        if "hang" in sys.argv:
            Background(self).run("hang", lambda _task: time.sleep(3600))
        if "stay" in sys.argv:
            threading.Thread(target=lambda: time.sleep(3600)).start()

    def on_unmount(self) -> None:
        """What a terminal that is gone answers while the app ends."""
        if "fail" in sys.argv:
            raise OSError(errno.EIO, "Input/output error")

    def action_flood(self) -> None:
        """More output than a terminal takes that nobody reads."""
        for _ in range(100):
            self._driver.write("FLOOD" * 10_000)  # type: ignore[union-attr]  # there is one while the app runs

    def action_stick(self) -> None:
        """What a bug would be: the screen's own thread never comes back."""
        os.write(2, b"STUCK")
        while "stuck" in sys.argv:
            time.sleep(3600)


sys.exit(terminal.run(Demo(ansi_color=True if terminal.wants_no_colour(os.environ) else None)))
