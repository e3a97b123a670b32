"""OTMANN: optimal-transport metrics for architectures of neural networks (Kandasamy et al., NASBOT, NeurIPS 2018).

Each layer has a mass, the work it does. The distance is the least cost of matching the masses of two networks
(`transport.py`): matching costs what the layers' labels differ in, and nu times the difference of their places in the
network; a unit of mass that is not matched costs 1. Constants are those of the authors' code.

- Masses: inputs times outputs of a layer; the channels of pooling; a tenth of that for linear layers in networks with
  convolutions. Input, output, and all linear layers before the output together, have a tenth of the others' sum each,
  and at least 100.
- Labels: 0 for equal ones; 0.1 sqrt(2 |k - k'|) for convolutions with kernels k and k', and 0.9 times that and 0.1 for
  a grouped beside a plain one; 0.5 between two kinds of pooling; 0.1 for functions of one family behind linear layers,
  0.25 for others.
- Places: the mean difference of a layer's path lengths from the input and to the output, the shortest, the longest and
  that of a random walk, counted in all layers and in those of each kind.

Kernel: alpha exp(-d / l) + (1 - alpha) exp(-d' / l'). d sums the distances for four nu, d' the squares of the distances
as shares of both networks' masses. The authors fit a length to each nu; here one serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.surrogates.gaussian_process import Array, Kernel
from evonas_cli.surrogates.layers import Layer, Layers, layers
from evonas_cli.surrogates.plans import TRIED, network, nominal_task, remembered
from evonas_cli.surrogates.transport import transported

NUS = (0.1, 0.25, 0.61, 1.5)
"""Weights of the difference of places, each of which gives a distance."""
FORBIDDEN = 7.65432e5
"""The cost of matching layers that have nothing in common."""
SHARE, LEAST = 0.1, 100.0
"""The mass of input, output and decision layers, as a share of the others' masses, and the least one."""
IN_CNN = 0.1
"""What the mass of a linear layer is multiplied by in networks with convolutions."""
POOLS_APART, FAMILY, OTHER = 0.5, 0.1, 0.25
COUNTED = ("convolution", "pooling", "linear")
"""Kinds of layers that are counted on paths, beside all layers."""
RECTIFIERS = ("relu", "gelu")
AT_ONCE = 128
"""Pairs of networks whose matchings are computed together."""
MOST_LAYERS = 40
"""Layers of a sample beyond which a space is refused: a pair of networks takes a time of about their cube."""
REMEMBERED = 400_000
"""Ordered pairs of genomes whose distances are kept in memory. A longer memory changes no result."""


@dataclass(frozen=True)
class Described:
    """A network's layers with their masses, (n,), and path lengths, (n, 2, 12), from the input and to the output."""

    labels: tuple[Layer, ...]
    masses: Array
    places: Array

    @cached_property
    def key(self) -> bytes:
        """Decides which network of a pair comes first, so that last bits do not depend on the order of a pair."""
        return repr(self.labels).encode() + self.masses.tobytes() + self.places.tobytes()


@dataclass(frozen=True, slots=True)
class Mixture:
    """alpha exp(-d / length) + (1 - alpha) exp(-d' / length'), on distances of shape (n, m, 2).

    The parameters are length, length' and alpha.
    """

    lengths: tuple[float, ...] = (0.125, 0.5, 2.0, 8.0)
    shares: tuple[float, ...] = (0.0, 0.5, 1.0)

    def grid(self, distances: Array) -> Sequence[tuple[float, ...]]:
        """Multiples of the medians of the positive distances."""
        raw, normalised = (self._lengths(distances[..., axis]) for axis in (0, 1))
        found = [(one, other, share) for share in self.shares for one in raw for other in normalised]
        return [one for one in found if self._needed(one, raw[0], normalised[0])]

    def covariance(self, distances: Array, parameters: tuple[float, ...]) -> Array:
        """As in `Kernel`."""
        length, other, share = parameters
        covariance: Array = share * np.exp(distances[..., 0] / -length)
        covariance += (1.0 - share) * np.exp(distances[..., 1] / -other)
        return covariance

    def _lengths(self, distances: Array) -> list[float]:
        positive = distances[distances > 0]
        middle = float(np.median(positive)) if positive.size else 1.0
        return [middle * length for length in self.lengths]

    @staticmethod
    def _needed(parameters: tuple[float, ...], raw: float, normalised: float) -> bool:
        """Whether the parameters differ from others in more than the length of a part that has no share."""
        length, other, share = parameters
        return not ((share == 0 and length != raw) or (share == 1 and other != normalised))


