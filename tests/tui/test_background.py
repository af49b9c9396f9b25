"""Work on files beside the screen: it ends in messages, never blocks, and is never shown when it is stale."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from stackroom.tui import background as module
from stackroom.tui.background import LANES, Background, Done, Failed, Progress, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Target:
    """Takes messages as a widget would."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.changed = threading.Condition()

    def post_message(self, message: Any) -> bool:  # noqa: ANN401  # Textual's signature
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()
        return True

    def wait(self, holds: Callable[[list[Any]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self.messages), timeout=10), self.messages


def started() -> tuple[Target, Background]:
    target = Target()
    return target, Background(target)  # type: ignore[arg-type]  # posts are all it needs


class Counted(Done[int]):
    """A message of one's own."""


def test_a_result_arrives_as_a_message_of_ones_own() -> None:
    target, background = started()
    task = background.run("count", lambda _task: 7, Counted)
    target.wait(lambda messages: len(messages) == 1)
    message = target.messages[0]
    assert (type(message), message.value, message.name, message.is_current) == (Counted, 7, "count", True)
    assert message.task is task
    background.run("count", lambda _task: 8, Counted)
    assert not message.is_current


def test_an_exception_arrives_as_a_message() -> None:
    target, background = started()

    def work(_task: Task) -> int:
        raise OSError(116, "Stale file handle")

    background.run("read", work)
    target.wait(lambda messages: len(messages) == 1)
    assert isinstance(target.messages[0], Failed)
    assert "Stale file handle" in str(target.messages[0].error)


def test_a_superseded_result_is_never_posted() -> None:
    target, background = started()
    release, ended = threading.Event(), threading.Event()

    def slow(task: Task) -> str:
        release.wait(10)
        assert task.cancelled
        task.report("late")
        ended.set()
        return "old"

    background.run("read", slow)
    background.run("read", lambda _task: "new")
    target.wait(lambda messages: [message.value for message in messages] == ["new"])
    release.set()
    assert ended.wait(10)
    wait_until_idle(background, "read")
    assert [message.value for message in target.messages] == ["new"]


def test_cancelled_and_stopped_work_is_never_posted() -> None:
    target, background = started()
    release = threading.Event()
    background.run("a", lambda _task: release.wait(10))
    background.run("b", lambda _task: release.wait(10))
    background.cancel("a")
    background.stop()
    release.set()
    for name in ("a", "b"):
        wait_until_idle(background, name)
    assert target.messages == []


def test_a_hung_mount_holds_a_few_threads_and_not_one_per_key() -> None:
    target, background = started()
    release = threading.Event()
    begun = []

    def hung(task: Task) -> int:
        begun.append(task.generation)
        release.wait(10)
        return task.generation

    for _ in range(50):
        background.run("read", hung)
    assert len([thread for thread in threading.enumerate() if thread.name == "stackroom-read"]) <= LANES
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "stackroom-read")
    release.set()
    target.wait(lambda messages: [message.value for message in messages] == [50])
    wait_until_idle(background, "read")
    assert len(begun) == LANES + 1


def test_progress_is_coalesced_and_its_last_word_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SECONDS", 0.05)
    target, background = started()
    release = threading.Event()

    def work(task: Task) -> None:
        for number in range(1000):
            task.report(number)
            task.report(number * 2, kind="bytes")
        release.wait(10)

    background.run("hash", work)
    target.wait(lambda messages: bool(messages) and messages[-1].latest.get("bytes") == 1998)
    release.set()
    target.wait(lambda messages: isinstance(messages[-1], Done))
    progress = [message for message in target.messages if isinstance(message, Progress)]
    assert len(progress) < 10
    assert progress[-1].latest[""] == 999


def test_progress_never_follows_the_end() -> None:
    target, background = started()
    tasks = []

    def work(task: Task) -> None:
        tasks.append(task)
        task.report(1)
        task.report(2)

    background.run("hash", work)
    target.wait(lambda messages: bool(messages) and isinstance(messages[-1], Done))
    tasks[0].report(3)
    assert isinstance(target.messages[-1], Done)
    assert target.messages[-2].latest == {"": 2}


def wait_until_idle(background: Background, name: str) -> None:
    """Every thread of a name has ended."""
    for thread in threading.enumerate():
        if thread.name == f"stackroom-{name}":
            thread.join(10)
    assert not background.is_busy(name)
