"""Layers of a child fitted to those of its parent: linear least squares over what both compute of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.map_ops import conv_padding
from evonas_cli.network.morphs.channels import settings_of
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.weights import Weights, fewer, prefix, values

POSITIONS = 2**15
"""Pixels, or vectors, over all examples, to which a layer is fitted at most (but at least those of one example)."""
RIDGE = 1e-3
"""How strongly the fit is held to the weights that it begins with, as a share of the mean square of the inputs."""


def refitted(
    before: Plan,
    weights: Mapping[str, Tensor],
    after: Plan,
    start: Weights,
    layers: Sequence[tuple[int, int]],
    examples: Tensor,
) -> Weights:
    """The child's weights `start` with some layers fitted; `layers` pairs them with those of the parent, in order.

    A layer's outputs come as near as possible, in the mean square, to those of the parent's layer.
    """
    found = dict(start)
    for new, old in sorted(layers):
        area = torch.Size(before.shapes[old][1:]).numel()
        some = fewer(after, fewer(before, examples))[: max(1, POSITIONS // area)]
        target = values(before, weights, some, [old])[old]
        [source] = after.nodes[new].inputs
        given = values(after, found, some, [source])[source]
        found |= _fitted(after, new, found, given, target)
    return found


def _fitted(plan: Plan, node: int, weights: Weights, given: Tensor, target: Tensor) -> Weights:
    """The node's weights W and bias b that minimise |W x + b - y|^2 + ridge |W - W0|^2 over inputs x, targets y."""
    name = prefix(plan, node)
    old = weights[name + "weight"]
    x, y = _rows(plan, node, given).double(), target.movedim(1, -1).reshape(-1, target.shape[1]).double()
    start = old.flatten(1).double()
    bias = name + "bias" in weights
    if bias:
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        start = torch.cat([start, weights[name + "bias"][:, None].double()], 1)
    gram = x.T @ x
    ridge = RIDGE * gram.diagonal().mean().clamp(min=1e-12) * torch.eye(len(gram), dtype=gram.dtype)
    change = torch.linalg.solve(gram + ridge, x.T @ (y - x @ start.T)).T
    fitted = (start + change).to(old.dtype)
    columns = old.flatten(1).shape[1]
    found = {name + "weight": fitted[:, :columns].reshape(old.shape)}
    return found | {name + "bias": fitted[:, columns].clone()} if bias else found


def _rows(plan: Plan, node: int, given: Tensor) -> Tensor:
    """What the layer multiplies with its weights, (positions, columns)."""
    if plan.nodes[node].op == "linear":
        return given
    own = settings_of(plan, node)
    kernel, stride = (own["kernel_h"], own["kernel_w"]), (own["stride_h"], own["stride_w"])
    patches = F.unfold(given, kernel, dilation=own["dilation"], padding=conv_padding(own), stride=stride)
    return patches.movedim(1, -1).reshape(-1, patches.shape[1])
