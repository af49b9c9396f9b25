"""A text to read: the help, a row in full, the reason for a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stackroom.tui.bindings import bindings_for
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.tui.present.words import Line


class TextBody(Body):
    """Holds the keys of a text."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("text")]


class TextPage(Page):
    """Lines that scroll.

    Args:
        title: the last step of the path.
        lines: what there is to read.
        offer: a key, what it does in words, and that; pressed, it closes the page first.
    """

    scope = "text"
    body_class = TextBody

    def __init__(
        self, title: str, lines: Sequence[Line], *, offer: tuple[str, str, Callable[[], None]] | None = None
    ) -> None:
        super().__init__()
        self._title_text = title
        self._lines = lines
        self._offer = offer
        self._pane = TextPane(empty="nothing to read")
        self._needle = ""

    def compose_body(self) -> ComposeResult:
        """The text."""
        yield self._pane

    def on_mount(self) -> None:
        """Show it."""
        self._pane.set_lines(self._lines, fold=True)
        self.set_focus(self._pane, scroll_visible=False)
        if self._offer is not None:
            key, meaning, _ = self._offer
            self.choose(self._title_text, [(key, meaning)], self._take_offer)

    def _take_offer(self, _key: str) -> None:
        if self._offer is not None:
            self.browser.close(self)
            self._offer[2]()

    def steps(self) -> Sequence[str]:
        """The title."""
        return [self._title_text]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """What is read stays as it is."""

    def filter_changed(self, text: str) -> None:
        """Find while typing."""
        self._needle = text
        if text:
            find(self, self._pane, text, here=True)

    def do_next_match(self) -> None:
        """Further down."""
        find(self, self._pane, self._needle)

    def do_previous_match(self) -> None:
        """Further up."""
        find(self, self._pane, self._needle, backwards=True)


def find(page: Page, pane: TextPane, needle: str, *, backwards: bool = False, here: bool = False) -> None:
    """Scroll to the next place of a text, and say so where there is none."""
    if not needle:
        page.say("type / and what to find")
    elif pane.find(needle, backwards=backwards, here=here) is None:
        page.say(f"no more {needle!r}", tone="warn")
    else:
        page.say("")
