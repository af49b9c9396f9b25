"""What every screen shares: its frame, the one door for actions, the questions at its foot."""

from __future__ import annotations

from abc import abstractmethod
from contextvars import Context
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import events
from textual.binding import Binding
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen as TextualScreen

from stackroom.core.export import FORMATS
from stackroom.errors import RegistryError
from stackroom.tui import commands
from stackroom.tui.actions import BY_ID, actions_of
from stackroom.tui.background import Background, Done, Failed, Progress
from stackroom.tui.bindings import footer_hints, key_text
from stackroom.tui.terminal import can_suspend
from stackroom.tui.widgets.choices import Choices
from stackroom.tui.widgets.crumbs import Crumbs
from stackroom.tui.widgets.footer import MORE, KeyHints
from stackroom.tui.widgets.line_view import LineView
from stackroom.tui.widgets.prompt import Prompt
from stackroom.tui.widgets.status import StatusLine
from stackroom.tui.widgets.too_small import LEAST, TooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from stackroom.tui.actions import Action, Screen
    from stackroom.tui.app import Browser
    from stackroom.tui.widgets.choices import Choice
    from stackroom.tui.widgets.prompt import Question
    from stackroom.tui.widgets.status import Tone

JUDGED: Final = frozenset({"move"})
"""What its own screen refuses, who may do it and what else is in the way: readers want to know, too."""


class Body(Container):
    """What stands between the path and the facts; subclasses hold the keys of their screen in ``BINDINGS``.

    Not the screen itself: a question at its foot needs the same keys.
    """

    def action_act(self, id_: str) -> None:
        """Keys go to the screen."""
        self.screen.action_act(id_)  # type: ignore[attr-defined]  # it stands on a page alone

    def on_unmount(self) -> None:
        """Give up the drawn lines, for the reason given at :meth:`Painted.on_unmount`."""
        self.refresh()


