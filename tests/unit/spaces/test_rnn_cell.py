"""NASCell's space: the paper's example and size, the tokens' order, the operators, and what is refused."""

from __future__ import annotations

from collections import Counter
from math import prod
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes import walk
from evonas_cli.genomes.capabilities import Linear, Measured, Mutable, Recurrent, Walkable
from evonas_cli.spaces.rnn_cell import LSTM, NASCELL, RnnCell

SPACE = RnnCell()
FIGURE = {"nodes": ["add tanh", "multiply relu", "multiply sigmoid"], "inject": "add relu"}
EXAMPLE = {**FIGURE, "memory_from": 1, "memory_into": 0}
"""The paper's figure of a cell with two leaves."""
genomes = st.randoms(use_true_random=False).map(SPACE.sample)


def kinds_asked(space: RnnCell, genome: Any) -> list[str]:
    return [decision.kind for decision in walk.replay(space.walk(), space._trace(genome), space.kinds)[1]]


def test_capabilities() -> None:
    assert all(isinstance(SPACE, need) for need in (Space, Recurrent, Walkable, Linear, Mutable, Measured))


@pytest.mark.parametrize(("leaves", "cells"), [(2, 8**4 * 3**2), (4, 8**8 * 7**2), (8, 63_331_869_759_897_600)])
def test_size_of_the_space(leaves: int, cells: int) -> None:
    space = RnnCell(leaves=leaves)
    decisions = walk.run(space.walk(), walk.uniform(space.kinds, Random(0)))[1]
    assert len(decisions) == len(space.choices) == 2 * (2 * leaves - 1) + 4
    assert prod(len(choice.options) for choice in space.choices) == cells


def test_the_papers_size_is_about_6e16() -> None:
    assert f"{prod(len(choice.options) for choice in SPACE.choices):.0e}" == "6e+16"


def test_tokens_come_in_the_papers_order() -> None:
    space = RnnCell(leaves=2)
    asked = kinds_asked(space, space.from_json(EXAMPLE))
    nodes, memory = ["combiner", "activation"] * 3, ["inject_combiner", "inject_activation"]
    assert asked == [*nodes, *memory, "memory_from", "memory_into"]
    assert set(asked) == set(space.kinds)
    assert space._trace(space.from_json(EXAMPLE)) == (0, 1, 1, 3, 1, 2, 0, 3, 1, 0)


def test_a_walk_ends_in_the_genome_it_came_from() -> None:
    rng = Random(3)
    for _ in range(30):
        genome = SPACE.sample(rng)
        assert walk.replay(SPACE.walk(), SPACE._trace(genome), SPACE.kinds)[0] == genome


def test_the_papers_example_as_a_graph() -> None:
    space = RnnCell(leaves=2)
    cell = space.decode_cell(space.from_json(EXAMPLE))
    assert [(node.op, node.sources) for node in cell.nodes] == [
        ("affine", (0,)),
        ("linear", (1,)),
        ("add", (3, 4)),
        ("tanh", (5,)),
        ("add", (6, 2)),
        ("relu", (7,)),
        ("affine", (0,)),
        ("linear", (1,)),
        ("multiply", (9, 10)),
        ("relu", (11,)),
        ("multiply", (8, 12)),
        ("sigmoid", (13,)),
    ]
    assert (cell.output, cell.memories) == (14, (11,))


def test_injection_comes_after_the_activation_and_memory_before_it() -> None:
    space = RnnCell(leaves=2)
    cell = space.decode_cell(space.from_json({**EXAMPLE, "memory_from": 2, "memory_into": 2}))
    [memory] = cell.memories
    before = cell.first_node
    ops = [cell.nodes[value - before].op for value in (memory, memory + 1, memory + 2, cell.output)]
    assert ops == ["multiply", "sigmoid", "add", "relu"]
    assert cell.nodes[memory + 2 - before].sources == (memory + 1, 2)


def test_every_leaf_has_weights_of_its_own() -> None:
    rng = Random(5)
    for _ in range(20):
        cell = SPACE.decode_cell(SPACE.sample(rng))
        assert Counter(node.op for _, node in cell.learned()) == {"affine": 8, "linear": 8}
        assert cell.parameters(10, 20) == 8 * 20 * (10 + 20 + 1)


@pytest.mark.parametrize("known", [LSTM, NASCELL])
def test_known_cells_are_in_the_space(known: Any) -> None:
    assert SPACE.to_json(SPACE.from_json(known)) == known


@given(genomes)
def test_genomes_are_readable_and_survive(genome: Any) -> None:
    data: Any = SPACE.to_json(genome)
    assert SPACE.from_json(data) == genome
    assert list(data) == ["nodes", "inject", "memory_from", "memory_into"] and len(data["nodes"]) == 15


