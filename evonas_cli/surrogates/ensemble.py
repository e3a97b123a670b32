"""An ensemble of small networks that predicts losses, as in BANANAS (White, Neiswanger and Savani, AAAI 2021).

The constants are those of the authors' code (naszilla): five fully connected networks of ten hidden layers of 20 units
with ReLU, mean absolute error, Adam (Kingma and Ba, 2015) with a rate of 0.01, 150 epochs, batches of 32, weights drawn
by Glorot and Bengio (2010). The members differ in their weights and in the order of their batches. Beside the authors'
code: losses are standardised.

All members are trained at once: arrays begin with the axis of members.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

from evonas_cli.surrogates.gaussian_process import Array

MEMBERS, DEPTH, WIDTH = 5, 10, 20
BATCH, RATE = 32, 0.01
DECAYS, EPSILON = (0.9, 0.999), 1e-7
"""Adam's decays and the number in its denominator, the defaults of Keras."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """`layers` has weights, (members, in, out), and biases, (members, 1, out), of each layer."""

    layers: list[tuple[Array, Array]]
    shift: float
    scale: float

    def predict(self, features: Array) -> Array:
        """(members, m) predicted losses of m rows of features."""
        predicted: Array = _forward(self.layers, features[None])[-1][..., 0] * self.scale + self.shift
        return predicted

    def moments(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation over the members, each (m,)."""
        predicted = self.predict(features)
        return predicted.mean(axis=0), predicted.std(axis=0)


def train(features: Array, losses: Array, rng: Random, epochs: int = 150) -> Ensemble:
    """The ensemble after its epochs over n rows of features, (n, f), with their losses, (n,)."""
    # The draws of RandomState are the same with every version of numpy, those of newer generators may change.
    draws = np.random.RandomState(rng.getrandbits(32))
    shift, scale = float(losses.mean()), float(losses.std()) or 1.0
    targets = ((losses - shift) / scale)[:, None]
    sizes = [features.shape[1], *[WIDTH] * DEPTH, 1]
    parameters, layers = _views(sizes)
    for weights, _ in layers:
        bound = np.sqrt(6.0 / (weights.shape[1] + weights.shape[2]))
        weights[:] = draws.uniform(-bound, bound, weights.shape)
    gradient, slopes = _views(sizes)
    first, second, step = np.zeros_like(parameters), np.zeros_like(parameters), 0
    for _ in range(epochs):
        order = np.stack([draws.permutation(len(features)) for _ in range(MEMBERS)])
        for start in range(0, len(features), BATCH):
            rows, step = order[:, start : start + BATCH], step + 1
            _backward(layers, slopes, _forward(layers, features[rows]), targets[rows])
            first += (1 - DECAYS[0]) * (gradient - first)
            second += (1 - DECAYS[1]) * (gradient * gradient - second)
            rate = RATE * np.sqrt(1 - DECAYS[1] ** step) / (1 - DECAYS[0] ** step)
            parameters -= rate * first / (np.sqrt(second) + EPSILON)
    return Ensemble(layers, shift, scale)


def _views(sizes: list[int]) -> tuple[Array, list[tuple[Array, Array]]]:
    """One vector of zeros, and the weights and biases of all layers as parts of it."""
    shapes = [(MEMBERS, rows, width) for before, width in pairwise(sizes) for rows in (before, 1)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    vector = np.zeros(ends[-1])
    parts = [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]
    return vector, list(zip(parts[::2], parts[1::2], strict=True))


def _forward(layers: list[tuple[Array, Array]], inputs: Array) -> list[Array]:
    """The inputs and the outputs of each layer; the last one is linear."""
    outputs = [inputs]
    for number, (weights, biases) in enumerate(layers, 1):
        x = outputs[-1] @ weights
        x += biases
        outputs.append(x if number == len(layers) else np.maximum(x, 0.0, out=x))
    return outputs


def _backward(
    layers: list[tuple[Array, Array]], slopes: list[tuple[Array, Array]], outputs: list[Array], targets: Array
) -> None:
    """Writes the gradient of each member's mean absolute error into the slopes."""
    slope = np.sign(outputs[-1] - targets) / targets.shape[1]
    for number in range(len(layers) - 1, -1, -1):
        np.matmul(outputs[number].transpose(0, 2, 1), slope, out=slopes[number][0])
        np.sum(slope, axis=1, keepdims=True, out=slopes[number][1])
        if number:
            slope = slope @ layers[number][0].transpose(0, 2, 1)
            slope *= outputs[number] > 0
