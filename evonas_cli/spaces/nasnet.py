"""The NASNet cell space (Zoph et al., CVPR 2018) with AmoebaNet's operations and mutations (Real et al., AAAI 2019).

A genome is a normal and a reduction cell. Each cell reads the outputs of the two cells before it (hidden states h0,
the one before last, and h1, the last) and adds hidden states h2, h3, ... by pairwise combinations op1(h_i) + op2(h_j);
those that no combination of the cell reads are concatenated as its output. Macro architecture: a 3x3 convolution, N
normal cells, a reduction cell, N normal, a reduction, N normal, then ReLU, global average pooling, a linear classifier.

Where the papers leave it open: strides of a 1x7-7x1 pair are in its first half; the dilated separable convolution is
applied once, the others twice; a skipped reduction is ReLU, two half-width 1x1 convolutions of stride 2, the second on
the map shifted by one pixel, concatenation and batch normalisation. Not here: auxiliary heads and drop-path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Gene, Genes, parse, redraw
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

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
CELLS = ("normal", "reduction")
GENES = 4
"""Genes of one combination: the hidden states it reads, as indices, then the operations applied to them."""


class NasNet(Independent):
    """Normal and reduction cells of pairwise combinations (Zoph et al., 2018; AmoebaNet: Real et al., 2019).

    Genomes are, for the normal and then the reduction cell, input1, input2, op1, op2 of each combination.

    `channels` is the paper's F, `normal_cells` its N; the first convolution has `stem_multiplier` times F channels;
    `identity_probability` is that of a mutation that changes nothing. Raises UsageError for numbers out of range and
    unknown operations.
    """

    def __init__(
        self,
        channels: int = 24,
        normal_cells: int = 3,
        combinations: int = 5,
        operations: Sequence[str] = OPERATIONS,
        stem_multiplier: int = 3,
        identity_probability: float = 0.05,
    ) -> None:
        least = {"channels": (channels, 2), "normal_cells": (normal_cells, 1), "combinations": (combinations, 1)}
        for name, (value, minimum) in (least | {"stem_multiplier": (stem_multiplier, 1)}).items():
            if value < minimum:
                raise UsageError(f"space.{name} must be at least {minimum}; it is {value}")
        if len(set(operations)) < 2 or len(set(operations)) < len(operations) or set(operations) - set(OPERATIONS):
            raise UsageError(
                f"space.operations must be two or more different ones of {', '.join(OPERATIONS)}; "
                f"they are {', '.join(operations) or 'none at all'}"
            )
        if not 0 <= identity_probability <= 1:
            raise UsageError(f"space.identity_probability must be in [0, 1]; it is {identity_probability}")
        self.channels = channels
        self.normal_cells = normal_cells
        self.combinations = combinations
        self.stem_multiplier = stem_multiplier
        self.identity_probability = identity_probability
        self.choices: Sequence[Choice] = [
            Choice(f"{cell} h{index + 2} {gene}", tuple(range(index + 2)) if gene[:2] == "in" else tuple(operations))
            for cell in CELLS
            for index in range(combinations)
            for gene in ("input1", "input2", "op1", "op2")
        ]

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """AmoebaNet's mutation: identity, or one input rewired or one operation replaced, with equal chance.

        The cell, the combination and which of its two sides are drawn uniformly. The new value is a different one.
        """
        if rng.random() < self.identity_probability:
            return genome
        combination = rng.randrange(len(CELLS) * self.combinations)
        rewires, side = rng.randrange(2), rng.randrange(2)
        locus = GENES * combination + side + (0 if rewires else 2)
        return redraw(self.choices, genome, locus, rng)

    def recombine(self, parents: Sequence[Genes], rng: Random) -> Genes:
        """Combinations are inherited whole: inputs and operations of each from any of the parents, with equal chances.

        A combination reads hidden states by number, so it fits behind any others. Neither paper recombines.
        """
        child: list[Gene] = []
        for start in range(0, len(self.choices), GENES):
            child += rng.choice(parents)[start : start + GENES]
        return tuple(child)

    def to_json(self, genome: Genes) -> Json:
        """Both cells by name, each a list of combinations, `["h0", "sep_conv_3x3", "h1", "identity"]`."""
        rows = [genome[start : start + GENES] for start in range(0, len(genome), GENES)]
        named = [[f"h{input1}", op1, f"h{input2}", op2] for input1, input2, op1, op2 in rows]
        return {"normal": named[: self.combinations], "reduction": named[self.combinations :]}

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError that names what does not fit."""
        if not isinstance(data, dict) or sorted(data) != sorted(CELLS):
            raise ValueError("a genome here is an object with the cells normal and reduction")
        genes: list[Json] = []
        for name in CELLS:
            rows = data[name]
            if not isinstance(rows, list | tuple) or len(rows) != self.combinations:
                raise ValueError(f"the {name} cell must be a list of {self.combinations} combinations")
            for index, row in enumerate(rows):
                if not isinstance(row, list | tuple) or len(row) != GENES:
                    raise ValueError(f'{name} h{index + 2} must read ["h0", "op", "h1", "op"], not {row!r}')
                input1, op1, input2, op2 = row
                genes += [_state(input1, f"{name} h{index + 2}"), _state(input2, f"{name} h{index + 2}"), op1, op2]
        return parse(self.choices, genes)

    def sketches(self, genome: Genes) -> Sequence[Sketch]:
        """Both cells: h0 is the output of the cell before the last one, h1 that of the last one."""
        half = GENES * self.combinations
        return [_sketch("normal cell", genome[:half]), _sketch("reduction cell", genome[half:])]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError when the task's inputs are no (channels, height, width) maps."""
        check_maps("nasnet", task)
        normal, reduction = genome[: GENES * self.combinations], genome[GENES * self.combinations :]
        graph, filters = Graph(task.inputs), self.channels
        x = graph.add("conv", graph.input, channels=self.stem_multiplier * filters, kernel=3)
        before, last = (x := graph.add("batch_norm", x)), x
        for stage in range(3):
            if stage > 0:
                filters *= 2
                before, last = last, cell(graph, before, last, reduction, filters, stride=2)
            for _ in range(self.normal_cells):
                before, last = last, cell(graph, before, last, normal, filters, stride=1)
        x = graph.add("global_avg_pool", graph.add("relu", last))
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))


