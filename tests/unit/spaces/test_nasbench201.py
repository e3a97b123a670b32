"""NAS-Bench-201's cells: strings, operators, the benchmark's own counts, and how many different cells there are."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Linear, Mutable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import EDGES, OPERATIONS, NasBench201, cell

SPACE = NasBench201()
SMALL = NasBench201(channels=4, cells_per_stage=1)
CIFAR10 = Task((3, 32, 32), 10)
genomes = st.tuples(*[st.sampled_from(OPERATIONS)] * 6)


def has_dead_branch(genome: tuple[str, ...]) -> bool:
    """Whether an operation other than none lies on no path from the cell's input to its output."""
    live = [edge for edge, operation in zip(EDGES, genome, strict=True) if operation != "none"]
    fed, used = {0}, {3}
    for _ in range(3):
        fed |= {end for start, end in live if start in fed}
        used |= {start for start, end in live if end in used}
    return any(start not in fed or end not in used for start, end in live)


def test_capabilities():
    assert all(isinstance(SPACE, protocol) for protocol in (Space, Buildable, Mutable, Linear))
    assert [choice.name for choice in SPACE.choices] == [f"edge {a}>{b}" for a, b in EDGES]


@given(genomes)
def test_strings_round_trip(genome):
    text = SPACE.to_json(genome)
    assert SPACE.from_json(text) == genome
    assert text.count("~0") == 3 and text.count("~1") == 2 and text.count("~2") == 1


def test_the_string_is_the_benchmarks():
    genome = ("nor_conv_3x3", "none", "avg_pool_3x3", "skip_connect", "nor_conv_1x1", "none")
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
    assert SPACE.to_json(genome) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("|none~0|+|none~0|none~1|", "a cell reads"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "a cell reads"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|\n", "a cell reads"),
        (["none"] * 6, "a cell reads"),
        (None, "a cell reads"),
        ("|none~0|+|none~0|conv~1|+|none~0|none~1|none~2|", "edge 1>2 is 'conv'; it may be one of"),
    ],
)
def test_other_strings_are_refused_in_one_line(data, reason):
    with pytest.raises(ValueError) as raised:
        SPACE.from_json(data)
    assert reason in str(raised.value) and "\n" not in str(raised.value)


def test_a_space_with_fewer_operations():
    space = NasBench201(operations=["nor_conv_3x3", "none"])
    assert {gene for seed in range(30) for gene in space.sample(Random(seed))} == {"nor_conv_3x3", "none"}
    with pytest.raises(ValueError, match="edge 0>1 is 'skip_connect'"):
        space.from_json(SPACE.to_json(("skip_connect",) * 6))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"channels": 0}, "channels must be at least 1; it is 0"),
        ({"cells_per_stage": 0}, "cells_per_stage must be at least 1"),
        ({"stem_stride": -1}, "stem_stride must be at least 1"),
        ({"operations": ["none", "conv"]}, "two or more different ones of none, skip_connect"),
        ({"operations": ["none"]}, "they are none"),
        ({"operations": ["none", "none", "skip_connect"]}, "two or more different"),
        ({"operations": []}, "none at all"),
    ],
)
def test_impossible_spaces_are_refused(arguments, reason):
    with pytest.raises(UsageError, match=reason):
        NasBench201(**arguments)


def test_mutation_changes_one_edge_and_reaches_all_neighbours():
    genome = SPACE.sample(Random(0))
    neighbours = {SPACE.mutate(genome, Random(seed)) for seed in range(600)}
    assert len(neighbours) == 6 * 4
    assert all(sum(a != b for a, b in zip(genome, other, strict=True)) == 1 for other in neighbours)


def test_samples_are_uniform():
    rng = Random(0)
    counts = Counter(gene for _ in range(2000) for gene in SPACE.sample(rng))
    assert set(counts) == set(OPERATIONS) and all(abs(count - 2400) < 300 for count in counts.values())


@pytest.mark.parametrize(
    ("cell_string", "parameters", "multiply_adds"),
    [
        ("|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|", 73306, 7783040),
        (SPACE.to_json(("nor_conv_3x3",) * 6), 1531546, 220119680),
        ("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|", 559386, 78561920),
    ],
)
def test_published_sizes(cell_string, parameters, multiply_adds):
    """Smallest, largest and ResNet cell; the benchmark prints 7.78305, 220.11969 and 78.56 M, with the 10 biases."""
    plan = SPACE.decode(SPACE.from_json(cell_string), CIFAR10).plan
    assert (plan.parameters, plan.multiply_adds) == (parameters, multiply_adds)


