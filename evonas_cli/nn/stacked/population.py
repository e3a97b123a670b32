"""Networks of one structure as one program: P members that train side by side, each with weights of its own.

Horizontally fused training (Wang et al., "HFTA", MLSys 2021), written by hand. A map of the members is one tensor
(batch, P x channels, height, width), member after member, on which convolutions run in P times as many groups;
a vector is (P, batch, features), on which linear layers are one batched product.
What does not depend on any weight is computed once for all. No operation mixes two members, so a number that is not
finite stays with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network, finished
from evonas_cli.nn.dropout import Dropout, kept
from evonas_cli.nn.kernels.memory_format import order, ordered
from evonas_cli.nn.kernels.pooling import AvgPool, MaxPool
from evonas_cli.nn.kernels.precision import lowered
from evonas_cli.nn.stacked.convolution import Conv, Layers, joined, optional, split
from evonas_cli.nn.stacked.linear import products

State: TypeAlias = dict[str, Tensor]

COUNT = "num_batches_tracked"
WEIGHTED = ("conv", "linear", "batch_norm")
REORDERING = ("concat", "flatten", "global_avg_pool", "pad", "shift", "zero")
"""Operations whose gradients do not lie in memory as their inputs do."""


class Population(nn.Module):
    """Networks of one plan, which may differ in weights and rates of dropout, as one module.

    `forward` takes one batch for all, (batch, *input shape), and gives (P, batch, classes). All tensors of the members
    are concatenated along their first dimension under the names that they have in a `Network`.
    """

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.width, self.plan = len(members), members[0].plan
        self._own = _own(self.plan, self.width > 1)
        self.layers = nn.ModuleDict()
        for index, name in enumerate(members[0].layers, start=1):
            node = self.plan.nodes[index]
            parts = [member.layers[name] for member in members]
            spread = [self._own[source] for source in node.inputs]
            build = STACKED.get(node.op)
            self.layers[name] = build(parts, spread) if build and self._own[index] else parts[0]
        self._rectify(list(members[0].layers))
        self._finished = finished(self.plan)

    def _rectify(self, names: Sequence[str]) -> None:
        """The same numbers with less traffic: pool before rectifying, and rectify in place what nobody else reads."""
        nodes = self.plan.nodes
        readers: list[list[int]] = [[] for _ in nodes]
        for index, node in enumerate(nodes):
            for source in node.inputs:
                readers[source].append(index)
        for index, node in enumerate(nodes):
            if node.op != "relu":
                continue
            source, after = node.inputs[0], readers[index]
            pool = self.layers[names[after[0] - 1]] if len(after) == 1 else None
            if isinstance(pool, MaxPool):
                self.layers[names[index - 1]] = nn.Identity()
                pool.rectify = True
            elif len(readers[source]) == 1 and nodes[source].op in WEIGHTED:
                self.layers[names[index - 1]] = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        weights = self._lowered(x.device.type)
        values = {0: x}
        del x
        for index, (name, layer) in enumerate(self.layers.items(), start=1):
            node = self.plan.nodes[index]
            inputs = [values[source] for source in node.inputs]
            inputs = [ordered(value) for value in inputs] if node.op in REORDERING else inputs
            values[index] = layer(*inputs, weights.pop(name)) if name in weights else layer(*inputs)
            del inputs
            for source in self._finished[index]:
                del values[source]
        output = values[self.plan.output]
        return output if self._own[self.plan.output] else output.expand(self.width, -1, -1)

    def _lowered(self, device: str) -> dict[str, Tensor]:
        """The weights of convolutions and linear layers in the precision of autocast, on CUDA devices."""
        if device != "cuda" or not torch.is_autocast_enabled(device):
            return {}
        layers = {name: layer for name, layer in self.layers.items() if isinstance(layer, Conv | Linear)}
        weights = [layer.weight for layer in layers.values()]
        return dict(zip(layers, lowered(weights, torch.get_autocast_dtype(device)), strict=True))

    def draw_from(self, generator: torch.Generator) -> None:
        """Dropout takes its random numbers from there."""
        for layer in self.layers.values():
            if isinstance(layer, Dropout | MemberDropout):
                layer.generator = generator

    @torch.no_grad()
    def count(self, batches: int) -> None:
        """Adds to the batches that normalisations have seen in training, which nothing here depends on."""
        for layer in self.layers.values():
            if isinstance(layer, BatchNorm):
                cast(Tensor, layer.num_batches_tracked).add_(batches)

    def member(self, index: int) -> State:
        """The state of one member, as `Network.state_dict` has it; views."""
        return {
            key: value[index] if key.endswith(COUNT) else value.chunk(self.width)[index]
            for key, value in self.state_dict().items()
        }

    @torch.no_grad()
    def load_member(self, index: int, state: State) -> None:
        """The inverse of `member`. Raises ValueError when the state is that of another network."""
        self.check_member(index, state)
        for key, value in self.member(index).items():
            value.copy_(state[key])

    def check_member(self, index: int, state: State) -> None:
        """Raises ValueError when the state is that of another network."""
        own = {key: value.shape for key, value in self.member(index).items()}
        if own != {key: value.shape for key, value in state.items()}:
            raise ValueError("the saved weights are those of a different network")


def _own(plan: Plan, several: bool) -> list[bool]:
    """For each node, whether members have a value of their own there: decided without a look at who they are."""
    own = [False]
    for node in plan.nodes[1:]:
        differs = node.op in WEIGHTED or (node.op == "dropout" and several)
        own.append(differs or any(own[source] for source in node.inputs))
    return own


class Linear(nn.Module):
    """Linear layers of P members: one batched product, or one product if their input is common."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        self.width, self.spread = len(parts), spread[0]
        self.weight, self.bias = joined(parts, "weight"), optional(parts, "bias")

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """`weight` has the numbers of the layer's own in another precision."""
        weight = self.weight if weight is None else weight
        if not self.spread:
            return split(F.linear(x, weight, self.bias), 1, self.width).transpose(0, 1)
        bias = None if self.bias is None else split(self.bias, 0, self.width)
        return products(x, split(weight, 0, self.width), bias)


