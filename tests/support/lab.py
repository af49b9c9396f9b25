"""The NFS laboratory as a function: a command, run where two clients mount one export of a real server.

What the laboratory is made of stands in ``tests/nfs/lab/run.sh``. Tests that use this module carry the marker ``nfs``.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = _ROOT / "tests" / "nfs" / "lab" / "run.sh"
# Read when the module is loaded: tests get an XDG_CACHE_HOME that is gone with them, the packages stay.
_CACHE = os.environ.get("LAB_CACHE") or str(
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nfs-lab"
)
_NEEDED = ("bash", "apt-get", "dpkg-deb", "awk", "flock", "setsid", "findmnt")


def why_no_lab() -> str:
    """What this machine lacks for the laboratory in one line, or an empty text."""
    if platform.machine() != "x86_64":
        return "the laboratory's kernel is for amd64 only"
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    return f"the laboratory needs {', '.join(missing)}" if missing else ""


def in_lab(
    command: str,
    *,
    vers: str = "4.2",
    user: tuple[int, int] = (0, 0),
    groups: Sequence[int] = (),
    writable: Sequence[Path] = (),
    mount_options: str = "",
    timeout_seconds: int = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a shell command inside the laboratory and return how it ended.

    The command sees the host's files at their own paths, read-only but for the folders in ``writable``, and finds
    the two clients' mounts in ``$LAB_MOUNT_A`` and ``$LAB_MOUNT_B``, the export itself in ``$LAB_SERVER_DIR``.

    Args:
        command: for ``sh -c``; its exit status and output are the result's.
        vers: of the NFS protocol: 4.2, 4.1, 4.0 or 3.
        user: uid and gid that the command runs as; root may also use ``lab-ctl``.
        groups: supplementary group ids.
        writable: folders of the host that the command writes through to.
        mount_options: further ones, for both clients, such as ``actimeo=1``.
        timeout_seconds: until the laboratory is killed; the exit status is then 124. 125: it failed itself.
    """
    settings = {
        "LAB_CACHE": _CACHE,
        "LAB_VERS": vers,
        "LAB_USER": f"{user[0]}:{user[1]}",
        "LAB_GROUPS": ",".join(str(group) for group in groups),
        "LAB_RW": ":".join(str(folder) for folder in writable),
        "LAB_MOUNT_OPTS": mount_options,
        "LAB_TIMEOUT": str(timeout_seconds),
    }
    return subprocess.run(
        ["bash", str(_SCRIPT), command],
        cwd=_ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_seconds + 60,
    )
