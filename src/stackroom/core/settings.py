"""A user's own settings, as a text in TOML says them: keys, looks, registries by name, saved views.

A wrong setting never keeps the program from starting: it is left out, and a sentence says which file, line and key,
what was expected and which name is nearest. Whether there is an action or a theme of a name, others know.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from stackroom.core.patterns import pattern
from stackroom.core.toml import METADATA_LIMIT, line_of, parse_toml
from stackroom.core.values import dataclass, field
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Colours = Literal["auto", "none", "16", "256", "truecolor"]
"""How many colours a terminal is given; ``auto``: what its environment says."""

ListName = Literal["models", "versions"]
"""Which list a view is of."""

ACCENTS: Final = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta")
"""Colours that have a name here; ``#rrggbb`` is understood, too."""

PRODUCTION: Final = "production"
"""The registry of this name is red unless something else is said."""

SETTINGS_LIMIT: Final = METADATA_LIMIT
"""Bytes of a file of settings."""

_NAME: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX: Final = pattern(r"#[0-9A-Fa-f]{6}")
_FILTER_LIMIT: Final = 1000
"""Characters of a filter or a sort."""

_PARTS: Final = ("keys", "ui", "registries", "views")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How the terminal interface looks and listens; None and empty: what fits the terminal.

    Attributes:
        mouse: whether the mouse is reported.
        ascii: whether our signs are drawn in ASCII.
        colours: how many.
        theme: the name of one.
        accent: of registries that have none of their own.
    """

    mouse: bool | None = None
    ascii: bool | None = None
    colours: Colours = "auto"
    theme: str = ""
    accent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRegistry:
    """A registry that the user has given a name.

    Attributes:
        name: how it is called.
        path: its folder; may begin with ``~``.
        accent: the colour of its first line, or empty.
    """

    name: str
    path: str
    accent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A filter and a sort with a name.

    Attributes:
        name: how it is called.
        list: what it is a view of.
        filter: as it is typed after ``/``.
        sort: a column, with a minus sign before it for the other way; empty: as it is.
    """

    name: str
    list: ListName = "versions"
    filter: str = ""
    sort: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was understood, and what was not.

    Attributes:
        file: where it was read from; empty where there is no such file.
        keys: for an action's id the keys that it has instead of its own.
        looks: of the terminal interface.
        registries: in the order of the file.
        views: in the order of the file.
        problems: one sentence each: file, line, key, and what is wrong.
        text: what was read, for pointing at lines.
    """

    file: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    looks: Looks = field(default_factory=Looks)
    registries: tuple[NamedRegistry, ...] = ()
    views: tuple[SavedView, ...] = ()
    problems: tuple[str, ...] = ()
    text: str = ""

    def problem(self, key: tuple[str, ...], wrong: str) -> str:
        """A sentence about a key: ``config.toml:3: keys.mrak: …``."""
        return _sentence(self.file, self.text, key, wrong)

    def registry(self, name: str) -> NamedRegistry | None:
        """The registry of a name; None where there is none."""
        return next((one for one in self.registries if one.name == name), None)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` for the known word that is nearest, or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""


def is_name(text: object) -> bool:
    """Whether a registry or a view can be called so."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def settings_of(content: bytes, *, file: str) -> Settings:
    """What a file of settings says; what is wrong in it is left out and told in ``problems``.

    Args:
        content: the file's bytes.
        file: how sentences name the file.
    """
    if len(content) > SETTINGS_LIMIT:
        return Settings(file=file, problems=(f"{file}: more than {SETTINGS_LIMIT:,} bytes, so nothing was read",))
    try:
        document = parse_toml(content, where=file)
    except InvalidInputError as error:
        return Settings(file=file, problems=(str(error),))
    text = content.decode()
    return _Reader(file, text).read(document)


def _sentence(file: str, text: str, key: tuple[str, ...], wrong: str) -> str:
    line = line_of(text, key)
    return f"{file}{f':{line}' if line else ''}: {'.'.join(key)}: {wrong}"


