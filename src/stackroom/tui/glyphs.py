r"""Every character on the screen that is not a letter of somebody's text, in two sets.

``UNICODE`` for terminals that say UTF-8, ``ASCII`` for all others: a terminal without UTF-8 shows ``\u25b2`` where one
character was meant, and the columns fall apart. Each glyph is one cell wide in both sets, so a layout never depends
on which one is in use. No emoji and no private fonts: their widths differ between terminals.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stackroom.core.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VARIATION: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: they make a character one cell wider on some terminals and not on others."""

_LIMITED_TERMS: Final = ("linux", "vt", "ansi", "cons25")
"""Values of TERM, or their beginnings, whose fonts hold few glyphs: the consoles of kernels and real terminals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    r"""One set of glyphs.

    Attributes:
        cursor: before the row that keys act on.
        mark: before a marked row.
        changed: before a row that somebody else has just changed.
        up: a metric where higher is better; also "above".
        down: a metric where lower is better; also "below".
        ascending: the sort runs from small to large.
        descending: the sort runs from large to small.
        better: beside a delta that is an improvement.
        worse: beside a delta that is not.
        best: beside the best value of a row.
        yes: a guard that holds.
        no: a guard that does not.
        pending: something still runs.
        live: what is shown is as new as the poll's interval.
        slow: the registry answers, slowly.
        stale: what is shown is old, for a reason that is said.
        separator: between items of a status line.
        crumb: between two steps of a path.
        ellipsis: where text was cut.
        missing: where there is no value.
        rule: one cell of a horizontal line.
        bar: one cell of a vertical line.
        thumb: the part of a list that is on the screen.
        arrow: from one value to the next.
        blocks: eight heights of a sparkline, from low to high.
        gap: a sparkline's cell without a value.
        point: a value in a plot; in the line of a stage, a version that holds it.
        past: in the line of a stage, a version that held it.
        observed: in a plot, a value that production measured.
        line: a plot's line, where there is no braille.
        corner: where a plot's axes meet.
        tick: on the axis of values, beside a value that is written.
        notch: on the axis of versions, above one that is written.
        braille: whether a plot's lines are drawn in dots, eight of them in a cell.
        ascii_only: text beyond ASCII cannot be shown and is spelled as ``\uXXXX``.
    """

    cursor: str = ">"
    mark: str = "●"
    changed: str = "~"
    up: str = "↑"
    down: str = "↓"
    ascending: str = "▲"
    descending: str = "▼"
    better: str = "▲"
    worse: str = "▼"
    best: str = "*"
    yes: str = "✓"
    no: str = "✗"
    pending: str = "…"
    live: str = "●"
    slow: str = "◐"
    stale: str = "○"
    separator: str = "·"
    crumb: str = "›"  # noqa: RUF001  # the glyph is meant: it is no mistyped ">"
    ellipsis: str = "…"
    missing: str = "–"  # noqa: RUF001  # a dash as wide as a digit
    rule: str = "─"
    bar: str = "│"
    thumb: str = "▐"
    arrow: str = "→"
    blocks: str = "▁▂▃▄▅▆▇█"
    gap: str = " "
    point: str = "●"
    past: str = "○"
    observed: str = "◆"
    line: str = "."
    corner: str = "└"
    tick: str = "┤"
    notch: str = "┬"
    braille: bool = True
    ascii_only: bool = False

    def drawable(self, text: str) -> str:
        """Untrusted text as this terminal can show it: harmless, on one line, each character of a known width.

        Costs 0.2 µs for short ASCII text and about 0.5 µs per character otherwise.
        """
        if text.isascii() and text.isprintable():
            return text
        shown = _VARIATION.sub("", visible(text))
        if self.ascii_only:
            # Our own sentences have ellipses, and three dots are what people have always typed for one.
            return shown.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")
        return shown


UNICODE: Final = Glyphs()
"""For terminals that say UTF-8."""

ASCII: Final = Glyphs(
    mark="*",
    up="^",
    down="v",
    ascending="^",
    descending="v",
    better="+",
    worse="-",
    yes="v",
    no="x",
    pending=".",
    live="*",
    slow="o",
    stale="!",
    separator="|",
    crumb="/",
    ellipsis="~",
    missing="-",
    rule="-",
    bar="|",
    thumb="#",
    arrow=">",
    blocks="_.,-=+*#",
    point="o",
    past=".",
    observed="x",
    corner="+",
    tick="+",
    notch="+",
    braille=False,
    ascii_only=True,
)
"""For terminals whose encoding is not UTF-8: other people's text is spelled in ASCII, too."""

LIMITED: Final = Glyphs(**{name: getattr(ASCII, name) for name in Glyphs.__slots__} | {"ascii_only": False})
"""For terminals that say UTF-8 but whose font is small: our glyphs in ASCII, other people's text as it is."""


def glyphs_for(*, encoding: str | None, term: str | None) -> Glyphs:
    """The set that fits a terminal.

    Args:
        encoding: of the stream that is drawn to: ``sys.__stderr__.encoding``.
        term: the value of ``TERM``.
    """
    if (encoding or "").lower().replace("-", "").replace("_", "") not in {"utf8", "utf8sig"}:
        return ASCII
    return LIMITED if (term or "").startswith(_LIMITED_TERMS) else UNICODE


def glyphs_of(app: object) -> Glyphs:
    """The set an app has chosen in its attribute ``glyphs``; ``UNICODE`` for an app without one."""
    chosen = getattr(app, "glyphs", UNICODE)
    return chosen if isinstance(chosen, Glyphs) else UNICODE


def spark(values: Sequence[float | None], width: int, glyphs: Glyphs = UNICODE) -> str:
    """The last ``width`` values as one line of blocks.

    A value that is missing, NaN or infinite leaves a gap and does not stretch the scale. Values that are all equal,
    or only one, stand at middle height: there is no trend to show.

    Args:
        values: oldest first.
        width: in cells; the result is never wider, and narrower when there are fewer values.
        glyphs: the set to draw with.
    """
    shown = values[-width:] if width > 0 else ()
    finite = [float(value) for value in shown if value is not None and math.isfinite(value)]
    if not finite:
        return glyphs.gap * len(shown)
    low, high = min(finite), max(finite)
    # Halved before the subtraction: the difference of two floats can overflow, that of their halves cannot.
    span = high / 2 - low / 2
    top = len(glyphs.blocks) - 1
    cells = []
    for value in shown:
        if value is None or not math.isfinite(value):
            cells.append(glyphs.gap)
        elif span <= 0:
            cells.append(glyphs.blocks[top // 2])
        else:
            cells.append(glyphs.blocks[min(top, round((value / 2 - low / 2) / span * top))])
    return "".join(cells)


def terminal_glyphs(environ: Mapping[str, str], encoding: str | None) -> Glyphs:
    """The set for this process: ``STACKROOM_ASCII=1`` asks for ASCII, otherwise the terminal decides."""
    if environ.get("STACKROOM_ASCII", "0") not in {"", "0"}:
        return ASCII
    return glyphs_for(encoding=encoding, term=environ.get("TERM"))
