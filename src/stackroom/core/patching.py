"""A text written by hand, changed in a few fields and left as it is everywhere else.

What is not promised: that it works. A line is replaced, added or removed where a pattern finds it, and the result
counts only if it says exactly what it should; else whoever calls writes the text anew, without its comments.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

import tomli_w

from stackroom.core.metadata import Record, document_of, record_of
from stackroom.core.threeway import changed_paths, leaves
from stackroom.core.toml import keys_in, parse_toml
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from stackroom.core.threeway import Path

_CHANGES_LIMIT: Final = 100
"""Fields; the text is searched once for each, and beyond this it is no longer the same text anyway."""


def patched(text: str, wanted: Record) -> str | None:
    """The text with the fewest lines changed that says what a record says; None where that cannot be had so.

    Args:
        text: TOML, without what the tool writes.
        wanted: what it shall say.
    """
    try:
        present = leaves(record_of(parse_toml(text.encode(), where="metadata")))
    except InvalidInputError:
        return None
    after = leaves(wanted)
    paths = changed_paths(present, after)
    if len(paths) > _CHANGES_LIMIT:
        return None
    lines = text.split("\n")
    for path in paths:
        if not _patch(lines, path, after.get(path)):
            return None
    result = "\n".join(lines)
    try:
        document = parse_toml(result.encode(), where="metadata")
        said = record_of(document)
    except (InvalidInputError, UnicodeEncodeError):
        return None
    return result if repr(document_of(said)) == repr(_ordered(document_of(wanted), document_of(said))) else None


def _ordered(document: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """The document with its keys in the order of another one, in which they mean the same."""
    keys = [*(key for key in like if key in document), *(key for key in document if key not in like)]
    return {
        key: _ordered(document[key], like[key])
        if isinstance(document[key], dict) and isinstance(like.get(key), dict)
        else document[key]
        for key in keys
    }


def _patch(lines: list[str], path: Path, value: object) -> bool:
    """Change one field in place; False where its line is not one that a pattern understands."""
    known = list(keys_in("\n".join(lines)))
    here = [found.line - 1 for found in known if found.path == path and not found.is_table]
    if len(here) > 1:
        return False
    if here:
        parts = _parts(lines[here[0]])
        if parts is None:
            return False
        if value is None:
            del lines[here[0]]
            return True
        shown = _inline(value)
        lines[here[0]] = f"{parts[0]}{shown}{parts[1]}"
        return bool(shown)
    shown = "" if value is None else _inline(value)
    if not shown:
        return False
    _add(lines, path, shown)
    return True


def _parts(line: str) -> tuple[str, str] | None:
    """What stands before a line's value and what after it, a comment included; None where the value goes on below."""
    before, equals, rest = line.partition("=")
    indent = rest[: len(rest) - len(rest.lstrip())]
    marks = [index for index, char in enumerate(rest) if char == "#"]
    for end in [*marks, len(rest)]:
        value = rest[:end].rstrip()
        try:
            tomllib.loads(f"x = {value}")
        except (ValueError, RecursionError):
            continue
        return f"{before}{equals}{indent}", rest[len(value) :]
    return None


def _inline(value: object) -> str:
    """A value on one line; empty for what is not written so."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value)):
        return ""
    if isinstance(value, list):
        return f"[{', '.join(_inline(one) for one in value)}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).rpartition(" = ")[0]


def _add(lines: list[str], path: Path, shown: str) -> None:
    """Put a new field below the last one of its table, or into a new table at the end."""
    table, line = path[:-1], f"{_key(path[-1])} = {shown}"
    known = list(keys_in("\n".join(lines)))
    own = [found for found in known if (found.path == table) if found.is_table]
    headers = [found.line for found in known if found.is_table]
    if table and not own:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", f"[{'.'.join(_key(part) for part in table)}]", line, ""]
        return
    start = own[-1].line if own else 0
    end = next((number for number in headers if number > start), len(lines) + 1)
    inside = [found.line for found in known if not found.is_table and start < found.line < end]
    whole = [number for number in inside if _parts(lines[number - 1]) is not None]
    lines.insert(max(whole, default=start), line)
