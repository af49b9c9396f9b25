"""Events that somebody saw and that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.registry.remembering import Vanished
    from stackroom.tui.present.words import Line


def vanished_lines(found: Sequence[Vanished]) -> list[Line]:
    """Each of them, and what to do about it."""
    if not found:
        return [(Cell("nothing that you saw is gone"),)]
    lines: list[Line] = []
    for one in found:
        lines += [(Cell("! ", "bad"), Cell(one.message, "bad")), ()]
    told = "Only who may write there, or a backup that was put back, can have done it. If it is known:"
    return [*lines, (Cell(told),), (Cell("  stackroom history --acknowledge", "key"),)]
