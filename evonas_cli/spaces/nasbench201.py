"""The cell space of NAS-Bench-201 (Dong & Yang, ICLR 2020): four nodes, six edges, five operations, 15,625 cells.

Macro architecture: a 3x3 convolution; three stages of equal cells with C, 2C and 4C channels, a residual block of
stride 2 between them; batch normalisation, ReLU, global average pooling and a linear classifier. The benchmark has
C = 16 and 5 cells a stage; `nodes` makes cells of other sizes. Deviation: edges that no live path connects with the
cell's input and output are left out, where the benchmark trains (and mostly counts) them; a cell whose output is dead
is one `zero`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import product
from typing import TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Gene, Genes, parse
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.relaxed import Edge, Mixture, Path, Relaxed, Role, Superplan
from evonas_cli.network.task import Phenotype, Task

Edges: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs of a source and a target, ordered by target and then by source."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
ROLES: dict[str, Role] = {"none": "none", "skip_connect": "skip"}
STAGES = 3


class NasBench201(Independent):
    """The cells of NAS-Bench-201: 4 nodes, 6 edges, 5 operations (Dong and Yang, 2020).

    Genomes are the six operation names, in the order of the edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.

    With `nodes` other than the benchmark's 4 a cell has other edges: 3 nodes and 4 operations are 64 cells, so few that
    all of them can be trained. `channels` are those of the first stage; `stem_stride` 2 halves the map at once, for
    large images; `operations` are the allowed ones, in the order that indexes them. Raises UsageError for numbers below
    1 or unknown operations.
    """

    def __init__(
        self,
        channels: int = 16,
        cells_per_stage: int = 5,
        stem_stride: int = 1,
        operations: Sequence[str] = OPERATIONS,
        nodes: int = 4,
    ) -> None:
        if type(nodes) is not int or not 2 <= nodes <= 8:
            raise UsageError(f"space.nodes must be a whole number from 2 to 8; it is {nodes!r}")
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
        self.nodes = nodes
        self._edges = tuple([(source, target) for target in range(1, nodes) for source in range(target)])
        self.choices: Sequence[Choice] = [Choice(f"edge {a}>{b}", tuple(operations)) for a, b in self._edges]

    def to_json(self, genome: Genes) -> Json:
        """The benchmark's own string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        return self._form % tuple(genome)

    def from_json(self, data: Json) -> Genes:
        """The cell that the benchmark's string describes. Raises ValueError for anything else."""
        match = self._pattern.fullmatch(data) if isinstance(data, str) else None
        if match is None:
            raise ValueError(f"a cell reads {self._form % (('op',) * len(self._edges))}, not {data!r}")
        return parse(self.choices, match.groups())

    def function_key(self, genome: Genes) -> str:
        """The cell as an expression: per node the sorted terms that it sums; 4,930 for the 15,625 cells.

        A skip passes its source's terms through and a dead source contributes none. Which node holds a term is not in
        it, so a layer that is read twice is not told from two layers with equal settings, whose weights may differ.
        """
        nodes: list[list[str]] = [["x"], *([] for _ in range(1, self.nodes))]
        for (source, target), operation in zip(self._edges, genome, strict=True):
            if operation == "skip_connect":
                nodes[target] += nodes[source]
            elif operation != "none" and nodes[source]:
                nodes[target].append(f"{operation}({'+'.join(sorted(nodes[source]))})")
        return "+".join(sorted(nodes[-1]))

    @property
    def blocks(self) -> int:
        """The edge from input to output, then each inner node with its edges: three for the benchmark's cells."""
        return self.nodes - 1

    def grown(self, genome: Genes | None, blocks: int) -> Sequence[Genes]:
        """Every choice of operations on the edges of the last block; those of later blocks are none.

        Raises UsageError where `operations` lack none.
        """
        options = self.choices[0].options
        if "none" not in options:
            raise UsageError("a cell that grows begins with edges of the operation none; add it to space.operations")
        own = [1 + (source if target == self.nodes - 1 else target) for source, target in self._edges]
        found = []
        for operations in product(options, repeat=own.count(blocks)):
            new, kept = iter(operations), genome or ("none",) * len(own)
            pairs = zip(own, kept, strict=True)
            found.append(tuple([next(new) if b == blocks else gene if b < blocks else "none" for b, gene in pairs]))
        return found

    def sketches(self, genome: Genes) -> Sequence[Sketch]:
        """The cell: a skip is a plain link between nodes, and the operation none is left out."""
        nodes, links, places = ["input"], [], [0]
        for target in range(1, self.nodes):
            read = []
            for (source, end), operation in zip(self._edges, genome, strict=True):
                if end == target and operation != "none":
                    read.append(places[source])
                    if operation != "skip_connect":
                        links.append((places[source], len(nodes)))
                        read[-1] = len(nodes)
                        nodes.append(str(operation).removeprefix("nor_").replace("_", " "))
            places.append(len(nodes))
            links += [(node, len(nodes)) for node in read]
            nodes.append("output" if target == self.nodes - 1 else f"node {target}")
        return [Sketch("cell", tuple(nodes), tuple(links), tuple(f"node {n}" for n in range(1, self.nodes - 1)))]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError when the map cannot be halved twice (and divided by the stem's stride)."""
        graph = Graph(task.inputs)
        output = self._network(graph, task, lambda x: cell(graph, x, genome, self._edges))
        return Phenotype(graph.plan(output))

    @cached_property
    def relaxed(self) -> Relaxed:
        """An edge for each gene."""
        edges = []
        for choice in self.choices:
            names = tuple([str(option) for option in choice.options])
            edges.append(Edge(choice.name, names, tuple([ROLES.get(name, "layer") for name in names])))
        return Relaxed(tuple(edges))

    def assigned(self, path: Path) -> Genes:
        """The operations that the path picks."""
        return tuple([choice.options[picked] for choice, picked in zip(self.choices, path, strict=True)])

    def superplan(self, task: Task) -> Superplan:
        """Every edge of every cell with all operations. Raises PlanError as `decode`."""
        graph, mixtures = Graph(task.inputs), dict[int, Mixture]()
        output = self._network(graph, task, lambda x: mixed_cell(graph, x, self.choices, self._edges, mixtures))
        return Superplan(graph.plan(output), mixtures)

    def _network(self, graph: Graph, task: Task, add_cell: Callable[[int], int]) -> int:
        """The macro architecture around cells, which `add_cell` adds to a node."""
        check_maps("nasbench201", task)
        divisor = self.stem_stride * 2 ** (STAGES - 1)
        if any(size % divisor for size in task.inputs[1:]):
            raise PlanError(
                f"nasbench201 needs (channels, height, width) inputs with height and width divisible by {divisor}; "
                f"the task has {tuple(task.inputs)}"
            )
        x = graph.add("conv", graph.input, channels=self.channels, kernel=3, stride=self.stem_stride)
        x = graph.add("batch_norm", x)
        for stage in range(STAGES):
            if stage > 0:
                x = residual_block(graph, x)
            for _ in range(self.cells_per_stage):
                x = add_cell(x)
        x = graph.add("relu", graph.add("batch_norm", x))
        x = graph.add("global_avg_pool", x)
        return graph.add("linear", x, features=task.outputs)

    @cached_property
    def _form(self) -> str:
        """The benchmark's string, with a place for the word of each edge: `|%s~0|+|%s~0|%s~1|`."""
        return "+".join("|" + "".join(f"%s~{source}|" for source in range(target)) for target in range(1, self.nodes))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        place = "PLACE"
        return re.compile(re.escape(self._form % ((place,) * len(self._edges))).replace(place, r"(\w+)"))


def cell(graph: Graph, x: int, genome: Genes, edges: Edges = EDGES) -> int:
    """Each of the cell's nodes is the sum of its incoming edges; a node without a live one is dead (None)."""
    nodes: list[int | None] = [x]
    for target in range(1, edges[-1][1] + 1):
        terms = [
            edge(graph, operation, start)
            for (source, end), operation in zip(edges, genome, strict=True)
            if end == target and operation != "none" and (start := nodes[source]) is not None
        ]
        if len(terms) > 1:
            nodes.append(graph.add("add", *terms))
        else:
            nodes.append(terms[0] if terms else None)
    output = nodes[-1]
    return graph.add("zero", x) if output is None else output


def mixed_cell(graph: Graph, x: int, choices: Sequence[Choice], edges: Edges, mixtures: dict[int, Mixture]) -> int:
    """As `cell`, with all options of each edge; the nodes that mix them are added to `mixtures`."""
    nodes = [x]
    for target in range(1, edges[-1][1] + 1):
        terms = []
        for number, (source, end) in enumerate(edges):
            if end != target:
                continue
            names = choices[number].options
            branches = tuple([None if name == "none" else edge(graph, name, nodes[source]) for name in names])
            terms.append(graph.add("add", *[branch for branch in branches if branch is not None]))
            mixtures[terms[-1]] = Mixture(number, branches)
        nodes.append(graph.add("add", *terms))
    return nodes[-1]


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
