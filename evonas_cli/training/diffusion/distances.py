"""How far samples are from held-out data: maximum mean discrepancy and energy distance, both without bias.

MMD^2 is the unbiased estimate of Gretton et al. ("A Kernel Two-Sample Test", JMLR 2012, lemma 6), with the mean of
Gaussian kernels exp(-d^2 / (2 s^2)) as kernel, whose widths s are SCALES times the median distance of two held-out
examples (the median heuristic, section 8). The energy distance is 2 E|X - Y| - E|X - X'| - E|Y - Y'| (Szekely and
Rizzo, "Energy statistics", Journal of Statistical Planning and Inference 2013). d is the Euclidean distance. Either is
0 on average where both distributions are one, so that a single estimate may be a little below 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

SCALES = (0.125, 0.25, 0.5, 1.0)
"""Widths of the kernels, in median distances."""


class Yardstick:
    """Held-out examples (N, D), N at least 2, to which samples are compared, in float64.

    Raises ValueError where half of the pairs of examples or more are equal, so that the median distance is 0.
    """

    def __init__(self, held: Tensor) -> None:
        self._held = held.double()
        within = _distances(self._held, self._held)
        places = torch.triu_indices(len(held), len(held), 1, device=held.device)
        median = float(within[places[0], places[1]].median())
        if median == 0:
            raise ValueError("at least half of the pairs of held-out examples are equal, so that there is no scale")
        self._widths = [scale * median for scale in SCALES]
        self._kernel_within, self._distance_within = _mean_of_pairs(self._kernel(within)), _mean_of_pairs(within)

    def measured(self, samples: Tensor) -> dict[str, float]:
        """`mmd`, which is MMD^2, and `energy_distance` of samples (M, D), M at least 2."""
        points = samples.double()
        within, between = _distances(points, points), _distances(points, self._held)
        mmd = self._kernel_within + _mean_of_pairs(self._kernel(within)) - 2 * self._kernel(between).mean()
        energy = 2 * between.mean() - _mean_of_pairs(within) - self._distance_within
        return {"mmd": float(mmd), "energy_distance": float(energy)}

    def _kernel(self, distances: Tensor) -> Tensor:
        squares = distances.square()
        parts = [torch.exp(squares / (-2 * width * width)) for width in self._widths]
        return torch.stack(parts).mean(0)


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances (M, N) of rows (M, D) and (N, D)."""
    squares = first.square().sum(1)[:, None] + second.square().sum(1)[None] - 2 * first @ second.T
    return squares.clamp_min(0).sqrt()


def _mean_of_pairs(values: Tensor) -> Tensor:
    """The mean over pairs of different examples of (N, N)."""
    count = len(values)
    return (values.sum() - values.diagonal().sum()) / (count * (count - 1))
