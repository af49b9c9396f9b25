"""Random keys with a seed: somebody who knows every key and no reason, over every screen, while another one meddles.

What is pressed is a list of words that can be pressed again: ``j``, ``size 60x16``, ``click 3 5``, ``paste TEXT``,
``other register 17`` (the meddler's, see ``meddler.py``), ``await`` (until all he was told is done), ``rest`` (until
nothing is going on).
"""

from __future__ import annotations

import asyncio
import difflib
import gc
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events

from stackroom.errors import RegistryError
from stackroom.tui import background
from stackroom.tui.actions import SCREENS, actions_of
from stackroom.tui.app import Browser
from stackroom.tui.picture import read_all
from stackroom.tui.screens import recalled
from stackroom.tui.screens.activity import _GivenUpError
from stackroom.tui.screens.page import Page
from support.fair import FairClock
from tui import meddler
from tui.browsing import Walk, key_event
from tui.meddler import HOSTILE
from tui.routes import reach
from tui.screen import screen_text, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stackroom.registry.facade import Registry
    from stackroom.tui.actions import Screen

_WIDTH, _, _HEIGHT = os.environ.get("STACKROOM_MONKEY_SIZE", "80x24").partition("x")
SIZE: Final = (int(_WIDTH), int(_HEIGHT))
"""Of the terminal at the start; read when this is loaded, for the environment of tests is cleaned."""

SIZES: Final = ((80, 24), (80, 24), (120, 40), (200, 50), (60, 16), (59, 15), (61, 17), (300, 80), (1, 1), (20, 5))
TEXTS: Final = (
    *("auc>0.9", "tag:x stage:production !old", "metrics.auc > 0.5 and created > 2026-01-01", "(((", "1", "~"),
    *("3", "0.5", "-1", "nan", "true", "[1, 2]", '[{name="x"}]', "MIT", "because", "ü漢字🙂", "a" * 300, HOSTILE),
)
LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;/@=%<>'\"[](){}+-*#~!?&|\\$^_`"
KEYS: Final = (
    *("enter", "escape", "tab", "shift+tab", "backspace", "delete", "up", "down", "left", "right", "home", "end"),
    *("pageup", "pagedown", "space", "f1", "f5", "ctrl+c", "ctrl+d", "ctrl+u", "ctrl+k", "ctrl+w", "ctrl+p", "ctrl+o"),
    *("ctrl+q", "ctrl+z", "ctrl+l", "ctrl+r", "ctrl+backslash", "shift+up", "ctrl+right", "q"),
)
_AT_LEAST: Final = 30
"""Keys on each screen that is gone to; the first half of the keys where there are more."""

_KEPT: Final = 10
"""Screens in memory at the end, of the hundred or so that were opened."""

ADDING: Final = ("register", "new", "edit", "label", "say_yes", "foreign", "hint")
"""Deeds of another after which every screen can still be gone to."""

BACK: Final = ("escape", "escape", "q", "rest", "d", "rest")
"""From a screen to the one below; what is not written there is forgotten."""


_GROWS: Final = 0.05
"""Of what is pressed on a screen that is too small for anything."""

_MEDDLING: Final = 0.3
"""Deeds of another for each thing that is thought of to press: one for each thirty keys or so."""


class Other:
    """The meddler's end of the line: told what to do, and not waited for."""

    def __init__(self, root: Path, answers: Path) -> None:
        self.answers = answers
        self.told = 0
        with answers.open("wb") as file:
            # Opened by who starts him: whoever presses the keys may be somebody else.
            self._answers = os.open(answers, os.O_RDONLY)
            self._process = subprocess.Popen(
                [sys.executable, meddler.__file__, str(root)],
                stdin=subprocess.PIPE,
                stdout=file,
                env={**os.environ, "PYTHONPATH": str(Path(background.__file__).parents[2])},
            )

    def tell(self, deed: str) -> None:
        """Have him do a deed when he comes to it."""
        assert self._process.stdin is not None
        self.told += 1
        os.write(self._process.stdin.fileno(), f"{deed}\n".encode())

    async def done(self) -> None:
        """Wait until he has done everything."""
        await until(lambda: self.answered() >= self.told, "the deeds of another", seconds=30)

    def answered(self) -> int:
        """How many deeds he has done."""
        return os.pread(self._answers, os.fstat(self._answers).st_size, 0).count(b"\n")

    def close(self) -> list[dict[str, Any]]:
        """Have him end, and return what he says he did."""
        import json  # noqa: PLC0415  # only here

        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        os.close(self._answers)
        return [json.loads(line) for line in self.answers.read_text(encoding="utf-8").splitlines()]


