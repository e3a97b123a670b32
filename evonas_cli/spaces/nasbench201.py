"""The cell space of NAS-Bench-201 (Dong & Yang, ICLR 2020): four nodes, six edges, five operations, 15,625 cells.

Macro architecture: a 3x3 convolution; three stages of equal cells with C, 2C and 4C channels, a residual block of
stride 2 between them; batch normalisation, ReLU, global average pooling and a linear classifier. The benchmark has
C = 16 and 5 cells a stage. Deviation: edges that no live path connects with the cell's input and output are left out,
where the benchmark trains (and mostly counts) them; a cell whose output is dead is one `zero`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Gene, Genes, parse
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Phenotype, Task

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
STAGES = 3
CELL_STRING = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|")


class NasBench201(Independent):
    """The cells of NAS-Bench-201: 4 nodes, 6 edges, 5 operations (Dong and Yang, 2020).

    Genomes are the six operation names, in the order of the edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.

    `channels` are those of the first stage; `stem_stride` 2 halves the map at once, for large images; `operations` are
    the allowed ones, in the order that indexes them. Raises UsageError for numbers below 1 or unknown operations.
    """

    def __init__(
        self,
        channels: int = 16,
        cells_per_stage: int = 5,
        stem_stride: int = 1,
        operations: Sequence[str] = OPERATIONS,
    ) -> None:
        for name, value in (("channels", channels), ("cells_per_stage", cells_per_stage), ("stem_stride", stem_stride)):
            if value < 1:
                raise UsageError(f"space.{name} must be at least 1; it is {value}")
        if len(set(operations)) < 2 or len(set(operations)) < len(operations) or set(operations) - set(OPERATIONS):
            raise UsageError(
                f"space.operations must be two or more different ones of {', '.join(OPERATIONS)}; "
                f"they are {', '.join(operations) or 'none at all'}"
            )
        self.channels = channels
        self.cells_per_stage = cells_per_stage
        self.stem_stride = stem_stride
        self.choices: Sequence[Choice] = [Choice(f"edge {a}>{b}", tuple(operations)) for a, b in EDGES]

    def to_json(self, genome: Genes) -> Json:
        """The benchmark's own string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        a, b, c, d, e, f = genome
        return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"

    def from_json(self, data: Json) -> Genes:
        """The cell that the benchmark's string describes. Raises ValueError for anything else."""
        match = CELL_STRING.fullmatch(data) if isinstance(data, str) else None
        if match is None:
            raise ValueError(f"a cell reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, not {data!r}")
        return parse(self.choices, match.groups())

    def function_key(self, genome: Genes) -> str:
        """The cell as an expression: per node the sorted terms that it sums; 4,930 for the 15,625 cells.

        A skip passes its source's terms through and a dead source contributes none. Which node holds a term is not in
        it, so a layer that is read twice is not told from two layers with equal settings, whose weights may differ.
        """
        nodes: list[list[str]] = [["x"], [], [], []]
        for (source, target), operation in zip(EDGES, genome, strict=True):
            if operation == "skip_connect":
                nodes[target] += nodes[source]
            elif operation != "none" and nodes[source]:
                nodes[target].append(f"{operation}({'+'.join(sorted(nodes[source]))})")
        return "+".join(sorted(nodes[3]))

    def sketches(self, genome: Genes) -> Sequence[Sketch]:
        """The cell: a skip is a plain link between nodes, and the operation none is left out."""
        nodes, links, places = ["input"], [], [0]
        for target in (1, 2, 3):
            read = []
            for (source, end), operation in zip(EDGES, genome, strict=True):
                if end == target and operation != "none":
                    read.append(places[source])
                    if operation != "skip_connect":
                        links.append((places[source], len(nodes)))
                        read[-1] = len(nodes)
                        nodes.append(str(operation).removeprefix("nor_").replace("_", " "))
            places.append(len(nodes))
            links += [(node, len(nodes)) for node in read]
            nodes.append("output" if target == 3 else f"node {target}")
        return [Sketch("cell", tuple(nodes), tuple(links), ("node 1", "node 2"))]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError when the map cannot be halved twice (and divided by the stem's stride)."""
        check_maps("nasbench201", task)
        divisor = self.stem_stride * 2 ** (STAGES - 1)
        if any(size % divisor for size in task.inputs[1:]):
            raise PlanError(
                f"nasbench201 needs (channels, height, width) inputs with height and width divisible by {divisor}; "
                f"the task has {tuple(task.inputs)}"
            )
        graph = Graph(task.inputs)
        x = graph.add("conv", graph.input, channels=self.channels, kernel=3, stride=self.stem_stride)
        x = graph.add("batch_norm", x)
        for stage in range(STAGES):
            if stage > 0:
                x = residual_block(graph, x)
            for _ in range(self.cells_per_stage):
                x = cell(graph, x, genome)
        x = graph.add("relu", graph.add("batch_norm", x))
        x = graph.add("global_avg_pool", x)
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))


def cell(graph: Graph, x: int, genome: Genes) -> int:
    """Each of the cell's four nodes is the sum of its incoming edges; a node without a live one is dead (None)."""
    nodes: list[int | None] = [x]
    for target in (1, 2, 3):
        terms = [
            edge(graph, operation, start)
            for (source, end), operation in zip(EDGES, genome, strict=True)
            if end == target and operation != "none" and (start := nodes[source]) is not None
        ]
        if len(terms) > 1:
            nodes.append(graph.add("add", *terms))
        else:
            nodes.append(terms[0] if terms else None)
    output = nodes[3]
    return graph.add("zero", x) if output is None else output


def edge(graph: Graph, operation: Gene, x: int) -> int:
    """An edge's operation applied to a live node."""
    match operation:
        case "skip_connect":
            return x
        case "nor_conv_1x1":
            return relu_conv_norm(graph, x, graph.shape(x)[0], kernel=1)
        case "nor_conv_3x3":
            return relu_conv_norm(graph, x, graph.shape(x)[0], kernel=3)
        case "avg_pool_3x3":
            return graph.add("avg_pool", x, kernel=3, stride=1, padding=1)
    raise ValueError(f"{operation!r} is no operation of NAS-Bench-201")


def residual_block(graph: Graph, x: int) -> int:
    """Halves the map and doubles the channels; the shortcut is a 2x2 average pool and a 1x1 convolution."""
    channels = 2 * graph.shape(x)[0]
    branch = relu_conv_norm(graph, relu_conv_norm(graph, x, channels, kernel=3, stride=2), channels, kernel=3)
    shortcut = graph.add("avg_pool", x, kernel=2, stride=2)
    return graph.add("add", branch, graph.add("conv", shortcut, channels=channels, kernel=1))


def relu_conv_norm(graph: Graph, x: int, channels: int, kernel: int, stride: int = 1) -> int:
    """ReLU, convolution without bias, batch normalisation."""
    x = graph.add("conv", graph.add("relu", x), channels=channels, kernel=kernel, stride=stride)
    return graph.add("batch_norm", x)
