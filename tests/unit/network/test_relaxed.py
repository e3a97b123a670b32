"""Relaxed cells: paths are numbered, and what of a superplan a path computes is the network of its genome."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.network.relaxed import Edge, Relaxed
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201

SPACE, TASK = NasBench201(channels=4, cells_per_stage=1), Task((1, 8, 8), 10)
SUPERPLAN = SPACE.superplan(TASK)
paths = st.tuples(*[st.integers(0, len(OPERATIONS) - 1)] * 6)


def test_paths_are_numbered_without_gaps() -> None:
    relaxed = NasBench201(nodes=3, operations=OPERATIONS[:4]).relaxed
    found = [relaxed.path(number) for number in range(relaxed.paths)]
    assert relaxed.paths == len(set(found)) == 64
    assert found[0] == (0, 0, 0) and found[-1] == (3, 3, 3)


@given(paths)
def test_a_path_costs_what_the_network_of_its_genome_costs(path: tuple[int, ...]) -> None:
    genome = SPACE.assigned(path)
    if SPACE.function_key(genome):  # of a cell that gives zeros the superplan leaves out all that follows
        plan = SPACE.decode(genome, TASK).plan
        assert SUPERPLAN.multiply_adds(path) == plan.multiply_adds
        live = [SUPERPLAN.plan.nodes[node].op for node in SUPERPLAN.live(path) if node not in SUPERPLAN.mixtures]
        assert sorted(op for op in live if op != "add") == sorted(n.op for n in plan.nodes if n.op != "add")


def test_operations_that_are_wiped_out_and_what_they_alone_feed_are_not_computed() -> None:
    every = tuple([(True,) * 5] * 6)
    assert SUPERPLAN.live_mixture(every) == SUPERPLAN.live_mixture()
    without = (*every[:5], (True, True, False, True, True))
    gone = SUPERPLAN.live_mixture().keys() - SUPERPLAN.live_mixture(without).keys()
    assert {SUPERPLAN.plan.nodes[node].op for node in gone} == {"relu", "conv", "batch_norm"}
    assert len(gone) == 3 * 3, "three nodes in each of three cells"


def test_roles_and_skips() -> None:
    assert SPACE.relaxed.edges[0].roles == ("none", "skip", "layer", "layer", "layer")
    assert SPACE.relaxed.skips((1, 1, 0, 2, 3, 1)) == 3


def test_an_edge_of_one_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="two operations or more"):
        Relaxed((Edge("a", ("skip",), ("skip",)),))
