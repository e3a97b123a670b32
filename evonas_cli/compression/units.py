"""The units of a plan that can be removed: which channels of which layers go together, and what reads them.

A unit is an output of a linear layer or a channel of a convolution. Where two values are added, their channels are one
unit each, since removing one alone leaves nothing to add to the other (Fang et al., "DepGraph", CVPR 2023). A unit is
kept where an operation mixes channels in a way that depends on their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from evonas_cli.network.plan import Node, Plan

KEPT = -1
"""The unit of a channel that cannot be removed."""

CHANNELWISE = frozenset(
    (
        *("relu", "gelu", "tanh", "sigmoid", "identity", "dropout", "batch_norm"),
        *("max_pool", "avg_pool", "global_avg_pool", "zero", "shift", "pad", "resize", "upsample"),
        *("max_pool1d", "avg_pool1d", "mask", "mean_time", "max_time", "last_time"),
    )
)
"""Operations in which each channel of the first input is computed apart from the others."""

WEIGHTED = frozenset(("linear", "conv", "conv1d"))
"""Layers whose outputs are units."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Units that are made by the same nodes: by one, or by several whose outputs are added.

    `units` are their numbers; a sparsity is that of each layer.
    """

    nodes: tuple[int, ...]
    units: tuple[int, ...]

    def named(self, plan: Plan) -> str:
        """`layer 2 (linear)`; `layers 2 + 5 (conv)` where outputs are added."""
        kinds = " and ".join(dict.fromkeys(plan.nodes[node].op for node in self.nodes))
        return f"layer{'s' if len(self.nodes) > 1 else ''} {' + '.join(map(str, self.nodes))} ({kinds})"


@dataclass(frozen=True, slots=True)
class Units:
    """`of` has for each node the unit of each channel of its value (KEPT: none); `whole` says of nodes with outputs
    that cannot be removed why."""

    of: tuple[tuple[int, ...], ...]
    layers: tuple[Layer, ...]
    whole: dict[int, str]

    def readers(self, plan: Plan, layer: Layer) -> list[int]:
        """The nodes with weights that read units of the layer; each is linear or a convolution of one group."""
        own = set(layer.units)
        return [
            index
            for index, node in enumerate(plan.nodes)
            if makes_units(plan, node) and own.intersection(self.of[node.inputs[0]])
        ]


def makes_units(plan: Plan, node: Node) -> bool:
    """Whether a node is a linear layer or a convolution of one group, which mixes all of its input's channels."""
    return node.op in WEIGHTED and dict(node.params).get("groups", 1) == 1


def is_depthwise(plan: Plan, node: Node) -> bool:
    """Whether a node is a convolution of each channel apart."""
    if node.op not in ("conv", "conv1d"):
        return False
    settings = dict(node.params)
    return settings["groups"] != 1 and settings["groups"] == plan.shapes[node.inputs[0]][0] == settings["channels"]


def units_of(plan: Plan) -> Units:
    """The units of a plan."""
    tied = _Tied()
    of: list[list[int]] = [[tied.new("it is added to the input") for _ in range(plan.shapes[0][0])]]
    made: dict[int, list[int]] = {}
    for index, node in enumerate(plan.nodes[1:], start=1):
        of.append(_channels(plan, index, [of[source] for source in node.inputs], tied))
        if node.op in WEIGHTED and not is_depthwise(plan, node):
            made[index] = of[index]
    tied.keep(of[plan.output], "the network's outputs are its answers")
    makers: dict[int, list[int]] = {}
    for index, channels in made.items():
        for root in dict.fromkeys(map(tied.root, channels)):
            makers.setdefault(root, []).append(index)
    free = [root for root in makers if tied.reason(root) is None]
    number = {root: unit for unit, root in enumerate(free)}
    layers: dict[tuple[int, ...], list[int]] = {}
    for root in free:
        layers.setdefault(tuple(makers[root]), []).append(number[root])
    whole = {index: reason for index, channels in made.items() if (reason := tied.reason(channels[0])) is not None}
    return Units(
        tuple(tuple(number.get(tied.root(channel), KEPT) for channel in channels) for channels in of),
        tuple(Layer(nodes, tuple(units)) for nodes, units in layers.items()),
        whole,
    )


def _channels(plan: Plan, index: int, read: Sequence[list[int]], tied: _Tied) -> list[int]:
    """The channels of a node's value, of which some are those that it reads; what has to stay is told to `tied`."""
    node = plan.nodes[index]
    if node.op in CHANNELWISE or is_depthwise(plan, node):
        return read[0]
    if node.op == "flatten":
        return [channel for channel in read[0] for _ in range(prod(plan.shapes[node.inputs[0]][1:]))]
    if node.op == "concat":
        return [channel for channels in read for channel in channels]
    if node.op == "add":
        for other in read[1:]:
            for one, two in zip(read[0], other, strict=True):
                tied.tie(one, two)
        return read[0]
    if makes_units(plan, node):
        return [tied.new() for _ in range(plan.shapes[index][0])]
    what = "a convolution in groups" if node.op in WEIGHTED else f"the operation {node.op}"
    for channels in read:
        tied.keep(channels, f"{what} (node {index}) reads it")
    return [tied.new(f"{what} cannot be pruned") for _ in range(plan.shapes[index][0])]


class _Tied:
    """Channels that go together (union-find), and the reasons of those that stay."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._reasons: list[str | None] = []

    def new(self, reason: str | None = None) -> int:
        """A channel; one with a reason stays."""
        self._parent.append(len(self._parent))
        self._reasons.append(reason)
        return len(self._parent) - 1

    def root(self, channel: int) -> int:
        """The channel that stands for all that go with this one."""
        while self._parent[channel] != channel:
            self._parent[channel] = channel = self._parent[self._parent[channel]]
        return channel

    def tie(self, one: int, two: int) -> None:
        """Lets two channels go together."""
        one, two = sorted((self.root(one), self.root(two)))
        self._parent[two] = one
        self._reasons[one] = self._reasons[one] or self._reasons[two]

    def keep(self, channels: Sequence[int], reason: str) -> None:
        """Channels, and all that go with them, stay."""
        for channel in channels:
            root = self.root(channel)
            self._reasons[root] = self._reasons[root] or reason

    def reason(self, channel: int) -> str | None:
        """Why a channel stays; None: it may go."""
        return self._reasons[self.root(channel)]