def test_mutation_changes_one_token_and_reaches_all_neighbours() -> None:
    space = RnnCell(leaves=2)
    genome, rng = space.from_json(EXAMPLE), Random(1)
    neighbours = {space.mutate(genome, rng) for _ in range(1500)}
    assert len(neighbours) == sum(len(choice.options) - 1 for choice in space.choices)
    assert {space.distance(genome, other) for other in neighbours} == {1 / 10}


def test_samples_are_uniform() -> None:
    rng = Random(0)
    samples = [SPACE.sample(rng) for _ in range(1500)]
    into = Counter(genome[-1] for genome in samples)
    assert set(into) == set(range(15)) and all(abs(count - 100) < 40 for count in into.values())
    activations = Counter(genome[place] for genome in samples for place in range(1, 32, 2))
    assert all(abs(count - 6000) < 350 for count in activations.values()) and len(activations) == 4


def test_fewer_options() -> None:
    space = RnnCell(leaves=4, combiners=["add"], activations=["tanh", "relu"])
    genome = space.sample(Random(0))
    assert set(genome[:-2]) <= {"add", "tanh", "relu"}
    assert space.mutate(genome, Random(1)) != genome


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"leaves": 0}, "space.leaves is 0; it must be a power of two"),
        ({"leaves": 1}, "space.leaves is 1"),
        ({"leaves": 6}, "space.leaves is 6"),
        ({"leaves": -8}, "space.leaves is -8"),
        ({"leaves": True}, "space.leaves is True"),
        ({"combiners": []}, "space.combiners is empty"),
        ({"activations": []}, "space.activations is empty; it must name at least one of identity, tanh"),
        ({"activations": ["tanh", "tahn"]}, "space.activations has no 'tahn'; did you mean tanh"),
        ({"combiners": ["add", "concat"]}, "space.combiners has no 'concat'.*known: add, multiply"),
        ({"activations": ["relu", "relu"]}, "space.activations names an option twice: relu, relu"),
    ],
)
def test_impossible_spaces_are_refused_in_one_line(arguments: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        RnnCell(**arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nodes": ["add tanh"] * 2}, "nodes must be a list of 3 labels"),
        ({"nodes": "add tanh"}, "nodes must be a list of 3 labels"),
        ({"nodes": ["add tanh", "add", "add tanh"]}, "node 1 is 'add'; it must read"),
        ({"nodes": ["add tanh", None, "add tanh"]}, "node 1 is None"),
        ({"nodes": ["add tanh", "add tanh", "minus tanh"]}, "node 2 combiner is 'minus'; it may be one of"),
        ({"nodes": ["add  tanh", "add tanh", "add tanh"]}, "node 0 is 'add  tanh'"),
        ({"inject": "add softmax"}, "inject_activation is 'softmax'"),
        ({"inject": 3}, "inject is 3; it must read"),
        ({"memory_from": 3}, "memory_from is 3; it may be one of"),
        ({"memory_from": True}, "memory_from is True"),
        ({"memory_into": "0"}, "memory_into is '0'"),
        ({"memory": 0}, "a genome here is an object with nodes, inject, memory_from, memory_into"),
    ],
)
def test_what_is_no_cell_is_refused_in_one_line(change: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        RnnCell(leaves=2).from_json({**EXAMPLE, **change})
    assert "\n" not in str(raised.value)


def test_a_child_has_one_subtree_and_one_parents_memory() -> None:
    """With 4 leaves the nodes below the root are 0 to 3, and 4 over (0, 1) and 5 over (2, 3)."""
    space = RnnCell(leaves=4, combiners=("add", "multiply"), activations=("tanh", "relu"))
    mother = ("add", "tanh") * 7 + ("add", "tanh", 0, 1)
    father = ("multiply", "relu") * 7 + ("multiply", "relu", 2, 3)
    grafts, memories, rng = Counter[tuple[int, ...]](), Counter[bool](), Random(0)
    for _ in range(600):
        child = space.recombine([mother, father], rng)
        labels = [child[place : place + 2] for place in range(0, 14, 2)]
        assert set(labels) <= {("add", "tanh"), ("multiply", "relu")}
        grafts[tuple(node for node, label in enumerate(labels) if label == ("multiply", "relu"))] += 1
        assert child[14:] in (mother[14:], father[14:])
        memories[child[14:] == father[14:]] += 1
    assert set(grafts) == {(0,), (1,), (2,), (3,), (0, 1, 4), (2, 3, 5)}
    assert min(grafts.values()) > 60 and min(memories.values()) > 250


def test_every_other_parent_grafts() -> None:
    space = RnnCell(leaves=2, combiners=("add", "multiply"), activations=("tanh", "relu", "sigmoid"))
    parents = [("add", word) * 3 + ("add", word, 0, 0) for word in ("tanh", "relu", "sigmoid")]
    children = {space.recombine(parents, Random(seed))[1:6:2] for seed in range(60)}
    assert ("relu", "sigmoid", "tanh") in children and ("sigmoid", "relu", "tanh") in children
    assert all(activations[2] == "tanh" for activations in children)
