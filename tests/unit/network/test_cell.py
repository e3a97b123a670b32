"""Recurrent cells as graphs: what a graph may hold, and how its weights are counted."""

from __future__ import annotations

import pytest

from evonas_cli.network.cell import Cell, CellGraph, CellNode


def elman() -> Cell:
    """h_t = tanh(W x_t + b + U h_{t-1}) (Elman, 1990)."""
    graph = CellGraph()
    total = graph.add("add", graph.add("affine", graph.input), graph.add("linear", graph.hidden))
    return graph.cell(graph.add("tanh", total))


def test_values_are_numbered_from_the_inputs_on() -> None:
    graph = CellGraph(n_memories=2)
    assert (graph.input, graph.hidden, list(graph.memories)) == (0, 1, [2, 3])
    product = graph.add("multiply", graph.hidden, graph.memories[1])
    assert product == 4
    assert graph.add("identity", product) == product
    cell = graph.cell(graph.add("relu", product), [product, graph.memories[0]])
    assert cell.nodes == (CellNode("multiply", (1, 3)), CellNode("relu", (4,)))
    assert (cell.first_node, cell.output, cell.memories) == (4, 5, (4, 2))


def test_weights_are_counted() -> None:
    cell = elman()
    assert [value for value, _ in cell.learned()] == [2, 3]
    assert cell.parameters(width=5, hidden=7) == 5 * 7 + 7 + 7 * 7
    assert cell.multiply_adds(width=5, hidden=7) == 5 * 7 + 7 * 7


def test_what_reads_a_memory_has_hidden_inputs() -> None:
    graph = CellGraph(n_memories=1)
    value = graph.add("affine", graph.memories[0])
    assert graph.cell(value, [value]).parameters(width=100, hidden=3) == 3 * 3 + 3


@pytest.mark.parametrize(
    ("nodes", "output", "memories", "reason"),
    [
        ((CellNode("softmax", (1,)),), 2, (), "value 2: there is no operation 'softmax'"),
        ((CellNode("add", (1,)),), 2, (), "value 2: add cannot take 1 values"),
        ((CellNode("tanh", (1, 1)),), 2, (), "value 2: tanh cannot take 2 values"),
        ((CellNode("linear", ()),), 2, (), "value 2: linear cannot take 0 values"),
        ((CellNode("tanh", (2,)),), 2, (), r"value 2 reads \[2\], which do not all come earlier"),
        ((CellNode("tanh", (-1,)),), 2, (), "do not all come earlier"),
        ((CellNode("add", (0, 1)),), 2, (), "value 2: add reads x_t, whose width is its own"),
        ((CellNode("tanh", (0,)),), 2, (), "only linear and affine may"),
        ((CellNode("tanh", (1,)),), 3, (), "h_t is value 3, .*there are 1 to 2"),
        ((CellNode("tanh", (1,)),), 0, (), "h_t is value 0"),
        ((CellNode("tanh", (1,)),), 3, (9,), "memory 0 is value 9"),
    ],
)
def test_impossible_cells_are_refused(
    nodes: tuple[CellNode, ...], output: int, memories: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Cell(nodes, output, memories)


def test_every_memory_needs_a_next_value() -> None:
    graph = CellGraph(n_memories=2)
    with pytest.raises(ValueError, match="there are 2 memories, and next values for 1"):
        graph.cell(graph.hidden, [graph.hidden])
