"""Cells as torch modules: the library's own cells reproduced, the paper's formulas, and a model's counts."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from evonas_cli.network.cell import Cell, CellGraph
from evonas_cli.network.language import LanguagePlan
from evonas_cli.nn.recurrent import LanguageModel, RecurrentCell
from evonas_cli.spaces.rnn_cell import LSTM, NASCELL, RnnCell

SPACE = RnnCell()
WIDTH, HIDDEN, BATCH, STEPS = 5, 7, 3, 12


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def library_lstm() -> nn.LSTMCell:
    layer = nn.LSTMCell(WIDTH, HIDDEN, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        for seed, parameter in enumerate(layer.parameters()):
            parameter.copy_(noise(*parameter.shape, seed=seed))
    return layer


def lstm_in_the_space(library: nn.LSTMCell) -> RecurrentCell:
    """The tree with the library's weights in its gates, and zeros in the leaves that have none."""
    tree = RecurrentCell(SPACE.decode_cell(SPACE.from_json(LSTM)), WIDTH, HIDDEN, generator())
    leaves = {"input": 2, "forget": 0, "candidate": 3, "output": 4}
    with torch.no_grad():
        for parameter in tree.parameters():
            parameter.zero_()
        for gate, leaf in enumerate(leaves.values()):
            theirs, ours = (slice(HIDDEN * n, HIDDEN * (n + 1)) for n in (gate, leaf))
            tree.weights["affine0"][ours] = library.weight_ih[theirs]
            tree.weights["linear1"][ours] = library.weight_hh[theirs]
            tree.biases["affine0"][ours] = (library.bias_ih + library.bias_hh)[theirs]
    return tree


def test_the_lstm_is_a_tree_of_the_space() -> None:
    library = library_lstm()
    tree, x = lstm_in_the_space(library), noise(STEPS, BATCH, WIDTH, seed=9)
    h, c = noise(BATCH, HIDDEN, seed=10), noise(BATCH, HIDDEN, seed=11)
    state, theirs = (h, c), (h, c)
    for step in range(STEPS):
        outputs, state = tree(x[step : step + 1], state)
        theirs = library(x[step], theirs)
        assert torch.equal(outputs[0], state[0])
        for ours, expected in zip(state, theirs, strict=True):
            assert (ours - expected).abs().max() < 1e-5
    assert theirs[1].abs().max() > 0.5


