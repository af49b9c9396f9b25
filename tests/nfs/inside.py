"""What two NFS clients see of each other: run inside the laboratory, prints one JSON object of outcomes.

Each scenario gets a fresh folder of the export as both clients see it, and fails by raising. All of them share one
boot, which takes longer than any of them.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def a_file_of_one_client_is_seen_by_the_other(a: Path, b: Path) -> None:
    (a / "from-a").write_text("written by a", encoding="ascii")
    (b / "from-b").write_text("written by b", encoding="ascii")
    assert sorted(os.listdir(a)) == sorted(os.listdir(b)) == ["from-a", "from-b"]
    assert (b / "from-a").read_text(encoding="ascii") == "written by a"
    assert (a / "from-b").read_text(encoding="ascii") == "written by b"


def the_clients_have_caches_of_their_own(a: Path, b: Path) -> None:
    assert a.stat().st_ino == b.stat().st_ino
    assert a.stat().st_dev != b.stat().st_dev


def a_symlink_is_created_by_one_client_only(a: Path, b: Path) -> None:
    for number in range(50):
        name = f"fraud-detector@{number}"
        first, second = (a, b) if number % 2 else (b, a)
        (first / name).symlink_to("first")
        try:
            (second / name).symlink_to("second")
        except FileExistsError:
            pass
        else:
            raise AssertionError(f"both clients created {name}")
        assert os.readlink(second / name) == "first"


SCENARIOS: tuple[Callable[[Path, Path], None], ...] = (
    a_file_of_one_client_is_seen_by_the_other,
    the_clients_have_caches_of_their_own,
    a_symlink_is_created_by_one_client_only,
)


def main() -> None:
    """Run every scenario; an outcome is an empty text, or the traceback of the failure."""
    mounts = [Path(os.environ[name]) for name in ("LAB_SERVER_DIR", "LAB_MOUNT_A", "LAB_MOUNT_B")]
    outcomes = {}
    for scenario in SCENARIOS:
        server, a, b = (mount / scenario.__name__ for mount in mounts)
        server.mkdir()
        server.chmod(0o777)
        for client in (a, b):
            os.listdir(client.parent)  # asks the server, where a look at the name alone may be answered from a cache
        try:
            scenario(a, b)
        except Exception:  # noqa: BLE001 - one scenario's failure must not hide the others
            outcomes[scenario.__name__] = traceback.format_exc()
        else:
            outcomes[scenario.__name__] = ""
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
