"""Values to positions: scales on a line or a logarithm, their bounds without outliers, and their ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

RARE = 0.05
"""Share of the values at one end (at least one value) that may be outliers."""
FEWEST = 5
"""Of fewer values none is an outlier."""
POWERS = 10
"""Most powers of ten between the ends of a logarithmic axis that all have a tick."""
_MARGIN = 0.05
_LARGEST = 1e150
"""No axis reaches farther, so that differences and squares stay finite; what lies beyond is drawn at its end."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` at positions from `start` to `end`, on a line or on a logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False
    """Whether values are whole numbers, which have no ticks between them."""

    def __call__(self, value: float) -> float:
        """The position of a value."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def clipped(self, value: float) -> float:
        """The position, or that of the nearer end for a value outside."""
        return self(min(max(value, self.low), self.high))

    def holds(self, value: float) -> bool:
        """Whether the value lies inside."""
        return self.low <= value <= self.high

    def ticks(self) -> list[float]:
        """Round values inside the range."""
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high, self.whole)


@dataclass(frozen=True)
class Bounds:
    """The range of values that an axis shows, and whether the axis is logarithmic."""

    low: float
    high: float
    log: bool
    whole: bool = False

    def scale(self, start: float, end: float) -> Scale:
        """The scale between two positions."""
        return Scale(self.low, self.high, start, end, self.log, self.whole)


def bounds(values: Sequence[float], keep: Iterable[float] = ()) -> Bounds:
    """The range of an axis for values, at least one, with a margin: outliers lie outside, values to `keep` inside.

    An outlier is one of the 5 % of values at an end (at least one value) that alone would make the axis more than twice
    as long as all other values need. The axis is logarithmic where the values inside are positive and span more than a
    decade.
    """
    kept = list(keep)
    log = _decades([*values, *kept])
    inside = [*without_outliers(values, log), *kept]
    return replace(padded(min(inside), max(inside)), whole=are_whole([*values, *kept]))


def padded(low: float, high: float) -> Bounds:
    """The range with a margin at both ends; logarithmic where it is positive and spans more than a decade."""
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    low, high = min(low, _LARGEST), max(high, -_LARGEST)
    if _decades([low, high]):
        return Bounds(low / 1.1, high * 1.1, True)
    if low == high == 0.0:  # no value is negative where all are 0
        high = 1.0
    margin = _MARGIN * (high - low) or abs(high) * _MARGIN
    return Bounds(low - margin, high + margin, False)


def _decades(values: Sequence[float]) -> bool:
    return min(values) > 1 / _LARGEST and max(values) > 10 * min(values)


def are_whole(values: Iterable[float]) -> bool:
    """Whether all values are whole numbers."""
    return all(float(value).is_integer() for value in values)


def without_outliers(values: Sequence[float], log: bool) -> list[float]:
    """The values without the outliers of which `bounds` speaks, by size; `log` measures lengths on a logarithm."""
    if len(values) < FEWEST:
        return list(values)
    ordered = sorted(values)
    places = [math.log10(value) for value in ordered] if log else ordered
    rare = max(1, int(len(values) * RARE))
    low, high = places[0], places[-1]
    if (length := places[-1 - rare] - places[0]) > 0:
        high = max(place for place in places if place <= places[-1 - rare] + length)
    if (length := places[-1] - places[rare]) > 0:
        low = min(place for place in places if place >= places[rare] - length)
    return [value for value, place in zip(ordered, places, strict=True) if low <= place <= high]


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """About five round values inside the range; with `whole` whole numbers alone."""
    if not high > low:
        return [low]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    if whole:
        step = max(1.0, power * 5 if step == power * 2.5 and power < 10 else step)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten inside the range; powers alone where it spans more than three of them, and of more
    than POWERS only every second, third, ... one.

    A range with at most one of these has the ticks of a line.
    """
    factors = (1, 2, 5) if high / low < 1000 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = math.ceil((last - first) / POWERS) or 1
    powers = range(math.ceil(first / every) * every, last + 1, every)
    found = [m * 10.0**power for power in powers for m in factors if low <= m * 10.0**power <= high]
    return found if len(found) > 1 else ticks(low, high)


def tick_text(value: float) -> str:
    """A tick's label: 0.05, 20, 12k, 3M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value + 0.0:.4g}"  # without the sign of -0.0
