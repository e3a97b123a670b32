"""Graphs of convolutions: no invalid network, no dead node, bounded pooling, duplicates, JSON, what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Crossable, Linear, Measured, Mutable, Sketched
from evonas_cli.genomes.layer_graph import Layer, LayerGraph
from evonas_cli.genomes.ordered_graph import check
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.spaces.dag_cnn import DagCnn

TASK = Task((1, 8, 8), 10)
SPACE = DagCnn()


def conv(filters: int = 8, kernel: int = 3, merge: str = "add") -> Layer:
    return Layer("conv", kernel, filters, merge)


def pool(op: str = "max_pool", merge: str = "add") -> Layer:
    return Layer(op, 0, 0, merge)


def renumbered(genome: LayerGraph, rng: Random) -> LayerGraph:
    """The same graph in another topological order, drawn at random; the output stays last."""
    left, order = list(range(1, len(genome.layers) + 1)), [0]
    while left:
        ready = [node for node in left if set(genome.edges[node - 1]) <= set(order)]
        order.append(rng.choice([node for node in ready if node < len(genome.layers)] or ready))
        left.remove(order[-1])
    place = {node: number for number, node in enumerate(order)}
    layers = tuple([genome.layers[node - 1] for node in order[1:]])
    edges = tuple([tuple(sorted(place[source] for source in genome.edges[node - 1])) for node in order[1:]])
    return LayerGraph(layers, edges)


def is_sound(space: DagCnn, genome: LayerGraph, task: Task) -> Plan:
    """A genome's plan, after a check of the laws that hold for every genome."""
    check(genome.edges)
    assert space.from_json(space.to_json(genome)) == genome
    assert max(genome.halvings()) <= space.halvings
    plan = space.decode(genome, task).plan
    kinds = [node.op for node in plan.nodes]
    assert kinds.count("batch_norm") == sum(not layer.pools for layer in genome.layers), "no node is dead"
    assert kinds.count("avg_pool") == sum(layer.op == "avg_pool" for layer in genome.layers)
    assert plan.shapes[plan.output] == (task.outputs,)
    return plan


def test_capabilities() -> None:
    for capability in (Space, Buildable, Mutable, Crossable, Measured, Sketched):
        assert isinstance(SPACE, capability)
    assert not isinstance(SPACE, Linear)


def test_no_sample_of_a_thousand_is_invalid() -> None:
    rng, hashes = Random(0), set()
    for _ in range(1000):
        hashes.add(canonical_hash(is_sound(SPACE, SPACE.sample(rng), TASK)))
    assert len(hashes) > 950


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(1, 8, 8), (3, 11, 9), (2, 32, 8)]))
def test_no_descendant_is_invalid(seed: int, shape: tuple[int, int, int]) -> None:
    """Mutants and children of several generations; pooling is frequent, so its bound is met."""
    space, rng = DagCnn(initial_nodes=(1, 6), max_nodes=8, pool_probability=0.6), Random(seed)
    family = [space.sample(rng) for _ in range(4)]
    for _ in range(8):
        child = space.mutate(space.recombine(rng.sample(family, 2), rng), rng)
        assert len(child.layers) <= 8
        is_sound(space, child, Task(shape, 4))
        family.append(child)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_networks_run(seed: int) -> None:
    plan = SPACE.decode(SPACE.sample(Random(seed)), Task((3, 9, 8), 4)).plan
    module = Network(plan, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        assert module(torch.zeros(2, 3, 9, 8)).shape == (2, 4)


def test_isomorphic_graphs_have_one_hash() -> None:
    rng, apart = Random(1), 0
    for _ in range(300):
        genome = SPACE.sample(rng)
        other = renumbered(genome, rng)
        apart += other != genome
        assert canonical_hash(SPACE.decode(other, TASK).plan) == canonical_hash(SPACE.decode(genome, TASK).plan)
    assert apart > 100


def test_the_network_by_hand() -> None:
    """Node 1 pools; 2 reads the image; 3 adds both, after 2 was halved and 1 was widened; 4 concatenates 3 and 2."""
    layers = (pool("avg_pool"), conv(8, 1), conv(16, 3), conv(4, 5, "concat"))
    genome = LayerGraph(layers, ((0,), (0,), (1, 2), (2, 3)))
    plan = DagCnn(filters=(4, 8, 16)).decode(genome, Task((3, 9, 8), 10)).plan
    found = [(node.op, node.inputs, shape) for node, shape in zip(plan.nodes, plan.shapes, strict=True)]
    assert found == [
        ("input", (), (3, 9, 8)),
        ("avg_pool", (0,), (3, 4, 4)),
        ("conv", (0,), (8, 9, 8)),
        ("batch_norm", (2,), (8, 9, 8)),
        ("relu", (3,), (8, 9, 8)),
        ("max_pool", (4,), (8, 4, 4)),
        ("conv", (1,), (8, 4, 4)),
        ("add", (6, 5), (8, 4, 4)),
        ("conv", (7,), (16, 4, 4)),
        ("batch_norm", (8,), (16, 4, 4)),
        ("relu", (9,), (16, 4, 4)),
        ("max_pool", (4,), (8, 4, 4)),
        ("concat", (11, 10), (24, 4, 4)),
        ("conv", (12,), (4, 4, 4)),
        ("batch_norm", (13,), (4, 4, 4)),
        ("relu", (14,), (4, 4, 4)),
        ("global_avg_pool", (15,), (4,)),
        ("linear", (16,), (10,)),
    ]
    [sketch] = SPACE.sketches(genome)
    assert sketch.nodes == (
        "input", "avg pool", "conv 1x1, 8", "add", "conv 3x3, 16", "concat", "conv 5x5, 4", "output"
    )  # fmt: skip
    assert sketch.links == ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (2, 5), (4, 5), (5, 6), (6, 7))


