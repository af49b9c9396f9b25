"""The whole program on a pseudo-terminal: how it starts, what it sends, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from stackroom.registry.facade import Registry
from support.fair import FairClock
from tui.ptys import ENVIRONMENT, LEFT, Terminal

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = ("-m", "stackroom")
READY = b"live 1s"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_code_and_restores_the_terminal(sample: Path, number: signal.Signals) -> None:
    with Terminal(str(sample), program=PROGRAM) as term:
        term.wait_for(READY)
        term.process.send_signal(number)
        code, taken = term.wait_for_end()
        assert (code, taken < 1.0) == (128 + number, True)
        assert all(sequence in term.shown for sequence in LEFT)
        assert termios.tcgetattr(term.slave) == term.before


def test_nothing_is_sent_while_nothing_changes_and_a_change_costs_little(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM) as term:
        term.wait_for(READY)
        term.wait_for_silence(0.4)
        sent = len(term.shown)
        clock = FairClock(term.process.pid)
        while clock.seconds() < 2.2:
            term._read(0.1)
        assert len(term.shown) == sent
        Registry(sample).register("wine-origin", __file__)
        term.wait_for(b"wine-origin:5")
        term.wait_for_silence(0.3)
        assert len(term.shown) - sent < 4096


def test_no_colour_sends_no_colour(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, NO_COLOR="1") as term:
        term.wait_for(READY)
        assert b"\x1b[38;" not in term.shown
        assert b"\x1b[48;" not in term.shown
        term.press("q")
        assert term.wait_for_end()[0] == 0


def test_a_dumb_terminal_is_refused_with_the_way_out(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, TERM="dumb") as terminal:
        code, _ = terminal.wait_for_end()
        assert code == 2
        assert b"TERM=dumb" in terminal.shown
        assert b"stackroom list" in terminal.shown


def test_no_terminal_is_refused_with_the_way_out(sample: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stackroom", str(sample)], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "stackroom list" in done.stderr
    assert done.stdout == ""
