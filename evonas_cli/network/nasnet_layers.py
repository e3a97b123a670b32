"""The layers of NASNet's cells (Zoph et al., CVPR 2018) as nodes of a graph.

Strides of a 1x7-7x1 pair are in its first half; the dilated separable convolution is applied once, the others twice.
"""

from __future__ import annotations

from evonas_cli.network.plan import Graph

OPERATIONS = (
    "identity",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "avg_pool_3x3",
    "max_pool_3x3",
    "dil_conv_3x3",
    "conv_1x7_7x1",
)


def match(graph: Graph, x: int, like: tuple[int, ...], filters: int) -> int:
    """A cell's input brought to the cell's filters, and to the size of the last cell's map."""
    if graph.shape(x)[1:] != like[1:]:
        return factorised_reduction(graph, x, filters)
    return relu_conv_norm(graph, x, filters, (1, 1))


def operate(graph: Graph, operation: str, x: int, stride: int) -> int:
    """An operation applied to a hidden state; it keeps the filters."""
    filters = graph.shape(x)[0]
    match operation:
        case "identity":
            return x if stride == 1 else factorised_reduction(graph, x, filters)
        case "sep_conv_3x3" | "sep_conv_5x5" | "sep_conv_7x7":
            kernel = int(operation[-1])
            return separable(graph, separable(graph, x, kernel, stride), kernel, 1)
        case "dil_conv_3x3":
            return separable(graph, x, 3, stride, dilation=2)
        case "conv_1x7_7x1":
            return relu_conv_norm(graph, relu_conv_norm(graph, x, filters, (1, 7), stride), filters, (7, 1))
        case "avg_pool_3x3" | "max_pool_3x3":
            return graph.add(operation.removesuffix("_3x3"), x, kernel=3, stride=stride, padding=1)
    raise ValueError(f"{operation!r} is no operation of this space")


def separable(graph: Graph, x: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """ReLU, depthwise convolution, 1x1 convolution, batch normalisation."""
    filters = graph.shape(x)[0]
    x = graph.add("relu", x)
    x = graph.add("conv", x, channels=filters, kernel=kernel, stride=stride, dilation=dilation, groups=filters)
    return graph.add("batch_norm", graph.add("conv", x, channels=filters, kernel=1))


def factorised_reduction(graph: Graph, x: int, filters: int) -> int:
    """Halves the map: two 1x1 convolutions of stride 2 read pixels that lie diagonally next to each other."""
    x = graph.add("relu", x)
    even = graph.add("conv", x, channels=filters // 2, kernel=1, stride=2)
    odd = graph.add("conv", graph.add("shift", x), channels=filters - filters // 2, kernel=1, stride=2)
    return graph.add("batch_norm", graph.add("concat", even, odd))


def relu_conv_norm(graph: Graph, x: int, filters: int, kernel: tuple[int, int], stride: int = 1) -> int:
    """ReLU, convolution without bias, batch normalisation."""
    x = graph.add("relu", x)
    x = graph.add("conv", x, channels=filters, kernel_h=kernel[0], kernel_w=kernel[1], stride=stride)
    return graph.add("batch_norm", x)
