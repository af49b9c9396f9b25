"""A move of a stage, judged before the eyes of whoever makes it, and once more when it is made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.errors import ConflictError, GuardRefusedError
from stackroom.registry.moving import MoveResult
from stackroom.tui.actions import BY_ID
from stackroom.tui.bindings import Hint, bindings_for
from stackroom.tui.intents import Intent, Said
from stackroom.tui.present import move as judged
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.asked import Asked
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.prompt import Label, Line
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget
    from textual.widgets import Input

    from stackroom.registry.judging import Judgement
    from stackroom.registry.moving import MoveResult
    from stackroom.store.digest import Progress
    from stackroom.store.records import Model
    from stackroom.tui.actions import Action
    from stackroom.tui.background import Task


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


class MoveBody(Body):
    """Holds the keys of a move."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("move")]


class MovePage(Page):
    """A version on its way to a stage, or a stage on its way back.

    Args:
        intent: what somebody wants.
        stage: where to, when that is decided already.
    """

    scope = "move"
    body_class = MoveBody

    DEFAULT_CSS = """
    MovePage #body { layout: vertical; }
    """

    def __init__(self, intent: Intent, stage: str | None = None) -> None:
        super().__init__()
        self.intent = intent
        self.model_name = intent.model
        self.number = intent.number
        self.stage = stage
        self._chosen_before = stage is not None
        self._stages = LineTable(judged.STAGE_COLUMNS)
        self._text = TextPane(empty="reading …")
        self._reason = Line(id="reason")
        self._typed = Line(id="typed")
        self._reason_line = Asked(Label(" Reason: "), self._reason)
        self._typed_label = Label("")
        self._typed_line = Asked(self._typed_label, self._typed)
        self._judgement: Judgement | None = None
        self._override: tuple[str, ...] = ()
        self._news = self._trouble = ""
        self._writing = self._asked = False

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
        if self.intent.undo is not None:
            self._reason.value = self.intent.undo.reason
            self._reason.cursor_position = len(self._reason.value)
        if self.stage is None:
            self.set_focus(self._stages, scroll_visible=False)
        else:
            self._judge()

    # ---- where we are

    def model(self) -> Model | None:
        """The model, as last read."""
        return self.browser.picture.models.get(self.model_name)

    @property
    def wanted(self) -> str:
        """What has to be typed to confirm: in the last stage, and where a guard is overridden; else empty."""
        judgement = self._judgement
        if judgement is None or judgement.already:
            return ""
        asked = judgement.stage == self.browser.registry.policy.last_stage or judgement.overridden
        return judged.phrase(judgement) if asked else ""

    def steps(self) -> Sequence[str]:
        """What is being done."""
        return [self.model_name, self.intent.title, *([self.stage] if self.stage else [])]

    def facts(self) -> Sequence[str]:
        """How it stands."""
        judgement = self._judgement
        if self.stage is None:
            return ["choose the stage"]
        if judgement is None:
            return []
        if judgement.already or not judgement.verdicts:
            return []
        total, waiting = len(judgement.verdicts), len(judgement.pending)
        if failed := len(judged.refusing(judgement)):
            return [f"{failed} of {total} guards refuse" + (f", {waiting} not run" if waiting else "")]
        if not judgement.access.allowed:
            return ["you may not make this move"]
        if judgement.overridden:
            return [f"OVERRIDES {', '.join(judgement.overridden)}"]
        if judged.asks_reason(judgement) and not self._reason.value.strip():
            return ["the reason is missing"]
        return [f"{waiting} of {total} guards not run" if waiting else "every guard agrees"]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Who holds the stage may be another now: judge again, and say what changed."""
        if self.model_name not in changed or self._writing:
            return
        self._fill_stages()
        if self.stage is not None:
            # Without news it was oneself, by a key of this screen.
            self._news = f"changed meanwhile: {self.browser.last_news}" if self.browser.last_news else ""
            self._judge()

    def judge_again(self, spoken: frozenset[str] | None) -> None:
        """The guards may find something else now."""
        if self.stage is not None and not self._writing and (spoken is None or self.model_name in spoken):
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
            other = [Hint("other", "tab", "other line")] if self._typed_line.display or self._overridable else []
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
        if action.id == "override" and not self._overridable:
            return "no guard that refuses may be overridden: registry.toml does not say that it may"
        return super().why_not(action)

    def on_descendant_focus(self) -> None:
        """Other keys."""
        self.show_hints()

    # ---- judging

    def _judge(self) -> None:
        """Ask the registry, in a thread: the guard ``verify`` reads every byte."""
        stage = self.stage or ""
        self._stages.display, self._text.display = False, True
        self._trouble = ""
        if self._judgement is None and self.browser.picture.read_only is None:
            # Whoever does not wait for the judgement types the reason, whose letters are keys of this screen elsewhere.
            self._reason_line.display = True
            self.set_focus(self._reason, scroll_visible=False)
        elif self._judgement is None:
            self.set_focus(self._text, scroll_visible=False)
        self.say("judging")
        self.show_bars()
        registry, intent, said = self.browser.registry, self.intent, Said(override=self._override)
        total = self._bytes()

        def work(task: Task) -> Judgement:
            return intent.judge(registry, stage, said, watched(task, total))

        self.work.run("judge", work)

    def _bytes(self) -> int:
        model = self.model()
        version = model.version(self.number) if model and self.number is not None else None
        return version.seal.bytes if version and version.seal else 0

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """A judgement, or the move itself."""
        if name == "judge":
            before = self._judgement.words if self._judgement else value.words
            self._news = judged.words_news(before, value.words) or self._news
            self._judgement = value
            self.say("")
            self._show()
            if self._asked:
                self._asked = False
                if not self._say_obstacles():
                    self.say("enter makes the move", tone="good")
        elif name == "move":
            self._moved(value)

    def failed(self, name: str, error: Exception) -> None:
        """It could not be judged or made; after a conflict, look again."""
        self._writing = self._asked = False
        if isinstance(error, (ConflictError, GuardRefusedError)) and name == "move":
            self._news = str(error)
            self._judge()
            return
        self._text.set_lines(judged.refusal(error), fold=True)
        self._judgement, self._trouble = None, str(error)
        self._reason_line.display = self._typed_line.display = False
        self.set_focus(self._text, scroll_visible=False)
        self.show_bars()
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
        self._typed_label.show(judged.asked_to_type(self.wanted, self.size.width))
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
                keys={name: app.key_of(name) for name in ("card", "edit")},
                news=[line for line in (self._news, self.intent.told) if line],
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
            return [self._trouble or "it is being judged"]
        return judged.obstacles(self._judgement, reason=self._reason.value, typed=self._typed.value, wanted=self.wanted)

    # ---- making the move

    def do_choose(self) -> None:
        """Take the stage; then make the move, if nothing is in its way; what was refused is judged afresh."""
        if self.stage is None:
            if self._stages.cursor_key is not None:
                self.stage = self._stages.cursor_key
                self._judge()
            return
        if self._writing:
            return
        if self._reason_line.display or self.work.is_busy("judge"):
            if not self._say_obstacles():
                self._make()
        else:
            self._asked = True
            self._judge()

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
        registry, intent, total = self.browser.registry, self.intent, self._bytes()
        said = Said(reason=reason, override=judgement.overridden)

        def work(task: Task) -> MoveResult:
            return intent.make(registry, judgement, said, watched(task, total))

        self.work.run("move", work)

    def _moved(self, result: MoveResult) -> None:
        ref, stage = result.judgement.ref, result.judgement.stage
        what = f"{stage} of {ref} cleared" if ref.kind == "model" else f"{ref} moved to {stage}"
        if not result.made:
            what = f"{ref} held {stage} already"
        trouble = f"; live/ is behind: {result.live_trouble}" if result.live_trouble else ""
        undo = f"; {self.browser.key_of('undo')} undoes it" if result.made and self.intent.undo is None else ""
        told = f"{what} ({result.event or 'nothing written'}){undo}{trouble}"
        self.browser.back_with(self, told, {self.model_name})

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
        self._override = ()
        self._news = self._reason.value = self._typed.value = ""
        self._text.display = self._reason_line.display = self._typed_line.display = False
        self._text.set_lines(())
        self._stages.display = True
        self.set_focus(self._stages, scroll_visible=False)
        self.say("")
        self.show_bars()

    def do_edit(self) -> None:
        """Fill in what a guard misses; what is written is judged again."""
        for ref in self._mended():
            self.browser.edit_in_place(ref)

    def do_card(self) -> None:
        """Write the card that a guard misses."""
        for ref in self._mended():
            self.browser.edit_card(ref)

    def _mended(self) -> list[str]:
        """The version that is on its way, once that is known."""
        if self._judgement is not None and self._judgement.ref.number is not None:
            return [str(self._judgement.ref)]
        if self.number is not None:
            return [f"{self.model_name}:{self.number}"]
        self.say("choose the stage first", tone="warn")
        return []

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
        """From the reason to the confirmation, to the guards where one may be overridden, and around."""
        if not self._reason_line.display:
            return
        ring = [self._reason, *([self._typed] if self._typed_line.display else [])]
        places: list[Widget] = [*ring, *([self._text] if self._overridable else [])]
        place = places.index(self.focused) if self.focused in places else -1
        self.set_focus(places[(place + 1) % len(places)], scroll_visible=False)

    # ---- overriding

    @property
    def _overridable(self) -> tuple[str, ...]:
        return judged.overridable(self._judgement) if self._judgement and self._judgement.access.allowed else ()

    def do_override(self) -> None:
        """Override a guard that refuses, or take that back; where there are several, ask which."""
        names = self._overridable
        if not names:
            self.say(self.why_not(BY_ID["override"]), tone="warn")
        elif len(names) == 1:
            self._toggle(names[0])
        else:
            signed = [f"{name} (overridden)" if name in self._override else name for name in names]
            keys = {str(place): name for place, name in enumerate(names, 1)}
            self.choose("override", list(zip(keys, signed, strict=True)), lambda key: self._toggle(keys[key]))

    def _toggle(self, name: str) -> None:
        kept = tuple(one for one in self._override if one != name)
        self._override = kept if name in self._override else (*kept, name)
        self._judge()
