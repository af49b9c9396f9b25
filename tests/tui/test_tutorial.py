"""The tutorial, done as it is written: its keys are pressed, its commands run, its screens and pictures compared.

One session of the interface goes through all pages, in the order of their table of contents. What stands in a fenced
block is done, by the language of the block:

- ``sh``: commands. ``stackroom tour`` opens the interface; others run beside it, as in a second terminal.
- ``text``: what the last block of commands printed, among other things, line by line.
- ``keys``: keys as the footer writes them, and what is typed in double quotes.
- ``screen``: what the screen then shows, among other things, line by line.
- ``markdown``: what is typed into the editor that the keys before it open.

How many blanks there are is not compared, and ``…`` stands for anything. A picture is the screen at its place.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from stackroom.cli import main
from stackroom.registry.facade import Registry
from stackroom.registry.reading import Reader
from stackroom.tui.actions import ACTIONS
from stackroom.tui.app import Browser
from stackroom.tui.bindings import key_text
from tui.browsing import NARROW, NOW, Walk
from tui.picturing import check_picture, plain_svg, stable_access_init
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["plain_svg"]

TUTORIAL: Final = Path(__file__).resolve().parents[2] / "docs" / "tutorial"

OPENS: Final = "stackroom tour"
"""The command that opens the interface."""

_STEP = re.compile(r"^```(\w+)\n(.*?)^```$|^!\[[^\]]+\]\(\.\./pictures/([\w-]+)\.svg\)$", re.DOTALL | re.MULTILINE)
_NAMES: Final = {key_text(key): key for action in ACTIONS for key in action.keys}

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are recorded on one Python, 3.11")


class Step(NamedTuple):
    """One thing to do or to look at: the language of the block, or ``picture``."""

    page: str
    line: int
    kind: str
    text: str

    def lines(self) -> list[str]:
        """The lines of the block."""
        return self.text.strip("\n").split("\n")


def steps() -> list[Step]:
    """Every step of every page."""
    index = (TUTORIAL / "index.md").read_text(encoding="utf-8")
    names = ["index", *re.findall(r"^[\w-]+$", index.partition("```{toctree}")[2].partition("```")[0], re.MULTILINE)]
    found = []
    for name in names:
        page = (TUTORIAL / f"{name}.md").read_text(encoding="utf-8")
        for match in _STEP.finditer(page):
            kind, text = ("picture", match[3]) if match[3] else (match[1], match[2])
            found.append(Step(name, page.count("\n", 0, match.start()) + 1, kind, text))
    return found


def keys_of(text: str) -> list[list[str]]:
    """Keys as people write them, by Textual's names, each by itself; what stands in quotes is typed in one go."""
    found = re.findall(r'"([^"]*)"|(\S+)', text)
    return [list(typed) if typed else [_NAMES.get(key, key)] for typed, key in found]


def shows(text: str, wanted: str) -> bool:
    """Whether a line of a text says what is wanted; ``…`` stands for anything, and one blank for many."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in wanted.split("…"))
    return any(re.search(pattern, " ".join(line.split())) for line in text.split("\n"))


class Tour:
    """Somebody who does what the pages say.

    Attributes:
        folder: where he sits.
        printed: by the last block of commands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""
        self._typed = folder / "typed.md"
        editor = folder / "editor"
        editor.write_text(f'#!/bin/sh\ncat {shlex.quote(str(self._typed))} > "$1"\n')
        editor.chmod(0o755)

    async def go(self, found: list[Step]) -> None:
        """Commands until the interface is opened, then everything else in it."""
        at = next(place for place, step in enumerate(found) if OPENS in step.lines())
        assert at == 0, "nothing comes before it"
        before = found[at].lines()
        self.printed = "".join(self.run(line) for line in before[: before.index(OPENS)])
        (self.folder / "tour").chmod(0o755)  # for whom the kernel is to refuse more than the way in
        app = Browser(Registry(self.folder / "tour"), live=False)
        app.title = "stackroom"
        async with app.run_test(size=NARROW) as pilot:
            await until(lambda: app.picture.ready, "the registry is read")
            somebody = Walk(pilot, app)
            await somebody.settle()
            for place, step in enumerate(found[at + 1 :], at + 1):
                if step.kind == "keys" and [one.kind for one in found[place + 1 : place + 2]] == ["markdown"]:
                    self._typed.write_text(found[place + 1].text, encoding="utf-8")
                await self.do(step, somebody)
            assert somebody.left, "the tour ends with leaving"

    async def do(self, step: Step, somebody: Walk) -> None:
        """Do one step, or look whether it is so."""
        where = f"docs/tutorial/{step.page}.md:{step.line}"
        if step.kind == "sh":
            self.printed = "".join(self.run(line) for line in step.lines())
            if not somebody.left:
                somebody.app.read()
                await somebody.settle()
        elif step.kind == "text":
            missing = [line for line in step.lines() if not shows(self.printed, line)]
            assert missing == [], f"{where}: the commands print\n{self.printed}"
        elif step.kind == "keys":
            for keys in keys_of(step.text):
                await somebody.press(*keys)
        elif step.kind == "screen":
            missing = [line for line in step.lines() if not shows(somebody.text, line)]
            assert missing == [], f"{where}: the screen shows\n{somebody.text}"
        elif step.kind == "picture":
            check_picture(somebody.app, step.text)
        elif step.kind != "markdown":
            pytest.fail(f"{where}: nobody knows what a block of {step.kind} is")

    def run(self, line: str) -> str:
        """One command; what it prints."""
        words = shlex.split(line, comments=True)
        if words[:1] == ["stackroom"]:
            said = io.StringIO()
            with redirect_stdout(said), redirect_stderr(said):
                code = main.run(words[1:], lambda _paths: 0)
            assert code == 0, f"{line}\n{said.getvalue()}"
            return said.getvalue()
        # The kernel refuses root nothing, so that somebody else has to try.
        user = 4711 if os.geteuid() == 0 else None
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        return done.stdout


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Somewhere to sit, whose path has the same length everywhere."""
    path = Path(tempfile.mkdtemp(prefix="stackroom-", dir="/tmp"))  # pictures show what is below it
    path.chmod(0o777)  # for whom the kernel refuses what lies below
    monkeypatch.chdir(path)
    monkeypatch.setenv("EDITOR", str(path / "editor"))
    monkeypatch.delenv("VISUAL", raising=False)
    yield path
    for parent, _, _ in os.walk(path):
        Path(parent).chmod(0o755)
    shutil.rmtree(path)


@pytest.mark.usefixtures("plain_svg", "ana")
def test_everything_on_the_pages_of_the_tutorial_is_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackroom.store.access.Access.__init__", stable_access_init("/home/ana"))
    usual = Reader.__init__.__kwdefaults__ or {}
    monkeypatch.setattr(Reader.__init__, "__kwdefaults__", {**usual, "clock": lambda: NOW})
    monkeypatch.setattr(Browser, "suspend", lambda _app: nullcontext())
    asyncio.run(Tour(folder).go(steps()))