@dataclass(kw_only=True)
class Outcome:
    """What became of a run.

    Attributes:
        pressed: all of it, in words.
        wrong: what must not happen, in words.
        visits: how often a key was pressed on each screen.
        grown: bytes of memory between the warm-up and the end.
    """

    pressed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    visits: Counter[str] = field(default_factory=Counter)
    grown: int = 0


class Monkey:
    """Makes up what to press next from where it is, and sees to it that it gets everywhere."""

    somebody: Walk

    def __init__(self, seed: int, visits: Counter[str], artifact: Path, screens: Sequence[Screen]) -> None:
        self.screens = screens
        self.dice = random.Random(seed)  # noqa: S311  # dice, not a secret
        self.visits = visits
        self.artifact = artifact
        self.on_tour = False

    def next(self) -> list[str]:
        """What to press next: often one key, sometimes what leads somewhere."""
        page = self.somebody.app.page
        if page is None:
            return ["escape"]
        if page.has_class("-tiny") and self.dice.random() < _GROWS:
            return ["size {}x{}".format(*SIZE)]
        if page.choices.display and self.dice.random() < 0.8:
            keys = [key for key, _ in page.choices._choices]
            return [self.dice.choice(keys or ["escape"])]
        if page.prompt.question and self.dice.random() < 0.5:
            return [*self.words(), self.dice.choice(("enter", "enter", "tab", "escape", "up"))]
        ways: list[tuple[float, Callable[[], list[str]]]] = [
            (40, lambda: [self.dice.choice(self.bound(page.scope))]),
            (12, lambda: [self.dice.choice((*KEYS, *LETTERS))]),
            ({"models": 40, "edit": 25, "conflict": 25}.get(page.scope, 6), self.journey),
            (6, self.words),
            (6, lambda: ["rest"]),
            (4, self.command),
            (3, lambda: [f"click {self.dice.randrange(120)} {self.dice.randrange(40)}"]),
            (2, lambda: [f"paste {self.text()}"]),
            (2, lambda: ["ctrl+p", *self.text()[:6], self.dice.choice(("enter", "escape", "down"))]),
            (1.5, lambda: ["size {}x{}".format(*self.dice.choice(SIZES))]),
        ]
        return self.dice.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()

    def goes_on(self, pressed: int, keys: int) -> bool:
        """Whether there are keys left, or screens that it has not been on, which it then still tries to reach."""
        missing = any(not self.visits[name] for name in self.screens)
        return pressed < keys or (missing and pressed < 3 * keys)

    # ---- the parts

    def bound(self, scope: Screen) -> list[str]:
        """The keys of a screen and of its list."""
        return [key for action in (*actions_of(scope), *actions_of("list")) for key in action.keys]

    def deed(self) -> str:
        """Something for the meddler to do."""
        if self.on_tour:
            return f"{self.dice.choice(ADDING)} {self.dice.randrange(10**6)}"
        names = meddler.HONEST if self.dice.random() < 0.7 else meddler.PLANTING
        return f"{self.dice.choice((*names, 'mend_policy'))} {self.dice.randrange(10**6)}"

    def model(self) -> str:
        return self.dice.choice(sorted(self.somebody.app.picture.models) or ["none"])

    def ref(self) -> str:
        model = self.somebody.app.picture.models.get(self.model())
        numbers = [version.number for version in model.versions] if model else []
        return f"{model.name if model else 'none'}:{self.dice.choice(numbers or [1])}"

    def text(self) -> str:
        return self.dice.choice((*TEXTS, self.model(), self.ref(), str(self.artifact)))

    def words(self) -> list[str]:
        """A text, letter by letter, what terminals do not send as keys left out."""
        return [letter for letter in self.text()[:40] if letter.isprintable()]

    def line(self, text: str) -> list[str]:
        """A command, as it is typed."""
        return [":", *text, "enter"]

    def command(self) -> list[str]:
        """A command with words after it, sometimes the wrong ones."""
        page = self.somebody.page
        action = self.dice.choice(actions_of(page.scope))
        words = self.dice.choice(("", self.ref(), f"{self.ref()} staging", self.model(), self.text()))
        return self.line(f"{action.id} {words}".strip()[:80])

    def journey(self) -> list[str]:
        """The way to the screen that was seen least, and something to do there."""
        scope = min(self.screens, key=lambda name: (self.visits[name], self.dice.random()))
        return [*BACK * len(self.somebody.app.pages()), *getattr(self, f"to_{scope}")(), "rest"]

    def to_models(self) -> list[str]:
        return []

    def to_versions(self) -> list[str]:
        return [*self.line(f"open {self.model()}"), "rest", "space", "j", "space"]

    def to_version(self) -> list[str]:
        return self.line(f"open {self.ref()}")

    def to_compare(self) -> list[str]:
        return self.line(f"compare {self.ref()} {self.ref()} {self.ref()}")

    def to_plot(self) -> list[str]:
        return [*self.line(f"open {self.model()}"), "rest", *self.line(f"plot {self.dice.choice(('auc', 'r2'))}")]

    def to_metrics(self) -> list[str]:
        return [*self.line(f"open {self.model()}"), "rest", "m"]

    def to_move(self) -> list[str]:
        """A move with everything that may be asked for."""
        ref = self.ref()
        stage = self.dice.choice(("staging", "production"))
        return [*self.line(f"move {ref} {stage}"), "rest", *"because", "tab", *ref, "rest", "enter", "rest"]

    def to_edit(self) -> list[str]:
        """A form: of a version, of a model, of something new."""
        what = self.dice.randrange(4)
        if what == 0:
            return [*self.line(f"new model-{self.dice.randrange(99)}"), "rest", "w", "rest"]
        if what == 1:
            register = self.line(f"register {self.artifact}")
            return [*self.line(f"open {self.model()}"), "rest", *register, "rest", "w", "rest"]
        change = ["a", *"license", "enter", "ctrl+u", *"MIT", "enter", "w", *"said so", "enter"]
        return [*self.line(f"open {self.ref()}"), "rest", "e", "rest", *change]

    def to_conflict(self) -> list[str]:
        """Two edit one record, and this one comes second."""
        start = [*self.line(f"open {self.ref()}"), "rest", "e", "rest"]
        change = ["a", *"team", "enter", "ctrl+u", *f"mine {self.dice.randrange(999)}", "enter"]
        return [*start, *change, f"other edit_all {self.dice.randrange(999)}", "await", "w", *"second", "enter", "rest"]

    def to_bulk(self) -> list[str]:
        """Tags, and what is said to delete and bring back."""
        verb = self.dice.choice(("archive", "delete", "restore", "delete"))
        ref = self.ref()
        return [*self.line(f"{verb} {ref}"), "rest", *ref, "enter", "rest"]

    def to_approve(self) -> list[str]:
        """A word, with a reason."""
        ref, stage = self.ref(), self.dice.choice(("staging", "production"))
        start = [*self.line(f"open {ref}"), "rest", *self.line(f"approve {ref} {stage}"), "rest"]
        return [*start, "enter", *"fine", "enter"]

    def to_activity(self) -> list[str]:
        return ["L"]

    def to_search(self) -> list[str]:
        return self.line(f"search {self.dice.choice(('accuracy > 0.5', 'wine', 'tag:eu', '(('))}")

    def to_review(self) -> list[str]:
        return ["R"]

    def to_doctor(self) -> list[str]:
        return ["D"]

    def to_text(self) -> list[str]:
        return ["question_mark"]


