"""Learning curves continued by a power law: the loss after t epochs is a + b t^-c (a the limit, b >= 0).

The three-parameter power law is one of the curves of Domhan, Springenberg and Hutter (IJCAI 2015), there of the
accuracy, a - b t^-c. Here a and b are fitted by least squares for each exponent c of a fixed grid between 0.05 and 4,
and the best exponent is taken: no optimiser, no random draws. The forecast is normal around the fitted curve; its
standard deviation is that of the residuals and a margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEAST_POINTS = 4
"""Points of a curve that a law of three parameters needs at least."""
EXPONENTS = tuple([math.exp(math.log(0.05) + (math.log(4.0) - math.log(0.05)) * step / 60) for step in range(61)])


class Law(NamedTuple):
    """loss(t) = limit + scale * t^-exponent, t in epochs; `deviation` is that of the points from it."""

    limit: float
    scale: float
    exponent: float
    deviation: float

    def at(self, epoch: float) -> float:
        """The loss after so many epochs."""
        return self.limit + self.scale * math.pow(epoch, -self.exponent)


def fitted(points: Sequence[tuple[float, float]]) -> Law:
    """The law of least squares through (epoch, loss), losses at least 0, epochs above 0.

    `limit` is at least 0 and `scale` too. Raises ValueError for fewer than LEAST_POINTS points.
    """
    if len(points) < LEAST_POINTS:
        raise ValueError(f"a curve of {len(points)} points; a power law needs {LEAST_POINTS}")
    losses = [loss for _, loss in points]
    laws = [_with(exponent, [epoch**-exponent for epoch, _ in points], losses) for exponent in EXPONENTS]
    return min(laws, key=lambda law: law.deviation)


def below(law: Law, epoch: float, target: float, margin: float) -> float:
    """The probability, in [0, 1], that the loss after so many epochs is below `target`.

    `margin`, in units of the loss and above 0, is added to the standard deviation.
    """
    deviations = (target - law.at(epoch)) / (law.deviation + margin)
    return 0.5 * math.erfc(-deviations / math.sqrt(2))


def _with(exponent: float, powers: Sequence[float], losses: Sequence[float]) -> Law:
    """The best law of one exponent: a line in t^-c, with limit and scale kept at 0 where they would be below."""
    count = len(losses)
    middle, mean = sum(powers) / count, sum(losses) / count
    spread = sum([(power - middle) ** 2 for power in powers])
    scale = sum([(p - middle) * (loss - mean) for p, loss in zip(powers, losses, strict=True)]) / spread
    limit = mean - scale * middle
    if scale < 0:
        limit, scale = mean, 0.0
    elif limit < 0:
        limit = 0.0
        scale = sum([p * loss for p, loss in zip(powers, losses, strict=True)]) / sum([p * p for p in powers])
    squares = sum([(loss - limit - scale * p) ** 2 for p, loss in zip(powers, losses, strict=True)])
    return Law(limit, scale, exponent, math.sqrt(squares / count))