def test_the_lstms_gradients_agree_too() -> None:
    library = library_lstm()
    tree, x = lstm_in_the_space(library), noise(STEPS, BATCH, WIDTH)
    outputs, _ = tree(x, tree.start(BATCH))
    outputs.square().sum().backward()
    state, total = (torch.zeros(BATCH, HIDDEN), torch.zeros(BATCH, HIDDEN)), torch.zeros(())
    for step in range(STEPS):
        state = library(x[step], state)
        total = total + state[0].square().sum()
    total.backward()
    assert tree.weights["linear1"].grad is not None and library.weight_hh.grad is not None
    ours, theirs = tree.weights["linear1"].grad[:HIDDEN], library.weight_hh.grad[HIDDEN : 2 * HIDDEN]
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_cell_without_a_memory_is_the_librarys_plain_one() -> None:
    graph = CellGraph()
    total = graph.add("add", graph.add("affine", graph.input), graph.add("linear", graph.hidden))
    cell = RecurrentCell(graph.cell(graph.add("tanh", total)), WIDTH, HIDDEN, generator())
    library = nn.RNNCell(WIDTH, HIDDEN, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        library.weight_ih.copy_(cell.weights["affine0"])
        library.weight_hh.copy_(cell.weights["linear1"])
        library.bias_ih.copy_(cell.biases["affine0"])
        library.bias_hh.zero_()
    x, h = noise(STEPS, BATCH, WIDTH), torch.zeros(BATCH, HIDDEN)
    outputs, _ = cell(x, cell.start(BATCH))
    for step in range(STEPS):
        h = library(x[step], h)
        assert torch.allclose(outputs[step], h, atol=1e-6)


def rows(tensor: Tensor, leaf: int) -> Tensor:
    return tensor[leaf * HIDDEN : (leaf + 1) * HIDDEN]


def test_the_papers_example_with_two_leaves() -> None:
    example = {"nodes": ["add tanh", "multiply relu", "multiply sigmoid"], "inject": "add relu"}
    space = RnnCell(leaves=2)
    genome = space.from_json({**example, "memory_from": 1, "memory_into": 0})
    cell = RecurrentCell(space.decode_cell(genome), WIDTH, HIDDEN, generator())
    x, h, c = noise(BATCH, WIDTH), noise(BATCH, HIDDEN, seed=3), noise(BATCH, HIDDEN, seed=4)
    _, (new_h, new_c) = cell(x[None], (h, c))
    weight, bias, hidden = cell.weights["affine0"], cell.biases["affine0"], cell.weights["linear1"]
    a0 = torch.tanh(x @ rows(weight, 0).T + rows(bias, 0) + h @ rows(hidden, 0).T)
    a0_new = torch.relu(a0 + c)
    before = (x @ rows(weight, 1).T + rows(bias, 1)) * (h @ rows(hidden, 1).T)
    assert torch.allclose(new_h, torch.sigmoid(a0_new * torch.relu(before)), atol=1e-6)
    assert torch.allclose(new_c, before, atol=1e-6)


def test_the_published_nascell() -> None:
    cell = RecurrentCell(SPACE.decode_cell(SPACE.from_json(NASCELL)), WIDTH, HIDDEN, generator())
    x, h, c = noise(BATCH, WIDTH), noise(BATCH, HIDDEN, seed=3), noise(BATCH, HIDDEN, seed=4)
    _, (new_h, new_c) = cell(x[None], (h, c))
    from_x = (x @ cell.weights["affine0"].T + cell.biases["affine0"]).split(HIDDEN, dim=1)
    from_h = (h @ cell.weights["linear1"].T).split(HIDDEN, dim=1)
    sums = [a + b for a, b in zip(from_x, from_h, strict=True)]
    tanh, sigmoid, relu = torch.tanh, torch.sigmoid, torch.relu
    first = tanh(tanh(sigmoid(sums[0]) * relu(sums[1])) + c)
    second = tanh(sigmoid(sums[2]) + relu(from_x[3] * from_h[3]))
    third = tanh(tanh(tanh(sums[4]) * sigmoid(sums[5])) + sigmoid(tanh(sums[6]) + sigmoid(sums[7])))
    assert torch.allclose(new_c, first * second, atol=1e-6)
    assert torch.allclose(new_h, tanh(first * second * third), atol=1e-6)


def test_nodes_may_have_weights_anywhere() -> None:
    graph = CellGraph(n_memories=2)
    product = graph.add("multiply", graph.hidden, graph.memories[0], graph.memories[1])
    inner, other = graph.add("linear", product), graph.add("affine", product)
    cell = RecurrentCell(graph.cell(inner, [other, graph.memories[0]]), WIDTH, HIDDEN, generator())
    h, c, d = (noise(BATCH, HIDDEN, seed=seed) for seed in (3, 4, 5))
    _, (new_h, new_c, new_d) = cell(noise(1, BATCH, WIDTH), (h, c, d))
    assert torch.allclose(new_h, (h * c * d) @ cell.weights["linear4"].T, atol=1e-6)
    assert torch.allclose(new_c, (h * c * d) @ cell.weights["affine4"].T + cell.biases["affine4"], atol=1e-6)
    assert torch.equal(new_d, c)


def test_cut_in_two_a_sequence_gives_the_same() -> None:
    cell = RecurrentCell(SPACE.decode_cell(SPACE.sample(Random(3))), WIDTH, HIDDEN, generator())
    x = noise(STEPS, BATCH, WIDTH)
    whole, last = cell(x, cell.start(BATCH))
    first, state = cell(x[:5], cell.start(BATCH))
    second, end = cell(x[5:], state)
    assert torch.allclose(whole, torch.cat([first, second]), atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(last, end, strict=True))


def model(cell: Cell, seed: int = 1, dropout: float = 0.0) -> LanguageModel:
    return LanguageModel(LanguagePlan(cell, 11, HIDDEN), dropout, generator(seed))


@pytest.mark.parametrize("seed", range(4))
def test_a_models_counts(seed: int) -> None:
    cell = SPACE.decode_cell(SPACE.sample(Random(seed)))
    made = model(cell)
    n_cell = sum(parameter.numel() for parameter in made.cell.parameters())
    assert n_cell == cell.parameters(HIDDEN, HIDDEN) == 8 * HIDDEN * (2 * HIDDEN + 1)
    matrices = [parameter for parameter in made.parameters() if parameter.dim() == 2]
    plan = LanguagePlan(cell, 11, HIDDEN)
    assert plan.multiply_adds == sum(matrix.numel() for matrix in matrices) - made.embedding.numel()
    assert plan.parameters == sum(parameter.numel() for parameter in made.parameters())


def test_weights_come_from_the_generator_alone() -> None:
    cell = SPACE.decode_cell(SPACE.sample(Random(0)))

    def weights(seed: int) -> list[Any]:
        return [parameter.tolist() for parameter in model(cell, seed).parameters()]

    before = torch.get_rng_state()
    assert weights(1) == weights(1) != weights(2)
    assert torch.equal(torch.get_rng_state(), before)
    bound = HIDDEN**-0.5
    assert all(parameter.abs().max() <= bound for parameter in model(cell).cell.parameters())
    assert all(parameter.abs().max() > 0.8 * bound for parameter in model(cell).cell.parameters())


def test_dropout_acts_in_training_only() -> None:
    made = model(SPACE.decode_cell(SPACE.from_json(NASCELL)), dropout=0.5)
    x = torch.arange(8).view(4, 2)
    made.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert torch.equal(made(x, made.cell.start(2))[0], made(x, made.cell.start(2))[0])
        made.train()
        assert not torch.equal(made(x, made.cell.start(2))[0], made(x, made.cell.start(2))[0])
