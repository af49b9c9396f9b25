"""Texts of one form: metadata that differs from what was understood before only in values of the same kinds.

Of the versions that one program registers nearly all say the same things with other numbers. From a text that was read
in the usual way a pattern is made: its lines as they are, with a place for each simple value that may as well be
another, and only for such others as are as right. A text that fits it has the same keys in the same tables, so that
nothing has to be looked up, compared or checked any more: its values are taken as they stand. Whatever fits no pattern
is read as if there were none.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stackroom.core.metadata import TAG_LIMIT
from stackroom.core.names import parse_ref
from stackroom.core.patterns import pattern
from stackroom.errors import InvalidInputError
from stackroom.store import layout
from stackroom.store.scan import understood
from stackroom.store.selecting import kept_numbers, number_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.core.metadata import Record, Seal


_OFTEN: Final = 16
"""Texts of one form that are read before a pattern is made of it, which takes as long as reading a hundred."""

_MOST: Final = 64
"""Forms."""

_WATCHED: Final = 256
"""Patterns that may be counted: of texts that all differ none is worth keeping."""


class Names(NamedTuple):
    """The names of what a version says: in which columns its numbers belong.

    Attributes:
        metrics: in their order.
        hyperparameters: likewise, those in tables with dots between.
        extra: the first words of its unknown keys, in alphabetical order.
    """

    metrics: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    extra: tuple[str, ...]


class Said(NamedTuple):
    """What the columns of the index tell of a ``version.toml``, or of one and its current revision.

    Attributes:
        model: that it was registered for.
        created: when.
        files: how many artifacts.
        bytes: of all artifacts.
        digest: of SHA256SUMS.
        archived: whether it says so.
        texts: author, team, description, license and framework.
        tags: words, or ``key=value``.
        names: of the numbers.
        numbers: the metrics and then the hyperparameters, as columns keep them.
    """

    model: str
    created: datetime
    files: int
    bytes: int
    digest: str
    archived: bool
    texts: tuple[str, ...]
    tags: tuple[str, ...]
    names: Names
    numbers: list[Any]


_TEXTS: Final = ("author", "team", "description", "license", "framework")


def said_in(record: Record, seal: Seal) -> Said:
    """What a record and a seal say."""
    metrics, hyperparameters, extra = kept_numbers(record)
    return Said(
        model=seal.model,
        created=seal.created,
        files=seal.files,
        bytes=seal.bytes,
        digest=seal.digest,
        archived=record.archived,
        texts=tuple(getattr(record, name) for name in _TEXTS),
        tags=record.tags,
        names=_names(tuple(metrics), tuple(hyperparameters), tuple(sorted(extra))),
        numbers=[*metrics.values(), *hyperparameters.values()],
    )


@lru_cache(maxsize=256)
def _names(metrics: tuple[str, ...], hyperparameters: tuple[str, ...], extra: tuple[str, ...]) -> Names:
    """One object for all that have the same."""
    return Names(metrics, hyperparameters, extra)


# --- patterns, of the values that core/canonical.py reads

_TEXT: Final = r'"([^"\\\x00-\x1f\x7f]*+)"'
_SOME_TEXT: Final = _TEXT.replace("*+", "++")
_FLOAT: Final = r"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:e[+-]?[0-9]++)?|e[+-]?[0-9]++))"
_INTEGER: Final = r"(-?(?:0|[1-9][0-9]{0,17}+))"
_COUNT: Final = r"(0|[1-9][0-9]{0,17}+)"
_TIME: Final = r"([0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?\+00:00)"
_DIGEST: Final = '"(sha256:[0-9a-f]{64})"'
_LIST: Final = r'(\[\n(?: {4}"[^"\\\x00-\x1f\x7f]*+",\n)+\])'

Place = tuple[str, str, str]
"""A group of a pattern: table, key and kind of the value."""

_FREE: Final = ("hyperparameters", "source", "signature")
"""Tables in which any simple value is right."""

_SEALED: Final = (
    ("", "model", "text"),
    ("", "created", "time"),
    ("artifacts", "files", "integer"),
    ("artifacts", "bytes", "integer"),
    ("artifacts", "digest", "text"),
)
"""What every text has to say."""

_KINDS: Final = {"text": _TEXT, "float": _FLOAT, "integer": _INTEGER}
_NUMBERS: Final = {"float": _FLOAT, "integer": _INTEGER}
_PLACES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "": {
        **{key: {"text": _TEXT} for key in ("model", "uid", *_TEXTS)},
        "created": {"time": _TIME},
        "tags": {"list": _LIST},
    },
    "artifacts": {"files": {"integer": _COUNT}, "bytes": {"integer": _COUNT}, "digest": {"text": _DIGEST}},
    "metrics": {"*": _NUMBERS},
    **{key: {"*": _KINDS} for key in _FREE},
    **{f"{name}.*": {"*": _KINDS} for name in _FREE},
    "[datasets]": {
        "name": {"text": _SOME_TEXT},
        **{key: {"text": _TEXT} for key in ("uri", "digest", "split")},
        "rows": {"integer": _COUNT},
    },
    "lineage": {"parents": {"list": _LIST}, "base_model": {"text": _TEXT}},
}
"""By table, key and kind, the values that are right in its place; what is not here has to stand as it was."""

_SEVERAL_LINES: Final = ('"""', "'''")
"""Around texts of several lines, of which each may look like anything."""

