"""Small pieces that several screens say in the same way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Validity
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stackroom.core.policy import Better
    from stackroom.store.records import Holding, Problem
    from stackroom.tui.glyphs import Glyphs

Line = tuple[Cell, ...]
"""One line of a text: pieces that follow each other without a gap."""

LABEL_WIDTH: Final = 14
"""Cells of the names at the left of a list of facts."""

_LARGE: Final = 1e16
"""Above it a float is exact in no digit of its own, and a column too narrow."""


def short(value: float | None, glyphs: Glyphs) -> str:
    """A metric in at most four significant digits; the sign for nothing where there is none.

    Whole numbers are whole; those too large for a column are in scientific notation, for cut they look like others.
    """
    if value is None:
        return glyphs.missing
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= _LARGE:
        return f"{float(value):.4g}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.4f}" if 0.01 <= abs(value) < 1 else f"{value:.4g}"


def arrow(better: Better | None, glyphs: Glyphs) -> str:
    """Which way a metric is better, as one character."""
    return {"higher": glyphs.up, "lower": glyphs.down, None: "?"}[better]


def holder_sign(holding: Holding) -> str:
    """What is to be said about a holder in one character: ``!`` missing, ``?`` moved by nobody we can attest."""
    if holding.missing:
        return "!"
    if holding.event is not None and holding.event.validity is not Validity.ATTESTED:
        return "?"
    return ""


def holder_role(holding: Holding) -> str:
    """How the holder of a stage looks."""
    return "bad" if holding.missing else "good"


def fact(name: str, value: str, style: str = "") -> Line:
    """A name and what it is; nothing for an empty value."""
    return (Cell(f"  {name:<{LABEL_WIDTH}}", "dim"), Cell(value, style)) if value else ()


def heading(text: str) -> Line:
    """The title of a part."""
    return (Cell(text, "key"),)


def facts(pairs: Iterable[tuple[str, str]]) -> list[Line]:
    """One line for each name that says something."""
    return [line for line in (fact(name, value) for name, value in pairs) if line]


def problem_lines(problems: Sequence[Problem]) -> list[Line]:
    """What is wrong, each with its place and what to do."""
    lines: list[Line] = []
    for problem in problems:
        role = "bad" if problem.severity == "error" else "warn"
        lines.append((Cell("! ", role), Cell(problem.message, role), Cell(f"  {problem.place}", "dim")))
        if problem.hint:
            lines.append((Cell(f"  {problem.hint}", "dim"),))
    return lines
