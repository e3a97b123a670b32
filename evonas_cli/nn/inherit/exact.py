"""Weights after morphs that keep the function: in evaluation mode the child computes what its parent computes.

With batch normalisation in training mode nothing of this holds: statistics of a batch take the place of the running
ones.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.morphs.channels import linked
from evonas_cli.network.morphs.edit import Change
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.channels import NEW, Channels, carried
from evonas_cli.nn.inherit.weights import Weights, fewer, prefix, values

EPSILON = 1e-5
"""What batch normalisation adds to a variance (the default of torch, which all networks here have)."""


def _like(weights: Weights) -> Tensor:
    return next(value for value in weights.values() if value.is_floating_point())


def deepen(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """The inserted layer is the identity: a delta at the centre of each kernel, or the unit matrix."""
    found, layer = carried(before, change, weights, {}, generator), change.inserted[0]
    size, name = change.plan.shapes[layer][0], prefix(change.plan, layer)
    eye = torch.eye(size, dtype=_like(weights).dtype)
    if change.plan.nodes[layer].op == "linear":
        return found | {name + "weight": eye, name + "bias": torch.zeros_like(eye[0])}
    border = int(morph.settings["kernel"]) // 2
    return found | {name + "weight": F.pad(eye[:, :, None, None], [border] * 4)}


def batch_norm(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """Running statistics are those of the examples, and scale and offset undo them, epsilon included."""
    found, [layer] = carried(before, change, weights, {}, generator), change.inserted
    value = values(before, weights, fewer(before, examples), [morph.at])[morph.at]
    over = [axis for axis in range(value.dim()) if axis != 1]
    mean, variance = value.mean(over), value.var(over, unbiased=False)
    own = {
        "weight": torch.sqrt(variance + EPSILON),
        "bias": mean,
        "running_mean": mean,
        "running_var": variance,
        "num_batches_tracked": torch.tensor(0),
    }
    return found | {prefix(change.plan, layer) + key: part.clone() for key, part in own.items()}


def widen(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """The first channels are the old ones, the others copies of random ones."""
    old, to = before.shapes[morph.at][0], int(morph.settings["to"])
    copies = torch.randint(old, (to - old,), generator=generator).tolist()
    silent = range(old, to) if morph.settings["outgoing"] == "zero" else ()
    channels = Channels((*range(old), *copies), frozenset(silent))
    made = {change.new(node): channels for node in linked(before, morph.at)}
    return carried(before, change, weights, made, generator)


def kernel(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """A border of zeros around the kernel."""
    found = carried(before, change, weights, {}, generator)
    name = prefix(change.plan, morph.at) + "weight"
    return found | {name: F.pad(found[name], [1] * 4)}


def skip(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """Zero weights for what joins: in the layer that it passes, or in those that read the concatenation."""
    first = change.inserted[0]
    channels, new = before.shapes[morph.at][0], before.shapes[int(morph.settings["source"])][0]
    if morph.settings["join"] == "concat":
        return carried(before, change, weights, {first: Channels((*range(channels), *[NEW] * new))}, generator)
    found, kernel = carried(before, change, weights, {}, generator), [1] * (2 * (len(change.plan.shapes[first]) > 1))
    zeros = torch.zeros(channels, new, *kernel, dtype=_like(weights).dtype)
    return found | {prefix(change.plan, first) + "weight": zeros}
