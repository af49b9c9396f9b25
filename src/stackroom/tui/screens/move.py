"""A move of a stage, judged before the eyes of whoever makes it, and once more when it is made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding
from textual.containers import Horizontal

from stackroom.errors import ConflictError, GuardRefusedError
from stackroom.registry import moving
from stackroom.registry.judging import Judgement, Options
from stackroom.tui.bindings import Hint, bindings_for
from stackroom.tui.present import move as judged
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.prompt import Label, Line
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widgets import Input

    from stackroom.core.names import ModelName
    from stackroom.registry.facade import Registry
    from stackroom.registry.moving import MoveResult
    from stackroom.store.digest import Progress
    from stackroom.store.records import Model
    from stackroom.tui.actions import Action
    from stackroom.tui.background import Task

_PLACEHOLDER: Final = "(asked for on this screen)"
"""The reason that a move is judged with before one is typed: the screen asks for it by itself."""


class _GivenUpError(Exception):
    """Nobody waits for the bytes any more."""


def watched(task: Task, total: int) -> Progress:
    """A progress that reports bytes to the screen, and ends the reading when it was given up."""
    done = 0

    def progress(amount: int, /) -> None:
        nonlocal done
        done += amount
        if task.cancelled:
            raise _GivenUpError
        if amount:
            task.report((done, total, time.monotonic() - task.started))

    return progress


class Asked(Horizontal):
    """A line where something is asked, with its words before it."""

    DEFAULT_CSS = """
    Asked { height: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_text(-1)", show=False),
        Binding("down", "scroll_text(1)", show=False),
        # With priority: what is typed right after it is for the other line.
        Binding("tab,shift+tab", "act('other')", show=False, priority=True),
        Binding("enter", "enter", show=False, priority=True),
        Binding("f1", "act('help')", show=False),
    ]

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone

    def action_enter(self) -> None:
        """The line is done, once it has taken what was typed before; what comes after is for the next line already."""
        line = self.query_one(Line)
        self.screen.leave_line(line)  # type: ignore[attr-defined]  # the same
        line.call_later(line.action_submit)

    def action_scroll_text(self, lines: int) -> None:
        """The judgement scrolls while something is typed."""
        self.screen.step(lines)  # type: ignore[attr-defined]  # the same


