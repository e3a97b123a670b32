"""The edit distance between networks of AutoKeras (Jin, Song and Hu, KDD 2019, section 3.1).

    d = D_layers + D_skips

A network is a chain of layers, here a longest path, and skips between them. D_layers is the least cost of editing one
chain into the other (Wagner and Fischer, 1974): an inserted or deleted layer costs 1, as does one of another kind in
its place, and one of the same kind the mean relative gap of their numbers. D_skips is that of the best matching: a pair
of skips of one kind costs the gaps of their starts and lengths, as a share of the largest start and length; skips of
two kinds, or one without a partner, cost 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import linear_sum_assignment

from evonas_cli.surrogates.gaussian_process import Array
from evonas_cli.surrogates.layers import Layer, Layers

REMEMBERED = 1 << 16
"""Pairs of chains whose distances are kept in memory. A longer memory changes no result."""
Skip = tuple[int, int, str]
"""The place in the chain where a skip starts, how many layers it spans, and the operation by which it joins."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A network as this distance sees it: layers from the input to the output without these two, and skips.

    Chains are compared by identity, so that remembered distances are found at once.
    """

    layers: tuple[Layer, ...] = ()
    skips: tuple[Skip, ...] = ()


def chain(network: Layers) -> Chain:
    """A longest path, of equal ones that through later layers, and the skips beside it. A way around the chain through
    other layers is a skip, too."""
    depth = [0] * len(network.layers)
    for layer, sources in enumerate(network.sources):
        depth[layer] = max([1 + depth[source] for source in sources], default=0)
    path = [len(depth) - 1]
    while network.sources[path[-1]]:
        path.append(max(network.sources[path[-1]], key=lambda source: (depth[source], source)))
    place = {layer: index for index, layer in enumerate(reversed(path))}
    begun: list[set[int]] = []
    skips: set[Skip] = set()
    for layer, (sources, joins) in enumerate(zip(network.sources, network.joins, strict=True)):
        begun.append({place[layer]} if layer in place else set().union(*[begun[source] for source in sources]))
        if layer in place:
            at = place[layer]
            ways = [(start, join) for source, join in zip(sources, joins, strict=True) for start in begun[source]]
            skips.update((start, at - start, join) for start, join in ways if start < at - 1)
    inner = [network.layers[layer] for layer in reversed(path)][1:-1]
    return Chain(tuple([replace(layer, given=0) for layer in inner]), tuple(sorted(skips)))


@lru_cache(REMEMBERED)
def edit_distance(first: Chain, second: Chain) -> float:
    """How far two networks are from each other: 0 for equal ones, symmetric, and with the triangle inequality."""
    return _of_layers(first.layers, second.layers) + _of_skips(first.skips, second.skips)


def _of_layers(first: Sequence[Layer], second: Sequence[Layer]) -> float:
    row = [float(count) for count in range(len(second) + 1)]
    for count, layer in enumerate(first, 1):
        above, row = row, [float(count)]
        for place, other in enumerate(second):
            row.append(min(above[place + 1] + 1, row[place] + 1, above[place] + _replaced(layer, other)))
    return row[-1]


def _replaced(first: Layer, second: Layer) -> float:
    """The mean relative gap of what two layers of one kind make, of their kernels and of their strides."""
    if (first.kind, first.grouped) != (second.kind, second.grouped):
        return 1.0
    made = 0.0 if first.kind.endswith("pooling") else _gap(first.made, second.made)
    return (made + _gap(first.kernel, second.kernel) + _gap(first.stride, second.stride)) / 3


def _gap(first: float, second: float) -> float:
    return abs(first - second) / max(first, second) if first != second else 0.0


def _of_skips(first: Sequence[Skip], second: Sequence[Skip]) -> float:
    if not first or not second:
        return float(len(first) + len(second))
    costs: Array = np.array([[_moved(one, other) for other in second] for one in first])
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()) + abs(len(first) - len(second))


def _moved(first: Skip, second: Skip) -> float:
    if first[2] != second[2]:
        return 1.0
    gaps = abs(first[0] - second[0]) + abs(first[1] - second[1])
    return gaps / (max(first[0], second[0]) + max(first[1], second[1]))
