"""Parts of data as columns, and batches drawn from them."""

from __future__ import annotations

from random import Random

import numpy as np
import torch
from descents import TASK, descent, train, xor
from neural_space import random_neurons

from evonas_cli.network.task import Task
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.training.neurons import columns
from evonas_cli.training.neurons.columns import Batches, Part
from evonas_cli.training.neurons.heads import Binary
from evonas_cli.training.neurons.measuring import means

CPU = torch.device("cpu")


def part(count: int) -> Part:
    x = np.stack([np.arange(count), -np.arange(count)], axis=1).astype(np.float32)
    return Part(x, np.arange(count) % 2, Task((2,), 2), CPU)


def test_an_epoch_has_each_example_once() -> None:
    """Batches go over the end of an epoch, and two seeds have other orders."""
    batches = Batches(part(25), 10, 5, seed=3)
    drawn = [piece.inputs[0, : piece.count].tolist() for update in range(5) for piece in batches[update]]
    assert [len(each) for each in drawn] == [10] * 5
    flat = [number for each in drawn for number in each]
    assert sorted(flat[:25]) == sorted(flat[25:]) == list(range(25)) and flat[:25] != flat[25:]
    assert Batches(part(25), 10, 5, seed=4)[0][0].inputs.tolist() != batches[0][0].inputs.tolist()


def test_targets_go_with_their_inputs() -> None:
    for piece in Batches(part(25), 10, 1, seed=0)[0]:
        assert piece.targets.tolist() == (piece.inputs[0] % 2).tolist()


def test_the_whole_part_comes_in_its_order() -> None:
    own = part(7)
    for size in (None, 7, 100):
        batches = Batches(own, size, 3, seed=0)
        [piece] = batches[2]
        assert batches.size == piece.count == 7 and piece.inputs[0, :7].tolist() == list(range(7))


def test_targets_by_kind() -> None:
    x = np.zeros((3, 2), dtype=np.float32)
    classes = Part(x, np.array([0, 2, 1]), Task((2,), 3), CPU).targets
    numbers = Part(x, np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), Task((2,), 2, "numbers"), CPU).targets
    assert classes.dtype == torch.int64 and classes.tolist() == [0, 2, 1]
    assert numbers.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


def test_pieces_make_no_difference(monkeypatch) -> None:
    """A part of 50 and batches of 40, in pieces of 16: the same mean loss and the same weights, but for rounding."""
    rng = Random(1)
    population = [random_neurons(rng, 2, 1, 3, 9, 0.5) for _ in range(3)]
    weights = torch.tensor([weight for neurons in population for weight in neurons.weights])

    def found() -> tuple[torch.Tensor, torch.Tensor]:
        own = xor()
        program = Program(order(population), own.width, CPU, gradients=False)
        [losses] = means(program, own, weights, [Binary().losses])
        return losses, train(population, own, descent(batch=40, check_every=None, steps=5)).weights

    whole = found()
    monkeypatch.setattr(columns, "WIDEST", 16)
    assert len(xor().pieces) == 4 and len(Batches(xor(), 40, 1, 0)[0]) == 3
    for one, other in zip(whole, found(), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def test_examples_that_fill_up_count_nothing() -> None:
    [neurons] = [random_neurons(Random(2), 2, 1, 3, 9)]
    weights = torch.tensor(neurons.weights)
    losses = []
    for count in (16, 17):
        own = xor(17)
        own.pieces = [own.columns(torch.arange(17).repeat(2)[: own.width], count)]
        own.count = count
        program = Program(order([neurons]), own.width, CPU, gradients=False)
        losses.append(means(program, own, weights, [Binary().losses])[0].item() * count)
    one = xor(17)
    last = Part(one.inputs.T.numpy()[16:], one.targets.numpy()[16:], TASK, CPU)
    program = Program(order([neurons]), last.width, CPU, gradients=False)
    alone = means(program, last, weights, [Binary().losses])[0].item()
    assert abs(losses[1] - losses[0] - alone) < 1e-5
