"""What every command is given: the registry that is meant, how output is wanted, and where it goes."""

from __future__ import annotations

import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli import streams
from stackroom.cli.catalog import COMMANDS
from stackroom.cli.style import Glyphs, Piece, Styled, glyphs_for, render, wants_colours
from stackroom.cli.table import Column, aligned, separated
from stackroom.core.show import json_line, json_text
from stackroom.core.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stackroom.cli.progress import Bar, Count
    from stackroom.errors import InvalidInputError
    from stackroom.registry.facade import Registry
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Problem

NOTHING_CHANGED: Final = "nothing was changed"

_ALIKE_SHOWN: Final = 3
"""Problems of one kind that are told one by one: after a copy without times there is one for every model."""

_HOMELESS: Final = frozenset({"demo", "init", "tui"})
"""Commands that are about no registry, or take it as an argument."""

_COMMAND: Final = rf"\bstackroom (?=(?:{'|'.join(name for name in COMMANDS if name not in _HOMELESS)})\b)"
"""A command in a piece of advice, up to its name."""


class Context:
    """One call of the command line.

    Attributes:
        path: what ``-R`` says, or None.
        json: whether stdout gets JSON.
        one_line: whether a document takes one line, for a command that prints many.
        browse: opens the terminal interface; the command line cannot know it.
        interrupted: what an interrupt leaves behind, as far as it is known now.
    """

    def __init__(
        self,
        *,
        path: str | None,
        as_json: bool,
        colour: str,
        browse: Callable[[list[str]], int],
        one_line: bool = False,
    ) -> None:
        self.path = path
        self.json = as_json
        self.one_line = one_line
        self.browse = browse
        self.interrupted = NOTHING_CHANGED
        self._colour = colour
        self._bar: Bar | Count | None = None

    # --- the registry

    @cached_property
    def reader(self) -> Reader:
        """The registry, for reading alone: loads half of the code."""
        from stackroom.registry.finding import open_reader  # noqa: PLC0415 - some commands need no registry

        reader = open_reader(self.path)
        reader.progress = self._count if self.watched else None
        self._warn_of_policy(reader.policy_error)
        return reader

    @cached_property
    def registry(self) -> Registry:
        """The registry, for everything."""
        from stackroom.registry.finding import open_registry  # noqa: PLC0415 - a command that only reads

        registry = open_registry(self.path)
        registry.progress = self._count if self.watched else None
        self._warn_of_policy(registry.policy_error)
        return registry

    def _warn_of_policy(self, error: InvalidInputError | None) -> None:
        if error:
            hint = f"; {self.runnable(error.hint)}" if error.hint else ""
            self.warn(f"{error}{hint}")

    # --- the streams

    @property
    def terminal(self) -> bool:
        """Whether stdout is a terminal: a person reads along."""
        return sys.stdout.isatty()

    @property
    def watched(self) -> bool:
        """Whether stderr is a terminal."""
        return sys.stderr.isatty()

    @property
    def glyphs(self) -> Glyphs:
        """The signs that stdout can show."""
        return glyphs_for(sys.stdout)

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        import shutil  # noqa: PLC0415 - only on a terminal

        return shutil.get_terminal_size().columns

    def out(self, *pieces: Piece) -> None:
        """A line of data."""
        if self._bar and self.terminal:
            self._bar.wipe()
        streams.put(render(pieces, colours=wants_colours(sys.stdout, self._colour)) + "\n")

    def out_tabs(self, values: Iterable[str]) -> None:
        """A line of data for a program: values, made harmless, with tabs between them."""
        streams.put("\t".join(visible(value) for value in values) + "\n")

    def say(self, *pieces: Piece) -> None:
        """A line for people, on stderr."""
        if self._bar:
            self._bar.wipe()
        streams.complain(render(pieces, colours=wants_colours(sys.stderr, self._colour)) + "\n")

    def warn(self, message: str) -> None:
        """A warning, on stderr."""
        self.say(Styled("warning:", "yellow"), f" {message}")

    def warn_of(self, problems: Iterable[Problem]) -> None:
        """Problems, on stderr; of those that differ only in their numbers, times and places the first few."""
        kinds: dict[tuple[str, str], list[Problem]] = {}
        for problem in problems:
            kinds.setdefault(_kind_of(problem), []).append(problem)
        for alike in kinds.values():
            for problem in alike[:_ALIKE_SHOWN]:
                word = Styled("problem:", "red") if problem.severity == "error" else Styled("warning:", "yellow")
                hint = f" ({self.runnable(problem.hint)})" if problem.hint else ""
                self.say(word, f" {problem.place}: {problem.message}{hint}")
            if len(alike) > _ALIKE_SHOWN:
                more = len(alike) - _ALIKE_SHOWN
                self.say(f"  and {more} more like it ({self.runnable('stackroom list --json')} lists them)")

    def runnable(self, advice: str) -> str:
        """Advice whose commands run as they are printed: where ``-R`` was given, they need it too."""
        if self.path is None:
            return advice
        import shlex  # noqa: PLC0415 - only for advice

        path = shlex.quote(self.path)
        return re.sub(_COMMAND, lambda _: f"stackroom -R {path} ", advice)

    def document(self, document: dict[str, Any]) -> None:
        """The JSON document that a command answers with ``--json``."""
        streams.put(json_line(document) if self.one_line else json_text(document))

    def error_document(self, facts: dict[str, Any]) -> None:
        """The same of what went wrong; as a line among others it has a kind, as they have."""
        self.document(({"kind": "error"} if self.one_line else {}) | {"error": facts})

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Piece]]) -> None:
        """Rows, aligned and cut to the terminal's width; separated by tabs, and whole, where stdout is no terminal."""
        if not self.terminal:
            streams.put_lines(separated(columns, rows))
            return
        for pieces in aligned(columns, rows, self.width, self.glyphs.cut):
            self.out(*pieces)

    def bar(self, total: int, doing: str) -> Bar:
        """A count of bytes that are done, shown on stderr where that is a terminal."""
        from stackroom.cli.progress import Bar  # noqa: PLC0415 - only where much is read

        self._bar = Bar(total, doing, sys.stderr if self.watched else None)
        return self._bar

    def _count(self, done: int, total: int) -> None:
        """Show on stderr how many models were read, where that takes long enough to be seen."""
        from stackroom.cli.progress import Count  # noqa: PLC0415 - only where much is read

        if not isinstance(self._bar, Count):
            self._bar = Count("reading", "models", sys.stderr)
        self._bar(done, total)

    def commits(self, look: str) -> None:
        """From here on an interrupt may find the change made; ``look`` is the command that tells."""
        self.interrupted = f"whether it was done, tells: {self.runnable(look)}"


def _kind_of(problem: Problem) -> tuple[str, str]:
    """What problems of one kind have in common: everything but the numbers, the times and the names of the place."""
    text = problem.message
    for part in sorted(problem.place.split("/"), key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(part)}\b", "#", text) if part else text
    return problem.severity, re.sub(r"\d[\dTZ:.-]*", "#", text)
