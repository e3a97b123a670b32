"""How a node of a graph reads several maps, sequences or vectors of different sizes and widths."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.plan import Graph


def merged(graph: Graph, maps: Sequence[int], concat: bool) -> int:
    """One map, of the smallest height and width, of one map or more; returns its node.

    Larger maps are halved by 2x2 max-pooling until they have the smallest size, so sizes have to be halves of one
    another, rounded down. Sequences must be of one length. With `concat` the channels are concatenated. Otherwise the
    maps are added, after linear projections of the channels to the widest where their numbers differ.
    """
    smallest = min(graph.shape(x)[1:] for x in maps)
    sized = []
    for x in maps:
        while graph.shape(x)[1:] != smallest:
            x = graph.add("max_pool", x, kernel=2, stride=2)
        sized.append(x)
    if len(sized) == 1:
        return sized[0]
    if concat:
        return graph.add("concat", *sized)
    widest = max(graph.shape(x)[0] for x in sized)
    return graph.add("add", *[x if graph.shape(x)[0] == widest else _projected(graph, x, widest) for x in sized])


def _projected(graph: Graph, x: int, channels: int) -> int:
    """A 1x1 convolution of a map or of a sequence, a linear layer of a vector."""
    if len(graph.shape(x)) == 1:
        return graph.add("linear", x, features=channels)
    return graph.add("conv" if len(graph.shape(x)) == 3 else "conv1d", x, channels=channels, kernel=1)
