"""In a real terminal: the title, the way back to the shell, what is pasted, and what settings and variables do."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.terminal import Tmux
from tui.ptys import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.tmux

APP = ("-m", "stackroom")
PASTE = "\x1b[200~{}\x1b[201~"


def in_tmux(command: Sequence[str], **environment: str) -> Tmux:
    env = {name: value for name, value in os.environ.items() if name != "COLORTERM"} | environment
    return Tmux(command, environment=env)


def title(term: Tmux) -> str:
    return term._tmux("display-message", "-p", "#{pane_title}").strip()


def test_the_window_is_called_after_the_registry_and_gets_its_name_back(sample: Path) -> None:
    shell = f"printf '\\033]2;mine\\007'; {sys.executable} -m stackroom {sample}; echo it is over; read answer"
    with in_tmux(["sh", "-c", shell]) as term:
        term.wait_for("5 models")
        assert title(term) == "sample models - stackroom"
        term.type("q")
        term.wait_for("it is over")
        assert title(term) == "mine"


def test_control_z_goes_back_to_the_shell_and_fg_goes_on(sample: Path) -> None:
    with in_tmux(["bash", "--norc", "--noprofile", "-i"]) as term:
        term.type(f"PS1='ready$ '; {sys.executable} -m stackroom {sample}")
        term.send("Enter")
        term.wait_for("5 models")
        term.send("C-z")
        term.wait_for("Stopped")
        term.type("echo still $((40 + 2))")
        term.send("Enter")
        term.wait_for("still 42")
        term.type("fg")
        term.send("Enter")
        term.wait_for("5 models")
        term.send("j")
        term.wait_for(lambda screen: any(line.startswith(">  digit-reader") for line in screen.splitlines()))
        term.type("q")
        term.wait_for("ready$")


@pytest.mark.parametrize("back", [False, True], ids=["while-suspended", "after-coming-back"])
def test_a_window_closed_ends_what_was_suspended(back: bool, sample: Path) -> None:  # noqa: FBT001  # a parameter of the test
    with in_tmux(["bash", "--norc", "--noprofile", "-i"]) as term:
        term.type(f"PS1='ready$ '; {sys.executable} -m stackroom {sample}")
        term.send("Enter")
        term.wait_for("5 models")
        term.send("C-z")
        term.wait_for("Stopped")
        term.type("clear; jobs -p")
        term.send("Enter")
        screen = term.wait_for(lambda screen: any(line.strip().isdigit() for line in screen.splitlines()))
        process = next(int(line) for line in screen.splitlines() if line.strip().isdigit())
        # A descriptor of the process: a number could be another's by the time it is looked at.
        descriptor = os.pidfd_open(process)
        if back:
            term.type("fg")
            term.send("Enter")
            term.wait_for("5 models")
        try:
            term.close()
            assert select.select([descriptor], [], [], 15)[0], "it lives on without its terminal"
        finally:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)


def test_without_a_shell_below_control_z_says_so(sample: Path) -> None:
    with in_tmux([sys.executable, *APP, str(sample)]) as term:
        term.wait_for("5 models")
        term.send("C-z")
        term.wait_for("there is no shell below")
        term.type("q")
        assert term.wait_for_exit() == 0


def reading_editor(folder: Path) -> str:
    """An editor that asks for a line and changes nothing."""
    editor = folder / "editor"
    editor.write_text("#!/bin/sh\necho editing\nread answer\n")
    editor.chmod(0o755)
    return str(editor)


def test_control_z_in_the_editor_stops_nothing_where_no_shell_waits(sample: Path, tmp_path: Path) -> None:
    with in_tmux([sys.executable, *APP, str(sample)], EDITOR=reading_editor(tmp_path)) as term:
        term.wait_for("5 models")
        term.send("E")
        term.wait_for("editing")
        term.send("C-z", "Enter")
        term.wait_for("diabetes-progression unchanged")
        term.type("q")
        assert term.wait_for_exit() == 0


def test_a_signal_to_go_on_while_nothing_is_stopped_leaves_the_editor_and_us_their_keys(
    sample: Path, tmp_path: Path
) -> None:
    with in_tmux([sys.executable, *APP, str(sample)], EDITOR=reading_editor(tmp_path)) as term:
        term.wait_for("5 models")
        process = term.pids()[1]
        for key, row in (("j", "digit-reader"), ("k", "diabetes-progression")):
            os.kill(process, signal.SIGCONT)
            term.send(key)
            term.wait_for(lambda screen, row=row: any(line.startswith(f">  {row}") for line in screen.splitlines()))  # type: ignore[misc]  # mypy gives a default no type here
        term.send("E")
        term.wait_for("editing")
        os.kill(process, signal.SIGCONT)
        term.send("Enter")
        term.wait_for("diabetes-progression unchanged")
        term.type("q")
        assert term.wait_for_exit() == 0


def test_what_is_pasted_presses_no_keys(sample: Path) -> None:
    with Terminal(str(sample), program=APP) as term:
        term.wait_for(b"diabetes-progression")
        term.press(PASTE.format("q\r:quit\rj"))
        term.press("/")
        term.press(PASTE.format("tumor\x1b]52;c;eA==\x07\rq\r"))
        term.wait_for(b"tumor")
        term.press("\x1b")
        term.wait_for(b"sort MODEL")
        assert term.process.poll() is None
        assert b"\x1b]52" not in term.shown
        term.press("\x11")
        assert term.wait_for_end()[0] == 0


def test_settings_and_variables_choose_mouse_signs_and_colours(sample: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[ui]\nmouse = false\nascii = true\ncolours = "16"\n[keys]\nquit_here = "X"\n')
    with Terminal(str(sample), program=APP, STACKROOM_CONFIG=str(config), COLORTERM="truecolor") as term:
        term.wait_for(b"5 models")
        term.press("X")
        assert term.wait_for_end()[0] == 0
        assert b"\x1b[?1003h" not in term.shown
        assert b"38;2;" not in term.shown
        assert "·".encode() not in term.shown
    with Terminal("tui", "--config", str(config), str(sample), program=APP, STACKROOM_NO_MOUSE="0") as term:
        term.wait_for(b"5 models")
        term.press("X")
        assert term.wait_for_end()[0] == 0
        assert b"\x1b[?1003h" in term.shown
    with Terminal("tui", "--color", "never", "--no-mouse", "--no-state", str(sample), program=APP) as term:
        term.wait_for(b"5 models")
        term.press("q")
        assert term.wait_for_end()[0] == 0
        assert b"38;" not in term.shown
        assert b"\x1b[?1003h" not in term.shown
    assert len(os.listdir(Path(os.environ["XDG_STATE_HOME"], "stackroom", "registries"))) == 1


def test_two_registries_of_the_command_line_and_a_name_of_the_settings(sample: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[registries]\nproduction = "{sample}"\n')
    command = [sys.executable, *APP, "tui", "production", str(sample)]
    with in_tmux(command, STACKROOM_CONFIG=str(config)) as term:
        term.wait_for(lambda screen: "5 models" in screen and "[production]" in screen)
        assert title(term) == "sample models [production] - stackroom"
        term.type("q")
        assert term.wait_for_exit() == 0


def test_a_terminal_without_titles_gets_none(sample: Path) -> None:
    with Terminal(str(sample), program=APP, TERM="linux") as term:
        term.wait_for(b"5 models")
        term.press("q")
        assert term.wait_for_end()[0] == 0
        assert b"\x1b]2;" not in term.shown
        assert b"\x1b[22;0t" not in term.shown
