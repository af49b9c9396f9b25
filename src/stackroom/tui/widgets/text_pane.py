"""Text that is read and not acted upon: cards, diffs, logs, help. The same lines as a table, without a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import chop_cells

from stackroom.core.text import visible
from stackroom.tui.widgets.drawing import Cell, fit, width_of
from stackroom.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from textual.strip import Strip

    from stackroom.tui.glyphs import Glyphs

_SIDE_STEP: Final = 8
"""Cells that one step sideways moves."""

_LINE_LIMIT: Final = 4096
"""Cells of a line that can be scrolled to; what is beyond is cut: nobody reads a minified file here."""

Line = tuple[Cell, ...]
"""Pieces that follow each other without a gap."""


class _Shown(NamedTuple):
    pieces: Line
    offset: int
    thumb: bool


class TextPane(LineView):
    """Lines that scroll, up and down and sideways.

    Cost: proportional to the screen; :meth:`set_text` with ``wrap`` goes over the whole text, 10 ms for 64 KB, and
    again whenever the width changes.

    Args:
        empty: what is said when there is no text.
        id: of the widget.
        classes: of the widget.
    """

    def __init__(
        self,
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002  # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._empty = empty
        self._shown: Sequence[Line] = ()
        self._text: str | None = None
        self._unfolded: Sequence[Line] | None = None
        self._wrapped_at = 0
        self._offset = 0
        self._found = -1

    @property
    def line_count(self) -> int:
        """Lines as they are shown: a wrapped one counts for each of its parts."""
        return len(self._shown)

    def set_lines(self, lines: Sequence[Line], *, keep_place: bool = False, fold: bool = False) -> None:
        """Other lines.

        Args:
            lines: from the top; each piece has its role.
            keep_place: stay at the same line number instead of going to the top.
            fold: break the last piece of a line that is too long, below where it starts.
        """
        self._text = None
        self._unfolded = lines if fold else None
        self._wrapped_at = self.text_width
        if fold and self.text_width:
            lines = [part for line in lines for part in folded(line, self.text_width, self.glyphs)]
        self._replace(lines, keep_place=keep_place)

    def set_text(self, text: str, *, wrap: bool = True, keep_place: bool = False) -> None:
        """Other text.

        Args:
            text: of any length, untrusted; a line feed ends a line, a tab is four blanks.
            wrap: break long lines between words, keeping their indent, whenever the width changes.
            keep_place: stay at the same line number instead of going to the top.
        """
        text = text.replace("\r\n", "\n")
        self._text = text if wrap else None
        self._unfolded = None
        self._wrapped_at = self.text_width
        if wrap:
            lines = wrapped(text, self.text_width, self.glyphs) if self.text_width else []
        else:
            lines = visible(text, multiline=True).split("\n")
        self._replace([(Cell(line),) for line in lines], keep_place=keep_place)

    def find(self, needle: str, *, backwards: bool = False, here: bool = False) -> int | None:
        """Scroll to the next line that contains a text; upper and lower case are the same.

        Args:
            needle: what to find.
            backwards: upwards.
            here: the line to start from counts, too: while the text is still being typed.

        Returns:
            The number of the line, from 0; None when there is none in this direction.
        """
        wanted, start = needle.casefold(), self._viewport.top
        if self._found in self._viewport.visible:
            start = self._found  # near the end, what was found is not at the top
        places = range(start - 1, -1, -1) if backwards else range(start + (not here), len(self._shown))
        for place in places:
            if wanted in "".join(cell.text for cell in self._shown[place]).casefold():
                self._found = place
                self.go_to(place)
                return place
        return None

    def scroll_sideways(self, steps: int) -> None:
        """So many steps of eight cells to the right, to the left when negative."""
        widest = max((self._width(self._shown[index]) for index in self._viewport.visible), default=0)
        furthest = max(0, widest - self.text_width)
        self._offset = max(0, min(self._offset + steps * _SIDE_STEP, max(furthest, self._offset)))
        self.redraw()

    def on_resize(self) -> None:
        """Another width: the text is broken anew. Textual calls the inherited handler, too, after this one."""
        if self._text is not None and self.text_width != self._wrapped_at:
            self.set_text(self._text, keep_place=True)
        elif self._unfolded is not None and self.text_width != self._wrapped_at:
            self.set_lines(self._unfolded, keep_place=True, fold=True)

    def describe(self) -> list[_Shown]:
        """One value per line of the screen."""
        lines = [
            _Shown(self._shown[index], self._offset, self.has_thumb(y))
            for y, index in enumerate(self._viewport.visible)
        ]
        if not lines and self._empty:
            lines.append(_Shown((Cell(self._empty, "dim"),), 0, thumb=False))
        lines.extend(_Shown((), 0, thumb=False) for _ in range(self.size.height - len(lines)))
        return lines[: self.size.height]

    def draw(self, line: Hashable) -> Strip:
        """The strip for one value of :meth:`describe`."""
        if not isinstance(line, _Shown):  # only this class makes them
            raise TypeError(line)
        glyphs, plain, room = self.glyphs, self.look(), self.text_width
        width = min(self._width(line.pieces), _LINE_LIMIT)
        pieces = [
            (
                fit(cell.text, width_of(cell.text, limit=_LINE_LIMIT, glyphs=glyphs), glyphs=glyphs),
                self.look(cell.style),
            )
            for cell in line.pieces
        ]
        text = self.paint(pieces, max(width, line.offset + room), plain)
        shown = [(segment.text, segment.style or plain) for segment in text.crop(line.offset, line.offset + room)]
        if width > line.offset + room and room:
            cut = text.crop(line.offset, line.offset + room - 1)
            shown = [(segment.text, segment.style or plain) for segment in cut]
            shown.append((glyphs.ellipsis, self.look("dim")))
        if line.thumb:
            shown.append((glyphs.thumb, self.look("dim")))
        return self.paint(shown, self.size.width, plain)

    def _width(self, pieces: Line) -> int:
        return sum(width_of(cell.text, limit=_LINE_LIMIT, glyphs=self.glyphs) for cell in pieces)

    def _replace(self, lines: Sequence[Line], *, keep_place: bool) -> None:
        top = self._viewport.top if keep_place else 0
        self._shown = lines
        self._viewport.replace([str(number) for number in range(len(lines))])
        self._viewport.scroll(top - self._viewport.top)
        self._offset = self._offset if keep_place else 0
        self._found = self._found if keep_place else -1
        self.redraw()


def folded(line: Line, width: int, glyphs: Glyphs) -> list[Line]:
    """A line as lines of at most ``width`` cells: its last piece goes on below itself."""
    lead = sum(width_of(cell.text, limit=width, glyphs=glyphs) for cell in line[:-1])
    if not line or lead + width_of(line[-1].text, limit=width + 1, glyphs=glyphs) <= width:
        return [line]
    text, style = line[-1]
    if lead > width // 2:
        first, *rest = [line[:-1], *([(Cell("    " + part, style),) for part in wrapped(text, width - 4, glyphs)])]
        return [first, *rest]
    first_part, *parts = wrapped(text, width - lead, glyphs)
    return [(*line[:-1], Cell(first_part, style)), *((Cell(" " * lead + part, style),) for part in parts)]


def wrapped(text: str, width: int, glyphs: Glyphs) -> list[str]:
    """A text as drawable lines of at most ``width`` cells, broken between words; a longer word is broken anywhere.

    The parts of a line keep its indent, up to half the width.
    """
    lines: list[str] = []
    for raw in visible(text, multiline=True).split("\n"):
        line = glyphs.drawable(raw).rstrip()
        if width_of(line, limit=width + 1, glyphs=glyphs) <= width:
            lines.append(line)
            continue
        indent = " " * min(len(line) - len(line.lstrip()), width // 2)
        current = ""
        for word in line.split():
            joined = f"{current} {word}" if current else indent + word
            if width_of(joined, limit=width + 1, glyphs=glyphs) <= width:
                current = joined
                continue
            if current:
                lines.append(current)
            *whole, current = chop_cells(indent + word, max(1, width)) or [""]
            lines.extend(whole)
        lines.append(current)
    return lines
