"""Cursors: up to which event of each ledger somebody has been told, as one printable word.

A cursor is about moves of stages and nothing else: they are the one kind of change that is numbered. It names the
registry, the stages that it is about, and of each ledger the last event that was told, by its number and the beginning
of its text's digest, so that an event which was taken away and made anew is another one.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, Final

from stackroom.core.names import ModelName, StageName, is_model_name, parse_number
from stackroom.core.sha256 import sha256
from stackroom.core.values import dataclass, field
from stackroom.errors import InvalidInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

START: Final = "start"
"""The word for a cursor before everything."""

_FORM: Final = "1-"
"""What the text of this form begins with."""

_EVERY: Final = "*"
"""Stands for all stages, those included that are declared later."""

_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of an unpacked cursor: ten times what 10,000 models in five stages take."""

_DIGITS: Final = 4
"""Of a digest, in hex: they tell two events under one number apart but once in 65,536 times. That is against accidents:
who wants two texts to look alike would only have to try more of them with more digits."""

_NONE: Final = "-"
"""Stands where a model has no mark in a stage."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that was told.

    Attributes:
        number: its number.
        digest: the beginning of its text's sha256.
    """

    number: int
    digest: str


def mark_of(number: int, text: str) -> Mark:
    """The mark of an event with that text."""
    return Mark(number, sha256(text.encode(errors="surrogateescape")).hexdigest()[:_DIGITS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Up to where somebody has been told.

    Attributes:
        registry: the id of the registry; empty before everything.
        stage: the one that it is about; None for all.
        marks: the last event that was told of each ledger; a ledger without one has told nothing yet.
    """

    registry: str
    stage: StageName | None = None
    marks: Mapping[tuple[StageName, ModelName], Mark] = field(default_factory=dict)

    def __str__(self) -> str:
        stages = sorted({stage for stage, _ in self.marks})
        lines = [self.registry, self.stage or _EVERY, " ".join(stages)]
        for model in sorted({model for _, model in self.marks}):
            marks = [self.marks.get((stage, model)) for stage in stages]
            lines.append(" ".join([model, *(f"{mark.number}.{mark.digest}" if mark else _NONE for mark in marks)]))
        packed = zlib.compress("\n".join(lines).encode(errors="surrogateescape"))
        return _FORM + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")

    def told(self, stage: StageName, model: ModelName, mark: Mark | None) -> Cursor:
        """The cursor after an event of a ledger; with None nothing of the ledger counts as told any more."""
        others = {place: known for place, known in self.marks.items() if place != (stage, model)}
        marks = others if mark is None else {**others, (stage, model): mark}
        return Cursor(registry=self.registry, stage=self.stage, marks=marks)

    def narrowed(self, registry: str, stage: StageName | None) -> Cursor:
        """The cursor for watching one stage of a registry, or with None all of them.

        Raises:
            UsageError: it is about another registry, or about fewer stages.
        """
        if self.registry not in {"", registry}:
            raise UsageError(
                "the cursor is another registry's",
                hint="leave --since out to begin now, or say --since start to be told everything",
                facts={"cursor": self.registry, "registry": registry},
            )
        if self.registry and self.stage not in {None, stage}:
            raise UsageError(
                f"the cursor is about {self.stage} alone",
                hint=f"add --stage {self.stage}, or begin without --since",
                facts={"stage": self.stage},
            )
        marks = {place: mark for place, mark in self.marks.items() if stage in {None, place[0]}}
        return Cursor(registry=registry, stage=stage, marks=marks)


def parse_cursor(text: str) -> Cursor:
    """A cursor's text, or :data:`START`.

    Raises:
        InvalidInputError: it is none; whoever wrote it, nothing worse happens.
    """
    word = text.strip()
    if word == START:
        return Cursor(registry="")
    try:
        return _unpacked(word)
    except (ValueError, zlib.error, binascii.Error):
        raise InvalidInputError(
            "that is no cursor, or not a whole one",
            hint="a cursor is a word that watch printed, such as 1-eNo…; or say --since start",
            facts={"key": "since"},
        ) from None


def _unpacked(word: str) -> Cursor:
    if not word.startswith(_FORM) or not word.isascii():
        raise ValueError
    raw = word.removeprefix(_FORM)
    packed = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(packed, _LIMIT)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError
    registry, about, stages, *lines = content.decode(errors="surrogateescape").split("\n")
    if not registry or not about:
        raise ValueError
    names = [StageName(name) for name in stages.split(" ")]
    marks: dict[tuple[StageName, ModelName], Mark] = {}
    for line in lines:
        model, *texts = line.split(" ")
        if not is_model_name(model):
            raise ValueError
        for stage, text in zip(names, texts, strict=True):
            if text != _NONE:
                marks[stage, ModelName(model)] = _parse_mark(text)
    return Cursor(registry=registry, stage=None if about == _EVERY else StageName(about), marks=marks)


def _parse_mark(text: str) -> Mark:
    digits, _, digest = text.partition(".")
    number = parse_number(digits)
    if number is None or len(digest) != _DIGITS:
        raise ValueError
    return Mark(number, digest)
