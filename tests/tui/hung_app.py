"""The program on a file system that hangs: once a file exists, no thread that opens something comes back.

``hung_app.py FILE REGISTRY``. What an NFS mount whose server is gone does to ``open``, done to Python's ``os.open``.
The times after which the interface calls that slow and stale are a tenth of what they are: a test need not wait.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from stackroom.tui import live
from stackroom.tui.start import browse

flag, registry = sys.argv[1:]
real = os.open


def hanging(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:  # noqa: ANN401  # as in os
    """What ``os.open`` does, until the file system hangs."""
    while os.path.exists(flag):
        time.sleep(3600)
    return real(path, flags, mode, dir_fd=dir_fd)


os.open = hanging
for name in ("_SLOW_SECONDS", "_STALE_SECONDS"):
    setattr(live, name, getattr(live, name) / 10)
sys.exit(browse([registry]))
