"""Learning curves of trainings that came to their end, and how wrong what was forecast of them has been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from evonas_cli.core.types import Json

Points: TypeAlias = tuple[tuple[float, float], ...]
"""A curve as (epoch, loss)."""
FORECASTS = ("lstm", "power_law", "last_loss")
"""What forecasts a final loss: the learned network, the fitted law, and that nothing changes."""


@dataclass(frozen=True, slots=True)
class Finished:
    """`curves` of full trainings, whose last point is the final loss; `errors` are sums, in the order of FORECASTS, of
    absolute errors over the `compared` ones of which all three had a forecast."""

    curves: tuple[Points, ...] = ()
    compared: int = 0
    errors: tuple[float, ...] = (0.0, 0.0, 0.0)

    def prefixes(self, points: Points) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
        """The losses of the curves at the epochs of `points`, and their final losses; curves that lack one are left
        out."""
        epochs = [epoch for epoch, _ in points]
        found, finals = [], []
        for curve in self.curves:
            known = dict(curve)
            if all(epoch in known for epoch in epochs):
                found.append(tuple([known[epoch] for epoch in epochs]))
                finals.append(curve[-1][1])
        return tuple(found), tuple(finals)

    def with_curve(self, points: Points, forecasts: tuple[float, ...] | None) -> Finished:
        """With one more curve, and what was forecast of its end (None: nothing was)."""
        curves = (*self.curves, points)
        if forecasts is None:
            return Finished(curves, self.compared, self.errors)
        pairs = zip(self.errors, forecasts, strict=True)
        errors = tuple([error + abs(forecast - points[-1][1]) for error, forecast in pairs])
        return Finished(curves, self.compared + 1, errors)

    def figures(self) -> dict[str, Json]:
        """Forecasts that could be compared with the final loss, and the mean absolute error of each kind (None: none
        could)."""
        means = {
            f"{name}_error": error / self.compared if self.compared else None
            for name, error in zip(FORECASTS, self.errors, strict=True)
        }
        return {"compared": self.compared, **means}
