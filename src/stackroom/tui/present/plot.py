"""A metric over the versions of a model as a picture of characters.

An axis of values, an axis of versions or of time, and a line for each stage that says which version held it when. Pure:
points in, lines of text out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from stackroom.core.metadata import as_utc
from stackroom.tui.present.canvas import Canvas
from stackroom.tui.present.scale import Scale, scale_of
from stackroom.tui.widgets.drawing import Cell, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stackroom.core.tenure import Tenure
    from stackroom.tui.glyphs import Glyphs
    from stackroom.tui.present.words import Line

_LEAST: Final = (16, 5)
"""Columns and rows below which there is no plot."""

_GUTTER: Final = 10
"""Cells at the left at most: a value, or the name of a stage."""

_FOOT: Final = 2
"""Rows below the plot: the axis and what is written under it."""

_ROWS_PER_TICK: Final = 3

_TIME_STEPS: Final = tuple(
    timedelta(**{unit: count})
    for unit, counts in (("minutes", (1, 5, 15)), ("hours", (1, 3, 6, 12)), ("days", (1, 2, 7, 14, 30, 91, 182, 365)))
    for count in counts
)
"""Between two times that are written at the axis; then whole numbers of years."""

_EPOCH: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""A Monday: steps of weeks are counted from it."""

