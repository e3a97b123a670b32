"""Weights carried over to a changed plan whose layers have other channels: rows copied, outgoing columns shared.

Net2WiderNet (Chen, Goodfellow and Shlens, Net2Net, ICLR 2016, equations 4 and 5), for any graph. Beside the paper, each
outgoing weight is shared among copies in random shares that sum to 1, not in equal ones: copies with equal shares have
equal gradients, and stay copies of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evonas_cli.network.morphs.channels import CHANNELWISE, is_depthwise, is_layer
from evonas_cli.network.morphs.edit import Change, MorphError
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.weights import Weights, of_node, prefix

NEW = -1
"""The source of a channel that copies none."""
_FRESH = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
"""What a normalisation has for a channel that copies none."""


@dataclass(frozen=True, slots=True)
class Channels:
    """For each channel of a new value the old channel that it equals (NEW: none). Outgoing weights of `silent` ones,
    and of those without a source, are zero."""

    source: tuple[int, ...]
    silent: frozenset[int] = frozenset()

    def at(self, offset: int) -> Channels:
        """The same channels, where they come after `offset` others."""
        return Channels(self.source, frozenset(place + offset for place in self.silent))


def carried(
    before: Plan,
    change: Change,
    weights: Mapping[str, Tensor],
    made: Mapping[int, Channels],
    generator: torch.Generator,
    replaced: Mapping[int, Channels] | None = None,
) -> Weights:
    """The weights of all nodes that the old plan has, too; those of inserted nodes are left to the caller.

    `made` has the channels of the new plan's layers and inserted nodes that are not the old ones; `replaced` those that
    stand, for all readers, in the place of a value of the old plan that is left out. Raises MorphError for an operation
    that cannot have other channels.
    """
    after, found = change.plan, Weights()
    channels: list[Channels | None] = [None]
    for index, node in enumerate(after.nodes[1:], start=1):
        old = change.old[index]
        if old is None:
            channels.append(made.get(index))
            continue
        pairs = zip(before.nodes[old].inputs, node.inputs, strict=True)
        inputs = [(replaced or {}).get(source) or channels[new] for source, new in pairs]
        own = of_node(before, weights, old)
        rows = made.get(index)
        if is_layer(after, index):
            own = {
                key: _columns(value, inputs[0], generator) if key == "weight" else value for key, value in own.items()
            }
            own = {key: _rows(value, rows) for key, value in own.items()}
        elif any(inputs):
            rows = _passed(before, change, index, inputs)
            if rows is not None and own:
                own = {key: _rows(value, rows, key if node.op == "batch_norm" else None) for key, value in own.items()}
        channels.append(rows)
        found |= {prefix(after, index) + key: value.clone() for key, value in own.items()}
    return found


def _passed(before: Plan, change: Change, index: int, inputs: Sequence[Channels | None]) -> Channels | None:
    """The channels of an operation that does not mix those of its inputs."""
    node, old = change.plan.nodes[index], change.old[index]
    assert old is not None, "an inserted node has its channels from the morph"
    if node.op in CHANNELWISE or is_depthwise(change.plan, index):
        return inputs[0]
    if node.op == "add":
        if any(other != inputs[0] for other in inputs):
            raise MorphError(f"the terms of the sum at node {index} would not have the same channels")
        return inputs[0]
    given = [before.shapes[source] for source in before.nodes[old].inputs]
    if node.op == "concat":
        return _joined(inputs, [shape[0] for shape in given])
    if node.op == "flatten" and inputs[0] is not None:
        return _spread(inputs[0], torch.Size(given[0][1:]).numel())
    raise MorphError(f"node {index} ({node.op}) has a fixed number of channels")


def _joined(inputs: Sequence[Channels | None], sizes: Sequence[int]) -> Channels:
    source: list[int] = []
    silent: set[int] = set()
    offset = 0
    for one, size in zip(inputs, sizes, strict=True):
        own = one or Channels(tuple(range(size)))
        silent |= own.at(len(source)).silent
        source += [place + offset if place != NEW else NEW for place in own.source]
        offset += size
    return Channels(tuple(source), frozenset(silent))


def _spread(channels: Channels, area: int) -> Channels:
    """The features of flattened maps."""
    source = [place * area + pixel if place != NEW else NEW for place in channels.source for pixel in range(area)]
    silent = frozenset(place * area + pixel for place in channels.silent for pixel in range(area))
    return Channels(tuple(source), silent)


def _rows(value: Tensor, channels: Channels | None, normalised: str | None = None) -> Tensor:
    """The rows of what has one for each channel. `normalised` names that of a normalisation."""
    if channels is None or value.dim() == 0:
        return value
    source = torch.tensor(channels.source)
    new = (source == NEW).view(-1, *[1] * (value.dim() - 1))
    return value[source.clamp(min=0)].masked_fill(new, _FRESH[normalised] if normalised else 0.0)


def _columns(value: Tensor, channels: Channels | None, generator: torch.Generator) -> Tensor:
    """A layer's weights (out, in, ...) for inputs with other channels: the products' sums stay the same."""
    if channels is None:
        return value
    source = torch.tensor(channels.source)
    mute = source == NEW
    mute[sorted(channels.silent)] = True
    columns = value[:, source.clamp(min=0)].masked_fill(mute.view(1, -1, *[1] * (value.dim() - 2)), 0.0)
    for place in torch.unique(source[~mute]).tolist():
        copies = torch.nonzero((source == place) & ~mute).flatten()
        if len(copies) > 1:
            shares = torch.rand(columns[:, copies].shape, generator=generator, dtype=torch.float64) + 0.5
            shares /= shares.sum(1, keepdim=True)
            columns[:, copies] *= shares.to(columns.dtype)
    return columns
