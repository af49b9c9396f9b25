"""The terminal interface: what holds the registry, the picture of it and the screens together."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from stackroom.tui import terminal

terminal.prepare(os.environ)

from textual.app import App  # noqa: E402  # Textual reads its environment while it is imported

from stackroom.core.names import Ref, parse_ref, version_ref  # noqa: E402  # after Textual's own, and the same below
from stackroom.errors import NotFoundError, RegistryError, UsageError  # noqa: E402  # the same
from stackroom.registry.facade import Registry  # noqa: E402  # the same
from stackroom.registry.finding import registry_path  # noqa: E402  # the same
from stackroom.tui import commands, editing  # noqa: E402  # the same
from stackroom.tui.actions import actions_of  # noqa: E402  # the same
from stackroom.tui.background import Background, Done, Failed  # noqa: E402  # the same
from stackroom.tui.clipboard import OSC52_LIMIT, copy_in_tmux  # noqa: E402  # the same
from stackroom.tui.glyphs import UNICODE, Glyphs, terminal_glyphs  # noqa: E402  # the same
from stackroom.tui.live import Fresh, Live, Watching  # noqa: E402  # the same
from stackroom.tui.picture import Picture, Reading, read_all, read_some  # noqa: E402  # the same
from stackroom.tui.present.help import help_lines  # noqa: E402  # the same
from stackroom.tui.present.move import refusal  # noqa: E402  # the same
from stackroom.tui.present.news import changed_versions, news  # noqa: E402  # the same
from stackroom.tui.screens.browse import BrowsePage  # noqa: E402  # the same
from stackroom.tui.screens.compare import ComparePage  # noqa: E402  # the same
from stackroom.tui.screens.move import MovePage  # noqa: E402  # the same
from stackroom.tui.screens.page import Page  # noqa: E402  # the same
from stackroom.tui.screens.text import TextPage  # noqa: E402  # the same
from stackroom.tui.screens.version import VersionPage  # noqa: E402  # the same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual.binding import BindingType

    from stackroom.core.names import ModelName
    from stackroom.store.records import Model, Version
    from stackroom.tui.actions import Screen
    from stackroom.tui.background import Task
    from stackroom.tui.present.words import Line
    from stackroom.tui.widgets.crumbs import Live as State

_LOOK_SECONDS: Final = 1.0
"""Between two looks at whether the watching thread still answers; nothing is sent unless that has changed."""


_OWN_SECONDS: Final = 3.0
"""For which the news of our own change is no news."""


class Browser(App[None]):
    """The interface of one registry.

    Args:
        registry: to browse.
        glyphs: to draw with.
        live: whether to watch for changes; tests read by hand.
        no_colour: whether the terminal wants none.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    Toast { display: none; }
    """

    def __init__(
        self, registry: Registry, *, glyphs: Glyphs = UNICODE, live: bool = True, no_colour: bool = False
    ) -> None:
        super().__init__(ansi_color=True if no_colour else None)
        self.registry = registry
        self.glyphs = glyphs
        self.animation_level = "none"
        self.picture = Picture()
        self.now: datetime = registry.clock()
        self.last_news = ""
        self.chosen_metrics: tuple[str, ...] = ()
        """The metrics that lists and comparisons show, chosen with ``m``; none for all."""
        self.live_state: tuple[State, str] = ("", "")
        self._work = Background(self)
        self._live = Live(registry, self) if live else None
        self._browse = BrowsePage()
        self._own: dict[str, float] = {}

    # ---- from start to end

    def on_mount(self) -> None:
        """The first screen; the registry is read once somebody watches it, so that nothing is missed."""
        self.push_screen(self._browse)
        if self._live is None:
            self.read()
        else:
            self._live.start()
            self.set_interval(_LOOK_SECONDS, self._look)

    def on_unmount(self) -> None:
        """Nobody listens any more."""
        self._work.stop()
        if self._live is not None:
            self._live.stop()

    async def action_quit(self) -> None:
        """``^q``."""
        self.exit()

    def action_help_quit(self) -> None:
        """``^c``: Textual's own toast would be drawn over the list."""
        if self.page is not None:
            self.page.say("^q quits")

    @property
    def page(self) -> Page | None:
        """The screen that is shown."""
        top = self.screen if self.screen_stack else None
        return top if isinstance(top, Page) else None

    def pages(self) -> list[Page]:
        """All screens, the lowest first."""
        return [screen for screen in self.screen_stack if isinstance(screen, Page)]

    # ---- reading

    def read(self) -> None:
        """Read all models."""
        registry = self.registry

        def work(_task: Task) -> Reading:
            return read_all(registry)

        self._work.run("models", work)

    def read_model(self, name: str) -> None:
        """Read a model with all its versions."""
        registry = self.registry

        def work(_task: Task) -> Reading:
            return read_some(registry, {name})

        self._work.run(f"model {name}", work)

    def on_watching(self, message: Watching) -> None:
        """Somebody watches: what is read now misses nothing that comes after."""
        message.stop()
        self._look()
        self.read()

    def on_fresh(self, message: Fresh) -> None:
        """Somebody changed something."""
        message.stop()
        self.take(message.reading)

    def on_done(self, message: Done[Any]) -> None:
        """Something was read, copied or edited."""
        message.stop()
        if not message.is_current:
            return
        if isinstance(message.value, Reading):
            self.take(message.value)
        elif message.name == "editable":
            self._edit(message.value)
        elif message.name == "copy":
            self._copied(*message.value)

    def on_failed(self, message: Failed) -> None:
        """It went wrong; what was read before stays on the screen."""
        message.stop()
        if message.is_current and self.page is not None:
            if not self.picture.ready:
                self._browse.models.set_empty("the registry cannot be read; r tries again")
            self.page.complain(message.error)

    def take(self, reading: Reading) -> None:
        """Put what was read into the picture and tell the screens."""
        self.now = self.registry.clock()
        told: list[str] = []
        stages = self.picture.stages
        changed: dict[str, frozenset[str]] = {}

        def tell(name: str, before: Model | None, after: Model | None) -> None:
            changed[name] = changed_versions(before, after)
            own = time.monotonic() < self._own.get(name, 0.0)
            told.extend(news(name, before, after, self.now, you=self.registry.who, own=own, stages=stages))

        self.picture.take(reading, tell)
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        self.last_news = told[0] + more if told else ""
        for page in self.pages():
            page.picture_changed(changed)
            page.show_bars()
        if self.page is not None:
            self._tell(self.page, told=bool(told))

    def _tell(self, page: Page, *, told: bool) -> None:
        """The news, or that everything is read; what is wrong with ``registry.toml`` has the right of way."""
        reading_done = page.status.message == "reading"
        if self.registry.policy_error is not None:
            if told or reading_done:
                page.say("")
        elif told:
            page.say(self.last_news, tone="good")
        elif reading_done:
            page.say("read")

    def _look(self) -> None:
        """Say when the watching thread is late."""
        state = self._live.state() if self._live is not None else self.live_state
        if state != self.live_state and self.page is not None:
            self.live_state = state
            self.page.crumbs.show_live(*state)

    def banner(self) -> list[str]:
        """What is wrong with the whole registry, for every screen to show."""
        error = self.registry.policy_error
        return [f"! {error}"] if error else []

    # ---- going somewhere

    def open_text(self, text: str) -> None:
        """Open what a reference names.

        Raises:
            RegistryError: it names nothing.
        """
        ref = self._resolved(text)
        if ref.kind == "model":
            while self.page is not self._browse:
                self.pop_screen()
            self._browse.open_ref(ref)
        else:
            self.open_version(ref)

    def _resolved(self, text: str) -> Ref:
        """A reference by number; stages and labels are looked up in the picture, not on the disk."""
        ref = parse_ref(text)
        model = self.picture.opened.get(ref.model) or self.picture.models.get(ref.model)
        if model is None:
            raise NotFoundError(f"there is no model {ref.model}")
        number = ref.number
        match ref.kind:
            case "model":
                return ref
            case "latest":
                number = model.latest.number if model.latest else None
            case "stage":
                held = model.holding(ref.value)
                number = held.number if held else None
            case "label":
                number = next((one.number for one in model.versions if ref.value in one.labels), None)
            case "number":
                pass
        if number is None:
            raise NotFoundError(f"there is no version {ref}")
        return version_ref(ref.model, number)

    def open_version(self, ref: Ref) -> None:
        """The screen of a version."""
        self.push_screen(VersionPage(ref))

    def show_text(self, title: str, lines: Sequence[Line]) -> None:
        """A text to read."""
        self.push_screen(TextPage(title, lines))

    def show_help(self, scope: Screen) -> None:
        """The keys of a screen."""
        self.show_text("help", help_lines(scope, self.glyphs))

    def explain_read_only(self, doing: str) -> None:
        """Why the caller may change nothing, and whom to ask."""
        lacking = self.picture.read_only
        if lacking is not None:
            self.show_text("read-only", refusal(lacking.refusal(doing, you=self.registry.who)))

    def holder_of(self, name: str) -> Version | None:
        """Who holds the last stage of a model."""
        model = self.picture.opened.get(name) or self.picture.models.get(name)
        last = self.registry.policy.last_stage
        held = model.holding(last) if model and last else None
        return model.version(held.number) if model and held and held.number is not None else None

    def compare(self, refs: Sequence[Ref]) -> None:
        """The screen of a comparison."""
        self.push_screen(ComparePage(refs))

    def compare_texts(self, texts: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names nothing, or only one version.
        """
        refs = [self._resolved(text) for text in texts]
        if len(refs) < 2 or any(ref.kind == "model" for ref in refs):
            raise UsageError("a comparison needs two versions, such as fraud:6 fraud:7")
        self.compare(refs)

    def compare_with_holder(self, model: Model, version: Version) -> None:
        """A version against whoever holds the last stage.

        Raises:
            NotFoundError: nobody else does.
        """
        holder = self.holder_of(model.name)
        if holder is None or holder.number == version.number:
            raise NotFoundError(
                f"nobody else holds {self.registry.policy.last_stage or 'a stage'}", hint="mark two with space"
            )
        self.compare([holder.ref, version.ref])

    def move(self, model: ModelName, number: int, stage: str | None = None) -> None:
        """The screen of a move."""
        self._check_policy()
        self.push_screen(MovePage(model, number, stage))

    def move_text(self, words: Sequence[str]) -> None:
        """The same, for what was typed.

        Raises:
            RegistryError: it names no version, or no stage.
        """
        ref = self._resolved(words[0])
        if ref.number is None:
            raise UsageError("name a version and a stage, such as fraud:7 production")
        stage = self.registry.check_stage(words[1]) if len(words) > 1 else None
        self.move(ref.model, ref.number, stage)

    def roll_back(self, name: str) -> None:
        """The screen of a roll-back."""
        self._check_policy()
        self.push_screen(MovePage(parse_ref(name).model, None))

    def _check_policy(self) -> None:
        """Nothing moves while ``registry.toml`` is wrong.

        Raises:
            InvalidInputError: it is; names file, line and key.
        """
        if self.registry.policy_error is not None:
            raise self.registry.policy_error

    def back_with(self, message: str, models: set[str]) -> None:
        """Leave the screen on top with a message for the one below, and read what was changed."""
        self.pop_screen()
        self._read_own(models)
        if self.page is not None:
            self.page.say(message, tone="good")

    def _read_own(self, models: set[str]) -> None:
        """Read what we have changed ourselves: that is said already, and better."""
        for name in models:
            self._own[name] = time.monotonic() + _OWN_SECONDS
            self.read_model(name)

    # ---- commands

    def run_command(self, page: Page, text: str) -> None:
        """Do what was typed after the colon."""
        command = commands.parse(text)
        if command is None:
            return
        known = {action.id for action in actions_of(page.scope)}
        try:
            match command.id:
                case "open" if command.words:
                    self.open_text(command.words[0])
                case "compare" if command.words:
                    self.compare_texts(command.words)
                case "move" if command.words and self.picture.read_only is None:
                    self.move_text(command.words)
                case "quit":
                    self.exit()
                case id_ if id_ in known:
                    page.act(id_, command.words if id_ in commands.WITH_WORDS else ())
                case id_:
                    page.say(f"no command {id_} here; Tab shows them, ? explains them", tone="warn")
        except RegistryError as error:
            page.complain(error)

    # ---- copying

    def copy_of(self, page: Page, ref: str, path: str) -> None:
        """Ask what to copy of a model or version."""
        texts = {"r": ref, "p": path, "c": f"stackroom show {ref}"}
        choices = [("r", "ref"), ("p", "path"), ("c", "command")]
        page.choose("copy", choices, lambda key: self.copy(texts[key]))

    def copy(self, text: str, name: str = "") -> None:
        """Give a text to the clipboard, and say what it was."""

        def work(_task: Task) -> tuple[str, str, bool]:
            return text, name, copy_in_tmux(text)

        self._work.run("copy", work)

    def _copied(self, text: str, name: str, in_tmux: bool) -> None:  # noqa: FBT001  # a value that came from a thread
        page = self.page
        if page is None:
            return
        if not in_tmux and len(text.encode()) > OSC52_LIMIT:
            page.say(f"too long to copy: {len(text.encode()):,} bytes, a terminal takes {OSC52_LIMIT:,}", tone="warn")
            return
        if not in_tmux:
            self.copy_to_clipboard(text)
        page.say(f"copied{' into tmux' if in_tmux else ''}: {name or text}", tone="good")

    # ---- editing

    def edit(self, ref: str) -> None:
        """Edit the metadata of a version or model in the user's editor."""
        registry = self.registry

        def work(_task: Task) -> editing.Draft:
            return editing.draft(registry, ref)

        self._work.run("editable", work)

    def _edit(self, draft: editing.Draft) -> None:
        registry = self.registry
        outcome: str | Exception
        with self.suspend():
            try:
                outcome = editing.edit_and_save(registry, draft)
            except Exception as error:  # noqa: BLE001  # raised in here, it would leave the keyboard dead
                outcome = error
        self._read_own({draft.start.ref.model})
        if isinstance(outcome, Exception):
            self.show_text("not saved", [*refusal(outcome), *editing.kept(outcome)])
        elif self.page is not None:
            self.page.say(outcome, tone="good")


def browse(paths: list[str]) -> int:
    """Open the terminal interface.

    Args:
        paths: of the registry; none for the one that is meant.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no terminal, or more than one path.
        NotFoundError: there is no registry.
    """
    terminal.require_terminal(os.environ.get("TERM"))
    if len(paths) > 1:
        raise UsageError("one registry at a time", hint=f"stackroom {paths[0]}")
    registry = Registry(registry_path(paths[0] if paths else None))
    glyphs = terminal_glyphs(os.environ, sys.__stderr__.encoding if sys.__stderr__ else None)
    return terminal.run(Browser(registry, glyphs=glyphs, no_colour=terminal.wants_no_colour(os.environ)))
