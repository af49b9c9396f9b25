"""Which rows are marked: one by one, or all that the cursor passes. By key, like everything in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.tui.widgets.viewport import Viewport


class Marks:
    """Marked keys in the order in which they were marked, and a range that grows with the cursor.

    A mark survives its row's absence: a filter may hide the row for a while.

    Args:
        viewport: the rows and the cursor.
    """

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._kept: dict[str, None] = {}
        self._range_from: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All marked keys, those of the range at the end."""
        return tuple(self._kept | dict.fromkeys(self._range()))

    @property
    def in_range(self) -> bool:
        """Whether a range grows with the cursor."""
        return self._range_from is not None and self._range_from in self._viewport

    def replace(self, keys: Iterable[str]) -> None:
        """Mark exactly these; a range that was started is given up."""
        self._kept = dict.fromkeys(keys)
        self._range_from = None

    def toggle(self, key: str) -> None:
        """Mark a key, or unmark it."""
        if key in self._kept:
            del self._kept[key]
        else:
            self._kept[key] = None

    def start_range(self) -> None:
        """Mark what the cursor passes from now on."""
        self._range_from = self._viewport.cursor_key

    def end_range(self, *, keep: bool) -> None:
        """Keep what the range has marked, or give it up."""
        if keep:
            self._kept |= dict.fromkeys(self._range())
        self._range_from = None

    def _range(self) -> list[str]:
        """The keys of the range, from where it was started to the cursor."""
        start = self._viewport.index_of(self._range_from) if self._range_from is not None else None
        if start is None:
            return []
        end = self._viewport.cursor
        keys = list(self._viewport.keys[min(start, end) : max(start, end) + 1])
        return keys if start <= end else keys[::-1]
