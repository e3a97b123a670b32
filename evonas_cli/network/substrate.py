"""Layers of neurons with coordinates, whose weights another network writes (HyperNEAT: Stanley et al., 2009).

    the network is asked (x1, y1, x2, y2) for each neuron of a layer and each of the next: its output is their weight o
    |o| <= threshold: no link; else the weight is sign(o) x (|o| - threshold) / (1 - threshold) x largest

So weights begin at 0 at the threshold and end at the largest where |o| = 1; outputs beyond count as 1. Each pair of
layers has two outputs of the network: one for weights, and one for the biases of the second layer, which is asked
(0, 0, x2, y2). Biases are links from the bias node, cut off and scaled as the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.network.neuron_values import outputs
from evonas_cli.network.neurons import Link, Neurons

Points: TypeAlias = tuple[tuple[float, float], ...]
"""x and y of each neuron of a layer."""
ORIGIN: Points = ((0.0, 0.0),)
"""Where the bias is."""


def square(side: int) -> Points:
    """A grid over [-1, 1]^2, row by row from y = -1, as the pixels of an image come; a single neuron is at (0, 0)."""
    steps = [(2 * n - (side - 1)) / max(1, side - 1) for n in range(side)]
    return tuple([(x, y) for y in steps for x in steps])


@dataclass(frozen=True)
class Substrate:
    """`layers` are the inputs, hidden layers and the outputs, each linked to the next one.

    `function` is that of hidden neurons; outputs are sums. Raises ValueError for fewer than two layers, an empty layer,
    and for two neurons of one layer at the same place.
    """

    layers: tuple[Points, ...]
    function: str
    threshold: float
    largest: float

    def __post_init__(self) -> None:
        if len(self.layers) < 2:
            raise ValueError(f"a substrate has two layers or more, not {len(self.layers)}")
        for number, points in enumerate(self.layers, start=1):
            if not points:
                raise ValueError(f"layer {number} has no neuron")
            doubled = [point for place, point in enumerate(points) if point in points[:place]]
            if doubled:
                raise ValueError(f"layer {number} has two neurons at {list(doubled[0])}; give each one its own place")

    @property
    def questions(self) -> int:
        """How many outputs the network that is asked has: two for each pair of layers."""
        return 2 * (len(self.layers) - 1)

    def written(self, network: Neurons) -> Neurons:
        """The neurons of all layers with the weights that a network of four inputs writes.

        Raises ValueError for a network of other numbers of inputs or outputs, and where an output is not finite.
        """
        if (network.n_inputs, network.n_outputs) != (4, self.questions):
            raise ValueError(f"the network that is asked has 4 inputs and {self.questions} outputs")
        n_inputs, n_outputs = len(self.layers[0]), len(self.layers[-1])
        links: list[Link] = []
        weights: list[float] = []
        first_source, first_target = 0, n_inputs + 1
        for pair, (sources, targets) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            found = self._scaled(_asked(network, 2 * pair, sources, targets))
            biases = self._scaled(_asked(network, 2 * pair + 1, ORIGIN, targets))[0]
            own = zip(found.T.tolist(), biases.tolist(), strict=True)
            for target, (column, bias) in enumerate(own, start=first_target):
                read = [*enumerate(column, start=first_source), (n_inputs, bias)]
                kept = sorted([(source, weight) for source, weight in read if weight])
                links += [(source, target) for source, _ in kept]
                weights += [weight for _, weight in kept]
            first_source, first_target = first_target, first_target + len(targets)
        hidden = sum(map(len, self.layers[1:-1]))
        functions = (*[self.function] * hidden, *["add"] * n_outputs)
        return Neurons(n_inputs, n_outputs, functions, tuple(links), tuple(weights))

    def _scaled(self, found: NDArray[Any]) -> NDArray[Any]:
        sizes = (np.minimum(np.abs(found), 1.0) - self.threshold) / (1.0 - self.threshold)
        return np.asarray(np.sign(found) * np.maximum(sizes, 0.0) * self.largest)


def _asked(network: Neurons, output: int, sources: Points, targets: Points) -> NDArray[Any]:
    """One of the outputs for each pair, (sources, targets)."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = outputs(network, _pairs(sources, targets))[:, output]
    if not np.isfinite(found).all():
        raise ValueError("the network writes weights that are not finite")
    return found.reshape(len(sources), len(targets))


@lru_cache(maxsize=16)
def _pairs(sources: Points, targets: Points) -> NDArray[np.float64]:
    """x and y of each source with those of each target, (sources x targets, 4); the same for all genomes of a space."""
    found = np.array([(*source, *target) for source in sources for target in targets])
    found.flags.writeable = False
    return found