class _Reader:
    """Goes through a document, and remembers what is wrong."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._problems: list[str] = []

    def read(self, document: Mapping[str, Any]) -> Settings:
        for part in document:
            if part not in _PARTS:
                self._wrong((part,), f"there is no such part{nearest(part, _PARTS)}")
        return Settings(
            file=self._file,
            text=self._text,
            keys=self._keys(self._table(document, "keys")),
            looks=self._looks(self._table(document, "ui")),
            registries=tuple(self._registries(self._table(document, "registries"))),
            views=tuple(self._views(self._table(document, "views"))),
            problems=tuple(self._problems),
        )

    def _wrong(self, key: tuple[str, ...], what: str) -> None:
        self._problems.append(_sentence(self._file, self._text, key, what))

    def _table(self, document: Mapping[str, Any], part: str) -> Mapping[str, Any]:
        found = document.get(part, {})
        if isinstance(found, dict):
            return found
        self._wrong((part,), f"expected a table [{part}]")
        return {}

    def _keys(self, table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, value in table.items():
            keys = [value] if isinstance(value, str) else value
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                self._wrong(("keys", name), 'expected a key such as "x", a list of keys, or "" for none')
            else:
                found[name] = tuple(key for key in keys if key)
        return found

    def _looks(self, table: Mapping[str, Any]) -> Looks:
        checks: dict[str, tuple[Callable[[Any], bool], str]] = {
            "mouse": (lambda value: isinstance(value, bool), "expected true or false"),
            "ascii": (lambda value: isinstance(value, bool), "expected true or false"),
            "colours": (lambda value: value in get_args(Colours), f"expected one of {', '.join(get_args(Colours))}"),
            "theme": (lambda value: isinstance(value, str), "expected the name of a theme"),
            "accent": (_is_accent, _ACCENT_WANTED),
        }
        plain = {name: str(value) if type(value) is int else value for name, value in table.items()}
        return Looks(**self._checked(("ui",), plain, checks))

    def _checked(
        self, place: tuple[str, ...], table: Mapping[str, Any], checks: Mapping[str, tuple[Callable[[Any], bool], str]]
    ) -> dict[str, Any]:
        """The values of a table that are what they should be."""
        found: dict[str, Any] = {}
        for name, value in table.items():
            if name not in checks:
                self._wrong((*place, name), f"there is no such key{nearest(name, checks)}")
            elif not checks[name][0](value):
                self._wrong((*place, name), checks[name][1])
            else:
                found[name] = value
        return found

    def _registries(self, table: Mapping[str, Any]) -> Iterable[NamedRegistry]:
        checks: dict[str, tuple[Callable[[Any], bool], str]] = {
            "path": (_is_path, "expected the path of a folder, from / or ~"),
            "accent": (_is_accent, _ACCENT_WANTED),
        }
        for name, value in table.items():
            place = ("registries", name)
            if not is_name(name):
                self._wrong(place, _NAME_WANTED)
                continue
            own = self._checked(place, value if isinstance(value, dict) else {"path": value}, checks)
            if "path" in own:
                own.setdefault("accent", "red" if name == PRODUCTION else "")
                yield NamedRegistry(name=name, **own)
            elif isinstance(value, dict) and "path" not in value:
                self._wrong(place, "expected a path")

    def _views(self, table: Mapping[str, Any]) -> Iterable[SavedView]:
        checks: dict[str, tuple[Callable[[Any], bool], str]] = {
            "list": (lambda value: value in get_args(ListName), f"expected one of {', '.join(get_args(ListName))}"),
            "filter": (_is_short, f"expected a text of at most {_FILTER_LIMIT} characters"),
            "sort": (_is_short, 'expected a column, such as "-auc"'),
        }
        for name, value in table.items():
            place = ("views", name)
            if not is_name(name):
                self._wrong(place, _NAME_WANTED)
                continue
            own = self._checked(place, value if isinstance(value, dict) else {"filter": value}, checks)
            if own.get("filter") or own.get("sort"):
                yield SavedView(name=name, **own)
            elif isinstance(value, dict) and not value.keys() & {"filter", "sort"}:
                self._wrong(place, "expected a filter or a sort")


_ACCENT_WANTED: Final = f"expected one of {', '.join(ACCENTS)}, or #rrggbb"
_NAME_WANTED: Final = "expected a name of letters, digits, dots, underscores and dashes, at most 64"


def _is_accent(value: object) -> bool:
    return isinstance(value, str) and (value in ACCENTS or _HEX.fullmatch(value) is not None)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("/", "~")) and "\0" not in value


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _FILTER_LIMIT
