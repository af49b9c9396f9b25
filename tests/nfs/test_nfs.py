"""The registry on NFS: a real server and two clients that share nothing but the export, over both protocols in use.

``LAB_VERS=4.1 STACKROOM_NFS=1 pytest tests/nfs`` runs the same over another one.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from nfs import inside
from support.lab import in_lab

pytestmark = [pytest.mark.nfs, pytest.mark.xdist_group("nfs")]  # one process: one laboratory for all of them

VERSIONS = [os.environ["LAB_VERS"]] if "LAB_VERS" in os.environ else ["4.2", "3"]


@pytest.fixture(scope="module", params=VERSIONS)
def outcomes(request: pytest.FixtureRequest) -> dict[str, str]:
    """What became of each scenario; the laboratory boots once for all of them."""
    script = Path(inside.__file__)
    command = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    done = in_lab(command, vers=request.param)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in inside.SCENARIOS])
def test_two_clients(scenario: str, outcomes: dict[str, str]) -> None:
    assert not outcomes[scenario], outcomes[scenario]


def test_the_laboratory_passes_on_status_and_output() -> None:
    done = in_lab(
        "echo out; echo err >&2; id -u; id -G; exit 7", vers=VERSIONS[0], user=(61_001, 61_001), groups=[61_100]
    )
    assert done.returncode == 7
    assert done.stdout.split() == ["out", "61001", "61001", "61100"]
    assert done.stderr.strip() == "err"
