"""The line where something is typed: a filter, a command, a reason."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Final, Literal

from textual import events
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from stackroom.core.text import visible
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

Question = Literal["", "/", ":", ">", "="]
"""What is being asked: nothing, a filter, a command, a name to find, a value."""

_CORRECTING: Final = {
    "backspace": "delete_left",
    "delete": "delete_right",
    "left": "cursor_left",
    "right": "cursor_right",
    "home": "home",
    "ctrl+a": "home",
    "end": "end",
    "ctrl+e": "end",
    "ctrl+u": "delete_left_all",
    "ctrl+k": "delete_right_all",
    "ctrl+w": "delete_left_word",
}
"""Keys that correct a line, and Textual's names of what they do."""


class Line(Input):
    """One line of input that neither blinks nor lets a pasted control character through to the terminal."""

    DEFAULT_CSS = """
    Line, Line:focus { background: $background; color: $foreground; border: none; height: 1; padding: 0; }
    Line > .input--selection { background: $background; color: $foreground; text-style: reverse; }
    """

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_key(self, event: events.Key) -> None:
        """What corrects the line is done in the order of the keys.

        As a binding it would travel through the queues of other widgets first, and what is typed ahead after it would
        be corrected, too.
        """
        correct = _CORRECTING.get(event.key)
        if correct is not None:
            event.stop()
            event.prevent_default()
            getattr(self, f"action_{correct}")()

    def validate_value(self, value: str) -> str:
        """What is typed or pasted, with control characters as pictures of themselves."""
        return visible(value)


_STEPS: Final = {"up": -1, "down": 1}
"""Keys that move the list behind a question, and by how many lines."""


def let_go(widget: Widget) -> None:
    """Have the keys go to whatever can take them, if anything, where a question that is closed has them still.

    On a terminal that is too small nothing can take them back; and what a closed question passed on would come to it
    again, for ever.
    """
    if widget.screen.focused is widget:
        widget.screen.set_focus(None)
        widget.screen.focus_next()


class _Asked(Line):
    """The line of a question: what is typed ahead after Enter or Esc is for whatever the answer leads to.

    Both travel through the queues of other widgets before the line is closed, and meanwhile every key would land here.
    So do Tab and the arrows, to a screen that may write another line than the one that the next key would find here.
    None of them is a binding: one of those is looked for on the screen that is shown by then, and where it is not
    found, nobody would ask for the keys that are kept.
    """

    class GivenUp(Message):
        """Esc."""

    class Completed(Message):
        """Tab."""

    class Stepped(Message):
        """An arrow.

        Attributes:
            lines: down, or up when negative.
        """

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self) -> None:
        super().__init__()
        self._ahead: list[events.Key] | None = None
        self._is_asked = False

    def begin(self) -> None:
        """A question is open."""
        self._is_asked = True

    def end(self) -> None:
        """No question is open any more: keys that are still on their way here are for somebody else."""
        self._is_asked = False
        self.release()

    def release(self) -> None:
        """The key has been taken, or was refused: what was typed after it goes where the keys are now."""
        held, self._ahead = self._ahead or [], None
        for event in held:
            self._pass_on(event)

    def on_key(self, event: events.Key) -> None:
        """What others have to answer is sent to them at once; after it, keys are kept."""
        if self._ahead is not None:
            self._ahead.append(event)
        elif not self._is_asked:
            let_go(self)
            self._pass_on(event)
        elif event.key == "enter":
            self._ahead = []
            self.post_message(self.Submitted(self, self.value))
        elif event.key == "escape":
            self._ahead = []
            self.post_message(self.GivenUp())
        elif event.key == "tab":
            self._ahead = []
            self.post_message(self.Completed())
        elif event.key in _STEPS:
            self._ahead = []
            self.post_message(self.Stepped(_STEPS[event.key]))
        else:
            if event.key == "space" and not self.selection.is_empty:
                # One more word goes behind the ones that are there.
                self.action_end()
            return
        event.stop()
        event.prevent_default()

    def _pass_on(self, event: events.Key) -> None:
        # In a context of its own: as ours it would be taken for this one, and go no further.
        self.app.post_message(Context().run(events.Key, event.key, event.character))


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
        """Other words."""
        self._text = text
        self.styles.width = len(text)
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:  # noqa: ARG002  # the words are as wide as the widget
        """The words."""
        return [Cell(self._text, self._style)]


class Prompt(Horizontal):
    """A question at the foot of the screen."""

    DEFAULT_CSS = """
    Prompt { height: 1; width: 1fr; }
    """

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
        self._line = _Asked()
        self.display = False

    def compose(self) -> ComposeResult:
        """The sign of the question, the input."""
        yield self._label
        yield self._line

    def ask(self, question: Question, text: str = "", label: str = "") -> None:
        """Open with a text to go on from, and words before it; without, the sign of the question stands there.

        The text of a filter is selected: what is typed next is a new one, while a blank or a key that moves goes on
        with the old one. A value is mostly corrected, so that it is not.
        """
        self.question = question
        self._label.show(f" {label or question} ")
        self._line.value = text
        self._line.cursor_position = len(text)
        if question == "/":
            self._line.select_all()
        self.display = True
        self._line.begin()
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
        self._line.end()

    def release(self) -> None:
        """The screen has answered a key: what was typed after it goes to whatever has the keys by now."""
        self._line.release()

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

    def on__asked_given_up(self, event: _Asked.GivenUp) -> None:
        """Esc gives the question up, or what the screen has to give up."""
        event.stop()
        self.screen.call_later(self._give_up)

    def _give_up(self) -> None:
        self.screen.action_act("escape")  # type: ignore[attr-defined]  # it stands on a page alone
        self.release()

    def on__asked_completed(self, event: _Asked.Completed) -> None:
        """Ask for the rest of the word."""
        event.stop()
        self.post_message(self.Complete(self.question, self._line.value))

    def on__asked_stepped(self, event: _Asked.Stepped) -> None:
        """Move the list without leaving the question."""
        event.stop()
        self.post_message(self.Step(event.lines))
