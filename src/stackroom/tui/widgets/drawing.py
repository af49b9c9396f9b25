"""How a line of cells becomes what the terminal gets: roles instead of colours, and as few bytes as possible.

A *role* is a word for why a text looks different (``"good"``, ``"dim"``); the theme says how it looks. Neighbours with
one look become one segment: a segment costs some 40 bytes of escape sequences, and a list is redrawn on each key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from stackroom.tui.glyphs import UNICODE, Glyphs, glyphs_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Align = Literal["left", "right"]


class _Look(NamedTuple):
    """How a role looks: names of the theme's colours, attributes, and what stands for both without colours.

    Where there are 16 colours, ``few`` is exactly one of these: the nearest to a soft green or red is white.
    """

    colour: str = ""
    background: str = ""
    attributes: str = ""
    plain: str = ""
    few: str = ""


_LOOKS: Final = {
    "dim": _Look("foreground-muted", plain="dim"),
    "strong": _Look(attributes="bold", plain="bold"),
    "good": _Look("text-success", plain="bold", few="#00aa00"),
    "bad": _Look("text-error", plain="bold", few="#aa0000"),
    "warn": _Look("text-warning"),
    "accent": _Look("text-accent"),
    "gone": _Look("foreground-muted", attributes="strike", plain="dim strike"),
    "header": _Look("foreground-muted", plain="underline"),
    "key": _Look("text-accent", attributes="bold", plain="bold"),
    "selected": _Look("foreground", background="primary 30%", plain="underline"),
    "registry": _Look("auto", background="accent-of-registry", attributes="bold", plain="bold reverse"),
    "cursor": _Look("auto", background="primary", plain="reverse"),
}
"""Every role; an unknown one looks like plain text.

Not component classes in CSS: Textual works out the style of each of them, for each widget, whenever a screen is opened
or a class changes, which is half of what opening a screen costs.
"""

_ZERO_WIDTH_ALLOWANCE: Final = 6
"""Characters kept per cell before a text is measured: a letter and the combining marks that may stand on it."""


class Cell(NamedTuple):
    """A piece of text with one role.

    A named tuple and not a dataclass: ten thousand rows are ten times as many cells, and each is compared and hashed
    whenever its row is drawn.

    Attributes:
        text: anything, of any length; made harmless when it is drawn.
        style: the name of a role, or empty.
    """

    text: str
    style: str = ""


def fit(text: str, width: int, *, align: Align = "left", glyphs: Glyphs = UNICODE) -> str:
    """The text in exactly ``width`` cells: made harmless, padded, or cut and ended with an ellipsis.

    A character two cells wide is never halved. Cost depends on ``width``, not on the length of the text.
    """
    if width <= 0:
        return ""
    kept = text[: width * _ZERO_WIDTH_ALLOWANCE + _ZERO_WIDTH_ALLOWANCE]
    shown = glyphs.drawable(kept)
    cells = cell_len(shown)
    if cells > width or len(kept) < len(text):
        return set_cell_size(shown, width - 1) + glyphs.ellipsis
    padding = " " * (width - cells)
    return padding + shown if align == "right" else shown + padding


def width_of(text: str, *, limit: int, glyphs: Glyphs = UNICODE) -> int:
    """The cells that a text needs, at most ``limit``; cost depends on ``limit``, not on the length of the text."""
    kept = text[: limit * _ZERO_WIDTH_ALLOWANCE + _ZERO_WIDTH_ALLOWANCE]
    if len(kept) < len(text):
        return limit
    return min(limit, cell_len(glyphs.drawable(kept)))


class Painted(Widget):
    """A widget that draws its lines itself, out of cells with roles.

    A line is exactly as wide as the widget, and its last segment runs to the edge. Subclasses implement
    ``render_line`` with :meth:`paint`; they take no part in text selection by mouse, which would redraw them on each
    move of the pointer.
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Painted { background: $background; color: $foreground; }
    """

    _looks: dict[tuple[str, ...], Style]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._looks = {}

    @property
    def glyphs(self) -> Glyphs:
        """The set of glyphs that the app draws with."""
        return glyphs_of(self.app)

    def on_unmount(self) -> None:
        """Give up the drawn lines.

        Textual 8.2.8 keeps those of the last 1024 widgets that there were, for the sake of a cache whose keys they are
        a part of: 20 MB at 80x24, and more on a larger terminal.
        """
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget looks and drawn lines: the theme, the focus or a class has changed."""
        super().notify_style_update()
        self._looks = {}
        self.forget_lines()

    def forget_lines(self) -> None:
        """For subclasses that keep drawn lines: the looks in them are out of date."""

    def look(self, *roles: str) -> Style:
        """The style of one or more roles on top of the widget's own; the last one wins."""
        known = self._looks.get(roles)
        if known is None:
            known = self.rich_style
            for role in roles:
                if role in _LOOKS:
                    known += self._role_style(_LOOKS[role])
            self._looks[roles] = known
        return known

    def _role_style(self, look: _Look) -> Style:
        """A role's colours and attributes; a colour with alpha is blended with what is below it."""
        if self.app.no_color:
            return Style.parse(look.plain)
        style, below = Style.parse(look.attributes), self.background_colors[1]
        variables = self.app.theme_variables | {"accent-of-registry": getattr(self.app, "accent", "")}
        if look.background:
            name, _, strength = look.background.partition(" ")
            colour = Color.parse(variables[name]).multiply_alpha(float(strength.rstrip("%") or 100) / 100)
            below += colour
            style += Style(bgcolor=below.rich_color)
        if look.colour == "auto":
            return style + Style(color=below.get_contrast_text(1.0).rich_color)
        # Without a terminal, pictures are made, and what the environment says of colours is not about them.
        if look.few and self.app.console.color_system == "standard" and not self.app.is_headless:
            style += Style(color=look.few)
        elif look.colour:
            style += Style(color=(below + Color.parse(variables[look.colour])).rich_color)
        return style

    def paint(self, pieces: Iterable[tuple[str, Style]], width: int, rest: Style) -> Strip:
        """One line of exactly ``width`` cells out of drawable texts, with equal neighbours merged.

        Args:
            pieces: texts that :meth:`Glyphs.drawable` has seen, with their styles.
            width: in cells; what goes beyond is cut.
            rest: how the cells after the last piece look.
        """
        segments: list[Segment] = []
        text, style = "", rest
        cells = 0
        for piece, look in pieces:
            cells += cell_len(piece)
            if look == style or (piece.isspace() and look.bgcolor == style.bgcolor and _is_quiet(look, style)):
                text += piece
                continue
            if text:
                segments.append(Segment(text, style))
            text, style = piece, look
        if cells < width:
            blank = " " * (width - cells)
            if style == rest or (style.bgcolor == rest.bgcolor and _is_quiet(rest, style)):
                text += blank
            else:
                segments.append(Segment(text, style))
                text, style = blank, rest
            cells = width
        if text:
            segments.append(Segment(text, style))
        strip = Strip(segments, cells)
        return strip if cells == width else strip.crop(0, width)


def _is_quiet(look: Style, style: Style) -> bool:
    """Whether blanks look the same in both styles: only lines through, under and behind them would show."""
    return (look.underline, look.strike, look.reverse) == (style.underline, style.strike, style.reverse)
