"""What the environment knows about where a version comes from: host, commit, command, job.

Nothing here may fail a register: what cannot be found out is left out.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from typing import Any, Final

_GIT_SECONDS: Final = 5.0
"""How long git may take: a status over NFS can hang, and a register must not."""

_COMMAND_LIMIT: Final = 500
"""Characters of the command line that are kept."""

_RUN_VARIABLES: Final = ("MLFLOW_RUN_ID", "WANDB_RUN_ID")
_CI_VARIABLES: Final = ("GITHUB_RUN_ID", "CI_JOB_ID", "BUILDKITE_JOB_ID", "BUILD_TAG")


def provenance() -> dict[str, Any]:
    """The fields of ``[source]`` that the environment knows."""
    found: dict[str, Any] = {"host": platform.node(), "command": _command()}
    found |= _git()
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    found["slurm_job"] = f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")
    found["run"] = _first(_RUN_VARIABLES)
    found["ci_job"] = _first(_CI_VARIABLES)
    return {key: _printable(value) for key, value in found.items() if value != ""}


def _printable(value: object) -> object:
    """The value without bytes that are not UTF-8, which a variable may hold and a metadata file may not."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _first(variables: tuple[str, ...]) -> str:
    return next((os.environ[name] for name in variables if os.environ.get(name)), "")


def _command() -> str:
    words = [os.path.basename(sys.argv[0]) or "python", *sys.argv[1:]]
    text = shlex.join(words)
    return text if len(text) <= _COMMAND_LIMIT else text[: _COMMAND_LIMIT - 1] + "…"


def _git() -> dict[str, Any]:
    if not _may_be_in_a_repository():
        return {}
    # One call for both: starting git takes longer than everything else that a small register does.
    both = _git_output("status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if both is None:
        return _git_in_two_calls()
    lines = both.splitlines()
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), "")
    if not re.fullmatch("[0-9a-f]{40,64}", commit):
        return {}
    return {"git_commit": commit, "git_dirty": any(not line.startswith("#") for line in lines)}


def _git_in_two_calls() -> dict[str, Any]:
    """The same of a git from before 2016, of a bare repository, and where looking at every file takes too long."""
    commit = _git_output("rev-parse", "--verify", "HEAD")
    if not commit:
        return {}
    changed = _git_output("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit.strip()} | ({} if changed is None else {"git_dirty": bool(changed.strip())})


def _may_be_in_a_repository() -> bool:
    """Whether git could find one from here: by a variable, or by what lies in a folder above."""
    if any(name.startswith("GIT_") for name in os.environ):
        return True
    try:
        here = os.getcwd()
    except OSError:
        return False
    while not any(os.path.lexists(os.path.join(here, name)) for name in (".git", "HEAD")):
        if here == "/":
            return False
        here = os.path.dirname(here)
    return True


def _git_output(*words: str) -> str | None:
    # A repository's own configuration can name programs for git to run: none of them is wanted here.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