class BatchNorm(nn.Module):
    """Batch normalisations of P members, which are one with P times the channels. It does not count its batches."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        first = cast(nn.BatchNorm2d, parts[0])
        self.width, self.spread = len(parts), spread[0]
        self.eps, self.momentum = first.eps, first.momentum
        self.weight, self.bias = joined(parts, "weight"), joined(parts, "bias")
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.cat([cast(Tensor, getattr(part, name)) for part in parts]))
        self.register_buffer(COUNT, torch.stack([cast(Tensor, part.num_batches_tracked) for part in parts]))

    def forward(self, x: Tensor) -> Tensor:
        vectors = x.dim() < 4
        if vectors and self.spread:
            x = x.transpose(0, 1).flatten(1)
        elif not self.spread:
            x = x.repeat(1, self.width, *[1] * (x.dim() - 2))
        mean, variance = cast(Tensor, self.running_mean), cast(Tensor, self.running_var)
        x = F.batch_norm(x, mean, variance, self.weight, self.bias, self.training, self.momentum or 0.0, self.eps)
        return split(x, 1, self.width).transpose(0, 1) if vectors else x


class Flatten(nn.Module):
    """(batch, P x C, H, W) to (P, batch, C x H x W), in the order that one member's flattening has."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        self.width = len(parts)

    def forward(self, x: Tensor) -> Tensor:
        return split(x, 1, self.width).transpose(0, 1).flatten(2) if x.dim() == 4 else x


class GlobalAvgPool(nn.Module):
    """(batch, P x C, H, W) to (P, batch, C)."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        self.width = len(parts)

    def forward(self, x: Tensor) -> Tensor:
        return split(x.mean((2, 3)), 1, self.width).transpose(0, 1)


class Merge(nn.Module):
    """Sum or concatenation of values of which some are common to the members."""

    def __init__(self, parts: Layers, spread: Sequence[bool], concat: bool) -> None:
        super().__init__()
        self.width, self.spread, self.concat = len(parts), tuple(spread), concat

    def forward(self, *xs: Tensor) -> Tensor:
        maps = xs[0].dim() == 4
        full = [x if own else self._repeat(x, maps) for x, own in zip(xs, self.spread, strict=True)]
        if not self.concat:
            total = full[0]
            for other in full[1:]:
                total = total + other
            return total
        return self._concatenated(full) if maps else torch.cat(full, 2)

    def _concatenated(self, maps: list[Tensor]) -> Tensor:
        """In the order of the maps, which torch keeps for four dimensions alone."""
        if self.width == 1:
            return torch.cat(maps, 1)
        if order(maps[0]) == torch.channels_last:
            pixels = [split(x.permute(0, 2, 3, 1), 3, self.width) for x in maps]
            return torch.cat(pixels, 4).flatten(3).permute(0, 3, 1, 2)
        return torch.cat([split(x, 1, self.width) for x in maps], 2).flatten(1, 2)

    def _repeat(self, x: Tensor, maps: bool) -> Tensor:
        return x.repeat(1, self.width, 1, 1) if maps else x.expand(self.width, -1, -1)


class MemberDropout(nn.Module):
    """Dropout with the same bits for all members, of which each compares them with its own rate."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        self.rates, self.spread = [cast(Dropout, part).rate for part in parts], spread[0]
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x if self.spread else self._each(x)
        maps, width = x.dim() == 4, len(self.rates)
        x = (split(x, 1, width) if maps else x.transpose(0, 1)) if self.spread else x.unsqueeze(1)
        shape = (x.shape[0], *x.shape[2:])
        rates = self.rates[:1] if self.spread and len(set(self.rates)) == 1 else self.rates
        x = x * torch.stack(kept(shape, rates, x, self.generator), 1)
        return x.flatten(1, 2) if maps else x.transpose(0, 1)

    def _each(self, x: Tensor) -> Tensor:
        width = len(self.rates)
        return x.repeat(1, width, 1, 1) if x.dim() == 4 else x.expand(width, -1, -1)


Build: TypeAlias = Callable[[Layers, Sequence[bool]], nn.Module]

STACKED: dict[str, Build] = {
    "conv": Conv,
    "linear": Linear,
    "batch_norm": BatchNorm,
    "flatten": Flatten,
    "global_avg_pool": GlobalAvgPool,
    "add": lambda parts, spread: Merge(parts, spread, concat=False),
    "concat": lambda parts, spread: Merge(parts, spread, concat=True),
    "dropout": MemberDropout,
    "max_pool": MaxPool,
    "avg_pool": AvgPool,
}
"""Operations that need a form of their own for several members; all others work on such tensors as they are."""