_LAST: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""Close to the end of what a time can be: somebody's clock may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One version.

    Attributes:
        number: of the version.
        value: of the metric; None where it has none.
        when: it was registered; None where that is not known.
    """

    number: int
    value: float | None
    when: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A value that was observed of a version after its release.

    Attributes:
        number: of the version.
        value: of the metric.
        when: it was observed.
    """

    number: int
    value: float
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What is drawn.

    Attributes:
        points: oldest first.
        tenures: who held the stages when.
        stages: whose lines are drawn, the most important first: the others leave where there is too little room.
        now: the end of the axis of time.
        log: as :func:`scale_of` takes it.
        marks: what was observed, drawn over the line.
    """

    points: Sequence[Point]
    tenures: Sequence[Tenure] = ()
    stages: Sequence[str] = ()
    now: datetime
    log: bool | None = None
    marks: Sequence[Mark] = ()


@dataclass(slots=True)
class _Grid:
    """Cells of one character with a role each, changed in place while the picture is made."""

    width: int
    height: int
    cells: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)

    def put(self, x: int, y: int, text: str, role: str = "") -> None:
        """A text, character by character; what is outside is nowhere."""
        for place, char in enumerate(text):
            if 0 <= x + place < self.width and 0 <= y < self.height:
                self.cells[x + place, y] = (char, role)

    def line(self, y: int, over: dict[tuple[int, int], tuple[str, str]]) -> Line:
        """One row, neighbours of one role joined."""
        row: list[tuple[str, str]] = []
        for x in range(self.width):
            # A blank looks like its neighbour: a change of colours costs as much as forty of them.
            row.append(over.get((x, y)) or self.cells.get((x, y), (" ", row[-1][1] if row else "dim")))
        return tuple(
            Cell("".join(char for char, _ in same), role) for role, same in groupby(row, key=lambda cell: cell[1])
        )


class Plot:
    """A curve drawn once; only the cursor moves over it.

    Costs 30 ms for 10,000 versions; :meth:`lines` costs as much as the screen is large.

    Args:
        curve: what is drawn.
        width: in cells.
        height: in cells.
        glyphs: the set to draw with.
        by_time: whether versions stand where they were registered, and not one after the other.
    """

    def __init__(self, curve: Curve, *, width: int, height: int, glyphs: Glyphs, by_time: bool = False) -> None:
        self._curve = curve
        self._glyphs = glyphs
        self._by_time = by_time
        self._grid = _Grid(max(0, width), max(0, height))
        values = [*(point.value for point in curve.points), *(mark.value for mark in curve.marks)]
        self.scale: Scale | None = scale_of(values, log=curve.log)
        self._columns: dict[int, int] = {}
        self._places: dict[int, tuple[int, int]] = {}
        self._axis_row = height - _FOOT
        if width < _LEAST[0] or height < _LEAST[1]:
            self._grid.put(0, 0, fit("no room for a plot", width, glyphs=glyphs), "dim")
            return
        stages = list(curve.stages)[: max(0, (height - _LEAST[1]) // 3)]
        self._axis_row = height - _FOOT - len(stages)
        ticks = self.scale.ticks(self._axis_row // _ROWS_PER_TICK) if self.scale else []
        widest = max((len(text) for text in (*(tick.text for tick in ticks), *stages)), default=0)
        self._left = min(widest, _GUTTER, width // 3) + 2
        self._canvas = Canvas(width - self._left, self._axis_row, glyphs)
        self._span = self._time_span()
        self._draw_axes([(tick.text, tick.place) for tick in ticks])
        self._draw_curve()
        self._draw_marks()
        self._draw_below(self._time_labels() if by_time else self._number_labels())
        for row, stage in enumerate(stages, self._axis_row + _FOOT):
            self._draw_stage(row, stage)

    # ---- what is shown

    def lines(self, cursor: int | None = None) -> list[Line]:
        """The rows of the picture, each exactly as wide as it was asked for.

        Args:
            cursor: the index of the point that is pointed at.
        """
        over: dict[tuple[int, int], tuple[str, str]] = {}
        column = self._columns.get(cursor) if cursor is not None else None
        if cursor is not None and column is not None:
            over[column, self._axis_row] = (self._glyphs.ascending, "key")
            if cursor in self._places:
                over[self._places[cursor]] = (self._glyphs.point, "cursor")
        return [self._grid.line(y, over) for y in range(self._grid.height)]

    def index_at(self, x: int) -> int | None:
        """The point that stands nearest to a column; None where there is none."""
        return min(self._columns, key=lambda index: abs(self._columns[index] - x), default=None)

    # ---- where things stand

    def _time_span(self) -> tuple[datetime, datetime]:
        times = [as_utc(point.when) for point in self._curve.points if point.when]
        times += [as_utc(tenure.start) for tenure in self._curve.tenures]
        times += [as_utc(mark.when) for mark in self._curve.marks]
        first, last = min(times, default=self._curve.now), max([*times, as_utc(self._curve.now)])
        return first, last if last > first else first + timedelta(seconds=1)

    def _x_of_time(self, when: datetime) -> int:
        """The dot of a time, a cell away from either end."""
        first, last = self._span
        cell = 2 if self._glyphs.braille else 1
        share = (as_utc(when) - first) / (last - first)
        return cell + round(max(0.0, min(1.0, share)) * (self._canvas.width - 1 - 2 * cell))

    def _x_of(self, index: int) -> int | None:
        point = self._curve.points[index]
        if self._by_time:
            return None if point.when is None else self._x_of_time(point.when)
        return int((index + 0.5) * self._canvas.width / len(self._curve.points))

    def _y_of(self, value: float | None) -> int | None:
        if self.scale is None or value is None or not math.isfinite(value):
            return None
        return round((1 - self.scale.place(float(value))) * (self._canvas.height - 1))

    # ---- drawing

    def _draw_axes(self, ticks: Iterable[tuple[str, float]]) -> None:
        grid, glyphs = self._grid, self._glyphs
        for y in range(self._axis_row):
            grid.put(self._left - 1, y, glyphs.bar, "dim")
        grid.put(self._left - 1, self._axis_row, glyphs.corner + glyphs.rule * grid.width, "dim")
        taken: set[int] = set()
        for text, place in ticks:
            _, row = self._canvas.cell_of(0, round((1 - place) * (self._canvas.height - 1)))
            if row not in taken:
                taken.add(row)
                grid.put(0, row, fit(text, self._left - 2, align="right", glyphs=glyphs), "dim")
                grid.put(self._left - 1, row, glyphs.tick, "dim")

    def _draw_curve(self) -> None:
        """The line, with a gap where there is no value; where versions share a column, from the least to the most."""
        canvas = self._canvas
        order = [(x, index) for index in range(len(self._curve.points)) if (x := self._x_of(index)) is not None]
        reach: dict[int, tuple[int, int]] = {}
        before: tuple[int, int] | None = None
        for x, index in sorted(order) if self._by_time else order:
            self._columns[index] = self._left + canvas.cell_of(x, 0)[0]
            y = self._y_of(self._curve.points[index].value)
            if y is None:
                before = None
                continue
            column, row = canvas.cell_of(x, y)
            self._places[index] = (self._left + column, row)
            low, high = reach.get(x, (y, y))
            if before is not None and before[0] == x:
                low, high = min(low, before[1]), max(high, before[1])
            elif before is not None:
                canvas.line(*before, x, y)
            reach[x] = (min(low, y), max(high, y))
            before = (x, y)
        for x, (low, high) in reach.items():
            canvas.line(x, low, x, high)
        for (column, row), sign in canvas.signs().items():
            self._grid.put(self._left + column, row, sign, "accent")
        if len(self._places) * 3 <= self._grid.width - self._left:
            for x, y in self._places.values():
                self._grid.put(x, y, self._glyphs.point, "accent")
        if not self._places and not self._curve.marks:
            self._grid.put(self._left + 1, self._axis_row // 2, "no values", "dim")

    def _draw_marks(self) -> None:
        """What was observed: where its version stands, or at its own time; a version's own point stays on top."""
        columns = {self._curve.points[index].number: column for index, column in self._columns.items()}
        present = {point.number for point in self._curve.points}
        taken = set(self._places.values())
        for mark in self._curve.marks:
            y = self._y_of(mark.value)
            column = columns.get(mark.number)
            if self._by_time:
                column = self._left + self._canvas.cell_of(self._x_of_time(mark.when), 0)[0]
            if y is None or column is None or mark.number not in present:
                continue
            place = (column, self._canvas.cell_of(0, y)[1])
            if place not in taken:
                self._grid.put(*place, self._glyphs.observed, "warn")

    def _draw_below(self, labels: Iterable[tuple[int, str]]) -> None:
        """What is written under the axis, as far as it does not run into each other."""
        taken: list[tuple[int, int]] = []
        for column, text in labels:
            start = max(self._left, min(column - len(text) // 2, self._grid.width - len(text)))
            end = start + len(text)
            if all(end + 2 <= other or start >= other_end + 2 for other, other_end in taken):
                taken.append((start, end))
                self._grid.put(start, self._axis_row + 1, text, "dim")
                self._grid.put(column, self._axis_row, self._glyphs.notch, "dim")

    def _number_labels(self) -> list[tuple[int, str]]:
        """The last version, the first one, then those with round numbers."""
        points = self._curve.points
        if not points:
            return []
        width = len(str(points[-1].number)) + 2
        room = max(1, (self._grid.width - self._left) // width)
        every = next(
            factor * 10**power
            for power in range(20)
            for factor in (1, 2, 5)
            if factor * 10**power * room >= len(points)
        )
        wanted = [len(points) - 1, 0, *(place for place, point in enumerate(points) if point.number % every == 0)]
        return [(self._columns[place], str(points[place].number)) for place in wanted]

    def _time_labels(self) -> list[tuple[int, str]]:
        first, last = self._span
        room = max(1, (self._grid.width - self._left) // 14)
        years = max(1, math.ceil((last - first) / timedelta(days=365) / room))
        fitting = (step for step in _TIME_STEPS if step * room >= last - first)
        step = next(fitting, timedelta(days=365) * years)
        pattern = "%Y-%m-%d" if step >= timedelta(days=1) else "%m-%d %H:%M"
        past = (first - _EPOCH) % step
        when = first + (step - past if past else past) if first < _LAST - step else _LAST
        found = []
        while when <= last:
            found.append((self._left + self._canvas.cell_of(self._x_of_time(when), 0)[0], when.strftime(pattern)))
            when = when + step if when < _LAST - step else _LAST + timedelta(days=2)
        return found or [(self._grid.width - 1, last.strftime(pattern))]

    def _draw_stage(self, row: int, stage: str) -> None:
        """Who held a stage: over time as lengths with the versions' numbers, over versions as points."""
        grid, glyphs = self._grid, self._glyphs
        grid.put(0, row, fit(stage, self._left - 2, align="right", glyphs=glyphs), "dim")
        held = [tenure for tenure in self._curve.tenures if tenure.stage == stage]
        if self._by_time:
            for tenure in held:
                start, end = (self._canvas.cell_of(self._x_of_time(when), 0)[0] for when in self._times_of(tenure))
                role = "good" if tenure.end is None else "dim"
                grid.put(self._left + start, row, glyphs.rule * (end - start + 1), role)
                if len(str(tenure.number)) <= end - start + 1:
                    grid.put(self._left + start, row, str(tenure.number), role)
            return
        present = {tenure.number for tenure in held if tenure.end is None}
        numbers = {tenure.number for tenure in held}
        found = [index for index, point in enumerate(self._curve.points) if point.number in numbers]
        for index in sorted(found, key=lambda index: self._curve.points[index].number in present):
            now = self._curve.points[index].number in present
            grid.put(self._columns[index], row, glyphs.point if now else glyphs.past, "good" if now else "dim")

    def _times_of(self, tenure: Tenure) -> tuple[datetime, datetime]:
        return tenure.start, tenure.end or self._curve.now
