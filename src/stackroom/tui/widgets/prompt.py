"""The line where something is typed: a filter, a command, a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from stackroom.core.text import visible
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

Question = Literal["", "/", ":", ">"]
"""What is being asked: nothing, a filter, a command, a name to find."""


class Line(Input):
    """One line of input that neither blinks nor lets a pasted control character through to the terminal."""

    DEFAULT_CSS = """
    Line, Line:focus { background: $background; color: $foreground; border: none; height: 1; padding: 0; }
    """

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """What is typed or pasted, with control characters as pictures of themselves."""
        return visible(value)


class Label(OneLine):
    """The words before an input."""

    DEFAULT_CSS = """
    Label { width: auto; }
    """

    def __init__(self, text: str, *, style: str = "key", id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._text, self._style = text, style
        self.styles.width = len(text)

    def show(self, text: str) -> None:
        """Other words of the same width."""
        self._text = text
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:  # noqa: ARG002  # the words are as wide as the widget
        """The words."""
        return [Cell(self._text, self._style)]


class Prompt(Horizontal):
    """A question at the foot of the screen."""

    DEFAULT_CSS = """
    Prompt { height: 1; width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
    ]

    class Typed(Message):
        """The text has changed.

        Attributes:
            question: what is being asked.
            text: as it stands.
        """

        def __init__(self, question: Question, text: str) -> None:
            super().__init__()
            self.question = question
            self.text = text

    class Entered(Typed):
        """Enter."""

    class Complete(Typed):
        """Tab."""

    class Step(Message):
        """An arrow: the list behind the question moves.

        Attributes:
            lines: down, or up when negative.
        """

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self) -> None:
        super().__init__()
        self.question: Question = ""
        self._label = Label(" / ")
        self._line = Line()
        self.display = False

    def compose(self) -> ComposeResult:
        """The sign of the question, the input."""
        yield self._label
        yield self._line

    def ask(self, question: Question, text: str = "") -> None:
        """Open with a text to go on from."""
        self.question = question
        self._label.show(f" {question} ")
        self._line.value = text
        self._line.cursor_position = len(text)
        self.display = True
        self.screen.set_focus(self._line, scroll_visible=False)

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._line.value

    def put(self, text: str) -> None:
        """Replace what was typed."""
        self._line.value = text
        self._line.cursor_position = len(text)

    def close(self) -> None:
        """Ask nothing any more."""
        self.question = ""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every key counts: filters are live."""
        event.stop()
        if self.question:
            self.post_message(self.Typed(self.question, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter ends the question."""
        event.stop()
        if self.question:
            self.post_message(self.Entered(self.question, event.value))

    def action_complete(self) -> None:
        """Ask for the rest of the word."""
        self.post_message(self.Complete(self.question, self._line.value))

    def action_step(self, lines: int) -> None:
        """Move the list without leaving the question."""
        self.post_message(self.Step(lines))
