"""The values beside a plot: where each stands between its two ends, and which of them are written down."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from stackroom.core.show import number

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOG_FROM: Final = 1e4
"""The ratio of the largest value to the smallest from which on steps of ten tell more than equal steps."""

_PLAIN_DIGITS: Final = 6
"""Digits before or after the point up to which a value is written without an exponent."""

_TICKS_LIMIT: Final = 40

_HAIR: Final = 1e-9


class Tick(NamedTuple):
    """A value that is written at the axis: its text, and where it stands, from 0 at the foot to 1 at the top."""

    text: str
    place: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From the smallest value to the largest.

    Attributes:
        low: at the foot.
        high: at the top, above ``low``.
        log: whether each ten-fold takes the same room.
        only: the one value that there is, or None.
    """

    low: float
    high: float
    log: bool = False
    only: float | None = None

    def place(self, value: float) -> float:
        """Where a value stands, from 0 to 1."""
        if self.log:
            low, high, at = math.log10(self.low), math.log10(self.high), math.log10(value)
            return (at - low) / (high - low)
        span = self.high - self.low
        if math.isfinite(span):
            return (value - self.low) / span
        # Halved before the subtraction: the difference of two floats can overflow, that of their halves cannot.
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def ticks(self, count: int) -> list[Tick]:
        """About so many round values, the smallest first; never none."""
        if self.only is not None:
            return [Tick(number(self.only), self.place(self.only))]
        found = self._decades(count) if self.log else self._rounds(max(2, count))
        if len(found) < 2:
            return [Tick(number(value), self.place(value)) for value in (self.low, self.high)]
        return found

    def _decades(self, count: int) -> list[Tick]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        every = max(1, math.ceil((last - first + 1) / max(1, count)))
        values = [(power, 10.0**power) for power in range(first, last + 1) if power % every == 0]
        return [Tick(f"1e{power}", self.place(value)) for power, value in values if self.low <= value <= self.high]

    def _rounds(self, count: int) -> list[Tick]:
        step = _round_step((self.high / 2 - self.low / 2) / count * 2)
        if not (step and math.isfinite(step) and math.isfinite(self.low / step) and math.isfinite(self.high / step)):
            return []
        # A step is not exact, so that an end of the scale may be missed by a hair.
        first, last = math.ceil(self.low / step - _HAIR), math.floor(self.high / step + _HAIR)
        values = [turn * step for turn in range(first, min(last, first + _TICKS_LIMIT) + 1)]
        values = [min(max(value, self.low), self.high) for value in values]
        named = dict(zip(_texts(values, step), values, strict=True))
        return [Tick(text, self.place(value)) for text, value in named.items()]


def scale_of(values: Iterable[float | None], *, log: bool | None = None) -> Scale | None:
    """The scale that shows all values that are numbers; None where there is none.

    Args:
        values: missing, undefined and infinite ones are left out.
        log: True or False for one of the two kinds, where the values have it; None for the one that shows more.
    """
    finite = [float(value) for value in values if value is not None and math.isfinite(value)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    if low == high:
        room = abs(low) / 10 or 1.0
        limit = sys.float_info.max
        return Scale(low=max(low - room, -limit), high=min(high + room, limit), only=low)
    if low <= 0 or math.log10(low) == math.log10(high):
        log = False
    elif log is None:
        log = high / low >= _LOG_FROM if high / low != math.inf else True
    return Scale(low=low, high=high, log=log)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5, times a power of ten, that is not below ``least``; 0 where there is none."""
    if least <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5, 10) if factor * power >= least), 0.0)


def _texts(values: list[float], step: float) -> list[str]:
    """The values, all with as many digits as tell them apart."""
    top = max((abs(value) for value in values), default=0.0)
    if not top:
        return ["0"] * len(values)
    large, small = math.floor(math.log10(top)), math.floor(math.log10(step) + _HAIR)
    if large < _PLAIN_DIGITS and small >= -_PLAIN_DIGITS:
        return [f"{value:.{max(0, -small)}f}" for value in values]
    digits = min(_PLAIN_DIGITS, max(0, large - small))
    return [_short_exponent(f"{value:.{digits}e}") if value else "0" for value in values]


def _short_exponent(text: str) -> str:
    """``1.5e-9`` for ``1.5e-09``."""
    digits, _, power = text.partition("e")
    return f"{digits}e{int(power)}"