class Otmann:
    """The sums over nu of the distances, and of the squares of the normalised distances: shape (n, m, 2).

    Raises UsageError for a space with layers whose labels have no cost, whose networks are too large, or whose samples
    are all alike.
    """

    definite = False
    kernel: Kernel = Mixture()

    def __init__(self, space: Any) -> None:
        task = nominal_task(space)

        def described(genome: Any) -> Described:
            found = network(space, genome, task)
            return Described((), np.zeros(0), np.zeros((0, 2, 12))) if found is None else describe(layers(found.plan))

        self._describe = remembered(described)
        self._known: dict[tuple[Any, Any], tuple[float, float]] = {}
        rng = stream(0, "otmann")
        samples = [space.sample(rng) for _ in range(TRIED)]
        largest = max(len(self._describe(genome).labels) for genome in samples)
        if largest > MOST_LAYERS:
            raise UsageError(f"a network of {type(space).__name__} has {largest} layers, more than the {MOST_LAYERS} "
                             "that otmann matches in bearable time; choose another kernel")  # fmt: skip
        if not any(self.between(samples[:1], [sample]).any() for sample in samples):
            raise UsageError(f"the networks of {type(space).__name__} are all alike in their layers; "
                             "choose another kernel")  # fmt: skip

    def between(self, first: Sequence[Any], second: Sequence[Any]) -> Array:
        """As in `Distance`. Pairs seen before are remembered."""
        if len(self._known) > REMEMBERED:
            self._known.clear()
        new: dict[tuple[Any, Any], None] = {}
        for a in first:
            for b in second:
                if a != b and (a, b) not in self._known and (b, a) not in new:
                    new[a, b] = None
        found = distances([(self._describe(a), self._describe(b)) for a, b in new])
        for (a, b), row in zip(new, found.tolist(), strict=True):
            self._known[a, b] = self._known[b, a] = row[0], row[1]
        apart = [[(0.0, 0.0) if a == b else self._known[a, b] for b in second] for a in first]
        return np.array(apart).reshape(len(first), len(second), 2)


def describe(network: Layers) -> Described:
    """Labels, masses and places of a network's layers."""
    decisions = [layer for layer in network.sources[-1] if network.layers[layer].kind == "linear"]
    labels = [
        replace(layer, kind="decision") if place in decisions else layer for place, layer in enumerate(network.layers)
    ]
    convolutional = any(layer.kind == "convolution" for layer in labels)
    masses = np.array([_work(layer, convolutional) for layer in labels])
    outer = max(SHARE * float(masses.sum()), LEAST)
    masses[[0, -1]] = outer
    masses[decisions] = outer / max(1, len(decisions))
    readers: list[list[int]] = [[] for _ in labels]
    for reader, sources in enumerate(network.sources):
        for source in sources:
            readers[source].append(reader)
    counted = np.array([[1.0, *[kind in layer.kind for kind in COUNTED]] for layer in network.layers])
    forward, backward = range(len(labels)), range(len(labels) - 1, -1, -1)
    places = [_lengths(counted, network.sources, forward), _lengths(counted, readers, backward)]
    return Described(tuple(labels), masses, np.stack(places, axis=1).reshape(len(labels), 2, -1))


def distances(pairs: Sequence[tuple[Described, Described]]) -> Array:
    """(pairs, 2): the sums over nu of the distances, and of the squares of their shares of both networks' masses."""
    found = np.zeros((len(pairs), 2))
    groups: dict[tuple[int, int], list[int]] = {}
    turned = [(a, b) if a.key <= b.key else (b, a) for a, b in pairs]
    for place, (a, b) in enumerate(turned):
        groups.setdefault((len(a.labels), len(b.labels)), []).append(place)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            part = group[start : start + AT_ONCE]
            found[part] = _together([turned[place] for place in part])
    return found


def _together(pairs: Sequence[tuple[Described, Described]]) -> Array:
    """As `distances`, of pairs whose networks have as many layers each."""
    labels = np.stack([_mismatches(a.labels, b.labels) for a, b in pairs])
    first, second = (np.stack([pair[side].masses for pair in pairs]) for side in (0, 1))
    ours, theirs = (np.stack([pair[side].places for pair in pairs]) for side in (0, 1))
    apart = np.abs(ours[:, :, None] - theirs[:, None]).mean(-1).mean(-1)
    costs = np.concatenate([labels + nu * apart for nu in NUS])
    least = transported(costs, np.tile(first, (len(NUS), 1)), np.tile(second, (len(NUS), 1))).reshape(len(NUS), -1)
    total = first.sum(1) + second.sum(1)
    shares = np.divide(least, total, out=np.zeros_like(least), where=total > 0)
    return np.stack([least.sum(0), (shares**2).sum(0)], axis=1)


def _work(layer: Layer, convolutional: bool) -> float:
    """The mass of a layer; 0 for the input and the output."""
    if layer.kind.endswith("pooling"):
        return float(layer.given)
    linear = layer.kind == "linear" and convolutional
    return 0.0 if layer.kind == "decision" else float(layer.given * layer.made) * (IN_CNN if linear else 1.0)


def _lengths(counted: Array, before: Sequence[Sequence[int]], order: Sequence[int]) -> Array:
    """(n, 3, kinds): the shortest, the longest and a random walk's length of the paths that end at each layer."""
    found = np.zeros((len(counted), 3, counted.shape[1]))
    for layer in order:
        if before[layer]:
            ways = found[list(before[layer])]
            found[layer] = np.stack([ways[:, 0].min(0), ways[:, 1].max(0), ways[:, 2].mean(0)]) + counted[layer]
    return found


def _mismatches(first: Sequence[Layer], second: Sequence[Layer]) -> Array:
    return np.array([[mismatch(a, b) for b in second] for a in first])


@lru_cache(1 << 16)
def mismatch(first: Layer, second: Layer) -> float:
    """What two layers' labels differ in."""
    if first.kind != second.kind:
        return POOLS_APART if first.kind.endswith("pooling") and second.kind.endswith("pooling") else FORBIDDEN
    if first.kind == "convolution":
        cost = 0.1 * float(np.sqrt(2.0 * abs(first.kernel - second.kernel)))
        return cost if first.grouped == second.grouped else 0.9 * cost + 0.1
    if first.activation == second.activation:
        return 0.0
    return FAMILY if (first.activation in RECTIFIERS) == (second.activation in RECTIFIERS) else OTHER
