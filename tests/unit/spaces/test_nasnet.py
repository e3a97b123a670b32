"""The NASNet space: genomes as people read them, AmoebaNet's mutations, and the structure of the decoded networks."""

from __future__ import annotations

import json
from collections import Counter
from math import prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Linear, Mutable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.nasnet_layers import OPERATIONS, factorised_reduction, match, operate
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasnet import NasNet

SPACE = NasNet()
CIFAR10 = Task((3, 32, 32), 10)
ONE = NasNet(channels=4, normal_cells=1, combinations=1, stem_multiplier=1)


def convolutions(space: NasNet, genome: tuple[int | str, ...]) -> int:
    return sum(node.op == "conv" for node in space.decode(genome, CIFAR10).plan.nodes)


def test_capabilities():
    assert all(isinstance(SPACE, protocol) for protocol in (Space, Buildable, Mutable, Linear))


def test_number_of_codes_is_the_papers():
    per_cell = prod(len(choice.options) for choice in SPACE.choices[:20])
    assert len(SPACE.choices) == 40
    assert per_cell == (2 * 3 * 4 * 5 * 6) ** 2 * 8**10 and 5.5e14 < per_cell < 5.7e14
    assert prod(len(choice.options) for choice in SPACE.choices) == per_cell**2


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_genomes_round_trip(seed, combinations):
    space = NasNet(combinations=combinations)
    genome = space.sample(Random(seed))
    assert space.from_json(json.loads(json.dumps(space.to_json(genome)))) == genome


def test_the_readable_form():
    genome = (0, 1, "sep_conv_3x3", "identity", 1, 1, "avg_pool_3x3", "conv_1x7_7x1")
    space = NasNet(combinations=1)
    normal, reduction = ["h0", "sep_conv_3x3", "h1", "identity"], ["h1", "avg_pool_3x3", "h1", "conv_1x7_7x1"]
    data = {"normal": [normal], "reduction": [reduction]}
    assert space.to_json(genome) == data and space.from_json(data) == genome


ROW = ["h0", "identity", "h1", "identity"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "cells normal and reduction"),
        ({"normal": [ROW]}, "cells normal and reduction"),
        ({"normal": [ROW], "reduction": [ROW, ROW]}, "the reduction cell must be a list of 1 combinations"),
        ({"normal": [ROW[:3]], "reduction": [ROW]}, "normal h2 must read"),
        ({"normal": ["abcd"], "reduction": [ROW]}, "normal h2 must read"),
        ({"normal": [[0, *ROW[1:]]], "reduction": [ROW]}, "normal h2 reads 0; hidden states are called h0"),
        ({"normal": [ROW], "reduction": [["h2", *ROW[1:]]]}, "reduction h2 input1 is 2; it may be one of"),
        ({"normal": [["h0", "conv", *ROW[2:]]], "reduction": [ROW]}, "normal h2 op1 is 'conv'; it may be one of"),
    ],
)
def test_other_data_is_refused_in_one_line(data, reason):
    with pytest.raises(ValueError) as raised:
        NasNet(combinations=1).from_json(data)
    assert reason in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"normal_cells": 0}, "normal_cells must be at least 1; it is 0"),
        ({"channels": 1}, "channels must be at least 2"),
        ({"combinations": 0}, "combinations must be at least 1"),
        ({"stem_multiplier": 0}, "stem_multiplier must be at least 1"),
        ({"identity_probability": 1.5}, r"identity_probability must be in \[0, 1\]; it is 1.5"),
        ({"operations": ["identity", "conv"]}, "two or more different ones"),
        ({"operations": ["identity"]}, "they are identity"),
    ],
)
def test_impossible_spaces_are_refused(arguments, reason):
    with pytest.raises(UsageError, match=reason):
        NasNet(**arguments)


def test_mutations_and_their_frequencies():
    rng, kinds, loci = Random(0), Counter(), Counter()
    for _ in range(8000):
        genome = SPACE.sample(rng)
        child = SPACE.mutate(genome, rng)
        changed = [locus for locus in range(40) if genome[locus] != child[locus]]
        assert len(changed) <= 1
        kinds["identity" if not changed else "hidden state" if changed[0] % 4 < 2 else "operation"] += 1
        loci.update(changed)
        assert SPACE.from_json(SPACE.to_json(child)) == child
    assert kinds["identity"] / 8000 == pytest.approx(0.05, abs=0.01)
    assert kinds["hidden state"] / 8000 == pytest.approx(0.475, abs=0.025)
    assert len(loci) == 40 and min(loci.values()) > 120