_LINE: Final = pattern(
    rf"""\[([A-Za-z0-9_.-]++|\[[A-Za-z0-9_.-]++\])\]\n
    | (?P<key>[A-Za-z0-9_-]++)[ ]=[ ](?:
        (?P<text>{_TEXT}) | (?P<float>{_FLOAT}) | (?P<integer>{_INTEGER}) | (?P<time>{_TIME.replace(" ", "[ ]")})
      | (?P<list>{_LIST.replace(" ", "[ ]")}))\n
    | [^\n]*+\n?""",
    re.VERBOSE,
)
"""Of a text that the tool has written: a header, a key with a simple value or a list of texts, or anything else."""

_NUMBER_OF: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": str,
    "float": float,
    "integer": lambda digits: number_kept(int(digits)),
}


class Form:
    """A pattern of texts, and what those that fit it say."""

    def __init__(self, pattern: str, places: Sequence[Place], model: Said) -> None:
        """Make it.

        Args:
            pattern: of the whole text.
            places: what each group of the pattern is.
            model: what one of these texts says; of what has no group in the pattern all say the same.
        """
        self._fits = re.compile(pattern).fullmatch
        self._model = model
        found = {(table, key): group for group, (table, key, _) in enumerate(places)}
        self._sealed = itemgetter(*[found[table, key] for table, key, _ in _SEALED])
        self._tags, self._parents = found.get(("", "tags")), found.get(("lineage", "parents"))
        self._texts = [(found.get(("", name)), text) for name, text in zip(_TEXTS, model.texts, strict=True)]
        names = [("metrics", name) for name in model.names.metrics]
        groups = [found.get(name) for name in [*names, *map(_path_of, model.names.hyperparameters)]]
        kinds = [None if group is None else places[group][2] for group in groups]
        self._numbers = [*zip(groups, [_NUMBER_OF.get(kind or "") for kind in kinds], model.numbers, strict=True)]
        only_floats = {*kinds} == {"float"} and len(groups) > 1
        self._floats = itemgetter(*[group or 0 for group in groups]) if only_floats else None

    def read(self, text: str) -> Said | None:
        """What a text says; None where it has another form, or is not certain to be right."""
        found = self._fits(text)
        if found is None:
            return None
        try:
            return self._said(found.groups())
        except (ValueError, InvalidInputError):
            return None

    def _said(self, values: tuple[str, ...]) -> Said:
        model = self._model
        if self._parents is not None:
            for parent in _items(values[self._parents]):
                parse_ref(parent)
        if self._floats is not None:
            numbers: list[Any] = [*map(float, self._floats(values))]
        else:
            numbers = [
                known if group is None or read is None else read(values[group]) for group, read, known in self._numbers
            ]
        name, created, files, size, digest = self._sealed(values)
        return Said(
            name,
            datetime.fromisoformat(created),
            int(files),
            int(size),
            digest,
            model.archived,
            tuple([text if group is None else values[group] for group, text in self._texts]),
            model.tags if self._tags is None else _tags(values[self._tags]),
            model.names,
            numbers,
        )


