"""Backbones of detectors, searched on detection itself by single paths (Chen et al., DetNAS, NeurIPS 2019).

Each block has one of four forms: a residual block of a 1x1, a depthwise and a 1x1 convolution with kernels of 3, 5 or 7
pixels, or `xception`, three depthwise-separable 3x3 convolutions. The first block of a stage halves the map and doubles
its channels. The plain top-down pyramid (Lin et al., FPN, CVPR 2017) and the head are the same for all. Deviations: the
blocks of ShuffleNetV2, in DetNAS, compute on half of the channels and shuffle them; three stages in place of four; and
the supernet is not trained on images with classes before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.network.detector import check_boxes, head, lateral, normalised, stem, top_down
from evonas_cli.network.plan import Graph
from evonas_cli.network.relaxed import Edge, Mixture, Path, Relaxed, Superplan
from evonas_cli.network.task import Phenotype, Task

BLOCKS = ("kernel_3", "kernel_5", "kernel_7", "xception")
STAGES = 3


class Backbone(Independent):
    """Backbones for detection, one of four blocks at each place (DetNAS: Chen et al., 2019).

    Genomes are lists with the form of each block, stage by stage. There are three stages of `blocks` blocks; the stem
    has `channels` channels, the pyramid `width`. Raises UsageError for numbers below 1.
    """

    def __init__(self, channels: int = 8, width: int = 24, blocks: int = 2) -> None:
        for name, value in (("channels", channels), ("width", width), ("blocks", blocks)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{name} must be a whole number of at least 1; it is {value!r}")
        self.channels, self.width, self.blocks = channels, width, blocks
        self.choices: Sequence[Choice] = [
            Choice(f"stage {stage} block {block}", BLOCKS) for stage in range(STAGES) for block in range(blocks)
        ]

    def function_key(self, genome: Genes) -> str:
        """The forms of the blocks: no two genomes have the same network."""
        return " ".join(map(str, genome))

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for a task without boxes."""
        graph = Graph(task.inputs)
        return Phenotype(graph.plan(self._network(graph, task, lambda x, place, stride: _block(
            graph, x, genome[place], stride
        ))))  # fmt: skip

    @cached_property
    def relaxed(self) -> Relaxed:
        """An edge for each block."""
        roles = ("layer",) * len(BLOCKS)
        return Relaxed(tuple([Edge(choice.name, BLOCKS, roles) for choice in self.choices]))  # type: ignore[arg-type]

    def assigned(self, path: Path) -> Genes:
        """The forms that the path picks."""
        return tuple([BLOCKS[picked] for picked in path])

    def superplan(self, task: Task) -> Superplan:
        """All forms at each place. Raises PlanError as `decode`."""
        graph, mixtures = Graph(task.inputs), dict[int, Mixture]()

        def add(x: int, place: int, stride: int) -> int:
            branches = tuple([_block(graph, x, form, stride) for form in BLOCKS])
            mixed = graph.add("add", *branches)
            mixtures[mixed] = Mixture(place, branches)
            return mixed

        return Superplan(graph.plan(self._network(graph, task, add)), mixtures)

    def _network(self, graph: Graph, task: Task, add_block: Callable[[int, int, int], int]) -> int:
        """Stem, blocks, pyramid and head; `add_block` gives the branch of a block from its input, place and stride."""
        check_boxes("backbone", task)
        x, features = stem(graph, self.channels), []
        for stage in range(STAGES):
            for block in range(self.blocks):
                stride = 1 if block else 2
                branch = add_block(x, stage * self.blocks + block, stride)
                x = graph.add("relu", graph.add("add", branch, _shortcut(graph, x, stride)))
            features.append(x)
        return head(graph, top_down(graph, lateral(graph, features, self.width)), task)


def _shortcut(graph: Graph, x: int, stride: int) -> int:
    """The input, or where the block halves the map its mean over 2x2 pixels with twice the channels."""
    if stride == 1:
        return x
    return normalised(graph, graph.add("avg_pool", x, kernel=2, stride=2), 2 * graph.shape(x)[0])


def _block(graph: Graph, x: int, form: Gene, stride: int) -> int:
    """The branch of a residual block of a form."""
    channels = stride * graph.shape(x)[0]
    if form == "xception":
        for place in range(3):
            x = _depthwise(graph, x if place == 0 else graph.add("relu", x), 3, stride if place == 0 else 1)
            x = normalised(graph, x, channels)
        return x
    x = graph.add("relu", normalised(graph, x, channels))
    return normalised(graph, _depthwise(graph, x, int(str(form).removeprefix("kernel_")), stride), channels)


def _depthwise(graph: Graph, x: int, kernel: int, stride: int) -> int:
    channels = graph.shape(x)[0]
    return normalised(graph, x, channels, kernel=kernel, stride=stride, groups=channels)
