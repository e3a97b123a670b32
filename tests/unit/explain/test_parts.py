"""What can be left out of a network: layers with their normalisation, branches; what cannot, and why."""

from __future__ import annotations

import pytest

from evonas_cli.explain.ablation import welch
from evonas_cli.explain.gene_parts import gene_parts
from evonas_cli.explain.parts import Cut, named, parts_of, without
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import NasBench201


def small() -> Plan:
    """A stem, a block that is added to it, and a classifier of the mean."""
    graph = Graph((1, 8, 8))
    stem = graph.add("relu", graph.add("batch_norm", graph.add("conv", graph.input, channels=4, kernel=3)))
    block = graph.add("batch_norm", graph.add("conv", stem, channels=4, kernel=3))
    summed = graph.add("add", stem, block)
    x = graph.add("relu", graph.add("conv", summed, channels=6, kernel=1))
    return graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=3))


def test_layers_and_branches_are_parts_and_the_rest_says_why_it_stays() -> None:
    found = parts_of(small(), 20)
    assert [part.name for part in found.parts] == [
        "conv 3x3, 4 (4)",
        "relu (3) as an input of add (6)",
        "batch norm (5) as an input of add (6)",
        "conv 1x1, 6 (7)",
    ]
    assert found.kept == ("conv 3x3, 4 (1); global avg pool (9): what follows would not fit",)
    doubled, chain, alone, short = [part.plan for part in found.parts]
    assert [node.op for node in alone.nodes] == [
        *("input", "conv", "batch_norm", "relu", "conv", "relu", "global_avg_pool", "linear")
    ]
    assert "add" in [node.op for node in doubled.nodes] and "add" not in [node.op for node in chain.nodes]
    assert short.parameters == small().parameters - 4 * 6 - (6 - 4) * 3


def test_nothing_else_changes() -> None:
    plan = small()
    assert without(plan, Cut()) == plan
    with pytest.raises(PlanError):
        without(plan, Cut(nodes=frozenset({1, 2, 3})))


def test_few_are_asked_for() -> None:
    found = parts_of(small(), 2)
    assert [part.name for part in found.parts] == ["conv 3x3, 4 (4)", "batch norm (5) as an input of add (6)"]
    assert "2 smaller parts (--parts 4 takes all)" in found.kept


def test_equal_parts_of_repeated_cells_go_together() -> None:
    space = NasBench201(channels=4, cells_per_stage=3, nodes=3)
    plan = space.decode(("nor_conv_3x3", "skip_connect", "nor_conv_1x1"), Task((1, 8, 8), 10)).plan
    found = parts_of(plan, 6)
    together = [part for part in found.parts if part.alike > 1]
    assert together and len(found.parts) <= 6
    for part in together:
        assert named(part).endswith(f"and {part.alike - 1} alike")
        assert without(plan, part.cut) == part.plan


def test_genes_name_the_parts_of_repeated_cells() -> None:
    space, task = NasBench201(channels=4), Task((1, 8, 8), 10)
    genome = ("nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3")
    found = gene_parts(space, genome, task)
    assert found is not None
    whole = space.decode(genome, task).plan
    assert [part.name for part in found.parts] == [
        "edge 0>1 nor_conv_3x3 (none in its place)",
        "edge 1>2 skip_connect (none in its place), or edge 2>3 nor_conv_3x3 (none in its place)",
        "edge 0>3 avg_pool_3x3 (none in its place)",
        "edge 1>3 nor_conv_1x1 (none in its place)",
    ]
    assert all(part.plan.parameters <= whole.parameters for part in found.parts)
    assert found.kept == ("edge 0>2 none: no option makes a smaller network",)
    many = parts_of(whole, 4, found)
    assert [part.name for part in many.parts] == [part.name for part in found.parts]


def test_the_interval_is_welchs() -> None:
    from scipy import stats

    a, b = [0.2, 0.25, 0.3, 0.22], [0.1, 0.4, 0.2]
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert welch(a, b) == pytest.approx((theirs.low, theirs.high))
    assert welch([0.1], [0.2, 0.3]) is None and welch([0.1, 0.1], [0.2, 0.2]) is None
