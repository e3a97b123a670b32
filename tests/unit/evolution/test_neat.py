"""NEAT's operators: marks of equal mutations, cycles, crossover by marking, distance; each a law or a trace by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.neat import (
    GraphLoci,
    MutationRates,
    add_link,
    add_node,
    change,
    crossover,
    distance,
    grow,
    mutate,
    step_node,
)
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.marked_graph import (
    INPUT,
    OUTPUT,
    LinkGene,
    MarkedGraph,
    NodeGene,
    check,
    marked_graph,
    minimal,
    split_mark,
)
from evonas_cli.genomes.ranges import Integer, Real

LOCI = GraphLoci((Integer("filters", 1, 1000), Choice("kernel", (1, 3))), (Real("rate", 0.0, 1.0),))
SEEDS = st.integers(0, 10_000)
A, B = 10, 20


def drawn(seed: int) -> MarkedGraph:
    rng = Random(seed)
    return grow(rng.randint(1, 6), rng.randint(0, 5), LOCI, rng)


def ends(graph: MarkedGraph) -> set[tuple[int, int]]:
    return {(link.source, link.target) for link in graph.links}


def marks(graph: MarkedGraph) -> set[int]:
    return {node.mark for node in graph.nodes}


def test_equal_mutations_get_equal_marks() -> None:
    """Two genomes with other genes and another history of draws split the same link."""
    first = add_node(minimal((5, 1), (0.1,)), LOCI, Random(1))
    others = [add_node(minimal((900, 3), (0.9,)), LOCI, Random(seed)) for seed in range(20)]
    assert any(marks(first) == marks(other) for other in others)
    assert len({frozenset(marks(other)) for other in others}) == 2  # there are two links to split


def test_splitting_a_link_again_gives_a_new_mark() -> None:
    start = split_mark(INPUT, OUTPUT, 0)
    graph = replace(minimal((5, 1), (0.1,)), links=(LinkGene(0, 1), LinkGene(0, start, False), LinkGene(start, 1)))
    found = {frozenset(marks(add_node(graph, LOCI, Random(seed)))) for seed in range(50)}
    assert found == {frozenset({start, mark}) for mark in (split_mark(INPUT, OUTPUT, 1), split_mark(start, OUTPUT, 0))}


def test_a_new_node_takes_the_place_of_a_link() -> None:
    graph = minimal((5, 1), (0.1,))
    [node] = graph.nodes
    grown = add_node(graph, LOCI, Random(3))
    [new] = marks(grown) - {node.mark}
    [gone] = [link for link in grown.links if not link.enabled]
    assert (gone.source, gone.target) in ends(graph)
    assert {(gone.source, new), (new, gone.target)} == ends(grown) - ends(graph)
    assert next(n for n in grown.nodes if n.mark == node.mark) == node


@given(SEEDS, SEEDS)
def test_children_and_mutants_are_acyclic(first: int, second: int) -> None:
    rng = Random(first)
    mother, father = drawn(first), drawn(second)
    for _ in range(5):
        child = crossover(mother, father, rng.random() < 0.5, rng)
        check(child)
        mother, father = add_link(child, LOCI, rng), add_node(father, LOCI, rng)
        check(mother)
        check(father)


def test_a_new_link_closes_no_cycle_through_disabled_links() -> None:
    """B > A would close a cycle once the disabled A > B is enabled again."""
    nodes = [NodeGene(A, (1, 1)), NodeGene(B, (1, 1))]
    graph = marked_graph(nodes, [LinkGene(0, A), LinkGene(A, 1), LinkGene(0, B), LinkGene(B, 1), LinkGene(A, B, False)])
    added = {next(iter(_enabled(add_link(graph, LOCI, Random(seed))) - _enabled(graph))) for seed in range(50)}
    assert added == {(A, B), (0, 1)}


def test_where_no_link_is_free_the_graph_stays() -> None:
    full = add_link(minimal((1, 1)), LOCI, Random(0))
    assert ends(full) >= {(0, 1)}
    assert add_link(full, LOCI, Random(1)) is full


def _enabled(graph: MarkedGraph) -> set[tuple[int, int]]:
    return {(link.source, link.target) for link in graph.links if link.enabled}


@given(SEEDS, SEEDS, st.booleans())
def test_equal_parents_have_an_equal_child(seed: int, draws: int, equal: bool) -> None:
    parent = drawn(seed)
    assert crossover(parent, parent, equal, Random(draws)) == parent


@given(SEEDS, SEEDS, SEEDS)
def test_the_child_has_all_genes_of_the_fitter_and_no_others(first: int, second: int, draws: int) -> None:
    fitter, other = drawn(first), drawn(second)
    child = crossover(fitter, other, False, Random(draws))
    assert marks(child) == marks(fitter) and ends(child) == ends(fitter)
    for node in child.nodes:
        if node.mark not in marks(other):
            assert node in fitter.nodes


def test_equally_fit_parents_give_all_their_genes() -> None:
    left, right = drawn(11), drawn(12)
    assert marks(left) != marks(right)
    children = [crossover(left, right, True, Random(seed)) for seed in range(20)]
    assert any(marks(child) == marks(left) | marks(right) for child in children)


def test_a_child_with_a_cycle_gives_way_to_the_fitter() -> None:
    nodes = [NodeGene(A, (1, 1)), NodeGene(B, (1, 1))]
    around = [LinkGene(0, A), LinkGene(0, B), LinkGene(A, 1), LinkGene(B, 1)]
    forward, backward = marked_graph(nodes, [*around, LinkGene(A, B)]), marked_graph(nodes, [*around, LinkGene(B, A)])
    assert crossover(forward, backward, True, Random(0)) == forward


def test_crossover_does_not_always_pick_the_same_parent() -> None:
    """The pitfall `a < a`: every matching gene must come from either parent about equally often."""
    mother, father = (grow(3, 0, LOCI, Random(1)) for _ in range(2))
    father = replace(father, nodes=tuple([NodeGene(n.mark, (2, 3)) for n in father.nodes]), genes=(0.25,))
    mother = replace(mother, nodes=tuple([NodeGene(n.mark, (1000, 1)) for n in mother.nodes]), genes=(0.75,))
    counts: Counter[object] = Counter()
    for seed in range(400):
        child = crossover(mother, father, False, Random(seed))
        counts.update([(place, gene) for place, node in enumerate(child.nodes) for gene in node.genes])
        counts.update(child.genes)
    assert len(counts) == 14 and all(130 < count < 270 for count in counts.values())


def test_a_gene_disabled_in_one_parent_stays_so_in_three_of_four() -> None:
    whole = add_link(minimal((1, 1)), LOCI, Random(0))
    [mark] = marks(whole)
    partly = replace(whole, links=tuple([replace(link, enabled=link.target != mark) for link in whole.links]))
    children = [
        crossover(*pair, False, Random(seed)) for seed in range(500) for pair in ((whole, partly), (partly, whole))
    ]
    disabled = sum(not link.enabled for child in children for link in child.links)
    assert 700 < disabled < 800


@given(SEEDS, SEEDS)
def test_one_change_always_changes_something(seed: int, draws: int) -> None:
    graph = drawn(seed)
    assert change(graph, LOCI, 0.2, Random(draws)) != graph


def test_one_change_is_one_of_four_kinds() -> None:
    graph, kinds = drawn(4), Counter()
    for seed in range(400):
        changed = change(graph, LOCI, 0.2, Random(seed))
        structure = len(changed.nodes) - len(graph.nodes), len(_enabled(changed)) - len(_enabled(graph))
        genes = sum(a != b for a, b in zip(graph.nodes, changed.nodes, strict=False)) if structure == (0, 0) else 0
        kinds[(*structure, genes, changed.genes != graph.genes)] += 1
    assert set(kinds) == {(1, 1, 0, False), (0, 1, 0, False), (0, 0, 1, False), (0, 0, 0, True)}
    assert min(kinds.values()) > 60


def test_every_gene_of_a_node_can_make_a_step() -> None:
    graph = minimal((500, 1), (0.5,))
    steps = [step_node(graph, LOCI, 0.2, Random(seed)).nodes[0].genes for seed in range(50)]
    assert all((filters != 500) != (kernel != 1) for filters, kernel in steps)
    assert {kernel for _, kernel in steps} == {1, 3}


def test_rates_of_zero_change_nothing_and_rates_of_one_everything() -> None:
    graph = drawn(5)
    assert mutate(graph, LOCI, MutationRates(0, 0, 0, 0, 0.2), Random(0)) == graph
    changed = mutate(graph, LOCI, MutationRates(1, 1, 1, 1, 0.2), Random(0))
    assert len(changed.nodes) == len(graph.nodes) + 1 and len(changed.links) == len(graph.links) + 3
    before = {node.mark: node.genes for node in graph.nodes}
    assert all(
        a != b
        for node in changed.nodes
        if node.mark in before
        for a, b in zip(node.genes, before[node.mark], strict=True)
    )


@given(SEEDS, SEEDS)
def test_distance_is_zero_for_equals_and_symmetric(first: int, second: int) -> None:
    a, b = drawn(first), drawn(second)
    assert distance(a, a, LOCI, 3.0, 3.0) == 0
    assert distance(a, b, LOCI, 3.0, 3.0) == pytest.approx(distance(b, a, LOCI, 3.0, 3.0))
    assert (distance(a, b, LOCI, 3.0, 3.0) > 0) == (a != b) or ends(a) == ends(b)


def test_distance_by_hand() -> None:
    """The larger has 2 nodes and 4 links, of which 1 and 2 are unmatched; the match differs in kernel, and in genes."""
    small = minimal((1, 1), (0.25,))
    [node] = small.nodes
    grown = add_node(small, LOCI, Random(0))
    grown = replace(
        grown, genes=(0.75,), nodes=tuple([NodeGene(n.mark, (1, 3)) if n.mark == node.mark else n for n in grown.nodes])
    )
    assert distance(small, grown, LOCI, 1.0, 0.0) == pytest.approx(3 / 6)
    assert distance(small, grown, LOCI, 0.0, 1.0) == pytest.approx(0.5)
