"""Forms for what is new: a model, and a version from a file or a folder, with how far the copying is."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stackroom.core.metadata import Record, document_of
from stackroom.core.names import Ref, parse_label, parse_model_name
from stackroom.core.show import count, size
from stackroom.errors import InvalidInputError, RegistryError
from stackroom.registry.registering import Registered, Registration, check_name_among
from stackroom.store import layout
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.sources import gather
from stackroom.store.userfiles import paths_like, read_user_file
from stackroom.tui.present.edit import Entry
from stackroom.tui.present.move import hashing
from stackroom.tui.screens.fields import FieldsPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.names import ModelName
    from stackroom.store.digest import Progress
    from stackroom.tui.background import Task

_NAME, _PATH, _LABEL, _CARD = "@name", "@path", "@label", "@card"


class NewPage(FieldsPage):
    """A model that is to be made.

    Args:
        name: that was typed already.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(Record())
        self._called = name

    def begin(self) -> None:
        """Ask for the name, which is all that is needed."""
        self.question(_NAME, "name", self._called)

    def steps(self) -> Sequence[str]:
        """That it is new."""
        return ["new model"]

    def own_entries(self) -> list[Entry]:
        """The name."""
        return [Entry(_NAME, "name", None, self._called or None, "name")]

    def check_own(self, key: str, text: str) -> str:  # noqa: ARG002  # there is one
        """By the rules for names, those of the registry, and the names that are there."""
        name = parse_model_name(text.strip())
        known = self.browser.picture.models
        if name in known:
            raise InvalidInputError(f"the model {name} is there already")
        check_name_among(self.browser.registry, name, known)
        return f"{name} can be made: w"

    def take_own(self, key: str, text: str) -> None:  # noqa: ARG002  # the same
        """The name."""
        self._called = text.strip()

    def do_editor(self) -> None:
        """There is no text to edit yet."""
        self.say("make the model first: w", tone="warn")

    def do_write(self) -> None:
        """Make it."""
        if self.writing:
            return
        if not self._called:
            self.begin()
            return
        registry, name, metadata = self.browser.registry, self._called, document_of(self.mine)
        self.check_own(_NAME, name)
        self.writing = True

        def work(_task: Task) -> ModelName:
            return registry.new(name, metadata=metadata)

        self.work.run("make", work)
        self.say("making it")

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401, ARG002  # there is one piece of work
        """It is there."""
        self.browser.made.add(value)
        self.browser.finish(self, f"{value} is made; n registers a version", {value})
        self.browser.show_made(Ref(value))

    def failed(self, name: str, error: Exception) -> None:  # noqa: ARG002  # the same
        """What was typed is still here."""
        self.writing = False
        self.browser.refused(error)


class Found(NamedTuple):
    """What lies at a path.

    Attributes:
        files: how many.
        bytes: of all of them.
        card: whether one of them is the model card.
    """

    files: int
    bytes: int
    card: bool

    def told(self) -> str:
        """In words."""
        return f"{count(self.files, 'file')}, {size(self.bytes)}, {'with a card' if self.card else 'no card'}"


class _GivenUpError(Exception):
    """Nobody wants the copy any more."""


def found_at(path: str) -> Found:
    """What would be registered; touches the disk.

    Raises:
        RegistryError: nothing that a version can hold.
    """
    files = gather([str(Path(path).expanduser())])
    return Found(len(files), sum(file.size for file in files), any(file.target == layout.CARD_FILE for file in files))


