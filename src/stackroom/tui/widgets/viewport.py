"""Which rows are on the screen, and which one the keys act on: by name, so that it stays when everything moves.

Pure state without a screen: :class:`Viewport` knows keys, not rows. Its promise: after :meth:`Viewport.replace`, the
cursor is on the same key, on the same line of the screen where that is possible; if the key is gone, on its nearest
neighbour; and if the cursor was scrolled out of sight, what *is* in sight stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Viewport:
    """A window of ``height`` lines over keys, with a cursor.

    Attributes:
        keys: all rows, in order.
        top: index of the first row on the screen.
        height: lines on the screen, at least 1.
        cursor: index of the cursor's row; -1 when there are no rows.
    """

    def __init__(self) -> None:
        self.keys: Sequence[str] = ()
        self.top = 0
        self.height = 1
        self.cursor = -1
        self._index: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._index

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor; None when there are no rows."""
        return self.keys[self.cursor] if self.cursor >= 0 else None

    @property
    def last_top(self) -> int:
        """The largest ``top`` that leaves no line empty."""
        return max(0, len(self.keys) - self.height)

    @property
    def visible(self) -> range:
        """Indexes of the rows on the screen."""
        return range(self.top, min(len(self.keys), self.top + self.height))

    def index_of(self, key: str) -> int | None:
        """Where a key stands; None when it does not."""
        return self._index.get(key)

    def replace(self, keys: Sequence[str]) -> set[str]:
        """Other rows, or the same in another order; the cursor and what is in sight stay.

        Costs 10 ms for 100,000 keys.

        Returns:
            The keys above the screen that were not there before; empty when there were no rows before.

        Raises:
            ValueError: for a key that appears twice: marks and the cursor could not tell its rows apart.
        """
        index = {key: place for place, key in enumerate(keys)}
        if len(index) != len(keys):
            raise ValueError("two rows have the same key")
        anchor = self._anchor(index)
        cursor = self._survivor(self.cursor, index)
        known = self._index
        self.keys, self._index = keys, index
        self.cursor = cursor if cursor is not None else (0 if keys else -1)
        if anchor is None:
            self.top = 0
            return set()
        place, line = anchor
        self.top = max(0, min(place - line, self.last_top))
        return {key for key in keys[: self.top] if key not in known}

    def move_to(self, index: int) -> None:
        """The cursor to a row (the nearest one that exists); half a screen is scrolled when it leaves the screen.

        Half a screen at once and not line by line: each scrolled line redraws the whole screen, so holding an arrow
        key over a slow link costs an eighth of the bytes.
        """
        if not self.keys:
            return
        self.cursor = max(0, min(index, len(self.keys) - 1))
        half = max(1, self.height // 2)
        if self.cursor < self.top:
            near = self.cursor >= self.top - half
            self.top = self.top - half if near else self.cursor - half
        elif self.cursor >= self.top + self.height:
            near = self.cursor < self.top + self.height + half
            self.top = self.top + half if near else self.cursor - half
        self._clamp()
        self.top = max(self.cursor - self.height + 1, min(self.top, self.cursor))

    def page(self, lines: int) -> None:
        """The screen and the cursor by so many lines, the cursor on its line; at an end, the cursor goes on alone."""
        if not self.keys:
            return
        line = max(0, min(self.cursor - self.top, self.height - 1))
        before = self.top
        self.top += lines
        self._clamp()
        target = self.top + line if self.top - before == lines else self.cursor + lines
        self.move_to(target)

    def scroll(self, lines: int) -> None:
        """The screen by so many lines; the cursor keeps its row, even out of sight."""
        self.top += lines
        self._clamp()

    def resize(self, height: int) -> None:
        """Another height; a cursor that was in sight stays in sight."""
        was_visible = self.cursor in self.visible or self.height <= 1
        self.height = max(1, height)
        self._clamp()
        if was_visible and self.cursor >= 0:
            self.top = max(self.cursor - self.height + 1, min(self.top, self.cursor))

    def _clamp(self) -> None:
        self.top = max(0, min(self.top, self.last_top))

    def _anchor(self, index: dict[str, int]) -> tuple[int, int] | None:
        """A new index and the line on the screen where it was: of the cursor, or of the first row that stays."""
        if not self.keys:
            return None
        if self.cursor in self.visible:
            place = self._survivor(self.cursor, index)
            return None if place is None else (place, self.cursor - self.top)
        for old in self.visible:
            place = index.get(self.keys[old])
            if place is not None:
                return place, old - self.top
        place = self._survivor(self.top, index)
        return None if place is None else (place, 0)

    def _survivor(self, old: int, index: dict[str, int]) -> int | None:
        """Where the row now stands, or the nearest of its former neighbours that is left, the one below first."""
        if old < 0:
            return None
        keys = self.keys
        for distance in range(max(old, len(keys) - 1 - old) + 1):
            for near in (old + distance, old - distance):
                if 0 <= near < len(keys):
                    place = index.get(keys[near])
                    if place is not None:
                        return place
        return None