class Page(TextualScreen[None]):
    """A screen with a path at the top, and the facts and the keys at the foot.

    What comes and goes is shown and hidden by ``display`` and not by classes: a class of the screen makes Textual
    work out the style of everything on it anew, 6 ms for each change.

    Subclasses implement ``compose_body``, ``steps``, and a method ``do_<id>`` for every action of their scope.
    Actions arrive in :meth:`act`, whether by key, by command or by a click on the footer.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "act('escape')", show=False)]

    DEFAULT_CSS = """
    Page { layout: vertical; background: $background; overflow: hidden; }
    Page #body { height: 1fr; }
    Page TextPane { padding: 0 0 0 1; }
    Page.-tiny * { display: none; }
    Page.-tiny TooSmall { display: block; }
    """

    scope: Screen
    body_class: ClassVar[type[Body]] = Body

    def __init__(self) -> None:
        super().__init__()
        self.work = Background(self)
        self.crumbs = Crumbs()
        self.status = StatusLine()
        self.prompt = Prompt()
        self.choices = Choices()
        self.hints = KeyHints()
        self._back_to: Widget | None = None
        self._back_after: Widget | None = None
        self._ready_at = float("inf")

    @property
    def browser(self) -> Browser:
        """The app."""
        return cast("Browser", self.app)

    # ---- for subclasses

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """The widgets between the path and the facts."""

    def compose_foot(self) -> ComposeResult:
        """Widgets between the body and the facts, without the body's keys."""
        yield from ()

    @abstractmethod
    def steps(self) -> Sequence[str]:
        """Where this is, below the registry."""

    @abstractmethod
    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Models were read again: the names of those that changed, each with the numbers of the versions that did."""

    def picture_grew(self) -> None:
        """More models were read for the first time; none of those that were has changed."""

    def judge_again(self, spoken: frozenset[str] | None) -> None:
        """Words about these models came or went, or with None the rules changed: no record of a model tells either."""

    def filter_changed(self, text: str) -> None:
        """The filter line says something else."""

    def filter_text(self) -> str:
        """What the filter line starts with."""
        return ""

    def dismiss_one(self) -> bool:
        """Esc: give up one thing, such as the filter; False when there is nothing to give up."""
        return False

    def facts(self) -> Sequence[str]:
        """What the line above the keys says."""
        return ()

    def unwritten(self) -> str:
        """What was typed here and would be lost with this screen, in words; empty where nothing would."""
        return ""

    def step(self, lines: int) -> None:
        """An arrow key while a question is open."""

    def model_shown(self) -> str | None:
        """The model that is shown; None where all of them are."""
        return None

    def sort_columns(self) -> Sequence[str]:
        """What can be sorted by: for completing ``:sort``."""
        return ()

    def metric_words(self) -> Sequence[str]:
        """The metrics that can be plotted: for completing ``:plot``."""
        return ()

    # ---- the frame

    def compose(self) -> ComposeResult:
        """The frame."""
        yield self.crumbs
        with self.body_class(id="body"):
            yield from self.compose_body()
        yield from self.compose_foot()
        yield self.status
        yield self.prompt
        yield self.choices
        yield self.hints
        yield TooSmall()

    def on_mount(self) -> None:
        """The first picture. Textual calls the handlers of subclasses before this one."""
        self.show_bars()
        self._ready_at = Message().time

    def on_key(self, event: events.Key) -> None:
        """A key from before anything had the focus is given to what has it now: nothing typed ahead is lost."""
        if event.time <= self._ready_at:
            event.stop()
            # In a context of its own: as ours it would come back here and go no further, so that Enter were lost.
            self.app.post_message(Context().run(events.Key, event.key, event.character))

    def on_unmount(self) -> None:
        """What is still being read is for nobody."""
        self.work.stop()
        self.refresh()  # gives up the drawn lines

    def on_resize(self) -> None:
        """Below the least size one line is all; what had the keys before has them again after."""
        tiny = self.size.width < LEAST[0] or self.size.height < LEAST[1]
        if tiny and not self.has_class("-tiny"):
            self._back_after = self.focused  # Textual takes the keys away from what it hides
        self.set_class(tiny, "-tiny")
        self.query_one(TooSmall).redraw()
        if not tiny and self._back_after is not None:
            self.call_after_refresh(self._give_keys_back)

    def _give_keys_back(self) -> None:
        widget, self._back_after = self._back_after, None
        if widget is not None and widget.is_attached and self.focused is None:
            self.set_focus(widget, scroll_visible=False)

    def on_screen_resume(self) -> None:
        """Back from another screen: the bars may have to say something else."""
        self.show_bars()

    def show_bars(self) -> None:
        """Bring the path, the facts and the keys up to date."""
        app = self.browser
        lacking = app.picture.read_only
        badge = f"read-only: {lacking.group or lacking.owner.label}" if lacking else ""
        self.crumbs.show_path([app.places.title(app.registry), *self.steps()], badge=badge, accented=bool(app.accent))
        self.crumbs.show_live(*app.live_state)
        self.status.show_facts([*app.banner(), *self.facts()])
        self.show_hints()

    def show_hints(self) -> None:
        """Bring the keys up to date."""
        keys = self.browser.keymap.keys
        found = footer_hints(self.scope, enabled=lambda action: not self.why_not(action), keys=keys)
        hints = [hint for hint in found if hint.enabled or not self.browser.no_right(BY_ID[hint.id])]
        shown = keys(BY_ID["help"]) if self.scope in BY_ID["help"].screens else ()
        self.hints.show(hints, more=MORE._replace(key=key_text(shown[0])) if shown else None)

    def why_not(self, action: Action) -> str:
        """Why an action cannot be done now, or nothing: greyed ones say it when asked."""
        return self.browser.no_right(action)

    def say(self, message: str, *, tone: Tone = "") -> None:
        """What has just happened."""
        self.status.say(message, tone=tone)

    # ---- actions

    def action_act(self, id_: str) -> None:
        """A key."""
        self.act(id_)

    def act(self, id_: str, words: Sequence[str] = ()) -> None:
        """Do an action of this screen, or say why not.

        Args:
            id_: of the action.
            words: what was typed after it.
        """
        action = BY_ID[id_]
        if action.writes and id_ not in JUDGED and self.browser.picture.read_only:
            self.browser.explain_read_only(action)
            return
        method: Callable[..., None] = getattr(self, f"do_{id_}")
        self.say("")
        try:
            method(*words)
        except RegistryError as error:
            self.complain(error)

    def run_on_list(self, id_: str) -> None:
        """Move the list that has the keys, by the name of the movement."""
        if isinstance(self.focused, LineView):
            method: Callable[[], None] = getattr(self.focused, f"action_{id_}")
            method()

    def complain(self, error: Exception) -> None:
        """Say what went wrong, with what to do about it."""
        hint = getattr(error, "hint", "")
        self.say(f"{error}" + (f" ({hint})" if hint else ""), tone="bad")

    def on_key_hints_pressed(self, event: KeyHints.Pressed) -> None:
        """A click on the footer is the key."""
        event.stop()
        self.act(event.id)

    def leave(self) -> None:
        """To the screen below, unless this one was left already; a key that is on its way here goes there, too."""
        self.prompt.close()
        self.browser.close(self)

    def do_back(self) -> None:
        """To the screen below."""
        self.leave()

    def do_leave(self) -> None:
        """The same, by an arrow."""
        self.act("back")

    def do_escape(self) -> None:
        """Give up one thing, or go back."""
        if self.prompt.question:
            if self.prompt.question == "/":
                self.filter_changed("")
            self.close_prompt()
        elif not self.dismiss_one() and any(action.id == "back" for action in actions_of(self.scope)):
            self.act("back")

    def do_quit(self) -> None:
        """End the program."""
        self.app.exit()

    def do_help(self) -> None:
        """The keys of this screen."""
        self.browser.show_help(self.scope)

    def do_refresh(self) -> None:
        """Read everything again."""
        self.browser.read()
        self.say("reading")

    def do_palette(self) -> None:
        """Find an action, a model or a version."""
        self.browser.show_palette(self)

    def do_registry(self, *words: str) -> None:
        """Another registry, or the list of them."""
        if words:
            self.browser.go_to_registry(words[0])
        else:
            self.browser.choose_registry()

    def do_settings(self, *words: str) -> None:
        """What the settings say; with ``edit``, in the editor."""
        if words == ("edit",):
            self.browser.edit_settings()
        else:
            self.browser.show_settings()

    def do_activity(self) -> None:
        """What happened."""
        self.browser.show_activity(self.model_shown())

    def do_search(self, *words: str) -> None:
        """Versions of all models."""
        self.browser.show_search(" ".join(words))

    def do_review(self) -> None:
        """What needs attention."""
        self.browser.show_review()

    def do_doctor(self) -> None:
        """Whether all is as it should be."""
        self.browser.show_doctor()

    def do_vanished(self) -> None:
        """The events that were seen and are gone."""
        self.browser.show_vanished()

    def do_suspend(self) -> None:
        """Give the terminal back to the shell."""
        if can_suspend():
            self.app.action_suspend_process()
        else:
            self.say("there is no shell below to go back to", tone="warn")

    # ---- questions

    def do_filter(self, *words: str) -> None:
        """Ask for a filter, or take the one that was typed."""
        if words:
            self.filter_changed(" ".join(words))
        else:
            self.ask("/", self.filter_text())

    def do_command(self) -> None:
        """Ask for a command."""
        self.ask(":")

    def ask(self, question: Question, text: str = "", label: str = "") -> None:
        """Open the line at the foot."""
        self._back_to = self.focused
        self.hints.display = False
        self.browser.history.rewind()
        self.prompt.ask(question, text, label)

    def close_prompt(self) -> None:
        """Close the line at the foot and give the keys back to the list."""
        self.prompt.close()
        self._done_asking()

    def _done_asking(self) -> None:
        self.hints.display = True
        if self._back_to is not None and self._back_to.is_attached:
            self.set_focus(self._back_to, scroll_visible=False)

    def choose(self, title: str, choices: Sequence[Choice], answer: Callable[[str], None]) -> None:
        """Ask a question that one key answers."""
        if self.focused not in {None, self.choices}:
            self._back_to = self.focused
        self.hints.display = False
        self.choices.ask(title, choices, answer)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """The key was pressed."""
        event.stop()
        if not self.choices.display:  # else another question is open by now
            self._done_asking()
        if event.key is not None:
            event.answer(event.key)
        self.choices.release()

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """A key."""
        event.stop()
        self.typed(event.question, event.text)

    def typed(self, question: Question, text: str) -> None:
        """Filters are live; commands show what they may become."""
        if question == "/":
            self.filter_changed(text)
        else:
            found = self._completions(text)
            shown = [line.rpartition(" ")[2] for line in found[:12]]
            self.say("  ".join(shown) if text else "")

    def on_prompt_entered(self, event: Prompt.Entered) -> None:
        """Enter."""
        event.stop()
        self.entered(event.question, event.text)
        self.prompt.release()

    def entered(self, question: Question, text: str) -> None:
        """Take the filter or do the command."""
        self.close_prompt()
        if question == ":":
            self.say("")
            self.browser.history.add(text)
            self.browser.run_command(self, text)

    def on_prompt_complete(self, event: Prompt.Complete) -> None:
        """Tab."""
        event.stop()
        self.complete(event.question, event.text)
        self.prompt.release()

    def complete(self, question: Question, text: str) -> None:
        """As much of the word as is certain."""
        if question == ":":
            found = self._completions(text)
            if found:
                self.prompt.put(commands.common_start(found) + (" " if len(found) == 1 else ""))

    def on_prompt_step(self, event: Prompt.Step) -> None:
        """An arrow: commands that were typed before; else the list moves behind the question."""
        event.stop()
        if self.prompt.question == ":":
            earlier = self.browser.history.step(-event.lines, self.prompt.text)
            if earlier is not None:
                self.prompt.put(earlier)
        else:
            self.step(event.lines)
        self.prompt.release()

    def _completions(self, text: str) -> list[str]:
        app = self.browser
        models = [model for _, model in sorted(app.picture.models.items())]
        words = {
            "sort": self.sort_columns(),
            "plot": self.metric_words(),
            "export": FORMATS,
            "settings": ["edit"],
            **dict.fromkeys(("move", "approve", "reject"), app.registry.stages),
            "registry": app.places.names(),
            "view": [view.name for view in app.views()],
            "forget": [view.name for view in app.saved],
        }
        return commands.completions(text, self.scope, models, words)

    # ---- what comes from the background

    def on_done(self, event: Done[Any]) -> None:
        """Something was read."""
        event.stop()
        if event.is_current:
            self.got(event.name, event.value)

    def on_failed(self, event: Failed) -> None:
        """Something could not be read."""
        event.stop()
        if event.is_current:
            self.failed(event.name, event.error)

    def on_progress(self, event: Progress) -> None:
        """Something is being read."""
        event.stop()
        if event.is_current:
            self.progressed(event.name, event.latest)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """What a piece of work returned."""

    def failed(self, name: str, error: Exception) -> None:  # noqa: ARG002  # for subclasses
        """What a piece of work raised."""
        self.complain(error)

    def progressed(self, name: str, latest: dict[str, Any]) -> None:
        """What a piece of work reports."""
