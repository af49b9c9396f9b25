"""A question that one key answers."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.one_line import OneLine
from stackroom.tui.widgets.prompt import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Choice = tuple[str, str]
"""A key and what it stands for."""


class Choices(OneLine, can_focus=True):
    """Keys with their meanings at the foot of the screen; any other key gives the question up.

    What is typed ahead after the one that answers is kept, and given to whatever the answer leads to: it would be taken
    for an answer, too, and perhaps to the next question.
    """

    class Chosen(Message):
        """A key was pressed.

        Attributes:
            key: the one that was chosen; None when the question was given up.
            answer: of the question that was asked.
        """

        def __init__(self, key: str | None, answer: Callable[[str], None]) -> None:
            super().__init__()
            self.key = key
            self.answer = answer

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._choices: tuple[Choice, ...] = ()
        self._answer: Callable[[str], None] | None = None
        self._ahead: list[events.Key] | None = None
        self.display = False

    def ask(self, title: str, choices: Sequence[Choice], answer: Callable[[str], None]) -> None:
        """Open; the answer comes with :class:`Chosen`, after which whoever gets it calls :meth:`release`."""
        self._title, self._choices, self._answer = title, tuple(choices), answer
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)
        self.redraw()

    def compose_line(self, width: int) -> list[Cell]:  # noqa: ARG002  # what does not fit is cut when it is painted
        """The question and its answers."""
        cells = [Cell(f" {self._title}:", "strong")]
        for key, meaning in self._choices:
            cells += [Cell(f"  {key}", "key"), Cell(f" {meaning}")]
        return [*cells, Cell("  esc", "key"), Cell(" none")]

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002  # every key is an answer
        """Every key but ``^q`` is for the question."""
        return key != "ctrl+q"

    def on_key(self, event: events.Key) -> None:
        """One key ends it; what is typed ahead after it is for whatever the answer leads to. ``^q`` still quits."""
        if event.key == "ctrl+q":
            return
        event.stop()
        event.prevent_default()
        answer, self._answer = self._answer, None
        if answer is not None:
            self.display = False
            self._ahead = []
            known = {key for key, _ in self._choices}
            self.post_message(self.Chosen(event.character if event.character in known else None, answer))
        elif self._ahead is not None:
            self._ahead.append(event)
        else:
            let_go(self)
            self._pass_on(event)

    def release(self) -> None:
        """The answer has been taken: what was typed after it goes where the keys are now."""
        held, self._ahead = self._ahead or [], None
        for event in held:
            self._pass_on(event)

    def _pass_on(self, event: events.Key) -> None:
        # In a context of its own: as ours it would be taken for this one, and go no further.
        self.app.post_message(Context().run(events.Key, event.key, event.character))
