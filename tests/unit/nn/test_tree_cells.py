"""LSTM, GRU and NASCell as trees compute what the libraries' cells do; layers of a cell are the library's layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evonas_cli.genomes.cell_trees import GRU_AFTER, LSTM, cell_of
from evonas_cli.genomes.cell_trees import NASCELL as NASCELL_TREE
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.trees import parsed
from evonas_cli.nn.recurrent import LanguageModel, RecurrentCell
from evonas_cli.spaces.rnn_cell import NASCELL, RnnCell

WIDTH, HIDDEN, BATCH, STEPS = 5, 7, 3, 12
LSTM_GATES = (3, 1, 0, 2)
"""Which of torch's gates (input, forget, candidate, output) each linear node of the tree is."""


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def drawn(layer: nn.Module) -> nn.Module:
    with torch.no_grad():
        for seed, parameter in enumerate(layer.parameters()):
            parameter.copy_(noise(*parameter.shape, seed=seed))
    return layer


def row(tensor: Tensor, gate: int) -> Tensor:
    return tensor[gate * HIDDEN : (gate + 1) * HIDDEN]


def node(text: str, width: int = WIDTH) -> RecurrentCell:
    return RecurrentCell(cell_of(parsed(text)), width, HIDDEN, generator())


@torch.no_grad()
def copy_lstm(tree: RecurrentCell, weights: list[Tensor]) -> None:
    """The library's input and hidden matrices and two biases, put into the tree's gates."""
    from_x, from_h, bias_x, bias_h = weights
    for ours, theirs in enumerate(LSTM_GATES):
        row(tree.weights["affine0"], ours).copy_(row(from_x, theirs))
        row(tree.weights["linear1"], ours).copy_(row(from_h, theirs))
        row(tree.biases["affine0"], ours).copy_(row(bias_x + bias_h, theirs))


def test_the_lstm() -> None:
    library: nn.Module = drawn(nn.LSTMCell(WIDTH, HIDDEN))
    tree = node(LSTM)
    copy_lstm(tree, list(library.parameters()))
    assert sum(p.numel() for p in tree.parameters()) == 4 * HIDDEN * (WIDTH + HIDDEN + 1)
    x, state = noise(STEPS, BATCH, WIDTH), (noise(BATCH, HIDDEN, seed=3), noise(BATCH, HIDDEN, seed=4))
    theirs = state
    for step in range(STEPS):
        _, state = tree(x[step : step + 1], state)
        theirs = library(x[step], theirs)
        assert all((a - b).abs().max() < 1e-5 for a, b in zip(state, theirs, strict=True))
    assert theirs[1].abs().max() > 0.5


def test_the_gru() -> None:
    """Linear nodes in order: update gate (torch's second), W x of the candidate, reset gate (its first), U h."""
    library: nn.Module = drawn(nn.GRUCell(WIDTH, HIDDEN))
    tree = node(GRU_AFTER)
    from_x, from_h, bias_x, bias_h = library.parameters()
    with torch.no_grad():
        for ours, theirs in enumerate((1, 2, 0)):
            row(tree.weights["affine0"], ours).copy_(row(from_x, theirs))
            row(tree.biases["affine0"], ours).copy_(row(bias_x + (bias_h if theirs < 2 else 0), theirs))
        for ours, theirs in enumerate((1, 0)):
            row(tree.weights["linear1"], ours).copy_(row(from_h, theirs))
        tree.weights["affine1"].copy_(row(from_h, 2))
        tree.biases["affine1"].copy_(row(bias_h, 2))
    assert sum(p.numel() for p in tree.parameters()) == 3 * HIDDEN * (WIDTH + HIDDEN) + 4 * HIDDEN
    x, h = noise(STEPS, BATCH, WIDTH), noise(BATCH, HIDDEN, seed=3)
    state: tuple[Tensor, ...] = (h,)
    for step in range(STEPS):
        _, state = tree(x[step : step + 1], state)
        h = library(x[step], h)
        assert (state[0] - h).abs().max() < 1e-5
    assert h.abs().max() > 0.5


def test_nascell_is_that_of_its_own_space() -> None:
    """Both have eight leaves with x and h in one order. The tree has one bias more, that of h in `multiply`."""
    space = RnnCell()
    known = RecurrentCell(space.decode_cell(space.from_json(NASCELL)), WIDTH, HIDDEN, generator())
    tree = node(NASCELL_TREE)
    with torch.no_grad():
        tree.weights["affine0"].copy_(known.weights["affine0"])
        tree.biases["affine0"].copy_(known.biases["affine0"])
        others = [leaf for leaf in range(8) if leaf != 3]
        for ours, theirs in enumerate(others):
            row(tree.weights["linear1"], ours).copy_(row(known.weights["linear1"], theirs))
        tree.weights["affine1"].copy_(row(known.weights["linear1"], 3))
        tree.biases["affine1"].zero_()
    x, state = noise(STEPS, BATCH, WIDTH), (noise(BATCH, HIDDEN, seed=3), noise(BATCH, HIDDEN, seed=4))
    ours_out, ours = tree(x, state)
    theirs_out, theirs = known(x, state)
    assert (ours_out - theirs_out).abs().max() < 1e-5 and theirs_out.abs().max() > 0.1
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(ours, theirs, strict=True))


def test_two_layers_are_the_librarys_two_layers() -> None:
    plan = LanguagePlan(cell_of(parsed(LSTM)), 11, HIDDEN, layers=2)
    model = LanguageModel(plan, 0.0, generator())
    assert plan.parameters == sum(parameter.numel() for parameter in model.parameters())
    library = nn.LSTM(HIDDEN, HIDDEN, num_layers=2)
    drawn(library)
    weights = list(library.parameters())
    copy_lstm(model.cell, weights[:4])
    [upper] = model.upper
    assert isinstance(upper, RecurrentCell)
    copy_lstm(upper, weights[4:])
    tokens = torch.randint(11, (STEPS, BATCH), generator=generator())
    with torch.no_grad():
        scores, state = model(tokens, model.start(BATCH))
        h, (last_h, last_c) = library(model.embedding[tokens])
        assert (scores - model.readout(h)).abs().max() < 1e-5
    expected = (last_h[0], last_c[0], last_h[1], last_c[1])
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(state, expected, strict=True))


def test_one_layer_has_the_weights_that_it_always_had() -> None:
    cell = cell_of(parsed(LSTM))
    names = set(LanguageModel(LanguagePlan(cell, 11, HIDDEN), 0.0, generator()).state_dict())
    assert names == {
        *("embedding", "cell.weights.affine0", "cell.weights.linear1", "cell.biases.affine0"),
        *("readout.weight", "readout.bias"),
    }
