"""One person's word for a version: what it is about, who has spoken, a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.core.approvals import Op
from stackroom.errors import ConflictError
from stackroom.registry.approving import Hearing, Spoken, hearing
from stackroom.tui.bindings import Hint, bindings_for
from stackroom.tui.present import approve as heard
from stackroom.tui.present.move import refusal, words_news
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.asked import Asked
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.prompt import Label, Line
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widgets import Input

    from stackroom.core.names import Ref
    from stackroom.tui.actions import Action
    from stackroom.tui.background import Task


class ApproveBody(Body):
    """Holds the keys of a word."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("approve")]


class ApprovePage(Page):
    """Yes or no to a version for a stage.

    Args:
        ref: the version, by its number.
        op: which of the two.
        stage: for which; chosen on the screen where several ask for approvals.
    """

    scope = "approve"
    body_class = ApproveBody

    DEFAULT_CSS = """
    ApprovePage #body { layout: vertical; }
    """

    def __init__(self, ref: Ref, op: Op, stage: str | None = None) -> None:
        super().__init__()
        self.ref = ref
        self.op = op
        self.stage = stage
        self._chosen_before = stage is not None
        self._stages = LineTable(heard.STAGE_COLUMNS, empty="registry.toml declares no stages")
        self._text = TextPane(empty="reading …")
        self._reason = Line(id="reason")
        self._reason_line = Asked(Label(" Reason: "), self._reason)
        self._hearing: Hearing | None = None
        self._news = ""
        self._writing = self._asked = False

    def compose_body(self) -> ComposeResult:
        """First the stages, then what is known."""
        yield self._stages
        yield self._text

    def compose_foot(self) -> ComposeResult:
        """The reason; not in the body, whose keys are letters here."""
        yield self._reason_line

    def on_mount(self) -> None:
        """Ask for the stage, unless it is known or there is only one to ask for."""
        self._text.display = self._reason_line.display = False
        policy = self.browser.registry.policy
        self._stages.set_rows(heard.stage_rows(policy))
        stages = heard.stages_to_ask(policy)
        if self.stage is None and len(stages) == 1:
            self.stage, self._chosen_before = stages[0], True
        if self.stage is None:
            self.set_focus(self._stages, scroll_visible=False)
            self.say("choose the stage")
        else:
            self._hear()

    def steps(self) -> Sequence[str]:
        """What is being done."""
        return [self.ref.model, f"{self.op} {self.ref.value}", *([self.stage] if self.stage else [])]

    def facts(self) -> Sequence[str]:
        """How many yes and no stand."""
        if self._hearing is None:
            return []
        standing = [word for word in self._hearing.words if word.stands and word.approval]
        yes = sum(word.approval.op is Op.APPROVE for word in standing if word.approval)
        return [f"{yes} approved, {len(standing) - yes} rejected it as it is now"]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """It may be another version now: look again, and say so."""
        if self.ref.model in changed and self.stage is not None and not self._writing:
            self._news = f"changed meanwhile: {self.browser.last_news or self.ref.model}"
            self._hear()

    def judge_again(self, spoken: frozenset[str] | None) -> None:
        """Somebody else may have spoken, or the stage asks for more."""
        if self.stage is not None and not self._writing and (spoken is None or self.ref.model in spoken):
            self._hear()

    def show_hints(self) -> None:
        """While something is typed, letters are letters."""
        if isinstance(self.focused, Line):
            enter = Hint("choose", "enter", str(self.op), not heard.obstacles(self._hearing))
            self.hints.show([enter, Hint("escape", "esc", "back")], more=Hint("help", "F1", "more"))
        else:
            super().show_hints()

    def why_not(self, action: Action) -> str:
        """Once a stage is chosen, Enter is grey until the word can be given."""
        if action.id == "choose" and self.stage is not None:
            return "; ".join(heard.obstacles(self._hearing))
        return super().why_not(action)

    def on_descendant_focus(self) -> None:
        """Other keys."""
        self.show_hints()

    # ---- looking

    def _hear(self) -> None:
        """Read it, in a thread."""
        registry, ref, stage = self.browser.registry, self.ref, self.stage or ""
        self._stages.display, self._text.display = False, True
        if self._hearing is None:
            self.set_focus(self._text, scroll_visible=False)
        self.say("reading")
        self.show_bars()

        def work(_task: Task) -> Hearing:
            return hearing(registry, ref, stage)

        self.work.run("hear", work)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """What is known, or the word itself."""
        if name == "hear":
            before = self._hearing.words if self._hearing else value.words
            self._news = words_news(before, value.words) or self._news
            self._hearing = value
            obstacles = heard.obstacles(value) if self._asked else ()
            self._asked = False
            self.say(obstacles[0] if obstacles else "", tone="warn")
            self._show()
        elif name == "speak":
            self._spoken(value)

    def failed(self, name: str, error: Exception) -> None:
        """After a conflict, look again."""
        self._writing = self._asked = False
        if name == "speak" and isinstance(error, ConflictError):
            self._news = str(error)
            self._hear()
            return
        self._text.set_lines(refusal(error), fold=True)
        self.complain(error)

    def _show(self) -> None:
        if self._hearing is None:
            return
        app, open_before = self.browser, self._reason_line.display
        lines = heard.lines(self._hearing, self.op, you=app.registry.who, glyphs=app.glyphs, news=self._news)
        self._text.set_lines(lines, keep_place=True, fold=True)
        self._reason_line.display = asks = not heard.obstacles(self._hearing)
        if asks and not open_before:
            self.set_focus(self._reason, scroll_visible=False)
        elif not asks:
            self.set_focus(self._text, scroll_visible=False)
        self.show_bars()

    # ---- speaking

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the reason."""
        event.stop()
        self.do_choose()

    def do_choose(self) -> None:
        """Take the stage; then give the word."""
        if self.stage is None:
            if self._stages.cursor_key is not None:
                self.stage = self._stages.cursor_key
                self._hear()
        elif self._writing or self.work.is_busy("hear"):
            return
        elif heard.obstacles(self._hearing):
            self._asked = True
            self._hear()
        else:
            self._speak()

    def _speak(self) -> None:
        known, reason, registry = self._hearing, self._reason.value.strip(), self.browser.registry
        if known is None:
            return
        self._writing = True
        self.say("writing")
        say = registry.approve if self.op is Op.APPROVE else registry.reject

        def work(_task: Task) -> Spoken:
            return say(known.version.ref, known.stage, reason=reason, seen=known.pins)

        self.work.run("speak", work)

    def _spoken(self, spoken: Spoken) -> None:
        what = f"{spoken.ref} {spoken.op.done} for {spoken.stage}"
        if spoken.already:
            what = f"you {spoken.op.done} {spoken.ref} for {spoken.stage} already, and that stands"
        noted = f"; {spoken.remarks[0]}" if spoken.remarks else f" ({spoken.approval})"
        self.browser.back_with(self, what + noted, {self.ref.model})

    # ---- keys

    def do_back(self) -> None:
        """To the choice of the stage, if it was made here; then to the screen below."""
        if self.stage is None or self._chosen_before:
            super().do_back()
            return
        self.work.cancel("hear")
        self.stage = self._hearing = None
        self._news = self._reason.value = ""
        self._text.display = self._reason_line.display = False
        self._stages.display = True
        self.set_focus(self._stages, scroll_visible=False)
        self.say("choose the stage")
        self.show_bars()

    def do_refresh(self) -> None:
        """Look again."""
        if self.stage is None:
            super().do_refresh()
        else:
            self._news = ""
            self._hear()

    def step(self, lines: int) -> None:
        """What is known scrolls while a reason is typed."""
        (self._text.action_row_down if lines > 0 else self._text.action_row_up)()

    def leave_line(self, line: Line) -> None:
        """Enter in the reason: there is no other line."""

    def do_other(self) -> None:
        """Tab: there is no other line."""
