"""TOML texts that somebody else wrote: bounded, parsed, and never trusted to be well-formed.

Knows what a parser must be protected from (size, nesting, dotted keys that take quadratic time) and on which line a key
stands, so that an error about a value can point at it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.canonical import read_canonical
from stackroom.core.patterns import pattern
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

METADATA_LIMIT: Final = 64 * 1024
"""Bytes. Ten times what a version with a hundred metrics and hyperparameters needs."""

_DOTS_LIMIT: Final = 64
"""Dots in one key: tomllib needs quadratic time, five seconds for a key of 32 KB."""

_DEPTH_LIMIT: Final = 64
"""Tables and lists inside each other: whoever walks a document recurses, with three frames a level in Python 3.11."""

_STRINGS: Final = pattern(r'"(?:\\.|[^"\\])*+("|\\?$)|\'[^\']*\'|#.*')
"""Possessive, and a quote that never closes matches too: otherwise a line of escaped quotes takes quadratic time."""

_LINE_LIMIT: Final = 1000
"""Characters of a line that is searched for a key; nobody writes a longer one by hand."""

_NOT_IN_A_KEY: Final = pattern(r"[,=\[\]{}]")


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
    document = read_canonical(decoded)
    return _parsed(decoded, where) if document is None else document


def _parsed(decoded: str, where: str) -> dict[str, Any]:
    """The document by the standard library's parser, protected from what that cannot take."""
    import tomllib  # noqa: PLC0415 - 3 ms, and most texts are canonical

    for number, line_text in enumerate(decoded.split("\n"), 1):
        bare = _STRINGS.sub(_without_a_string, line_text)
        if any(part.count(".") > _DOTS_LIMIT for part in _NOT_IN_A_KEY.split(bare)):
            raise InvalidInputError(f"{where}:{number}: nested too deep", facts={"file": where, "line": number})
    try:
        document = tomllib.loads(decoded)
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
    wrong = what_no_file_holds(document)
    if wrong:
        raise InvalidInputError(f"{where}: {wrong[0]}: {wrong[1]}", facts={"file": where, "key": wrong[0]})
    return document


def _without_a_string(found: re.Match[str]) -> str:
    # What looks like an open string may be the end of one of several lines, with keys after it: it stays, and counts.
    return "" if found[1] in {None, '"'} else found[0]


def what_no_file_holds(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key of the first value that no TOML file of ours can hold, and why; None where all is well.

    Integers end at 64 bits, as TOML promises them: a longer one overflows a float, and Python refuses to print it.
    """
    pending: list[tuple[str, object, int]] = [("", document, 0)]
    while pending:
        key, value, depth = pending.pop()
        wrong = _wrong_value(value, depth)
        if wrong:
            return key, wrong
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if not isinstance(name, str) or _wrong_value(name, 0):
                    return key, "expected keys that are text"
                pending.append((f"{key}.{name}" if key else name, inner, depth + 1))
        elif isinstance(value, (list, tuple)):
            pending += [(f"{key}[{index}]", inner, depth + 1) for index, inner in enumerate(value)]
    return None


def _wrong_value(value: object, depth: int) -> str:
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return "expected text, found bytes that are not UTF-8"
        case bool() | float() | date() | time():
            pass
        case int():
            if not -(2**63) <= value < 2**63:
                return "an integer of more than 64 bits"
        case Mapping() | list() | tuple():
            if depth > _DEPTH_LIMIT:
                return "nested too deep"
        case _:
            return f"expected text, a number, true or false, a time, a list or a table, found {type(value).__name__}"
    return ""


def format_toml(document: dict[str, Any]) -> str:
    """The document as text that :func:`parse_toml` reads back to the same.

    Raises:
        InvalidInputError: a text in it is not Unicode, such as a command line's argument in another encoding.
    """
    import tomli_w  # noqa: PLC0415 - only who writes needs it

    text = tomli_w.dumps(document, multiline_strings=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        near = text[max(0, error.start - 20) : error.end].encode(errors="backslashreplace").decode()
        raise InvalidInputError(f"a text is not UTF-8: {near}", hint="write it in UTF-8") from None
    return text


def line_of(text: str, key: tuple[str, ...]) -> int | None:
    """The line on which a key stands, counted from 1, or that of the nearest table around it.

    A search by pattern, not a parser: it is for pointing a reader to the right place, and may be None.
    """
    best: int | None = None
    best_depth = 0
    for found in keys_in(text):
        depth = _common(found.path, key)
        if depth == len(found.path) and depth > best_depth:
            best, best_depth = found.line, depth
    return best


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A line that seems to name a table or to set a key: counted from 1, with the whole path of what it names."""

    line: int
    path: tuple[str, ...]
    is_table: bool


def keys_in(text: str) -> Iterator[KeyLine]:
    """The lines that name tables and keys, as a pattern finds them; a text of several lines may hold look-alikes."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LINE_LIMIT:
            continue
        stripped = line.strip()
        header = re.fullmatch(r"\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?", stripped)
        if header:
            table = _split_key(header[1])
            yield KeyLine(number, table, is_table=True)
            continue
        assigned = re.match(r"((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_\"'-]+)*)\s*=", stripped)
        if assigned:
            yield KeyLine(number, table + _split_key(assigned[1]), is_table=False)


def comments_in(text: str) -> tuple[str, ...]:
    """The comments of a TOML text; in a text of several lines what looks like one is taken for one."""
    found = (one[0] for line in text.split("\n") for one in _STRINGS.finditer(line))
    return tuple(comment.strip() for comment in found if comment.startswith("#"))


def _split_key(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"' ") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", text))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