def test_depth_has_no_bound_unless_one_is_set() -> None:
    """A chain of single-edge nodes grows by mutation for as long as it is allowed to."""
    free, bound = DagCnn(initial_nodes=(1, 1)), DagCnn(initial_nodes=(1, 1), max_nodes=3)
    for space, longest in ((free, None), (bound, 3)):
        rng, genome, sizes = Random(0), space.sample(Random(0)), []
        for _ in range(600):
            genome = space.mutate(genome, rng)
            sizes.append(len(genome.layers))
        assert min(sizes) >= 1 and (max(sizes) == longest if longest else max(sizes) > 12)


def test_a_pooling_node_too_many_becomes_a_convolution() -> None:
    """Node 3 may pool while it reads the image, not once it lies behind two pooling nodes."""
    space = DagCnn(halvings=2, filters=(8,))
    first = LayerGraph((pool(), pool(), conv()), ((0,), (1,), (2,)))
    second = LayerGraph((conv(), conv(), pool()), ((0,), (1,), (2,)))
    children = [space.recombine([first, second], Random(seed)) for seed in range(20)]
    assert {tuple([layer.pools for layer in child.layers]) for child in children} == {
        (True, False, True),
        (True, True, False),
    }


def test_distance_counts_nodes_that_one_lacks() -> None:
    one = LayerGraph((conv(),), ((0,),))
    assert SPACE.distance(one, LayerGraph((conv(16),), ((0,),))) == pytest.approx(1 / 5)
    assert SPACE.distance(one, LayerGraph((conv(), conv()), ((0,), (1,)))) == pytest.approx(6 / 11)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (0, {"filters": 9}, "node 1: filters is 9"),
        (0, {"kernel": "3"}, "node 1: kernel is '3'"),
        (0, {"op": "lstm"}, "node 1: op is 'lstm'"),
        (0, {"op": "max_pool"}, "node 1 must be an object with op, merge, inputs"),
        (1, {"merge": "mean"}, "node 2: merge is 'mean'"),
        (1, {"inputs": [2]}, "node 2: inputs must be earlier nodes, else there is a cycle"),
        (1, {"inputs": []}, "node 2 is an orphan"),
        (2, {"inputs": [0, 2]}, "node 1 is a second output beside node 3"),
    ],
)
def test_nodes_that_are_none(place: int, change: dict[str, Any], message: str) -> None:
    data: Any = SPACE.to_json(LayerGraph((conv(), pool(), conv()), ((0,), (0,), (1, 2))))
    SPACE.from_json(data)
    data[place].update(change)
    with pytest.raises(ValueError, match=message):
        SPACE.from_json(data)


def test_graphs_that_are_too_long_or_pool_too_often() -> None:
    chain: Any = SPACE.to_json(LayerGraph((pool(),) * 3, ((0,), (1,), (2,))))
    with pytest.raises(ValueError, match=r"node 3: a path to it has more than space\.halvings=2"):
        DagCnn(halvings=2).from_json(chain)
    with pytest.raises(ValueError, match="1 to 2 nodes"):
        DagCnn(initial_nodes=(1, 2), max_nodes=2).from_json(chain)
    with pytest.raises(ValueError, match="op is 'max_pool'"):
        DagCnn(pools=[]).from_json([{"op": "max_pool", "kernel": 1, "filters": 8, "merge": "add", "inputs": [0]}])


def test_images_that_cannot_be_halved_so_often() -> None:
    genome = LayerGraph((conv(),), ((0,),))
    with pytest.raises(PlanError, match=r"up to 3 times, and images 1x8x7 have a side of 7; .* to at most 2"):
        SPACE.decode(genome, Task((1, 8, 7), 2))
    assert DagCnn(halvings=2).decode(genome, Task((1, 8, 7), 2)).plan.parameters > 0


@pytest.mark.parametrize(
    "refused",
    [
        {"initial_nodes": (0, 3)},
        {"initial_nodes": (4, 3)},
        {"initial_nodes": (4,)},
        {"max_nodes": 9},
        {"edge_probability": 1.5},
        {"pool_probability": True},
        {"kernels": (2, 3)},
        {"kernels": ()},
        {"filters": (8, 8)},
        {"filters": (0,)},
        {"pools": ("min_pool",)},
        {"merges": ()},
        {"merges": ("mean",)},
        {"halvings": -1},
    ],
)
def test_settings_that_are_refused(refused: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"space\.{next(iter(refused))} (must|may|is|lists)"):
        DagCnn(**refused)
