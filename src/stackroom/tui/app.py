"""The terminal interface: what holds the registry, the picture of it and the screens together."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from stackroom.core.show import count
from stackroom.errors import UsageError
from stackroom.registry.remembering import remember, vanished
from stackroom.tui import running, terminal
from stackroom.tui.background import Background, Done, Failed, Progress
from stackroom.tui.changing import OPENING
from stackroom.tui.clipboard import OSC52_LIMIT, copy_in_tmux
from stackroom.tui.commands import History
from stackroom.tui.driver import TerminalDriver
from stackroom.tui.glyphs import UNICODE, Glyphs
from stackroom.tui.keymap import Keymap
from stackroom.tui.live import Fresh, Live, Watching
from stackroom.tui.memory import Memory, forget_view, save_view, saved_views
from stackroom.tui.picture import Picture, Reading, read_all, read_first, read_some
from stackroom.tui.places import Opened, Personal, Places
from stackroom.tui.present import palette
from stackroom.tui.present.news import changed_versions, news
from stackroom.tui.screens import recalled
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.page import Page
from stackroom.tui.screens.palette import PalettePage
from stackroom.tui.settling import Settling

if TYPE_CHECKING:
    from datetime import datetime

    from textual.binding import BindingType

    from stackroom.core.settings import SavedView
    from stackroom.registry.facade import Registry
    from stackroom.registry.remembering import Vanished
    from stackroom.store.records import Model
    from stackroom.tui.background import Task
    from stackroom.tui.widgets.crumbs import Live as State

_LOOK_SECONDS: Final = 1.0
"""Between two looks at whether the watching thread still answers; nothing is sent unless that has changed."""

_KEEP_SECONDS: Final = 2.0
"""Between two looks at whether there is something new to remember; what there is, a thread writes."""

_OWN_SECONDS: Final = 3.0
"""For which the news of our own change is no news."""


class _GivenUpError(Exception):
    """Nobody waits for the models any more; never shown, for what was cancelled posts nothing."""


class Browser(Settling):
    """The interface of one registry.

    Args:
        registry: to browse.
        glyphs: to draw with.
        live: whether to watch for changes; tests read by hand.
        no_colour: whether the terminal wants none.
        personal: what the user brings along.
        memory: what is remembered of the registry.
        place: the name by which the registry was asked for.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    Toast { display: none; }
    """

    def __init__(  # each is a setting of its own, named where it is given
        self,
        registry: Registry,
        *,
        glyphs: Glyphs = UNICODE,
        live: bool = True,
        no_colour: bool = False,
        personal: Personal | None = None,
        memory: Memory | None = None,
        place: str = "",
    ) -> None:
        super().__init__(TerminalDriver, ansi_color=True if no_colour else None)
        self.personal = personal or Personal()
        self.keymap = Keymap(self.personal.settings)
        self.places = Places(self.personal, place)
        self.accent = self.places.accent()
        self.saved = self.personal.saved
        self.registry = registry
        self.glyphs = glyphs
        self.animation_level = "none"
        self.picture = Picture()
        self.now: datetime = registry.clock()
        self.last_news = ""
        self.live_state: tuple[State, str] = ("", "")
        self._work = Background(self)
        self._watched = live
        self._live: Live | None = None
        self._own: dict[str, float] = {}
        self._content = False
        """Whether somebody is content with the models that were read so far."""
        self.made: set[str] = set()
        self._remember(memory or Memory())
        self.settings_problems = (*self.personal.settings.problems, *self.keymap.problems)
        self.plain_theme = self.theme

    def _remember(self, memory: Memory) -> None:
        """Where somebody was, with what is the app's own of it."""
        self.chosen_metrics = memory.metrics
        """The metrics that lists and comparisons show, chosen with ``m``; none for all."""
        self.history = History(memory.history)
        self._browse = BrowsePage(memory)

    # ---- from start to end

    def on_mount(self) -> None:
        """The first screen; the registry is read once somebody watches it, so that nothing is missed."""
        self.wear()
        if self.personal.remembers:
            self.set_interval(_KEEP_SECONDS, lambda: self._keep(wait=False))
        self.set_keymap(self.keymap.changed())
        self.push_screen(self._browse)
        self._watch()
        if self._watched:
            self.set_interval(_LOOK_SECONDS, self._look)
        self.app_suspend_signal.subscribe(self, lambda _app: self._write(terminal.TITLE_BACK))
        self.app_resume_signal.subscribe(self, self._resumed)
        self._entitle()
        self.call_after_refresh(self.tell_settings)

    def _resumed(self, _app: object) -> None:
        """The terminal is ours again, and shows what somebody else has left there."""
        self._entitle()
        self.refresh()

    def _entitle(self) -> None:
        """The window is called after the registry."""
        wanted = terminal.title(f"{self.places.title(self.registry)} - stackroom", os.environ.get("TERM"))
        self._write(f"{terminal.TITLE_KEPT}{wanted}" if wanted else "")

    def _write(self, sequence: str) -> None:
        """Something for the terminal beside the screen; a terminal without a title gets none of it."""
        driver = self._driver
        if sequence and driver is not None and terminal.title("x", os.environ.get("TERM")):
            driver.write(sequence)
            driver.flush()

    def _watch(self) -> None:
        self._live = Live(self.registry, self) if self._watched else None
        if self._live is None:
            self.read()
        else:
            registry, also = self.registry, self._browse.remembered_model
            self._work.run("first", lambda _task: read_first(registry, also))
            self._live.start()

    def on_unmount(self) -> None:
        """Nobody listens any more; where somebody was is remembered."""
        self._leave()

    def _leave(self) -> None:
        self._work.stop()
        if self._live is not None:
            self._live.stop()
        self._keep(wait=True)

    def _keep(self, *, wait: bool) -> None:
        """Remember where somebody is: now and then, because nobody is asked before a process is killed."""
        if self.picture.ready or (self.picture.models and not self._browse.remembered_model):
            memory = recalled.remembered(self._browse)
            memory = replace(memory, metrics=self.chosen_metrics, history=tuple(self.history.lines))
            self.places.keep(self.registry, memory, wait=wait)

    def go_to_registry(self, name: str) -> None:
        """Open another registry, and show it when it is there.

        Raises:
            NotFoundError: none has this name.
        """
        self.check_written()
        self.places.path(name)
        places = self.places
        self._work.run("registry", lambda _task: places.open(name))
        if self.page is not None:
            self.page.say(f"opening {name}")

    def _switch(self, opened: Opened) -> None:
        """Another registry in the place of this one: nothing of the old one is shown, watched or waited for."""
        try:
            self.check_written()
        except UsageError as error:
            if self.page is not None:
                self.page.complain(error)
            return
        self._leave()
        while self.page is not self._browse:
            self.pop_screen()
        self.places.current = opened.name
        self.accent = self.places.accent()
        self.registry, self.picture, self._work = opened.registry, Picture(), Background(self)
        self.now, self.last_news, self.live_state, self._own = opened.registry.clock(), "", ("", ""), {}
        self._content = False
        self.made.clear()
        self.vanished = ()
        self._remember(opened.memory)
        self.switch_screen(self._browse)
        self._watch()
        self._entitle()

    async def action_quit(self) -> None:
        """``^q``, wherever the keys are."""
        if self.page is not None:
            self.page.do_quit()
        else:
            self.exit()

    def action_help_quit(self) -> None:
        """``^c``: Textual's own toast would be drawn over the list."""
        if self.page is not None:
            self.page.say("^q quits")

    def pages(self) -> list[Page]:
        """All screens, the lowest first."""
        return [screen for screen in self.screen_stack if isinstance(screen, Page)]

    # ---- reading

    def read(self) -> None:
        """Read all models; the first time, they are shown as they come."""
        registry, growing = self.registry, not self.picture.ready

        def work(task: Task) -> Reading:
            def grown(part: Reading) -> None:
                if task.cancelled:
                    raise _GivenUpError
                task.report(part, kind=next(iter(part.models), ""))

            return read_all(registry, grown if growing else None)

        self._content = False
        self._work.run("models", work)

    @property
    def reading(self) -> bool:
        """Whether the models are being read for the first time."""
        return not self.picture.ready and not self._content

    def stop_reading(self) -> bool:
        """Be content with the models that were read so far; False where none are being read for the first time."""
        if not self.reading:
            return False
        self._content = True
        self._work.cancel("first")
        self._work.cancel("models")
        return True

    def read_model(self, name: str) -> None:
        """Read a model with all its versions."""
        registry = self.registry

        def work(_task: Task) -> Reading:
            return read_some(registry, {name})

        self._work.run(f"model {name}", work)

    def on_watching(self, message: Watching) -> None:
        """Somebody watches: what is read now misses nothing that comes after."""
        message.stop()
        if message.source is self._live:
            self._look()
            if not self._content:
                self.read()

    def on_fresh(self, message: Fresh) -> None:
        """Somebody changed something."""
        message.stop()
        if message.source is self._live:
            self.take(message.reading)
            for page in self.pages():
                page.judge_again(message.spoken)

    def on_done(self, message: Done[Any]) -> None:
        """Something was read, copied or edited."""
        message.stop()
        if not message.is_current:
            return
        if isinstance(message.value, Reading):
            self.take(message.value)
        elif message.name == "copy":
            self._copied(*message.value)
        elif message.name == "registry":
            self._switch(message.value)
        elif message.name == "settings":
            self.settle_in(message.value, show=True)
        elif message.name == "undo":
            self.show_undo(message.value)
        elif message.name == "vanished":
            self._tell_vanished(message.value)
        elif message.name == "views":
            self.saved, told = message.value
            if self.page is not None:
                self.page.say(told, tone="good")
        else:
            self.changed(message.name, message.value)

    def on_progress(self, message: Progress) -> None:
        """More models were read."""
        message.stop()
        if message.is_current:
            for part in message.latest.values():
                self.take(part)

    def on_failed(self, message: Failed) -> None:
        """It went wrong; what was read before stays on the screen."""
        message.stop()
        if message.is_current and self.page is not None:
            if not self.picture.ready:
                self._browse.models.set_empty("the registry cannot be read; r tries again")
            if message.name in OPENING:
                self.refused(message.error)
            else:
                self.page.complain(message.error)

    def take(self, reading: Reading) -> None:
        """Put what was read into the picture and tell the screens."""
        self.now = self.registry.clock()
        told: list[str] = []
        stages = self.picture.stages
        changed: dict[str, frozenset[str]] = {}
        moved = reading.extent == "all"

        def tell(name: str, before: Model | None, after: Model | None) -> None:
            nonlocal moved
            moved = moved or (before.holdings if before else ()) != (after.holdings if after else ())
            changed[name] = changed_versions(before, after)
            own = time.monotonic() < self._own.get(name, 0.0)
            you, made = self.registry.who, self.made
            told.extend(news(name, before, after, self.now, you=you, own=own, stages=stages, made=made))

        self.picture.take(reading, tell)
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        self.last_news = told[0] + more if told else ""
        if reading.extent == "part":
            for page in self.pages():
                page.picture_grew()
            return
        if moved:
            self._compare_remembered()
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
        gone = f"! {count(len(self.vanished), 'event')} that you saw vanished: :vanished" if self.vanished else ""
        return [*([f"! {error}"] if error else []), *([gone] if gone else [])]

    def _compare_remembered(self) -> None:
        """What was seen of the ledgers, against what is there now; remembers it, where anything may be remembered."""
        registry, look = self.registry, remember if self.personal.remembers else vanished
        self._work.run("vanished", lambda _task: look(registry))

    def _tell_vanished(self, found: tuple[Vanished, ...]) -> None:
        """An event that is gone is news, once; it stays in the banner until it is known."""
        fresh = [one for one in found if one not in self.vanished]
        self.vanished = found
        if self.page is not None:
            self.page.show_bars()
            if fresh:
                self.page.say(fresh[0].message, tone="bad")

    def back_with(self, page: Page, message: str, models: set[str]) -> None:
        """Leave a screen, unless it was left already, with a message for the one below; read what was changed."""
        if self.page is page:
            self.pop_screen()
        self.read_own(models)
        if self.page is not None:
            self.page.say(message, tone="good")

    def read_own(self, models: set[str]) -> None:
        """Read what we have changed ourselves: that is said already, and better."""
        for name in models:
            self._own[name] = time.monotonic() + _OWN_SECONDS
            self.read_model(name)

    # ---- commands

    def run_command(self, page: Page, text: str) -> None:
        """Do what was typed after the colon."""
        running.run_command(self, page, text)

    def show_palette(self, page: Page) -> None:
        """Everything that can be done on a screen, and every model and version, by a part of its name."""
        self.push_screen(PalettePage("palette", lambda text: running.entries(self, page, text)))

    def choose_registry(self) -> None:
        """The registries that have names."""
        entries = running.registry_entries(self)
        empty = "no other registry is known: stackroom A B, or [registries] in the settings"
        self.push_screen(PalettePage("registry", lambda text: palette.matching(entries, text), empty=empty))

    def choose_view(self) -> None:
        """The views that were saved."""
        entries = running.view_entries(self)
        empty = "no view is saved: filter, sort, then :save NAME"
        self.push_screen(PalettePage("view", lambda text: palette.matching(entries, text), empty=empty))

    # ---- saved views

    def views(self) -> list[SavedView]:
        """The views of the settings, then those that were saved; of two with one name, the former."""
        own = self.personal.settings.views
        names = {view.name for view in own}
        return [*own, *(view for view in self.saved if view.name not in names)]

    def save_view(self, view: SavedView) -> None:
        """Save a view.

        Raises:
            UsageError: the settings have one of this name, which would hide it.
        """
        if any(one.name == view.name for one in self.personal.settings.views):
            raise UsageError(f"the settings have a view {view.name}", hint="take another name")

        def work(_task: Task) -> tuple[tuple[SavedView, ...], str]:
            save_view(view)
            return saved_views(), f"saved as {view.name}"

        self._work.run("views", work)

    def forget_view(self, name: str) -> None:
        """Take a saved view away."""

        def work(_task: Task) -> tuple[tuple[SavedView, ...], str]:
            forget_view(name)
            return saved_views(), f"{name} is forgotten"

        self._work.run("views", work)

    # ---- copying

    def copy_of(self, page: Page, ref: str, path: str) -> None:
        """Ask what to copy of a model or version."""
        texts = {"r": ref, "p": path, "c": f"stackroom show {ref}"}
        choices = [("r", "ref"), ("p", "path"), ("c", "command")]
        page.choose("copy", choices, lambda key: self.copy(texts[key]))

    def copy(self, text: str, name: str = "") -> None:
        """Give a text to the clipboard, and say what it was; a path whose bytes are no text is not given to anybody."""
        try:
            text.encode()
        except UnicodeEncodeError:
            if self.page is not None:
                self.page.say(f"{name or text} is not UTF-8: it cannot be copied", tone="warn")
            return

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
