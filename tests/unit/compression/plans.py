"""Networks with weights and statistics that are not the initial ones, in which units go together in every way."""

from __future__ import annotations

import torch

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network


def dense() -> Plan:
    """Two hidden layers, one with batch normalisation and a sigmoid."""
    graph = Graph((7,))
    x = graph.add("relu", graph.add("linear", graph.input, features=6))
    x = graph.add("sigmoid", graph.add("batch_norm", graph.add("linear", x, features=5)))
    return graph.plan(graph.add("linear", x, features=3))


def residual() -> Plan:
    """A stem, a block that is added to it, a depthwise convolution, a concatenation with a second branch, flatten."""
    graph = Graph((2, 8, 8))
    stem = graph.add("relu", graph.add("batch_norm", graph.add("conv", graph.input, channels=6, kernel=3)))
    inner = graph.add("relu", graph.add("conv", stem, channels=4, kernel=3, bias=1))
    outer = graph.add("batch_norm", graph.add("conv", inner, channels=6, kernel=1))
    summed = graph.add("relu", graph.add("add", stem, outer))
    deep = graph.add("conv", summed, channels=6, kernel=3, groups=6)
    branch = graph.add("conv", graph.input, channels=5, kernel=1, bias=1)
    both = graph.add("max_pool", graph.add("concat", deep, branch), kernel=2, stride=2)
    x = graph.add("relu", graph.add("linear", graph.add("flatten", both), features=8))
    return graph.plan(graph.add("linear", x, features=3))


def sequence() -> Plan:
    """Convolutions of a sequence, of which an LSTM reads the second one."""
    graph = Graph((3, 9))
    x = graph.add("relu", graph.add("conv1d", graph.input, channels=6, kernel=3, bias=1))
    x = graph.add("conv1d", x, channels=4, kernel=3)
    x = graph.add("last_time", graph.add("lstm", x, hidden=5))
    return graph.plan(graph.add("linear", x, features=3))


def network(plan: Plan, seed: int = 0) -> Network:
    """The plan with drawn weights and statistics, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    made = Network(plan, generator)
    for tensor in made.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(torch.rand(tensor.shape, generator=generator) * 0.3)
    return made.eval()


def inputs(plan: Plan, n: int = 11) -> torch.Tensor:
    return torch.randn(n, *plan.shapes[0], generator=torch.Generator().manual_seed(1))