class MoveBody(Body):
    """Holds the keys of a move."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("move")]


class MovePage(Page):
    """A version on its way to a stage, or a stage on its way back.

    Args:
        model: whose stages.
        number: the version; None for a roll-back, where the ledger says which.
        stage: where to, when that is decided already.
    """

    scope = "move"
    body_class = MoveBody

    DEFAULT_CSS = """
    MovePage #body { layout: vertical; }
    """

    def __init__(self, model: ModelName, number: int | None, stage: str | None = None) -> None:
        super().__init__()
        self.model_name = model
        self.number = number
        self.stage = stage
        self._chosen_before = stage is not None
        self._stages = LineTable(judged.STAGE_COLUMNS)
        self._text = TextPane(empty="reading …")
        self._reason = Line(id="reason")
        self._typed = Line(id="typed")
        self._reason_line = Asked(Label(" Reason: "), self._reason)
        self._typed_label = Label(" Type the version to confirm: ")
        self._typed_line = Asked(self._typed_label, self._typed)
        self._judgement: Judgement | None = None
        self._news = ""
        self._writing = False

    def compose_body(self) -> ComposeResult:
        """First the stages, then the judgement with what is asked."""
        yield self._stages
        yield self._text

    def compose_foot(self) -> ComposeResult:
        """The two lines; not in the body, whose keys are letters here."""
        yield self._reason_line
        yield self._typed_line

    def on_mount(self) -> None:
        """Ask for the stage, unless it is known."""
        self._text.display = self._reason_line.display = self._typed_line.display = False
        self._fill_stages()
        if self.stage is None:
            self.set_focus(self._stages, scroll_visible=False)
            self.say("choose the stage")
        else:
            self._judge()

    # ---- where we are

    def model(self) -> Model | None:
        """The model, as last read."""
        picture = self.browser.picture
        return picture.opened.get(self.model_name) or picture.models.get(self.model_name)

    @property
    def wanted(self) -> str:
        """What has to be typed to confirm; empty where nothing has."""
        judgement = self._judgement
        last = self.browser.registry.policy.last_stage
        return str(judgement.ref) if judgement is not None and judgement.stage == last and not judgement.already else ""

    def steps(self) -> Sequence[str]:
        """What is being done."""
        what = f"move {self.number}" if self.number is not None else "roll back"
        return [self.model_name, what, *([self.stage] if self.stage else [])]

    def facts(self) -> Sequence[str]:
        """How it stands."""
        judgement = self._judgement
        if judgement is None:
            return []
        if judgement.already or not judgement.verdicts:
            return []
        if failed := len(judged.refusing(judgement)):
            return [f"{failed} of {len(judgement.verdicts)} guards refuse"]
        if judged.asks_reason(judgement) and not self._reason.value.strip():
            return ["the reason is missing"]
        return ["every guard agrees"]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Who holds the stage may be another now: judge again, and say what changed."""
        if self.model_name not in changed or self._writing:
            return
        self._fill_stages()
        if self.stage is not None:
            self._news = f"changed meanwhile: {self.browser.last_news or self.model_name}"
            self._judge()

    def _fill_stages(self) -> None:
        model, app = self.model(), self.browser
        if model is None:
            return
        first = self._stages.cursor_key is None
        stages = app.registry.stages
        if self.number is None:
            stages = tuple(stage for stage in stages if (held := model.holding(stage)) and held.event)
        self._stages.set_empty("nothing was ever moved" if self.number is None else "registry.toml declares no stages")
        self._stages.set_rows(judged.stage_rows(model, stages, app.now, app.glyphs))
        start = judged.next_stage(model, self.number, stages)
        if start and first:
            self._stages.move_to(start)

    def show_hints(self) -> None:
        """While something is typed, letters are letters."""
        if isinstance(self.focused, Line):
            other = [Hint("other", "tab", "other line")] if self._typed_line.display else []
            self.hints.show(
                [Hint("choose", "enter", "move", not self._obstacles()), *other, Hint("escape", "esc", "back")],
                more=Hint("help", "F1", "more"),
            )
        else:
            super().show_hints()

    def why_not(self, action: Action) -> str:
        """Once a stage is chosen, Enter is grey until it would make the move."""
        if action.id == "choose" and self.stage is not None:
            return "; ".join(self._obstacles())
        return super().why_not(action)

    def on_descendant_focus(self) -> None:
        """Other keys."""
        self.show_hints()

    # ---- judging

    def _judge(self) -> None:
        """Ask the registry, in a thread: the guard ``verify`` reads every byte."""
        stage = self.stage or ""
        self._stages.display, self._text.display = False, True
        if self._judgement is None:
            self.set_focus(self._text, scroll_visible=False)
        self.say("judging")
        self.show_bars()
        registry, model, number = self.browser.registry, self.model_name, self.number
        total = self._bytes()

        def work(task: Task) -> Judgement:
            return judge(registry, model, number, stage, watched(task, total))

        self.work.run("judge", work)

    def _bytes(self) -> int:
        model = self.model()
        version = model.version(self.number) if model and self.number is not None else None
        return version.seal.bytes if version and version.seal else 0

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """A judgement, or the move itself."""
        if name == "judge":
            self._judgement = value
            self.say("")
            self._show()
        elif name == "move":
            self._moved(value)

    def failed(self, name: str, error: Exception) -> None:
        """It could not be judged or made; after a conflict, look again."""
        self._writing = False
        if isinstance(error, (ConflictError, GuardRefusedError)) and name == "move":
            self._news = str(error)
            self._judge()
            return
        self._text.set_lines(judged.refusal(error), fold=True)
        self.complain(error)

    def progressed(self, name: str, latest: dict[str, Any]) -> None:  # noqa: ARG002  # both report the same
        """Bytes."""
        done, total, seconds = latest[""]
        self.say(f"{judged.hashing(done, total, seconds)} (esc gives up)")

    def _show(self) -> None:
        judgement = self._judgement
        if judgement is None:
            return
        open_before = self._reason_line.display
        self._show_lines()
        asks = not judgement.already and judgement.access.allowed and not judged.refusing(judgement)
        self._reason_line.display = asks
        self._typed_line.display = asks and bool(self.wanted)
        if asks and not open_before:
            self.set_focus(self._reason, scroll_visible=False)
        elif not asks:
            self.set_focus(self._text, scroll_visible=False)
        self.show_bars()

    def _show_lines(self) -> None:
        if self._judgement is not None:
            app = self.browser
            lines = judged.lines(
                self._judgement,
                reason=self._reason.value,
                you=app.registry.who,
                glyphs=app.glyphs,
                news=self._news,
            )
            self._text.set_lines(lines, keep_place=True, fold=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every key may be the one that was missing."""
        event.stop()
        self._show_lines()
        self.show_bars()
        if self._judgement is not None and not self._writing:
            left = self._obstacles()
            self.say("" if left else "enter makes the move", tone="" if left else "good")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in one of the two lines; where a confirmation is asked, the one in the reason moves nothing."""
        event.stop()
        if event.input is self._reason and self.wanted:
            self._say_obstacles()
        else:
            self.do_choose()

    def _obstacles(self) -> list[str]:
        if self._judgement is None:
            return ["it is being judged"]
        return judged.obstacles(self._judgement, reason=self._reason.value, typed=self._typed.value, wanted=self.wanted)

    # ---- making the move

    def do_choose(self) -> None:
        """Take the stage; then make the move, if nothing is in its way."""
        if self.stage is None:
            if self._stages.cursor_key is not None:
                self.stage = self._stages.cursor_key
                self._judge()
            return
        if self._writing:
            return
        if not self._say_obstacles():
            self._make()

    def _say_obstacles(self) -> bool:
        """Say what is in the way, if anything is."""
        obstacles = self._obstacles()
        if obstacles:
            more = f" (and {len(obstacles) - 1} more)" if len(obstacles) > 1 else ""
            self.say(obstacles[0] + more, tone="warn")
        return bool(obstacles)

    def _make(self) -> None:
        judgement, reason = self._judgement, self._reason.value.strip()
        if judgement is None:
            return
        self._writing = True
        self.say("moving")
        registry, model, total = self.browser.registry, self.model_name, self._bytes()
        back = self.number is None

        def work(task: Task) -> MoveResult:
            progress = watched(task, total)
            if back:
                options = Options(reason=reason, seen=judgement.head, progress=progress)
                return moving.rollback(registry, model, judgement.stage, options)
            return registry.promote(
                judgement.ref, judgement.stage, reason=reason, seen=judgement.head, progress=progress
            )

        self.work.run("move", work)

    def _moved(self, result: MoveResult) -> None:
        what = f"{result.judgement.ref} moved to {result.judgement.stage}"
        if not result.made:
            what = f"{result.judgement.ref} held {result.judgement.stage} already"
        trouble = f"; live/ is behind: {result.live_trouble}" if result.live_trouble else ""
        self.browser.back_with(f"{what} ({result.event or 'nothing written'}){trouble}", {self.model_name})

    # ---- keys

    def dismiss_one(self) -> bool:
        """Esc gives up the reading of artifacts first."""
        if self.work.is_busy("judge") or self.work.is_busy("move"):
            self.work.cancel("judge")
            self.work.cancel("move")
            self._writing = False
            if self._judgement is None:
                return False
            self.say("given up")
            return True
        return False

    def do_back(self) -> None:
        """To the choice of the stage, if it was made here; then to the screen below."""
        if self.stage is None or self._chosen_before or self._writing:
            super().do_back()
            return
        self.work.cancel("judge")
        self.stage = self._judgement = None
        self._news = self._reason.value = self._typed.value = ""
        self._text.display = self._reason_line.display = self._typed_line.display = False
        self._text.set_lines(())
        self._stages.display = True
        self.set_focus(self._stages, scroll_visible=False)
        self.say("choose the stage")
        self.show_bars()

    def do_refresh(self) -> None:
        """Judge again."""
        if self.stage is not None:
            self._news = ""
            self._judge()
        else:
            super().do_refresh()

    def step(self, lines: int) -> None:
        """The judgement, while a line below it is being typed."""
        (self._text.action_row_down if lines > 0 else self._text.action_row_up)()

    def leave_line(self, line: Line) -> None:
        """Enter in the reason: what is typed from now on is for the confirmation, if one is asked."""
        judgement = self._judgement
        if line is not self._reason or judgement is None or not self._typed_line.display:
            return
        given = bool(line.value.strip()) or line.message_queue_size > 0  # what waits there is what was typed
        if given or not judged.asks_reason(judgement):
            self.set_focus(self._typed, scroll_visible=False)

    def do_other(self) -> None:
        """From the reason to the confirmation and back."""
        other = self._typed if self.focused is self._reason and self._typed_line.display else self._reason
        if self._reason_line.display:
            self.set_focus(other, scroll_visible=False)


def judge(registry: Registry, model: ModelName, number: int | None, stage: str, progress: Progress) -> Judgement:
    """What would come of the move; reads every byte where the stage asks for it."""
    if number is not None:
        return registry.can(f"{model}:{number}", stage, reason=_PLACEHOLDER, progress=progress)
    options = Options(reason=_PLACEHOLDER, dry_run=True, progress=progress)
    return moving.rollback(registry, model, stage, options).judgement
