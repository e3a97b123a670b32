"""Parts of detectors as plans: a residual stem that gives maps of three resolutions, a pyramid of them, and a head.

The levels of all three are those of `network/detection.py`. The plain pyramid is that of Lin et al. (FPN, CVPR 2017);
the head has the same weights at all locations of all levels (Lin et al., RetinaNet, ICCV 2017). Deviation: the head's
layers are 1x1 convolutions, as the maps of these levels are small; what looks around is in the pyramid.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.detection import SIDES, STRIDES, classes_of
from evonas_cli.network.inputs import refusal
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Task

LEVELS = len(STRIDES)


def check_boxes(space: str, task: Task) -> None:
    """Raises PlanError, in one line, unless the task is to find boxes."""
    if task.kind != "boxes":
        raise refusal(space, "images with boxes, as dataset=scenes and dataset=coco have", task)


def stem(graph: Graph, channels: int) -> int:
    """The image at half its size, with so many channels."""
    return graph.add("relu", normalised(graph, graph.input, channels, kernel=3, stride=2))


def residual(graph: Graph, x: int) -> int:
    """A basic residual block that halves the map and doubles its channels (He et al., CVPR 2016)."""
    channels = 2 * graph.shape(x)[0]
    branch = graph.add("relu", normalised(graph, x, channels, kernel=3, stride=2))
    branch = normalised(graph, branch, channels, kernel=3)
    shortcut = normalised(graph, graph.add("avg_pool", x, kernel=2, stride=2), channels)
    return graph.add("relu", graph.add("add", branch, shortcut))


def normalised(graph: Graph, x: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> int:
    """A convolution without bias, then batch normalisation."""
    settings = {"channels": channels, "kernel": kernel, "stride": stride, "groups": groups}
    return graph.add("batch_norm", graph.add("conv", x, **settings))


def lateral(graph: Graph, features: Sequence[int], width: int) -> list[int]:
    """The maps with `width` channels each, by 1x1 convolutions."""
    return [normalised(graph, x, width) for x in features]


def resampled(graph: Graph, x: int, level: int, wanted: int) -> int:
    """A map of one level in the size of another: the nearest pixel, or the maximum of each square of pixels."""
    factor = 2 ** abs(level - wanted)
    if wanted < level:
        return graph.add("upsample", x, factor=factor)
    return x if wanted == level else graph.add("max_pool", x, kernel=factor, stride=factor)


def top_down(graph: Graph, features: Sequence[int]) -> list[int]:
    """The pyramid of FPN: each level is added to the next coarser one, enlarged, and smoothed by a 3x3 convolution."""
    width, merged = graph.shape(features[0])[0], list(features)
    for level in reversed(range(LEVELS - 1)):
        above = resampled(graph, merged[level + 1], level + 1, level)
        merged[level] = graph.add("add", features[level], above)
    return [normalised(graph, graph.add("relu", x), width, kernel=3) for x in merged]


def head(graph: Graph, pyramid: Sequence[int], task: Task) -> int:
    """Scores and sides at each location, from the maps of the levels, the finest one first: the task's outputs."""
    width = graph.shape(pyramid[0])[0]
    rows = [graph.add("map_to_sequence", graph.add("relu", x)) for x in pyramid]
    x = graph.add("join", *rows)
    x = graph.add("relu", graph.add("conv1d", x, channels=width, kernel=1, bias=1))
    return graph.add("flatten", graph.add("conv1d", x, channels=classes_of(task) + SIDES, kernel=1, bias=1))
