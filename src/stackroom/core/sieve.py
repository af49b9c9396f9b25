"""What the bytes of a metadata file tell about a query before anybody has understood them.

Most versions are not what a search asks for, and most of those can be told by a number on a line of their own, at a
fifth of the time that reading the whole record takes. A sieve lets through whatever it is not sure of: it says no only
where no reading of the text could be what is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stackroom.core.query import Compared, Mentioned, Negated, Said, value_test

if TYPE_CHECKING:
    from collections.abc import Callable

    from stackroom.core.query import Node

    Sieve = Callable[[bytes], bool]

NOT_IN_THE_FILE: Final = frozenset(
    {"model", "version", "ref", "label", "stage", "tags", "tag", "datasets", "archived", "card", "owner", "problems"}
    | {"created", "size", "bytes", "files", "digest"}
)
"""Fields of a version that do not stand in its metadata under their own names."""

_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def sieve_of(node: Node) -> Sieve:
    """Whether a version may be asked for, by the text of its current metadata; sure only where it says no."""
    match node:
        case Compared():
            return _compared(node)
        case Mentioned():
            name = _name_in(node.field)
            return _anything if name is None else lambda text: name in text or b"\\" in text
        case Negated() | Said():
            return _anything
        case _:
            parts = [sieve_of(part) for part in node.parts]
            if node.either:
                return lambda text: any(part(text) for part in parts)
            return lambda text: all(part(text) for part in parts)


def _anything(_: bytes) -> bool:
    return True


def _name_in(field: str) -> bytes | None:
    """How a field must be named in a file, whatever tables it stands in; None where it may not be named at all."""
    last = field.rpartition(".")[2]
    if field in NOT_IN_THE_FILE or re.fullmatch("[A-Za-z0-9_-]+", last) is None:
        return None
    return last.encode()


def _compared(node: Compared) -> Sieve:
    name = _name_in(node.field)
    if name is None:
        return _anything
    meets, _ = value_test(node.sign, node.text)
    plain = re.compile(rb"\n%b = (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)(?=\n)" % re.escape(name))
    named = re.compile(rb"%b(?![A-Za-z0-9_-])" % re.escape(name))

    def may_be(text: bytes) -> bool:
        if b"\\" in text:
            # A key may be spelled with escapes.
            return True
        numbers = plain.findall(text)
        if any(meets(float(number)) for number in numbers):
            return True
        # Where the name stands anywhere else, in a text, a list or another table's header, there may be more to it.
        return text.count(name) != len(numbers) and _mentions(named, text) != len(numbers)

    return _anything if node.sign == "~" else may_be


def _mentions(named: re.Pattern[bytes], text: bytes) -> int:
    starts = (found.start() for found in named.finditer(text))
    return sum(start == 0 or text[start - 1] not in _WORD for start in starts)
