"""Every file and folder name of the format, spelled once.

Says what a name means (:func:`model_entry`) and how one is made. A name that fits no rule is *foreign*: shown, never
touched, and never in the way of its neighbours. ``docs/reference/format.md`` is the same in prose.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from stackroom.core.names import Label, is_label, parse_number
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass

REGISTRY_FILE: Final = "registry.toml"
MODELS: Final = "models"
STAGES: Final = "stages"
LIVE: Final = "live"
APPROVALS: Final = "approvals"
OBSERVATIONS: Final = "observations"
FEED: Final = "feed"

VERSION_FILE: Final = "version.toml"
CARD_FILE: Final = "README.md"
SHA256_FILE: Final = "SHA256SUMS"
XXH128_FILE: Final = "XXH128SUMS"

UNLISTED_FILES: Final = frozenset({VERSION_FILE, SHA256_FILE, XXH128_FILE})
"""What a SUMS file does not list: itself, its twin, and the metadata, which names the SUMS file's digest."""

SEALED_FILE_MODE: Final = 0o444
SEALED_FOLDER_MODE: Final = 0o555
BUILDING_MODE: Final = 0o700
"""A version folder until it is sealed: nobody else sees half a version."""

SHARED_FOLDER_MODE: Final = 0o3775
"""setgid and sticky: the group may add names, and nobody may take away another's."""

MODEL: Final = "model"
"""Takes the number's place in the names of a model's own metadata, ``model@1.toml``."""

Kind = Literal["version", "metadata", "card", "label", "tombstone", "trash", "purge", "temporary", "hidden", "foreign"]
"""What a name in a model's folder is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A name in a model's folder, understood.

    Attributes:
        name: as it stands there.
        kind: what it is.
        number: of the version that it belongs to; None for the model's own.
        revision: of metadata or a card.
    """

    name: str
    kind: Kind
    number: int | None = None
    revision: int = 0


_REVISION: Final = pattern(r"([0-9]+|model)@([0-9]+)\.(toml|md)")
_NUMBERED: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (pattern(r"([0-9]+)@deleted"), "tombstone"),
    (pattern(r"\.trash-([0-9]+)-[0-9a-f-]+"), "trash"),
    (pattern(r"\.purge-([0-9]+)-[0-9a-f-]+"), "purge"),
)
_TEMPORARY: Final = pattern(r"\.tmp-([0-9]+)-[0-9a-f-]+")


@lru_cache(maxsize=4096)
def model_entry(name: str) -> ModelEntry:
    """What a name in a model's folder means, going by the name alone; the store also checks what kind of file it is.

    Cached, because all models have versions of the same numbers.
    """
    if (number := parse_number(name)) is not None:
        return ModelEntry(name=name, kind="version", number=number)
    if found := _REVISION.fullmatch(name):
        revision, owner = parse_number(found[2]), parse_number(found[1])
        if revision is not None and (owner is not None or found[1] == MODEL):
            kind: Kind = "metadata" if found[3] == "toml" else "card"
            return ModelEntry(name=name, kind=kind, number=owner, revision=revision)
    for form, numbered in _NUMBERED:
        found = form.fullmatch(name)
        if found and (number := parse_number(found[1])) is not None:
            return ModelEntry(name=name, kind=numbered, number=number)
    return ModelEntry(name=name, kind=_unnumbered(name))


def _unnumbered(name: str) -> Kind:
    if _TEMPORARY.fullmatch(name):
        return "temporary"
    if name.startswith("."):
        # NFS's .nfsXXXX among others: left-overs of somebody else's, which nobody wants to see.
        return "hidden"
    return "label" if is_label(name) else "foreign"


def temporary_name(uid: int, nonce: str) -> str:
    """A name of the tool's own, in the folder that the finished thing will live in."""
    return f".tmp-{uid}-{nonce}"


def parse_temporary_name(name: str) -> int | None:
    """The uid in a name of that kind, or None for any other name."""
    found = _TEMPORARY.fullmatch(name)
    return int(found[1]) if found else None


def metadata_name(number: int | None, revision: int) -> str:
    """A metadata revision of a version, or of the model itself."""
    return f"{MODEL if number is None else number}@{revision}.toml"


def card_name(number: int | None, revision: int) -> str:
    """A card revision of a version, or of the model itself."""
    return f"{MODEL if number is None else number}@{revision}.md"


def tombstone_name(number: int) -> str:
    """What says that a version was deleted, and keeps its number from being used again."""
    return f"{number}@deleted"


def trash_name(number: int, nonce: str) -> str:
    """Where a deleted version lies until it is restored or purged."""
    return f".trash-{number}-{nonce}"


def nonce_of(name: str, number: int) -> str:
    """What ends the name of a folder in the trash."""
    return name.removeprefix(trash_name(number, ""))


def purge_name(number: int, nonce: str) -> str:
    """What a deleted version is called while its bytes are freed: from here on nothing brings it back."""
    return f".purge-{number}-{nonce}"


def live_text(model: str, number: int) -> str:
    """The text of a pointer in ``live/<stage>/``."""
    return f"../../{MODELS}/{model}/{number}"


def parse_live_text(text: str) -> tuple[str, int] | None:
    """The model and number that a pointer's text names; the text is never followed."""
    found = re.fullmatch(rf"\.\./\.\./{MODELS}/([^/]+)/([0-9]+)/?", text)
    number = parse_number(found[2]) if found else None
    return (found[1], number) if found and number is not None else None


def feed_name(stamp: str, nonce: str, model: str) -> str:
    """A hint in ``feed/``: when, something unique, and the model to look at."""
    return f"{stamp}-{nonce}-{model}"


def parse_feed_name(name: str) -> str | None:
    """The model that a hint names, or None for a foreign name."""
    found = re.fullmatch(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]+-(.+)", name)
    return found[1] if found else None


def parse_label_text(text: str) -> int | None:
    """The version that a label's symlink names."""
    return parse_number(text)


def label_of(entry: ModelEntry) -> Label:
    """The label that an entry of that kind is."""
    return Label(entry.name)