async def do(somebody: Walk, other: Other, what: str) -> None:
    """Press one thing of the list."""
    word, _, rest = what.partition(" ")
    if what == "rest":
        await somebody.settle()
    elif what == "await":
        await other.done()
    elif word == "other" and rest:
        other.tell(rest)
    elif word == "size" and rest:
        width, _, height = rest.partition("x")
        await somebody.pilot.resize_terminal(int(width), int(height))
    elif word == "paste" and rest:
        somebody.app.post_message(events.Paste(rest))
    elif word == "click" and rest:
        x, y = (int(number) for number in rest.split())
        if x < somebody.app.size.width and y < somebody.app.size.height:
            await somebody.pilot.click(offset=(x, y))
    else:
        somebody.app.post_message(key_event(what))
    await asyncio.sleep(0)


@contextmanager
def watched(wrong: list[str]) -> Iterator[None]:
    """Whatever a thread of the interface raises that the registry does not refuse is wrong."""
    made = background.Failed.__init__

    def told(self: background.Failed, task: background.Task, error: Exception) -> None:
        if not isinstance(error, (RegistryError, _GivenUpError)):
            wrong.append(f"{task.name}: {_traced(error)}")
        made(self, task, error)

    background.Failed.__init__ = told  # type: ignore[method-assign]  # a look, and then what it was
    try:
        yield
    finally:
        background.Failed.__init__ = made  # type: ignore[method-assign]  # what it was


