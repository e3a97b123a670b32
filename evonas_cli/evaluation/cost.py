"""How long evaluations take: a constant and a rate for each kind of work that the job foresees, none of them negative.

The coefficients minimise the squared relative errors of what has finished so far. They depend on clocks, which is
allowed because they decide about nothing but the order in which units are begun: the fold takes results in the order of
ids, whoever is first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

REMEMBERED = 256
"""Finished units that count: the latest."""
FRESH = 8
"""One part in so many of them has to be new before the coefficients are fitted again."""


class CostModel:
    """Predicts seconds from amounts of work. Until more units have finished than there are coefficients, the first
    amount stands for them."""

    def __init__(self) -> None:
        self._finished: deque[tuple[Sequence[float], float]] = deque(maxlen=REMEMBERED)
        self._fresh = 0
        self.coefficients: tuple[float, ...] = ()

    def learn(self, amounts: Sequence[float], seconds: float) -> None:
        """Takes a unit that finished; one that took no time teaches nothing."""
        if seconds > 0:
            self._finished.append((amounts, seconds))
            self._fresh += 1

    def fit(self) -> bool:
        """Fits the coefficients if enough is new; says whether predictions may have changed."""
        n = len(self._finished)
        if n == 0 or n < len(self._finished[0][0]) + 2 or self._fresh * FRESH < n:
            return False
        import numpy

        amounts = numpy.array([(1.0, *amounts) for amounts, _ in self._finished])
        seconds = numpy.array([[seconds] for _, seconds in self._finished])
        self.coefficients, self._fresh = tuple(_fit(amounts / seconds).tolist()), 0
        return True

    def predict(self, amounts: Sequence[float]) -> float:
        """Seconds, or the first amount as long as nothing was fitted."""
        if not self.coefficients:
            return amounts[0]
        rates = islice(self.coefficients, 1, None)
        return self.coefficients[0] + sum(rate * amount for rate, amount in zip(rates, amounts, strict=True))


def _fit(rows: numpy.ndarray) -> numpy.ndarray:
    """Coefficients of at least 0 with which each row (unit, amount) sums to 1, as nearly as least squares can.

    An amount whose coefficient comes out negative is left out, the most negative one first, until there is none.
    """
    import numpy

    scale = rows.max(axis=0)
    coefficients, used = numpy.zeros(rows.shape[1]), scale > 0
    while used.any():
        found = numpy.linalg.lstsq(rows[:, used] / scale[used], numpy.ones(len(rows)), rcond=None)[0]
        if found.min() >= 0:
            coefficients[used] = found / scale[used]
            break
        used[numpy.flatnonzero(used)[found.argmin()]] = False
    return coefficients
