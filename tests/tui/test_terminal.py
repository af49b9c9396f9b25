"""What the process owes to its terminal, on real pseudo-terminals: it ends, with the right code, and leaves order."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from stackroom.errors import UsageError
from stackroom.tui import terminal
from tui.ptys import ENVIRONMENT, LEFT, Terminal

STARTED = b"row 22"


@pytest.mark.parametrize("hang", [(), ("hang",)])
def test_q_ends_the_process_even_when_a_thread_hangs(hang: tuple[str, ...]) -> None:
    with Terminal(*hang) as term:
        term.wait_for(STARTED)
        term.press("q")
        code, taken = term.wait_for_end()
        assert (code, taken < 1.0) == (0, True)
        assert all(sequence in term.shown for sequence in LEFT)
        assert termios.tcgetattr(term.slave) == term.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_app_with_its_code_and_restores_the_terminal(number: signal.Signals) -> None:
    with Terminal("hang") as term:
        term.wait_for(STARTED)
        term.process.send_signal(number)
        code, taken = term.wait_for_end()
        assert (code, taken < 1.0) == (128 + number, True)
        assert all(sequence in term.shown for sequence in LEFT)
        assert termios.tcgetattr(term.slave) == term.before


@pytest.mark.parametrize("how", [("stay",), ("stay", "fail")])
def test_a_thread_that_outlives_the_app_does_not_hold_the_process(how: tuple[str, ...]) -> None:
    with Terminal(*how) as term:
        term.wait_for(STARTED)
        term.press("q")
        code, taken = term.wait_for_end()
        assert (code == 0, taken < 2.0) == ("fail" not in how, True)
        assert termios.tcgetattr(term.slave) == term.before


def test_an_app_that_does_not_answer_is_ended_and_the_terminal_restored() -> None:
    with Terminal("stuck") as term:
        term.wait_for(STARTED)
        term.press("x")
        term.wait_for(b"STUCK")
        term.process.send_signal(signal.SIGTERM)
        code, taken = term.wait_for_end()
        assert (code, taken < 1.5) == (143, True)
        assert all(sequence in term.shown for sequence in LEFT)
        assert termios.tcgetattr(term.slave) == term.before


def test_a_terminal_that_takes_no_more_output_does_not_hold_the_process() -> None:
    with Terminal() as term:
        term.wait_for(STARTED)
        term.press("w")
        term.wait_for(b"FLOOD")  # and from here on, nobody reads
        term.process.send_signal(signal.SIGTERM)
        assert term.process.wait(3.0) == 143


@pytest.mark.parametrize("how", [(), ("hang",), ("nohup",), ("stuck",)])
def test_a_closed_window_ends_the_process_without_burning_the_processor(how: tuple[str, ...]) -> None:
    with Terminal(*how) as term:
        term.wait_for(STARTED)
        if "stuck" in how:
            term.press("x")
            term.wait_for(b"STUCK")
        term.hang_up()
        code, taken = term.wait_for_end()
        assert code == 129
        assert taken < (5.0 if "nohup" in how else 1.5)


def test_an_ignored_hangup_signal_does_not_end_an_app_whose_terminal_is_there() -> None:
    with Terminal("nohup") as term:
        term.wait_for(STARTED)
        term.process.send_signal(signal.SIGHUP)
        term.press("G")
        term.wait_for(b"row 99")
        term.press("q")
        assert term.wait_for_end()[0] == 0


def test_an_idle_app_sends_nothing_and_sleeps() -> None:
    with Terminal() as term:
        term.wait_for(STARTED)
        term.press("G")
        term.wait_for(b"row 99")
        term.wait_for_silence(0.2)
        used = _cpu_ticks(term.process.pid)
        assert not term._read(1.5)
        assert _cpu_ticks(term.process.pid) - used <= 0.1 * os.sysconf("SC_CLK_TCK")
        term.press("q")
        assert term.wait_for_end()[0] == 0


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_no_colour_means_no_colour_in_a_real_terminal() -> None:
    with Terminal(NO_COLOR="1", COLORTERM="truecolor") as term:
        term.wait_for(STARTED)
        term.press("jjq")
        term.wait_for_end()
        assert b"38;" not in term.shown
        assert b"48;" not in term.shown
        assert b"\x1b[7" in term.shown


def test_a_terminal_that_cannot_move_its_cursor_is_refused() -> None:
    with Terminal(TERM="dumb") as term:
        term.wait_for(b"TERM=dumb")
        assert term.wait_for_end()[0] != 0
        assert b"\x1b[?1049h" not in term.shown


def test_a_redirected_stderr_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, Terminal(stderr=log.fileno()) as term:
        assert term.wait_for_end()[0] != 0
        assert not term.shown
    assert b"needs a terminal" in (tmp_path / "log").read_bytes()


def test_ctrl_c_for_an_editor_is_not_for_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    monkeypatch.setattr(terminal, "_TERMINAL", slave)
    assert terminal._keyboard_interrupts()
    tty.setraw(slave)
    assert not terminal._keyboard_interrupts()
    os.close(master)
    os.close(slave)
    assert not terminal._keyboard_interrupts()


def test_the_refusal_is_a_usage_error_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_is_terminal", lambda _stream: True)
    with pytest.raises(UsageError, match="TERM=dumb") as refused:
        terminal.require_terminal("dumb")
    assert refused.value.exit_code == 2
    assert "stackroom list" in refused.value.hint
    terminal.require_terminal("xterm")
    monkeypatch.setattr(terminal, "_is_terminal", lambda _stream: False)
    with pytest.raises(UsageError, match="needs a terminal"):
        terminal.require_terminal("xterm")


def test_the_environment_is_prepared_and_what_the_user_set_stays() -> None:
    environ = {"NO_COLOR": "", "SSH_TTY": "/dev/pts/3", "TEXTUAL_ANIMATIONS": "full"}
    terminal.prepare(environ)
    assert environ == {
        "SSH_TTY": "/dev/pts/3",
        "TEXTUAL_ANIMATIONS": "full",
        "TEXTUAL_SMOOTH_SCROLL": "0",
        "TEXTUAL_FPS": "30",
    }
    assert not terminal.wants_no_colour(environ)
    assert terminal.wants_no_colour({"NO_COLOR": "1"})


def test_importing_it_does_not_import_textual() -> None:
    script = "import sys, stackroom.tui.terminal; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, check=False).returncode == 0
