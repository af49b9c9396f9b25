"""What guards say, one line each: passed or not, what was seen, what is wanted, what would put it right."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from stackroom.cli.style import Glyphs, Piece, Styled, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stackroom.cli.context import Context


def say_verdicts(context: Context, verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Every verdict on stderr, the values that were seen and wanted with it."""
    for line in verdict_lines(context, verdicts, glyphs_for(sys.stderr)):
        context.say(*line)


def verdict_lines(context: Context, verdicts: Iterable[Mapping[str, Any]], glyphs: Glyphs) -> Iterator[list[Piece]]:
    """The lines of verdicts, as their documents hold them."""
    for verdict in verdicts:
        sign = Styled(glyphs.yes, "green") if verdict["passed"] else Styled(glyphs.no, "red")
        said = f": {verdict['seen']}; wanted: {verdict['wanted']}"
        yield ["  ", sign, " ", Styled(verdict["guard"], "bold"), said, *_overriding(verdict)]
        if verdict["advice"] and not verdict["passed"] and not verdict["overridden"]:
            yield ["      ", Styled(f"try: {context.runnable(verdict['advice'])}", "cyan")]


def _overriding(verdict: Mapping[str, Any]) -> list[Piece]:
    """Whether a guard that refuses has to be obeyed."""
    if verdict["overridden"]:
        return [" ", Styled("(overridden)", "yellow")]
    if verdict["overridable"] and not verdict["passed"]:
        name = verdict["guard"].partition(" ")[0]
        return [" ", Styled(f"(--override {name} --reason '…' overrides it)", "yellow")]
    return []
