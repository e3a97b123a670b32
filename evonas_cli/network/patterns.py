"""Networks as people draw them, for comparisons at equal parameters and as experts to imitate.

All are for images. Those of convolutions are a 3x3 convolution, three stages of `blocks` blocks with c, 2c and 4c
channels, global average pooling and a linear classifier. The first block of a later stage halves the map. Convolutions
are followed by batch normalisation and ReLU unless the block says otherwise. The blocks:

    plain       two 3x3 convolutions (the plain networks of He et al., CVPR 2016)
    residual    two 3x3 convolutions, their input added before the last ReLU; a 1x1 convolution where shapes differ
                (ResNet: He et al., CVPR 2016)
    dense       two 3x3 convolutions of half the channels, each reading all maps of the block concatenated, then a 1x1
                convolution (DenseNet: Huang et al., CVPR 2017; there a stage is one block)
    depthwise   two pairs of a 3x3 convolution of single channels and a 1x1 convolution (MobileNet: Howard et al., 2017)
    inception   four branches, concatenated: 1x1; 1x1, 3x3; 1x1, 3x3, 3x3; average pooling, 1x1 (GoogLeNet: Szegedy et
                al., CVPR 2015, with two 3x3 convolutions for 5x5, as in Szegedy et al., CVPR 2016)

`transformer_small` is a vision transformer (ViT: Dosovitskiy et al., ICLR 2021) of `blocks` layers and c channels:
patches of 4x4 pixels (2x2 or 1x1 where these do not fit), learned positions, normalisation before attention and before
two linear layers with 4c channels and GELU between them, the mean over all patches for ViT's class token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task

STAGES, BLOCKS = 3, 2
NEAR, WIDEST = 0.1, 4096
"""How far from the wanted parameters `scaled` may end, as a share; the most channels of the first stage."""

Block: TypeAlias = Callable[[Graph, int, int, int], int]
"""From graph, node, channels and stride to the node of the block's output."""

Body: TypeAlias = Callable[[Graph, int, int], int]
"""From graph, channels and blocks to the node of the features."""


def pattern(name: str, task: Task, channels: int = 16, blocks: int = BLOCKS) -> Plan:
    """The network of a pattern of `PATTERNS`, with so many channels in its first stage (at least 4).

    Raises PlanError for inputs that are no images, or too small to be halved; ValueError for an unknown name or numbers
    out of range.
    """
    if name not in PATTERNS:
        raise ValueError(f"there is no pattern {name!r}; there are {', '.join(PATTERNS)}")
    if channels < 4 or blocks < 1:
        raise ValueError(f"a pattern has 4 channels and 1 block or more, not {channels} and {blocks}")
    check_maps(f"the pattern {name}", task)
    graph = Graph(task.inputs)
    return graph.plan(graph.add("linear", PATTERNS[name](graph, channels, blocks), features=task.outputs))


def scaled(name: str, task: Task, parameters: int, blocks: int = BLOCKS, tolerance: float = NEAR) -> Plan:
    """The network of a pattern whose number of parameters is nearest to `parameters`, by its channels.

    Fewer blocks than `blocks` are taken where their parameters are nearer. Raises ValueError if no network is within
    `tolerance`, a share of `parameters`, else as `pattern`.
    """
    found = [_nearest(name, task, parameters, count) for count in range(blocks, 0, -1)]
    apart, plan = min(found, key=lambda pair: pair[0])
    if apart > tolerance * parameters:
        raise ValueError(
            f"the pattern {name} has no network of about {parameters:,} parameters; the nearest has {plan.parameters:,}"
        )
    return plan


def _nearest(name: str, task: Task, parameters: int, blocks: int) -> tuple[int, Plan]:
    """Bisection, since parameters grow with the channels: the distance to the wanted number, and the network."""
    low, high = 4, WIDEST
    while low + 1 < high:
        middle = (low + high) // 2
        if pattern(name, task, middle, blocks).parameters <= parameters:
            low = middle
        else:
            high = middle
    plans = [pattern(name, task, channels, blocks) for channels in (low, high)]
    return min(((abs(plan.parameters - parameters), plan) for plan in plans), key=lambda found: found[0])