def _path_of(name: str) -> tuple[str, str]:
    """The table in which a hyperparameter of that name stands, and its key."""
    table, dot, key = name.rpartition(".")
    return f"hyperparameters{dot}{table}", key


def _items(listed: str) -> list[str]:
    return listed.split('"')[1::2]


@lru_cache(maxsize=1024)
def _tags(listed: str) -> tuple[str, ...]:
    """The tags in a list.

    Raises:
        ValueError: one of them is none.
    """
    tags = _items(listed)
    if any(not tag.strip() or len(tag) > TAG_LIMIT for tag in tags):
        raise ValueError(listed)
    return tuple(dict.fromkeys(tags))


def outline_of(text: str) -> tuple[str, list[Place]] | None:
    """A pattern of the texts that say the same things as this one, and what its groups are; None where it has none."""
    table, parts, places = "", [], []
    for found in _LINE.finditer(text):
        line, key, kind = found[0], found["key"], found.lastgroup or ""
        if key is None:
            if found[1]:
                table = found[1]
            elif line.lstrip().startswith("["):
                # A header in a form that is not known here: of the keys after it nobody could tell whose they are.
                return None
            parts.append(re.escape(line))
            continue
        keys = _PLACES.get(table) or _PLACES.get(f"{table.partition('.')[0]}.*", {})
        value = keys.get(key, keys.get("*", {})).get(kind)
        if value is None:
            parts.append(re.escape(line))
        else:
            parts.append(f"{key} = {value}\n")
            places.append((table, key, kind))
    return "".join(parts), places


class Forms:
    """The forms of the texts that were read so far. For one thread."""

    def __init__(self) -> None:
        self._last: Form | None = None
        self._known: dict[str, Form | None] = {}
        self._seen: Counter[str] = Counter()

    def said(self, text: bytes) -> Said | None:
        """What a ``version.toml`` says; None where something is wrong with it."""
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            return None
        if self._last is not None and (said := self._last.read(decoded)) is not None:
            return said
        outline = outline_of(decoded)
        form = self._known.get(outline[0]) if outline else None
        if form is not None and (said := form.read(decoded)) is not None:
            self._last = form
            return said
        parsed = understood(text, layout.VERSION_FILE)
        if parsed.record is None or parsed.seal is None:
            return None
        said = said_in(parsed.record, parsed.seal)
        if outline and self._is_often_seen(outline[0]):
            self._known[outline[0]] = _form(decoded, *outline, parsed.record, said)
        return said

    def _is_often_seen(self, pattern: str) -> bool:
        """Whether a pattern without a form is worth one."""
        if pattern in self._known or len(self._known) >= _MOST:
            return False
        if len(self._seen) >= _WATCHED:
            self._seen.clear()
        self._seen[pattern] += 1
        return self._seen[pattern] >= _OFTEN


def _form(text: str, pattern: str, places: list[Place], record: Record, said: Said) -> Form | None:
    """A form of a text that was read; None where a pattern would not do it justice."""
    if (
        not {*_SEALED}.issubset(places)
        or _has_a_dot(record.hyperparameters)
        or any(quotes in text for quotes in _SEVERAL_LINES)
    ):
        return None
    form = Form(pattern, places, said)
    # What it is made of is the first proof of it.
    return form if repr(form.read(text)) == repr(said) else None


def _has_a_dot(table: Mapping[str, Any]) -> bool:
    """Whether a dotted name may mean more than one key."""
    return any("." in key or (isinstance(value, dict) and _has_a_dot(value)) for key, value in table.items())
