"""Events that somebody saw and that are gone, as every command tells them that looks at ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.cli.context import Context
    from stackroom.registry.remembering import Vanished


def say_vanished(context: Context, found: Sequence[Vanished]) -> None:
    """A warning for each, on stderr, and what to do about it."""
    for one in found:
        context.warn(one.message)
    if found:
        context.say(
            "  only who may write there, or a backup that was put back, can have done it; if it is known: "
            + context.runnable("stackroom history --acknowledge")
        )
