"""TOML texts that somebody else wrote: bounded, parsed, and never trusted to be well-formed.

Knows what a parser must be protected from (size, nesting, dotted keys that take quadratic time) and on which line a key
stands, so that an error about a value can point at it.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import tomli_w

from stackroom.errors import InvalidInputError

METADATA_LIMIT: Final = 64 * 1024
"""Bytes. Ten times what a version with a hundred metrics and hyperparameters needs."""

_DOTS_LIMIT: Final = 64
"""Dots in one key: tomllib needs quadratic time, five seconds for a key of 32 KB."""

_STRINGS: Final = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*')
_NOT_IN_A_KEY: Final = re.compile(r"[,=\[\]{}]")


def parse_toml(text: bytes, *, where: str) -> dict[str, Any]:
    """The document.

    Args:
        text: the file's bytes.
        where: how errors name the file.

    Raises:
        InvalidInputError: not UTF-8, too large, or not TOML; facts ``file`` and, where known, ``line``.
    """
    if len(text) > METADATA_LIMIT:
        raise InvalidInputError(
            f"{where}: {len(text):,} bytes; a metadata file holds at most {METADATA_LIMIT:,}", facts={"file": where}
        )
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise InvalidInputError(f"{where}:{line}: not UTF-8", facts={"file": where, "line": line}) from None
    for number, line_text in enumerate(decoded.split("\n"), 1):
        bare = _STRINGS.sub("", line_text)
        if any(part.count(".") > _DOTS_LIMIT for part in _NOT_IN_A_KEY.split(bare)):
            raise InvalidInputError(f"{where}:{number}: nested too deep", facts={"file": where, "line": number})
    try:
        return tomllib.loads(decoded)
    except (ValueError, RecursionError) as error:
        message = str(error) if isinstance(error, ValueError) else "nested too deep"
        found = re.search(r"\(at line (\d+), column \d+\)", message)
        facts: dict[str, Any] = {"file": where}
        place = where
        if found:
            facts["line"] = int(found[1])
            place = f"{where}:{found[1]}"
            message = message[: found.start()].strip()
        raise InvalidInputError(f"{place}: not TOML: {message[:200]}", facts=facts) from None


def format_toml(document: dict[str, Any]) -> str:
    """The document as text that :func:`parse_toml` reads back to the same."""
    return tomli_w.dumps(document, multiline_strings=False)


def line_of(text: str, key: tuple[str, ...]) -> int | None:
    """The line on which a key stands, counted from 1, or that of the nearest table around it.

    A search by pattern, not a parser: it is for pointing a reader to the right place, and may be None.
    """
    best: int | None = None
    best_depth = 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        header = re.fullmatch(r"\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?", stripped)
        if header:
            table = _split_key(header[1])
            here = table
        else:
            assigned = re.match(r"((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_\"'-]+)*)\s*=", stripped)
            if not assigned:
                continue
            here = table + _split_key(assigned[1])
        depth = _common(here, key)
        if depth == len(here) and depth > best_depth:
            best, best_depth = number, depth
    return best


def _split_key(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"' ") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", text))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
