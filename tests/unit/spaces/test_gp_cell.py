"""Evolved recurrent nodes: what a tree may be, its memories, the operators, and its cell."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.capabilities import Crossable, Functional, Measured, Mutable, Recurrent, Sized, Sketched
from evonas_cli.genomes.cell_trees import GRU, GRU_AFTER, LSTM, NASCELL, canonical, fault, memories, settled
from evonas_cli.genomes.trees import common_region
from evonas_cli.network.trees import Tree, parsed
from evonas_cli.spaces.gp_cell import GpCell

SPACE = GpCell(start=("lstm", "simple", "random"))
TREES = st.randoms(use_true_random=False).map(SPACE.sample)


def tree(text: str) -> Tree:
    return SPACE.from_json(text)


def test_capabilities() -> None:
    capabilities = (Recurrent, Mutable, Crossable, Measured, Functional, Sized, Sketched)
    assert all(isinstance(SPACE, capability) for capability in capabilities)


@pytest.mark.parametrize(("known", "depth"), [(LSTM, 6), (GRU, 4), (GRU_AFTER, 5), (NASCELL, 9)])
def test_known_nodes_are_in_the_space(known: str, depth: int) -> None:
    assert SPACE.to_json(tree(known)) == known and tree(known).depth == depth


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("linear_tanh(x)", "h has no path to the root, so that the node is not recurrent"),
        ("memory0(linear_tanh(x, c0))", "h has no path to the root"),
        ("tanh(h)", "x has no path to the root"),
        ("x", "h has no path to the root"),
        ("add(x, h)", r"add reads x, .*linear\(x\)"),
        ("memory0(x)", "memory0 reads x"),
        ("add(linear(x), h, h)", "add has 3 children; it takes 2"),
        ("add(linear(x), tanh)", "tanh has no children; it takes 1"),
        ("linear(x, h, h, h)", "linear has 4 children; it takes 1 to 3"),
        ("linear(x, h(h))", "h has 1 child; it takes none"),
        ("softmax(linear(x, h))", "there is no node 'softmax'"),
        ("linear(x, h, c0)", "memories .0. are read and .. written"),
        ("memory0(linear(x, h))", "memories .. are read and .0. written"),
        ("memory1(linear(x, h, c1))", "they count from 0 on"),
        ("add(memory0(linear(x, h)), memory0(linear(h, c0)))", r"written as \[0, 0\]; each must be written once"),
        ("add(add(memory0(h), memory1(h)), memory2(linear(x, c0, add(c1, c2))))", "space.memories=2 is the limit"),
        ("tanh(" * 10 + "linear(x, h)" + ")" * 10, "depth is 11; space.depth=10 is the limit"),
    ],
)
def test_what_is_no_recurrent_node_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        tree(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"depth": 5}, "space.start has lstm, which does not fit: the tree's depth is 6; space.depth=5 is the limit"),
        ({"memories": 0}, "space.start has lstm.*1 memories; space.memories=0 is the limit"),
        ({"nodes": ["linear_tanh", "tanh", "add", "multiply"]}, "start has lstm.*space.nodes lacks linear_sigmoid"),
        ({"depth": 0, "start": ["simple"]}, "space.depth is 0; it must be a whole number of at least 1"),
        ({"memories": 5}, "space.memories is 5; there may be 4 at most"),
        ({"start_changes": 0}, "space.start_changes is 0"),
        ({"nodes": ["tanh"], "start": ["simple"]}, "space.nodes has no node that reads x"),
        ({"nodes": ["linear", "softmax"]}, "'softmax' is none of them"),
        ({"start": []}, "space.start is empty"),
    ],
)
def test_impossible_spaces_are_refused_in_one_line(arguments: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        GpCell(**arguments)
    assert "\n" not in str(raised.value)


def test_nodes_that_the_space_lacks_are_neither_read_nor_made() -> None:
    space = GpCell(nodes=("linear_tanh", "add"), start=("simple", "random"))
    with pytest.raises(ValueError, match="space.nodes lacks linear_sigmoid"):
        space.from_json(LSTM)
    labels = {node.label for seed in range(40) for _, node in space.sample(Random(seed)).places() if node.children}
    assert {label for label in labels if not label.startswith("memory")} == {"linear_tanh", "add"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("memory0(linear(x, h))", "linear(x, h)"),
        ("linear(x, h, c1)", "linear(x, h, h)"),
        ("memory1(linear(x, h, c1))", "memory0(linear(x, h, c0))"),
        ("add(memory0(c0), memory0(linear(x, h)))", "add(memory0(c0), linear(x, h))"),
        ("add(memory1(add(c0, c1)), memory0(linear(x, h)))", "add(memory0(add(c1, c0)), memory1(linear(x, h)))"),
    ],
)
def test_memories_are_put_in_order(before: str, after: str) -> None:
    assert str(settled(parsed(before))) == after
    assert settled(parsed(after)) == parsed(after)


@settings(max_examples=60)
@given(TREES, st.randoms(use_true_random=False))
def test_variation_stays_among_recurrent_nodes(first: Tree, rng: Random) -> None:
    second = SPACE.mutate(first, rng)
    child = SPACE.recombine([first, SPACE.sample(rng)], rng)
    for found in (first, second, child):
        assert fault(found) is None and settled(found) == found
        assert found.depth <= SPACE.depth and len(memories(found)) <= SPACE.memories
    assert second != first


CHANGES: dict[str, tuple[Callable[[Tree, Tree], bool], int]] = {
    "_replace": (lambda old, new: len(common_region(old, new)) == old.size == new.size, 300),
    "_insert": (lambda old, new: new.size > old.size, 300),
    "_shrink": (lambda old, new: new.size < old.size, 300),
    "_add_memory": (lambda old, new: len(memories(new)) == len(memories(old)) + 1, 300),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_does_what_it_says(name: str) -> None:
    says, draws = CHANGES[name]
    rng, parent, found = Random(0), tree(LSTM), set()
    for _ in range(draws):
        changed = getattr(SPACE, name)(parent, rng)
        if changed is not None:
            assert changed == parent or says(parent, changed), str(changed)
            found.add(changed)
    assert len(found) > 20


def test_crossover_keeps_the_place_of_what_it_grafts() -> None:
    """Of the five places one would leave a node that never reads x, linear_tanh(h, h)."""
    mother = tree("add(linear_tanh(x, h), relu(h))")
    father = tree("multiply(linear_relu(h, x), sigmoid(linear(h)))")
    children = {str(SPACE.recombine([mother, father], Random(seed))) for seed in range(60)}
    assert children == {
        "add(linear_relu(h, x), relu(h))",
        "add(linear_tanh(x, x), relu(h))",
        "add(linear_tanh(x, h), sigmoid(linear(h)))",
        "add(linear_tanh(x, h), relu(linear(h)))",
    }


def test_one_function_has_one_key() -> None:
    twice = "add({}(linear(x, h, c0)), {}(tanh(c1)))"
    same = [twice.format("memory0", "memory1"), "add(memory0(tanh(c0)), memory1(linear(h, c1, x)))"]
    assert canonical(tree(same[0])) == canonical(tree(same[1]))
    other = "add(memory0(linear(x, h, c1)), memory1(tanh(c0)))"
    assert canonical(tree(other)) != canonical(tree(same[0]))
    keys = {SPACE.function_key(tree(text)) for text in ("mix(linear(x), h, tanh(h))", "mix(linear(x), tanh(h), h)")}
    assert len(keys) == 2


def test_every_linear_node_has_weights_of_its_own() -> None:
    cell = SPACE.decode_cell(tree("add(memory0(linear_tanh(x, h, c0)), multiply(linear(h), linear(h)))"))
    assert cell.parameters(5, 7) == (5 * 7 + 7 * 7 + 7 * 7 + 7) + 2 * (7 * 7 + 7)
    ops = [(node.op, node.sources) for node in cell.nodes]
    assert ops[:5] == [("affine", (0,)), ("linear", (1,)), ("linear", (2,)), ("add", (3, 4, 5)), ("tanh", (6,))]
    assert cell.memories == (7,)


def test_a_tree_is_drawn_from_its_leaves_to_h() -> None:
    [sketch] = SPACE.sketches(tree("add(linear(x), h)"))
    assert sketch.nodes == ("x", "linear", "h", "add", "h_t")
    assert sketch.links == ((0, 1), (1, 3), (2, 3), (3, 4))
