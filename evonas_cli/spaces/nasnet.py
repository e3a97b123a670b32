"""The NASNet cell space (Zoph et al., CVPR 2018) with AmoebaNet's operations and mutations (Real et al., AAAI 2019).

A genome is a normal and a reduction cell. Each cell reads the outputs of the two cells before it (hidden states h0,
the one before last, and h1, the last) and adds hidden states h2, h3, ... by pairwise combinations op1(h_i) + op2(h_j);
those that no combination of the cell reads are concatenated as its output. Macro architecture: a 3x3 convolution, N
normal cells, a reduction cell, N normal, a reduction, N normal, then ReLU, global average pooling, a linear classifier.

Cells grow as those of PNAS (Liu et al., ECCV 2018), whose normal and reduction cells are one and the same: a block is a
combination, the same in both cells. Combinations that are not there yet have the operation none, which a genome may
hold and no draw gives.

As one network (`Relaxable`), each of a combination's two sides is an edge, whose operations are all pairs of a hidden
state and an operation; their weights are a side's own, as in ENAS' cells (Pham et al., ICML 2018).

Where the papers leave it open see network/nasnet_layers.py. Not here: auxiliary heads and drop-path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, product
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Gene, Genes, parse, redraw
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.hidden_states import GENES, NONE, Options, Term, cell, form, mixed_cell, sides, wiring
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.nasnet_layers import OPERATIONS
from evonas_cli.network.plan import Graph
from evonas_cli.network.relaxed import Edge, Gate, Mixture, Path, Relaxed, Role, Superplan
from evonas_cli.network.task import Phenotype, Task

CELLS = ("normal", "reduction")
ABSENT: Genes = (0, 0, NONE, NONE)
"""The genes of a combination that is not there."""
STAGES = 3
KEPT = 4096
"""Cells whose forms are remembered."""


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
        given = tuple(operations)
        self.choices: Sequence[Choice] = _choices(combinations, given, given)
        self._loci = _choices(combinations, given, (*given, NONE))

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
        """Both cells by name, each a list of combinations, `["h0", "sep_conv_3x3", "h1", "identity"]`.

        Combinations that are not there are left out at the end of a cell.
        """
        return {name: _rows(genes) for name, genes in zip(CELLS, self._cells(genome), strict=True)}

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError that names what does not fit."""
        if not isinstance(data, dict) or sorted(data) != sorted(CELLS):
            raise ValueError("a genome here is an object with the cells normal and reduction")
        genes: list[Json] = []
        for name in CELLS:
            rows = data[name]
            if not isinstance(rows, list | tuple) or not 1 <= len(rows) <= self.combinations:
                counts = "1" if self.combinations == 1 else f"1 to {self.combinations}"
                raise ValueError(f"the {name} cell must be a list of {counts} combinations")
            for index, row in enumerate(rows):
                if not isinstance(row, list | tuple) or len(row) != GENES:
                    raise ValueError(f'{name} h{index + 2} must read ["h0", "op", "h1", "op"], not {row!r}')
                input1, op1, input2, op2 = row
                genes += [_state(input1, f"{name} h{index + 2}"), _state(input2, f"{name} h{index + 2}"), op1, op2]
            genes += ABSENT * (self.combinations - len(rows))
        return parse(self._loci, genes)

    @property
    def blocks(self) -> int:
        """The combinations of a cell."""
        return self.combinations

    def grown(self, genome: Genes | None, blocks: int) -> Sequence[Genes]:
        """Every combination as the last one of both cells; of two that differ in the order of their sides one."""
        kept = GENES * (blocks - 1)
        normal, reduction = (genes[:kept] for genes in self._cells(genome or ()))
        rest = ABSENT * (self.combinations - blocks)
        terms = self._terms(blocks - 1)
        return [
            (*normal, *(new := (input1, input2, op1, op2)), *rest, *reduction, *new, *rest)
            for (input1, op1), (input2, op2) in combinations_with_replacement(terms, 2)
        ]

    def function_key(self, genome: Genes) -> str:
        """The forms of the cells, without that of a reduction cell to which the output does not lead back: where normal
        cells read every other cell alone it may have no part in the network."""
        normal, reduction = self._cells(genome)
        reads = [{source for source, _ in _inputs(genes)} for genes in (normal, reduction)]
        kinds = [0, *([0] * (self.normal_cells - 1)), *([1, *([0] * self.normal_cells)] * (STAGES - 1))]
        live = {len(kinds) - 1}
        for place in range(len(kinds) - 1, -1, -1):
            if place in live:
                live.update(place - 2 + state for state in reads[kinds[place]])
        reaches = any(kinds[place] == 1 for place in live if place >= 0)
        return f"{self._form(normal, False)} {self._form(reduction, True) if reaches else None}"

    @cached_property
    def _form(self) -> Callable[[Genes, bool], str]:
        return lru_cache(KEPT)(form)

    def _cells(self, genome: Genes) -> tuple[Genes, Genes]:
        """The genes of the normal and of the reduction cell."""
        half = GENES * self.combinations
        return genome[:half], genome[half:]

    def _terms(self, combination: int) -> list[Term]:
        """What a side of a combination may be, in the order of hidden states and then of operations."""
        operations = [str(op) for op in self.choices[2].options]
        return list(product(range(combination + 2), operations))

    def sketches(self, genome: Genes) -> Sequence[Sketch]:
        """Both cells: h0 is the output of the cell before the last one, h1 that of the last one."""
        normal, reduction = self._cells(genome)
        return [_sketch("normal cell", normal), _sketch("reduction cell", reduction)]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError when the task's inputs are no (channels, height, width) maps."""
        cells, graph = self._cells(genome), Graph(task.inputs)

        def add_cell(before: int, last: int, kind: int, filters: int, stride: int) -> int:
            return cell(graph, before, last, cells[kind], filters, stride)

        return Phenotype(graph.plan(self._network(graph, task, add_cell)))

    @cached_property
    def relaxed(self) -> Relaxed:
        """An edge for each side of each combination. An identity of a halved input is a layer."""
        edges = []
        for name, options in zip(CELLS, self._options, strict=True):
            for place, side in enumerate(options.sides):
                roles = tuple([_role(name, source, op) for source, op in side])
                words = tuple([f"h{source} {op}" for source, op in side])
                edges.append(Edge(f"{name} h{2 + place // 2} side {1 + place % 2}", words, roles))
        return Relaxed(tuple(edges))

    def assigned(self, path: Path) -> Genes:
        """The terms that the path picks."""
        offered = [side for options in self._options for side in options.sides]
        terms = [side[picked] for side, picked in zip(offered, path, strict=True)]
        genes: list[Gene] = []
        for (input1, op1), (input2, op2) in zip(terms[::2], terms[1::2], strict=True):
            genes += [input1, input2, op1, op2]
        return tuple(genes)

    def superplan(self, task: Task) -> Superplan:
        """Every side of every combination with all terms. Raises PlanError as `decode`."""
        graph, mixtures, gates = Graph(task.inputs), dict[int, Mixture](), dict[int, Gate]()

        def add_cell(before: int, last: int, kind: int, filters: int, stride: int) -> int:
            return mixed_cell(graph, before, last, self._options[kind], filters, stride, mixtures, gates)

        return Superplan(graph.plan(self._network(graph, task, add_cell)), mixtures, gates)

    @cached_property
    def _options(self) -> tuple[Options, Options]:
        """The edges of both cells."""
        cell_sides = tuple([tuple(self._terms(side // 2)) for side in range(2 * self.combinations)])
        return Options(cell_sides, 0), Options(cell_sides, len(cell_sides))

    def _network(self, graph: Graph, task: Task, add_cell: Callable[[int, int, int, int, int], int]) -> int:
        """The macro architecture around cells, which `add_cell` adds: 0 is the normal cell, 1 the reduction cell."""
        check_maps("nasnet", task)
        filters = self.channels
        x = graph.add("conv", graph.input, channels=self.stem_multiplier * filters, kernel=3)
        before, last = (x := graph.add("batch_norm", x)), x
        for stage in range(STAGES):
            if stage > 0:
                filters *= 2
                before, last = last, add_cell(before, last, 1, filters, 2)
            for _ in range(self.normal_cells):
                before, last = last, add_cell(before, last, 0, filters, 1)
        x = graph.add("global_avg_pool", graph.add("relu", last))
        return graph.add("linear", x, features=task.outputs)


def _choices(combinations: int, first: tuple[str, ...], later: tuple[str, ...]) -> list[Choice]:
    """The loci of a genome, with the operations of the first combination of a cell and those of later ones."""
    return [
        Choice(
            f"{cell} h{index + 2} {gene}", tuple(range(index + 2)) if gene[:2] == "in" else later if index else first
        )
        for cell in CELLS
        for index in range(combinations)
        for gene in ("input1", "input2", "op1", "op2")
    ]


def _rows(genes: Genes) -> list[Json]:
    """The combinations of a cell, without absent ones at its end."""
    while genes[-GENES:] == ABSENT:
        genes = genes[:-GENES]
    return [[f"h{input1}", op1, f"h{input2}", op2] for (input1, op1), (input2, op2) in sides(genes)]


def _inputs(genes: Genes) -> list[Term]:
    """The terms of a cell that read one of its inputs."""
    return [term for terms in wiring(genes)[0].values() for term in terms if term[0] < 2]


def _role(name: str, source: int, op: str) -> Role:
    return "skip" if op == "identity" and (name == "normal" or source >= 2) else "layer"


def _sketch(title: str, genes: Genes) -> Sketch:
    """A cell; an identity is a plain link to the sum that reads it."""
    nodes, links, places, sums = ["h0", "h1"], [], {0: 0, 1: 1}, []
    combined, outputs = wiring(genes)
    for state, terms in combined.items():
        read = []
        for source, op in terms:
            read.append(places[source])
            if op != "identity":
                links.append((read[-1], len(nodes)))
                read[-1] = len(nodes)
                nodes.append(op.replace("_", " "))
        links += [(node, len(nodes)) for node in dict.fromkeys(read)]
        sums.append(f"h{state}: add")
        places[state] = len(nodes)
        nodes.append(sums[-1])
    links += [(places[state], len(nodes)) for state in outputs]
    return Sketch(title, (*nodes, "concat"), tuple(links), tuple(sums))


def _state(name: Json, where: str) -> int:
    if not isinstance(name, str) or not re.fullmatch("h[0-9]{1,4}", name):
        raise ValueError(f"{where} reads {name!r}; hidden states are called h0, h1, ...")
    return int(name[1:])