def _traced(error: BaseException) -> str:
    import traceback  # noqa: PLC0415  # only where something is wrong

    return "".join(traceback.format_exception(error))


def memory() -> int:
    """Bytes of this process that are in memory, once nothing is garbage."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> dict[str, str]:
    """What is open, by its number."""
    found: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of this very listing
            continue
    return found


def run(
    registry: Registry,
    other: Other,
    artifact: Path,
    *,
    seed: int,
    keys: int,
    again: Sequence[str] = (),
    screens: Sequence[Screen] = SCREENS,
    tour: bool = True,
) -> Outcome:
    """Press so many random keys, or those of a list again, and see what is left of everything.

    Args:
        registry: to look at.
        other: who changes it meanwhile.
        artifact: a folder to register.
        seed: of the dice.
        keys: how many; more where a screen was not reached by then, up to three times as many.
        again: what to press instead.
        screens: that are to be reached.
        tour: whether the first half of the keys is pressed on each screen in turn, so that none is left to luck.
    """
    outcome = Outcome()
    opened = descriptors()
    with watched(outcome.wrong):
        try:
            monkey = Monkey(seed, outcome.visits, artifact, screens)
            asyncio.run(_keys(registry, other, monkey, outcome, keys=keys, again=again, tour=tour))
        except Exception as error:  # noqa: BLE001  # whatever it is, the keys that led there belong to it
            outcome.wrong.append(_traced(error))
    clock = FairClock()
    while _left_behind() and not clock.has_passed(10):
        time.sleep(0.01)
    outcome.wrong += [f"a thread is left behind: {name}" for name in _left_behind()]
    new = descriptors()
    outcome.wrong += [f"left open: {name} {path}" for name, path in new.items() if opened.get(name) is None]
    return outcome


def _left_behind() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("stackroom-")]


@dataclass
class _Session:
    """Somebody at the keys, and what became of it so far."""

    somebody: Walk
    other: Other
    monkey: Monkey
    outcome: Outcome

    @property
    def goes_on(self) -> bool:
        """Whether nothing has failed."""
        live = self.somebody.app._live
        if live is not None and live._missed:
            self.outcome.wrong.append(f"the watching thread failed: {live.trouble}")
            return False
        if self.somebody.app._browse not in self.somebody.app.screen_stack:
            self.outcome.wrong.append("the first screen was left: nothing answers the keys any more")
            return False
        return self.somebody.app._exception is None

    def made_up(self) -> list[str]:
        """What the monkey thinks of, now and then after a deed of another."""
        keys = self.monkey.next()
        return [f"other {self.monkey.deed()}"] * (self.monkey.dice.random() < _MEDDLING) + keys

    async def press(self, what: str) -> None:
        """Press one thing, and remember where."""
        page = self.somebody.app.page
        self.outcome.pressed.append(what)
        if page is not None:
            self.outcome.visits[page.scope] += 1
        await do(self.somebody, self.other, what)

    async def tour(self, keys: int) -> None:
        """On every screen, wherever its keys lead from there."""
        self.monkey.on_tour = True
        each = max(_AT_LEAST, keys // len(self.monkey.screens))
        for scope in self.monkey.screens:
            await self.other.done()
            await at_the_models(self.somebody)
            self.somebody.app._browse.go_to("models")
            self.somebody.app._browse.filter_changed("")
            await reach(self.somebody, scope)
            end = len(self.outcome.pressed) + each
            while self.goes_on and len(self.outcome.pressed) < end:
                for what in self.made_up():
                    await self.press(what)
        self.monkey.on_tour = False


async def at_the_models(somebody: Walk) -> None:
    """Away from everything that is asked or open, whatever the keys have led to."""
    app = somebody.app
    await somebody.pilot.resize_terminal(*SIZE)
    await somebody.settle()
    while app.page is not app._browse:
        app.pop_screen()
    await somebody.settle()
    if app._browse.choices.display:
        await somebody.press("escape")
    if app._browse.prompt.question:
        app._browse.close_prompt()
    await somebody.settle()


async def _keys(
    registry: Registry, other: Other, monkey: Monkey, outcome: Outcome, *, keys: int, again: Sequence[str], tour: bool
) -> None:
    app = Browser(registry, live=True)
    ends: list[int] = []
    app.suspend = nullcontext  # type: ignore[method-assign,assignment]  # for the editor: there is no terminal
    app.exit = lambda *_args, **_options: ends.append(1)  # type: ignore[method-assign]  # q is pressed often
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: app.picture.ready, "the registry is read")
        somebody = Walk(pilot, app)
        monkey.somebody = somebody
        session = _Session(somebody, other, monkey, outcome)
        if again:
            for what in again:
                await session.press(what)
        elif tour:
            await session.tour(keys // 2)
        warm = memory()
        waiting: list[str] = []
        while session.goes_on and not again and (waiting or monkey.goes_on(len(outcome.pressed), keys)):
            waiting = waiting or session.made_up()
            await session.press(waiting.pop(0))
        if not session.goes_on:
            return  # what was raised, run_test raises
        outcome.grown = memory() - warm
        await _same_as_read_anew(somebody, registry, other, outcome)


async def _same_as_read_anew(somebody: Walk, registry: Registry, other: Other, outcome: Outcome) -> None:
    """Once nobody does anything any more, the screen is what somebody sees who opens the registry now."""
    app = somebody.app
    other.tell("end 0")
    await other.done()
    await at_the_models(somebody)
    page = app._browse
    await somebody.press("question_mark")
    if app.page is page:
        outcome.wrong.append("a key does nothing")
    await at_the_models(somebody)
    gc.collect()
    kept = Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, Page) and one.app is app)
    if kept.total() > _KEPT:
        outcome.wrong.append(f"screens are kept that were left: {dict(kept)}")
    page.versions.action_unmark_all()
    await somebody.pilot.resize_terminal(120, 40)
    page.act("refresh")
    await somebody.settle()
    # Who has opened a model knows more of it than a list says.
    opened = {*app.picture.opened, *([page.model] if page.model is not None else [])}
    for name in opened:
        app.read_model(name)
    await somebody.settle()
    page.show_lists()  # a row that is gone stays only as long as the cursor is on it
    await somebody.settle()
    fresh = {model.name: model for model in read_all(registry).models.values() if model is not None}
    shown = {name: app.picture.models[name].holdings for name in app.picture.models}
    if shown != {name: model.holdings for name, model in fresh.items()}:
        outcome.wrong.append("the picture is not what a fresh reading says")
    second = Browser(registry, live=False, memory=replace(recalled.remembered(page), metrics=app.chosen_metrics))
    before = screen_text(app)
    async with second.run_test(size=(120, 40)) as pilot:
        await until(lambda: second.picture.ready, "the registry is read")
        anew = Walk(pilot, second)
        for name in opened:
            second.read_model(name)
        await anew.settle()
        after = screen_text(second)
    if _table(before) != _table(after):
        lines = difflib.ndiff(_table(after), _table(before))
        outcome.wrong.append("it shows other lines than are there:\n" + "\n".join(lines))


def _table(screen: str) -> list[str]:
    """The lists of a screen: neither the path, nor what is said, nor the marks of rows.

    Nor the warnings, and what they leave of long names.
    """
    return [" ".join(word[:14] for word in re.sub("[>~!]", " ", line).split()) for line in screen.splitlines()[1:-2]]
