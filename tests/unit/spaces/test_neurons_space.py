"""Graphs of neurons: minimal starts, mutation, crossover by marks, distance, pruning, trained weights, decoding."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.graph_genomes import toggled
from evonas_cli.genomes.marked_graph import (
    LinkGene,
    MarkedGraph,
    NodeGene,
    active,
    check,
    marked_graph,
    split_mark,
    terminals,
)
from evonas_cli.network.neurons import Neurons
from evonas_cli.spaces.neurons import NeuronGraphs

SEEDS = st.integers(0, 10_000)
WILD = {
    "functions": ("sigmoid", "sine", "multiply"),
    "add_link_probability": 0.6,
    "add_node_probability": 0.5,
    "toggle_probability": 0.3,
    "function_probability": 0.3,
}
SPACE = NeuronGraphs(inputs=3, outputs=2, **WILD)  # type: ignore[arg-type]
XOR = NeuronGraphs(functions=("sigmoid", "sine"))
NO_STRUCTURE = {"add_link_probability": 0.0, "add_node_probability": 0.0}
ENDS = terminals(3, 1)
OUT = 3
"""The mark of the one output behind two inputs and the bias."""


def grown(seed: int, space: NeuronGraphs = SPACE) -> MarkedGraph:
    rng = Random(seed)
    genome = space.sample(rng)
    for _ in range(rng.randrange(15)):
        genome = space.mutate(genome, rng)
    return genome


def graph(*links: tuple[Any, ...], functions: dict[int, str] | None = None) -> MarkedGraph:
    """Links are (source, target, weight) or (source, target, weight, enabled)."""
    nodes = [NodeGene(mark, (function,)) for mark, function in (functions or {}).items()]
    return marked_graph(nodes, [LinkGene(s, t, *on, genes=(w,)) for s, t, w, *on in links], (), ENDS)


def ends(genome: MarkedGraph) -> set[tuple[int, int]]:
    return {link.ends for link in genome.links}


def weights(genome: MarkedGraph) -> dict[tuple[int, int], Any]:
    return {link.ends: link.genes[0] for link in genome.links}


def test_the_start_is_minimal() -> None:
    """Three inputs and the bias, each linked to both outputs; no hidden node."""
    genome = SPACE.sample(Random(0))
    assert genome.nodes == ()
    assert ends(genome) == {(source, sink) for source in range(4) for sink in (4, 5)}
    assert all(link.enabled for link in genome.links) and len(set(weights(genome).values())) == 8


@given(SEEDS, SEEDS)
def test_children_and_mutants_stay_feed_forward(first: int, second: int) -> None:
    """`check` raises for cycles, also for those through disabled links, and for an output without a path."""
    mother, father, rng = grown(first), grown(second), Random(first)
    for _ in range(5):
        child = SPACE.recombine([mother, father], rng)
        check(child)
        mother, father = SPACE.mutate(child, rng), SPACE.recombine_unequal(father, mother, rng)
        check(mother)
        check(father)


@given(SEEDS)
def test_a_genome_survives_json_and_decodes(seed: int) -> None:
    genome = grown(seed)
    assert SPACE.from_json(json.loads(json.dumps(SPACE.to_json(genome)))) == genome
    neurons = SPACE.decode_neurons(genome, 3, 2)
    assert {"links": neurons.parameters, "hidden": neurons.n_hidden} == SPACE.sizes(genome)


@given(SEEDS, SEEDS)
def test_distance_is_symmetric_and_zero_on_itself(first: int, second: int) -> None:
    a, b = grown(first), grown(second)
    assert SPACE.distance(a, a) == 0
    assert SPACE.distance(a, b) == SPACE.distance(b, a) >= 0
    assert SPACE.distance(a, b) > 0 or ends(a) == ends(b)


@given(SEEDS, SEEDS, SEEDS)
def test_the_child_has_all_genes_of_the_fitter_and_no_others(first: int, second: int, draws: int) -> None:
    fitter, other = grown(first), grown(second)
    child = SPACE.recombine_unequal(fitter, other, Random(draws))
    assert ends(child) == ends(fitter)
    ours, theirs = weights(fitter), weights(other)
    assert all(weight in (ours[key], theirs.get(key)) for key, weight in weights(child).items())
    assert {node.mark for node in child.nodes} == {node.mark for node in fitter.nodes}


@given(SEEDS, SEEDS)
def test_equal_parents_have_an_equal_child(seed: int, draws: int) -> None:
    parent = grown(seed)
    assert SPACE.recombine([parent, parent], Random(draws)) == parent
    assert SPACE.recombine_unequal(parent, parent, Random(draws)) == parent


def test_matching_weights_come_from_either_parent_about_equally_often() -> None:
    mother, father = XOR.sample(Random(1)), XOR.sample(Random(2))
    ours = weights(mother)
    taken: Counter[tuple[int, int]] = Counter()
    for seed in range(400):
        child = weights(XOR.recombine_unequal(mother, father, Random(seed)))
        taken.update(key for key in child if child[key] == ours[key])
    assert len(taken) == 3 and all(160 < count < 240 for count in taken.values())


def test_a_link_that_one_parent_disabled_stays_so_in_three_of_four_children() -> None:
    whole = graph((0, OUT, 1.0), (1, OUT, 1.0), (2, OUT, 1.0))
    partly = graph((0, OUT, 1.0), (1, OUT, 1.0, False), (2, OUT, 1.0))
    children = [XOR.recombine_unequal(whole, partly, Random(seed)) for seed in range(1000)]
    assert 700 < sum(not child.links[1].enabled for child in children) < 800
    never = NeuronGraphs(stays_disabled=0.0)
    assert all(never.recombine([partly, whole], Random(seed)).links[1].enabled for seed in range(50))


def test_a_node_splits_a_link_into_one_of_weight_1_and_one_of_the_old_weight() -> None:
    space = NeuronGraphs(add_node_probability=1.0, weight_probability=0.0, add_link_probability=0.0)
    start = graph((0, OUT, 0.3), (1, OUT, -0.4), (2, OUT, 0.5))
    found = {}
    for seed in range(30):
        split = space.mutate(start, Random(seed))
        [gone] = [link for link in split.links if not link.enabled]
        [node] = split.nodes
        assert node.mark == split_mark(*gone.ends, 0, 4) and node.genes == ("steepened_sigmoid",)
        assert weights(split) == {**weights(start), (gone.source, node.mark): 1.0, (node.mark, OUT): gone.genes[0]}
        found[gone.ends] = node.mark
    assert len(found) == len(set(found.values())) == 3


def test_equal_structural_changes_get_equal_marks_in_other_genomes() -> None:
    """Two genomes with other weights split the same link in different generations, and their nodes match."""
    space = NeuronGraphs(add_node_probability=1.0, add_link_probability=0.0)
    first = {node.mark for seed in range(20) for node in space.mutate(space.sample(Random(seed)), Random(seed)).nodes}
    later = space.mutate(space.sample(Random(99)), Random(99))
    assert {node.mark for node in later.nodes} <= first and len(first) == 3


def test_weights_take_steps_or_are_drawn_anew() -> None:
    space = NeuronGraphs(perturb_sd=0.001, weight_limit=None, weight_probability=1.0, **NO_STRUCTURE)
    genome = graph((0, OUT, 50.0), (1, OUT, 50.0), (2, OUT, 50.0))
    changed = [w for seed in range(1000) for w in weights(space.mutate(genome, Random(seed))).values()]
    redrawn = sum(abs(w - 50) > 1 for w in changed)
    assert 250 < redrawn < 350 and all(w != 50 for w in changed)


def test_weights_that_mutate_stay_within_their_limit() -> None:
    space = NeuronGraphs(perturb_sd=5.0, weight_limit=2.0)
    genome = space.sample(Random(0))
    found = []
    for seed in range(200):
        genome = space.mutate(genome, Random(seed))
        found += weights(genome).values()
    assert max(found) == 2.0 and min(found) == -2.0


def test_a_mutant_always_differs() -> None:
    rare = NeuronGraphs(weight_probability=0.0, add_link_probability=0.0, add_node_probability=0.0)
    genome = rare.sample(Random(0))
    for seed in range(20):
        mutant = rare.mutate(genome, Random(seed))
        assert ends(mutant) == ends(genome)
        assert all(weight != weights(genome)[key] for key, weight in weights(mutant).items())


def test_a_toggle_switches_a_link_and_never_the_last_path_to_an_output() -> None:
    genome = graph((0, OUT, 1.0), (1, OUT, 1.0), (2, OUT, 1.0, False))
    found = {tuple(link.enabled for link in toggled(genome, Random(seed)).links) for seed in range(40)}
    assert found == {(False, True, False), (True, False, False), (True, True, True)}
    last = graph((0, OUT, 1.0))
    assert toggled(last, Random(0)) is last


def test_distance_by_hand() -> None:
    """The larger has 4 links of which 2 do not match; the other weights differ by 1 and by 3."""
    space = NeuronGraphs(unmatched_coefficient=2.0, weight_coefficient=0.5, function_coefficient=8.0, small_genome=0)
    small = graph((0, OUT, 1.0), (1, OUT, 2.0))
    node = split_mark(0, OUT, 0, 4)
    large = graph((0, OUT, 2.0), (1, OUT, 5.0), (0, node, 1.0), (node, OUT, 1.0), functions={node: "sigmoid"})
    assert space.distance(small, large) == pytest.approx(2.0 * 2 / 4 + 0.5 * 2.0)
    sine = replace(large, nodes=(NodeGene(node, ("sine",)),))
    assert space.distance(large, sine) == 8.0
    whole = NeuronGraphs(unmatched_coefficient=2.0, weight_coefficient=0.0, small_genome=5)
    assert whole.distance(small, large) == 4.0, "both are small, so N is 1"


def test_what_computes_nothing_is_pruned_and_not_counted() -> None:
    """Node 50 is read by a disabled link alone, node 60 reads nothing; the network stays the same."""
    functions = {50: "sigmoid", 60: "sigmoid", 70: "sine"}
    genome = graph(
        *((0, OUT, 1.0), (1, OUT, 2.0, False), (0, 50, 3.0), (50, OUT, 4.0, False), (60, OUT, 5.0), (1, 70, 6.0)),
        *((70, OUT, 7.0),),
        functions=functions,
    )
    pruned = XOR.prune(genome)
    assert ends(pruned) == {(0, OUT), (1, 70), (70, OUT)} and [node.mark for node in pruned.nodes] == [70]
    assert XOR.sizes(genome) == XOR.sizes(pruned) == {"links": 3, "hidden": 1}
    assert XOR.decode_neurons(genome, 2, 1) == XOR.decode_neurons(pruned, 2, 1)


@given(SEEDS)
def test_pruning_keeps_the_network(seed: int) -> None:
    genome = grown(seed)
    pruned = SPACE.prune(genome)
    reads = [{mark: set(read) for mark, read in active(one).items()} for one in (pruned, genome)]
    assert reads[0] == reads[1], "their order may differ, since disabled links count in it"
    assert set(pruned.nodes) <= set(genome.nodes) and set(pruned.links) <= set(genome.links)
    assert SPACE.prune(pruned) == pruned and all(link.enabled for link in pruned.links)


@given(SEEDS)
def test_trained_weights_go_back_into_the_genome(seed: int) -> None:
    genome = grown(seed)
    trained = [float(place) for place in range(SPACE.sizes(genome)["links"])]
    heir = SPACE.with_weights(genome, {"weights": trained})
    assert list(SPACE.decode_neurons(heir, 3, 2).weights) == trained
    unused = ends(genome) - {(source, mark) for mark, read in active(genome).items() for source in read}
    assert all(weights(heir)[key] == weights(genome)[key] for key in unused)
    assert ends(heir) == ends(genome) and heir.nodes == genome.nodes


@pytest.mark.parametrize(
    "payload",
    [None, [1.0], {}, {"weights": [1.0]}, {"weights": [1.0, 2.0, "3"]}, {"weights": [1.0, 2.0, float("inf")]}],
)
def test_weights_that_do_not_fit_are_refused(payload: Any) -> None:
    with pytest.raises(ValueError, match="weight"):
        XOR.with_weights(XOR.sample(Random(0)), payload)


def test_decoding_by_hand() -> None:
    """Two hidden nodes, of which the second reads the first; the order is that of `Neurons`."""
    genome = graph(
        *((0, 90, 1.0), (2, 90, 2.0), (90, 40, 3.0), (1, 40, 4.0), (40, OUT, 5.0), (2, OUT, 6.0), (0, OUT, 9.0, False)),
        functions={90: "sine", 40: "sigmoid"},
    )
    assert XOR.decode_neurons(genome, 2, 1) == Neurons(
        2,
        1,
        ("sine", "sigmoid", "add"),
        ((0, 3), (2, 3), (1, 4), (3, 4), (2, 5), (4, 5)),
        (1.0, 2.0, 4.0, 3.0, 6.0, 5.0),
    )
    [sketch] = XOR.sketches(genome)
    assert sketch.nodes == ("input 1", "input 2", "bias", "sine", "sigmoid", "output")
    assert set(sketch.links) == set(XOR.decode_neurons(genome, 2, 1).links)
