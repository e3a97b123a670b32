"""A member's bits are its own: alone, beside others, in any order, and beside numbers that are not finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons
from torch import Tensor

from evonas_cli.network.neurons import Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled, folded, row_sums

COUNT = 37


def run(population: Sequence[Neurons], inputs: Tensor, outer: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Outputs and gradients of each member; `outer` are the gradients of a member's outputs."""
    made = Program(order(population), inputs.shape[1], torch.device("cpu"), gradients=True)
    weights = torch.tensor([weight for neurons in population for weight in neurons.weights], dtype=torch.float32)
    outputs = made.forward(inputs, weights).view(len(population), len(outer), -1)
    gradients = made.backward(outer.repeat(len(population), 1), weights)
    sizes = [neurons.parameters for neurons in population]
    return list(zip(outputs.unbind(), gradients.split(sizes), strict=True))


def draw(seed: int) -> tuple[list[Neurons], Tensor, Tensor]:
    rng, generator = Random(seed), torch.Generator().manual_seed(seed)
    n_outputs = rng.randrange(1, 4)
    sizes = [(rng.randrange(10), rng.randrange(1, 30)) for _ in range(rng.randrange(2, 12))]
    population = [random_neurons(rng, 2, n_outputs, n_hidden, n_links, 1.5) for n_hidden, n_links in sizes]
    inputs = torch.randn(2, filled(COUNT), generator=generator) * 3
    outer = torch.randn(n_outputs, filled(COUNT), generator=generator)
    outer[:, COUNT:] = 0.0
    return population, inputs, outer


@given(st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_company_and_place_change_no_bit(seed: int) -> None:
    population, inputs, outer = draw(seed)
    together = run(population, inputs, outer)
    turned = list(enumerate(population))
    Random(seed).shuffle(turned)
    elsewhere = dict(zip([n for n, _ in turned], run([own for _, own in turned], inputs, outer), strict=True))
    for number, neurons in enumerate(population):
        [alone] = run([neurons], inputs, outer)
        for found in (together[number], elsewhere[number]):
            assert all(torch.equal(mine, theirs) for mine, theirs in zip(alone, found, strict=True))


@given(st.integers(0, 100_000), st.sampled_from([float("nan"), float("inf"), 1e38]))
@settings(max_examples=20, deadline=None)
def test_numbers_that_are_not_finite_stay_with_their_member(seed: int, broken: float) -> None:
    population, inputs, outer = draw(seed)
    before = run(population, inputs, outer)
    lost = Random(seed).randrange(len(population))
    made = Program(order(population), inputs.shape[1], torch.device("cpu"), gradients=True)
    weights = torch.tensor([weight for neurons in population for weight in neurons.weights], dtype=torch.float32)
    sizes = [neurons.parameters for neurons in population]
    weights.split(sizes)[lost].fill_(broken)
    outputs = made.forward(inputs, weights).view(len(population), len(outer), -1)
    gradients = made.backward(outer.repeat(len(population), 1), weights).split(sizes)
    for number, (wanted, slopes) in enumerate(before):
        if number != lost:
            assert torch.equal(outputs[number], wanted) and torch.equal(gradients[number], slopes)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_bit(threads: int) -> None:
    """Tables large enough to be divided among threads."""
    rng = Random(1)
    population = [random_neurons(rng, 2, 1, 12, 40) for _ in range(200)]
    generator = torch.Generator().manual_seed(0)
    inputs, outer = torch.randn(2, 208, generator=generator), torch.randn(1, 208, generator=generator)
    alone = [run([neurons], inputs, outer)[0] for neurons in population[::40]]
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = run(population, inputs, outer)[::40]
    finally:
        torch.set_num_threads(usual)
    for mine, theirs in zip(alone, together, strict=True):
        assert torch.equal(mine[0], theirs[0]) and torch.equal(mine[1], theirs[1])


def test_a_heavier_weight_is_seen() -> None:
    """The tests above compare something that a weight changes."""
    population, inputs, outer = draw(3)
    changed = [replace(own, weights=tuple([weight + 1 for weight in own.weights])) for own in population]
    pairs = zip(run(population, inputs, outer), run(changed, inputs, outer), strict=True)
    assert any(not torch.equal(first[0], second[0]) for first, second in pairs)


@pytest.mark.parametrize("summed", [row_sums, folded])
@pytest.mark.parametrize("width", [16, 208, 1024])
def test_row_sums_are_those_of_each_row(summed: Callable[[Tensor], Tensor], width: int) -> None:
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(300, width, generator=generator)
    found = summed(table.clone())
    assert torch.allclose(found.double(), table.double().sum(1), atol=1e-4)
    assert all(torch.equal(summed(table[n : n + 1].clone())[0], found[n]) for n in range(0, 300, 7))
