"""The program computes what each graph says: against an evaluator of single graphs, gradients against differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons
from plainly import outputs, values
from torch import Tensor

from evonas_cli.network.neurons import FUNCTIONS, SQUARE_LIMIT, Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled

CPU = torch.device("cpu")


def weights_of(population: Sequence[Neurons]) -> Tensor:
    return torch.tensor([weight for neurons in population for weight in neurons.weights], dtype=torch.float32)


def program(population: Sequence[Neurons], n_examples: int) -> Program:
    return Program(order(population), filled(n_examples), CPU, gradients=True)


def table(examples: Sequence[Sequence[float]]) -> Tensor:
    """(inputs, width), filled up with the first example."""
    columns = torch.tensor(examples, dtype=torch.float32).T
    return torch.cat([columns, columns[:, :1].expand(-1, filled(len(examples)) - len(examples))], dim=1)


def populations(seed: int) -> list[Neurons]:
    rng = Random(seed)
    n_inputs, n_outputs = rng.randrange(1, 4), rng.randrange(1, 4)
    sizes = [(rng.randrange(8), rng.randrange(1, 25)) for _ in range(rng.randrange(1, 8))]
    return [random_neurons(rng, n_inputs, n_outputs, n_hidden, n_links) for n_hidden, n_links in sizes]


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_outputs_are_those_of_each_graph_alone(seed: int) -> None:
    population, rng = populations(seed), Random(seed)
    examples = [[rng.uniform(-2, 2) for _ in range(population[0].n_inputs)] for _ in range(3)]
    found = program(population, 3).forward(table(examples), weights_of(population))
    rows = found.view(len(population), -1, found.shape[1])
    for neurons, own in zip(population, rows, strict=True):
        for column, example in enumerate(examples):
            largest = max(map(abs, values(neurons, example, np.float32)))
            wanted = outputs(neurons, example, np.float32)
            assert own[:, column].tolist() == pytest.approx(wanted, rel=1e-6, abs=1e-6 * float(largest))


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_gradients_are_those_of_differences(seed: int) -> None:
    """Central differences of the evaluator in float64, where no kink is near."""
    population, rng = populations(seed)[:2], Random(seed)
    example = [rng.uniform(-2, 2) for _ in range(population[0].n_inputs)]
    outer = [rng.uniform(-1, 1) for _ in range(population[0].n_outputs)]
    made, weights = program(population, 1), weights_of(population)
    made.forward(table([example]), weights)
    slopes = torch.zeros(len(population) * len(outer), filled(1))
    slopes[:, 0] = torch.tensor(outer).repeat(len(population))
    found = made.backward(slopes, weights).tolist()
    for neurons in population:
        own = [found.pop(0) for _ in neurons.links]
        for link, gradient in enumerate(own):
            small, half = (_slope(neurons, link, example, outer, step) for step in (1e-5, 5e-6))
            if abs(small - half) <= 1e-6 * (1 + abs(small)):  # a kink within the step shows in the difference
                assert gradient == pytest.approx(half, rel=2e-4, abs=2e-4 * (1 + max(map(abs, own))))


def _slope(neurons: Neurons, link: int, example: Sequence[float], outer: Sequence[float], step: float) -> float:
    ends = []
    for sign in (1, -1):
        moved = list(neurons.weights)
        moved[link] += sign * step
        values = outputs(replace(neurons, weights=tuple(moved)), example)
        ends.append(sum(slope * value for slope, value in zip(outer, values, strict=True)))
    return float(ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("z", [-60.0, -1.5, 0.0, 0.75, 60.0])
def test_each_function(function: str, z: float) -> None:
    """A node that reads x and the bias: z = 1 x + 0, or the product 1 x times 0.5."""
    second = 0.5 if function == "multiply" else 0.0
    neurons = Neurons(1, 1, (function,), ((0, 2), (1, 2)), (1.0, second))
    made, weights = program([neurons], 1), weights_of([neurons])
    found = made.forward(table([[z]]), weights)
    assert found[0, 0].item() == pytest.approx(float(outputs(neurons, [z])[0]), rel=1e-6)
    slopes = torch.zeros_like(found)
    slopes[0, 0] = 1.0
    by_weight = made.backward(slopes, weights)[0].item()
    wanted = {
        "sigmoid": np.exp(-abs(z)) / (1 + np.exp(-abs(z))) ** 2,
        "tanh": 1 / np.cosh(z) ** 2,
        "relu": float(z > 0),
        "gaussian": -z * np.exp(-z * z / 2),
        "sine": np.cos(z),
        "abs": np.sign(z),
        "square": 2 * z * (abs(z) <= SQUARE_LIMIT),
        "multiply": 0.5,
        "add": 1.0,
        "steepened_sigmoid": 4.9 * np.exp(-4.9 * abs(z)) / (1 + np.exp(-4.9 * abs(z))) ** 2,
    }[function]
    assert by_weight == pytest.approx(z * wanted, rel=2e-5, abs=1e-6)


def test_the_gradient_of_a_product_with_zeros() -> None:
    """Where one factor is 0 its weight alone has a gradient that is not, and of two no weight has one."""
    neurons = Neurons(3, 1, ("multiply",), ((0, 4), (1, 4), (2, 4)), (2.0, 3.0, 4.0))
    made, weights = program([neurons], 2), weights_of([neurons])
    assert made.forward(table([[1.0, 0.0, 5.0], [0.0, 0.0, 5.0]]), weights)[0, :2].tolist() == [0.0, 0.0]
    for column, wanted in enumerate([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]):
        slopes = torch.zeros(1, filled(2))
        slopes[0, column] = 1.0
        assert made.backward(slopes, weights).tolist() == wanted
    zero = replace(neurons, weights=(2.0, 0.0, 4.0))
    made, weights = program([zero], 1), weights_of([zero])
    made.forward(table([[1.0, 3.0, 5.0]]), weights)
    slopes = torch.zeros(1, filled(1))
    slopes[0, 0] = 1.0
    assert made.backward(slopes, weights).tolist() == [0.0, 2.0 * 3.0 * 4.0 * 5.0, 0.0]


def test_nodes_that_no_link_leads_to_are_zero() -> None:
    """Whatever their function, and what leaves them has no gradient."""
    for function in FUNCTIONS:
        neurons = Neurons(1, 2, (function, "add", "sigmoid"), ((1, 3), (2, 3)), (2.0, 5.0))
        made, weights = program([neurons], 1), weights_of([neurons])
        assert made.forward(table([[7.0]]), weights)[:, 0].tolist() == [2.0, 0.0]
        slopes = torch.zeros(2, filled(1))
        slopes[:, 0] = 1.0
        assert made.backward(slopes, weights).tolist() == [1.0, 0.0]


def test_an_output_may_be_read_by_a_later_output() -> None:
    """Its gradient is then the sum of its own and of what the reader gives back."""
    neurons = Neurons(1, 2, ("add", "square"), ((0, 2), (2, 3)), (3.0, 0.5))
    made, weights = program([neurons], 1), weights_of([neurons])
    assert made.forward(table([[2.0]]), weights)[:, 0].tolist() == [6.0, 9.0]
    slopes = torch.zeros(2, filled(1))
    slopes[:, 0] = torch.tensor([1.0, 10.0])
    assert made.backward(slopes, weights).tolist() == [2.0 + 10 * 2 * 3.0 * 0.5 * 2.0, 10 * 2 * 3.0 * 6.0]


def test_graphs_without_any_link() -> None:
    neurons = Neurons(2, 1, ("add",), (), ())
    made, weights = program([neurons, neurons], 1), weights_of([])
    assert made.forward(table([[1.0, 2.0]]), weights)[:, 0].tolist() == [0.0, 0.0]
    assert made.backward(torch.ones(2, filled(1)), weights).shape == (0,)


def test_what_cannot_be_one_program_is_refused() -> None:
    with pytest.raises(ValueError, match="equal numbers of inputs and outputs, not"):
        order([Neurons(1, 1, ("add",), (), ()), Neurons(2, 1, ("add",), (), ())])
    plan = order([Neurons(1, 1, ("add",), (), ())])
    with pytest.raises(ValueError, match="width is a multiple"):
        Program(plan, 7, CPU, gradients=False)
    with pytest.raises(RuntimeError, match="without gradients"):
        Program(plan, 16, CPU, gradients=False).backward(torch.zeros(1, 16), torch.zeros(0))