class RegisterPage(FieldsPage):
    """A version that is to be registered.

    Args:
        model: whose.
        path: that was typed already.
    """

    def __init__(self, model: ModelName, path: str = "") -> None:
        super().__init__(Record())
        self.model_name = model
        self._own = {_PATH: path, _LABEL: "", _CARD: ""}
        self._found: Found | None = None
        self._stop = threading.Event()

    def begin(self) -> None:
        """Ask for the path, or look at the one that was typed."""
        if self._own[_PATH]:
            self._look()
        else:
            self.question(_PATH, "path")

    def on_unmount(self) -> None:
        """What is not copied by now is not wanted."""
        self._stop.set()

    def steps(self) -> Sequence[str]:
        """Whose."""
        return [self.model_name, "new version"]

    def facts(self) -> Sequence[str]:
        """What lies at the path."""
        return [self._found.told() if self._found else "", *super().facts()]

    def own_entries(self) -> list[Entry]:
        """Where the files are, one more name, the card where it is not among them."""
        names = ((_PATH, "path", "path"), (_LABEL, "label", "name"), (_CARD, "card", "path"))
        return [Entry(key, name, None, self._own[key] or None, kind) for key, name, kind in names]

    def check_own(self, key: str, text: str) -> str:
        """A label by its rules; paths are looked at once they are typed."""
        if key == _LABEL and text.strip():
            parse_label(text.strip())
        return ""

    def take_own(self, key: str, text: str) -> None:
        """A line of ours."""
        self._own[key] = text.strip()
        if key == _PATH:
            self._found = None
            if self._own[_PATH]:
                self._look()

    def complete_own(self, key: str, text: str) -> None:
        """Folders and files, read off the screen's thread."""
        if key in {_PATH, _CARD}:
            self.work.run("complete", lambda _task: (text, paths_like(text)))

    def _look(self) -> None:
        path = self._own[_PATH]
        self.say(f"looking at {path}")
        self.work.run("look", lambda _task: found_at(path))

    def do_editor(self) -> None:
        """There is no text to edit yet."""
        self.say("register the version first: w", tone="warn")

    # ---- copying

    def do_write(self) -> None:
        """Register it."""
        if self.writing:
            return
        if not self._own[_PATH]:
            self.question(_PATH, "path")
            return
        self.writing = True
        self._stop = threading.Event()
        registry, model, record = self.browser.registry, self.model_name, self.mine
        own, stop = dict(self._own), self._stop

        def work(task: Task) -> Registered:
            total = found_at(own[_PATH]).bytes
            card = read_user_file(str(Path(own[_CARD]).expanduser()), CARD_LIMIT).decode() if own[_CARD] else None
            registration = Registration(
                sources=[str(Path(own[_PATH]).expanduser())],
                record=record,
                card=card,
                label=own[_LABEL] or None,
                progress=copying(task, total, stop),
            )
            return registry.publish(model, registration)

        self.work.run("register", work)
        self.say("registering, esc gives up")

    def progressed(self, name: str, latest: dict[str, Any]) -> None:  # noqa: ARG002  # only copying reports
        """Bytes, rate, time left."""
        if not self._stop.is_set():
            done, total, seconds = latest[""]
            self.say(f"{hashing(done, total, seconds, doing='copying')}, esc gives up")

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """Looked at, completed, or registered."""
        if name == "complete":
            typed, lines = value
            if self.prompt.question == "=" and self.prompt.text == typed:
                self.offer(lines)
        elif name == "look":
            self._found = value
            self.say("")
            self.show_bars()
        else:
            late = ", before it could be given up" if self._stop.is_set() else ""
            told = f"{value.ref} registered{late}: {count(value.files, 'file')}, {size(value.bytes)}"
            self.browser.made.add(str(value.ref))
            self.browser.finish(self, told, {self.model_name})
            self.browser.show_made(value.ref)

    def failed(self, name: str, error: Exception) -> None:
        """It is not registered, and the form is still here."""
        if name == "register":
            self.writing = False
        if isinstance(error, _GivenUpError):
            self.say("given up; nothing was registered, and nothing is left of it", tone="warn")
        elif isinstance(error, UnicodeDecodeError):
            self.say(f"{self._own[_CARD]} is not UTF-8 at byte {error.start}", tone="bad")
        elif isinstance(error, RegistryError) and name == "register":
            self.browser.refused(error)
        else:
            super().failed(name, error)

    def dismiss_one(self) -> bool:
        """Esc gives the copy up; a second one leaves without waiting for it."""
        if not self.writing or self._stop.is_set():
            return False
        self._stop.set()
        self.say("giving up")
        return True

    def do_back(self) -> None:
        """A copy is given up only by somebody who says so; while that goes on, without waiting for it."""
        if not self.writing:
            super().do_back()
        elif self._stop.is_set():
            self.leave()
        else:
            self.choose("files are being copied", [("y", "give up"), ("n", "go on")], self._answered)

    def _answered(self, key: str) -> None:
        if key == "y":
            self.dismiss_one()


def copying(task: Task, total: int, stop: threading.Event) -> Progress:
    """A progress that reports bytes to the screen, and ends the copying when it is given up."""
    done = 0
    started = time.monotonic()

    def progress(amount: int, /) -> None:
        nonlocal done
        done += amount
        if stop.is_set():
            raise _GivenUpError
        task.report((done, total, time.monotonic() - started))

    return progress
