"""A line between two panes, in the terminal's own glyphs: a CSS border has no ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.tui.widgets.drawing import Painted

if TYPE_CHECKING:
    from textual.strip import Strip


class Divider(Painted):
    """A vertical line where it is one cell wide, a horizontal one elsewhere."""

    DEFAULT_CSS = """
    Divider { width: 1; height: 1fr; }
    """

    def render_line(self, y: int) -> Strip:  # noqa: ARG002  # every line looks the same
        """One line."""
        width, dim = self.size.width, self.look("dim")
        return self.paint([((self.glyphs.bar if width == 1 else self.glyphs.rule) * width, dim)], width, dim)