def test_identity_probability_at_its_ends():
    genome = SPACE.sample(Random(0))
    never, always = NasNet(identity_probability=0), NasNet(identity_probability=1)
    assert all(never.mutate(genome, Random(seed)) != genome for seed in range(200))
    assert all(always.mutate(genome, Random(seed)) == genome for seed in range(200))


def test_a_small_network_counted_by_hand():
    """One identity-identity combination a cell, F = 4: every cell is h0 + h1, both matched; counts by layer."""
    plan = ONE.decode((0, 1, "identity", "identity") * 2, CIFAR10).plan

    def pointwise(inputs: int, outputs: int) -> int:
        return inputs * outputs + 2 * outputs

    stem = 3 * 4 * 9 + 8
    first = 2 * pointwise(4, 4)
    down = pointwise(4, 8) * 2 + 2 * pointwise(8, 8)  # match both to 8, reduce both
    second = pointwise(4, 8) + pointwise(8, 8)  # the cell before last is 4 x 32 x 32: reduced and matched at once
    third = 2 * pointwise(8, 16) + 2 * pointwise(16, 16)
    last = pointwise(8, 16) + pointwise(16, 16)
    assert plan.parameters == stem + first + down + second + third + last + 16 * 10 + 10


def test_stages_halve_the_map_and_double_the_filters():
    genome = (0, 1, "avg_pool_3x3", "avg_pool_3x3") * 2
    space = NasNet(channels=6, normal_cells=2, combinations=1)
    plan = space.decode(genome, CIFAR10).plan
    cells = [shape for node, shape in zip(plan.nodes, plan.shapes, strict=True) if node.op == "add"]
    assert cells == [(6, 32, 32)] * 2 + [(12, 16, 16)] * 3 + [(24, 8, 8)] * 3
    bigger = NasNet(channels=6, normal_cells=5, combinations=1).decode(genome, CIFAR10).plan
    assert sum(node.op == "add" for node in bigger.nodes) == 5 * 3 + 2


def test_only_operations_on_cell_inputs_have_the_stride():
    rows = [(0, 1, "max_pool_3x3", "max_pool_3x3"), (2, 2, "avg_pool_3x3", "avg_pool_3x3")]
    genome = sum([*rows, *rows], ())
    plan = NasNet(channels=4, normal_cells=1, combinations=2).decode(genome, CIFAR10).plan
    strides = Counter((node.op, dict(node.params)["stride"]) for node in plan.nodes if node.op[3:] == "_pool")
    assert strides == {("max_pool", 1): 6, ("max_pool", 2): 4, ("avg_pool", 1): 10}


def test_unused_hidden_states_are_the_output():
    genome = (0, 1, "identity", "identity", 0, 0, "identity", "identity", 2, 1, "identity", "identity") * 2
    plan = NasNet(channels=4, normal_cells=1, combinations=3).decode(genome, CIFAR10).plan
    widths = [
        (len(node.inputs), shape)
        for node, shape in zip(plan.nodes, plan.shapes, strict=True)
        if node.op == "concat" and all(plan.nodes[source].op == "add" for source in node.inputs)
    ]
    assert widths == [(2, (8, 32, 32)), (2, (16, 16, 16)), (2, (16, 16, 16)), (2, (32, 8, 8)), (2, (32, 8, 8))]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("identity", []),
        ("sep_conv_5x5", ["relu", "conv", "conv", "batch_norm"] * 2),
        ("dil_conv_3x3", ["relu", "conv", "conv", "batch_norm"]),
        ("conv_1x7_7x1", ["relu", "conv", "batch_norm"] * 2),
        ("avg_pool_3x3", ["avg_pool"]),
        ("max_pool_3x3", ["max_pool"]),
    ],
)
def test_operations_as_the_paper_has_them(operation, expected):
    for stride, shape in ((1, (6, 9, 8)), (2, (6, 5, 4))):
        graph = Graph((6, 9, 8))
        plan = graph.plan(operate(graph, operation, graph.input, stride))
        assert plan.shapes[plan.output] == shape
        if operation != "identity":
            assert [node.op for node in plan.nodes[1:]] == expected


