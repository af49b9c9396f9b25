"""The whole program in real terminals: what it sends, how it ends, and what it does where something is not as usual."""

from __future__ import annotations

import base64
import os
import re
import signal
import time
from pathlib import Path

import pytest

from stackroom.registry.facade import Registry
from tui.ptys import LEFT, Terminal
from tui.test_tmux import line_of, open_in_tmux

PROGRAM = ("-m", "stackroom")
READY = b"live 1s"
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
PLAIN = {b"", b"0", b"1", b"2", b"4", b"7", b"9", b"22", b"23", b"24", b"25", b"26", b"27", b"29", b"39", b"49"}
"""Attributes that are no colour: bold, dim, underlined, reverse, struck, what takes them back, and "as usual"."""


def test_without_colour_no_screen_sends_any(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, NO_COLOR="1", COLORTERM="truecolor") as term:
        term.wait_for(READY)
        for keys, shown in (
            (":open tumor-screening\r", b"5 versions"),
            ("  c", b"better"),
            ("q:plot auc\r", b"next metric"),
            ("q:move tumor-screening:5 production\r", b"guards refuse"),
            ("q?", b"Keys of this"),
        ):
            term.press(keys)
            term.wait_for(shown)
            term.rest(seconds=0.1)
        term.press("\x11")
        assert term.wait_for_end()[0] == 0
        sent = {part for found in SGR.findall(term.shown) for part in found.split(b";")}
        assert sent <= PLAIN, sent - PLAIN
        assert b"7" in sent, "nothing shows the cursor"


def test_with_sixteen_colours_better_is_green_and_worse_is_red(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, TERM="xterm", COLORTERM="") as term:
        term.wait_for(READY)
        term.press(":compare tumor-screening:4 tumor-screening:5\r")
        term.wait_for(b"3 worse")
        assert re.search(rb"\x1b\[[0-9;]*32[0-9;]*m0\.0123\*", term.shown), "a shorter latency"
        assert re.search(rb"\x1b\[[0-9;]*31[0-9;]*m0\.9822 ", term.shown), "a smaller auc"
        term.press("\x11")
        assert term.wait_for_end()[0] == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_is_not_utf_8_gets_ascii_and_no_escapes(sample: Path, encoding: str) -> None:
    registry = Registry(sample)
    registry.register("wine-origin", __file__, metadata={"description": "Gefühl für 模型"})
    with Terminal(str(sample), program=PROGRAM, PYTHONIOENCODING=encoding) as term:
        term.wait_for(READY)
        term.press("Gl")
        term.wait_for(b"5 versions")
        term.press("p")
        term.wait_for(b"Gef\\xfchl")
        term.press("\x11")
        assert term.wait_for_end()[0] == 0
        assert term.shown.isascii()
        assert re.findall(rb".{0,40}\\u2.{0,40}", term.shown) == [], "our own signs are spelled out"


def test_the_c_locale_of_a_utf_8_terminal_keeps_the_signs(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, LC_ALL="C", LANG="C") as term:
        term.wait_for("●".encode())
        term.press("q")
        assert term.wait_for_end()[0] == 0


def test_a_byte_that_is_no_utf_8_is_a_sign_in_the_line_and_not_the_end(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM) as term:
        term.wait_for(READY)
        os.write(term.master, b"/\xff")
        term.wait_for("\N{REPLACEMENT CHARACTER}".encode())
        os.write(term.master, b"\x15tum\xc3")
        os.write(term.master, b"\xb6r")  # one character that comes in two parts is one
        term.wait_for("filter: tumör".encode())
        term.press("\x11")
        assert term.wait_for_end()[0] == 0


def test_a_copy_is_one_sequence_to_the_terminal_and_is_shown(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM, TMUX="") as term:
        term.wait_for(READY)
        term.rest()
        before = len(term.shown)
        term.press("y")
        term.wait_for(b"command")
        term.press("c")
        term.wait_for(b"copied: stackroom show diabetes-progression")
        term.rest(seconds=0.1)
        copied = base64.b64encode(b"stackroom show diabetes-progression")
        assert re.findall(rb"\x1b\]52;[^\x07\x1b]*", term.shown[before:]) == [b"\x1b]52;c;" + copied]
        term.press("q")
        assert term.wait_for_end()[0] == 0


def test_a_hung_file_system_is_called_stale_and_neither_keys_nor_the_end_wait_for_it(
    sample: Path, tmp_path: Path
) -> None:
    flag = tmp_path / "hung"
    program = (str(Path(__file__).with_name("hung_app.py")), str(flag))
    with Terminal(str(sample), program=program) as term:
        term.wait_for(b"5 models")
        flag.touch()
        term.wait_for(b"no answer from the file system")
        term.rest(seconds=0.1)
        term.press("rrrrr:open tumor-screening\r")
        term.wait_for(b"reading \xe2\x80\xa6")
        pressed = time.monotonic()
        term.press("?")
        term.wait_for(b"Keys of this screen")
        assert time.monotonic() - pressed < 1.0
        term.press("\x11")
        code, taken = term.wait_for_end()
        assert (code, taken < 1.0) == (0, True)
        assert all(sequence in term.shown for sequence in LEFT)


def test_a_window_that_is_closed_ends_it_also_where_the_hangup_is_ignored(sample: Path) -> None:
    ignoring = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from stackroom.__main__ import main; "
    with Terminal(str(sample), program=("-c", ignoring + "sys.exit(main())")) as term:
        term.wait_for(READY)
        term.hang_up()
        code, taken = term.wait_for_end()
        assert (code, taken < 5.0) == (128 + signal.SIGHUP, True)


def test_thirty_random_sizes_in_a_row_leave_a_screen_that_fits(sample: Path) -> None:
    with Terminal(str(sample), program=PROGRAM) as term:
        term.wait_for(READY)
        for number in range(30):
            term.resize(7 + 61 * number % 230, 2 + 37 * number % 70)
            term.rest(seconds=0.01)
        term.resize(50, 12)
        term.wait_for(b"needs 60x16, have 50x12")
        term.resize(80, 24)
        term.rest(seconds=0.1)
        term.press(":open wine-origin\r")
        term.wait_for(b"4 versions")
        term.press("\x11")
        assert term.wait_for_end()[0] == 0


@pytest.mark.tmux
def test_y_fills_the_buffer_of_a_tmux_as_it_comes(sample: Path) -> None:
    with open_in_tmux(sample) as term:
        term.wait_for("5 models")
        term.type("y")
        term.wait_for("command")
        term.type("r")
        term.wait_for("copied into tmux: diabetes-progression")
        assert term._tmux("show-buffer") == "diabetes-progression"
        term.type("q")
        assert term.wait_for_exit() == 0


@pytest.mark.tmux
def test_an_editor_that_fails_and_one_that_is_missing_leave_a_screen_and_a_keyboard(
    sample: Path, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nexit 3\n")
    editor.chmod(0o755)
    with open_in_tmux(sample, EDITOR=str(editor)) as term:
        term.wait_for("5 models")
        term.send("E")
        term.wait_for("with 3, so nothing was changed")
        term.type("q")
        term.wait_for("5 models")
        editor.unlink()
        term.send("E")
        term.wait_for("no such file or directory")
        term.type("q")
        term.wait_for("5 models")
        term.send("j")
        term.wait_for(lambda screen: line_of(screen, "digit-reader").startswith(">"))
        term.type("q")
        assert term.wait_for_exit() == 0
    assert Registry(sample).model("diabetes-progression").revision == Registry(sample).model("wine-origin").revision
