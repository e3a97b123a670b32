"""An LSTM that reads the first losses of a training and predicts the last one: the Meta-LSTM of Rawal and Miikkulainen
(arXiv 1803.04439, 2018), there after 10 of 40 epochs.

Sizes and training are ours: one layer of 8 units, which reads one loss a step; the last h gives the final loss minus
the last one that was read, so that an untrained network says that nothing changes. Losses are standardised. Squared
error, Adam (Kingma and Ba, 2015) with a rate of 0.02 over all curves at once. Each fifth curve is held out; the root of
the mean squared error on these is the deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas_cli.surrogates.gaussian_process import Array

UNITS, RATE, HELD_OUT = 8, 0.02, 5
DECAYS, EPSILON = (0.9, 0.999), 1e-8
LEAST_CURVES = 10
"""Finished trainings that the network needs at least."""
Step = tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class CurveLstm:
    """Trained weights, and the deviation of predictions in the unit of the losses."""

    weights: tuple[Array, ...]
    shift: float
    scale: float
    deviation: float

    def predict(self, losses: Sequence[float]) -> float:
        """The final loss of a training whose first losses are these, as many as those that were learned from."""
        return float(_predicted(self.weights, np.array([losses], dtype=float), self.shift, self.scale)[0])


def trained(curves: Sequence[Sequence[float]], finals: Sequence[float], epochs: int = 100) -> CurveLstm:
    """The network after so many epochs over curves of one length with their final losses, always with the same draws.

    Raises ValueError for fewer than LEAST_CURVES curves.
    """
    if len(curves) < LEAST_CURVES:
        raise ValueError(f"{len(curves)} curves; the network needs {LEAST_CURVES}")
    every, ends = np.array(curves, dtype=float), np.array(finals, dtype=float)
    held = np.arange(len(every)) % HELD_OUT == HELD_OUT - 1
    seen, wanted = every[~held], ends[~held]
    shift, scale = float(seen.mean()), float(seen.std()) or 1.0
    weights = _drawn()
    first, second = [np.zeros_like(part) for part in weights], [np.zeros_like(part) for part in weights]
    inputs, targets = (seen - shift) / scale, (wanted - seen[:, -1]) / scale
    for step in range(1, epochs + 1):
        rate = RATE * np.sqrt(1 - DECAYS[1] ** step) / (1 - DECAYS[0] ** step)
        for place, slope in enumerate(slopes(weights, inputs, targets)):
            first[place] += (1 - DECAYS[0]) * (slope - first[place])
            second[place] += (1 - DECAYS[1]) * (slope * slope - second[place])
            weights[place][...] -= rate * first[place] / (np.sqrt(second[place]) + EPSILON)
    errors = _predicted(weights, every[held], shift, scale) - ends[held]
    return CurveLstm(weights, shift, scale, float(np.sqrt(np.mean(errors * errors))))


def _drawn() -> tuple[Array, ...]:
    """From the input, (1, 4 units), and from h, (units, 4 units); biases; to the output, (units,), which are zeros."""
    draws, bound = np.random.RandomState(0), UNITS**-0.5
    shapes = ((1, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
    return (*[draws.uniform(-bound, bound, shape) for shape in shapes], np.zeros(UNITS))


def _predicted(weights: Sequence[Array], losses: Array, shift: float, scale: float) -> Array:
    steps = _forward(weights, (losses - shift) / scale)
    predicted: Array = losses[:, -1] + scale * (steps[-1][-1] @ weights[3])
    return predicted


def _forward(weights: Sequence[Array], inputs: Array) -> list[Step]:
    """Of each step: h and c before it, the gates (input, forget, output), the candidate, and c and h after it."""
    h, c = np.zeros((len(inputs), UNITS)), np.zeros((len(inputs), UNITS))
    steps: list[Step] = []
    for column in inputs.T:
        total = column[:, None] @ weights[0] + h @ weights[1] + weights[2]
        gates = 1 / (1 + np.exp(-total[:, : 3 * UNITS]))
        i, f, o = np.split(gates, 3, axis=1)
        g = np.tanh(total[:, 3 * UNITS :])
        before = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((*before, i, f, o, g, c, h))
    return steps


def slopes(weights: Sequence[Array], inputs: Array, targets: Array) -> list[Array]:
    """The gradient of the mean squared error with respect to each of the weights, by backpropagation through time.

    `inputs` are n curves of t standardised losses, (n, t), `targets` the changes from the last one of each, (n,).
    """
    steps = _forward(weights, inputs)
    slope = 2 * (steps[-1][-1] @ weights[3] - targets) / len(targets)
    found = [np.zeros_like(part) for part in weights[:3]]
    to_h, to_c = slope[:, None] * weights[3], np.zeros((len(inputs), UNITS))
    for column, (h, c, i, f, o, g, after, _) in zip(inputs.T[::-1], steps[::-1], strict=True):
        squashed = np.tanh(after)
        to_c = to_c + to_h * o * (1 - squashed * squashed)
        parts = (to_c * g * i * (1 - i), to_c * c * f * (1 - f), to_h * squashed * o * (1 - o), to_c * i * (1 - g * g))
        total = np.concatenate(parts, axis=1)
        found[0] += column[None] @ total
        found[1] += h.T @ total
        found[2] += total.sum(axis=0)
        to_h, to_c = total @ weights[1].T, to_c * f
    return [*found, steps[-1][-1].T @ slope]
