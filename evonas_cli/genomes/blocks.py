"""Genomes of chains of convolutions in blocks, and the plans of their networks.

A block is a chain of layers, and all blocks but the last end in max pooling, 2 x 2 with stride 2. A layer is a
convolution that keeps the size of its map, batch normalisation and ReLU; a separable one has a depthwise and a
pointwise convolution. A layer may have a skip from an earlier layer of its block, added before its ReLU through a
pointwise convolution, or concatenated after. After the last block come global average pooling and a linear layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution. `skip` is none, add or concat, and `source` the layer of the block that it comes from, or 0."""

    filters: int
    kernel: int
    separable: bool = False
    skip: str = "none"
    source: int = 0


FIELDS = ("filters", "kernel", "separable", "skip", "source")
SKIPS = ("add", "concat")
Block: TypeAlias = tuple[Layer, ...]
Blocks: TypeAlias = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where a layer stands in the plan: its first convolution, the one that mixes channels (the same unless it is
    separable), the normalisation, ReLU, and the node of its value."""

    first: int
    mixing: int
    norm: int
    relu: int
    value: int


def planned(genome: Blocks, task: Task) -> tuple[Plan, list[list[Nodes]]]:
    """The network's plan, and where each layer of each block stands in it. Raises PlanError for too small a map."""
    graph, x = Graph(task.inputs), Graph.input
    found: list[list[Nodes]] = []
    for place, block in enumerate(genome):
        found.append([])
        for layer in block:
            nodes = _layer(graph, x, layer, found[-1])
            found[-1].append(nodes)
            x = nodes.value
        if place < len(genome) - 1:
            x = graph.add("max_pool", x, kernel=2, stride=2)
    return graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=task.outputs)), found


def _layer(graph: Graph, x: int, layer: Layer, earlier: Sequence[Nodes]) -> Nodes:
    if layer.separable:
        given = graph.shape(x)[0]
        first = graph.add("conv", x, channels=given, kernel=layer.kernel, groups=given)
        mixing = graph.add("conv", first, channels=layer.filters, kernel=1)
    else:
        first = mixing = graph.add("conv", x, channels=layer.filters, kernel=layer.kernel)
    norm = value = graph.add("batch_norm", mixing)
    if layer.skip == "add":
        gate = graph.add("conv", earlier[layer.source].value, channels=layer.filters, kernel=1)
        value = graph.add("add", norm, gate)
    relu = value = graph.add("relu", value)
    if layer.skip == "concat":
        value = graph.add("concat", relu, earlier[layer.source].value)
    return Nodes(first, mixing, norm, relu, value)


def width(block: Block, place: int) -> int:
    """The channels of a layer's value."""
    layer = block[place]
    return layer.filters + (width(block, layer.source) if layer.skip == "concat" else 0)
