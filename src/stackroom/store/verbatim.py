"""A version's metadata as the index keeps it: the bytes that were read, understood again when somebody looks.

Making anything else of them would cost what understanding them costs, for every version, so that a list may save it for
a few. The columns of a row tell what lists show and most queries ask.
"""

from __future__ import annotations

from binascii import crc32
from typing import TYPE_CHECKING, Any, NamedTuple

from stackroom.core.attested import text_digest
from stackroom.core.metadata import Record, Seal
from stackroom.core.values import folded
from stackroom.store import layout
from stackroom.store.scan import Understood, understood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Verbatim(NamedTuple):
    """What was read of a version; a tuple, because there are a hundred thousand.

    Attributes:
        check: a sum over the texts, by which damage is noticed before anybody is told something wrong.
        revision: the number of the current metadata revision, 0 as registered.
        card: the number of the current card's revision, -1 where there is none.
        text: of the current metadata.
        sealed: of ``version.toml``, where that is another.
    """

    check: int
    revision: int
    card: int
    text: bytes
    sealed: bytes

    @property
    def whole(self) -> bool:
        """Whether the texts are those that were read."""
        return crc32(self.sealed, crc32(self.text)) == self.check


def verbatim(text: bytes, sealed: bytes, *, revision: int, card: int) -> Verbatim:
    """The texts of a version with their sum; arguments as the attributes."""
    return Verbatim(crc32(sealed, crc32(text)), revision, card, text, sealed)


def fields_in(
    kept: Verbatim, seal: Mapping[str, Any], plain: Mapping[str, Any], some: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """The fields of a version that its texts tell, each understood when it, or one of its fields, is asked for.

    Args:
        kept: the texts.
        seal: fields of the seal that need no understanding.
        plain: fields of the record that need none.
        some: for the name of a field of the record what the row tells of it; nothing where only the text does.
    """

    def in_record(name: str) -> Mapping[str, Any]:
        return some(name) or _values(_current(kept).record)

    return {
        "seal": folded(Seal, lambda _: _values(understood(kept.sealed or kept.text, layout.VERSION_FILE).seal), **seal),
        "record": folded(Record, in_record, **plain),
        "revision": kept.revision,
        "card_revision": kept.card,
    }


def remaining(kept: Verbatim) -> dict[str, Any]:
    """The fields of a version that neither :func:`fields_in` nor its row tells."""
    return {"metadata_digest": text_digest(kept.text), "note": _current(kept).note}


def _current(kept: Verbatim) -> Understood:
    return understood(kept.text, f"revision {kept.revision}" if kept.sealed else layout.VERSION_FILE)


def _values(record: Record | Seal | None) -> dict[str, Any]:
    """The fields of what a text says.

    Raises:
        ValueError: it says nothing, and so cannot be one that was kept.
    """
    if record is None:
        raise ValueError("damaged")
    return {name: getattr(record, name) for name in type(record).__slots__}
