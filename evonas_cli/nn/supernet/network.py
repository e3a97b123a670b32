"""A supernet as a torch module: the network of one path, or a mixture of all operations, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn

from evonas_cli.network.relaxed import Active, Gate, Path, Superplan
from evonas_cli.nn.resolve import builder
from evonas_cli.nn.supernet.norm import PathNorm, Statistics

PATHS = 4096
"""Paths whose live nodes are remembered."""
TINY = 1e-12
"""What a sum of shares counts as where all of them are 0."""


class Supernet(nn.Module):
    """(batch, *input shape) to (batch, outputs), float32.

    Weights are drawn from `generator`, a CPU generator, in the order of the plan's nodes. Layers are named by node,
    `layers.<index>_<operation>`. Batch normalisation has no weights (`nn/supernet/norm.py`).
    """

    def __init__(self, superplan: Superplan, generator: torch.Generator) -> None:
        super().__init__()
        self.superplan, plan = superplan, superplan.plan
        self.layers = nn.ModuleDict()
        self._layer_of: list[nn.Module | None] = [None]
        for index, node in enumerate(plan.nodes[1:], start=1):
            layer: nn.Module | None = None
            if node.op == "batch_norm":
                layer = PathNorm()
            elif index not in superplan.mixtures and index not in superplan.gates:
                layer = builder(node.op)(plan.input_shapes(node), dict(node.params), generator)
            self._layer_of.append(layer)
            if layer is not None:
                self.layers[f"{index}_{node.op}"] = layer
        self._live, self._live_mixture = lru_cache(PATHS)(superplan.live), lru_cache(PATHS)(superplan.live_mixture)

    def path(self, x: Tensor, path: Path) -> Tensor:
        """The outputs of the network of a path."""
        values, live = {0: x}, self._live(path)
        for index, sources in live.items():
            if index == 0:
                continue
            if index in self.superplan.mixtures or index in self.superplan.gates:
                values[index] = values[sources[0]]
            else:
                values[index] = self._computed(index, sources, values, x)
        return values[self.superplan.plan.output]

    def mixture(self, x: Tensor, shares: Sequence[Tensor], active: Active | None = None) -> Tensor:
        """The outputs where each edge adds its operations, each times its share: `shares` has (operations,) an edge.

        What passes a gate is multiplied by the probability that the gate is open (`Gate`). With a share of 1 for one
        operation of each edge and 0 for the others the outputs are those of `path`. Only `active` operations are
        computed, as if the shares of the others were 0; None: all.
        """
        values = {0: x}
        live = self._live_mixture(active)
        for index, sources in live.items():
            if index == 0:
                continue
            mixture, gate = self.superplan.mixtures.get(index), self.superplan.gates.get(index)
            if gate is not None:
                values[index] = _open(gate, shares, x) * values[sources[0]]
                continue
            if mixture is None:
                values[index] = self._computed(index, sources, values, x)
                continue
            share = shares[mixture.edge]
            places = {branch: place for place, branch in enumerate(mixture.branches)}
            terms = [share[places[source]] * values[source] for source in sources]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            values[index] = total
        return values[self.superplan.plan.output]

    def _computed(self, index: int, sound: Sequence[int], values: dict[int, Tensor], x: Tensor) -> Tensor:
        """The value of a node that is no mixture; inputs that have no value are zeros."""
        plan = self.superplan.plan
        node, layer = plan.nodes[index], self._layer_of[index]
        sources = sound if node.op == "add" else node.inputs
        given = [
            values[source] if source in values else x.new_zeros(len(x), *plan.shapes[source]) for source in sources
        ]
        assert layer is not None
        value: Tensor = layer(*given)
        return value

    @property
    def norms(self) -> list[PathNorm]:
        """All normalisations."""
        return [layer for layer in self.layers.values() if isinstance(layer, PathNorm)]

    @contextmanager
    def statistics(self, statistics: Statistics) -> Iterator[None]:
        """Normalises so inside; `measure` begins the averages anew."""
        for norm in self.norms:
            if statistics == "measure":
                norm.forget()
            norm.statistics = statistics
        try:
            yield
        finally:
            for norm in self.norms:
                norm.statistics = "batch"


def _open(gate: Gate, shares: Sequence[Tensor], like: Tensor) -> Tensor:
    """The probability that a gate is open, a scalar. Shares that are no distribution, such as switches, count by their
    absolute values over the sum of these."""
    found = like.new_ones(())
    for edge, operations in gate.closing:
        weights = shares[edge].abs()
        found = found * (1.0 - weights[list(operations)].sum() / weights.sum().clamp_min(TINY))
    return found
