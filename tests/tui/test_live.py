"""What others change appears, without a jump; and a file system that hangs holds nobody up."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.attested import Who
from stackroom.errors import NotFoundError, PermissionDeniedError
from stackroom.registry.facade import Registry
from stackroom.store.watch import Watch
from stackroom.tui import app as app_module
from stackroom.tui import live as live_module
from stackroom.tui.app import Browser
from stackroom.tui.live import Live
from stackroom.tui.picture import read_all
from stackroom.tui.screens.browse import BrowsePage
from support.fair import FairClock
from tui.browsing import NARROW, NOW, Walk, key_event, walk
from tui.screen import screen_text, until
from tui.test_approve_screen import ask_for_approvals

if TYPE_CHECKING:
    from pathlib import Path

    from textual.message import Message

    from stackroom.store.watch import Changes


def other(sample: Path) -> Registry:
    return Registry(sample, clock=lambda: NOW)


def test_what_others_do_appears_within_two_seconds_and_nothing_jumps(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        page = somebody.page
        assert isinstance(page, BrowsePage)
        await until(lambda: "● live 1s" in somebody.text, "it says that it watches")
        await somebody.press("G", "k", "l")
        await somebody.press("j", "space")
        before = page.versions.cursor_key, page.versions.marks
        somebody.app.registry.who = Who(4711, "zoe")
        clock = FairClock()
        await asyncio.to_thread(other(sample).register, "tumor-screening", __file__, metrics={"auc": 0.5})
        await until(lambda: "tumor-screening:6 registered by ana" in somebody.text, "the news", seconds=2.0)
        assert clock.seconds() < 2.0
        assert (page.versions.cursor_key, page.versions.marks) == before
        assert " ~ 6" in somebody.text
        who = Who(1000, "bo")
        await asyncio.to_thread(Registry(sample, who=who).promote, "tumor-screening:3", "staging", reason="x")
        await until(lambda: "tumor-screening:3 moved to staging by bo" in somebody.text, "the move", seconds=2.0)
        assert (page.versions.cursor_key, page.versions.marks) == before

    walk(registry, steps, live=True)


def test_the_changed_row_is_flagged_for_a_while(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackroom.tui.widgets.line_table.LineTable.FLAG_SECONDS", 0.3)

    async def steps(somebody: Walk) -> None:
        await until(lambda: "live" in somebody.text, "it says that it watches")
        await asyncio.to_thread(other(sample).register, "wine-origin", __file__)
        await until(lambda: " ~ wine-origin" in somebody.text, "the flag", seconds=2.0)
        await until(lambda: " ~ wine-origin" not in somebody.text, "its end", seconds=2.0)
        assert "wine-origin:5 registered by ana" in somebody.status

    walk(registry, steps, live=True)


def test_a_deleted_row_stays_struck_until_it_is_left(registry: Registry, sample: Path) -> None:
    import shutil  # noqa: PLC0415  # only here

    async def steps(somebody: Walk) -> None:
        page = somebody.page
        assert isinstance(page, BrowsePage)
        await somebody.press("j", "j")
        shutil.rmtree(sample / "models/iris-species")
        await somebody.press("r")
        assert page.models.cursor_is_gone
        assert "iris-species is gone" in somebody.text
        assert "4 models" in page.facts(), "a row that is only kept is none of them"
        await somebody.press("j")
        assert page.models.row_count == 4

    walk(registry, steps)


def test_a_hung_file_system_holds_neither_keys_nor_the_end(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    hung = threading.Event()
    monkeypatch.setattr(app_module, "read_some", lambda *_args: hung.wait())
    monkeypatch.setattr(app_module, "read_all", lambda *_args: hung.wait())
    app = Browser(registry, live=False)

    async def main() -> None:
        async with app.run_test(size=NARROW):
            await until(lambda: "reading the registry" in screen_text(app), "it says what it does")
            for key in ("j", "r", "r", "r", "r", "question_mark"):
                app.post_message(key_event(key))
            clock = FairClock()
            await until(lambda: "Keys of this screen" in screen_text(app), "keys are answered")
            assert clock.seconds() < 1.0
            app.post_message(key_event("ctrl+q"))
            await until(lambda: bool(app._exit), "the end")

    clock = FairClock()
    asyncio.run(main())
    assert clock.seconds() < 8.0
    hung.set()


def test_a_registry_that_cannot_be_read_says_so_and_r_tries_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = read_all

    def fails(*_args: object) -> object:
        raise PermissionDeniedError("/srv/models: permission denied", hint="ask bo")

    monkeypatch.setattr(app_module, "read_all", fails)
    app = Browser(registry, live=False)

    async def main() -> None:
        async with app.run_test(size=NARROW):
            await until(lambda: "the registry cannot be read; r tries again" in screen_text(app), "it says so")
            assert "permission denied (ask bo)" in screen_text(app)
            monkeypatch.setattr(app_module, "read_all", real)
            app.post_message(key_event("r"))
            await until(lambda: "tumor-screening" in screen_text(app), "the models")

    asyncio.run(main())


class _Inbox:
    """Takes what the watching thread posts."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def post_message(self, message: Message) -> bool:
        self.messages.append(message)
        return True


def test_silence_is_slow_and_then_stale_and_trouble_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox: Any = _Inbox()
    live = Live(registry, inbox)
    assert live.state() == ("live", "1s")
    now = time.monotonic()
    for silent, state in ((4.0, ("slow", "")), (11.0, ("stale", "no answer from the file system"))):
        live.beat = now - silent
        assert live.state() == state
    live.trouble = "stale file handle"
    assert live.state() == ("stale", "stale file handle")
    monkeypatch.setattr(live_module, "INTERVAL", 0.01)
    live.start()
    time_limit = time.monotonic() + 5
    while live.trouble and time.monotonic() < time_limit:
        time.sleep(0.005)
    live.stop()
    assert live.state() == ("live", "0s")


