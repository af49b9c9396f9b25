"""Two people changed one record: what each of them changed, and whether both changes can stand.

A field is a leaf of the document: a key that holds no table. Lists are one value each: whether two people who added a
tag mean both tags is for them to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.metadata import Record, document_of, record_of
from stackroom.core.show import field_text
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """A field that one of two people changed, or both.

    Attributes:
        key: its name, dotted.
        base: its text as both found it; None where it was missing.
        theirs: as the other one left it.
        mine: as one would leave it oneself.
        clash: both changed it, and not to the same.
    """

    key: str
    base: str | None
    theirs: str | None
    mine: str | None
    clash: bool

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"field": self.key, "base": self.base, "theirs": self.theirs, "mine": self.mine, "clash": self.clash}


def leaves(record: Record) -> dict[Path, Any]:
    """Every field of a record by its path."""
    found: dict[Path, Any] = {}

    def walk(table: Mapping[str, Any], path: Path) -> None:
        for key, value in table.items():
            if isinstance(value, dict) and value:
                walk(value, (*path, key))
            else:
                found[(*path, key)] = value

    walk(document_of(record), ())
    return found


def changed_paths(before: Mapping[Path, Any], after: Mapping[Path, Any]) -> tuple[Path, ...]:
    """The paths whose values differ, a change of type included; in the order of the file."""
    paths = dict.fromkeys([*before, *after])
    return tuple(path for path in paths if repr(before.get(path)) != repr(after.get(path)))


def three_ways(base: Record, theirs: Record, mine: Record) -> tuple[Disputed, ...]:
    """Every field that differs between a record and what two people made of it."""
    first, other, own = leaves(base), leaves(theirs), leaves(mine)
    by_them, by_me = changed_paths(first, other), changed_paths(first, own)
    return tuple(
        Disputed(
            key=".".join(path),
            base=_text(first, path),
            theirs=_text(other, path),
            mine=_text(own, path),
            clash=(path in by_me and any(_touch(path, one) for one in by_them) and not _agree(other, own, path))
            or (path in by_them and any(_touch(path, one) for one in by_me) and not _agree(other, own, path)),
        )
        for path in dict.fromkeys([*by_them, *by_me])
    )


def _text(fields: Mapping[Path, Any], path: Path) -> str | None:
    value = fields.get(path)
    return None if value is None else field_text(value)


def _touch(one: Path, other: Path) -> bool:
    """Whether two paths name the same field, or one lies in what the other makes a plain value."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _agree(theirs: Mapping[Path, Any], mine: Mapping[Path, Any], path: Path) -> bool:
    return repr(theirs.get(path)) == repr(mine.get(path))


def on_top(base: Record, theirs: Record, mine: Record, *, mine_wins: bool = False) -> Record | None:
    """Their record with what I changed of the base put on top.

    None where we both changed one field differently, unless it is said that mine wins.
    """
    if not mine_wins and any(field.clash for field in three_ways(base, theirs, mine)):
        return None
    first, own = leaves(base), leaves(mine)
    document = document_of(theirs)
    for path in changed_paths(first, own):
        _put(document, path, own.get(path))
    return record_of(document)


def with_leaf(record: Record, path: Path, value: object) -> Record:
    """The record with one of its :func:`leaves` set, or with None taken away.

    Raises:
        InvalidInputError: the value does not fit the field.
    """
    document = document_of(record)
    _put(document, path, value)
    return record_of(document)


def _put(document: dict[str, Any], path: Path, value: object) -> None:
    """Set a field in a document, or with None take it away with what it leaves empty; tables on the way are copied."""
    head, *rest = path
    if not rest:
        if value is None:
            document.pop(head, None)
        else:
            document[head] = value
        return
    inner = document.get(head)
    document[head] = dict(inner) if isinstance(inner, dict) else {}
    _put(document[head], tuple(rest), value)
    if value is None and not document[head]:
        del document[head]