def convolution(graph: Graph, x: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> int:
    """Convolution without bias, batch normalisation, ReLU."""
    return graph.add("relu", _normalised(graph, x, channels, kernel, stride, groups))


def _normalised(graph: Graph, x: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> int:
    x = graph.add("conv", x, channels=channels, kernel=kernel, stride=stride, groups=groups)
    return graph.add("batch_norm", x)


def _stages(block: Block, graph: Graph, channels: int, blocks: int) -> int:
    x = convolution(graph, graph.input, channels, 3)
    for stage in range(STAGES):
        for place in range(blocks):
            x = block(graph, x, channels << stage, 2 if stage and not place else 1)
    return graph.add("global_avg_pool", x)


def _plain(graph: Graph, x: int, channels: int, stride: int) -> int:
    return convolution(graph, convolution(graph, x, channels, 3, stride), channels, 3)


def _residual(graph: Graph, x: int, channels: int, stride: int) -> int:
    branch = _normalised(graph, convolution(graph, x, channels, 3, stride), channels, 3)
    if graph.shape(branch) != graph.shape(x):
        x = _normalised(graph, x, channels, 1, stride)
    return graph.add("relu", graph.add("add", branch, x))


def _dense(graph: Graph, x: int, channels: int, stride: int) -> int:
    if stride > 1:
        x = graph.add("avg_pool", x, kernel=stride, stride=stride)
    maps = [x]
    for _ in range(2):
        read = maps[0] if len(maps) == 1 else graph.add("concat", *maps)
        maps.append(convolution(graph, read, channels // 2, 3))
    return convolution(graph, graph.add("concat", *maps), channels, 1)


def _depthwise(graph: Graph, x: int, channels: int, stride: int) -> int:
    for step in (stride, 1):
        single = graph.shape(x)[0]
        x = convolution(graph, convolution(graph, x, single, 3, step, groups=single), channels, 1)
    return x


def _inception(graph: Graph, x: int, channels: int, stride: int) -> int:
    first, *others = _parts(channels)
    pooled = graph.add("avg_pool", x, kernel=3, stride=1, padding=1)
    branches = [convolution(graph, x, first, 1, stride)]
    branches.append(convolution(graph, convolution(graph, x, others[0], 1), others[0], 3, stride))
    deep = convolution(graph, convolution(graph, x, others[1], 1), others[1], 3)
    branches.append(convolution(graph, deep, others[1], 3, stride))
    branches.append(convolution(graph, pooled, others[2], 1, stride))
    return graph.add("concat", *branches)


def _parts(channels: int) -> list[int]:
    """Four numbers that differ by 1 at most and sum to `channels`."""
    return [(channels + part) // 4 for part in range(4)]


def _transformer(graph: Graph, channels: int, blocks: int) -> int:
    side = next(side for side in (4, 2, 1) if not any(size % side for size in graph.shape(graph.input)[1:]))
    heads = next(heads for heads in (4, 2, 1) if channels % heads == 0)
    x = graph.add("conv", graph.input, channels=channels, kernel=side, stride=side, same=0, bias=1)
    x = graph.add("learned_positions", graph.add("map_to_sequence", x))
    for _ in range(blocks):
        x = graph.add("add", x, graph.add("attention", graph.add("layer_norm", x), heads=heads))
        y = graph.add("conv1d", graph.add("layer_norm", x), channels=4 * channels, kernel=1, bias=1)
        x = graph.add("add", x, graph.add("conv1d", graph.add("gelu", y), channels=channels, kernel=1, bias=1))
    return graph.add("mean_time", graph.add("layer_norm", x))


PATTERNS: dict[str, Body] = {
    "plain": partial(_stages, _plain),
    "residual": partial(_stages, _residual),
    "dense": partial(_stages, _dense),
    "depthwise": partial(_stages, _depthwise),
    "inception": partial(_stages, _inception),
    "transformer_small": _transformer,
}
"""The patterns by name."""
