"""Adding tags and taking some away, as people type it: ``eu, team=nlp, -old``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.fields import items_of
from stackroom.core.metadata import Record, with_field
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange:
    """What becomes of tags; whoever has it so already stays as he is.

    Attributes:
        add: those to have.
        drop: those not to have.
    """

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def applied(self, tags: Iterable[str]) -> list[str]:
        """The tags after it; those that stay keep their order."""
        kept = [tag for tag in tags if tag not in self.drop]
        return [*kept, *(tag for tag in self.add if tag not in kept)]


def tag_change(text: str) -> TagChange:
    """What is typed, with commas between, and a minus before what goes.

    Raises:
        InvalidInputError: nothing is, a tag cannot be one, or one shall come and go.
    """
    items = items_of(text)
    add = tuple(dict.fromkeys(item for item in items if not item.startswith("-")))
    drop = tuple(dict.fromkeys(item[1:].strip() for item in items if item.startswith("-")))
    with_field(Record(), "tags", list(add))
    if both := [tag for tag in add if tag in drop]:
        raise InvalidInputError(f"{both[0]} cannot come and go", facts={"tag": both[0]})
    if not add and not any(drop):
        raise InvalidInputError("no tag is named", hint="such as: eu, team=nlp, -old")
    return TagChange(add=add, drop=drop)
