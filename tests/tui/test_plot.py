"""A metric drawn over versions: exact in size, whatever the values, and the same picture every time."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from stackroom.core.attested import Who
from stackroom.core.names import StageName
from stackroom.core.tenure import Tenure
from stackroom.tui.glyphs import ASCII, LIMITED, UNICODE, Glyphs
from stackroom.tui.present.plot import Curve, Mark, Plot, Point
from stackroom.tui.present.scale import scale_of
from tui.browsing import NOW, check_golden

VALUES = st.lists(st.none() | st.floats() | st.integers(-(10**300), 10**300), max_size=40)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
STAGES = ("production", "staging", "canary")


def held(stage: str, number: int, start: int, end: int | None) -> Tenure:
    """By version ``number`` from so many days ago to so many days ago."""
    ended = None if end is None else NOW - timedelta(days=end)
    start_time = NOW - timedelta(days=start)
    return Tenure(stage=StageName(stage), number=number, start=start_time, end=ended, by=Who(1, "ana"))


HELD = (held("production", 2, 15, 6), held("production", 4, 6, None), held("staging", 5, 2, None))


def curve(*values: float | None, tenures: tuple[Tenure, ...] = HELD, log: bool | None = None) -> Curve:
    points = [
        Point(number=place, value=value, when=NOW - timedelta(days=3 * (len(values) - place) + 1))
        for place, value in enumerate(values, 1)
    ]
    return Curve(points=points, tenures=tenures, stages=STAGES[:2], now=NOW, log=log)


def rows(
    what: Curve,
    width: int = 60,
    height: int = 14,
    *,
    glyphs: Glyphs = UNICODE,
    cursor: int | None = None,
    by_time: bool = False,
) -> list[str]:
    plot = Plot(what, width=width, height=height, glyphs=glyphs, by_time=by_time)
    return ["".join(cell.text for cell in line) for line in plot.lines(cursor)]


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    points = [
        Point(number=number, value=value, when=draw(TIMES))
        for number, value in enumerate(draw(VALUES), draw(st.integers(1, 9)))
    ]
    tenures = [
        Tenure(
            stage=StageName(draw(st.sampled_from(STAGES))),
            number=draw(st.integers(1, 50)),
            start=draw(st.datetimes(timezones=st.just(UTC))),
            end=draw(TIMES),
            by=Who(1),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    marks = draw(
        st.lists(
            st.builds(Mark, number=st.integers(1, 50), value=st.floats(), when=st.datetimes(timezones=st.just(UTC))),
            max_size=5,
        )
    )
    now = draw(st.datetimes(timezones=st.just(UTC)))
    log = draw(st.sampled_from([None, True, False]))
    return Curve(points=points, tenures=tenures, stages=STAGES, now=now, log=log, marks=marks)


@settings(max_examples=300, deadline=None)
@given(
    curves(),
    st.integers(0, 120),
    st.integers(0, 40),
    st.booleans(),
    st.sampled_from([UNICODE, ASCII, LIMITED]),
    st.none() | st.integers(-1, 50),
)
def test_any_curve_fills_exactly_its_room(  # hypothesis hands them over
    what: Curve,
    width: int,
    height: int,
    by_time: bool,  # noqa: FBT001  # the same
    glyphs: Glyphs,
    cursor: int | None,
) -> None:
    shown = rows(what, width, height, glyphs=glyphs, cursor=cursor, by_time=by_time)
    assert [cell_len(row) for row in shown] == [width] * height
    if glyphs is ASCII:
        assert all(row.isascii() for row in shown)


@given(VALUES, st.integers(0, 20), st.sampled_from([None, True, False]))
def test_ticks_are_in_order_inside_the_scale_and_no_two_say_the_same(
    values: list[float | None],
    count: int,
    log: bool | None,  # noqa: FBT001  # hypothesis hands it over
) -> None:
    scale = scale_of(values, log=log)
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert (scale is None) == (not finite)
    if scale is None:
        return
    ticks = scale.ticks(count)
    assert ticks
    assert [tick.place for tick in ticks] == sorted(tick.place for tick in ticks)
    assert all(0 <= tick.place <= 1 for tick in ticks)
    assert all(0 <= scale.place(float(value)) <= 1 for value in finite)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.9, 1.0), ["0.90", "0.95", "1.00"]),
        ((0.0, 100.0), ["0", "50", "100"]),
        ((-3.0, 3.0), ["-2", "0", "2"]),
        ((5.0, 5.0), ["5"]),
        ((1e-9, 1e12), ["1e-8", "1e0", "1e8"]),
        ((1e-9, 3e-9), ["1e-9", "2e-9", "3e-9"]),
        ((1.5e12, 3.5e12), ["2e12", "3e12"]),
        ((5e-324, 1.0), ["1e-216", "1e-108", "1e0"]),
        ((0.0, 5e-324), ["0", "4.94066e-324"]),
    ],
)
def test_round_values_are_written(values: tuple[float, float], texts: list[str]) -> None:
    scale = scale_of(values)
    assert scale is not None
    assert [tick.text for tick in scale.ticks(3)] == texts


FEW = curve(0.925, 0.952, 0.974, 0.978, 0.9035)
GAPS = curve(0.9, None, 0.95, math.nan, 0.93, 0.94, math.inf, 0.96)
LONG = [math.sin(place / 900) + place * 7919 % 1000 / 3000 for place in range(10_000)]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("few", FEW),
        ("gaps", GAPS),
        ("one", curve(3.0)),
        ("constant", curve(*[0.5] * 7)),
        ("huge", curve(1e-9, 1e12, 5.0, 1e3)),
        ("huge-linear", curve(1e-9, 1e12, 5.0, 1e3, log=False)),
        ("opposites", curve(-1.7e308, 1.7e308, 0.0)),
        ("none", curve(None, math.nan)),
        ("many", curve(*LONG)),
    ],
)
def test_curves_look_as_they_did(name: str, what: Curve) -> None:
    shown = [rows(what, cursor=1), rows(what, cursor=1, by_time=True), rows(what, glyphs=ASCII, cursor=1)]
    check_golden(f"plot-{name}", "\n\n".join("\n".join(f"|{row}|" for row in picture) for picture in shown))


def test_observations_stand_at_their_version_or_at_their_time_and_widen_the_scale() -> None:
    marks = [
        Mark(number=4, value=value, when=NOW - timedelta(days=days))
        for value, days in ((0.97, 5), (0.95, 3), (0.7, 1), (math.nan, 1))
    ]
    marks.append(Mark(number=99, value=0.8, when=NOW - timedelta(days=1)))  # of a version that is gone
    what = replace(FEW, marks=marks)
    by_version = rows(what, cursor=1)
    columns = {row.index("◆") for row in by_version if "◆" in row}
    assert len(columns) == 1
    by_time = rows(what, cursor=1, by_time=True)
    assert len({row.index("◆") for row in by_time if "◆" in row}) == 3
    shown = [by_version, by_time, rows(what, glyphs=ASCII, cursor=1)]
    check_golden("plot-observed", "\n\n".join("\n".join(f"|{row}|" for row in picture) for picture in shown))


def test_a_gap_is_no_line_and_no_zero() -> None:
    shown = rows(GAPS, 80, 20)
    left = shown[0].index("┤") + 1
    area = [row[left:] for row in shown[: next(y for y, row in enumerate(shown) if "└" in row)]]
    columns = ["".join(row[x] for row in area).strip() for x in range(len(area[0]))]
    drawn = [bool(column) for column in columns]
    gaps = "".join("x" if one else " " for one in drawn).strip().split()
    assert len(gaps) == 4
    assert "0.00" not in "".join(shown)


def test_ten_thousand_versions_show_their_extremes() -> None:
    values: list[float | None] = [0.5] * 10_000
    values[7_000] = 0.9
    values[3_000] = 0.1
    shown = rows(curve(*values, tenures=()), 80, 20)
    top, bottom = shown[0], next(row for row in reversed(shown) if "┤" in row)
    assert top.startswith(" 0.9") or "0.9" in top or any(ord(char) > 0x2800 for char in top[6:])
    assert any(0x2800 < ord(char) < 0x2900 for char in top)
    assert any(0x2800 < ord(char) < 0x2900 for row in shown[15:] for char in row)
    assert bottom


def test_ten_thousand_versions_are_drawn_at_once_and_the_cursor_costs_nothing() -> None:
    what = curve(*LONG)
    started = time.process_time()
    plot = Plot(what, width=200, height=50, glyphs=UNICODE)
    assert time.process_time() - started < 0.3
    started = time.process_time()
    for cursor in range(100):
        plot.lines(cursor)
    assert time.process_time() - started < 1.0


def test_only_the_cursors_cells_change_when_it_moves() -> None:
    plot = Plot(FEW, width=80, height=20, glyphs=UNICODE)
    before, after = (
        ["".join(f"{char}{cell.style}" for cell in line for char in cell.text) for line in plot.lines(cursor)]
        for cursor in (2, 3)
    )
    assert sum(one != other for one, other in zip(before, after, strict=True)) <= 3


def test_a_click_finds_the_nearest_version() -> None:
    plot = Plot(FEW, width=80, height=20, glyphs=UNICODE)
    marks = [next(x for x, char in enumerate(_axis(plot, place)) if char == "▲") for place in range(5)]
    assert [plot.index_at(x + 1) for x in marks] == [0, 1, 2, 3, 4]
    assert Plot(curve(), width=80, height=20, glyphs=UNICODE).index_at(3) is None


def _axis(plot: Plot, cursor: int) -> str:
    return next(text for line in plot.lines(cursor) if "└" in (text := "".join(cell.text for cell in line)))


def test_the_stages_lines_say_who_held_them_and_who_holds_them() -> None:
    shown = rows(FEW, 80, 20)
    production = next(row for row in shown if row.startswith("production"))
    assert [char for char in production if char in "●○"] == ["○", "●"]
    over_time = next(row for row in rows(FEW, 80, 20, by_time=True) if row.startswith("production"))
    assert over_time.index("2") < over_time.index("4")
    assert over_time.rstrip().endswith("─")


def test_the_stages_leave_before_the_plot_does() -> None:
    assert not any("production" in row for row in rows(FEW, 60, 7))
    assert any("production" in row for row in rows(FEW, 60, 9))
    assert rows(FEW, 12, 3)[0].startswith("no room")


def test_times_of_hours_days_and_years_are_written() -> None:
    for length, wanted in (
        (timedelta(hours=5), "09-24 "),
        (timedelta(days=20), "2026-09-"),
        (timedelta(days=4000), "20"),
    ):
        points = [Point(number=1, value=1.0, when=NOW - length), Point(number=2, value=2.0, when=NOW)]
        shown = rows(Curve(points=points, now=NOW), by_time=True)
        assert wanted in shown[-1], shown
