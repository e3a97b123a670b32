"""Pruning of a network to a sparsity: which units go, in which order, and what happens between.

Every layer loses the same share of its units, so that methods are compared at equal size. By Shapley values the least
worthy tenth goes in each round, after which the values of those that are left are estimated anew; by magnitude and at
random all go at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from evonas_cli.compression.coalitions import SCORES, Coalitions
from evonas_cli.compression.magnitude import norms
from evonas_cli.compression.removal import removed
from evonas_cli.compression.shapley import values
from evonas_cli.compression.statistics import refresh
from evonas_cli.compression.units import Layer, Units, units_of
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network

METHODS = ("shapley", "magnitude", "random")
ROUND = 0.1
"""The share of a layer's units that goes in a round of pruning by Shapley values."""


@dataclass(frozen=True)
class Pruning:
    """How a network is pruned: by one of METHODS to a `sparsity` in [0, 1), the share of units that each layer loses.

    `permutations` orders are drawn for each estimate of Shapley values, whose payoff is measured on at most `examples`
    of the validation part. `seed` decides what is drawn. Raises UsageError for values out of range.
    """

    method: str
    sparsity: float
    permutations: int = 30
    examples: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UsageError(f"--prune is {self.method!r}; it must be one of {', '.join(METHODS)}")
        if not 0 <= self.sparsity < 1:
            raise UsageError(f"--sparsity is {self.sparsity:g}; it must be at least 0 and below 1")
        for name in ("permutations", "examples"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} is {getattr(self, name)}; it must be 1 or more")


def targets(plan: Plan, sparsity: float) -> dict[tuple[int, ...], int]:
    """How many units of each layer are left, by the layer's nodes.

    Raises UsageError for a plan without a layer that can be pruned, and for a layer that would lose all its units.
    """
    units = units_of(plan)
    if not units.layers:
        reason = next((f": {plan.nodes[node].op} {node} stays, since {why}" for node, why in units.whole.items()), "")
        raise UsageError(f"the network has no layer that can be pruned{reason}")
    left = {}
    for layer in units.layers:
        count = len(layer.units)
        left[layer.nodes] = count - round(sparsity * count)
        if not left[layer.nodes]:
            raise UsageError(
                f"--sparsity {sparsity:g} would prune all {count} unit{'s' if count > 1 else ''} of "
                f"{layer.named(plan)}; "
                + (f"at most {(count - 1) / count:.2g} leaves one" if count > 1 else "leave --prune out")
            )
    return left


def prune(network: Network, how: Pruning, data: Resident, tell: Callable[[str], None] = lambda text: None) -> Network:
    """The smaller network, in evaluation mode on the device of the data; the given one is not changed.

    `tell` hears a line for each round. Statistics of batch normalisation are refreshed after each removal
    (`statistics.refresh`). Raises UsageError as `targets`.
    """
    left = targets(network.plan, how.sparsity)
    network = copied(network, data)
    count = 0
    while True:
        units = units_of(network.plan)
        due = {layer: _going(layer, left[layer.nodes], how.method) for layer in units.layers}
        if not any(due.values()):
            return network
        count += 1
        worth = _worth(network, units, [layer for layer, number in due.items() if number], how, data, count)
        gone = [
            layer.units[place]
            for layer, number in due.items()
            if number
            for place in worth[layer.nodes].argsort(stable=True)[:number].tolist()
        ]
        network = rebuilt(*removed(network.plan, network.state_dict(), units, gone), data)
        refresh(network, data)
        if how.method == "shapley":
            tell(f"round {count}: {sum(len(layer.units) for layer in units_of(network.plan).layers)} units left")


def _going(layer: Layer, left: int, method: str) -> int:
    """How many units of a layer go now."""
    over = len(layer.units) - left
    return min(over, ceil(ROUND * len(layer.units))) if method == "shapley" else over


def _worth(
    network: Network, units: Units, layers: Sequence[Layer], how: Pruning, data: Resident, count: int
) -> Mapping[tuple[int, ...], Tensor]:
    """A number for each unit of the layers, by the layer's nodes; those with the least go first."""
    generator = torch.Generator().manual_seed(derive(how.seed, "prune", count))
    if how.method == "random":
        return {layer.nodes: torch.randperm(len(layer.units), generator=generator) for layer in layers}
    if how.method == "magnitude":
        return {layer.nodes: norms(network.plan, network.state_dict(), units, layer) for layer in layers}
    x, y = drawn_validation(data, how)
    score = SCORES[data.task.kind]
    return {
        layer.nodes: values(
            Coalitions(network, units, layer, x, y, score), len(layer.units), how.permutations, generator
        )
        for layer in layers
    }


def drawn_validation(data: Resident, how: Pruning) -> tuple[Tensor, Tensor]:
    """The examples of the validation part, normalised, on which payoffs are measured, and their targets."""
    parts = list(data.batches("valid", 1024))
    x, y = torch.cat([part for part, _ in parts]), torch.cat([part for _, part in parts])
    if len(x) <= how.examples:
        return x, y
    generator = torch.Generator().manual_seed(derive(how.seed, "payoff"))
    chosen = torch.randperm(len(x), generator=generator)[: how.examples].sort().values.to(x.device)
    return x[chosen], y[chosen]


def rebuilt(plan: Plan, weights: Mapping[str, Tensor], data: Resident) -> Network:
    """A network of the plan with these weights, in evaluation mode on the device of the data."""
    network = Network(plan, torch.Generator())
    network.load_state_dict(dict(weights))
    return network.to(data.device).eval()


def copied(network: Network, data: Resident) -> Network:
    """A copy on the device of the data, in evaluation mode."""
    return rebuilt(network.plan, network.state_dict(), data)
