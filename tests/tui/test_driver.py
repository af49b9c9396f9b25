"""Signals to stop and to go on come at any moment, also while the terminal changes hands."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

from stackroom.tui.driver import TerminalDriver

if TYPE_CHECKING:
    from collections.abc import Callable


class Stage:
    """A driver whose terminal is a list of what was done to it, and what comes at a moment of that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.meanwhile: dict[str, list[Callable[[], object]]] = {}
        self.background = False
        monkeypatch.setattr(LinuxDriver, "__init__", lambda *_: None)
        monkeypatch.setattr(LinuxDriver, "start_application_mode", lambda _: self.take())
        monkeypatch.setattr(LinuxDriver, "stop_application_mode", lambda _: self.do("give"))
        monkeypatch.setattr(LinuxDriver, "close", lambda _: self.do("close"))
        monkeypatch.setattr(signal, "pthread_kill", self.kill)
        self.driver = TerminalDriver()
        self.driver._writer_thread = None
        self.to_stop, self.to_go_on = self.driver._sigtstp_application, self.driver._sigcont_application

    def do(self, what: str) -> None:
        self.done.append(what)
        for signalled in self.meanwhile.pop(what, []):
            signalled()

    def take(self) -> None:
        self.do("take")
        if self.background:
            # The terminal is another's: taking it has stopped us, and nothing was taken once we were woken up.
            self.background = False
            self.do("stopped in the background")
            return
        self.driver._writer_thread = WriterThread(sys.stderr)  # never started

    def kill(self, _process: int, number: int) -> None:
        assert (number, signal.getsignal(number)) == (signal.SIGTSTP, signal.SIG_DFL)
        self.do("stop")
        self.to_go_on()


@pytest.mark.parametrize("moment", ["give", "close"])
def test_a_stop_while_the_terminal_is_given_to_an_editor_waits_until_the_editor_has_it(
    monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    stage = Stage(monkeypatch)
    stage.driver.start_application_mode()
    stage.meanwhile = {moment: [stage.to_stop, stage.to_stop]}
    stage.driver.suspend_application_mode()
    assert stage.done == ["take", "give", "close", "stop"]
    stage.driver.resume_application_mode()
    assert stage.done[4:] == ["take"]


def test_a_stop_while_the_terminal_is_taken_waits_until_it_is_and_gives_it_back_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage(monkeypatch)
    stage.meanwhile = {"take": [stage.to_stop]}
    stage.driver.start_application_mode()
    assert stage.done == ["take", "give", "close", "stop", "take"]


def test_a_signal_to_go_on_takes_nothing_that_is_had_already_or_is_an_editors(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.to_go_on()
    stage.driver.start_application_mode()
    stage.to_go_on()
    stage.driver.suspend_application_mode()
    stage.to_go_on()
    assert stage.done == ["take", "give", "close"]


def test_stopped_in_the_background_it_takes_the_terminal_once_it_is_woken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.background = True
    stage.meanwhile = {"stopped in the background": [stage.to_go_on]}
    stage.driver.start_application_mode()
    assert stage.done == ["take", "stopped in the background", "take"]
