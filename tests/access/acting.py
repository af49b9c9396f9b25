"""What a person is asked to do: a system call or an attack by name, a command, or a look at everything."""

from __future__ import annotations

from typing import Any

from access.attacks import ATTACKS
from access.checks import holders, look
from access.operations import CALLS, command

_DEEDS = {**CALLS, **ATTACKS}


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """Do it in the child that has become that person; an error of the kernel is an answer."""
    if "argv" in request:
        return command(request["argv"])
    if "look" in request:
        return look(request["look"], request["checks"])
    if "holders" in request:
        return holders(request["holders"])
    try:
        _DEEDS[request["how"]](request["path"], request["own"])
    except OSError as error:
        return {"errno": error.errno, "said": str(error)}
    return {"errno": 0, "said": ""}