def test_counts_follow_the_benchmarks_formulas():
    rng, compared = Random(1), 0
    while compared < 150:
        genome = SPACE.sample(rng)
        if not has_dead_branch(genome):
            compared += 1
            plan = SPACE.decode(genome, CIFAR10).plan
            n1, n3 = genome.count("nor_conv_1x1"), genome.count("nor_conv_3x3")
            assert plan.parameters == 73306 + 28000 * n1 + 243040 * n3
            assert plan.multiply_adds == 7783040 + 3932160 * n1 + 35389440 * n3


def test_dead_branches_are_left_out():
    kept = ("none", "none", "none", "nor_conv_1x1", "none", "none")
    unread = ("nor_conv_3x3", *kept[1:])
    unfed = (*kept[:4], "nor_conv_3x3", "nor_conv_3x3")
    assert has_dead_branch(unread) and has_dead_branch(unfed) and not has_dead_branch(kept)
    plans = [SPACE.decode(genome, CIFAR10).plan for genome in (kept, unread, unfed)]
    assert plans[0] == plans[1] == plans[2] and plans[0].parameters == 73306 + 28000


def test_a_dead_cell_is_zero():
    plan = SMALL.decode(("nor_conv_3x3", "nor_conv_3x3", "none", "none", "none", "none"), CIFAR10).plan
    assert Counter(node.op for node in plan.nodes)["zero"] == 3
    same = SMALL.decode(("none",) * 6, CIFAR10).plan
    assert plan == same


def test_layout():
    genome = ("none", "none", "none", "avg_pool_3x3", "none", "none")
    plan = NasBench201(channels=8, cells_per_stage=2, stem_stride=2).decode(genome, Task((1, 64, 48), 5)).plan
    pools = [index for index, node in enumerate(plan.nodes) if node.op == "avg_pool"]
    inside = [plan.shapes[index] for index in pools if ("kernel", 3) in plan.nodes[index].params]
    assert inside == [(8, 32, 24)] * 2 + [(16, 16, 12)] * 2 + [(32, 8, 6)] * 2
    assert len(pools) == 8 and plan.shapes[plan.output] == (5,) and plan.depth == 1 + 2 + 2 + 1


@pytest.mark.parametrize(("shape", "stride"), [((3, 30, 32), 1), ((3, 32, 30), 1), ((3, 28, 28), 2)])
def test_maps_that_cannot_be_halved_are_refused(shape, stride):
    with pytest.raises(PlanError, match=f"divisible by {4 * stride}"):
        NasBench201(stem_stride=stride).decode(("skip_connect",) * 6, Task(shape, 10))


def test_number_of_different_cells():
    """15,625 cells, 5,260 classes: a key that ignores sharing of layers finds 4,930, the benchmark's string 6,466."""
    functions: dict[str, set[str]] = {}
    for genome in itertools.product(OPERATIONS, repeat=6):
        graph = Graph((4, 8, 8))
        found = canonical_hash(graph.plan(cell(graph, graph.input, genome)))
        functions.setdefault(found, set()).add(SPACE.function_key(genome))
    assert len(functions) == 5260
    assert all(len(keys) == 1 for keys in functions.values()), (
        "equal for all weights is equal with weights of their own"
    )
    assert len(set().union(*functions.values())) == 4930


def test_a_shared_convolution_is_told_from_two():
    shared = ("nor_conv_1x1", "none", "skip_connect", "none", "skip_connect", "skip_connect")
    two = ("none", "skip_connect", "none", "nor_conv_1x1", "none", "nor_conv_1x1")
    plans = [SMALL.decode(genome, CIFAR10).plan for genome in (shared, two)]
    assert canonical_hash(plans[0]) != canonical_hash(plans[1])
    assert SPACE.function_key(shared) == SPACE.function_key(two)
    assert plans[0].parameters < plans[1].parameters


@pytest.mark.data
def test_counts_equal_the_published_table():
    folder = os.environ.get("EVONAS_DATA_DIR")
    if folder is None:
        pytest.skip("EVONAS_DATA_DIR is not set; it names the folder that holds nasbench201.csv.gz")
    with gzip.open(Path(folder) / "nasbench201.csv.gz", "rt") as table:
        rows = [row for row in csv.DictReader(table) if not has_dead_branch(SPACE.from_json(row["arch"]))]
    assert len(rows) > 5000
    for row in Random(2).sample(rows, 300):
        genome = SPACE.from_json(row["arch"])
        assert SPACE.to_json(genome) == row["arch"]
        assert "".join(str(OPERATIONS.index(gene)) for gene in genome) == row["code"]
        plan = SPACE.decode(genome, CIFAR10).plan
        assert plan.parameters / 1e6 == pytest.approx(float(row["c10_params_m"]), abs=1e-6)
        assert (plan.multiply_adds + 10) / 1e6 == pytest.approx(float(row["c10_flops_m"]), abs=1e-5)
