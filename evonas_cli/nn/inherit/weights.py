"""The weights of a network by node, and what its nodes compute of examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network

Weights: TypeAlias = dict[str, Tensor]
"""Weights and buffers by the names that they have in a `Network`."""

MOST_NUMBERS = 2**24
"""Numbers of the largest map, over all examples, of which values are computed at once."""


def prefix(plan: Plan, node: int) -> str:
    """Of the names of a node's weights."""
    return f"layers.{node}_{plan.nodes[node].op}."


def of_node(plan: Plan, weights: Mapping[str, Tensor], node: int) -> Weights:
    """The weights of one node by their names in its layer, such as `weight`."""
    start = prefix(plan, node)
    return {key[len(start) :]: value for key, value in weights.items() if key.startswith(start)}


def network(plan: Plan, weights: Mapping[str, Tensor]) -> Network:
    """The network with these weights, in their precision and in evaluation mode, on the CPU."""
    found = Network(plan, torch.Generator().manual_seed(0))
    floating = next((value.dtype for value in weights.values() if value.is_floating_point()), torch.float32)
    found.to(floating)
    found.load_state_dict(dict(weights))
    return found.eval()


def fewer(plan: Plan, examples: Tensor) -> Tensor:
    """As many of the first examples as the memory allows, at least one."""
    largest = max(torch.Size(shape).numel() for shape in plan.shapes)
    return examples[: max(1, MOST_NUMBERS // largest)]


@torch.no_grad()
def values(plan: Plan, weights: Mapping[str, Tensor], examples: Tensor, wanted: Collection[int]) -> dict[int, Tensor]:
    """What the nodes compute of examples (N, *input shape): (N, *shape) each, in evaluation mode."""
    layers = network(plan, weights).layers
    floating = next((value.dtype for value in weights.values() if value.is_floating_point()), torch.float32)
    found = {0: examples.to(floating) if examples.is_floating_point() else examples}
    for index, layer in enumerate(layers.values(), start=1):
        found[index] = layer(*[found[source] for source in plan.nodes[index].inputs])
    return {node: found[node] for node in wanted}
