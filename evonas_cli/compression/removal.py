"""The removal of units: a smaller plan with the weights that are left, which computes what masked units would leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from evonas_cli.compression.units import Units, is_depthwise, makes_units
from evonas_cli.network.plan import Graph, Plan

Weights = Mapping[str, Tensor]
"""The weights of a `Network` of a plan, by name."""


def removed(plan: Plan, weights: Weights, units: Units, gone: Collection[int]) -> tuple[Plan, dict[str, Tensor]]:
    """The plan without the units `gone`, and its weights; nodes keep their numbers.

    In evaluation mode the network gives what the first one gives when these units are zero wherever a layer with
    weights reads them. Raises PlanError where a layer would lose all of its units.
    """
    left = [[place for place, unit in enumerate(channels) if unit not in gone] for channels in units.of]
    graph = Graph(plan.shapes[0])
    found: dict[str, Tensor] = {}
    for index, node in enumerate(plan.nodes[1:], start=1):
        settings = dict(node.params)
        if node.op == "linear" and makes_units(plan, node):
            settings["features"] = len(left[index])
        elif makes_units(plan, node):
            settings["channels"] = len(left[index])
        elif is_depthwise(plan, node):
            settings["channels"] = settings["groups"] = len(left[index])
        graph.add(node.op, *node.inputs, **settings)
        start = f"layers.{index}_{node.op}."
        for name in [name for name in weights if name.startswith(start)]:
            found[name] = _left(plan, index, name.removeprefix(start), weights[name], left)
    return graph.plan(len(plan.nodes) - 1), found


def _left(plan: Plan, index: int, name: str, tensor: Tensor, left: Sequence[Sequence[int]]) -> Tensor:
    """What is left of a node's tensor."""
    node = plan.nodes[index]
    outputs = torch.tensor(left[index], device=tensor.device)
    if makes_units(plan, node):
        kept = tensor.index_select(0, outputs)
        if name == "weight":
            kept = kept.index_select(1, torch.tensor(left[node.inputs[0]], device=tensor.device))
        return kept
    if (is_depthwise(plan, node) or node.op == "batch_norm") and tensor.dim():
        return tensor.index_select(0, outputs)
    return tensor
