"""Weights after morphs that make a network smaller (LEMONADE's approximate morphisms: Elsken et al., ICLR 2019).

The layers that read what has changed are fitted to those of the parent by least squares over examples (`refit.py`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.network.morphs.channels import linked, mixers
from evonas_cli.network.morphs.edit import Change
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.channels import NEW, Channels, carried
from evonas_cli.nn.inherit.refit import refitted
from evonas_cli.nn.inherit.weights import Weights, of_node, prefix


def remove(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """Channel by channel the removed layer's input stands in the place of its output."""
    last, [source] = int(morph.settings["through"]), before.nodes[morph.at].inputs
    had, given = before.shapes[last][0], before.shapes[source][0]
    instead = Channels(tuple([channel if channel < had else NEW for channel in range(given)]))
    found = carried(before, change, weights, {}, generator, {last: instead} if given != had else {})
    layers = [(change.new(node), node) for node in mixers(before, [last])]
    return refitted(before, weights, change.plan, found, layers, examples)


def prune(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """The channels of the largest filters stay: by the sum of absolute weights (Li et al., ICLR 2017)."""
    sizes = of_node(before, weights, morph.at)["weight"].abs().flatten(1).sum(1)
    largest = torch.argsort(sizes, descending=True, stable=True)[: int(morph.settings["to"])]
    kept, resized = Channels(tuple(sorted(largest.tolist()))), linked(before, morph.at)
    found = carried(before, change, weights, {change.new(node): kept for node in resized}, generator)
    layers = [(change.new(node), node) for node in mixers(before, resized) if node not in resized]
    return refitted(before, weights, change.plan, found, layers, examples)


def separable(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """The best depthwise kernel of each input channel, by singular values, and the pointwise weights that go with it.

    Of a channel's kernels, a matrix (out, pixels) of M = U S V^T, the depthwise one is the first row of V^T, and the
    pointwise column the first of U S: the nearest matrix of rank 1 (Eckart and Young, 1936).
    """
    found, [pointwise] = carried(before, change, weights, {}, generator), change.inserted
    own = of_node(before, weights, morph.at)
    out, given, height, width = own["weight"].shape
    u, s, v = torch.linalg.svd(own["weight"].permute(1, 0, 2, 3).reshape(given, out, -1).double(), full_matrices=False)
    depthwise, columns = v[:, 0].view(given, 1, height, width), (u[:, :, 0] * s[:, :1]).T[:, :, None, None]
    first, second = prefix(change.plan, morph.at), prefix(change.plan, pointwise)
    dtype = own["weight"].dtype
    found = {key: value for key, value in found.items() if not key.startswith(first)}
    found |= {first + "weight": depthwise.to(dtype), second + "weight": columns.to(dtype)}
    found |= {second + "bias": own["bias"].clone()} if "bias" in own else {}
    return refitted(before, weights, change.plan, found, [(pointwise, morph.at)], examples)
