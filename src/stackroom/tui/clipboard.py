"""Handing a text to the clipboard of whoever sits at the terminal."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OSC52_LIMIT: Final = 74_994
"""Bytes: what xterm takes in one sequence, 100,000 characters of base64 less its frame."""

_TMUX_SECONDS: Final = 2.0
"""For tmux to answer; a server that hangs must not hold a key up."""


def copy_in_tmux(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Into tmux's buffer and, through tmux, the terminal's clipboard; False where there is no tmux, or it fails.

    ``-w`` is tmux 3.2's; without it the buffer alone is set. Waits for tmux, so not for the screen's thread.
    """
    if not environ.get("TMUX"):
        return False
    for arguments in (["load-buffer", "-w", "-"], ["load-buffer", "-"]):
        try:
            command = ["tmux", *arguments]
            done = subprocess.run(  # noqa: S603 - a fixed command; the text goes through its standard input
                command, input=text.encode(), capture_output=True, timeout=_TMUX_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False
