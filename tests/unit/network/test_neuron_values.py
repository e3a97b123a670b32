"""Graphs by numpy compute what the program of torch computes."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.network.neuron_values import VALUES, outputs
from evonas_cli.network.neurons import FUNCTIONS, Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program


def drawn(rng: Random) -> Neurons:
    """Two inputs, up to five hidden nodes, two outputs, each link with probability 0.6."""
    functions = tuple([rng.choice(FUNCTIONS) for _ in range(rng.randrange(6) + 2)])
    places = [(source, target) for target in range(3, 3 + len(functions)) for source in range(target)]
    links = tuple([ends for ends in places if rng.random() < 0.6])
    return Neurons(2, 2, functions, links, tuple([rng.gauss(0, 1) for _ in links]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_both_compute_the_same(seed: int) -> None:
    neurons = drawn(Random(seed))
    inputs = np.random.default_rng(seed).uniform(-2, 2, (16, 2)).astype(np.float32)
    program = Program(order([neurons]), 16, torch.device("cpu"), gradients=False)
    expected = program.forward(torch.tensor(inputs.T), torch.tensor(neurons.weights)).T.numpy()
    found = outputs(neurons, inputs)
    assert found.shape == (16, 2)
    assert found == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_every_function_is_there() -> None:
    assert set(VALUES) == set(FUNCTIONS) - {"multiply"}


def test_a_node_without_links_is_zero() -> None:
    assert outputs(Neurons(1, 1, ("sigmoid",), (), ()), np.ones((3, 1))).tolist() == [[0.0]] * 3


def test_large_sums_do_not_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        found = outputs(Neurons(1, 1, ("steepened_sigmoid",), ((0, 2),), (1.0,)), np.array([[-1e6], [1e6]]))
    assert found[:, 0] == pytest.approx([0, 1])


def test_inputs_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the graph has 1 inputs; the array has shape \(3, 2\)"):
        outputs(Neurons(1, 1, ("add",), (), ()), np.ones((3, 2)))
