"""Graphs of neurons as plans: the exported layer computes what the program of populations computes."""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons

from evonas_cli.network.deployment import deployed, plan_of
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled

EXAMPLES = filled(5)


def made(neurons: Neurons, task: Task, x: torch.Tensor) -> torch.Tensor:
    """The outputs of the graph's plan, read back from its stored form."""
    found = deployed(neurons, Signature(task))
    network = Network(Plan.from_json(found.plan.to_json()), torch.Generator())
    network.load_state_dict({name: torch.tensor(values) for name, values in found.weights.items()})
    with torch.inference_mode():
        return network(x)


def expected(neurons: Neurons, x: torch.Tensor) -> torch.Tensor:
    """(examples, outputs) of the program that populations are evaluated by."""
    program = Program(order([neurons]), len(x), torch.device("cpu"), gradients=False)
    columns = x.reshape(len(x), -1).T.contiguous()
    return program.forward(columns, torch.tensor(neurons.weights, dtype=torch.float32)).T.clone()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([1, 3]))
def test_the_plan_computes_what_the_program_does(seed: int, n_inputs: int, n_outputs: int) -> None:
    neurons = random_neurons(Random(seed), n_inputs, n_outputs, Random(seed).randrange(12), 30, scale=0.7)
    task = Task((n_inputs,), n_outputs, "numbers")
    x = torch.rand(EXAMPLES, n_inputs, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    torch.testing.assert_close(made(neurons, task, x), expected(neurons, x), rtol=1e-4, atol=1e-5)
    assert plan_of(neurons, task).parameters == neurons.parameters


def test_two_classes_have_two_scores_and_images_are_flattened_channel_by_channel() -> None:
    neurons = random_neurons(Random(3), 12, 1, 4, 40)
    x = torch.rand(EXAMPLES, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    scores, value = made(neurons, Task((3, 2, 2), 2, "classes"), x), expected(neurons, x)
    torch.testing.assert_close(scores, torch.cat([torch.zeros_like(value), value], 1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(scores.softmax(1)[:, 1:], value.sigmoid(), rtol=1e-4, atol=1e-5)


def test_a_graph_of_another_task_has_no_plan() -> None:
    with pytest.raises(ValueError, match=r"the graph has 2 inputs and 1 outputs, not \(3, 1\)"):
        plan_of(random_neurons(Random(0), 2, 1, 0, 3), Task((3,), 2, "classes"))