def _sketch(title: str, genes: Genes) -> Sketch:
    """A cell; an identity is a plain link to the sum that reads it."""
    nodes, links, states, sums, read = ["h0", "h1"], [], [0, 1], [], set[Gene]()
    for start in range(0, len(genes), GENES):
        *inputs, op1, op2 = genes[start : start + GENES]
        terms = []
        for state, op in zip(inputs, (op1, op2), strict=True):
            terms.append(states[int(state)])
            if op != "identity":
                links.append((terms[-1], len(nodes)))
                terms[-1] = len(nodes)
                nodes.append(str(op).replace("_", " "))
        links += [(term, len(nodes)) for term in dict.fromkeys(terms)]
        sums.append(f"h{len(states)}: add")
        states.append(len(nodes))
        nodes.append(sums[-1])
        read.update(inputs)
    unused = [node for state, node in enumerate(states) if state >= 2 and state not in read]
    links += [(node, len(nodes)) for node in unused]
    return Sketch(title, (*nodes, "concat"), tuple(links), tuple(sums))


def cell(graph: Graph, before: int, last: int, genes: Genes, filters: int, stride: int) -> int:
    """One cell on the outputs of the two before it; its stride belongs to the operations that read those outputs."""
    states = [match(graph, before, graph.shape(last), filters), match(graph, last, graph.shape(last), filters)]
    read: set[Gene] = set()
    for start in range(0, len(genes), GENES):
        *inputs, op1, op2 = genes[start : start + GENES]
        terms = [
            operate(graph, op, states[int(state)], stride if int(state) < 2 else 1)
            for state, op in zip(inputs, (op1, op2), strict=True)
        ]
        states.append(graph.add("add", *terms))
        read.update(inputs)
    unused = [state for index, state in enumerate(states) if index >= 2 and index not in read]
    return graph.add("concat", *unused)


def match(graph: Graph, x: int, like: tuple[int, ...], filters: int) -> int:
    """A cell's input brought to the cell's filters, and to the size of the last cell's map."""
    if graph.shape(x)[1:] != like[1:]:
        return factorised_reduction(graph, x, filters)
    return relu_conv_norm(graph, x, filters, (1, 1))


def operate(graph: Graph, operation: Gene, x: int, stride: int) -> int:
    """An operation applied to a hidden state; it keeps the filters."""
    filters = graph.shape(x)[0]
    match operation:
        case "identity":
            return x if stride == 1 else factorised_reduction(graph, x, filters)
        case "sep_conv_3x3" | "sep_conv_5x5" | "sep_conv_7x7":
            kernel = int(str(operation)[-1])
            return separable(graph, separable(graph, x, kernel, stride), kernel, 1)
        case "dil_conv_3x3":
            return separable(graph, x, 3, stride, dilation=2)
        case "conv_1x7_7x1":
            return relu_conv_norm(graph, relu_conv_norm(graph, x, filters, (1, 7), stride), filters, (7, 1))
        case "avg_pool_3x3" | "max_pool_3x3":
            return graph.add(str(operation).removesuffix("_3x3"), x, kernel=3, stride=stride, padding=1)
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


def _state(name: Json, where: str) -> int:
    if not isinstance(name, str) or not re.fullmatch("h[0-9]{1,4}", name):
        raise ValueError(f"{where} reads {name!r}; hidden states are called h0, h1, ...")
    return int(name[1:])