def test_a_broken_model_is_told_and_watching_goes_on(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    polls: list[int] = []
    real = Watch.poll

    def poll(self: Watch) -> Changes:
        polls.append(1)
        found = real(self)
        from stackroom.store.watch import Changes  # noqa: PLC0415  # only here

        return Changes(models=frozenset({registry.model("iris-species").name})) if len(polls) == 2 else found

    def fails(*_args: object) -> object:
        raise NotFoundError("the registry is gone")

    monkeypatch.setattr(Watch, "poll", poll)
    monkeypatch.setattr(live_module, "read_some", fails)
    monkeypatch.setattr(live_module, "INTERVAL", 0.02)
    inbox: Any = _Inbox()
    live = Live(registry, inbox)
    live.start()
    limit = time.monotonic() + 5
    while len(polls) < 4 and time.monotonic() < limit:
        time.sleep(0.005)
    live.stop()
    assert len(polls) >= 4


def test_what_could_not_be_read_is_tried_again_and_the_trouble_stays_until_then(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stackroom.store.watch import Changes  # noqa: PLC0415  # only here
    from stackroom.tui.live import Fresh  # noqa: PLC0415  # the same
    from stackroom.tui.picture import read_some  # noqa: PLC0415  # the same

    polls: list[int] = []
    troubles: list[str] = []
    live: Live

    def poll(_watch: Watch) -> Changes:
        polls.append(1)
        troubles.append(live.trouble)
        return Changes(models=frozenset({registry.model("iris-species").name})) if len(polls) == 2 else Changes()

    def fails_at_first(*args: Any) -> object:  # noqa: ANN401  # handed through
        if len(polls) == 2:
            raise NotFoundError("the registry is gone")
        if len(polls) == 3:
            raise ZeroDivisionError("a mistake")
        return read_some(*args)

    monkeypatch.setattr(Watch, "poll", poll)
    monkeypatch.setattr(live_module, "read_some", fails_at_first)
    monkeypatch.setattr(live_module, "INTERVAL", 0.02)
    inbox: Any = _Inbox()
    live = Live(registry, inbox)
    live.start()
    limit = time.monotonic() + 5
    while not any(isinstance(one, Fresh) and one.reading.extent == "some" for one in inbox.messages):
        assert time.monotonic() < limit
        time.sleep(0.005)
    while live.trouble and time.monotonic() < limit:
        time.sleep(0.005)
    live.stop()
    assert troubles[2] == "the registry is gone"
    assert troubles[3] == "ZeroDivisionError: a mistake"
    assert live.trouble == ""


def test_a_registry_file_that_was_broken_and_is_mended_makes_no_news(registry: Registry, sample: Path) -> None:
    file = sample / "registry.toml"
    good = file.read_text()

    async def steps(somebody: Walk) -> None:
        file.write_text(good + "[[[")
        await somebody.press("r")
        assert "registry.toml" in somebody.status
        assert "moved to" not in somebody.status
        file.write_text(good)
        await somebody.press("r")
        assert "moved to" not in somebody.text
        assert "registry.toml" not in somebody.status
        other(sample).promote("iris-species:3", "staging", reason="the first one ever")
        await somebody.press("r")
        assert "iris-species:3 moved to staging" in somebody.status

    walk(registry, steps)


def test_a_model_that_is_deleted_while_its_versions_are_shown_says_so(registry: Registry, sample: Path) -> None:
    import shutil  # noqa: PLC0415  # only here

    async def steps(somebody: Walk) -> None:
        await somebody.press("j", "j", "l")
        shutil.rmtree(sample / "models/iris-species")
        await somebody.press("r", "j", "k", "G")
        assert "reading" not in somebody.text
        assert "iris-species is gone" in somebody.text
        for key in ("s", "c", "U", "E"):
            await somebody.press(key)
            assert "iris-species is gone" in somebody.status, key

    walk(registry, steps)


@pytest.mark.parametrize("command", ["move", "approve"])
def test_a_word_of_another_process_is_judged_on_the_open_screen_within_two_seconds(
    registry: Registry, sample: Path, command: str
) -> None:
    ask_for_approvals(registry, sample, "staging")

    async def steps(somebody: Walk) -> None:
        await until(lambda: "live" in somebody.text, "it says that it watches")
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press(*f":{command} tumor-screening:5 staging", "enter")
        page = somebody.page
        assert somebody.where() == command
        assert "ana rejected" not in somebody.text
        clock = FairClock()
        await asyncio.to_thread(other(sample).reject, "tumor-screening:5", "staging", reason="too slow")
        await until(lambda: "ana rejected: too slow" in somebody.text, "the word", seconds=2.0)
        assert clock.seconds() < 2.0
        assert "changed meanwhile: ana rejected" in somebody.text
        assert somebody.page is page

    walk(registry, steps, live=True)


def test_other_rules_are_judged_by_on_the_open_screen(registry: Registry, sample: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await until(lambda: "live" in somebody.text, "it says that it watches")
        await somebody.press(*":move tumor-screening:5 staging", "enter")
        assert "approvals" not in somebody.text
        await asyncio.to_thread(ask_for_approvals, other(sample), sample, "staging")
        await until(lambda: "approvals" in somebody.text, "the guard", seconds=4.0)

    walk(registry, steps, live=True)
