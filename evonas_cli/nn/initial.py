"""Initial weights other than those that layers draw for themselves (network/initialisations.py)."""

from __future__ import annotations

from math import prod, sqrt

import torch
from torch import Tensor, nn

from evonas_cli.network.initialisations import Initialisation, initialisation_of
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network


def initial(plan: Plan, seed: int, initialisation: str) -> Network:
    """The plan's network with initial weights from a seed. Raises ValueError for a text that is no initialisation."""
    generator = torch.Generator().manual_seed(seed)
    network, how = Network(plan, generator), initialisation_of(initialisation)
    if how is not None:
        redraw(network, how, generator)
    return network


@torch.no_grad()
def redraw(network: Network, how: Initialisation, generator: torch.Generator) -> None:
    """Draws the weights of convolutions and linear layers anew, in the order of the network's layers.

    `generator` is a CPU generator. The output's layer is the last of these; biases become 0.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for layer in layers:
        gain = how.output_gain if layer is layers[-1] else how.gain
        _draw(layer.weight, _groups(layer), gain, how, generator)
        if layer.bias is not None:
            layer.bias.zero_()


def _groups(layer: nn.Module) -> int:
    return layer.groups if isinstance(layer, nn.Conv2d) else 1


def _draw(weight: Tensor, groups: int, gain: float, how: Initialisation, generator: torch.Generator) -> None:
    """Weights (out, in / groups, ...) with standard deviation gain / sqrt(fan)."""
    area = prod(weight.shape[2:])
    fan_in, fan_out = weight.shape[1] * area, weight.shape[0] // groups * area
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    deviation = gain / sqrt(fans[how.fan])
    if how.distribution == "normal":
        weight.normal_(0, deviation, generator=generator)
    elif how.distribution == "uniform":
        weight.uniform_(-deviation * sqrt(3), deviation * sqrt(3), generator=generator)
    else:
        weight.copy_(_orthogonal(weight.shape[0], prod(weight.shape[1:]), generator).view_as(weight)).mul_(deviation)


def _orthogonal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """(rows, columns), of which the shorter sides are orthogonal, with mean square 1."""
    tall = torch.empty(max(rows, columns), min(rows, columns)).normal_(generator=generator)
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal().sign()  # so that all orthogonal matrices are equally likely
    found: Tensor = (q if rows >= columns else q.T).contiguous() * sqrt(max(rows, columns))
    return found
