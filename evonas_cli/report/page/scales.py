"""Scales of a chart: values to positions, round ticks and their labels. The page's script has the same rules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

DECADES = 20.0
"""Positive values of which the largest is more than so many times the smallest get a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` at positions from `start` to `end`, on a line or on a logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values inside the range."""
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high)


def scale(values: Iterable[float], start: float, end: float, zero: bool = False, log: bool | None = None) -> Scale:
    """A scale with a margin around the values; `zero` begins it at 0 without one. `log` None: as DECADES says.

    Without a value the scale goes from 0 to 1.
    """
    found = list(values)
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if zero:
        return Scale(0.0, high if high > 0 else 1.0, start, end)
    wanted = low > 0 and high > DECADES * low if log is None else log
    if wanted and low > 0:
        margin = (high / low) ** 0.04 if high > low else 1.2
        return Scale(low / margin, high * margin, start, end, True)
    margin = 0.05 * (high - low) or abs(high) * 0.05 or 1.0
    return Scale(low - margin, high + margin, start, end)


def ticks(low: float, high: float) -> list[float]:
    """About five round values inside the range."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten inside the range; powers alone where it spans more than three of them."""
    factors = (1, 2, 5) if high / low < 1000 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [m * 10.0**power for power in powers for m in factors if low <= m * 10.0**power <= high]
    return found if len(found) > 1 else ticks(low, high)


def tick_text(value: float) -> str:
    """A tick's label: 0.05, 20, 12k, 3M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{0.0 if abs(value) < 1e-12 else value:.4g}"


def time_unit(seconds: float) -> tuple[float, str]:
    """The unit in which a span of time is shown, in seconds, and its name."""
    for size, name in ((172800.0, "days"), (7200.0, "hours"), (120.0, "minutes")):
        if seconds >= size:
            return {"days": 86400.0, "hours": 3600.0, "minutes": 60.0}[name], name
    return (1.0, "seconds") if seconds >= 1 or seconds <= 0 else (1e-3, "milliseconds")
