"""Marked graphs: marks, order, what is computed, what is refused, and the stored form."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.neat import GraphLoci, grow
from evonas_cli.genomes.marked_graph import (
    INPUT,
    OUTPUT,
    LinkGene,
    MarkedGraph,
    NodeGene,
    active,
    check,
    graph_from_json,
    graph_to_json,
    marked_graph,
    minimal,
    n_active,
    pointer,
    pointers,
    reached,
    split_mark,
    topological,
)
from evonas_cli.genomes.ranges import Integer, Real

LOCI = (Integer("filters", 1, 64), Real("dropout", 0.0, 0.7))
A, B, C = 10, 20, 30


def graph(*links: tuple[int, int] | tuple[int, int, bool], marks: tuple[int, ...] = (A, B, C)) -> MarkedGraph:
    return marked_graph([NodeGene(mark, (mark, 0.5)) for mark in marks], [LinkGene(*link) for link in links])


def random_graph(seed: int, n_nodes: int = 6, n_links: int = 6) -> MarkedGraph:
    return grow(n_nodes, n_links, GraphLoci(LOCI), Random(seed))


def test_a_mark_depends_on_the_split_link_and_the_occurrence_alone() -> None:
    marks = {split_mark(a, b, k) for a in range(5) for b in range(5) for k in range(3)}
    assert len(marks) == 75
    assert all(OUTPUT < mark < 2**49 for mark in marks)
    assert split_mark(INPUT, OUTPUT, 0) == 244120723915836  # stored runs depend on it


def test_genes_are_kept_in_order() -> None:
    assert graph((A, 1), (0, C), (0, A), marks=(C, A)) == graph((0, A), (0, C), (A, 1), marks=(A, C))


def test_order_puts_sources_first_and_counts_disabled_links() -> None:
    order = topological(graph((0, C), (C, A, False), (A, B), (B, 1)))
    assert order.index(C) < order.index(A) < order.index(B) < order.index(OUTPUT)


@given(st.integers(0, 10_000))
def test_every_link_of_a_grown_graph_leads_forward(seed: int) -> None:
    grown = random_graph(seed)
    place = {mark: index for index, mark in enumerate(topological(grown))}
    assert all(place[link.source] < place[link.target] for link in grown.links)
    assert len(grown.nodes) == 6
    check(grown)


def test_only_nodes_on_an_enabled_path_are_computed() -> None:
    """A leads nowhere, B comes from nowhere (its only input is disabled), C is on the path."""
    drawn = graph((0, A), (0, B, False), (B, 1), (0, C), (C, 1), (0, 1))
    assert active(drawn) == {C: (INPUT,), OUTPUT: (INPUT, C)}
    assert n_active(drawn) == 1


def test_several_inputs_come_in_topological_order() -> None:
    drawn = graph((0, A), (0, B), (0, C), (0, 1), (A, 1), (B, 1), (C, 1), (C, A))
    assert active(drawn)[OUTPUT] == (INPUT, B, C, A)


def test_marks_are_reached_through_disabled_links() -> None:
    drawn = graph((0, A), (A, B, False), (B, 1), marks=(A, B))
    assert reached(drawn) == {INPUT: {INPUT, A, B, OUTPUT}, A: {A, B, OUTPUT}, B: {B, OUTPUT}, OUTPUT: {OUTPUT}}


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        (((0, A), (A, B), (B, A), (B, 1)), "cycle"),
        (((0, A), (A, B), (B, A, False), (B, 1)), "cycle"),
        (((0, A), (B, 1)), "no path"),
        (((0, A, False), (A, 1)), "no path"),
        ((), "no path"),
        (((0, A), (A, 0), (A, 1)), f"from {A} to 0"),
        (((0, A), (1, A), (A, 1)), f"from 1 to {A}"),
        (((0, 99), (99, 1)), "from 0 to 99"),
        (((0, A), (0, A, False), (A, 1)), "same ends"),
    ],
)
def test_graphs_that_compute_nothing_are_refused(links: tuple[tuple[int, int], ...], reason: str) -> None:
    broken = marked_graph([NodeGene(mark, (1, 0.0)) for mark in (A, B)], [LinkGene(*link) for link in links])
    with pytest.raises(ValueError, match=reason):
        check(broken)
    with pytest.raises(ValueError, match=reason):
        graph_from_json(graph_to_json(broken, LOCI), LOCI)


@pytest.mark.parametrize("marks", [(A, A), (INPUT,), (OUTPUT, A), (-3,)])
def test_marks_are_unique_and_not_those_of_input_and_output(marks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="marks must differ"):
        check(graph((0, 1), marks=marks))


@given(st.integers(0, 10_000))
def test_graphs_survive_json(seed: int) -> None:
    grown = random_graph(seed)
    assert graph_from_json(json.loads(json.dumps(graph_to_json(grown, LOCI))), LOCI) == grown


def test_the_stored_form_names_genes() -> None:
    mark = split_mark(INPUT, OUTPUT, 0)
    assert graph_to_json(minimal((8, 0.25)), LOCI) == {
        "nodes": [{"mark": mark, "filters": 8, "dropout": 0.25}],
        "links": [[0, mark], [mark, 1]],
        "disabled": [],
    }


@pytest.mark.parametrize(
    ("place", "wrong", "reason"),
    [
        ("nodes", [{"mark": 5, "filters": 8}], "a node has the members mark, filters, dropout"),
        ("nodes", [{"mark": 5, "filters": 8, "dropout": 0.1, "colour": 1}], "colour"),
        ("nodes", [{"mark": 5, "filters": 65, "dropout": 0.1}], "filters is 65"),
        ("nodes", [{"mark": "5", "filters": 6, "dropout": 0.1}], "a mark is a whole number"),
        ("nodes", None, "nodes must be a list"),
        ("links", [[0]], "a link has two ends, not 1"),
        ("links", [[0, True]], "a mark is a whole number"),
        ("disabled", 7, "disabled must be a list"),
        ("other", 7, "a graph has the members"),
    ],
)
def test_stored_forms_that_are_none_are_refused(place: str, wrong: object, reason: str) -> None:
    data = {**graph_to_json(minimal((8, 0.25)), LOCI), place: wrong}
    with pytest.raises(ValueError, match=reason) as caught:
        graph_from_json(data, LOCI)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_blueprints_node_holds_a_species_and_nothing_else() -> None:
    node = NodeGene(A, (7,))
    assert pointer(node) == 7
    with pytest.raises(ValueError, match="species is 8"):
        pointers([3, 7])[0].check(8)
