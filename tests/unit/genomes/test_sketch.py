"""Sketches: what spaces say of the searched part of a genome."""

from __future__ import annotations

from random import Random

import pytest

from evonas_cli.core.capability import lack
from evonas_cli.genomes.capabilities import Sketched
from evonas_cli.genomes.marked_graph import INPUT, OUTPUT, LinkGene, NodeGene, marked_graph
from evonas_cli.genomes.sketch import Sketch, sketch_of, tree_sketch
from evonas_cli.network.trees import parsed
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.spaces.mlp import Mlp
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.spaces.nasnet import NasNet


def test_links_lead_to_later_nodes() -> None:
    with pytest.raises(ValueError, match="cell: no link leads from node 1 to node 0"):
        Sketch("cell", ("a", "b"), ((1, 0),))


def test_a_cell_of_nasbench201_has_a_node_for_each_operation_and_plain_links_for_skips() -> None:
    space = NasBench201()
    genome = space.from_json("|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|none~1|avg_pool_3x3~2|")
    [sketch] = space.sketches(genome)
    assert sketch.nodes == ("input", "conv 3x3", "node 1", "node 2", "avg pool 3x3", "output")
    assert set(sketch.links) == {(0, 1), (1, 2), (0, 3), (3, 4), (4, 5)}


def test_cells_of_nasnet_join_pairs_and_concatenate_what_is_not_read() -> None:
    space = NasNet(combinations=2)
    rows = [["h0", "identity", "h1", "sep_conv_3x3"], ["h0", "max_pool_3x3", "h2", "identity"]]
    genome = space.from_json({"normal": rows, "reduction": rows})
    normal, reduction = space.sketches(genome)
    assert (normal.title, reduction.title) == ("normal cell", "reduction cell")
    assert normal.nodes == ("h0", "h1", "sep conv 3x3", "h2: add", "max pool 3x3", "h3: add", "concat")
    assert set(normal.links) == {(1, 2), (0, 3), (2, 3), (0, 4), (4, 5), (3, 5), (5, 6)}


def test_codeepneat_sketches_the_blueprint_and_each_module() -> None:
    space = Assemblies()
    genome = space.sample(Random(3))
    titles = [sketch.title for sketch in space.sketches(genome)]
    assert titles == ["blueprint", *[f"module of species {species}" for species, _ in genome.modules]]


def test_a_sketch_leaves_out_what_is_not_computed() -> None:
    links = [LinkGene(INPUT, 5), LinkGene(5, OUTPUT), LinkGene(INPUT, 7), LinkGene(INPUT, OUTPUT, enabled=False)]
    graph = marked_graph([NodeGene(5, (1,)), NodeGene(7, (2,))], links)
    sketch = sketch_of("graph", graph, lambda node: f"n{node.genes[0]}")
    assert sketch.nodes == ("input", "n1", "output") and sketch.links == ((0, 1), (1, 2))


def test_a_space_without_sketches_lacks_the_capability() -> None:
    assert lack(Mlp(), Sketched) == "it has no sketches" and lack(NasNet(), Sketched) is None


def test_the_sketch_of_a_tree_leads_from_its_leaves_to_its_value() -> None:
    sketch = tree_sketch("formula", parsed("add(x, tanh(x))"), "value", ["add"])
    assert sketch.nodes == ("x", "x", "tanh", "add", "value")
    assert sketch.links == ((0, 3), (1, 2), (2, 3), (3, 4)) and sketch.joins == ("add",)
