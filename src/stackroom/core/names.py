"""Names of models, versions, labels and stages, and the references that people type.

Knows every rule about a name and no path: which file a name lives in is :mod:`stackroom.store.layout`'s to say.
Names are ASCII and lower case, so that they are the same on every file system, in every shell and in the model
repositories of serving software.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NewType

from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

ModelName = NewType("ModelName", str)
"""A name that passed :func:`parse_model_name`."""

StageName = NewType("StageName", str)
"""A name that passed :func:`parse_stage_name`."""

Label = NewType("Label", str)
"""A name that passed :func:`parse_label`."""

MODEL_NAME_LIMIT: Final = 64
"""Bytes. The longest event name, a stage's and a model's names in its text, fit the 900 bytes of a symlink with it."""

STAGE_NAME_LIMIT: Final = 32
"""Bytes; the same budget."""

NUMBER_DIGITS: Final = 9
"""Versions, revisions and events: a longer number is a foreign name."""

_NAME: Final = pattern(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_LABEL: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}")
_NUMBER: Final = pattern(r"[1-9][0-9]{0,8}")
_RESERVED_MODELS: Final = frozenset({"model", "models"})
_RESERVED_LABELS: Final = frozenset({"model", "latest"})
NOT_STAGES: Final = frozenset({"development", "archived"})
"""Words for showing: a version that holds no stage is in development, and its metadata says that it is archived."""


def is_model_name(text: str) -> bool:
    """Whether the text is a model's name, whatever the registry narrows it to."""
    return (
        _NAME.fullmatch(text) is not None
        and len(text) <= MODEL_NAME_LIMIT
        and ".." not in text
        and text not in _RESERVED_MODELS
    )


def parse_model_name(text: str) -> ModelName:
    """The text as a model's name.

    Raises:
        InvalidInputError: with the rule that it breaks.
    """
    if is_model_name(text):
        return ModelName(text)
    raise InvalidInputError(
        f"{text!r} cannot be a model's name: {_what_is_wrong(text, MODEL_NAME_LIMIT, _RESERVED_MODELS)}",
        hint=_suggestion(text),
        facts={"name": text},
    )


def is_stage_name(text: str) -> bool:
    """Whether the text can name a stage."""
    return (
        _NAME.fullmatch(text) is not None
        and len(text) <= STAGE_NAME_LIMIT
        and ".." not in text
        and text not in NOT_STAGES
    )


def parse_stage_name(text: str) -> StageName:
    """The text as a stage's name; whether the registry declares it is another question.

    Raises:
        InvalidInputError: with the rule that it breaks.
    """
    if is_stage_name(text):
        return StageName(text)
    raise InvalidInputError(
        f"{text!r} cannot be a stage's name: {_what_is_wrong(text, STAGE_NAME_LIMIT, NOT_STAGES)}", facts={"name": text}
    )


def _what_is_wrong(text: str, limit: int, reserved: frozenset[str]) -> str:
    if not text:
        return "it is empty"
    if text in reserved:
        return "the word is reserved"
    if len(text.encode(errors="replace")) > limit:
        return f"it is longer than {limit} bytes"
    if ".." in text:
        return "it holds two dots in a row"
    return "only a-z, 0-9, '.', '_' and '-' are allowed, with a letter or digit first and last"


def _suggestion(text: str) -> str:
    if any(char.isalnum() and not char.isascii() for char in text):
        # What is left without such letters is another word.
        return ""
    tried = re.sub(r"\.{2,}", ".", re.sub(r"[^a-z0-9._-]+", "-", text.lower())).strip("._-")[:MODEL_NAME_LIMIT]
    tried = tried.rstrip("._-")
    return f"try {tried}" if is_model_name(tried) else ""


def similarity_key(name: str) -> str:
    """Two names with the same key are too similar to live in one registry: they differ in case or in ``-_.`` alone."""
    return re.sub(r"[-_.]", "", name.lower())


def parse_label(text: str) -> Label:
    """The text as a label.

    Raises:
        InvalidInputError: with the rule that it breaks.
    """
    if is_label(text):
        return Label(text)
    if text in _RESERVED_LABELS:
        wrong = "the word is reserved"
    elif text.isdigit():
        wrong = "all digits would read as a version's number"
    else:
        wrong = "at most 64 of A-Z, a-z, 0-9, '.', '+', '_' and '-' are allowed, with a letter or digit first"
    raise InvalidInputError(f"{text!r} cannot be a label: {wrong}", facts={"name": text})


def is_label(text: str) -> bool:
    """Whether the text can be one more name of a version."""
    return _LABEL.fullmatch(text) is not None and not text.isdigit() and text not in _RESERVED_LABELS


def parse_number(text: str) -> int | None:
    """The number that a file name spells, or None: no sign, no leading zero, at most nine digits."""
    return int(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Ref:
    """What people type for a model or a version: ``fraud:7``, ``fraud:2.1.0``, ``fraud@production``, ``fraud:latest``.

    Attributes:
        model: the model.
        kind: how the version is named; ``model`` when it is not.
        value: the number, label or stage as text; empty for ``model`` and ``latest``.
    """

    model: ModelName
    kind: Literal["model", "number", "label", "stage", "latest"] = "model"
    value: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "model":
                return self.model
            case "stage":
                return f"{self.model}@{self.value}"
            case "latest":
                return f"{self.model}:latest"
            case _:
                return f"{self.model}:{self.value}"

    @property
    def number(self) -> int | None:
        """The version's number where the reference spells it."""
        return int(self.value) if self.kind == "number" else None


def version_ref(model: ModelName, number: int) -> Ref:
    """The one canonical reference of a version."""
    return Ref(model, "number", str(number))


def version_named(text: str) -> tuple[ModelName, str] | None:
    """What a text, such as a parent in somebody's metadata, names: a model, and a number, a label or ``latest``.

    None for what names no version by itself: a model, the holder of a stage, or no reference at all.
    """
    try:
        ref = parse_ref(text)
    except InvalidInputError:
        return None
    return None if ref.kind in {"model", "stage"} else (ref.model, ref.value or ref.kind)


def parse_ref(text: str) -> Ref:
    """What somebody typed, as a reference. Also accepts ``fraud/7`` and MLflow's ``models:/fraud/7``.

    Raises:
        InvalidInputError: no reference looks like this.
    """
    plain = text.removeprefix("models:/").strip("/") if text.startswith("models:/") else text
    if "@" in plain:
        model, _, stage = plain.partition("@")
        return Ref(parse_model_name(model), "stage", parse_stage_name(stage))
    separator = ":" if ":" in plain else "/"
    model, found, version = plain.partition(separator)
    name = parse_model_name(model)
    if not found:
        return Ref(name)
    if version == "latest":
        return Ref(name, "latest")
    if parse_number(version) is not None:
        return Ref(name, "number", version)
    if version.isdigit() or not is_label(version):
        raise InvalidInputError(
            f"{text!r} names no version: after {separator!r} comes a number, a label or 'latest'",
            hint=f"try {name}, {name}:7, {name}:2.1.0, {name}@production or {name}:latest",
            facts={"ref": text},
        )
    return Ref(name, "label", version)