def test_operation_kernels():
    def layers(operation: str) -> list[tuple[object, ...]]:
        graph = Graph((6, 8, 8))
        plan = graph.plan(operate(graph, operation, graph.input, 2))
        settings = [dict(node.params) for node in plan.nodes if node.op == "conv"]
        return [tuple(s[key] for key in ("kernel_h", "kernel_w", "stride_h", "dilation", "groups")) for s in settings]

    assert layers("sep_conv_7x7") == [(7, 7, 2, 1, 6), (1, 1, 1, 1, 1), (7, 7, 1, 1, 6), (1, 1, 1, 1, 1)]
    assert layers("dil_conv_3x3") == [(3, 3, 2, 2, 6), (1, 1, 1, 1, 1)]
    assert layers("conv_1x7_7x1") == [(1, 7, 2, 1, 1), (7, 1, 1, 1, 1)]


@pytest.mark.parametrize("filters", [6, 7])
def test_a_factorised_reduction_reads_two_diagonals(filters):
    graph = Graph((4, 7, 8))
    plan = graph.plan(factorised_reduction(graph, graph.input, filters))
    assert [node.op for node in plan.nodes] == ["input", "relu", "conv", "shift", "conv", "concat", "batch_norm"]
    assert plan.shapes[-1] == (filters, 4, 4) and plan.parameters == 4 * filters + 2 * filters


def test_inputs_are_matched_by_size():
    graph = Graph((4, 8, 8))
    same = graph.shape(match(graph, graph.input, (9, 8, 8), 6))
    half = graph.shape(match(graph, graph.input, (9, 4, 4), 6))
    assert (same, half) == ((6, 8, 8), (6, 4, 4))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 5), (1, 3, 9), (2, 2, 2), (1, 1, 1)])
def test_every_map_has_a_network(shape):
    space = NasNet(channels=4, normal_cells=1)
    for seed in range(30):
        plan = space.decode(space.sample(Random(seed)), Task(shape, 10)).plan
        assert plan.shapes[plan.output] == (10,) and plan.parameters > 0


def test_inputs_without_a_map_are_refused():
    with pytest.raises(PlanError, match=r"height, width\) inputs; the task has vectors 64; space=mlp reads vectors"):
        SPACE.decode(SPACE.sample(Random(0)), Task((64,), 10))


def test_equal_cells_written_differently_have_equal_hashes():
    space = NasNet(channels=4, normal_cells=1, combinations=3)
    a, b = ("sep_conv_3x3", "identity"), ("max_pool_3x3", "avg_pool_3x3")
    one = (0, 1, *a, 1, 1, *b, 2, 3, *a)
    swapped_sides = (1, 0, *a[::-1], 1, 1, *b[::-1], 3, 2, *a[::-1])
    swapped_order = (1, 1, *b, 0, 1, *a, 3, 2, *a)
    hashes = [canonical_hash(space.decode(genome * 2, CIFAR10).plan) for genome in (one, swapped_sides, swapped_order)]
    assert len(set(hashes)) == 1
    other = (0, 1, *a, 1, 1, *b, 3, 2, *a)
    assert canonical_hash(space.decode(other * 2, CIFAR10).plan) != hashes[0]


def test_wider_operations_cost_more():
    costs = [convolutions(ONE, (0, 1, op, op) * 2) for op in ("avg_pool_3x3", "conv_1x7_7x1", "sep_conv_3x3")]
    assert costs == sorted(set(costs))
    sizes = [SPACE.decode((0, 1, op, op) * 10, CIFAR10).plan.parameters for op in OPERATIONS[1:4]]
    assert sizes == sorted(set(sizes))


def test_children_inherit_whole_combinations():
    space, rng = NasNet(combinations=3), Random(0)
    seen = Counter()
    for _ in range(200):
        parents = [space.sample(rng) for _ in range(2)]
        child = space.recombine(parents, rng)
        for start in range(0, len(child), 4):
            taken = [parent[start : start + 4] == child[start : start + 4] for parent in parents]
            assert any(taken)
            seen[start, tuple(taken)] += 1
        assert space.decode(child, CIFAR10).plan.parameters > 0
    assert all(seen[start, (True, False)] > 70 < seen[start, (False, True)] for start in range(0, 24, 4))
