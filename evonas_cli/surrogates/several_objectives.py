"""Acquisition for several objectives: expected hypervolume improvement, and random scalarization. Losses are minimised.

Expected hypervolume improvement (Emmerich, 2005) for independent normal objectives, exactly. A point y adds the volume
of all z with y <= z <= reference that no member of the front dominates, so that the expectation is the integral of
P(Y <= z) = prod_j Phi((z_j - mean_j) / deviation_j) over the region that is not dominated. The coordinates of the front
cut this region into boxes, and on a box the integral is a product of one-dimensional ones:
int Phi((z - mean) / deviation) dz = deviation (t Phi(t) + phi(t)), t = (z - mean) / deviation.

Scalarization (ParEGO; Knowles, IEEE TEC 2006, eq. 2): the augmented Tchebycheff norm of the losses, each in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from random import Random

import numpy as np
from scipy.special import ndtr

from evonas_cli.core.pareto import Front
from evonas_cli.surrogates.acquisition import CERTAIN, density
from evonas_cli.surrogates.gaussian_process import Array

MOST_OBJECTIVES = 3
"""Above this the boxes, of which there are (members + 1)^objectives, are too many."""
AUGMENTATION = 0.05
"""The weight of the sum beside the maximum, as in ParEGO."""


def expected_hypervolume_improvement(
    means: Array, deviations: Array, front: Sequence[Sequence[float]], reference: Sequence[float]
) -> Array:
    """For m candidates, from means and deviations of shape (m, objectives), in the product of the losses' units.

    `front` has losses, of which dominated ones and those not below the `reference` add nothing.
    """
    members = _members(front, reference)
    edges = [np.unique([*[member[axis] for member in members], end]) for axis, end in enumerate(reference)]
    strips = [_strips(means[:, axis], deviations[:, axis], cuts) for axis, cuts in enumerate(edges)]
    total = np.zeros(len(means))
    for box in product(*[range(len(cuts)) for cuts in edges]):
        upper = [cuts[index] for cuts, index in zip(edges, box, strict=True)]
        if not any(all(low < high for low, high in zip(member, upper, strict=True)) for member in members):
            total += np.prod([strip[:, index] for strip, index in zip(strips, box, strict=True)], axis=0)
    return total


def _members(front: Sequence[Sequence[float]], reference: Sequence[float]) -> list[tuple[float, ...]]:
    kept = Front()
    for id, losses in enumerate(front):
        if all(loss < end for loss, end in zip(losses, reference, strict=True)):
            kept.add(id, losses)
    return [point.losses for point in kept.members]


def _strips(mean: Array, deviation: Array, cuts: Array) -> Array:
    """int Phi((z - mean) / deviation) dz up to the first cut and between the cuts, shape (m, cuts)."""
    sure = deviation[:, None] <= CERTAIN
    z = cuts[None, :] - mean[:, None]
    t = z / np.where(sure, 1.0, deviation[:, None])
    below = np.where(sure, np.maximum(z, 0.0), deviation[:, None] * (t * ndtr(t) + density(t)))
    return np.maximum(np.diff(below, axis=1, prepend=0.0), 0.0)


def scalarized(losses: Array, weights: Sequence[float]) -> Array:
    """The augmented Tchebycheff norm of losses of shape (n, objectives), which are first brought into [0, 1]."""
    low = losses.min(axis=0)
    span = losses.max(axis=0) - low
    terms = (losses - low) / np.where(span > 0, span, 1.0) * np.array(weights)
    norm: Array = terms.max(axis=1) + AUGMENTATION * terms.sum(axis=1)
    return norm


def random_weights(count: int, rng: Random) -> list[float]:
    """Not negative, of sum 1, uniform over these."""
    drawn = [rng.expovariate(1.0) for _ in range(count)]
    return [weight / sum(drawn) for weight in drawn]
