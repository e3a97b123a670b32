"""The magnitude of units: the norm of the weights that make them (Li et al., "Pruning Filters for Efficient ConvNets",
ICLR 2017, who sum absolute weights; here the norm is the Euclidean one)."""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.compression.removal import Weights
from evonas_cli.compression.units import Layer, Units
from evonas_cli.network.plan import Plan


def norms(plan: Plan, weights: Weights, units: Units, layer: Layer) -> Tensor:
    """The norm of each unit of a layer, (n,) float64: over the weights of all channels that go together, no biases."""
    place = {unit: n for n, unit in enumerate(layer.units)}
    squares = torch.zeros(len(place), dtype=torch.float64)
    for index in layer.nodes:
        weight = weights[f"layers.{index}_{plan.nodes[index].op}.weight"].double().cpu()
        for channel, unit in enumerate(units.of[index]):
            if unit in place:
                squares[place[unit]] += weight[channel].square().sum()
    return squares.sqrt()
